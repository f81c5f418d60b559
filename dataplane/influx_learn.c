/* SPDX-License-Identifier: Apache-2.0 */
#include "influx_known.h"

#include <string.h>

#include "influx_known_parts.h"
#include "influx_text.h"

/* The measurement's number, another one where its place held another text; 0: too long. */
static uint64_t measurement_number(
    struct esf_influx_known *known, const char *text, uint32_t length)
{
	struct esf_influx_measurement *at =
	    &known->measurements[esf_recent_hash(text, length) >>
	                         (64 - ESF_INFLUX_MEASUREMENTS_BITS)];

	if (length > ESF_INFLUX_MEASUREMENT_LENGTH_MAX)
		return 0;
	if (at->number != 0 && at->length == length && memcmp(at->text, text, length) == 0)
		return at->number;
	at->number = ++known->last_given;
	at->length = length;
	memcpy(at->text, text, length);
	return at->number;
}

/* Where the head is, or is to be. */
static uint32_t place_of_head(struct esf_influx_known *known, const char *text, uint32_t size)
{
	uint32_t ways = esf_influx_head_ways(text, size);

	for (uint32_t i = ways; i < ways + ESF_RECENT_WAYS; i++) {
		const struct esf_influx_head *head = &known->heads[i];

		if (head->size == size && memcmp(head->text, text, size) == 0)
			return i;
	}
	return ways + known->turn++ % ESF_RECENT_WAYS;
}

static void learn_head(
    struct esf_influx_known *known, const struct esf_influx_line *line, uint64_t measurement)
{
	const char *space = memchr(line->raw.at, ' ', line->raw.length);
	uint32_t size = (uint32_t)(space + 1 - line->raw.at), place;
	struct esf_influx_head *head;

	if (size > ESF_INFLUX_HEAD_SIZE_MAX)
		return;
	place = place_of_head(known, line->raw.at, size);
	head = &known->heads[place];
	known->heads[known->head].next = place;
	known->head = place;
	head->measurement = measurement;
	head->tag = known->tag;
	head->size = (uint16_t)size;
	head->site_memory = 0;
	head->site_at = 0;
	head->site_length = 0;
	if (line->has_site) {
		head->site_at = (uint16_t)(line->site.at - line->raw.at);
		head->site_length = (uint16_t)line->site.length;
	}
	memcpy(head->text, line->raw.at, size);
}

static bool has_name(const struct esf_influx_key *key, uint64_t measurement, struct esf_span name)
{
	return key->measurement == measurement && key->name_length == name.length &&
	       memcmp(key->text, name.at, name.length) == 0;
}

static uint32_t place_of_key(struct esf_influx_known *known, uint64_t measurement,
    struct esf_span name, uint32_t prefix_length)
{
	uint32_t ways =
	    esf_influx_key_ways(measurement, name.at + prefix_length, name.length - prefix_length);

	for (uint32_t i = ways; i < ways + ESF_RECENT_WAYS; i++) {
		if (has_name(&known->keys[i], measurement, name))
			return i;
	}
	return ways + known->turn++ % ESF_RECENT_WAYS;
}

/*
 * Blanks before the first key are passed over, and so would one be that a later key begins with.
 * Returns the key's memory, which is another's once a place was taken.
 */
static uint64_t *learn_key(struct esf_influx_known *known, uint64_t measurement,
    uint32_t prefix_length, struct esf_span name, bool *taken)
{
	uint32_t size = name.length - prefix_length + 1;
	const char *text = name.at + prefix_length;
	uint32_t place;
	struct esf_influx_key *key;

	if (esf_influx_is(*text, ESF_INFLUX_BLANK) ||
	    prefix_length + size + 15 > ESF_INFLUX_KEY_TEXT_SIZE)
		return NULL;
	place = place_of_key(known, measurement, name, prefix_length);
	key = &known->keys[place];
	known->keys[known->key].next = place;
	known->key = place;
	if (has_name(key, measurement, name))
		return &key->memory;
	*taken = true;
	key->measurement = measurement;
	key->memory = 0;
	key->name_length = (uint16_t)name.length;
	key->at = (uint8_t)prefix_length;
	key->size = (uint8_t)size;
	memcpy(key->text, name.at, name.length);
	key->text[name.length] = '=';
	return &key->memory;
}

void esf_influx_known_learn(
    struct esf_influx_known *known, struct esf_influx_line *line, uint32_t measurement_length)
{
	uint64_t measurement = measurement_number(known, line->raw.at, measurement_length);
	bool taken = false;

	if (measurement == 0)
		return;
	learn_head(known, line, measurement);
	for (uint32_t i = 0; i < line->fields_count; i++)
		line->fields[i].memory = learn_key(
		    known, measurement, measurement_length + 1, line->fields[i].name, &taken);
	for (uint32_t i = 0; taken && i < line->fields_count; i++)
		line->fields[i].memory = NULL;
}

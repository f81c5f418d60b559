/* SPDX-License-Identifier: Apache-2.0 */
#include "influx_known.h"

#include <stdlib.h>
#include <string.h>

#include "influx_known_parts.h"
#include "influx_number.h"

struct esf_influx_known *esf_influx_known_create(locale_t c_locale)
{
	struct esf_influx_known *known = calloc(1, sizeof(*known));

	if (known != NULL)
		known->c_locale = c_locale;
	return known;
}

void esf_influx_known_destroy(struct esf_influx_known *known)
{
	free(known);
}

/* Which tag names the site decides what a head says. */
static __attribute__((noinline)) uint32_t tag_number(
    struct esf_influx_known *known, const char *name, uint32_t length)
{
	struct esf_influx_site_tag *tag;

	for (uint32_t i = 0; i < ESF_INFLUX_TAGS_COUNT; i++) {
		tag = &known->tags[i];
		if (tag->number != 0 && tag->length == length &&
		    memcmp(tag->text, name, length) == 0)
			return tag->number;
	}
	tag = &known->tags[known->last_tag % ESF_INFLUX_TAGS_COUNT];
	tag->number = ++known->last_tag;
	tag->length = length;
	memcpy(tag->text, name, length);
	return tag->number;
}

void esf_influx_known_start(struct esf_influx_known *known, const char *data, uint32_t size,
    const char *site_tag, uint32_t site_tag_length)
{
	known->data = data;
	known->size = size;
	known->tag = tag_number(known, site_tag, site_tag_length);
	memcpy(known->copy, data, size);
	known->copy[size] = '\n';
}

static inline bool is_head(
    const struct esf_influx_known *known, const struct esf_influx_head *head, const char *at)
{
	return head->measurement != 0 && head->tag == known->tag &&
	       esf_sixteen_begins(at, head->text, head->size);
}

/* Size of a head at `at`; 0 where it is too long. */
static inline uint32_t head_size(const char *at)
{
	for (uint32_t i = 0; i < ESF_INFLUX_HEAD_SIZE_MAX; i += 16) {
		uint32_t spaces = esf_sixteen_are(at + i, ' ');

		if (spaces != 0)
			return i + (uint32_t)__builtin_ctz(spaces) + 1;
	}
	return 0;
}

/* Elsewhere than where the one before it led to. */
static __attribute__((noinline)) struct esf_influx_head *seek_head(
    struct esf_influx_known *known, const char *at)
{
	uint32_t size = head_size(at);
	uint32_t place = size == 0 ? 0 : esf_influx_head_ways(at, size),
	         end = place + ESF_RECENT_WAYS;

	if (size == 0)
		return NULL;
	while (place < end && !is_head(known, &known->heads[place], at))
		place++;
	if (place == end)
		return NULL;
	known->heads[known->head].next = place;
	known->head = place;
	return &known->heads[place];
}

static inline struct esf_influx_head *find_head(struct esf_influx_known *known, const char *at)
{
	uint32_t place = known->heads[known->head].next;
	struct esf_influx_head *head = &known->heads[place];

	if (!is_head(known, head, at))
		return seek_head(known, at);
	known->head = place;
	return head;
}

static inline bool is_key(const struct esf_influx_key *key, uint64_t measurement, const char *at)
{
	return key->measurement == measurement &&
	       esf_sixteen_begins(at, key->text + key->at, key->size);
}

static __attribute__((noinline)) struct esf_influx_key *seek_key(
    struct esf_influx_known *known, uint64_t measurement, const char *at)
{
	uint32_t size = 0, place, end;

	while (size < ESF_INFLUX_KEY_TEXT_SIZE && at[size] != '=' && at[size] != '\n')
		size++;
	if (size == ESF_INFLUX_KEY_TEXT_SIZE || at[size] != '=')
		return NULL;
	place = esf_influx_key_ways(measurement, at, size);
	end = place + ESF_RECENT_WAYS;
	while (place < end && !is_key(&known->keys[place], measurement, at))
		place++;
	if (place == end)
		return NULL;
	known->keys[known->key].next = place;
	known->key = place;
	return &known->keys[place];
}

static inline struct esf_influx_key *find_key(
    struct esf_influx_known *known, uint64_t measurement, const char *at)
{
	uint32_t place = known->keys[known->key].next;
	struct esf_influx_key *key = &known->keys[place];

	if (!is_key(key, measurement, at))
		return seek_key(known, measurement, at);
	known->key = place;
	return key;
}

/* Any number but of the plainest; NULL where it is none. */
static __attribute__((noinline)) const char *read_number(
    const struct esf_influx_known *known, const char *at, double *value)
{
	if (*at > '9')
		return NULL;
	return esf_influx_number_parse(at, known->copy + known->size, known->c_locale, value);
}

static inline bool ends_fields(char byte)
{
	return byte == ' ' || byte == '\n';
}

/* Where the section ends, NULL where it is not of what is known. */
static inline const char *read_fields(struct esf_influx_known *known, uint64_t measurement,
    const char *at, struct esf_influx_field *fields, uint32_t room, uint32_t *count)
{
	const struct esf_influx_field *last = fields + room;
	struct esf_influx_field *field = fields;
	const char *end;

	for (; field < last; field++) {
		struct esf_influx_key *key = find_key(known, measurement, at);

		if (key == NULL)
			return NULL;
		at += key->size;
		field->name.at = key->text;
		field->name.length = key->name_length;
		field->type = ESF_INFLUX_NUMBER;
		field->memory = &key->memory;
		end = esf_decimal_read(at, &field->value);
		if (end == NULL || (*end != ',' && !ends_fields(*end)))
			end = read_number(known, at, &field->value);
		if (end == NULL)
			return NULL;
		at = end + 1;
		if (*end == ',')
			continue;
		*count = (uint32_t)(field + 1 - fields);
		return ends_fields(*end) ? end : NULL;
	}
	return NULL;
}

/* A space, digits and the end of the line, or its end alone; NULL where it is otherwise. */
static inline const char *read_time(
    const char *at, int64_t precision_ns, struct esf_influx_line *line)
{
	line->has_time = *at == ' ';
	line->time = 0;
	if (!line->has_time)
		return at;
	at = esf_decimal_read_integer(at + 1, &line->time);
	if (at == NULL || *at != '\n' ||
	    __builtin_mul_overflow(line->time, precision_ns, &line->time) ||
	    line->time > INT64_MAX - 1)
		return NULL;
	return at;
}

const char *esf_influx_known_read(struct esf_influx_known *known, const char *start,
    int64_t precision_ns, struct esf_influx_field *fields, uint32_t room,
    struct esf_influx_line *line)
{
	const char *at = known->copy + (start - known->data);
	const char *end = known->copy + known->size;
	struct esf_influx_head *head = find_head(known, at);
	const char *stop;

	if (head == NULL)
		return NULL;
	stop = read_fields(
	    known, head->measurement, at + head->size, fields, room, &line->fields_count);
	if (stop == NULL)
		return NULL;
	stop = read_time(stop, precision_ns, line);
	if (stop == NULL)
		return NULL;
	line->raw.at = start;
	line->raw.length = (uint32_t)(stop - at);
	line->malformed = false;
	line->has_site = head->site_length > 0;
	line->site.at = start + head->site_at;
	line->site.length = head->site_length;
	line->site_memory = &head->site_memory;
	line->fields = fields;
	return known->data + (stop < end ? stop + 1 - known->copy : known->size);
}

/* Under another number no tag's heads are found, nor a measurement's keys. */
void esf_influx_known_forget(struct esf_influx_known *known)
{
	memset(known->tags, 0, sizeof(known->tags));
	memset(known->measurements, 0, sizeof(known->measurements));
	known->tag = ++known->last_tag;
}

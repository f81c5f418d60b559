/* SPDX-License-Identifier: Apache-2.0 */
#include "influx_known.h"

#include <stdlib.h>
#include <string.h>

#include "decimal.h"
#include "influx_number.h"
#include "influx_text.h"
#include "recent.h"

enum {
	HEADS_BITS = 14,
	HEADS_COUNT = 1 << HEADS_BITS,
	HEAD_SIZE_MAX = 96, /* a multiple of 16 */
	KEYS_BITS = 12,
	KEYS_COUNT = 1 << KEYS_BITS,
	KEY_TEXT_SIZE = 104,
	MEASUREMENTS_BITS = 8,
	MEASUREMENTS_COUNT = 1 << MEASUREMENTS_BITS,
	MEASUREMENT_LENGTH_MAX = 64,
	TAGS_COUNT = ESF_LISTENERS_MAX,
};

/* Up to the space behind the tags, that one included. */
struct head {
	uint64_t measurement; /* its number; 0: none is here */
	uint64_t site_memory; /* the caller's */
	uint32_t tag;         /* number of the site tag's name that it was read with */
	uint32_t next;        /* the place of what came behind it last time */
	uint16_t site_at;
	uint16_t site_length; /* 0: has no site */
	uint16_t size;
	char text[HEAD_SIZE_MAX];
};
static_assert(sizeof(struct head) == 128, "two cache lines");

/* A field's raw name, and an equals sign behind it. */
struct key {
	uint64_t measurement; /* its number; 0: none is here */
	uint64_t memory;      /* the caller's */
	uint32_t next;
	uint16_t name_length;
	uint8_t at;   /* where the field's own part begins */
	uint8_t size; /* of that, with the equals sign */
	char text[KEY_TEXT_SIZE];
};
static_assert(sizeof(struct key) == 128, "two cache lines");

/* A number is never given to another text, so that those who hold it need not be told when its
 * place is taken. */
struct measurement {
	uint64_t number;
	uint32_t length;
	char text[MEASUREMENT_LENGTH_MAX];
};

struct tag {
	uint32_t number;
	uint32_t length;
	char text[ESF_RAW_NAME_MAX + 1];
};

struct esf_influx_known {
	const char *data; /* the datagram at hand */
	uint32_t size;
	uint32_t tag;        /* number of its site tag's name */
	uint32_t head;       /* place of the last one read */
	uint32_t key;        /* likewise */
	uint64_t last_given; /* number of a measurement */
	uint32_t last_tag;
	uint32_t turn; /* whose place is taken next */
	locale_t c_locale;
	struct tag tags[TAGS_COUNT];
	struct measurement measurements[MEASUREMENTS_COUNT];
	struct head heads[HEADS_COUNT];
	struct key keys[KEYS_COUNT];
	char before[ESF_CACHE_LINE]; /* read, and no more */
	char copy[ESF_DATAGRAM_MAX + 1];
	char behind[2 * ESF_CACHE_LINE]; /* likewise */
};
static_assert((int)ESF_CACHE_LINE >= (int)ESF_DECIMAL_BEFORE &&
                  2 * (int)ESF_CACHE_LINE >= (int)HEAD_SIZE_MAX &&
                  2 * (int)ESF_CACHE_LINE >= (int)KEY_TEXT_SIZE + (int)ESF_DECIMAL_BEHIND,
    "what is read beyond the copy is there");

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
	struct tag *tag;

	for (uint32_t i = 0; i < TAGS_COUNT; i++) {
		tag = &known->tags[i];
		if (tag->number != 0 && tag->length == length &&
		    memcmp(tag->text, name, length) == 0)
			return tag->number;
	}
	tag = &known->tags[known->last_tag % TAGS_COUNT];
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

static inline uint32_t head_ways(const char *text, uint32_t size)
{
	return esf_recent_ways(esf_recent_hash(text, size), HEADS_BITS);
}

static inline uint32_t key_ways(uint64_t measurement, const char *key, uint32_t size)
{
	return esf_recent_ways(
	    esf_recent_mixed(esf_recent_hash(key, size), measurement), KEYS_BITS);
}

static inline bool is_head(
    const struct esf_influx_known *known, const struct head *head, const char *at)
{
	return head->measurement != 0 && head->tag == known->tag &&
	       esf_sixteen_begins(at, head->text, head->size);
}

/* Size of a head at `at`; 0 where it is too long. */
static inline uint32_t head_size(const char *at)
{
	for (uint32_t i = 0; i < HEAD_SIZE_MAX; i += 16) {
		uint32_t spaces = esf_sixteen_are(at + i, ' ');

		if (spaces != 0)
			return i + (uint32_t)__builtin_ctz(spaces) + 1;
	}
	return 0;
}

/* Elsewhere than where the one before it led to. */
static __attribute__((noinline)) struct head *seek_head(
    struct esf_influx_known *known, const char *at)
{
	uint32_t size = head_size(at);
	uint32_t place = size == 0 ? 0 : head_ways(at, size), end = place + ESF_RECENT_WAYS;

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

static inline struct head *find_head(struct esf_influx_known *known, const char *at)
{
	uint32_t place = known->heads[known->head].next;
	struct head *head = &known->heads[place];

	if (!is_head(known, head, at))
		return seek_head(known, at);
	known->head = place;
	return head;
}

static inline bool is_key(const struct key *key, uint64_t measurement, const char *at)
{
	return key->measurement == measurement &&
	       esf_sixteen_begins(at, key->text + key->at, key->size);
}

static __attribute__((noinline)) struct key *seek_key(
    struct esf_influx_known *known, uint64_t measurement, const char *at)
{
	uint32_t size = 0, place, end;

	while (size < KEY_TEXT_SIZE && at[size] != '=' && at[size] != '\n')
		size++;
	if (size == KEY_TEXT_SIZE || at[size] != '=')
		return NULL;
	place = key_ways(measurement, at, size);
	end = place + ESF_RECENT_WAYS;
	while (place < end && !is_key(&known->keys[place], measurement, at))
		place++;
	if (place == end)
		return NULL;
	known->keys[known->key].next = place;
	known->key = place;
	return &known->keys[place];
}

static inline struct key *find_key(
    struct esf_influx_known *known, uint64_t measurement, const char *at)
{
	uint32_t place = known->keys[known->key].next;
	struct key *key = &known->keys[place];

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
		struct key *key = find_key(known, measurement, at);

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
	struct head *head = find_head(known, at);
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

/* The measurement's number, another one where its place held another text; 0: too long. */
static uint64_t measurement_number(
    struct esf_influx_known *known, const char *text, uint32_t length)
{
	struct measurement *at =
	    &known->measurements[esf_recent_hash(text, length) >> (64 - MEASUREMENTS_BITS)];

	if (length > MEASUREMENT_LENGTH_MAX)
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
	uint32_t ways = head_ways(text, size);

	for (uint32_t i = ways; i < ways + ESF_RECENT_WAYS; i++) {
		const struct head *head = &known->heads[i];

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
	struct head *head;

	if (size > HEAD_SIZE_MAX)
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

static bool has_name(const struct key *key, uint64_t measurement, struct esf_span name)
{
	return key->measurement == measurement && key->name_length == name.length &&
	       memcmp(key->text, name.at, name.length) == 0;
}

static uint32_t place_of_key(struct esf_influx_known *known, uint64_t measurement,
    struct esf_span name, uint32_t prefix_length)
{
	uint32_t ways = key_ways(measurement, name.at + prefix_length, name.length - prefix_length);

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
	struct key *key;

	if (esf_influx_is(*text, ESF_INFLUX_BLANK) || prefix_length + size + 15 > KEY_TEXT_SIZE)
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

/* Under another number no tag's heads are found, nor a measurement's keys. */
void esf_influx_known_forget(struct esf_influx_known *known)
{
	memset(known->tags, 0, sizeof(known->tags));
	memset(known->measurements, 0, sizeof(known->measurements));
	known->tag = ++known->last_tag;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "statsd_known.h"

#include <stdlib.h>
#include <string.h>

#include "decimal.h"
#include "recent.h"

enum {
	NAMES_BITS = 12,
	NAMES_COUNT = 1 << NAMES_BITS,
	NAME_TEXT_SIZE = 104,
	TAILS_BITS = 12,
	TAILS_COUNT = 1 << TAILS_BITS,
	TAIL_TEXT_SIZE = 144,
	TAGS_COUNT = ESF_LISTENERS_MAX,
};

/* A name, and the colon behind it. */
struct name {
	uint64_t memory; /* the caller's */
	uint32_t tag;    /* number of the site tag's name that it was read with */
	uint32_t next;   /* the place of what came behind it last time */
	uint16_t size;   /* 0: none is here */
	char text[NAME_TEXT_SIZE];
};
static_assert(sizeof(struct name) == 128, "two cache lines");

/* From the bar behind a number to the newline behind the line. */
struct tail {
	double rate;
	int64_t time;
	uint64_t site_memory; /* the caller's */
	uint32_t tag;         /* number of the site tag's name that it was read with */
	uint32_t next;
	uint16_t size; /* 0: none is here */
	uint16_t site_at;
	uint16_t site_length; /* 0: has no site */
	uint8_t type;
	bool has_time;
	char text[TAIL_TEXT_SIZE];
};

struct tag {
	uint32_t number;
	uint32_t length;
	char text[ESF_RAW_NAME_MAX + 1];
};

struct esf_statsd_known {
	const char *data; /* the datagram at hand */
	uint32_t size;
	uint32_t tag;  /* number of its site tag's name */
	uint32_t name; /* place of the last one read */
	uint32_t tail; /* likewise */
	uint32_t last_tag;
	uint32_t turn; /* whose place is taken next */
	struct tag tags[TAGS_COUNT];
	struct name names[NAMES_COUNT];
	struct tail tails[TAILS_COUNT];
	char before[ESF_CACHE_LINE]; /* read, and no more */
	char copy[ESF_DATAGRAM_MAX + 1];
	char behind[4 * ESF_CACHE_LINE]; /* likewise */
};
static_assert((int)ESF_CACHE_LINE >= (int)ESF_DECIMAL_BEFORE &&
                  4 * (int)ESF_CACHE_LINE >= (int)TAIL_TEXT_SIZE + (int)ESF_DECIMAL_BEHIND,
    "what is read beyond the copy is there");

struct esf_statsd_known *esf_statsd_known_create(void)
{
	return calloc(1, sizeof(struct esf_statsd_known));
}

void esf_statsd_known_destroy(struct esf_statsd_known *known)
{
	free(known);
}

/* Which tag names the site decides what a tail says. */
static __attribute__((noinline)) uint32_t tag_number(
    struct esf_statsd_known *known, const char *name, uint32_t length)
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

void esf_statsd_known_start(struct esf_statsd_known *known, const char *data, uint32_t size,
    const char *site_tag, uint32_t site_tag_length)
{
	known->data = data;
	known->size = size;
	known->tag = tag_number(known, site_tag, site_tag_length);
	memcpy(known->copy, data, size);
	known->copy[size] = '\n';
}

static inline uint32_t name_ways(const char *text, uint32_t length)
{
	return esf_recent_ways(esf_recent_hash(text, length), NAMES_BITS);
}

static inline uint32_t tail_ways(const char *text, uint32_t length)
{
	return esf_recent_ways(esf_recent_hash(text, length), TAILS_BITS);
}

static inline bool is_name(
    const struct esf_statsd_known *known, const struct name *name, const char *at)
{
	return name->size > 0 && name->tag == known->tag &&
	       esf_sixteen_begins(at, name->text, name->size);
}

static inline bool is_tail(
    const struct esf_statsd_known *known, const struct tail *tail, const char *at)
{
	return tail->size > 0 && tail->tag == known->tag &&
	       esf_sixteen_begins(at, tail->text, tail->size);
}

/* Elsewhere than where the one before it led to. */
static __attribute__((noinline)) struct name *seek_name(
    struct esf_statsd_known *known, const char *at)
{
	const char *colon = memchr(at, ':', NAME_TEXT_SIZE);
	uint32_t place, end;

	if (colon == NULL)
		return NULL;
	place = name_ways(at, (uint32_t)(colon - at));
	end = place + ESF_RECENT_WAYS;
	while (place < end && !is_name(known, &known->names[place], at))
		place++;
	if (place == end)
		return NULL;
	known->names[known->name].next = place;
	known->name = place;
	return &known->names[place];
}

static inline struct name *find_name(struct esf_statsd_known *known, const char *at)
{
	uint32_t place = known->names[known->name].next;
	struct name *name = &known->names[place];

	if (!is_name(known, name, at))
		return seek_name(known, at);
	known->name = place;
	return name;
}

static __attribute__((noinline)) struct tail *seek_tail(
    struct esf_statsd_known *known, const char *at)
{
	const char *newline = memchr(at, '\n', TAIL_TEXT_SIZE);
	uint32_t place, end;

	if (newline == NULL)
		return NULL;
	place = tail_ways(at, (uint32_t)(newline - at));
	end = place + ESF_RECENT_WAYS;
	while (place < end && !is_tail(known, &known->tails[place], at))
		place++;
	if (place == end)
		return NULL;
	known->tails[known->tail].next = place;
	known->tail = place;
	return &known->tails[place];
}

static inline struct tail *find_tail(struct esf_statsd_known *known, const char *at)
{
	uint32_t place = known->tails[known->tail].next;
	struct tail *tail = &known->tails[place];

	if (!is_tail(known, tail, at))
		return seek_tail(known, at);
	known->tail = place;
	return tail;
}

static inline void set_line(struct esf_statsd_line *line, const char *start, struct name *name,
    const char *tail_at, struct tail *tail)
{
	line->raw.at = start;
	line->raw.length = (uint32_t)(tail_at + tail->size - 1 - start);
	line->malformed = false;
	line->name.at = start;
	line->name.length = (uint32_t)name->size - 1;
	line->memory = &name->memory;
	line->has_site = tail->site_length > 0;
	line->site.at = tail_at + tail->site_at;
	line->site.length = tail->site_length;
	line->site_memory = &tail->site_memory;
	line->has_time = tail->has_time;
	line->time = tail->time;
	line->values_count = 1;
}

const char *esf_statsd_known_read(struct esf_statsd_known *known, const char *start,
    struct esf_statsd_value *value, struct esf_statsd_line *line)
{
	const char *at = known->copy + (start - known->data);
	const char *end = known->copy + known->size;
	const char *to_data = start - (at - known->copy);
	struct name *name = find_name(known, at);
	struct tail *tail;

	if (name == NULL || at[name->size] == '-')
		return NULL;
	at = esf_decimal_read(at + name->size, &value->value);
	tail = at == NULL ? NULL : find_tail(known, at);
	if (tail == NULL)
		return NULL;
	set_line(line, start, name, to_data + (at - known->copy), tail);
	value->rate = tail->rate;
	value->type = tail->type;
	value->is_number = true;
	value->delta = false;
	line->values = value;
	at += tail->size - 1;
	return to_data + ((at < end ? at + 1 : at) - known->copy);
}

static bool has_name(
    const struct esf_statsd_known *known, const struct name *name, struct esf_span text)
{
	return name->tag == known->tag && name->size == text.length + 1 &&
	       memcmp(name->text, text.at, text.length) == 0;
}

/* Where the name is, or is to be. */
static uint32_t place_of_name(struct esf_statsd_known *known, struct esf_span text)
{
	uint32_t ways = name_ways(text.at, text.length);

	for (uint32_t i = ways; i < ways + ESF_RECENT_WAYS; i++) {
		if (has_name(known, &known->names[i], text))
			return i;
	}
	return ways + known->turn++ % ESF_RECENT_WAYS;
}

static void learn_name(struct esf_statsd_known *known, struct esf_span text)
{
	uint32_t place = place_of_name(known, text);
	struct name *name = &known->names[place];

	known->names[known->name].next = place;
	known->name = place;
	if (has_name(known, name, text))
		return;
	name->size = (uint16_t)(text.length + 1);
	name->memory = 0;
	name->tag = known->tag;
	memcpy(name->text, text.at, text.length);
	name->text[text.length] = ':';
}

/* Where the tail is, or is to be. */
static uint32_t place_of_tail(struct esf_statsd_known *known, const char *text, uint32_t length)
{
	uint32_t ways = tail_ways(text, length);

	for (uint32_t i = ways; i < ways + ESF_RECENT_WAYS; i++) {
		const struct tail *tail = &known->tails[i];

		if (tail->size == length + 1 && memcmp(tail->text, text, length) == 0)
			return i;
	}
	return ways + known->turn++ % ESF_RECENT_WAYS;
}

static void learn_tail(struct esf_statsd_known *known, const struct esf_statsd_line *line,
    const char *at, uint32_t length)
{
	uint32_t place = place_of_tail(known, at, length);
	struct tail *tail = &known->tails[place];

	known->tails[known->tail].next = place;
	known->tail = place;
	tail->rate = line->values[0].rate;
	tail->type = (uint8_t)line->values[0].type;
	tail->tag = known->tag;
	tail->site_memory = 0;
	tail->site_at = line->has_site ? (uint16_t)(line->site.at - at) : 0;
	tail->site_length = line->has_site ? (uint16_t)line->site.length : 0;
	tail->has_time = line->has_time;
	tail->time = line->time;
	tail->size = (uint16_t)(length + 1);
	memcpy(tail->text, at, length);
	tail->text[length] = '\n';
}

/*
 * A number alone stands between the name's colon and the first bar, so that nothing else of the
 * line hangs on it, nor it on them.
 */
void esf_statsd_known_learn(struct esf_statsd_known *known, const struct esf_statsd_line *line)
{
	const char *end = line->raw.at + line->raw.length, *bar;

	if (line->values_count != 1 || !line->values[0].is_number || line->values[0].delta ||
	    line->name.length + 1 > NAME_TEXT_SIZE - 15)
		return;
	bar = memchr(line->raw.at, '|', line->raw.length);
	if (bar == NULL || memchr(line->name.at + line->name.length + 1, ':',
	                       (size_t)(bar - line->name.at - line->name.length - 1)) != NULL)
		return;
	if (end - bar + 1 > TAIL_TEXT_SIZE - 15)
		return;
	learn_name(known, line->name);
	learn_tail(known, line, bar, (uint32_t)(end - bar));
}

/* Under another number nothing is found. */
void esf_statsd_known_forget(struct esf_statsd_known *known)
{
	memset(known->tags, 0, sizeof(known->tags));
	known->tag = ++known->last_tag;
}

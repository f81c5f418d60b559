/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ESF_INFLUX_KNOWN_PARTS_H
#define ESF_INFLUX_KNOWN_PARTS_H

#include "decimal.h"
#include "influx_known.h"
#include "recent.h"

/* What influx_known.c and influx_learn.c share, and nobody else includes. */

enum {
	ESF_INFLUX_HEADS_BITS = 14,
	ESF_INFLUX_HEADS_COUNT = 1 << ESF_INFLUX_HEADS_BITS,
	ESF_INFLUX_HEAD_SIZE_MAX = 96, /* a multiple of 16 */
	ESF_INFLUX_KEYS_BITS = 12,
	ESF_INFLUX_KEYS_COUNT = 1 << ESF_INFLUX_KEYS_BITS,
	ESF_INFLUX_KEY_TEXT_SIZE = 104,
	ESF_INFLUX_MEASUREMENTS_BITS = 8,
	ESF_INFLUX_MEASUREMENTS_COUNT = 1 << ESF_INFLUX_MEASUREMENTS_BITS,
	ESF_INFLUX_MEASUREMENT_LENGTH_MAX = 64,
	ESF_INFLUX_TAGS_COUNT = ESF_LISTENERS_MAX,
};

/* Up to the space behind the tags, that one included. */
struct esf_influx_head {
	uint64_t measurement; /* its number; 0: none is here */
	uint64_t site_memory; /* the caller's */
	uint32_t tag;         /* number of the site tag's name that it was read with */
	uint32_t next;        /* the place of what came behind it last time */
	uint16_t site_at;
	uint16_t site_length; /* 0: has no site */
	uint16_t size;
	char text[ESF_INFLUX_HEAD_SIZE_MAX];
};
static_assert(sizeof(struct esf_influx_head) == 128, "two cache lines");

/* A field's raw name, and an equals sign behind it. */
struct esf_influx_key {
	uint64_t measurement; /* its number; 0: none is here */
	uint64_t memory;      /* the caller's */
	uint32_t next;
	uint16_t name_length;
	uint8_t at;   /* where the field's own part begins */
	uint8_t size; /* of that, with the equals sign */
	char text[ESF_INFLUX_KEY_TEXT_SIZE];
};
static_assert(sizeof(struct esf_influx_key) == 128, "two cache lines");

/* A number is never given to another text, so that those who hold it need not be told when its
 * place is taken. */
struct esf_influx_measurement {
	uint64_t number;
	uint32_t length;
	char text[ESF_INFLUX_MEASUREMENT_LENGTH_MAX];
};

struct esf_influx_site_tag {
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
	struct esf_influx_site_tag tags[ESF_INFLUX_TAGS_COUNT];
	struct esf_influx_measurement measurements[ESF_INFLUX_MEASUREMENTS_COUNT];
	struct esf_influx_head heads[ESF_INFLUX_HEADS_COUNT];
	struct esf_influx_key keys[ESF_INFLUX_KEYS_COUNT];
	char before[ESF_CACHE_LINE]; /* read, and no more */
	char copy[ESF_DATAGRAM_MAX + 1];
	char behind[2 * ESF_CACHE_LINE]; /* likewise */
};
static_assert(
    (int)ESF_CACHE_LINE >= (int)ESF_DECIMAL_BEFORE &&
        2 * (int)ESF_CACHE_LINE >= (int)ESF_INFLUX_HEAD_SIZE_MAX &&
        2 * (int)ESF_CACHE_LINE >= (int)ESF_INFLUX_KEY_TEXT_SIZE + (int)ESF_DECIMAL_BEHIND,
    "what is read beyond the copy is there");

static inline uint32_t esf_influx_head_ways(const char *text, uint32_t size)
{
	return esf_recent_ways(esf_recent_hash(text, size), ESF_INFLUX_HEADS_BITS);
}

static inline uint32_t esf_influx_key_ways(uint64_t measurement, const char *key, uint32_t size)
{
	return esf_recent_ways(
	    esf_recent_mixed(esf_recent_hash(key, size), measurement), ESF_INFLUX_KEYS_BITS);
}

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ESF_RECENT_H
#define ESF_RECENT_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/*
 * A shard's direct-mapped memory of what texts meant last time, in front of the tables with keyed
 * hashes. The place is not keyed: texts that share one only cost each other the look-up in the
 * table, which is what every text would cost without this. What stands at a place is believed once
 * its text was compared.
 */
enum {
	ESF_RECENT_BITS = 10,
	ESF_RECENT_PLACES = 1 << ESF_RECENT_BITS,
};

static inline uint64_t esf_recent_word(const char *at)
{
	uint64_t word;

	memcpy(&word, at, sizeof(word));
	return word;
}

/* Of less than 8 bytes: another one for each other text of that length. */
static inline uint64_t esf_recent_short(const char *text, uint32_t length)
{
	uint32_t first = 0, last = 0;

	if (length >= sizeof(first)) {
		memcpy(&first, text, sizeof(first));
		memcpy(&last, text + length - sizeof(last), sizeof(last));
	} else if (length > 0) {
		first = (uint32_t)(uint8_t)text[0] << 8 | (uint8_t)text[length / 2];
		last = (uint8_t)text[length - 1];
	}
	return (uint64_t)first << 32 | last;
}

/* Where a text is remembered: by its length, its first and its last 8 bytes. */
static inline uint32_t esf_recent_place(const char *text, uint32_t length)
{
	uint64_t first = length < 8 ? esf_recent_short(text, length) : esf_recent_word(text);
	uint64_t last = length < 8 ? 0 : esf_recent_word(text + length - 8);

	/* 2^64 by the golden ratio, and an odd constant of SplitMix64. */
	first = (first + length) * UINT64_C(0x9e3779b97f4a7c15);
	return (uint32_t)((first ^ last) * UINT64_C(0xbf58476d1ce4e5b9) >> (64 - ESF_RECENT_BITS));
}

static inline uint64_t esf_recent_mixed(uint64_t hash, uint64_t word)
{
	return (hash ^ word) * UINT64_C(0x9e3779b97f4a7c15);
}

/* By all of its bytes, where those in the middle may be all that differs; the highest bits are the
 * best. */
static inline uint64_t esf_recent_hash(const char *text, uint32_t length)
{
	uint64_t hash = length;

	if (length < 8)
		hash = esf_recent_mixed(hash, esf_recent_short(text, length));
	for (uint32_t i = 0; i + 8 < length; i += 8)
		hash = esf_recent_mixed(hash, esf_recent_word(text + i));
	if (length >= 8)
		hash = esf_recent_mixed(hash, esf_recent_word(text + length - 8));
	return hash;
}

/*
 * The first of the ways that a text may be at, in a table of 2^bits places. What is new takes one
 * after the other in turn.
 */
enum { ESF_RECENT_WAYS = 4 };

static inline uint32_t esf_recent_ways(uint64_t hash, uint32_t bits)
{
	return (uint32_t)(hash >> (64 - bits)) & ~(uint32_t)(ESF_RECENT_WAYS - 1);
}

static inline bool esf_recent_equal(const char *a, const char *b, uint32_t length)
{
	if (length < 8)
		return esf_recent_short(a, length) == esf_recent_short(b, length);
	for (uint32_t i = 0; i + 8 < length; i += 8) {
		if (esf_recent_word(a + i) != esf_recent_word(b + i))
			return false;
	}
	return esf_recent_word(a + length - 8) == esf_recent_word(b + length - 8);
}

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#include "lines.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "fingerprint.h"
#include "limits.h"

enum {
	WAYS = 8,
	CAPACITY_MIN = 64,
};

struct entry {
	uint64_t fingerprint; /* 0: free */
	int64_t seen;         /* Unix ns */
};

struct set {
	struct entry ways[WAYS];
};

static_assert(sizeof(struct set) == 2 * ESF_CACHE_LINE, "a look-up costs two cache lines");

struct esf_lines {
	struct set *sets;
	uint64_t sets_mask;
	uint64_t fingerprint_mask;
	uint64_t forgotten;
	struct esf_fingerprint_key key;
};

static uint64_t capacity_rounded(uint32_t capacity)
{
	uint64_t rounded = CAPACITY_MIN;

	while (rounded < capacity)
		rounded *= 2;
	return rounded;
}

struct esf_lines *esf_lines_create(uint32_t capacity, const uint8_t key[16])
{
	return esf_lines_create_narrow(capacity, key, 64);
}

struct esf_lines *esf_lines_create_narrow(uint32_t capacity, const uint8_t key[16], uint32_t bits)
{
	uint64_t sets_count = capacity_rounded(capacity) / WAYS;
	struct esf_lines *lines = calloc(1, sizeof(*lines));

	if (lines == NULL)
		return NULL;
	lines->sets = aligned_alloc(ESF_CACHE_LINE, sets_count * sizeof(*lines->sets));
	if (lines->sets == NULL) {
		free(lines);
		return NULL;
	}
	memset(lines->sets, 0, sets_count * sizeof(*lines->sets));
	lines->sets_mask = sets_count - 1;
	lines->fingerprint_mask = UINT64_MAX >> (64 - bits);
	esf_fingerprint_key_init(&lines->key, key);
	return lines;
}

void esf_lines_destroy(struct esf_lines *lines)
{
	if (lines == NULL)
		return;
	free(lines->sets);
	free(lines);
}

static uint64_t fingerprint_of(
    const struct esf_lines *lines, uint32_t site, const char *line, uint32_t length)
{
	uint64_t fingerprint =
	    esf_fingerprint_of(&lines->key, site, line, length) & lines->fingerprint_mask;

	return fingerprint != 0 ? fingerprint : 1;
}

/* A free way, else the one that was seen first. */
static struct entry *find_victim(struct set *set)
{
	struct entry *oldest = &set->ways[0];

	for (uint32_t i = 0; i < WAYS; i++) {
		struct entry *entry = &set->ways[i];

		if (entry->fingerprint == 0)
			return entry;
		if (entry->seen < oldest->seen)
			oldest = entry;
	}
	return oldest;
}

uint64_t esf_lines_prepare(
    const struct esf_lines *lines, uint32_t site, const char *line, uint32_t length)
{
	uint64_t fingerprint = fingerprint_of(lines, site, line, length);
	const struct set *set = &lines->sets[fingerprint & lines->sets_mask];

	__builtin_prefetch(&set->ways[0], 1);
	__builtin_prefetch(&set->ways[WAYS / 2], 1);
	return fingerprint;
}

bool esf_lines_seen(struct esf_lines *lines, uint32_t site, const char *line, uint32_t length,
    int64_t now, int64_t window_ns)
{
	return esf_lines_has_seen(lines, fingerprint_of(lines, site, line, length), now, window_ns);
}

bool esf_lines_has_seen(
    struct esf_lines *lines, uint64_t fingerprint, int64_t now, int64_t window_ns)
{
	struct set *set = &lines->sets[fingerprint & lines->sets_mask];
	struct entry *victim;

	for (uint32_t i = 0; i < WAYS; i++) {
		if (set->ways[i].fingerprint != fingerprint)
			continue;
		if (now - set->ways[i].seen < window_ns)
			return true;
		set->ways[i].seen = now;
		return false;
	}
	victim = find_victim(set);
	lines->forgotten += victim->fingerprint != 0 && now - victim->seen < window_ns;
	victim->fingerprint = fingerprint;
	victim->seen = now;
	return false;
}

uint64_t esf_lines_forgotten(const struct esf_lines *lines)
{
	return lines->forgotten;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "lines.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include <sys/mman.h>

#include "fingerprint.h"
#include "image.h"
#include "limits.h"

enum {
	WAYS = 8,
	CAPACITY_MIN = 64,
	HUGE_PAGE_SIZE = 1 << 21,
};

struct set {
	uint64_t fingerprints[WAYS]; /* 0: free */
	int64_t seen[WAYS];          /* Unix ns; INT64_MIN while free */
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

static void clear(struct set *set)
{
	for (uint32_t i = 0; i < WAYS; i++) {
		set->fingerprints[i] = 0;
		set->seen[i] = INT64_MIN;
	}
}

struct esf_lines *esf_lines_create_narrow(uint32_t capacity, const uint8_t key[16], uint32_t bits)
{
	uint64_t sets_count = capacity_rounded(capacity) / WAYS;
	size_t size = sets_count * sizeof(struct set);
	size_t align = size < HUGE_PAGE_SIZE ? ESF_CACHE_LINE : HUGE_PAGE_SIZE;
	struct esf_lines *lines = calloc(1, sizeof(*lines));

	if (lines == NULL)
		return NULL;
	lines->sets = aligned_alloc(align, (size + align - 1) / align * align);
	if (lines->sets == NULL) {
		free(lines);
		return NULL;
	}
	/* A look-up is as good as random: fewer pages, fewer walks. Where there are none it stays
	 * as it is. */
	if (align == HUGE_PAGE_SIZE)
		madvise(lines->sets, size, MADV_HUGEPAGE);
	for (uint64_t i = 0; i < sets_count; i++)
		clear(&lines->sets[i]);
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

static inline uint32_t older(const struct set *set, uint32_t a, uint32_t b)
{
	return set->seen[b] < set->seen[a] ? b : a;
}

/* A free way, else the one that was seen first; without a branch, for none would be foreseen. */
static inline uint32_t find_victim(const struct set *set)
{
	static_assert(WAYS == 8, "three rounds");

	return older(set, older(set, older(set, 0, 1), older(set, 2, 3)),
	    older(set, older(set, 4, 5), older(set, 6, 7)));
}

uint64_t esf_lines_prepare(
    const struct esf_lines *lines, uint32_t site, const char *line, uint32_t length)
{
	uint64_t fingerprint = fingerprint_of(lines, site, line, length);
	const struct set *set = &lines->sets[fingerprint & lines->sets_mask];

	__builtin_prefetch(set->fingerprints, 1);
	__builtin_prefetch(set->seen, 1);
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
	uint32_t victim;

	for (uint32_t i = 0; i < WAYS; i++) {
		if (set->fingerprints[i] != fingerprint)
			continue;
		if (now - set->seen[i] < window_ns)
			return true;
		set->seen[i] = now;
		return false;
	}
	victim = find_victim(set);
	lines->forgotten += set->fingerprints[victim] != 0 && now - set->seen[victim] < window_ns;
	set->fingerprints[victim] = fingerprint;
	set->seen[victim] = now;
	return false;
}

uint64_t esf_lines_forgotten(const struct esf_lines *lines)
{
	return lines->forgotten;
}

bool esf_lines_write(const struct esf_lines *lines, uint64_t *at, uint32_t sets, int64_t since,
    struct esf_image_writer *out)
{
	uint64_t end = *at + sets <= lines->sets_mask ? *at + sets : lines->sets_mask + 1;

	for (; *at < end; ++*at) {
		const struct set *set = &lines->sets[*at];

		for (uint32_t i = 0; i < WAYS; i++) {
			if (set->fingerprints[i] == 0 || set->seen[i] < since)
				continue;
			ESF_IMAGE_PUT(out, uint64_t, set->fingerprints[i]);
			ESF_IMAGE_PUT(out, int64_t, set->seen[i]);
		}
	}
	return end <= lines->sets_mask;
}

void esf_lines_restore(struct esf_lines *lines, uint64_t fingerprint, int64_t seen)
{
	struct set *set = &lines->sets[fingerprint & lines->sets_mask];
	uint32_t victim = find_victim(set);

	if (fingerprint == 0 || seen < set->seen[victim])
		return;
	set->fingerprints[victim] = fingerprint;
	set->seen[victim] = seen;
}

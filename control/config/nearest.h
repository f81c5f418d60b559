/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ESF_CONFIG_NEAREST_H
#define ESF_CONFIG_NEAREST_H

#include <stddef.h>

/*
 * "Did you mean": of the names offered, the one with the least Levenshtein distance to a word
 * (two neighbours swapped count as one edit), when that is near enough to be a slip of the hand: at
 * most a third of the word's letters, and at least one.
 */
struct esf_nearest {
	const char *word;
	const char *name; /* NULL: none is near */
	size_t distance;
};

void esf_nearest_start(struct esf_nearest *nearest, const char *word);
void esf_nearest_offer(struct esf_nearest *nearest, const char *name);

/* `, did you mean "NAME"?`, or nothing. Returns buffer. */
const char *esf_nearest_hint(const struct esf_nearest *nearest, char *buffer, size_t size);

#endif

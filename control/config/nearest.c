/* SPDX-License-Identifier: Apache-2.0 */
#include "nearest.h"

#include <stdio.h>
#include <string.h>

enum { WORD_MAX = 64 }; /* bytes; a longer one is never compared */

static size_t least(size_t a, size_t b, size_t c)
{
	size_t ab = a < b ? a : b;

	return ab < c ? ab : c;
}

/* Optimal string alignment: Levenshtein's, with two neighbours swapped as one edit. */
static size_t distance(const char *a, size_t a_size, const char *b, size_t b_size)
{
	size_t rows[3][WORD_MAX + 1], *row = rows[0];

	for (size_t j = 0; j <= b_size; j++)
		rows[0][j] = j;
	for (size_t i = 1; i <= a_size; i++) {
		const size_t *above = rows[(i - 1) % 3], *above2 = rows[(i + 1) % 3];

		row = rows[i % 3];
		row[0] = i;
		for (size_t j = 1; j <= b_size; j++) {
			row[j] = least(
			    above[j] + 1, row[j - 1] + 1, above[j - 1] + (a[i - 1] != b[j - 1]));
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				row[j] = least(row[j], row[j], above2[j - 2] + 1);
		}
	}
	return row[b_size];
}

void esf_nearest_start(struct esf_nearest *nearest, const char *word)
{
	size_t size = strlen(word);

	nearest->word = word;
	nearest->name = NULL;
	nearest->distance = (size + 2) / 3 + 1;
}

void esf_nearest_offer(struct esf_nearest *nearest, const char *name)
{
	size_t word_size = strlen(nearest->word), name_size = strlen(name), apart;

	if (word_size > WORD_MAX || name_size > WORD_MAX)
		return;
	apart = word_size > name_size ? word_size - name_size : name_size - word_size;
	if (apart >= nearest->distance)
		return;
	apart = distance(nearest->word, word_size, name, name_size);
	if (apart < nearest->distance) {
		nearest->distance = apart;
		nearest->name = name;
	}
}

const char *esf_nearest_hint(const struct esf_nearest *nearest, char *buffer, size_t size)
{
	buffer[0] = '\0';
	if (nearest->name != NULL)
		snprintf(buffer, size, ", did you mean \"%s\"?", nearest->name);
	return buffer;
}

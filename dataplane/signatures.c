/* SPDX-License-Identifier: Apache-2.0 */
#include "signatures.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "patterns.h"

static_assert(
    (int)ESF_NO_SIGNATURE == (int)ESF_PATTERN_NONE, "a signature's index is its pattern's");
static_assert((int)ESF_SIGNATURES_MAX <= (int)ESF_PATTERNS_MAX, "every set has room");

struct esf_signatures {
	struct esf_patterns *patterns;
	struct esf_signature signatures[];
};

int esf_signatures_adopt(struct esf_patterns *patterns, const struct esf_signature *signatures,
    struct esf_signatures **out)
{
	uint32_t count = esf_patterns_count(patterns);
	struct esf_signatures *set;

	if (count > ESF_SIGNATURES_MAX)
		return -E2BIG;
	set = malloc(sizeof(*set) + count * sizeof(*signatures));
	if (set == NULL)
		return -ENOMEM;
	set->patterns = patterns;
	if (count > 0)
		memcpy(set->signatures, signatures, count * sizeof(*signatures));
	*out = set;
	return 0;
}

void esf_signatures_destroy(struct esf_signatures *set)
{
	if (set == NULL)
		return;
	esf_patterns_destroy(set->patterns);
	free(set);
}

uint16_t esf_signatures_match(
    const struct esf_signatures *set, uint32_t scratch, const char *text, uint32_t length)
{
	if (length > ESF_SIGNATURE_TEXT_MAX)
		length = ESF_SIGNATURE_TEXT_MAX;
	return esf_patterns_match(set->patterns, scratch, text, length);
}

uint32_t esf_signatures_count(const struct esf_signatures *set)
{
	return esf_patterns_count(set->patterns);
}

const struct esf_signature *esf_signatures_at(const struct esf_signatures *set, uint16_t index)
{
	return &set->signatures[index];
}

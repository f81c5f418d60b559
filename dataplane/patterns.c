/* SPDX-License-Identifier: Apache-2.0 */
#include "patterns.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <hs.h>
#include <sodium.h>

enum {
	PATTERN_FLAGS = HS_FLAG_SINGLEMATCH | HS_FLAG_ALLOWEMPTY,
	PATTERN_MODE = HS_MODE_BLOCK,
};

struct esf_patterns {
	hs_database_t *database; /* NULL: no patterns */
	hs_scratch_t **scratches;
	uint32_t scratches_count;
	uint32_t count;
};

static void refuse(hs_compile_error_t *error, char *message, size_t message_size)
{
	snprintf(message, message_size, "%s", error->message);
	hs_free_compile_error(error);
}

int esf_patterns_check(const char *pattern, char *message, size_t message_size)
{
	hs_database_t *database;
	hs_compile_error_t *error;

	if (hs_compile(pattern, PATTERN_FLAGS, PATTERN_MODE, NULL, &database, &error) ==
	    HS_SUCCESS) {
		hs_free_database(database);
		return 0;
	}
	refuse(error, message, message_size);
	return -EINVAL;
}

static int patterns_compile(struct esf_patterns *set, const char *const *patterns, uint32_t *bad,
    char *message, size_t message_size)
{
	unsigned *flags = calloc(set->count, sizeof(*flags));
	unsigned *ids = calloc(set->count, sizeof(*ids));
	hs_compile_error_t *error;
	int result = -ENOMEM;

	if (flags == NULL || ids == NULL)
		goto out;
	for (uint32_t i = 0; i < set->count; i++) {
		flags[i] = PATTERN_FLAGS;
		ids[i] = i;
	}
	result = 0;
	if (hs_compile_multi(patterns, flags, ids, set->count, PATTERN_MODE, NULL, &set->database,
	        &error) != HS_SUCCESS) {
		*bad = error->expression < 0 ? 0 : (uint32_t)error->expression;
		refuse(error, message, message_size);
		result = -EINVAL;
	}
out:
	free(flags);
	free(ids);
	return result;
}

static int patterns_alloc_scratches(struct esf_patterns *set, uint32_t scratches)
{
	set->scratches = calloc(scratches, sizeof(*set->scratches));
	if (set->scratches == NULL)
		return -ENOMEM;
	for (; set->scratches_count < scratches; set->scratches_count++) {
		hs_error_t error =
		    hs_alloc_scratch(set->database, &set->scratches[set->scratches_count]);

		if (error != HS_SUCCESS)
			return error == HS_NOMEM ? -ENOMEM : -EINVAL;
	}
	return 0;
}

int esf_patterns_create(const char *const *patterns, uint32_t count, uint32_t scratches,
    struct esf_patterns **out, uint32_t *bad, char *message, size_t message_size)
{
	struct esf_patterns *set;
	int result = 0;

	if (count > ESF_PATTERNS_MAX)
		return -E2BIG;
	set = calloc(1, sizeof(*set));
	if (set == NULL)
		return -ENOMEM;
	set->count = count;
	if (count > 0)
		result = patterns_compile(set, patterns, bad, message, message_size);
	if (result == 0 && count > 0)
		result = patterns_alloc_scratches(set, scratches);
	if (result != 0) {
		esf_patterns_destroy(set);
		return result;
	}
	*out = set;
	return 0;
}

void esf_patterns_destroy(struct esf_patterns *patterns)
{
	if (patterns == NULL)
		return;
	for (uint32_t i = 0; i < patterns->scratches_count; i++)
		hs_free_scratch(patterns->scratches[i]);
	free(patterns->scratches);
	hs_free_database(patterns->database);
	free(patterns);
}

uint32_t esf_patterns_count(const struct esf_patterns *patterns)
{
	return patterns->count;
}

static int keep_first(
    unsigned id, unsigned long long from, unsigned long long to, unsigned flags, void *context)
{
	uint16_t *first = context;

	(void)from;
	(void)to;
	(void)flags;
	if (id < *first)
		*first = (uint16_t)id;
	return *first == 0; /* nothing is listed before the first: stop */
}

uint16_t esf_patterns_match(
    const struct esf_patterns *patterns, uint32_t scratch, const char *text, uint32_t length)
{
	uint16_t first = ESF_PATTERN_NONE;
	hs_error_t error;

	if (patterns->database == NULL)
		return ESF_PATTERN_NONE;
	error = hs_scan(
	    patterns->database, text, length, 0, patterns->scratches[scratch], keep_first, &first);
	return error == HS_SUCCESS || error == HS_SCAN_TERMINATED ? first : ESF_PATTERN_NONE;
}

int esf_patterns_serialise(const struct esf_patterns *patterns, char **bytes, size_t *size)
{
	hs_error_t error;

	if (patterns->database == NULL)
		return -EINVAL;
	error = hs_serialize_database(patterns->database, bytes, size);
	return error == HS_SUCCESS ? 0 : error == HS_NOMEM ? -ENOMEM : -EINVAL;
}

int esf_patterns_deserialise(
    const char *bytes, size_t size, uint32_t count, uint32_t scratches, struct esf_patterns **out)
{
	struct esf_patterns *set;
	hs_error_t error;
	int result;

	if (count == 0 || count > ESF_PATTERNS_MAX)
		return -EINVAL;
	set = calloc(1, sizeof(*set));
	if (set == NULL)
		return -ENOMEM;
	set->count = count;
	error = hs_deserialize_database(bytes, size, &set->database);
	result = error == HS_SUCCESS ? patterns_alloc_scratches(set, scratches)
	         : error == HS_NOMEM ? -ENOMEM
	                             : -EINVAL;
	if (result != 0) {
		esf_patterns_destroy(set);
		return result;
	}
	*out = set;
	return 0;
}

static void digest_text(crypto_generichash_state *state, const char *text)
{
	crypto_generichash_update(state, (const uint8_t *)text, strlen(text) + 1);
}

void esf_patterns_digest(
    const char *const *patterns, uint32_t count, uint8_t digest[ESF_PATTERNS_DIGEST])
{
	const uint32_t numbers[] = { PATTERN_FLAGS, PATTERN_MODE, count };
	crypto_generichash_state state;
	hs_platform_info_t platform;

	memset(&platform, 0, sizeof(platform));
	hs_populate_platform(&platform);
	crypto_generichash_init(&state, NULL, 0, ESF_PATTERNS_DIGEST);
	digest_text(&state, hs_version());
	crypto_generichash_update(&state, (const uint8_t *)&platform, sizeof(platform));
	crypto_generichash_update(&state, (const uint8_t *)numbers, sizeof(numbers));
	for (uint32_t i = 0; i < count; i++)
		digest_text(&state, patterns[i]);
	crypto_generichash_final(&state, digest, ESF_PATTERNS_DIGEST);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "names.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <hs.h>

/* The rule set behind names.h: a Hyperscan database in block mode whose pattern ids are the rules'
 * indexes. */

enum { RULE_FLAGS = HS_FLAG_SINGLEMATCH | HS_FLAG_ALLOWEMPTY };

struct esf_ruleset {
	hs_database_t *database; /* NULL: no rules */
	hs_scratch_t **scratches;
	uint32_t scratches_count;
	uint32_t count;
	struct esf_rule *rules;
};

int esf_ruleset_check_pattern(const char *pattern, char *message, size_t message_size)
{
	hs_database_t *database;
	hs_compile_error_t *error;

	if (hs_compile(pattern, RULE_FLAGS, HS_MODE_BLOCK, NULL, &database, &error) == HS_SUCCESS) {
		hs_free_database(database);
		return 0;
	}
	snprintf(message, message_size, "%s", error->message);
	hs_free_compile_error(error);
	return -EINVAL;
}

static int ruleset_compile(struct esf_ruleset *set, const char *const *patterns, uint32_t *bad,
    char *message, size_t message_size)
{
	unsigned *flags = calloc(set->count, sizeof(*flags));
	unsigned *ids = calloc(set->count, sizeof(*ids));
	hs_compile_error_t *error;
	int result = -ENOMEM;

	if (flags == NULL || ids == NULL)
		goto out;
	for (uint32_t i = 0; i < set->count; i++) {
		flags[i] = RULE_FLAGS;
		ids[i] = i;
	}
	result = 0;
	if (hs_compile_multi(patterns, flags, ids, set->count, HS_MODE_BLOCK, NULL, &set->database,
	        &error) != HS_SUCCESS) {
		*bad = error->expression < 0 ? 0 : (uint32_t)error->expression;
		snprintf(message, message_size, "%s", error->message);
		hs_free_compile_error(error);
		result = -EINVAL;
	}
out:
	free(flags);
	free(ids);
	return result;
}

static int ruleset_alloc_scratches(struct esf_ruleset *set, uint32_t scratches)
{
	set->scratches = calloc(scratches, sizeof(*set->scratches));
	if (set->scratches == NULL)
		return -ENOMEM;
	for (; set->scratches_count < scratches; set->scratches_count++)
		if (hs_alloc_scratch(set->database, &set->scratches[set->scratches_count]) !=
		    HS_SUCCESS)
			return -ENOMEM;
	return 0;
}

int esf_ruleset_create(const char *const *patterns, const struct esf_rule *rules, uint32_t count,
    uint32_t scratches, struct esf_ruleset **out, uint32_t *bad, char *message, size_t message_size)
{
	struct esf_ruleset *set = calloc(1, sizeof(*set));
	int result = 0;

	if (set == NULL)
		return -ENOMEM;
	set->count = count;
	set->rules = calloc(count + 1, sizeof(*set->rules));
	if (set->rules == NULL)
		result = -ENOMEM;
	if (result == 0 && count > 0) {
		memcpy(set->rules, rules, count * sizeof(*rules));
		result = ruleset_compile(set, patterns, bad, message, message_size);
	}
	if (result == 0 && count > 0)
		result = ruleset_alloc_scratches(set, scratches);
	if (result != 0) {
		esf_ruleset_destroy(set);
		return result;
	}
	*out = set;
	return 0;
}

void esf_ruleset_destroy(struct esf_ruleset *set)
{
	if (set == NULL)
		return;
	for (uint32_t i = 0; i < set->scratches_count; i++)
		hs_free_scratch(set->scratches[i]);
	free(set->scratches);
	hs_free_database(set->database);
	free(set->rules);
	free(set);
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

uint16_t esf_ruleset_match(
    const struct esf_ruleset *set, uint32_t scratch, const char *name, uint32_t length)
{
	uint16_t first = ESF_RULE_NONE;
	hs_error_t error;

	if (set->database == NULL)
		return ESF_RULE_NONE;
	error =
	    hs_scan(set->database, name, length, 0, set->scratches[scratch], keep_first, &first);
	return error == HS_SUCCESS || error == HS_SCAN_TERMINATED ? first : ESF_RULE_NONE;
}

const struct esf_rule *esf_ruleset_rule(const struct esf_ruleset *set, uint16_t index)
{
	return &set->rules[index];
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "names.h"

#include <assert.h>
#include <errno.h>
#include <float.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

#include "patterns.h"

/* The rule set behind names.h: patterns whose indexes are the rules'. */

static_assert((int)ESF_RULE_NONE == (int)ESF_PATTERN_NONE, "a rule's index is its pattern's");
static_assert((int)ESF_RULES_MAX <= (int)ESF_PATTERNS_MAX, "every rule set has room");

struct esf_ruleset {
	struct esf_patterns *patterns;
	struct esf_rule *rules;
	uint16_t count;
	struct esf_gauge_rule gauges[]; /* and nobody's */
};

int esf_ruleset_check_pattern(const char *pattern, char *message, size_t message_size)
{
	return esf_patterns_check(pattern, message, message_size);
}

static struct esf_gauge_rule gauge_rule(const struct esf_rule *rule)
{
	bool is_gauge = rule->type != ESF_RULE_COUNTER;

	return (struct esf_gauge_rule){
		.scale = rule->scale,
		.offset = rule->offset,
		.low = is_gauge ? fmax(rule->min, -DBL_MAX) : NAN,
		.high = is_gauge ? fmin(rule->max, DBL_MAX) : NAN,
		.kpi = rule->kpi,
	};
}

int esf_ruleset_adopt(
    struct esf_patterns *patterns, const struct esf_rule *rules, struct esf_ruleset **out)
{
	uint32_t count = esf_patterns_count(patterns);
	struct esf_ruleset *set =
	    malloc(sizeof(*set) + (count + 1) * sizeof(*set->gauges) + count * sizeof(*rules));

	if (set == NULL)
		return -ENOMEM;
	set->patterns = patterns;
	set->rules = (struct esf_rule *)(set->gauges + count + 1);
	set->count = (uint16_t)count;
	set->gauges[count] = (struct esf_gauge_rule){ .low = NAN, .high = NAN };
	for (uint32_t i = 0; i < count; i++) {
		set->rules[i] = rules[i];
		set->gauges[i] = gauge_rule(&rules[i]);
	}
	*out = set;
	return 0;
}

void esf_ruleset_destroy(struct esf_ruleset *set)
{
	if (set == NULL)
		return;
	esf_patterns_destroy(set->patterns);
	free(set);
}

uint16_t esf_ruleset_match(
    const struct esf_ruleset *set, uint32_t scratch, const char *name, uint32_t length)
{
	return esf_patterns_match(set->patterns, scratch, name, length);
}

inline const struct esf_rule *esf_ruleset_rule(const struct esf_ruleset *set, uint16_t index)
{
	return &set->rules[index];
}

inline const struct esf_gauge_rule *esf_ruleset_gauges(const struct esf_ruleset *set)
{
	return set->gauges;
}

inline uint16_t esf_ruleset_nobody(const struct esf_ruleset *set)
{
	return set->count;
}

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ESF_NAMES_H
#define ESF_NAMES_H

#include <stddef.h>
#include <stdint.h>

#include "limits.h"

/*
 * From a signal's raw name to the rule that takes it. A rule set is compiled once with Hyperscan
 * (off the packet path, by control) and immutable; the first listed rule whose pattern matches
 * wins. Scanning costs 70-900 ns, so each shard interns the names it meets and remembers their
 * rule: esf_names.
 */

enum esf_rule_type {
	ESF_RULE_GAUGE = 0,
	ESF_RULE_COUNTER = 1,
	ESF_RULE_AS_BORN =
	    2, /* the rule does not say: what the birth says, gauge where there is none */
};

/*
 * Rule sets are told apart by their generation, 1.. and another with each set: 2^23 - 1 of them are
 * 15 years of a change a minute.
 */
enum { ESF_RULES_GENERATION_BITS = 23 };

enum { ESF_RULE_NONE = 0xffff }; /* index of no rule: the name is unmapped */

struct esf_rule {
	double scale; /* value in the KPI's unit = raw * scale + offset */
	double offset;
	double min; /* in the KPI's unit; -inf and inf where open */
	double max;
	uint16_t kpi; /* index into the configuration's measured KPIs */
	uint8_t type; /* enum esf_rule_type */
};

struct esf_patterns;
struct esf_ruleset;

/*
 * A rule set of compiled patterns (patterns.h), rules[i] for each; the rules are copied, the
 * patterns belong to the set from now on. 0, or -ENOMEM with the patterns still the caller's.
 */
int esf_ruleset_adopt(
    struct esf_patterns *patterns, const struct esf_rule *rules, struct esf_ruleset **out);
void esf_ruleset_destroy(struct esf_ruleset *set);

/* 0 when the pattern compiles, else -EINVAL with Hyperscan's message. Any thread. */
int esf_ruleset_check_pattern(const char *pattern, char *message, size_t message_size);

/* Index of the first listed rule that takes the name, or ESF_RULE_NONE. Only the thread that owns
 * scratch. */
uint16_t esf_ruleset_match(
    const struct esf_ruleset *set, uint32_t scratch, const char *name, uint32_t length);

const struct esf_rule *esf_ruleset_rule(const struct esf_ruleset *set, uint16_t index);

/*
 * What a rule makes of a gauge's sample, in the shape that the packet path wants it in: a value v
 * is good and finite exactly where low <= v && v <= high. No value is where the rule makes counters
 * of gauges. By the rule's index.
 */
struct esf_gauge_rule {
	double scale;
	double offset;
	double low;
	double high;
	uint64_t kpi;
};
const struct esf_gauge_rule *esf_ruleset_gauges(const struct esf_ruleset *set);
/* The index of one that takes no value. */
uint16_t esf_ruleset_nobody(const struct esf_ruleset *set);

/*
 * A shard's memory of names: raw name -> id -> rule. Bounded to ESF_INTERNED_NAMES_MAX names; past
 * that, names that are not in it are matched each time (slower, not wrong). Owner: the shard's
 * lcore. The hash is keyed (SipHash-2-4), so that senders can't choose names that collide. Nothing
 * is allocated after creation.
 */
struct esf_names;

/* NULL when out of memory. scratch: this shard's index into the rule sets. */
struct esf_names *esf_names_create(uint32_t scratch, const uint8_t key[16]);
void esf_names_destroy(struct esf_names *names);

/*
 * Uses set from now on; generation is another with each other set (policy.h). A name interned
 * before is matched again when it is next asked for, so that taking up a set costs nothing at once.
 * Owner thread.
 */
void esf_names_use(struct esf_names *names, const struct esf_ruleset *set, uint32_t generation);

/*
 * Rule index (or ESF_RULE_NONE) of a raw name of at most ESF_RAW_NAME_MAX bytes, and its id (1..),
 * stable for the life of names, for esf_names_rule; id 0 where the memory is full. Owner thread.
 */
uint16_t esf_names_intern(struct esf_names *names, const char *name, uint32_t length, uint32_t *id);
uint16_t esf_names_rule(struct esf_names *names, uint32_t id);

/*
 * Any thread. Ids 1..count are in use, and their texts (not terminated) never change: a text is
 * written before its id is counted, and before the owner can tell anybody the id. So a reader has
 * the text of every id below a count it has read, or that it found in what the owner has published
 * by RCU since.
 */
uint32_t esf_names_count(const struct esf_names *names);
const char *esf_names_text(const struct esf_names *names, uint32_t id, uint32_t *length);

#endif

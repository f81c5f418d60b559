/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/names.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <CUnit/CUnit.h>

#include "pattern_sets.h"
#include "suites.h"

static const uint8_t key[16] = { 9, 8, 7 };

/* A rule set of up to four patterns; rule i leads to KPI i. */
static struct esf_ruleset *ruleset(const char *const *patterns, uint32_t count)
{
	struct esf_rule rules[4] = { { .kpi = 0 }, { .kpi = 1 }, { .kpi = 2 }, { .kpi = 3 } };
	struct esf_ruleset *set = NULL;
	char message[128];
	uint32_t bad;

	CU_ASSERT_EQUAL_FATAL(
	    ruleset_create(patterns, rules, count, 2, &set, &bad, message, sizeof(message)), 0);
	return set;
}

static uint16_t match(const struct esf_ruleset *set, const char *name)
{
	return esf_ruleset_match(set, 1, name, (uint32_t)strlen(name));
}

static void first_listed_rule_wins(void)
{
	static const char *const patterns[] = { "^teg[0-9]+\\.hot$", "hot", "(?i)^TEG", ".*" };
	static const struct {
		const char *name;
		uint16_t rule;
	} cases[] = {
		{ "teg1.hot", 0 },
		{ "teg12.hot", 0 },
		{ "teg1.hot_side", 1 },
		{ "a.hot", 1 },
		{ "teg1.cold", 2 },
		{ "Teg1.HOT", 2 },
		{ "TEG.hot", 1 },
		{ "other", 3 },
		{ "", 3 },
	};
	struct esf_ruleset *set = ruleset(patterns, 4);

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		CU_ASSERT_EQUAL(match(set, cases[i].name), cases[i].rule);
		CU_ASSERT_EQUAL(
		    esf_ruleset_rule(set, match(set, cases[i].name))->kpi, cases[i].rule);
	}
	esf_ruleset_destroy(set);
}

static void case_counts_unless_the_pattern_says_otherwise(void)
{
	static const char *const patterns[] = { "^power$", "(?i)^voltage$" };
	struct esf_ruleset *set = ruleset(patterns, 2);

	CU_ASSERT_EQUAL(match(set, "power"), 0);
	CU_ASSERT_EQUAL(match(set, "Power"), ESF_RULE_NONE);
	CU_ASSERT_EQUAL(match(set, "VOLTAGE"), 1);
	CU_ASSERT_EQUAL(match(set, "power2"), ESF_RULE_NONE);
	esf_ruleset_destroy(set);
}

static void without_rules_every_name_is_unmapped(void)
{
	struct esf_ruleset *set = ruleset(NULL, 0);

	CU_ASSERT_EQUAL(match(set, "power"), ESF_RULE_NONE);
	esf_ruleset_destroy(set);
}

static void bad_pattern_is_named_with_the_compilers_message(void)
{
	static const char *const patterns[] = { "^a$", "b(", "c" };
	static const struct esf_rule rules[3];
	struct esf_ruleset *set = NULL;
	char message[128] = "", other[128] = "", cut[8] = "";
	uint32_t bad = 99;

	CU_ASSERT_EQUAL(
	    ruleset_create(patterns, rules, 3, 1, &set, &bad, message, sizeof(message)), -EINVAL);
	CU_ASSERT_PTR_NULL(set);
	CU_ASSERT_EQUAL(bad, 1);
	CU_ASSERT_PTR_NOT_NULL(strstr(message, "parenthes"));
	CU_ASSERT_EQUAL(esf_ruleset_check_pattern("b(", other, sizeof(other)), -EINVAL);
	CU_ASSERT_PTR_NOT_NULL(strstr(other, "parenthes"));
	CU_ASSERT_EQUAL(esf_ruleset_check_pattern("b(", cut, sizeof(cut)), -EINVAL);
	CU_ASSERT_EQUAL(strlen(cut), sizeof(cut) - 1);
	CU_ASSERT_EQUAL(esf_ruleset_check_pattern("b()", other, sizeof(other)), 0);
}

static void ids_are_stable_and_count_from_one(void)
{
	static const char *const patterns[] = { "^n[0-9]$" };
	struct esf_ruleset *set = ruleset(patterns, 1);
	struct esf_names *names = esf_names_create(0, key);
	uint32_t first, second, again, length;
	const char *text;

	esf_names_use(names, set, 1);
	CU_ASSERT_EQUAL(esf_names_intern(names, "n1", 2, &first), 0);
	CU_ASSERT_EQUAL(esf_names_intern(names, "x1", 2, &second), ESF_RULE_NONE);
	CU_ASSERT_EQUAL(first, 1);
	CU_ASSERT_EQUAL(second, 2);
	CU_ASSERT_EQUAL(esf_names_intern(names, "n1", 2, &again), 0);
	CU_ASSERT_EQUAL(again, first);
	/* names that are each other's beginnings are names of their own */
	CU_ASSERT_EQUAL(esf_names_intern(names, "n", 1, &again), ESF_RULE_NONE);
	CU_ASSERT_EQUAL(esf_names_intern(names, "n12", 3, &again), ESF_RULE_NONE);
	CU_ASSERT_EQUAL(esf_names_rule(names, first), 0);
	CU_ASSERT_EQUAL(esf_names_rule(names, second), ESF_RULE_NONE);
	CU_ASSERT_EQUAL(esf_names_count(names), 4);
	text = esf_names_text(names, second, &length);
	CU_ASSERT_EQUAL(length, 2);
	CU_ASSERT_NSTRING_EQUAL(text, "x1", 2);
	esf_names_destroy(names);
	esf_ruleset_destroy(set);
}

static void longest_name_is_kept_whole(void)
{
	static const char *const patterns[] = { "z$" };
	struct esf_ruleset *set = ruleset(patterns, 1);
	struct esf_names *names = esf_names_create(0, key);
	char name[ESF_RAW_NAME_MAX];
	uint32_t a, z;

	memset(name, 'a', sizeof(name));
	esf_names_use(names, set, 1);
	CU_ASSERT_EQUAL(esf_names_intern(names, name, sizeof(name), &a), ESF_RULE_NONE);
	name[ESF_RAW_NAME_MAX - 1] = 'z';
	CU_ASSERT_EQUAL(esf_names_intern(names, name, sizeof(name), &z), 0);
	CU_ASSERT_NOT_EQUAL(a, z);
	esf_names_destroy(names);
	esf_ruleset_destroy(set);
}

/* Their length, first and last 8 bytes are equal: they stand in for each other all the time. */
static void names_alike_at_both_ends_are_told_apart(void)
{
	static const char *const patterns[] = { "1", "2" };
	static const char one[] = "cabinet.1.voltage", two[] = "cabinet.2.voltage";
	struct esf_ruleset *set = ruleset(patterns, 2);
	struct esf_names *names = esf_names_create(0, key);
	uint32_t first, second, again;

	esf_names_use(names, set, 1);
	CU_ASSERT_EQUAL(esf_names_intern(names, one, sizeof(one) - 1, &first), 0);
	CU_ASSERT_EQUAL(esf_names_intern(names, two, sizeof(two) - 1, &second), 1);
	for (uint32_t i = 0; i < 2; i++) {
		CU_ASSERT_EQUAL(esf_names_intern(names, one, sizeof(one) - 1, &again), 0);
		CU_ASSERT_EQUAL(again, first);
		CU_ASSERT_EQUAL(esf_names_intern(names, two, sizeof(two) - 1, &again), 1);
		CU_ASSERT_EQUAL(again, second);
	}
	CU_ASSERT_EQUAL(esf_names_count(names), 2);
	esf_names_destroy(names);
	esf_ruleset_destroy(set);
}

static void new_rules_are_applied_to_names_known_before(void)
{
	static const char *const before[] = { "^a$", "^b$" };
	static const char *const after[] = { "^b$", "^c$" };
	struct esf_ruleset *old = ruleset(before, 2);
	struct esf_ruleset *new = ruleset(after, 2);
	struct esf_names *names = esf_names_create(0, key);
	uint32_t a, b, c, again;

	esf_names_use(names, old, 1);
	esf_names_intern(names, "a", 1, &a);
	esf_names_intern(names, "b", 1, &b);
	esf_names_intern(names, "c", 1, &c);
	esf_names_use(names, new, 2);
	esf_ruleset_destroy(old);
	CU_ASSERT_EQUAL(esf_names_rule(names, a), ESF_RULE_NONE);
	CU_ASSERT_EQUAL(esf_names_rule(names, b), 0);
	CU_ASSERT_EQUAL(esf_names_rule(names, c), 1);
	CU_ASSERT_EQUAL(esf_names_intern(names, "b", 1, &again), 0);
	CU_ASSERT_EQUAL(again, b);
	esf_names_destroy(names);
	esf_ruleset_destroy(new);
}

/* The highest generation that an alias can hold, behind one that a name missed altogether. */
static void a_name_that_missed_generations_meets_the_latest(void)
{
	static const char *const before[] = { "^b$", "^a$" };
	static const char *const after[] = { "^a$" };
	struct esf_ruleset *old = ruleset(before, 2), *gone = ruleset(NULL, 0);
	struct esf_ruleset *new = ruleset(after, 1);
	struct esf_names *names = esf_names_create(0, key);
	uint32_t a, again;

	esf_names_use(names, old, 1);
	CU_ASSERT_EQUAL(esf_names_intern(names, "a", 1, &a), 1);
	esf_names_use(names, gone, 2);
	esf_names_use(names, new, (UINT32_C(1) << ESF_RULES_GENERATION_BITS) - 1);
	esf_ruleset_destroy(old);
	esf_ruleset_destroy(gone);
	CU_ASSERT_EQUAL(esf_names_intern(names, "a", 1, &again), 0);
	CU_ASSERT_EQUAL(esf_names_rule(names, a), 0);
	esf_names_destroy(names);
	esf_ruleset_destroy(new);
}

static void full_memory_matches_without_remembering(void)
{
	static const char *const patterns[] = { "^[0-9]*0$" };
	struct esf_ruleset *set = ruleset(patterns, 1);
	struct esf_names *names = esf_names_create(0, key);
	uint32_t wrong = 0, id;
	char name[8];

	esf_names_use(names, set, 1);
	for (uint32_t i = 0; i < ESF_INTERNED_NAMES_MAX; i++) {
		uint32_t length = (uint32_t)snprintf(name, sizeof(name), "%u", i);

		wrong +=
		    esf_names_intern(names, name, length, &id) != (i % 10 == 0 ? 0 : ESF_RULE_NONE);
		wrong += id != i + 1;
	}
	CU_ASSERT_EQUAL(wrong, 0);
	for (int twice = 0; twice < 2; twice++) {
		CU_ASSERT_EQUAL(esf_names_intern(names, "900000", 6, &id), 0);
		CU_ASSERT_EQUAL(id, 0);
		CU_ASSERT_EQUAL(esf_names_intern(names, "900001", 6, &id), ESF_RULE_NONE);
		CU_ASSERT_EQUAL(id, 0);
	}
	CU_ASSERT_EQUAL(esf_names_intern(names, "65535", 5, &id), ESF_RULE_NONE);
	CU_ASSERT_EQUAL(id, ESF_INTERNED_NAMES_MAX);
	esf_names_destroy(names);
	esf_ruleset_destroy(set);
}

void esf_suite_names(void)
{
	CU_pSuite suite = CU_add_suite("names", NULL, NULL);

	CU_add_test(suite, "first_listed_rule_wins", first_listed_rule_wins);
	CU_add_test(suite, "case_counts_unless_the_pattern_says_otherwise",
	    case_counts_unless_the_pattern_says_otherwise);
	CU_add_test(
	    suite, "without_rules_every_name_is_unmapped", without_rules_every_name_is_unmapped);
	CU_add_test(suite, "bad_pattern_is_named_with_the_compilers_message",
	    bad_pattern_is_named_with_the_compilers_message);
	CU_add_test(suite, "ids_are_stable_and_count_from_one", ids_are_stable_and_count_from_one);
	CU_add_test(suite, "longest_name_is_kept_whole", longest_name_is_kept_whole);
	CU_ADD_TEST(suite, names_alike_at_both_ends_are_told_apart);
	CU_add_test(suite, "new_rules_are_applied_to_names_known_before",
	    new_rules_are_applied_to_names_known_before);
	CU_ADD_TEST(suite, a_name_that_missed_generations_meets_the_latest);
	CU_add_test(suite, "full_memory_matches_without_remembering",
	    full_memory_matches_without_remembering);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/signatures.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <CUnit/CUnit.h>

#include "dataplane/patterns.h"
#include "pattern_sets.h"
#include "suites.h"

enum { MANY = 3000 };

static const struct esf_signature signatures[] = {
	{ .code = "ground_fault", .severity = 2, .state = 1 },
	{ .code = "ground_fault_over", .severity = ESF_SIGNATURE_AS_SENT, .state = 2 },
	{ .code = "fault", .severity = 4, .state = ESF_SIGNATURE_AS_SENT },
};

static const char *const patterns[] = { "(?i)inverter .* ground fault$", "fault over",
	"(?i)fault" };

static struct esf_signatures *create(void)
{
	struct esf_signatures *set = NULL;
	char message[128];
	uint32_t bad;

	CU_ASSERT_EQUAL_FATAL(
	    signatures_create(patterns, signatures, 3, 2, &set, &bad, message, sizeof(message)), 0);
	return set;
}

static uint16_t match(const struct esf_signatures *set, const char *text)
{
	return esf_signatures_match(set, 1, text, (uint32_t)strlen(text));
}

static void first_listed_signature_wins(void)
{
	static const struct {
		const char *text;
		uint16_t signature;
	} cases[] = {
		{ "INVERTER 7: Ground Fault", 0 },
		{ "inverter 7 ground fault over", 1 },
		{ "inverter 7 Ground Fault Over", 2 },
		{ "a FAULT somewhere", 2 },
		{ "all is well", ESF_NO_SIGNATURE },
		{ "", ESF_NO_SIGNATURE },
	};
	struct esf_signatures *set = create();

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		CU_ASSERT_EQUAL(match(set, cases[i].text), cases[i].signature);
	CU_ASSERT_EQUAL(esf_signatures_count(set), 3);
	CU_ASSERT_STRING_EQUAL(esf_signatures_at(set, 1)->code, "ground_fault_over");
	CU_ASSERT_EQUAL(esf_signatures_at(set, 1)->severity, ESF_SIGNATURE_AS_SENT);
	CU_ASSERT_EQUAL(esf_signatures_at(set, 1)->state, 2);
	esf_signatures_destroy(set);
}

static void bytes_of_any_value_are_matched_around(void)
{
	static const char text[] = "\0\xff\xfe"
	                           "fault\0";
	struct esf_signatures *set = create();

	CU_ASSERT_EQUAL(esf_signatures_match(set, 0, text, sizeof(text) - 1), 2);
	esf_signatures_destroy(set);
}

static void text_past_the_bound_is_not_looked_at(void)
{
	struct esf_signatures *set = create();
	char text[ESF_SIGNATURE_TEXT_MAX + 1];

	memset(text, '.', sizeof(text));
	memcpy(text + ESF_SIGNATURE_TEXT_MAX - 5, "fault", 5);
	CU_ASSERT_EQUAL(esf_signatures_match(set, 0, text, sizeof(text)), 2);
	memset(text, '.', sizeof(text));
	memcpy(text + ESF_SIGNATURE_TEXT_MAX - 4, "fault", 5);
	CU_ASSERT_EQUAL(esf_signatures_match(set, 0, text, sizeof(text)), ESF_NO_SIGNATURE);
	esf_signatures_destroy(set);
}

static void without_signatures_nothing_matches(void)
{
	struct esf_signatures *set = NULL;
	char message[16];
	uint32_t bad;

	CU_ASSERT_EQUAL(
	    signatures_create(NULL, NULL, 0, 1, &set, &bad, message, sizeof(message)), 0);
	CU_ASSERT_EQUAL(match(set, "fault"), ESF_NO_SIGNATURE);
	esf_signatures_destroy(set);
}

static void bad_pattern_is_named_with_the_compilers_message(void)
{
	static const char *const bad_patterns[] = { "a", "b", "c[" };
	struct esf_signatures *set = NULL;
	char message[128] = "";
	uint32_t bad = 99;

	CU_ASSERT_EQUAL(
	    signatures_create(bad_patterns, signatures, 3, 1, &set, &bad, message, sizeof(message)),
	    -EINVAL);
	CU_ASSERT_PTR_NULL(set);
	CU_ASSERT_EQUAL(bad, 2);
	CU_ASSERT_PTR_NOT_NULL(strstr(message, "Unterminated"));
}

/* Thousands of patterns, as bytes and back, match as before. */
static void many_signatures_survive_serialisation(void)
{
	static char texts[MANY][32];
	static const char *list[MANY];
	struct esf_signature *many = calloc(MANY, sizeof(*many));
	struct esf_patterns *compiled = NULL, *again = NULL;
	struct esf_signatures *set = NULL;
	char message[128], *bytes = NULL;
	size_t size;
	uint32_t bad;

	for (uint32_t i = 0; i < MANY; i++) {
		snprintf(texts[i], sizeof(texts[i]), "(?i)alarm code e%04u\\b", i);
		list[i] = texts[i];
		snprintf(many[i].code, sizeof(many[i].code), "e%04u", i);
	}
	CU_ASSERT_EQUAL_FATAL(
	    esf_patterns_create(list, MANY, 1, &compiled, &bad, message, sizeof(message)), 0);
	CU_ASSERT_EQUAL_FATAL(esf_patterns_serialise(compiled, &bytes, &size), 0);
	CU_ASSERT_EQUAL_FATAL(esf_patterns_deserialise(bytes, size, MANY, 2, &again), 0);
	CU_ASSERT_EQUAL_FATAL(esf_signatures_adopt(again, many, &set), 0);
	for (uint32_t i = 0; i < MANY; i += 7) {
		char text[64];
		int length = snprintf(text, sizeof(text), "site x: Alarm Code E%04u!", i);

		CU_ASSERT_EQUAL(esf_patterns_match(compiled, 0, text, (uint32_t)length), i);
		CU_ASSERT_EQUAL(esf_signatures_match(set, 1, text, (uint32_t)length), i);
	}
	bytes[size / 2] ^= 1;
	CU_ASSERT_EQUAL(esf_patterns_deserialise(bytes, size, MANY, 1, &again), -EINVAL);
	CU_ASSERT_EQUAL(esf_patterns_deserialise(bytes, 10, MANY, 1, &again), -EINVAL);
	free(bytes);
	free(many);
	esf_patterns_destroy(compiled);
	esf_signatures_destroy(set);
}

static void digest_tells_lists_apart(void)
{
	static const char *const lists[][2] = { { "a", "b" }, { "b", "a" }, { "ab", "" },
		{ "a", "" } };
	uint8_t digests[4][ESF_PATTERNS_DIGEST], again[ESF_PATTERNS_DIGEST];

	for (int i = 0; i < 4; i++)
		esf_patterns_digest(lists[i], 2, digests[i]);
	for (int i = 0; i < 4; i++)
		for (int j = 0; j < i; j++)
			CU_ASSERT_NOT_EQUAL(memcmp(digests[i], digests[j], sizeof(again)), 0);
	esf_patterns_digest(lists[0], 2, again);
	CU_ASSERT_EQUAL(memcmp(again, digests[0], sizeof(again)), 0);
	esf_patterns_digest(lists[0], 1, again);
	CU_ASSERT_NOT_EQUAL(memcmp(again, digests[0], sizeof(again)), 0);
}

void esf_suite_signatures(void)
{
	CU_pSuite suite = CU_add_suite("signatures", NULL, NULL);

	CU_ADD_TEST(suite, first_listed_signature_wins);
	CU_ADD_TEST(suite, bytes_of_any_value_are_matched_around);
	CU_ADD_TEST(suite, text_past_the_bound_is_not_looked_at);
	CU_ADD_TEST(suite, without_signatures_nothing_matches);
	CU_ADD_TEST(suite, bad_pattern_is_named_with_the_compilers_message);
	CU_ADD_TEST(suite, many_signatures_survive_serialisation);
	CU_ADD_TEST(suite, digest_tells_lists_apart);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/lines.h"

#include <stdio.h>
#include <string.h>

#include <CUnit/CUnit.h>

#include "suites.h"

enum {
	WINDOW = 1000,
	T0 = 5000,
	SITE = 7,
};

static const uint8_t key[16] = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16 };

static bool seen(struct esf_lines *lines, uint32_t site, const char *line, int64_t now)
{
	return esf_lines_seen(lines, site, line, (uint32_t)strlen(line), now, WINDOW);
}

static void same_line_again_is_a_duplicate(void)
{
	struct esf_lines *lines = esf_lines_create(64, key);

	CU_ASSERT(!seen(lines, SITE, "m v=1 5", T0));
	CU_ASSERT(seen(lines, SITE, "m v=1 5", T0));
	CU_ASSERT(seen(lines, SITE, "m v=1 5", T0 + 1));
	CU_ASSERT(!seen(lines, SITE, "m v=1 6", T0 + 1));
	CU_ASSERT(!seen(lines, SITE, "", T0));
	CU_ASSERT(seen(lines, SITE, "", T0));
	esf_lines_destroy(lines);
}

static void same_line_of_another_site_is_new(void)
{
	struct esf_lines *lines = esf_lines_create(64, key);

	CU_ASSERT(!seen(lines, 1, "m v=1 5", T0));
	CU_ASSERT(!seen(lines, 2, "m v=1 5", T0));
	CU_ASSERT(!seen(lines, 256, "m v=1 5", T0));
	CU_ASSERT(seen(lines, 1, "m v=1 5", T0));
	CU_ASSERT(seen(lines, 2, "m v=1 5", T0));
	esf_lines_destroy(lines);
}

static void window_counts_from_the_first_sight(void)
{
	struct esf_lines *lines = esf_lines_create(64, key);

	CU_ASSERT(!seen(lines, SITE, "a", T0));
	CU_ASSERT(seen(lines, SITE, "a", T0 + WINDOW - 1));
	CU_ASSERT(!seen(lines, SITE, "a", T0 + WINDOW));
	CU_ASSERT(seen(lines, SITE, "a", T0 + WINDOW));
	CU_ASSERT(seen(lines, SITE, "a", T0 + 2 * WINDOW - 1));
	CU_ASSERT(!seen(lines, SITE, "a", T0 + 2 * WINDOW));
	CU_ASSERT_EQUAL(esf_lines_forgotten(lines), 0);
	esf_lines_destroy(lines);
}

static void clock_that_steps_back_keeps_duplicates(void)
{
	struct esf_lines *lines = esf_lines_create(64, key);

	CU_ASSERT(!seen(lines, SITE, "a", T0));
	CU_ASSERT(seen(lines, SITE, "a", T0 - 3 * WINDOW));
	esf_lines_destroy(lines);
}

/* Remembers count numbered lines, one a tick, none of them seen before. */
static void add_numbered(struct esf_lines *lines, uint32_t count, int64_t start)
{
	for (uint32_t i = 0; i < count; i++)
		CU_ASSERT(!esf_lines_seen(
		    lines, SITE, (const char *)&i, sizeof(i), start + i, INT64_C(1) << 40));
}

static uint32_t count_seen(struct esf_lines *lines, uint32_t first, uint32_t count, int64_t now)
{
	uint32_t found = 0;

	/* Newest first: asking for a forgotten line remembers it, in the place of an older one. */
	for (uint32_t i = first + count; i-- > first;)
		found +=
		    esf_lines_seen(lines, SITE, (const char *)&i, sizeof(i), now, INT64_C(1) << 40);
	return found;
}

static void full_set_forgets_the_oldest_and_counts_it(void)
{
	struct esf_lines *lines = esf_lines_create(64, key);

	add_numbered(lines, 1000, T0);
	/* 64 are remembered: what was forgotten is all the rest. */
	CU_ASSERT_EQUAL(esf_lines_forgotten(lines), 1000 - 64);
	/* A set of 8 keeps its 8 newest; the last 8 lines are among their sets' 8 newest wherever
	 * they fell. */
	CU_ASSERT_EQUAL(count_seen(lines, 992, 8, T0 + 1000), 8);
	/* The first ones are long gone. */
	CU_ASSERT_EQUAL(count_seen(lines, 0, 8, T0 + 1000), 0);
	esf_lines_destroy(lines);
}

static void expired_entries_are_reused_without_counting(void)
{
	struct esf_lines *lines = esf_lines_create(64, key);

	for (uint32_t i = 0; i < 1000; i++)
		CU_ASSERT(!esf_lines_seen(
		    lines, SITE, (const char *)&i, sizeof(i), T0 + (int64_t)i * WINDOW, WINDOW));
	CU_ASSERT_EQUAL(esf_lines_forgotten(lines), 0);
	esf_lines_destroy(lines);
}

static void capacity_is_rounded_up(void)
{
	static const struct {
		uint32_t asked;
		uint32_t held;
	} cases[] = { { 0, 64 }, { 65, 128 }, { 128, 128 }, { 1000, 1024 } };

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct esf_lines *lines = esf_lines_create(cases[i].asked, key);

		add_numbered(lines, 20000, T0);
		CU_ASSERT_EQUAL(esf_lines_forgotten(lines), 20000 - cases[i].held);
		esf_lines_destroy(lines);
	}
}

static void distinct_lines_are_never_duplicates(void)
{
	struct esf_lines *lines = esf_lines_create(1u << 20, key);
	uint32_t duplicates = 0;
	char line[64];

	for (int i = 0; i < 1000000; i++) {
		int length = snprintf(line, sizeof(line), "m,site=s v=%d %d", i % 100, i);

		duplicates += esf_lines_seen(lines, SITE, line, (uint32_t)length, T0, WINDOW);
	}
	CU_ASSERT_EQUAL(duplicates, 0);
	esf_lines_destroy(lines);
}

/* N / 2^bits a line, here 2^16 / 2^24: of 2^20 lines 4096, with a standard deviation of 64. */
static void false_duplicates_are_as_many_as_derived(void)
{
	struct esf_lines *lines = esf_lines_create_narrow(1u << 16, key, 24);
	const uint32_t filled = 1u << 19;
	uint32_t duplicates = 0;

	for (uint32_t i = 0; i < filled + (1u << 20); i++) {
		bool again = esf_lines_seen(
		    lines, SITE, (const char *)&i, sizeof(i), T0 + i, INT64_C(1) << 40);

		duplicates += i >= filled && again;
	}
	CU_ASSERT(duplicates > 4096 - 4 * 64 && duplicates < 4096 + 4 * 64);
	esf_lines_destroy(lines);
}

static void key_decides_the_fingerprint(void)
{
	static const uint8_t other[16] = { 0 };
	struct esf_lines *a = esf_lines_create(64, key);
	struct esf_lines *b = esf_lines_create(64, other);
	uint32_t differ = 0;

	/* Which lines survive in full sets follows from the fingerprints. */
	add_numbered(a, 200, T0);
	add_numbered(b, 200, T0);
	for (uint32_t i = 200; i-- > 0;) {
		bool in_a = esf_lines_seen(
		    a, SITE, (const char *)&i, sizeof(i), T0 + 200, INT64_C(1) << 40);
		bool in_b = esf_lines_seen(
		    b, SITE, (const char *)&i, sizeof(i), T0 + 200, INT64_C(1) << 40);

		differ += in_a != in_b;
	}
	CU_ASSERT(differ > 0);
	esf_lines_destroy(a);
	esf_lines_destroy(b);
}

#define ADD(test) CU_add_test(suite, #test, test)

void esf_suite_lines(void)
{
	CU_pSuite suite = CU_add_suite("lines", NULL, NULL);

	ADD(same_line_again_is_a_duplicate);
	ADD(same_line_of_another_site_is_new);
	ADD(window_counts_from_the_first_sight);
	ADD(clock_that_steps_back_keeps_duplicates);
	ADD(full_set_forgets_the_oldest_and_counts_it);
	ADD(expired_entries_are_reused_without_counting);
	ADD(capacity_is_rounded_up);
	ADD(distinct_lines_are_never_duplicates);
	ADD(false_duplicates_are_as_many_as_derived);
	ADD(key_decides_the_fingerprint);
}

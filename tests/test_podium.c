/* SPDX-License-Identifier: Apache-2.0 */
#include "control/api/podium.h"

#include <stdlib.h>

#include <CUnit/CUnit.h>

#include "suites.h"

enum { ROWS = 500 };

/* Keys, ties and ids of few values, so that every part of the order decides somewhere. */
static void make_rows(struct esf_podium_row *rows)
{
	uint32_t state = 1;

	for (uint32_t i = 0; i < ROWS; i++) {
		state = state * 1664525 + 1013904223;
		rows[i] = (struct esf_podium_row){
			.key = state >> 28,
			.tie = state >> 24 & 3,
			.id = state >> 20 & 7,
			.site = i / 2,
			.kpi = i % 2,
		};
	}
}

/* Whether a stands before b: straight from the header's words. */
static bool before(const struct esf_podium_row *a, const struct esf_podium_row *b)
{
	uint64_t a_id = a->id == 0 ? UINT64_MAX : a->id, b_id = b->id == 0 ? UINT64_MAX : b->id;

	if (a->key != b->key)
		return a->key > b->key;
	if (a->tie != b->tie)
		return a->tie > b->tie;
	if (a_id != b_id)
		return a_id < b_id;
	return a->site != b->site ? a->site < b->site : a->kpi < b->kpi;
}

static uint32_t count_before(const struct esf_podium_row *rows, const struct esf_podium_row *row)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < ROWS; i++)
		count += before(&rows[i], row);
	return count;
}

static void the_first_are_kept_in_their_order(void)
{
	static const uint32_t limits[] = { 1, 2, 3, 17, 100, ROWS - 1, ROWS, ROWS + 1 };
	static struct esf_podium_row rows[ROWS];

	make_rows(rows);
	for (size_t l = 0; l < sizeof(limits) / sizeof(limits[0]); l++) {
		struct esf_podium podium;

		CU_ASSERT_EQUAL_FATAL(esf_podium_start(&podium, limits[l]), 0);
		for (uint32_t i = 0; i < ROWS; i++)
			esf_podium_offer(&podium, &rows[i]);
		esf_podium_end(&podium);
		CU_ASSERT_EQUAL(podium.offered, ROWS);
		CU_ASSERT_EQUAL(podium.count, limits[l] < ROWS ? limits[l] : ROWS);
		for (uint32_t i = 0; i < podium.count; i++)
			CU_ASSERT_EQUAL(count_before(rows, &podium.rows[i]), i);
		esf_podium_free(&podium);
	}
}

static void nothing_offered_is_an_empty_list(void)
{
	struct esf_podium podium;

	CU_ASSERT_EQUAL_FATAL(esf_podium_start(&podium, 5), 0);
	esf_podium_end(&podium);
	CU_ASSERT_EQUAL(podium.count, 0);
	esf_podium_free(&podium);
}

void esf_suite_podium(void)
{
	CU_pSuite suite = CU_add_suite("podium", NULL, NULL);

	CU_ADD_TEST(suite, the_first_are_kept_in_their_order);
	CU_ADD_TEST(suite, nothing_offered_is_an_empty_list);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/window.h"

#include <math.h>
#include <stdlib.h>

#include <CUnit/CUnit.h>

#include "suites.h"

static void index_is_the_floor_of_the_quotient(void)
{
	static const struct {
		int64_t time, index;
	} cases[] = {
		{ 0, 0 },
		{ 9, 0 },
		{ 10, 1 },
		{ 25, 2 },
		{ -1, -1 },
		{ -10, -1 },
		{ -11, -2 },
		{ INT64_MAX, INT64_MAX / 10 },
		{ INT64_MIN, INT64_MIN / 10 - 1 },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		CU_ASSERT_EQUAL(esf_window_index(cases[i].time, 10), cases[i].index);
}

/* CONTRACT 4.2: w closes when now >= end(w) + (windows_open - 1) x window. */
static void window_closes_at_its_end_and_the_windows_kept_open(void)
{
	static const struct {
		int64_t window;
		uint32_t open;
		int64_t closes_at;
	} cases[] = {
		{ 0, 1, 10 },
		{ 0, 3, 30 },
		{ 7, 3, 100 },
		{ -2, 1, -10 },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int64_t window = cases[i].window, at = cases[i].closes_at;

		CU_ASSERT_EQUAL(esf_window_closes_at(window, 10, cases[i].open), at);
		CU_ASSERT_EQUAL(esf_window_oldest_open(at - 1, 10, cases[i].open), window);
		CU_ASSERT_EQUAL(esf_window_oldest_open(at, 10, cases[i].open), window + 1);
	}
}

static void accumulator_without_enough_data_has_no_number(void)
{
	struct esf_acc acc = { 0 };

	CU_ASSERT(isnan(esf_acc_mean(&acc)));
	CU_ASSERT(isnan(esf_acc_stddev(&acc)));
	esf_acc_add(&acc, 5, 1);
	CU_ASSERT_EQUAL(esf_acc_mean(&acc), 5);
	CU_ASSERT(isnan(esf_acc_stddev(&acc)));
	esf_acc_add(&acc, 5, 2);
	CU_ASSERT_EQUAL(esf_acc_stddev(&acc), 0);
}

static void last_is_the_value_with_the_latest_time(void)
{
	struct esf_acc acc = { 0 };

	esf_acc_add(&acc, 2, 20);
	esf_acc_add(&acc, 1, 10);
	CU_ASSERT_EQUAL(acc.last, 2);
	CU_ASSERT_EQUAL(acc.last_us, 20);
	esf_acc_add(&acc, 3, 20);
	CU_ASSERT_EQUAL(acc.last, 3);
	CU_ASSERT_EQUAL(acc.min, 1);
	CU_ASSERT_EQUAL(acc.max, 3);
}

/* The reference goes through the values twice, in long double. */
static void moments_hold_beside_large_offsets(void)
{
	static const double offsets[] = { 0, 1e9, -1e9, 3e12 };
	enum { COUNT = 5000 };
	unsigned seed = 7;

	for (size_t o = 0; o < sizeof(offsets) / sizeof(offsets[0]); o++) {
		struct esf_acc acc = { 0 };
		double values[COUNT];
		long double mean = 0, squares = 0;

		for (int i = 0; i < COUNT; i++) {
			values[i] = offsets[o] + rand_r(&seed) % 2001 / 1000.0 - 1;
			esf_acc_add(&acc, values[i], (uint32_t)i);
			mean += values[i];
		}
		mean /= COUNT;
		for (int i = 0; i < COUNT; i++)
			squares += (values[i] - mean) * (values[i] - mean);
		CU_ASSERT_DOUBLE_EQUAL(
		    esf_acc_mean(&acc), (double)mean, 1e-15 * fabsl(mean) + 1e-12);
		CU_ASSERT_DOUBLE_EQUAL(
		    esf_acc_stddev(&acc), (double)sqrtl(squares / (COUNT - 1)), 1e-9);
	}
}

void esf_suite_window(void)
{
	CU_pSuite suite = CU_add_suite("window", NULL, NULL);

	CU_add_test(
	    suite, "index_is_the_floor_of_the_quotient", index_is_the_floor_of_the_quotient);
	CU_add_test(suite, "window_closes_at_its_end_and_the_windows_kept_open",
	    window_closes_at_its_end_and_the_windows_kept_open);
	CU_add_test(suite, "accumulator_without_enough_data_has_no_number",
	    accumulator_without_enough_data_has_no_number);
	CU_add_test(suite, "last_is_the_value_with_the_latest_time",
	    last_is_the_value_with_the_latest_time);
	CU_add_test(suite, "moments_hold_beside_large_offsets", moments_hold_beside_large_offsets);
}

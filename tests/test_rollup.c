/* SPDX-License-Identifier: Apache-2.0 */
#include "control/fleet/rollup.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include <CUnit/CUnit.h>

#include "suites.h"

enum { VALUES_MAX = 20000 };

static bool near(double got, double want)
{
	bool same = isnan(want) ? isnan(got) : fabs(got - want) <= 1e-12 * (1 + fabs(want));

	if (!same)
		fprintf(stderr, "got %.17g, want %.17g\n", got, want);
	return same;
}

static uint64_t random_u64(uint64_t *state)
{
	*state += UINT64_C(0x9e3779b97f4a7c15);
	uint64_t z = *state;

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

static int by_value(const void *a, const void *b)
{
	double left = *(const double *)a, right = *(const double *)b;

	return (left > right) - (left < right);
}

/* Straight from the definition: the smallest value with at least p percent of them at or below it.
 */
static double sorted_quantile(double *sorted, uint32_t count, uint32_t percent)
{
	for (uint32_t i = 0; i < count; i++) {
		if ((uint64_t)(i + 1) * 100 >= (uint64_t)percent * count)
			return sorted[i];
	}
	return NAN;
}

static void check_quantiles(const double *values, uint32_t count)
{
	static const uint32_t percents[] = { 0, 1, 5, 25, 50, 75, 90, 95, 99, 100 };
	static double sorted[VALUES_MAX], scratch[VALUES_MAX];

	for (uint32_t i = 0; i < count; i++)
		sorted[i] = scratch[i] = values[i];
	qsort(sorted, count, sizeof(*sorted), by_value);
	for (size_t i = 0; i < sizeof(percents) / sizeof(percents[0]); i++) {
		double got = esf_rollup_quantile(scratch, count, percents[i]);

		CU_ASSERT_EQUAL(got, sorted_quantile(sorted, count, percents[i]));
	}
	qsort(scratch, count, sizeof(*scratch), by_value);
	for (uint32_t i = 0; i < count; i++)
		CU_ASSERT_EQUAL_FATAL(scratch[i], sorted[i]); /* reordered, none lost */
}

static void quantiles_are_the_nearest_rank_for_1_to_20_values(void)
{
	/* ceil(0.5 n) and ceil(0.95 n), by hand */
	static const int p50[] = { 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 8, 9, 9, 10, 10 };
	static const int p95[] = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18,
		19, 19 };
	double values[20];

	for (uint32_t n = 1; n <= 20; n++) {
		for (uint32_t i = 0; i < n; i++)
			values[i] = 1 + (i * 7 + 3) % n; /* 7 divides 7 and 14: repeats there */
		if (n % 7 == 0) {
			for (uint32_t i = 0; i < n; i++)
				values[i] = n - i;
		}
		CU_ASSERT_EQUAL(esf_rollup_quantile(values, n, 50), p50[n - 1]);
		CU_ASSERT_EQUAL(esf_rollup_quantile(values, n, 95), p95[n - 1]);
	}
}

static void quantiles_equal_a_sorted_reference(void)
{
	static double values[VALUES_MAX];
	uint64_t seed = 7;

	for (uint32_t n = 1; n <= 300; n++) {
		for (uint32_t i = 0; i < n; i++)
			values[i] = (double)(random_u64(&seed) % (n % 3 == 0 ? 5 : 1000)) - 2;
		check_quantiles(values, n);
	}
}

static void quantiles_hold_for_orders_that_are_hard_to_select_from(void)
{
	static double values[VALUES_MAX];
	uint32_t n = VALUES_MAX;

	for (int shape = 0; shape < 6; shape++) {
		for (uint32_t i = 0; i < n; i++) {
			uint32_t half = n / 2;
			double shapes[] = { i, n - i, 3, i % 2, i < half ? i : n - i,
				/* the classic that makes median of three slow */
				i < half ? (i % 2 == 0 ? i + 1 : half + i + (half % 2 == 0))
				         : (i - half + 1) * 2 };

			values[i] = shapes[shape];
		}
		check_quantiles(values, n);
	}
}

static void quantile_of_nothing_is_absent(void)
{
	double none = 0;

	CU_ASSERT(isnan(esf_rollup_quantile(&none, 0, 50)));
}

struct rollup_case {
	uint32_t count;
	double weights[6];
	double means[6];
	double mins[6];
	double maxes[6];
	uint64_t samples[6];
	struct esf_scope_kpi want;
};

static void check_rollup(const struct rollup_case *of)
{
	struct esf_site_kpi kpis[6];
	const struct esf_site_kpi *sites[6];
	double scratch[6];
	struct esf_scope_kpi got;

	for (uint32_t i = 0; i < of->count; i++) {
		kpis[i] = (struct esf_site_kpi){ .mean = of->means[i],
			.min = of->mins[i],
			.max = of->maxes[i],
			.samples = of->samples[i] };
		sites[i] = &kpis[i];
	}
	esf_rollup_kpi(sites, of->weights, of->count, scratch, &got);
	CU_ASSERT(near(got.mean, of->want.mean));
	CU_ASSERT(near(got.stddev, of->want.stddev));
	CU_ASSERT(near(got.min, of->want.min));
	CU_ASSERT(near(got.max, of->want.max));
	CU_ASSERT(near(got.p50, of->want.p50));
	CU_ASSERT(near(got.p95, of->want.p95));
	CU_ASSERT_EQUAL(got.sites, of->want.sites);
	CU_ASSERT_EQUAL(got.samples, of->want.samples);
	CU_ASSERT(isnan(got.score));
}

static void rollup_follows_the_hand_computed_table(void)
{
	static const struct rollup_case table[] = {
		/*
		 * w 2.5 1 0.5 4 1 over x 10 20 -5 12.5 40: mean 132.5/9; the variance by
		 *   sum(F(w) * (F(x) - F("132.5") / 9) ** 2 for w, x in zip(ws, xs)) / 9
		 * with F = fractions.Fraction is 33725/324.
		 */
		{ 6, { 2.5, 1, 7, 0.5, 4, 1 }, { 10, 20, NAN, -5, 12.5, 40 },
		    { 9, 20, NAN, -6, 12, 30 }, { 11, 20, NAN, -4, 13, 45 }, { 3, 1, 0, 2, 4, 5 },
		    { 132.5 / 9, 10.202426484559421, -6, 45, 12.5, 40, 5, 15, NAN, 0 } },
		/* one site is its own mean */
		{ 1, { 3 }, { 7 }, { 6 }, { 8 }, { 2 }, { 7, 0, 6, 8, 7, 7, 1, 2, NAN, 0 } },
		/* w 3, 1 over 0, 4: mean 1, variance (3*1 + 1*9)/4 = 3 */
		{ 2, { 3, 1 }, { 0, 4 }, { 0, 4 }, { 0, 4 }, { 1, 1 },
		    { 1, 1.7320508075688772, 0, 4, 0, 4, 2, 2, NAN, 0 } },
		{ 2, { 3, 1 }, { NAN, NAN }, { NAN, NAN }, { NAN, NAN }, { 0 },
		    { NAN, NAN, NAN, NAN, NAN, NAN, 0, 0, NAN, 0 } },
		{ 0, { 0 }, { 0 }, { 0 }, { 0 }, { 0 },
		    { NAN, NAN, NAN, NAN, NAN, NAN, 0, 0, NAN, 0 } },
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		check_rollup(&table[i]);
}

static void large_offsets_do_not_cancel_the_deviation(void)
{
	struct rollup_case of = { 3, { 1, 1, 1 }, { 1e9 - 1, 1e9, 1e9 + 1 },
		{ 1e9 - 1, 1e9, 1e9 + 1 }, { 1e9 - 1, 1e9, 1e9 + 1 }, { 1, 1, 1 },
		{ 1e9, 0.81649658092772603, 1e9 - 1, 1e9 + 1, 1e9, 1e9 + 1, 3, 3, NAN, 0 } };

	check_rollup(&of);
}

void esf_suite_rollup(void)
{
	CU_pSuite suite = CU_add_suite("rollup", NULL, NULL);

	CU_ADD_TEST(suite, quantiles_are_the_nearest_rank_for_1_to_20_values);
	CU_ADD_TEST(suite, quantiles_equal_a_sorted_reference);
	CU_ADD_TEST(suite, quantiles_hold_for_orders_that_are_hard_to_select_from);
	CU_ADD_TEST(suite, quantile_of_nothing_is_absent);
	CU_ADD_TEST(suite, rollup_follows_the_hand_computed_table);
	CU_ADD_TEST(suite, large_offsets_do_not_cancel_the_deviation);
}

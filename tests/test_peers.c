/* SPDX-License-Identifier: Apache-2.0 */
#include "control/fleet/peers.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>

#include <CUnit/CUnit.h>

#include "suites.h"

static bool near(double got, double want)
{
	bool same = isnan(want) ? isnan(got) : fabs(got - want) <= 1e-12 * (1 + fabs(want));

	if (!same)
		fprintf(stderr, "got %.17g, want %.17g\n", got, want);
	return same;
}

/* The last value's score; tests/data/peers_scores.py printed the rows. */
static void scores_are_those_of_the_definitions(void)
{
	static const struct {
		uint32_t count;
		double values[8];
		double median, score;
	} rows[] = {
		{ 5, { 1.0, 2.0, 3.0, 4.0, 100.0 }, 3, 65.426500000000004 },
		{ 8, { 10.0, 10.5, 9.5, 10.25, 9.75, 10.1, 9.9, 14.0 }, 10.050000000000001,
		    10.6571 },
		{ 8, { 5.0, 5.0, 5.0, 5.0, 5.0, 5.0, 5.0, 6.5 }, 5, 6.3830771857650994 },
		{ 5, { 2.0, 2.0, 2.0, 2.0, 2.0 }, 2, 0 },
		{ 4, { -3.0, -1.0, -2.0, -8.0 }, -2.5, -3.7097500000000001 },
		{ 7, { 0.1, 0.2, 0.30000000000000004, 0.4, 0.5, 0.6, 0.7 }, 0.40000000000000002,
		    1.0117499999999999 },
		{ 1, { 7.0 }, 7, 0 },
		{ 2, { 1.0, 3.0 }, 2, 0.67449999999999999 },
		{ 6, { 1e9, 1e9 + 1, 1e9 + 2, 1e9 + 3, 1e9 + 50, 1e9 - 40 }, 1000000001.5,
		    -18.661166666666666 },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		double values[8], last = rows[i].values[rows[i].count - 1];
		struct esf_peers peers;

		for (uint32_t v = 0; v < rows[i].count; v++)
			values[v] = rows[i].values[v];
		esf_peers_measure(values, rows[i].count, &peers);
		CU_ASSERT_EQUAL(peers.count, rows[i].count);
		CU_ASSERT_TRUE(near(peers.median, rows[i].median));
		CU_ASSERT_TRUE(near(esf_peers_score(&peers, last), rows[i].score));
	}
}

static void nobody_has_no_median(void)
{
	struct esf_peers peers;

	esf_peers_measure(NULL, 0, &peers);
	CU_ASSERT_EQUAL(peers.count, 0);
	CU_ASSERT_TRUE(isnan(peers.median));
}

static void largest_values_have_a_finite_median(void)
{
	double values[] = { 1.7e308, 1.6e308, 1.5e308, 1.4e308 };
	struct esf_peers peers;

	esf_peers_measure(values, 4, &peers);
	CU_ASSERT_TRUE(near(peers.median / 1e308, 1.55));
	CU_ASSERT_TRUE(near(esf_peers_score(&peers, 1.7e308), 0.6745 * 1.5));
}

/* tests/data/fleetwise_table.py says how near to 1% these come. */
static void fleetwise_is_the_contracts_table_and_linear_between(void)
{
	static const struct {
		uint32_t count;
		double threshold;
	} rows[] = { { 3, 18.7 }, { 5, 18.7 }, { 6, 9.9 }, { 7, 8.95 }, { 8, 8.0 }, { 9, 7.45 },
		{ 10, 6.9 }, { 13, 6.25 }, { 16, 5.6 }, { 18, 5.45 }, { 20, 5.3 }, { 25, 5.05 },
		{ 30, 4.8 }, { 40, 4.65 }, { 50, 4.5 }, { 75, 4.425 }, { 99, 4.353 }, { 100, 4.35 },
		{ 1000000, 4.35 } };

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		CU_ASSERT_TRUE(near(esf_peers_fleetwise(rows[i].count), rows[i].threshold));
}

void esf_suite_peers(void)
{
	CU_pSuite suite = CU_add_suite("peers", NULL, NULL);

	CU_ADD_TEST(suite, scores_are_those_of_the_definitions);
	CU_ADD_TEST(suite, nobody_has_no_median);
	CU_ADD_TEST(suite, largest_values_have_a_finite_median);
	CU_ADD_TEST(suite, fleetwise_is_the_contracts_table_and_linear_between);
}

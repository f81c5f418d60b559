/* SPDX-License-Identifier: Apache-2.0 */
#include "control/fleet/baseline.h"

#include <math.h>
#include <stdio.h>

#include <CUnit/CUnit.h>

#include "suites.h"

#define HOUR INT64_C(3600000000000)
#define WINDOW (HOUR / 6)
/* A Monday, 00:00 UTC: 2026-01-05. */
#define MONDAY (INT64_C(1767571200) * 1000000000)

static bool near(double got, double want)
{
	bool same = isnan(want) ? isnan(got) : fabs(got - want) <= 1e-9 * (1 + fabs(want));

	if (!same)
		fprintf(stderr, "got %.17g, want %.17g\n", got, want);
	return same;
}

/* 0..1, as in tests/data/baseline_levels.py. */
static double noise(uint32_t i)
{
	return (double)(i * UINT32_C(2654435761)) / 4294967296.0;
}

/* Site 1's values of the six windows of the hour at `start`, each level + noise of its number. */
static void feed_hour(struct esf_baseline *baseline, int64_t start, double level, uint32_t first)
{
	for (uint32_t i = 0; i < 6; i++) {
		CU_ASSERT_EQUAL(esf_baseline_enter(baseline, start + i * WINDOW), 0);
		esf_baseline_learn(baseline, 1, level + noise(first + i));
	}
}

/* What is usual at that time; NaN: nothing is known. */
static double usual_at(struct esf_baseline *baseline, int64_t start, double x, double *score)
{
	struct esf_usual *usual;
	double level = NAN;

	*score = NAN;
	CU_ASSERT_EQUAL(esf_baseline_enter(baseline, start), 0);
	usual = esf_baseline_usual(baseline);
	if (usual != NULL) {
		level = esf_usual_level(usual, 1);
		*score = esf_usual_score(usual, 1, x);
		CU_ASSERT_TRUE(isnan(esf_usual_level(usual, 0)));
		CU_ASSERT_TRUE(isnan(esf_usual_score(usual, 0, x)));
	}
	esf_usual_let_go(usual);
	return level;
}

/* tests/data/baseline_levels.py printed the rows. */
static void levels_follow_the_rule_stated_through_bad_weeks(void)
{
	static const struct {
		int weeks;
		double level;
		int bad_week;
		double bad, usual, score;
	} rows[] = {
		{ 1, 10, -1, 0, NAN, NAN },
		{ 2, 10, -1, 0, 10.482520260576468, 27.225020922459972 },
		{ 3, 10, 1, 1000, 11.48663404712998, 4.7862411840938259 },
		{ 12, -5, -1, 0, -4.5030753634161469, 75.364031512975373 },
		{ 12, 10, 5, 40, 10.61157212573667, 21.028152746234213 },
		{ 4, 10, 0, 1000000, 999987.96695177816, -83250.56458024215 },
		{ 5, 10, 0, 1000000, NAN, NAN },
		{ 6, 10, 0, 1000000, 10.482002609758638, 27.487873114170853 },
		{ 20, 10, 0, 1000000, 10.505470583977417, 29.898900445862825 },
	};

	for (size_t r = 0; r < sizeof(rows) / sizeof(rows[0]); r++) {
		struct esf_baseline *baseline = esf_baseline_create(2, ESF_BASELINE_WEEK, WINDOW);
		double score;

		CU_ASSERT_PTR_NOT_NULL_FATAL(baseline);
		for (int week = 0; week < rows[r].weeks; week++) {
			bool bad = week == rows[r].bad_week;

			feed_hour(baseline, MONDAY + week * 168 * HOUR,
			    bad ? rows[r].bad : rows[r].level, bad ? 0 : (uint32_t)week * 6);
		}
		CU_ASSERT_TRUE(
		    near(usual_at(baseline, MONDAY + rows[r].weeks * 168 * HOUR, 20, &score),
		        rows[r].usual));
		CU_ASSERT_TRUE(near(score, rows[r].score));
		esf_baseline_destroy(baseline);
	}
}

static void each_hour_of_the_week_has_its_own_level(void)
{
	struct esf_baseline *baseline = esf_baseline_create(2, ESF_BASELINE_WEEK, WINDOW);
	double score;

	CU_ASSERT_PTR_NOT_NULL_FATAL(baseline);
	for (int hour = 0; hour < 3 * 168; hour++)
		feed_hour(baseline, MONDAY + hour * HOUR, hour % 168 * 100, 0);
	for (int hour = 0; hour < 168; hour++) {
		double usual =
		    usual_at(baseline, MONDAY + (3 * 168 + hour) * HOUR, hour * 100, &score);

		CU_ASSERT_TRUE(fabs(usual - hour * 100) < 1);
	}
	esf_baseline_destroy(baseline);
}

static void by_the_day_two_days_are_enough(void)
{
	struct esf_baseline *baseline = esf_baseline_create(2, ESF_BASELINE_DAY, WINDOW);
	double score;

	CU_ASSERT_PTR_NOT_NULL_FATAL(baseline);
	feed_hour(baseline, MONDAY + 5 * HOUR, 3, 0);
	CU_ASSERT_TRUE(isnan(usual_at(baseline, MONDAY + 29 * HOUR, 3, &score)));
	feed_hour(baseline, MONDAY + 29 * HOUR, 3, 0);
	CU_ASSERT_TRUE(isnan(usual_at(baseline, MONDAY + 30 * HOUR, 3, &score)));
	CU_ASSERT_FALSE(isnan(usual_at(baseline, MONDAY + 53 * HOUR, 3, &score)));
	esf_baseline_destroy(baseline);
}

/* So that a site can't talk its way out of what it does this hour. */
static void an_hour_is_judged_by_what_was_known_before_it(void)
{
	struct esf_baseline *baseline = esf_baseline_create(2, ESF_BASELINE_DAY, WINDOW);
	double before, score;

	CU_ASSERT_PTR_NOT_NULL_FATAL(baseline);
	for (int day = 0; day < 3; day++)
		feed_hour(baseline, MONDAY + day * 24 * HOUR, 3, 0);
	before = usual_at(baseline, MONDAY + 72 * HOUR, 3, &score);
	feed_hour(baseline, MONDAY + 72 * HOUR, 900, 0);
	CU_ASSERT_EQUAL(usual_at(baseline, MONDAY + 72 * HOUR + 5 * WINDOW, 3, &score), before);
	CU_ASSERT_NOT_EQUAL(usual_at(baseline, MONDAY + 96 * HOUR, 3, &score), before);
	esf_baseline_destroy(baseline);
}

static void readers_keep_what_was_usual(void)
{
	struct esf_baseline *baseline = esf_baseline_create(2, ESF_BASELINE_DAY, WINDOW);
	struct esf_usual *usual;
	double level;

	CU_ASSERT_PTR_NOT_NULL_FATAL(baseline);
	for (int day = 0; day < 3; day++)
		feed_hour(baseline, MONDAY + day * 24 * HOUR, 3, 0);
	usual = esf_baseline_usual(baseline);
	CU_ASSERT_PTR_NOT_NULL_FATAL(usual);
	level = esf_usual_level(usual, 1);
	feed_hour(baseline, MONDAY + 96 * HOUR, 900, 0);
	esf_baseline_destroy(baseline);
	CU_ASSERT_EQUAL(esf_usual_level(usual, 1), level);
	esf_usual_let_go(usual);
}

static void a_level_that_never_varied_has_the_score_0(void)
{
	struct esf_baseline *baseline = esf_baseline_create(2, ESF_BASELINE_DAY, HOUR);
	double score;

	CU_ASSERT_PTR_NOT_NULL_FATAL(baseline);
	for (int day = 0; day < 4; day++) {
		CU_ASSERT_EQUAL(esf_baseline_enter(baseline, MONDAY + day * 24 * HOUR), 0);
		esf_baseline_learn(baseline, 1, 7.5);
	}
	CU_ASSERT_EQUAL(usual_at(baseline, MONDAY + 96 * HOUR, 99, &score), 7.5);
	CU_ASSERT_EQUAL(score, 0);
	esf_baseline_destroy(baseline);
}

static void what_no_float_holds_is_not_learned(void)
{
	static const double values[] = { 1e300, -1e300, 1e308, -1e308, INFINITY, NAN };
	struct esf_baseline *baseline = esf_baseline_create(2, ESF_BASELINE_DAY, WINDOW);
	double score;

	CU_ASSERT_PTR_NOT_NULL_FATAL(baseline);
	for (int day = 0; day < 3; day++) {
		feed_hour(baseline, MONDAY + day * 24 * HOUR, 3, 0);
		for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++)
			esf_baseline_learn(baseline, 1, values[i]);
	}
	CU_ASSERT_TRUE(fabs(usual_at(baseline, MONDAY + 72 * HOUR, 3.5, &score) - 3.5) < 0.5);
	CU_ASSERT_TRUE(fabs(score) < 1);
	esf_baseline_destroy(baseline);
}

void esf_suite_baseline(void)
{
	CU_pSuite suite = CU_add_suite("baseline", NULL, NULL);

	CU_ADD_TEST(suite, levels_follow_the_rule_stated_through_bad_weeks);
	CU_ADD_TEST(suite, each_hour_of_the_week_has_its_own_level);
	CU_ADD_TEST(suite, by_the_day_two_days_are_enough);
	CU_ADD_TEST(suite, an_hour_is_judged_by_what_was_known_before_it);
	CU_ADD_TEST(suite, readers_keep_what_was_usual);
	CU_ADD_TEST(suite, a_level_that_never_varied_has_the_score_0);
	CU_ADD_TEST(suite, what_no_float_holds_is_not_learned);
}

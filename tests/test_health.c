/* SPDX-License-Identifier: Apache-2.0 */
#include "control/fleet/health.h"

#include <math.h>
#include <stdio.h>

#include <CUnit/CUnit.h>

#include "control/fleet/rollup.h"
#include "suites.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static bool near(double got, double want)
{
	bool same = isnan(want) ? isnan(got) : fabs(got - want) <= 1e-12 * (1 + fabs(want));

	if (!same)
		fprintf(stderr, "got %.17g, want %.17g\n", got, want);
	return same;
}

/* good 0.95.., warn 0.80, crit 0.50: below only; temperatures: above only; voltages: both sides. */
static const struct esf_bands below = { { 0.95, INFINITY }, { 0.80, INFINITY },
	{ 0.50, INFINITY } };
static const struct esf_bands above = { { -INFINITY, 80 }, { -INFINITY, 100 }, { -INFINITY, 110 } };
static const struct esf_bands both = { { 220, 240 }, { 210, 250 }, { 190, 260 } };
static const struct esf_bands steep = { { -INFINITY, 1 }, { -INFINITY, 2 }, { -INFINITY, 2 } };
static const struct esf_bands bent = { { 10, 20 }, { 10, 20 }, { 0, 30 } };
static const struct esf_bands unbounded = { { -INFINITY, INFINITY }, { -INFINITY, INFINITY },
	{ -INFINITY, INFINITY } };

static void scores_follow_the_hand_computed_table(void)
{
	static const struct {
		const struct esf_bands *bands;
		double value;
		double score;
	} table[] = {
		{ &below, 1.2, 100 },
		{ &below, 0.95, 100 },
		{ &below, 0.875, 85 }, /* half way to warn */
		{ &below, 0.80, 70 },
		{ &below, 0.65, 55 },
		{ &below, 0.50, 40 },
		{ &below, 0.35, 25 }, /* slope 30 per 0.3 goes on */
		{ &below, 0.10, 0 },
		{ &below, 0.05, 0 },
		{ &below, -1e300, 0 },
		{ &above, -1e300, 100 },
		{ &above, 80, 100 },
		{ &above, 90, 85 },
		{ &above, 100, 70 },
		{ &above, 101, 67 },
		{ &above, 110, 40 },
		{ &above, 115, 25 },
		{ &above, 123, 1 },
		{ &above, 124, 0 },
		{ &both, 230, 100 },
		{ &both, 220, 100 },
		{ &both, 240, 100 },
		{ &both, 213, 79 },
		{ &both, 210, 70 },
		{ &both, 200, 55 },
		{ &both, 190, 40 },
		{ &both, 180, 25 },
		{ &both, 250, 70 },
		{ &both, 255, 55 },
		{ &both, 260, 40 },
		{ &both, 270, 10 },
		{ &both, 300, 0 },
		{ &steep, 1, 100 },
		{ &steep, 1.5, 85 },
		{ &steep, 2, 70 },
		{ &steep, 2.001, 0 },
		{ &bent, 10, 100 },
		{ &bent, 5, 55 }, /* no room between good and warn: it starts at 70 */
		{ &bent, 30, 40 },
		{ &unbounded, 1e300, 100 },
		{ &unbounded, -1e300, 100 },
		{ &both, NAN, NAN },
	};

	for (size_t i = 0; i < COUNT(table); i++)
		CU_ASSERT(near(esf_health_score(table[i].bands, table[i].value), table[i].score));
}

static void scores_on_the_edges_are_exact(void)
{
	CU_ASSERT(esf_health_score(&below, 0.95) == 100);
	CU_ASSERT(esf_health_score(&below, 0.80) == 70);
	CU_ASSERT(esf_health_score(&below, 0.50) == 40);
	CU_ASSERT(esf_health_score(&both, nextafter(190, 0)) < 40);
	CU_ASSERT(esf_health_score(&both, nextafter(220, 0)) < 100);
}

static struct esf_config config_of(struct esf_kpi *kpis, uint32_t count)
{
	struct esf_config config = { .kpis = kpis, .kpis_count = count };

	config.health.good = 80;
	config.health.degraded = 60;
	config.health.min_coverage = 0.5;
	config.health.vital_cap = 40;
	return config;
}

static struct esf_site_kpi value_of(double mean, uint64_t good, uint64_t refused)
{
	return (struct esf_site_kpi){ .mean = mean, .good = good, .refused = refused };
}

/* Weights 0.5, 0.3, 0.2 and an unscored one; `above` scores 100 at 80, 85 at 90, 70 at 100, 40 at
 * 110. */
enum { A, B, C, UNSCORED, KPIS };

static void make_kpis(struct esf_kpi kpis[KPIS])
{
	static const double weights[KPIS] = { 0.5, 0.3, 0.2, 0 };

	for (int k = 0; k < KPIS; k++)
		kpis[k] = (struct esf_kpi){ .weight = weights[k], .bands = above };
	kpis[A].vital = true;
	kpis[UNSCORED].vital = true;
}

struct site_case {
	double means[KPIS];
	uint64_t good[KPIS];
	uint64_t refused[KPIS];
	double health, coverage;
	enum esf_status status;
	double contributions[KPIS];
};

static void check_site(const struct site_case *of)
{
	struct esf_kpi kpis[KPIS];
	struct esf_site_kpi values[KPIS];
	struct esf_site_view site = { .kpis = values };
	struct esf_config config;

	make_kpis(kpis);
	config = config_of(kpis, KPIS);
	for (int k = 0; k < KPIS; k++)
		values[k] = value_of(of->means[k], of->good[k], of->refused[k]);
	esf_health_site(&config, values, &site);
	CU_ASSERT(near(site.health, of->health));
	CU_ASSERT(near(site.coverage, of->coverage));
	CU_ASSERT_EQUAL(site.status, of->status);
	for (int k = 0; k < KPIS; k++)
		CU_ASSERT(near(values[k].contribution, of->contributions[k]));
	CU_ASSERT(isnan(values[UNSCORED].score));
}

static void site_health_follows_the_hand_computed_table(void)
{
	static const struct site_case table[] = {
		/* all there, all well; what is not scored changes nothing */
		{ { 80, 80, 80, 500 }, { 5, 5, 5, 5 }, { 0 }, 100, 1, ESF_STATUS_GOOD,
		    { 0, 0, 0, NAN } },
		/* 0.5*100 + 0.3*85 + 0.2*70 = 89.5 */
		{ { 80, 90, 100, NAN }, { 5, 5, 5, 0 }, { 0 }, 89.5, 1, ESF_STATUS_GOOD,
		    { 0, 4.5, 6, NAN } },
		/* c of A 1/2: (0.25*70 + 0.3*100 + 0.2*100) / 0.75 = 90; C 0.75 */
		{ { 100, 80, 80, NAN }, { 4, 4, 4, 0 }, { 4, 0, 0, 0 }, 90, 0.75, ESF_STATUS_GOOD,
		    { 10, 0, 0, NAN } },
		/* B without a good record: (0.5*85 + 0.2*40) / 0.7, C 0.7 */
		{ { 90, NAN, 110, NAN }, { 1, 0, 1, 0 }, { 0, 7, 0, 0 }, 50.5 / 0.7, 0.7,
		    ESF_STATUS_DEGRADED, { 7.5 / 0.7, NAN, 12 / 0.7, NAN } },
		/* coverage just at the minimum is enough */
		{ { 100, NAN, NAN, NAN }, { 1, 0, 0, 0 }, { 0 }, 70, 0.5, ESF_STATUS_DEGRADED,
		    { 30, NAN, NAN, NAN } },
		/* and below it is not */
		{ { NAN, 80, NAN, NAN }, { 0, 9, 0, 0 }, { 0 }, NAN, 0.3, ESF_STATUS_UNKNOWN,
		    { NAN, NAN, NAN, NAN } },
		{ { NAN, NAN, NAN, NAN }, { 0 }, { 0 }, NAN, 0, ESF_STATUS_UNKNOWN,
		    { NAN, NAN, NAN, NAN } },
		{ { NAN, NAN, NAN, 80 }, { 0, 0, 0, 3 }, { 3, 3, 3, 0 }, NAN, 0, ESF_STATUS_UNKNOWN,
		    { NAN, NAN, NAN, NAN } },
		/* vital A at crit: 0.5*40 + 0.5*100 = 70, capped at 40; contributions stay */
		{ { 110, 80, 80, NAN }, { 1, 1, 1, 0 }, { 0 }, 40, 1, ESF_STATUS_BAD,
		    { 30, 0, 0, NAN } },
		/* c of the vital one is small but not 0 */
		{ { 124, 80, 80, NAN }, { 1, 1, 1, 0 }, { 3, 0, 0, 0 }, 40, 0.625, ESF_STATUS_BAD,
		    { 20, 0, 0, NAN } },
		/* just inside crit: 0.5*43 + 0.5*100 */
		{ { 109, 80, 80, NAN }, { 1, 1, 1, 0 }, { 0 }, 71.5, 1, ESF_STATUS_DEGRADED,
		    { 28.5, 0, 0, NAN } },
		/* the cap never raises: 0.5*10 */
		{ { 120, 124, 124, NAN }, { 1, 1, 1, 0 }, { 0 }, 5, 1, ESF_STATUS_BAD,
		    { 45, 30, 20, NAN } },
		/* B is not vital: 0.7*100 + 0.3*0 */
		{ { 80, 124, 80, NAN }, { 1, 1, 1, 0 }, { 0 }, 70, 1, ESF_STATUS_DEGRADED,
		    { 0, 30, 0, NAN } },
	};

	for (size_t i = 0; i < COUNT(table); i++)
		check_site(&table[i]);
}

static void contributions_add_up_to_what_is_missing(void)
{
	struct esf_kpi kpis[KPIS];
	struct esf_config config;

	make_kpis(kpis);
	config = config_of(kpis, KPIS);
	config.health.min_coverage = 0;
	for (int step = 0; step < 100; step++) {
		struct esf_site_kpi values[KPIS] = { value_of(80 + step * 0.25, 3, step % 3),
			value_of(75 + step * 0.5, 1 + step % 5, step % 7),
			value_of(130 - step * 0.5, 2, step % 2), value_of(0, 1, 0) };
		struct esf_site_view site = { .kpis = values };

		esf_health_site(&config, values, &site);
		CU_ASSERT_FATAL(!isnan(site.health));
		CU_ASSERT(
		    near(values[A].contribution + values[B].contribution + values[C].contribution,
		        100 - site.health));
	}
}

static void status_thresholds_are_inclusive(void)
{
	struct esf_config config = config_of(NULL, 0);

	CU_ASSERT_EQUAL(esf_health_status(&config, 80), ESF_STATUS_GOOD);
	CU_ASSERT_EQUAL(esf_health_status(&config, nextafter(80, 0)), ESF_STATUS_DEGRADED);
	CU_ASSERT_EQUAL(esf_health_status(&config, 60), ESF_STATUS_DEGRADED);
	CU_ASSERT_EQUAL(esf_health_status(&config, nextafter(60, 0)), ESF_STATUS_BAD);
	CU_ASSERT_EQUAL(esf_health_status(&config, 0), ESF_STATUS_BAD);
	CU_ASSERT_EQUAL(esf_health_status(&config, NAN), ESF_STATUS_UNKNOWN);
}

static void nothing_scored_is_unknown(void)
{
	struct esf_kpi kpi = { .weight = 0, .bands = above };
	struct esf_config config = config_of(&kpi, 1);
	struct esf_site_kpi value = value_of(80, 5, 0);
	struct esf_site_view site = { .kpis = &value };

	config.health.min_coverage = 0;
	esf_health_site(&config, &value, &site);
	CU_ASSERT_EQUAL(site.status, ESF_STATUS_UNKNOWN);
	CU_ASSERT(site.coverage == 0);
}

static void scope_health_is_the_weighted_mean_of_known_sites(void)
{
	static const struct {
		double health[3];
		double weights[3];
		uint32_t count;
		double want, coverage;
		enum esf_status status;
	} table[] = {
		{ { 100, 50, 0 }, { 1, 1, 2 }, 3, 37.5, 1, ESF_STATUS_BAD },
		{ { 90, NAN, 70 }, { 2, 1, 2 }, 3, 80, 0.8, ESF_STATUS_GOOD },
		{ { 90, NAN, NAN }, { 2, 1, 1 }, 3, 90, 0.5, ESF_STATUS_GOOD },
		{ { 90, NAN, NAN }, { 1, 1, 2 }, 3, NAN, 0.25, ESF_STATUS_UNKNOWN },
		{ { NAN, NAN, NAN }, { 1, 1, 2 }, 3, NAN, 0, ESF_STATUS_UNKNOWN },
		{ { 0 }, { 0 }, 0, NAN, 0, ESF_STATUS_UNKNOWN },
	};
	struct esf_config config = config_of(NULL, 0);

	for (size_t i = 0; i < COUNT(table); i++) {
		struct esf_site_view views[3];
		const struct esf_site_view *sites[3] = { &views[0], &views[1], &views[2] };
		struct esf_scope scope = { .name = "x" };

		for (int s = 0; s < 3; s++)
			views[s] = (struct esf_site_view){ .health = table[i].health[s] };
		esf_health_scope(&config, sites, table[i].weights, table[i].count, &scope);
		CU_ASSERT(near(scope.health, table[i].want));
		CU_ASSERT(near(scope.coverage, table[i].coverage));
		CU_ASSERT_EQUAL(scope.status, table[i].status);
	}
}

/* Good from 80, degraded from 60, 5 points of hysteresis. */
static void status_gets_better_only_beyond_the_hysteresis(void)
{
	enum {
		GOOD = ESF_STATUS_GOOD,
		DEGR = ESF_STATUS_DEGRADED,
		POOR = ESF_STATUS_BAD,
		NONE = ESF_STATUS_UNKNOWN
	};
	static const struct {
		double health;
		int before, held, by_edges;
	} table[] = {
		{ 80, NONE, GOOD, GOOD },
		{ 80, GOOD, GOOD, GOOD },
		{ 79.9, GOOD, DEGR, DEGR }, /* worse at once */
		{ 59.9, GOOD, POOR, POOR },
		{ 80, DEGR, DEGR, GOOD },
		{ 84.9, DEGR, DEGR, GOOD },
		{ 85, DEGR, GOOD, GOOD },
		{ 60, DEGR, DEGR, DEGR },
		{ 64.9, POOR, POOR, DEGR },
		{ 65, POOR, DEGR, DEGR },
		{ 84.9, POOR, DEGR, GOOD },
		{ 85, POOR, GOOD, GOOD },
		{ NAN, POOR, NONE, NONE },
	};
	struct esf_config config = config_of(NULL, 0);

	for (size_t i = 0; i < COUNT(table); i++) {
		config.health.hysteresis = 5;
		CU_ASSERT_EQUAL(
		    (int)esf_health_held(&config, table[i].health, table[i].before), table[i].held);
		config.health.hysteresis = 0;
		CU_ASSERT_EQUAL((int)esf_health_held(&config, table[i].health, table[i].before),
		    table[i].by_edges);
	}
}

/*
 * Weights 1 and 3 of known sites, 2 of an unknown one. The first loses 10 + 20 points to two KPIs
 * and 30 to the cap, the other 40 to the second KPI: (10, 20 + 3 * 40, 30) / 4 points.
 */
static void a_scopes_costs_add_up_to_what_is_missing(void)
{
	struct esf_config config = config_of(NULL, 0);
	struct esf_site_kpi values[3][2] = {
		{ { .mean = 1, .contribution = 10 }, { .mean = 1, .contribution = 20 } },
		{ { .mean = NAN, .contribution = NAN }, { .mean = 1, .contribution = 40 } },
		{ { .mean = 1, .contribution = NAN }, { .mean = 1, .contribution = NAN } },
	};
	struct esf_site_view views[3] = {
		{ .health = 40, .capped = 30 },
		{ .health = 60 },
		{ .health = NAN, .capped = NAN },
	};
	const struct esf_site_view *sites[3] = { &views[0], &views[1], &views[2] };
	const double weights[3] = { 1, 3, 2 };
	struct esf_scope scope = { .name = "x" };
	struct esf_scope_kpi costs[2];
	double scratch[3];

	esf_health_scope(&config, sites, weights, 3, &scope);
	for (int k = 0; k < 2; k++) {
		const struct esf_site_kpi *column[3] = { &values[0][k], &values[1][k],
			&values[2][k] };

		esf_rollup_kpi(column, weights, 3, scratch, &costs[k]);
	}
	CU_ASSERT(near(scope.known_weight, 4));
	CU_ASSERT(near(scope.health, 55));
	CU_ASSERT(near(scope.capped, 7.5));
	CU_ASSERT(near(costs[0].contribution / scope.known_weight, 2.5));
	CU_ASSERT(near(costs[1].contribution / scope.known_weight, 35));
}

void esf_suite_health(void)
{
	CU_pSuite suite = CU_add_suite("health", NULL, NULL);

	CU_ADD_TEST(suite, scores_follow_the_hand_computed_table);
	CU_ADD_TEST(suite, scores_on_the_edges_are_exact);
	CU_ADD_TEST(suite, site_health_follows_the_hand_computed_table);
	CU_ADD_TEST(suite, contributions_add_up_to_what_is_missing);
	CU_ADD_TEST(suite, status_thresholds_are_inclusive);
	CU_ADD_TEST(suite, nothing_scored_is_unknown);
	CU_ADD_TEST(suite, scope_health_is_the_weighted_mean_of_known_sites);
	CU_ADD_TEST(suite, status_gets_better_only_beyond_the_hysteresis);
	CU_ADD_TEST(suite, a_scopes_costs_add_up_to_what_is_missing);
}

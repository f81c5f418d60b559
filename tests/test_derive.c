/* SPDX-License-Identifier: Apache-2.0 */
#include "control/fleet/derive.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include <CUnit/CUnit.h>

#include "control/config/load.h"
#include "control/fleet/health.h"
#include "control/fleet/rollup.h"
#include "suites.h"

enum { A, B, RATIO, PERCENT, STOP, KPIS_COUNT, SITES_MAX = 4 };

/* percent is derived from ratio; ratio may be sent, and is not counted while stop is above 0. */
static const char fleet[] =
    "domain: custom\n"
    "kpis:\n"
    "  - {name: a}\n"
    "  - {name: b}\n"
    "  - {name: ratio, expr: a / b, derive: missing, exclude: [stop], weight: 3, good: [1, null], "
    "warn: [0.5, null], crit: [0.25, null]}\n"
    "  - {name: percent, expr: 100 * ratio, weight: 1, good: [100, null], warn: [50, null], "
    "crit: [25, null]}\n"
    "  - {name: stop}\n";

static struct esf_config *load(const char *text)
{
	struct esf_config *config;
	struct esf_faults faults;

	CU_ASSERT_EQUAL(esf_config_load_memory("t", text, strlen(text), &config, &faults), 0);
	for (uint32_t i = 0; i < faults.count; i++)
		fprintf(stderr, "\n%s\n", faults.lines[i]);
	esf_faults_free(&faults);
	return config;
}

static struct esf_site_kpi none(void)
{
	return (struct esf_site_kpi){ .mean = NAN, .stddev = NAN, .min = NAN, .max = NAN };
}

/* With that many good and refused records; no value where there is no good one. */
static struct esf_site_kpi measured(double mean, uint32_t good, uint32_t refused)
{
	struct esf_site_kpi kpi = none();

	kpi.good = kpi.samples = good;
	kpi.refused = refused;
	if (good > 0)
		kpi.mean = kpi.min = kpi.max = mean;
	return kpi;
}

static void a_site_has_what_its_inputs_give(void)
{
	struct esf_config *config = load(fleet);
	struct esf_site_kpi kpis[KPIS_COUNT] = { measured(6, 10, 0), measured(4, 3, 1), none(),
		none(), none() };

	CU_ASSERT_PTR_NOT_NULL_FATAL(config);
	esf_derive_site(config, kpis);
	CU_ASSERT_EQUAL(kpis[RATIO].mean, 1.5);
	CU_ASSERT_EQUAL(kpis[RATIO].min, 1.5);
	CU_ASSERT_EQUAL(kpis[RATIO].max, 1.5);
	CU_ASSERT_TRUE(isnan(kpis[RATIO].stddev));
	CU_ASSERT_TRUE(kpis[RATIO].derived);
	CU_ASSERT_EQUAL(kpis[RATIO].good, 3); /* 3 of 4 is less than 10 of 10 */
	CU_ASSERT_EQUAL(kpis[RATIO].refused, 1);
	CU_ASSERT_EQUAL(kpis[PERCENT].mean, 150);
	CU_ASSERT_EQUAL(kpis[PERCENT].good, 3);
	CU_ASSERT_FALSE(kpis[A].derived);
	esf_config_free(config);
}

static void without_an_input_or_by_zero_there_is_no_data(void)
{
	struct esf_config *config = load(fleet);
	struct esf_site_kpi cases[][KPIS_COUNT] = {
		{ measured(6, 1, 0), none(), none(), none(), none() },
		{ measured(6, 1, 0), measured(0, 1, 0), none(), none(), none() },
		{ measured(6, 1, 0), measured(0, 0, 5), none(), none(), none() },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		esf_derive_site(config, cases[i]);
		CU_ASSERT_TRUE(isnan(cases[i][RATIO].mean));
		CU_ASSERT_TRUE(isnan(cases[i][PERCENT].mean));
		CU_ASSERT_EQUAL(cases[i][RATIO].good, 0);
		CU_ASSERT_EQUAL(cases[i][RATIO].samples, 0);
		CU_ASSERT_EQUAL(cases[i][RATIO].refused, i == 2 ? 5 : 0);
	}
	esf_config_free(config);
}

static void what_a_site_sends_itself_stands(void)
{
	struct esf_config *config = load(fleet);
	struct esf_site_kpi sent[KPIS_COUNT] = { measured(6, 1, 0), measured(4, 1, 0),
		measured(0.7, 2, 0), none(), none() };
	struct esf_site_kpi refused[KPIS_COUNT] = { measured(6, 1, 0), measured(4, 1, 0),
		measured(0, 0, 2), none(), none() };

	esf_derive_site(config, sent);
	CU_ASSERT_EQUAL(sent[RATIO].mean, 0.7);
	CU_ASSERT_FALSE(sent[RATIO].derived);
	CU_ASSERT_EQUAL(sent[PERCENT].mean, 70);
	esf_derive_site(config, refused);
	CU_ASSERT_TRUE(isnan(refused[RATIO].mean));
	CU_ASSERT_EQUAL(refused[RATIO].refused, 2);
	esf_config_free(config);
}

/* ratio 0.5 scores 70, percent 50 scores 70. Excluded, ratio is in neither sum of health. */
static void excluded_time_is_shown_and_not_scored(void)
{
	struct esf_config *config = load(fleet);
	struct esf_site_kpi running[KPIS_COUNT] = { measured(2, 1, 0), measured(4, 1, 0), none(),
		none(), measured(0, 1, 0) };
	struct esf_site_kpi stopped[KPIS_COUNT] = { measured(2, 1, 0), measured(4, 1, 0), none(),
		none(), measured(0.25, 4, 0) };
	struct esf_site_view site;

	esf_derive_site(config, running);
	CU_ASSERT_EQUAL(running[RATIO].excluded, 0);
	esf_health_site(config, running, &site);
	CU_ASSERT_DOUBLE_EQUAL(running[RATIO].contribution, 22.5, 1e-12);
	esf_derive_site(config, stopped);
	CU_ASSERT_EQUAL(stopped[RATIO].excluded, 1 + STOP);
	CU_ASSERT_EQUAL(stopped[RATIO].mean, 0.5);
	esf_health_site(config, stopped, &site);
	CU_ASSERT_TRUE(isnan(stopped[RATIO].score));
	CU_ASSERT_TRUE(isnan(stopped[RATIO].contribution));
	CU_ASSERT_DOUBLE_EQUAL(stopped[PERCENT].contribution, 30, 1e-12);
	CU_ASSERT_EQUAL(site.coverage, 1);
	CU_ASSERT_DOUBLE_EQUAL(site.health, 70, 1e-12);
	esf_config_free(config);
}

struct scope {
	struct esf_config *config;
	struct esf_site_kpi kpis[SITES_MAX][KPIS_COUNT];
	double weights[SITES_MAX];
	uint32_t count;
};

/* The mean of a KPI, after those of all measured ones, as a view makes them. */
static double mean_of(struct scope *scope, uint32_t kpi)
{
	struct esf_site_view views[SITES_MAX];
	const struct esf_site_view *sites[SITES_MAX];
	const struct esf_site_kpi *column[SITES_MAX];
	struct esf_scope_kpi means[KPIS_COUNT];
	double scratch[SITES_MAX];
	uint8_t masks[2 * SITES_MAX];
	struct esf_derive_scope of = { scope->config, sites, scope->weights, scope->count, masks };

	CU_ASSERT_EQUAL(scope->config->derived_depth, 2);
	for (uint32_t s = 0; s < scope->count; s++) {
		esf_derive_site(scope->config, scope->kpis[s]);
		views[s] = (struct esf_site_view){ .kpis = scope->kpis[s] };
		sites[s] = &views[s];
	}
	for (uint32_t k = 0; k < KPIS_COUNT; k++) {
		for (uint32_t s = 0; s < scope->count; s++)
			column[s] = &scope->kpis[s][k];
		esf_rollup_kpi(column, scope->weights, scope->count, scratch, &means[k]);
	}
	means[RATIO].mean = esf_derive_mean(&of, means, RATIO);
	means[PERCENT].mean = esf_derive_mean(&of, means, PERCENT);
	return means[kpi].mean;
}

/* (3*1 + 1*90) / 4 over (3*2 + 1*100) / 4 = 93 / 106, not (3*0.5 + 0.9) / 4. */
static void a_scopes_ratio_is_pooled(void)
{
	struct scope scope = { .config = load(fleet),
		.kpis = { { measured(1, 1, 0), measured(2, 1, 0), none(), none(), none() },
		    { measured(90, 1, 0), measured(100, 1, 0), none(), none(), none() } },
		.weights = { 3, 1 },
		.count = 2 };

	CU_ASSERT_DOUBLE_EQUAL(mean_of(&scope, RATIO), 93.0 / 106, 1e-15);
	CU_ASSERT_DOUBLE_EQUAL(mean_of(&scope, PERCENT), 9300.0 / 106, 1e-12);
	esf_config_free(scope.config);
}

/* Sites with b = 0 have no ratio; their a counts all the same: (1 + 3) / 2 over (2 + 0) / 2. */
static void a_site_without_a_value_has_its_part_in_the_pool(void)
{
	struct scope scope = { .config = load(fleet),
		.kpis = { { measured(1, 1, 0), measured(2, 1, 0), none(), none(), none() },
		    { measured(3, 1, 0), measured(0, 1, 0), none(), none(), none() } },
		.weights = { 1, 1 },
		.count = 2 };

	CU_ASSERT_DOUBLE_EQUAL(mean_of(&scope, RATIO), 2, 1e-15);
	esf_config_free(scope.config);
}

/*
 * The third site is stopped, the fourth sends a ratio of 0.4 with weight 4. Pooled: (1 + 90) /
 * (2 + 100) with weights 1 and 1; together (0.4 * 4 + 91 / 102 * 2) / 6. percent's own sites are
 * all four, but of the third ratio counts nowhere.
 */
static void the_excluded_are_left_out_and_the_sent_counted_by_weight(void)
{
	struct scope scope = { .config = load(fleet),
		.kpis = { { measured(1, 1, 0), measured(2, 1, 0), none(), none(), none() },
		    { measured(90, 1, 0), measured(100, 1, 0), none(), none(), none() },
		    { measured(0, 1, 0), measured(1000, 1, 0), none(), none(), measured(1, 1, 0) },
		    { measured(7, 1, 0), measured(9, 1, 0), measured(0.4, 1, 0), none(), none() } },
		.weights = { 1, 1, 5, 4 },
		.count = 4 };
	double want = (0.4 * 4 + 91.0 / 102 * 2) / 6;

	CU_ASSERT_DOUBLE_EQUAL(mean_of(&scope, RATIO), want, 1e-15);
	CU_ASSERT_DOUBLE_EQUAL(mean_of(&scope, PERCENT), 100 * want, 1e-12);
	esf_config_free(scope.config);
}

static void faults_of_derived_kpis_have_their_place(void)
{
	static const struct {
		const char *text, *fault;
	} cases[] = {
		{ "domain: custom\nkpis:\n  - {name: a, expr: b + 1}\n  - {name: b, expr: 2 * a}\n",
		    "t:3: kpis[0].expr: goes in a circle: a -> b -> a" },
		{ "kpis:\n  - {name: a, expr: powr_kw / 2}\n",
		    "t:2: kpis[0].expr: got \"powr_kw\" at character 1, want the name of a KPI of "
		    "the domain or of kpis, did you mean \"power_kw\"?" },
		{ "kpis:\n  - name: a\n    exclude: [availabilty]\n",
		    "t:3: kpis[0].exclude: got \"availabilty\", want the name of a KPI of the "
		    "domain or of kpis, did you mean \"availability\"?" },
		{ "kpis:\n  - {name: a, exclude: [a]}\n",
		    "t:2: kpis[0].exclude: got \"a\", want another KPI than itself" },
		{ "kpis:\n  - {name: a, derive: missing}\n",
		    "t:2: kpis[0].derive: got \"missing\", but there is no expr to derive a by" },
		{ "kpis:\n  - {name: comms_quality, expr: power_kw}\n",
		    "t:2: kpis[0].expr: the dataplane counts comms_quality itself: remove it" },
		{ "normalise:\n  - {match: '^x$', kpi: a}\nkpis:\n  - {name: a, expr: power_kw}\n",
		    "t:2: normalise[0].kpi: got \"a\", want a measured KPI: that one is derived "
		    "(derive: missing would take both)" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct esf_config *config;
		struct esf_faults faults;

		CU_ASSERT_EQUAL(esf_config_load_memory(
		                    "t", cases[i].text, strlen(cases[i].text), &config, &faults),
		    -EINVAL);
		CU_ASSERT_EQUAL_FATAL(faults.count, 1);
		CU_ASSERT_STRING_EQUAL(faults.lines[0], cases[i].fault);
		if (strcmp(faults.lines[0], cases[i].fault) != 0)
			fprintf(stderr, "\n-> %s\n", faults.lines[0]);
		esf_faults_free(&faults);
	}
}

void esf_suite_derive(void)
{
	CU_pSuite suite = CU_add_suite("derive", NULL, NULL);

#define TEST(name) CU_add_test(suite, #name, name)
	TEST(a_site_has_what_its_inputs_give);
	TEST(without_an_input_or_by_zero_there_is_no_data);
	TEST(what_a_site_sends_itself_stands);
	TEST(excluded_time_is_shown_and_not_scored);
	TEST(a_scopes_ratio_is_pooled);
	TEST(a_site_without_a_value_has_its_part_in_the_pool);
	TEST(the_excluded_are_left_out_and_the_sent_counted_by_weight);
	TEST(faults_of_derived_kpis_have_their_place);
}

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

/* up falls back on whether the site was heard where neither it nor a says anything. */
static const char heard[] = "domain: custom\n"
                            "kpis:\n"
                            "  - {name: a, weight: 1, good: [1, null], warn: [0.5, null], crit: "
                            "[0.25, null]}\n"
                            "  - {name: up, expr: a, derive: heard, weight: 3, good: [1, null], "
                            "warn: [0.5, null], crit: [0.25, null]}\n"
                            "  - {name: link, derive: heard}\n";

static void what_was_heard_counts_where_no_signal_says(void)
{
	const struct {
		struct esf_site_kpi a, up;
		enum esf_hearing hearing;
		double mean, link;
		bool heard;
		uint32_t good;
		double coverage;
	} cases[] = {
		{ none(), none(), ESF_HEARD, 1, 1, true, 1, 0.75 },
		{ none(), none(), ESF_UNHEARD, 0, 0, true, 0, 0 },
		{ none(), none(), ESF_HEARING_NOTHING, NAN, NAN, false, 0, 0 },
		{ measured(0.5, 2, 0), none(), ESF_HEARD, 0.5, 1, false, 2, 1 },
		{ none(), measured(0.25, 3, 0), ESF_HEARD, 0.25, 1, false, 3, 0.75 },
		{ none(), measured(0, 0, 4), ESF_HEARD, NAN, 1, false, 0, 0 }, /* its own word */
		{ measured(0, 0, 1), none(), ESF_HEARD, NAN, 1, false, 0, 0 }, /* its input's */
	};
	struct esf_config *config = load(heard);

	CU_ASSERT_PTR_NOT_NULL_FATAL(config);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct esf_site_kpi kpis[3] = { cases[i].a, cases[i].up, none() };
		struct esf_site_view site;

		esf_derive_heard(config, kpis, cases[i].hearing);
		esf_derive_site(config, kpis);
		esf_health_site(config, kpis, &site);
		CU_ASSERT_TRUE(
		    isnan(cases[i].mean) ? isnan(kpis[1].mean) : kpis[1].mean == cases[i].mean);
		CU_ASSERT_TRUE(
		    isnan(cases[i].link) ? isnan(kpis[2].mean) : kpis[2].mean == cases[i].link);
		CU_ASSERT_EQUAL(kpis[1].heard, cases[i].heard);
		CU_ASSERT_EQUAL(kpis[1].good, cases[i].good);
		CU_ASSERT_EQUAL(isnan(kpis[1].score), cases[i].good == 0);
		CU_ASSERT_EQUAL(site.coverage, cases[i].coverage);
		CU_ASSERT_TRUE(!cases[i].heard || isnan(esf_view_compared(&kpis[1])));
	}
	esf_config_free(config);
}

/* Sent 0.5 by a with weight 1, heard with 2, silent with 1: (0.5 + 2 + 0) / 4. */
static void a_scope_pools_who_was_heard_by_weight(void)
{
	struct esf_config *config = load(heard);
	struct esf_site_kpi kpis[3][3] = { { measured(0.5, 1, 0), none(), none() },
		{ none(), none(), none() }, { none(), none(), none() } };
	static const enum esf_hearing hearings[] = { ESF_HEARD, ESF_HEARD, ESF_UNHEARD };
	struct esf_site_view views[3];
	const struct esf_site_view *sites[3];
	const double weights[3] = { 1, 2, 1 };
	struct esf_scope_kpi means[3] = { { .mean = 0.5 } };
	uint8_t masks[3];
	struct esf_derive_scope of = { config, sites, weights, 3, masks };

	CU_ASSERT_PTR_NOT_NULL_FATAL(config);
	for (int s = 0; s < 3; s++) {
		esf_derive_heard(config, kpis[s], hearings[s]);
		esf_derive_site(config, kpis[s]);
		views[s] = (struct esf_site_view){ .kpis = kpis[s] };
		sites[s] = &views[s];
	}
	CU_ASSERT_DOUBLE_EQUAL(esf_derive_mean(&of, means, 1), 2.5 / 4, 1e-15);
	esf_config_free(config);
}

static void heard_is_by_choice_only(void)
{
	struct esf_config *plain = load("domain: energy\n"),
	                  *chosen = load("domain: energy\n"
	                                 "kpis: [{name: availability, derive: heard}]\n");

	CU_ASSERT_FATAL(plain != NULL && chosen != NULL);
	CU_ASSERT_FALSE(plain->hears);
	CU_ASSERT_TRUE(chosen->hears && chosen->kpis[0].heard);
	CU_ASSERT_STRING_EQUAL(chosen->kpis[0].expr, "running"); /* which wins where it is sent */
	CU_ASSERT_EQUAL(chosen->measures_count, plain->measures_count);
	esf_config_free(plain);
	esf_config_free(chosen);
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
		{ "kpis:\n  - {name: a, derive: hear}\n",
		    "t:2: kpis[0].derive: got \"hear\", want always, missing, never or heard, did "
		    "you "
		    "mean \"heard\"?" },
		{ "kpis:\n  - {name: comms_quality, derive: heard}\n",
		    "t:2: kpis[0].derive: the dataplane counts comms_quality itself: remove it" },
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
	TEST(what_was_heard_counts_where_no_signal_says);
	TEST(a_scope_pools_who_was_heard_by_weight);
	TEST(heard_is_by_choice_only);
	TEST(faults_of_derived_kpis_have_their_place);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "control/fleet/intervals.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include <CUnit/CUnit.h>

#include "control/config/load.h"
#include "suites.h"

/*
 * Three sites, two of them in north, one in no region; windows of 10 s in intervals of 30 s and
 * 60 s. Expected values by tests/data/interval_values.py.
 */
enum { A, B, RATIO, STOP, HEALTH, COLUMNS, SITES = 3 };

#define WINDOW INT64_C(10000000000)

static const char text[] = "domain: custom\n"
                           "rollup: {window: 10s, intervals: [30s, 1m]}\n"
                           "regions: [{name: north, match: \"n-*\"}]\n"
                           "sites: [{id: 1, name: n-1}, {id: 2, name: n-2}, {id: 3, name: x-3}]\n"
                           "kpis:\n"
                           "  - {name: a}\n"
                           "  - {name: b}\n"
                           "  - {name: ratio, expr: a / b, weight: 1, good: [1, null], warn: [0.5, "
                           "null], crit: [0, null]}\n"
                           "  - {name: %s}\n";

struct made {
	struct esf_config *config;
	struct esf_roster *roster;
	struct esf_intervals *intervals;
	struct esf_view view;
	struct esf_site_view sites[SITES];
	struct esf_site_kpi kpis[SITES][COLUMNS];
	struct esf_scope_kpi scope_kpis[3][COLUMNS];
	struct esf_scope regions[2];
	uint32_t ended, finals;
};

static struct esf_config *load(const char *last_kpi)
{
	struct esf_config *config = NULL;
	struct esf_faults faults;
	char filled[1024];

	snprintf(filled, sizeof(filled), text, last_kpi);
	CU_ASSERT_EQUAL(esf_config_load_memory("t", filled, strlen(filled), &config, &faults), 0);
	for (uint32_t i = 0; i < faults.count; i++)
		fprintf(stderr, "\n%s\n", faults.lines[i]);
	esf_faults_free(&faults);
	CU_ASSERT_PTR_NOT_NULL_FATAL(config);
	return config;
}

static void count_end(void *context, struct esf_intervals *intervals, uint32_t interval)
{
	struct made *made = context;

	made->ended |= 1u << interval;
	made->finals += esf_intervals_span(intervals, interval).final;
}

static void use(struct made *made, const char *last_kpi)
{
	made->config = load(last_kpi);
	made->roster = esf_roster_create(made->config, SITES);
	CU_ASSERT_PTR_NOT_NULL_FATAL(made->roster);
	made->view.config = made->config;
	made->view.config_revision++;
	made->view.roster = made->roster;
}

static void set_up(struct made *made)
{
	*made = (struct made){ .view = { .regions_count = 2, .sites_count = SITES } };
	use(made, "stop");
	made->view.regions = made->regions;
	made->view.sites = made->sites;
	made->intervals = esf_intervals_create(made->config, SITES);
	CU_ASSERT_PTR_NOT_NULL_FATAL(made->intervals);
	esf_intervals_on_end(made->intervals, count_end, made);
}

static void tear_down(struct made *made)
{
	esf_intervals_destroy(made->intervals);
	esf_roster_destroy(made->roster);
	esf_config_free(made->config);
}

/* A window in which nobody says anything. */
static void empty(struct made *made, int64_t window)
{
	made->view.window = window;
	made->view.start = window * WINDOW;
	made->view.end = made->view.start + WINDOW;
	made->view.closed = true;
	for (uint32_t s = 0; s < SITES; s++) {
		made->sites[s] = (struct esf_site_view){ .health = NAN, .kpis = made->kpis[s] };
		for (uint32_t k = 0; k < COLUMNS; k++)
			made->kpis[s][k] = (struct esf_site_kpi){
				.mean = NAN, .stddev = NAN, .min = NAN, .max = NAN
			};
	}
	for (uint32_t r = 0; r < 3; r++) {
		struct esf_scope *scope = r < 2 ? &made->regions[r] : &made->view.fleet;

		*scope = (struct esf_scope){ .health = NAN, .kpis = made->scope_kpis[r] };
		for (uint32_t k = 0; k < COLUMNS; k++)
			made->scope_kpis[r][k] = (struct esf_scope_kpi){
				.mean = NAN, .stddev = NAN, .min = NAN, .max = NAN
			};
	}
}

static void set(struct made *made, uint32_t site, uint32_t kpi, double mean, double stddev)
{
	made->kpis[site][kpi] = (struct esf_site_kpi){
		.mean = mean, .stddev = stddev, .min = mean - 1, .max = mean + 1, .samples = 10
	};
}

static void set_north(struct made *made, uint32_t kpi, double mean, double stddev)
{
	made->scope_kpis[0][kpi] = (struct esf_scope_kpi){
		.mean = mean, .stddev = stddev, .min = mean, .max = mean, .samples = 5
	};
}

static void take(struct made *made)
{
	CU_ASSERT_EQUAL(esf_intervals_take(made->intervals, &made->view), 0);
}

static struct esf_interval_value value(struct made *made, uint32_t interval,
    enum esf_interval_level level, uint32_t place, uint32_t kpi)
{
	struct esf_interval_value out;

	esf_intervals_value(made->intervals, interval, level, place, kpi, &out);
	return out;
}

static bool near(double got, double want)
{
	bool same = isnan(want) ? isnan(got) : fabs(got - want) <= 1e-12 * (1 + fabs(want));

	if (!same)
		fprintf(stderr, "got %.17g, want %.17g\n", got, want);
	return same;
}

/* 6 with deviation 1, nothing, 2 without one: mean 4, variance (1 + 4 + 4) / 2. */
static void windows_with_data_have_equal_weight(void)
{
	struct esf_interval_value got;
	struct made made;

	set_up(&made);
	empty(&made, 300);
	set(&made, 0, A, 6, 1);
	take(&made);
	empty(&made, 301);
	take(&made);
	empty(&made, 302);
	set(&made, 0, A, 2, NAN);
	take(&made);
	got = value(&made, 0, ESF_INTERVAL_SITE, 0, A);
	CU_ASSERT(near(got.mean, 4));
	CU_ASSERT(near(got.stddev, sqrt(4.5)));
	CU_ASSERT_EQUAL(got.min, 1);
	CU_ASSERT_EQUAL(got.max, 7);
	CU_ASSERT_EQUAL(got.samples, 20);
	CU_ASSERT_EQUAL(got.windows, 2);
	CU_ASSERT(isnan(value(&made, 0, ESF_INTERVAL_SITE, 1, A).mean));
	CU_ASSERT_EQUAL(value(&made, 0, ESF_INTERVAL_SITE, 1, A).windows, 0);
	tear_down(&made);
}

static void intervals_are_aligned_revised_and_final_in_the_end(void)
{
	struct esf_interval_span span;
	struct made made;

	set_up(&made);
	CU_ASSERT_EQUAL(esf_intervals_span(made.intervals, 0).windows, 0);
	for (int64_t window = 301; window <= 305; window++) {
		empty(&made, window);
		set(&made, 0, A, (double)window, NAN);
		take(&made);
		span = esf_intervals_span(made.intervals, 0);
		CU_ASSERT_EQUAL(span.start, window / 3 * 3 * WINDOW);
		CU_ASSERT_EQUAL(span.end, span.start + 3 * WINDOW);
		CU_ASSERT_EQUAL(span.windows, window < 303 ? window - 300 : window - 302);
		CU_ASSERT_EQUAL(span.windows_total, 3);
		CU_ASSERT_EQUAL(span.revision, span.windows);
		CU_ASSERT_EQUAL(span.final, window % 3 == 2);
		CU_ASSERT_EQUAL(made.finals, window < 302 ? 0 : window < 305 ? 1 : 3);
	}
	CU_ASSERT(near(value(&made, 0, ESF_INTERVAL_SITE, 0, A).mean, 304));
	CU_ASSERT(near(value(&made, 1, ESF_INTERVAL_SITE, 0, A).mean, 303));
	CU_ASSERT_EQUAL(esf_intervals_span(made.intervals, 1).windows, 5);
	tear_down(&made);
}

/* 6/4 and 2/8: 4/6, not 0.875; in the other window the site said 3 itself. */
static void ratios_are_pooled_where_they_were_derived(void)
{
	struct esf_interval_value got;
	struct made made;

	set_up(&made);
	for (int64_t window = 300; window < 303; window++) {
		empty(&made, window);
		set(&made, 0, A, window == 301 ? 2 : 6, NAN);
		set(&made, 0, B, window == 301 ? 8 : 4, NAN);
		set(&made, 0, RATIO, window == 300 ? 1.5 : window == 301 ? 0.25 : 3, NAN);
		set_north(&made, A, window == 301 ? 1 : 3, 0);
		set_north(&made, B, 2, 0);
		set_north(&made, RATIO, window == 301 ? 0.5 : 1.5, 0);
		take(&made);
		if (window != 301)
			continue;
		got = value(&made, 0, ESF_INTERVAL_SITE, 0, RATIO);
		CU_ASSERT(near(got.mean, 4.0 / 6));
		CU_ASSERT(near(got.stddev, 0.6588078458684123));
		CU_ASSERT(near(got.score, 80)); /* 0.5 is 70, 1 is 100 */
	}
	got = value(&made, 0, ESF_INTERVAL_SITE, 0, RATIO);
	CU_ASSERT(near(got.mean, (2 * 4.0 / 6 + 3) / 3));
	CU_ASSERT_EQUAL(got.windows, 3);
	got = value(&made, 0, ESF_INTERVAL_REGION, 0, RATIO);
	CU_ASSERT(near(got.mean, 7.0 / 6));
	tear_down(&made);
}

static void excluded_windows_are_left_out(void)
{
	struct made made;

	set_up(&made);
	empty(&made, 300);
	set(&made, 0, RATIO, 1, NAN);
	take(&made);
	empty(&made, 301);
	set(&made, 0, RATIO, 9, NAN);
	made.kpis[0][RATIO].excluded = 1 + STOP;
	take(&made);
	CU_ASSERT_EQUAL(value(&made, 0, ESF_INTERVAL_SITE, 0, RATIO).mean, 1);
	CU_ASSERT_EQUAL(value(&made, 0, ESF_INTERVAL_SITE, 0, RATIO).windows, 1);
	tear_down(&made);
}

/* Site means over the interval: 2, 5 in north, 20 in no region. */
static void scopes_have_their_windows_mean_and_their_sites_quantiles(void)
{
	struct esf_interval_value got;
	struct made made;

	set_up(&made);
	empty(&made, 300);
	set(&made, 0, A, 1, NAN);
	set(&made, 1, A, 5, NAN);
	set_north(&made, A, 3, 2);
	made.sites[0].health = made.regions[0].health = 90;
	take(&made);
	empty(&made, 301);
	set(&made, 0, A, 3, NAN);
	set(&made, 2, A, 20, NAN);
	set_north(&made, A, 3.5, 0);
	made.sites[0].health = made.regions[0].health = 80;
	take(&made);
	got = value(&made, 0, ESF_INTERVAL_REGION, 0, A);
	CU_ASSERT(near(got.mean, 3.25));
	CU_ASSERT(near(got.stddev, sqrt((4 + 0.0625 + 0.0625) / 2)));
	CU_ASSERT_EQUAL(got.sites, 2);
	CU_ASSERT_EQUAL(got.samples, 10);
	CU_ASSERT_EQUAL(got.p50, 2);
	CU_ASSERT_EQUAL(got.p95, 5);
	CU_ASSERT_EQUAL(value(&made, 0, ESF_INTERVAL_SITE, 0, HEALTH).mean, 85);
	CU_ASSERT_EQUAL(value(&made, 0, ESF_INTERVAL_REGION, 0, HEALTH).mean, 85);
	made.scope_kpis[2][A] = made.scope_kpis[0][A];
	made.view.window++;
	made.view.start += WINDOW;
	made.view.end += WINDOW;
	take(&made);
	got = value(&made, 0, ESF_INTERVAL_FLEET, 0, A);
	CU_ASSERT_EQUAL(got.sites, 3);
	CU_ASSERT_EQUAL(got.p50, 5); /* of 7/3, 5, 20 */
	CU_ASSERT_EQUAL(got.p95, 20);
	CU_ASSERT_STRING_EQUAL(esf_intervals_region(made.intervals, 0), "north");
	CU_ASSERT_STRING_EQUAL(esf_intervals_region(made.intervals, 1), "unassigned");
	tear_down(&made);
}

static void a_gap_of_windows_ends_what_ran(void)
{
	struct made made;

	set_up(&made);
	empty(&made, 300);
	set(&made, 0, A, 1, NAN);
	take(&made);
	empty(&made, 310);
	take(&made);
	CU_ASSERT_EQUAL(made.finals, 2);
	CU_ASSERT(isnan(value(&made, 0, ESF_INTERVAL_SITE, 0, A).mean));
	CU_ASSERT_EQUAL(esf_intervals_span(made.intervals, 0).start, 309 * WINDOW);
	tear_down(&made);
}

static void reloads_keep_intervals_unless_kpis_change(void)
{
	struct made made, former;

	set_up(&made);
	empty(&made, 300);
	set(&made, 0, A, 1, NAN);
	take(&made);
	former = made;
	use(&made, "stop");
	esf_roster_destroy(former.roster);
	esf_config_free(former.config);
	empty(&made, 301);
	set(&made, 0, A, 3, NAN);
	take(&made);
	CU_ASSERT_EQUAL(value(&made, 0, ESF_INTERVAL_SITE, 0, A).mean, 2);
	former = made;
	use(&made, "other");
	esf_roster_destroy(former.roster);
	esf_config_free(former.config);
	empty(&made, 302);
	set(&made, 0, A, 7, NAN);
	CU_ASSERT_EQUAL(made.ended, 0);
	take(&made);
	CU_ASSERT_EQUAL(made.ended, 3);
	CU_ASSERT_EQUAL(made.finals, 1);
	CU_ASSERT_EQUAL(value(&made, 0, ESF_INTERVAL_SITE, 0, A).mean, 7);
	CU_ASSERT_STRING_EQUAL(esf_intervals_column(made.intervals, STOP), "other");
	tear_down(&made);
}

static void a_flush_gives_what_runs(void)
{
	struct made made;

	set_up(&made);
	esf_intervals_flush(made.intervals);
	CU_ASSERT_EQUAL(made.ended, 0);
	empty(&made, 302);
	take(&made);
	CU_ASSERT_EQUAL(made.ended, 1);
	made.ended = 0;
	esf_intervals_flush(made.intervals);
	CU_ASSERT_EQUAL(made.ended, 2); /* the other one is final */
	CU_ASSERT_EQUAL(made.finals, 1);
	tear_down(&made);
}

/* Of site 1, in north: without data it counts too. The next interval begins at none. */
static void windows_in_maintenance_are_counted(void)
{
	static const bool in[] = { true, false, true, false };
	static const uint32_t short_counts[] = { 1, 1, 2, 0 }, long_counts[] = { 1, 1, 2, 2 };
	struct made made;

	set_up(&made);
	for (uint32_t w = 0; w < 4; w++) {
		const struct {
			enum esf_interval_level level;
			uint32_t place, share;
		} places[] = { { ESF_INTERVAL_SITE, 1, 1 }, { ESF_INTERVAL_SITE, 0, 0 },
			{ ESF_INTERVAL_REGION, 0, 1 }, { ESF_INTERVAL_REGION, 1, 0 },
			{ ESF_INTERVAL_FLEET, 0, 1 } };

		empty(&made, 6 + w);
		made.sites[1].maintenance = in[w];
		made.regions[0].maintenance = made.view.fleet.maintenance = in[w];
		take(&made);
		for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
			CU_ASSERT_EQUAL(esf_intervals_maintenance(
			                    made.intervals, 0, places[i].level, places[i].place),
			    places[i].share * short_counts[w]);
			CU_ASSERT_EQUAL(esf_intervals_maintenance(
			                    made.intervals, 1, places[i].level, places[i].place),
			    places[i].share * long_counts[w]);
		}
	}
	tear_down(&made);
}

void esf_suite_interval(void)
{
	CU_pSuite suite = CU_add_suite("interval", NULL, NULL);

	CU_ADD_TEST(suite, windows_with_data_have_equal_weight);
	CU_ADD_TEST(suite, intervals_are_aligned_revised_and_final_in_the_end);
	CU_ADD_TEST(suite, ratios_are_pooled_where_they_were_derived);
	CU_ADD_TEST(suite, excluded_windows_are_left_out);
	CU_ADD_TEST(suite, windows_in_maintenance_are_counted);
	CU_ADD_TEST(suite, scopes_have_their_windows_mean_and_their_sites_quantiles);
	CU_ADD_TEST(suite, a_gap_of_windows_ends_what_ran);
	CU_ADD_TEST(suite, reloads_keep_intervals_unless_kpis_change);
	CU_ADD_TEST(suite, a_flush_gives_what_runs);
}

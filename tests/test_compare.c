/* SPDX-License-Identifier: Apache-2.0 */
#include "control/fleet/compare.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include <CUnit/CUnit.h>

#include "suites.h"

/* Twelve sites: 0..5 in region a, 6..9 in b, 10 and 11 in none; two KPIs that are compared, "heat"
 * (min_effect 2) and "flow", and between them one that is not. */
enum { SITES = 12, KPIS = 3, HEAT = 0, IDLE = 1, FLOW = 2 };

#define HOUR INT64_C(3600000000000)

static char names[SITES][8], heat[] = "heat", idle[] = "idle", flow[] = "flow";
static char a[] = "a", b[] = "b", vendor[] = "vendor", acme[] = "acme", zenith[] = "zenith";
static char by_region[] = "region", by_fleet[] = "fleet", by_vendor[] = "label:vendor";
static struct esf_region_config regions[] = { { .name = a }, { .name = b } };
static struct esf_label of_acme[] = { { vendor, acme } }, of_zenith[] = { { vendor, zenith } };
static struct esf_site_config sites[SITES];
static struct esf_kpi kpis[KPIS];
static struct esf_config config;
static struct esf_roster *roster;
static struct esf_compare *compare;
static struct esf_site_kpi values[SITES][KPIS];
static struct esf_site_view site_views[SITES];
static struct esf_view view;
static uint64_t revision;

static void start(char *peers)
{
	kpis[HEAT] = (struct esf_kpi){ .name = heat, .compare = true, .min_effect = 2 };
	kpis[IDLE] = (struct esf_kpi){ .name = idle };
	kpis[FLOW] = (struct esf_kpi){ .name = flow, .compare = true };
	for (uint32_t s = 0; s < SITES; s++) {
		snprintf(names[s], sizeof(names[s]), "s-%u", s);
		sites[s] = (struct esf_site_config){ .id = s + 1,
			.name = names[s],
			.weight = 1,
			.region = s < 6    ? 0
			          : s < 10 ? 1
			                   : 2,
			.labels_count = s < 11,
			.labels = s % 2 == 0 ? of_acme : of_zenith };
		for (uint32_t k = 0; k < KPIS; k++)
			values[s][k].mean = s;
		site_views[s].kpis = values[s];
	}
	config = (struct esf_config){ .regions_count = 2,
		.regions = regions,
		.sites_count = SITES,
		.sites = sites,
		.kpis_count = KPIS,
		.kpis = kpis,
		.rollup = { .window_ns = HOUR },
		.compare = {
		    .threshold = 3.5, .peers = peers, .min_peers = 3, .rounds = { 3, 5 } } };
	revision = 1;
	roster = esf_roster_create(&config, SITES);
	compare = esf_compare_create(&config, revision, SITES);
	view = (struct esf_view){ .closed = true };
	CU_ASSERT_FATAL(roster != NULL && compare != NULL);
}

static void stop(void)
{
	esf_comparison_free(view.comparison);
	esf_compare_destroy(compare);
	esf_roster_destroy(roster);
}

/* Closes the next window. */
static void close_window(void)
{
	esf_comparison_free(view.comparison);
	view = (struct esf_view){ .closed = true,
		.start = view.start + HOUR,
		.config = &config,
		.config_revision = revision,
		.roster = roster,
		.sites_count = SITES,
		.sites = site_views };
	CU_ASSERT_EQUAL_FATAL(esf_compare_close(compare, &view), 0);
}

static struct esf_oddity read(uint32_t site, uint32_t kpi)
{
	struct esf_oddity out;

	esf_comparison_read(&view, site, kpi, &out);
	return out;
}

static bool is_outlier(uint32_t site, uint32_t kpi)
{
	return read(site, kpi).odd & ESF_ODD_PEERS;
}

/* A window for each letter, in which site 0's heat is far from its peers' (F), near them (n) or
 * absent (-); and whether it is an outlier after each: '1' or '0'. */
static void play(const char *windows, const char *want)
{
	for (size_t i = 0; windows[i] != '\0'; i++) {
		values[0][HEAT].mean = windows[i] == 'F' ? 99 : windows[i] == 'n' ? 2.5 : NAN;
		close_window();
		CU_ASSERT_EQUAL(is_outlier(0, HEAT), want[i] == '1');
		if (is_outlier(0, HEAT) != (want[i] == '1'))
			fprintf(stderr, "%s at %zu\n", windows, i);
	}
}

static void peers_are_the_sites_of_the_region(void)
{
	start(by_region);
	close_window();
	CU_ASSERT_EQUAL(read(0, HEAT).peers, 6);
	CU_ASSERT_EQUAL(read(0, HEAT).median, 2.5);
	CU_ASSERT_DOUBLE_EQUAL(read(0, HEAT).z, -0.6745 * 2.5 / 1.5, 1e-12);
	CU_ASSERT_EQUAL(read(7, FLOW).peers, 4);
	CU_ASSERT_EQUAL(read(7, FLOW).median, 7.5);
	CU_ASSERT_EQUAL(read(11, FLOW).peers, 2);
	CU_ASSERT_TRUE(isnan(read(11, FLOW).median) && isnan(read(11, FLOW).z));
	stop();
}

static void peers_are_the_whole_fleet(void)
{
	start(by_fleet);
	close_window();
	CU_ASSERT_EQUAL(read(11, HEAT).peers, 12);
	CU_ASSERT_EQUAL(read(11, HEAT).median, 5.5);
	CU_ASSERT_DOUBLE_EQUAL(read(11, HEAT).z, 0.6745 * 5.5 / 3, 1e-12);
	stop();
}

/* Site 11 has no label: 0, 2, .. 10 are acme's, 1, 3, .. 9 zenith's. */
static void peers_have_the_same_value_of_the_label(void)
{
	start(by_vendor);
	close_window();
	CU_ASSERT_EQUAL(read(4, HEAT).peers, 6);
	CU_ASSERT_EQUAL(read(4, HEAT).median, 5);
	CU_ASSERT_EQUAL(read(5, HEAT).peers, 5);
	CU_ASSERT_EQUAL(read(5, HEAT).median, 5);
	CU_ASSERT_EQUAL(read(11, HEAT).peers, 0);
	CU_ASSERT_TRUE(isnan(read(11, HEAT).z));
	stop();
}

static void what_is_not_compared_has_no_verdict(void)
{
	start(by_region);
	values[0][IDLE].mean = 1e9;
	for (int i = 0; i < 5; i++)
		close_window();
	CU_ASSERT_FALSE(read(0, IDLE).compared);
	CU_ASSERT_EQUAL(read(0, IDLE).peers, 0);
	CU_ASSERT_TRUE(isnan(read(0, IDLE).z) && isnan(read(0, IDLE).median));
	CU_ASSERT_EQUAL(read(0, IDLE).odd, 0);
	stop();
}

static void a_site_without_data_is_nobodys_peer(void)
{
	start(by_region);
	values[5][HEAT].mean = NAN;
	close_window();
	CU_ASSERT_EQUAL(read(0, HEAT).peers, 5);
	CU_ASSERT_EQUAL(read(0, HEAT).median, 2);
	CU_ASSERT_EQUAL(read(5, HEAT).peers, 0);
	CU_ASSERT_TRUE(isnan(read(5, HEAT).z) && isnan(read(5, HEAT).median));
	stop();
}

static void three_of_five_rounds_begin_and_end_an_outlier(void)
{
	start(by_region);
	play("FFFnnnnn", "00111000");
	stop();
	start(by_region);
	play("FnFnFnFFnnn", "00001011100");
	stop();
}

static void rounds_without_a_verdict_are_not_far_out(void)
{
	start(by_region);
	play("FFF-----", "00111000");
	stop();
}

/* With [4, 5] four near rounds end it; with [1, 3] one far round begins it, and it lasts as long as
 * one is among the last three. */
static void the_same_count_ends_it(void)
{
	start(by_region);
	config.compare.rounds[0] = 4;
	play("FFFFnnnFnnn", "00011111000");
	stop();
	start(by_region);
	config.compare.rounds[0] = 1;
	config.compare.rounds[1] = 3;
	play("nFnnnFF", "0111011");
	stop();
}

static void the_longest_rounds_fill_the_history(void)
{
	char windows[130], want[130];

	for (int i = 0; i < 129; i++) {
		windows[i] = i < 64 ? 'F' : 'n';
		want[i] = i >= 63 && i < 127 ? '1' : '0';
	}
	windows[129] = want[129] = '\0';
	start(by_region);
	config.compare.rounds[0] = config.compare.rounds[1] = 64;
	play(windows, want);
	stop();
}

/* Of 0, 1, .. 5 and then 1.9, M of the last one grows beyond all bounds while it is near. */
static void a_small_difference_is_no_outlier(void)
{
	start(by_region);
	for (uint32_t s = 0; s < 6; s++)
		values[s][HEAT].mean = values[s][FLOW].mean = s == 0 ? 1.9 : s * 1e-6;
	for (int i = 0; i < 3; i++)
		close_window();
	CU_ASSERT_TRUE(read(0, HEAT).z > 1000);
	CU_ASSERT_FALSE(is_outlier(0, HEAT));
	CU_ASSERT_TRUE(is_outlier(0, FLOW));
	stop();
}

static void too_few_peers_give_no_verdict(void)
{
	start(by_region);
	config.compare.min_peers = 7;
	values[0][HEAT].mean = 1e6;
	for (int i = 0; i < 5; i++)
		close_window();
	CU_ASSERT_EQUAL(read(0, HEAT).peers, 6);
	CU_ASSERT_TRUE(isnan(read(0, HEAT).z) && isnan(read(0, HEAT).median));
	CU_ASSERT_FALSE(is_outlier(0, HEAT));
	stop();
}

/* Among six, fleetwise wants 9.9: M is 0.6745 (x - 3.5) / 1.5 for x in place of site 0's, so 7.4 at
 * x = 20 and 12 at x = 30. */
static void fleetwise_takes_the_threshold_of_as_many_peers(void)
{
	start(by_region);
	config.compare.fleetwise = true;
	values[0][FLOW].mean = 20;
	values[0][HEAT].mean = 30;
	for (int i = 0; i < 3; i++)
		close_window();
	CU_ASSERT_DOUBLE_EQUAL(read(0, FLOW).z, 0.6745 * 16.5 / 1.5, 1e-12);
	CU_ASSERT_FALSE(is_outlier(0, FLOW));
	CU_ASSERT_DOUBLE_EQUAL(read(0, HEAT).z, 0.6745 * 26.5 / 1.5, 1e-12);
	CU_ASSERT_TRUE(is_outlier(0, HEAT));
	stop();
}

/* The rounds of a KPI go on under its name, wherever a reload put it; a site's region may change.
 */
static void a_reload_keeps_the_rounds(void)
{
	struct esf_kpi moved;

	start(by_region);
	play("FF", "00");
	moved = kpis[HEAT];
	kpis[HEAT] = kpis[IDLE];
	kpis[IDLE] = moved;
	for (uint32_t s = 0; s < SITES; s++)
		values[s][IDLE] = values[s][HEAT];
	sites[0].region = 1;
	revision++;
	close_window();
	CU_ASSERT_TRUE(is_outlier(0, IDLE));
	CU_ASSERT_EQUAL(read(0, IDLE).peers, 5);
	CU_ASSERT_FALSE(read(0, HEAT).compared);
	stop();
}

/* As the headers state: 20 bytes, and for each of two KPIs 25, with a baseline of the week 169 cells. */
static void memory_is_what_the_headers_state(void)
{
	start(by_region);
	CU_ASSERT_EQUAL(esf_compare_site_size(&config), 20 + 2 * 25);
	config.compare.baseline_slots = ESF_BASELINE_WEEK;
	CU_ASSERT_EQUAL(esf_compare_site_size(&config), 20 + 2 * (25 + 169 * 16));
	stop();
}

static void a_provisional_view_says_who_is_odd(void)
{
	start(by_region);
	play("FFF", "001");
	esf_comparison_free(view.comparison);
	view.closed = false;
	view.comparison = NULL;
	CU_ASSERT_EQUAL(esf_compare_open(compare, &view), 0);
	CU_ASSERT_TRUE(is_outlier(0, HEAT));
	CU_ASSERT_FALSE(is_outlier(1, HEAT));
	CU_ASSERT_TRUE(isnan(read(0, HEAT).z) && isnan(read(0, HEAT).median));
	CU_ASSERT_EQUAL(read(0, HEAT).peers, 0);
	CU_ASSERT_EQUAL(esf_comparison_count(&view, HEAT, ESF_ODD_PEERS), 1);
	CU_ASSERT_EQUAL(esf_comparison_count(&view, IDLE, ESF_ODD_PEERS), 0);
	stop();
}

/* It is judged as ever; only who counts those to be alerted about leaves it out. */
static void a_site_in_maintenance_is_odd_and_not_counted(void)
{
	static struct esf_maintenance_config windows[2];

	start(by_region);
	config.maintenance = windows;
	site_views[0].maintenance = 1;
	play("FFF", "001");
	CU_ASSERT_EQUAL(esf_comparison_count(&view, HEAT, ESF_ODD_PEERS), 0);
	CU_ASSERT_EQUAL(esf_comparison_count(&view, HEAT, 0), 1);
	CU_ASSERT_PTR_EQUAL(esf_view_suppression(&view, 0), &windows[0]);
	site_views[0].maintenance = 0;
	site_views[0].settling = 2; /* it rests on windows that were */
	play("F", "1");
	CU_ASSERT_TRUE(is_outlier(0, HEAT));
	CU_ASSERT_EQUAL(esf_comparison_count(&view, HEAT, ESF_ODD_PEERS), 0);
	CU_ASSERT_PTR_EQUAL(esf_view_suppression(&view, 0), &windows[1]);
	site_views[0].settling = 0;
	play("F", "1");
	CU_ASSERT_EQUAL(esf_comparison_count(&view, HEAT, ESF_ODD_PEERS), 1);
	CU_ASSERT_EQUAL(esf_comparison_count(&view, HEAT, 0), 0);
	CU_ASSERT_PTR_NULL(esf_view_suppression(&view, 0));
	stop();
}

/* The whole region moves at once: nobody is odd against its peers, all are against themselves. The
 * day has 24 windows; from the third day on there is an opinion. */
static void a_second_opinion_is_against_what_is_usual(void)
{
	start(by_region);
	config.compare.baseline_slots = ESF_BASELINE_DAY;
	revision++;
	for (int window = 0; window < 10 * 24; window++) {
		for (uint32_t s = 0; s < 6; s++)
			values[s][HEAT].mean = s + window % 7 * 0.25;
		close_window();
		CU_ASSERT_EQUAL(isnan(read(3, HEAT).usual), window < 48);
	}
	CU_ASSERT_EQUAL(read(3, HEAT).odd, 0);
	CU_ASSERT_DOUBLE_EQUAL(read(3, HEAT).usual, 3.75, 0.5);
	for (uint32_t s = 0; s < 6; s++)
		values[s][HEAT].mean = s + 50;
	for (int i = 0; i < 3; i++)
		close_window();
	CU_ASSERT_TRUE(read(3, HEAT).self_z > 3.5);
	CU_ASSERT_EQUAL(read(3, HEAT).odd, ESF_ODD_ITSELF);
	CU_ASSERT_EQUAL(esf_comparison_count(&view, HEAT, ESF_ODD_ITSELF), 6);
	values[3][HEAT].mean = 1000;
	for (int i = 0; i < 3; i++)
		close_window();
	CU_ASSERT_EQUAL(read(3, HEAT).odd, ESF_ODD_PEERS | ESF_ODD_ITSELF);
	CU_ASSERT_EQUAL(esf_comparison_count(&view, HEAT, ESF_ODD_PEERS | ESF_ODD_ITSELF), 1);
	stop();
}

void esf_suite_compare(void)
{
	CU_pSuite suite = CU_add_suite("compare", NULL, NULL);

	CU_ADD_TEST(suite, peers_are_the_sites_of_the_region);
	CU_ADD_TEST(suite, peers_are_the_whole_fleet);
	CU_ADD_TEST(suite, peers_have_the_same_value_of_the_label);
	CU_ADD_TEST(suite, what_is_not_compared_has_no_verdict);
	CU_ADD_TEST(suite, a_site_without_data_is_nobodys_peer);
	CU_ADD_TEST(suite, three_of_five_rounds_begin_and_end_an_outlier);
	CU_ADD_TEST(suite, rounds_without_a_verdict_are_not_far_out);
	CU_ADD_TEST(suite, the_same_count_ends_it);
	CU_ADD_TEST(suite, the_longest_rounds_fill_the_history);
	CU_ADD_TEST(suite, a_small_difference_is_no_outlier);
	CU_ADD_TEST(suite, too_few_peers_give_no_verdict);
	CU_ADD_TEST(suite, fleetwise_takes_the_threshold_of_as_many_peers);
	CU_ADD_TEST(suite, a_reload_keeps_the_rounds);
	CU_ADD_TEST(suite, memory_is_what_the_headers_state);
	CU_ADD_TEST(suite, a_provisional_view_says_who_is_odd);
	CU_ADD_TEST(suite, a_site_in_maintenance_is_odd_and_not_counted);
	CU_ADD_TEST(suite, a_second_opinion_is_against_what_is_usual);
}

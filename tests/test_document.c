/* SPDX-License-Identifier: Apache-2.0 */
#include "control/api/document.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <CUnit/CUnit.h>

#include "suites.h"

/* Two sites against the order of their ids, the second one never heard of and in no region. */
static char power_kw[] = "power_kw", voltage[] = "voltage", north[] = "north";
static char n_9[] = "n-9", x_4[] = "x-4";
static char vendor[] = "vendor", acme[] = "acme", feeder[] = "feeder", f_1[] = "F\"1";
static struct esf_kpi kpis[] = { { .name = power_kw, .weight = 1 }, { .name = voltage } };
static struct esf_region_config regions[] = { { .name = north } };
static struct esf_label site_labels[] = { { vendor, acme }, { feeder, f_1 } };
static struct esf_site_config sites[] = {
	{ .id = 9,
	    .name = n_9,
	    .weight = 2.5,
	    .region = 0,
	    .labels_count = 2,
	    .labels = site_labels },
	{ .id = 4, .name = x_4, .weight = 1, .region = 1 },
};
static char in_north[] = "region:north", why[] = "a \"new\" pump";
static struct esf_maintenance_config windows[] = {
	{ .scope = in_north, .from_ns = 1, .to_ns = INT64_C(2000000000000000000), .why = why }
};
static const struct esf_config config = { .kpis_count = 2,
	.maintenance_count = 1,
	.maintenance = windows,
	.kpis = kpis,
	.regions_count = 1,
	.regions = regions,
	.sites_count = 2,
	.sites = sites };

#define NO_VALUES .mean = NAN, .stddev = NAN, .min = NAN, .max = NAN, .score = NAN

static const struct esf_site_kpi kpis_9[] = {
	{ .mean = 0.1,
	    .stddev = 0.5,
	    .min = -1,
	    .max = 2,
	    .samples = 3,
	    .good = 3,
	    .refused = 1,
	    .score = 85,
	    .contribution = 15 },
	{ NO_VALUES, .refused = 2, .contribution = NAN },
};
static const struct esf_site_kpi kpis_4[] = {
	{ NO_VALUES, .contribution = NAN },
	{ NO_VALUES, .contribution = NAN },
};
static const struct esf_site_view site_views[] = {
	{ .health = 85,
	    .status = ESF_STATUS_GOOD,
	    .coverage = 0.75,
	    .reporting = true,
	    .last_seen = INT64_C(1700000000123456789),
	    .mode = ESF_DOWNSAMPLE,
	    .maintenance = 1,
	    .lost = 7,
	    .duplicates = 11,
	    .storms = true,
	    .shed = { 5, 0, 2 },
	    .kpis = kpis_9 },
	{ .health = NAN,
	    .capped = NAN,
	    .status = ESF_STATUS_UNKNOWN,
	    .silent = true,
	    .silent_windows = 3,
	    .kpis = kpis_4 },
};

static const struct esf_scope_kpi north_kpis[] = {
	{ .mean = 0.1,
	    .stddev = 0,
	    .min = -1,
	    .max = 2,
	    .p50 = 0.1,
	    .p95 = 0.1,
	    .sites = 1,
	    .samples = 3,
	    .score = 85,
	    .contribution = 14.5 },
	{ NO_VALUES, .p50 = NAN, .p95 = NAN, .contribution = NAN },
};
static const struct esf_scope_kpi no_kpis[] = {
	{ NO_VALUES, .p50 = NAN, .p95 = NAN, .contribution = NAN },
	{ NO_VALUES, .p50 = NAN, .p95 = NAN, .contribution = NAN },
};
static const struct esf_scope region_scopes[] = {
	{ .name = "north",
	    .health = 85,
	    .capped = 0.5,
	    .status = ESF_STATUS_GOOD,
	    .coverage = 1,
	    .known_weight = 2.5,
	    .total = 1,
	    .reporting = 1,
	    .good = 1,
	    .unknown = 0,
	    .maintenance = 1,
	    .kpis = north_kpis },
	{ .name = "unassigned",
	    .health = NAN,
	    .capped = NAN,
	    .status = ESF_STATUS_UNKNOWN,
	    .coverage = 0,
	    .known_weight = 0,
	    .total = 1,
	    .reporting = 0,
	    .good = 0,
	    .unknown = 1,
	    .kpis = no_kpis },
};
static struct esf_view view = {
	.time = INT64_C(1700000020000000001),
	.window = 170000000,
	.start = INT64_C(1700000000000000000),
	.end = INT64_C(1700000010000000000),
	.closed = true,
	.config_revision = 3,
	.config = &config,
	.regions_count = 2,
	.fleet = { .name = "fleet",
	    .health = 85,
	    .capped = 0.5,
	    .status = ESF_STATUS_GOOD,
	    .coverage = 0.7,
	    .known_weight = 2.5,
	    .total = 2,
	    .reporting = 1,
	    .good = 1,
	    .unknown = 1,
	    .maintenance = 1,
	    .kpis = north_kpis },
	.regions = region_scopes,
	.sites = site_views,
};

#define WINDOW "{\"start\":1700000000000000000,\"end\":1700000010000000000,\"closed\":true}"
#define STORM "{\"active\":true,\"sites\":[\"n-9\"],\"fleet\":false}"
#define NO_SCOPE_KPI                                                                          \
	"{\"mean\":null,\"stddev\":null,\"min\":null,\"max\":null,\"p50\":null,\"p95\":null," \
	"\"sites\":0,\"samples\":0,\"score\":null,\"contribution\":null}"
#define NORTH_KPIS                                                                             \
	"{\"power_kw\":{\"mean\":0.10000000000000001,\"stddev\":0.0,\"min\":-1.0,\"max\":2.0," \
	"\"p50\":0.10000000000000001,\"p95\":0.10000000000000001,\"sites\":1,\"samples\":3,"   \
	"\"score\":85.0,\"contribution\":14.5},\"voltage\":" NO_SCOPE_KPI "}"
#define NORTH                                                                                      \
	"{\"name\":\"north\",\"health\":85.0,\"capped\":0.5,\"status\":\"good\",\"coverage\":1.0," \
	"\"sites\":{"                                                                              \
	"\"total\":1,\"reporting\":1,\"good\":1,\"degraded\":0,\"bad\":0,\"unknown\":0},"          \
	"\"maintenance\":1,"                                                                       \
	"\"kpis\":" NORTH_KPIS "}"
#define UNASSIGNED                                                                         \
	"{\"name\":\"unassigned\",\"health\":null,\"capped\":null,\"status\":\"unknown\"," \
	"\"coverage\":0.0,"                                                                \
	"\"sites\":{\"total\":1,\"reporting\":0,\"good\":0,\"degraded\":0,\"bad\":0,"      \
	"\"unknown\":1},\"maintenance\":0,\"kpis\":{\"power_kw\":" NO_SCOPE_KPI            \
	",\"voltage\":" NO_SCOPE_KPI "}}"
#define FLEET                                                                                    \
	"{\"name\":\"fleet\",\"health\":85.0,\"capped\":0.5,\"status\":\"good\",\"coverage\":0." \
	"69999999999999996"                                                                      \
	",\"sites\":{\"total\":2,\"reporting\":1,\"good\":1,\"degraded\":0,\"bad\":0,"           \
	"\"unknown\":1},\"maintenance\":1,\"kpis\":" NORTH_KPIS "}"
#define NOTHING_ODD "\"peers\":null,\"usual\":null,\"self_z\":null,\"odd\":null"
#define NO_SITE_KPI(refused)                                                                 \
	"{\"mean\":null,\"stddev\":null,\"min\":null,\"max\":null,\"samples\":0,\"good\":0," \
	"\"refused\":" refused ",\"score\":null,\"contribution\":null,"                      \
	"\"derived\":false,\"heard\":false,\"excluded\":null,\"z\":null,"                    \
	"\"median\":null,\"outlier\":false," NOTHING_ODD "}"
#define SITE_9                                                                                     \
	"{\"id\":9,\"name\":\"n-9\",\"region\":\"north\",\"weight\":2.5,\"health\":85.0,"          \
	"\"capped\":0.0,"                                                                          \
	"\"status\":\"good\",\"coverage\":0.75,\"last_seen\":1700000000123456789,"                 \
	"\"silent\":false,\"storm\":true,\"maintenance\":{\"scope\":\"region:north\",\"from\":1,"  \
	"\"to\":2000000000000000000,\"why\":\"a \\\"new\\\" "                                      \
	"pump\"},\"mode\":\"downsample\",\"lost\":7,"                                              \
	"\"duplicates\":11,\"unmapped\":0,\"shed\":{\"etd\":5,\"influx\":0,\"statsd\":2},\"clock_" \
	"offset\":0,\"skewed\":false,\"kpis\":{"                                                   \
	"\"power_kw\":{"                                                                           \
	"\"mean\":0.10000000000000001,\"stddev\":0.5,\"min\":-1.0,\"max\":2.0,\"samples\":3,"      \
	"\"good\":3,\"refused\":1,\"score\":85.0,\"contribution\":15.0,"                           \
	"\"derived\":false,\"heard\":false,\"excluded\":null,\"z\":null,"                          \
	"\"median\":null,\"outlier\":false," NOTHING_ODD "},\"voltage\":" NO_SITE_KPI(             \
	    "2") "},"                                                                              \
	         "\"labels\":{\"vendor\":\"acme\",\"feeder\":\"F\\\"1\"},\"learned\":false}"
#define SITE_4                                                                                 \
	"{\"id\":4,\"name\":\"x-4\",\"region\":\"unassigned\",\"weight\":1.0,\"health\":null," \
	"\"capped\":null,"                                                                     \
	"\"status\":\"unknown\",\"coverage\":0.0,\"last_seen\":null,\"silent\":true,"          \
	"\"storm\":false,\"maintenance\":null,\"mode\":\"full\",\"lost\":0,\"duplicates\":0,"  \
	"\"unmapped\":0,\"shed\":{"                                                            \
	"\"etd\":0,\"influx\":0,\"statsd\":0},"                                                \
	"\"clock_offset\":0,\"skewed\":false,"                                                 \
	"\"kpis\":{\"power_kw\":" NO_SITE_KPI("0") ",\"voltage\":" NO_SITE_KPI(                \
	    "0") "},\"labels\":{},\"learned\":false}"

static void check_text(json_t *document, const char *want)
{
	char *got;

	CU_ASSERT_PTR_NOT_NULL_FATAL(document);
	got = json_dumps(document, JSON_COMPACT | JSON_REAL_PRECISION(17));
	CU_ASSERT_STRING_EQUAL(got, want);
	if (strcmp(got, want) != 0)
		fprintf(stderr, "got  %s\nwant %s\n", got, want);
	free(got);
	json_decref(document);
}

static void scope_has_the_keys_of_the_contract_in_order(void)
{
	check_text(esf_document_scope(&view, &view.regions[0]), NORTH);
	check_text(esf_document_scope(&view, &view.regions[1]), UNASSIGNED);
}

static void site_has_the_keys_of_the_contract_in_order(void)
{
	check_text(esf_document_site(&view, 0), SITE_9);
	check_text(esf_document_site(&view, 1), SITE_4);
}

static void fleet_has_the_keys_of_the_contract_in_order(void)
{
	check_text(esf_document_fleet(&view),
	    "{\"time\":1700000020000000001,\"config_revision\":3,\"window\":" WINDOW ","
	    "\"storm\":" STORM ",\"fleet\":" FLEET ",\"regions\":[" NORTH "," UNASSIGNED "]}");
}

static void check_storm(const struct esf_view *of, const char *want)
{
	json_t *document = esf_document_fleet(of);

	check_text(json_incref(json_object_get(document, "storm")), want);
	json_decref(document);
}

static void storm_is_active_where_a_site_or_the_fleet_storms(void)
{
	struct esf_site_view quiet[] = { site_views[0], site_views[1] };
	struct esf_view of = view;

	quiet[0].storms = false;
	of.sites = quiet;
	check_storm(&of, "{\"active\":false,\"sites\":[],\"fleet\":false}");
	of.fleet_storms = true;
	check_storm(&of, "{\"active\":true,\"sites\":[],\"fleet\":true}");
	quiet[1].storms = true;
	check_storm(&of, "{\"active\":true,\"sites\":[\"x-4\"],\"fleet\":true}");
}

static void replay_window_lists_sites_by_id(void)
{
	check_text(esf_document_replay_window(&view),
	    "{\"window\":" WINDOW ",\"storm\":" STORM ",\"fleet\":" FLEET ",\"regions\":[" NORTH
	    "," UNASSIGNED "],"
	    "\"sites\":[" SITE_4 "," SITE_9 "]}");
}

static void infinities_are_null(void)
{
	struct esf_site_view infinite = site_views[0];
	struct esf_view of = view;
	json_t *document;

	infinite.health = INFINITY;
	infinite.coverage = -INFINITY;
	of.sites = &infinite;
	document = esf_document_site(&of, 0);
	CU_ASSERT(json_is_null(json_object_get(document, "health")));
	CU_ASSERT(json_is_null(json_object_get(document, "coverage")));
	json_decref(document);
}

/* Keys in order: received, accepted, then the verdicts of CONTRACT 6 and those added since, each
 * with its count. */
static void check_counts(const json_t *counts, const char *const *names, uint32_t count)
{
	void *at = json_object_iter((json_t *)counts);
	const char *last = names[count - 1];

	CU_ASSERT_STRING_EQUAL(last, "accepted");
	CU_ASSERT_STRING_EQUAL(json_object_iter_key(at), "received");
	CU_ASSERT_EQUAL(json_integer_value(json_object_iter_value(at)), count * (count + 1) / 2);
	at = json_object_iter_next((json_t *)counts, at);
	CU_ASSERT_STRING_EQUAL(json_object_iter_key(at), "accepted");
	CU_ASSERT_EQUAL(json_integer_value(json_object_iter_value(at)), count);
	for (uint32_t i = 0; i + 1 < count; i++) {
		at = json_object_iter_next((json_t *)counts, at);
		CU_ASSERT_STRING_EQUAL_FATAL(json_object_iter_key(at), names[i]);
		CU_ASSERT_EQUAL(json_integer_value(json_object_iter_value(at)), i + 1);
	}
	CU_ASSERT_PTR_NULL(json_object_iter_next((json_t *)counts, at));
}

/* Verdict i counted i + 1 times. */
static uint64_t count_up(uint64_t *counts, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		counts[i] = i + 1;
	return (uint64_t)count * (count + 1) / 2;
}

static void ledger_counts_every_verdict_and_balances(void)
{
	struct esf_ledger ledger = { .datagrams_handed = 12, .datagrams_taken = 12 };
	json_t *document;

	ledger.datagrams_received = count_up(ledger.datagrams, ESF_DATAGRAM_VERDICTS_COUNT);
	ledger.records_received = count_up(ledger.records, ESF_RECORD_VERDICTS_COUNT);
	document = esf_document_ledger(&ledger, NULL);
	CU_ASSERT_PTR_NOT_NULL_FATAL(document);
	check_counts(json_object_get(document, "datagrams"), esf_datagram_verdict_names,
	    ESF_DATAGRAM_VERDICTS_COUNT);
	check_counts(json_object_get(document, "records"), esf_record_verdict_names,
	    ESF_RECORD_VERDICTS_COUNT);
	json_object_del(document, "datagrams");
	json_object_del(document, "records");
	check_text(document,
	    "{\"in_flight\":0,\"balanced\":true,\"nic\":{\"missed\":0,\"no_buffer\":0,\"errors\":0,"
	    "\"ports\":[]},\"mbufs\":{\"total\":0,\"free\":0,\"in_use\":0},\"rings\":[],"
	    "\"mempools\":[]}");
}

/* A driver that does not count errors by queue leaves them null. */
static void ledger_says_where_room_ran_short(void)
{
	static struct esf_pressure pressure = {
		.nic = { 1, 2, 3 },
		.mbufs = { 10, 7, 3 },
		.ports_count = 1,
		.ports[0] = { .id = 4,
		    .name = "net_x",
		    .lost = { 1, 2, 3 },
		    .queues_count = 2,
		    .queues[0] = { 5, 6, 7, 8, 9, 10, 11, true, 12 },
		    .queues[1] = { .lcore = 6, .errors = 1 } },
		.rings_count = 1,
		.rings[0] = { 1, 2, 2047, 100, 3 },
		.pools_count = 1,
		.pools[0] = { "p", 10, 7, 6, 5 },
	};

	check_text(esf_document_nic(&pressure),
	    "{\"missed\":1,\"no_buffer\":2,\"errors\":3,\"ports\":[{\"port\":4,\"name\":\"net_x\","
	    "\"missed\":1,\"no_buffer\":2,\"errors\":3,\"queues\":[{\"queue\":0,\"lcore\":5,"
	    "\"packets\":6,\"polls\":7,\"bursts\":8,\"full_bursts\":9,\"errors\":12,"
	    "\"unbuffered\":10,\"unsent\":11},{\"queue\":1,\"lcore\":6,\"packets\":0,\"polls\":0,"
	    "\"bursts\":0,\"full_bursts\":0,\"errors\":null,\"unbuffered\":0,\"unsent\":0}]}]}");
	check_text(esf_document_mbufs(&pressure), "{\"total\":10,\"free\":7,\"in_use\":3}");
	check_text(esf_document_rings(&pressure),
	    "[{\"from\":1,\"to\":2,\"capacity\":2047,\"high_water\":100,\"refused\":3}]");
	check_text(esf_document_mempools(&pressure),
	    "[{\"name\":\"p\",\"size\":10,\"free\":7,\"low_water\":6,\"failed\":5}]");
}

#define NO_NODE(name) "{\"node\":\"" name "\",\"in\":0,\"out\":0,\"cycles\":0}"

/* Shares that have nothing to be a share of are null. */
static void pipeline_says_what_each_lcore_does_and_at_which_price(void)
{
	static struct esf_pipeline pipeline = {
		.hz = 2000000000,
		.idle = ESF_IDLE_SLEEP,
		.max_sleep_us = 300,
		.lcores_count = 2,
		.lcores[0] = { .lcore = 1,
		    .receive_only = true,
		    .queues_count = 2,
		    .nodes = { .total = 100,
		        .busy = 40,
		        .idle = 50,
		        .asleep = 30,
		        .passes = 9,
		        .busy_passes = 3,
		        .sleeps = 2,
		        .node[ESF_NODE_PROCESS] = { 8, 7, 6 } },
		    .packets = 160,
		    .bursts = 5,
		    .full_bursts = 1,
		    .recent = { 4, 1000, 250, 500, 100, 64, 2 } },
		.lcores[1] = { .lcore = 5 },
	};
	const char *empty = NO_NODE("inbox") "," NO_NODE("receive") "," NO_NODE(
	    "process") "," NO_NODE("answer") "," NO_NODE("hand_over") "," NO_NODE("publish");
	char want[4096];

	snprintf(want, sizeof(want),
	    "{\"time\":7,\"hz\":2000000000,\"idle\":{\"policy\":\"sleep\",\"max_sleep_us\":300},"
	    "\"lcores\":[{\"lcore\":5,\"receive_only\":false,\"queues\":0,\"cycles\":{\"total\":0,"
	    "\"busy\":0,\"idle\":0,\"asleep\":0},\"passes\":{\"total\":0,\"busy\":0},\"sleeps\":0,"
	    "\"bursts\":{\"packets\":0,\"count\":0,\"full\":0,\"fill\":null},\"recent\":null,"
	    "\"nodes\":[%s]}]}",
	    empty);
	check_text(esf_document_pipeline(&pipeline, 7, 5), want);
	pipeline.lcores_count = 1;
	snprintf(want, sizeof(want),
	    "{\"time\":7,\"hz\":2000000000,\"idle\":{\"policy\":\"sleep\",\"max_sleep_us\":300},"
	    "\"lcores\":[{\"lcore\":1,\"receive_only\":true,\"queues\":2,\"cycles\":{\"total\":100,"
	    "\"busy\":40,\"idle\":50,\"asleep\":30},\"passes\":{\"total\":9,\"busy\":3},"
	    "\"sleeps\":2,\"bursts\":{\"packets\":160,\"count\":5,\"full\":1,\"fill\":0.5},"
	    "\"recent\":{\"seconds\":4.0,\"busy\":0.25,\"asleep\":0.5,\"items_per_s\":25.0,"
	    "\"packets_per_s\":16.0,\"cycles_per_item\":2.5,\"fill\":0.5},"
	    "\"nodes\":[%s,%s,{\"node\":\"process\",\"in\":8,\"out\":7,\"cycles\":6},%s,%s,%s]}]}",
	    NO_NODE("inbox"), NO_NODE("receive"), NO_NODE("answer"), NO_NODE("hand_over"),
	    NO_NODE("publish"));
	check_text(esf_document_pipeline(&pipeline, 7, -1), want);
}

static void ledger_shows_what_is_in_flight_and_what_is_missing(void)
{
	struct esf_ledger ledger = {
		.datagrams_received = 10, .datagrams_handed = 5, .datagrams_taken = 3
	};
	json_t *document;

	ledger.datagrams[ESF_DATAGRAM_ACCEPTED] = 8;
	document = esf_document_ledger(&ledger, NULL);
	CU_ASSERT_EQUAL(json_integer_value(json_object_get(document, "in_flight")), 2);
	CU_ASSERT(json_is_true(json_object_get(document, "balanced")));
	json_decref(document);
	ledger.datagrams[ESF_DATAGRAM_ACCEPTED] = 7;
	document = esf_document_ledger(&ledger, NULL);
	CU_ASSERT(json_is_false(json_object_get(document, "balanced")));
	json_decref(document);
}

/* All verdicts are there; those that come before there is a site are 0. */
static void check_site_datagrams(const json_t *counts)
{
	CU_ASSERT_EQUAL(json_object_size(counts), ESF_DATAGRAM_VERDICTS_COUNT + 1);
	for (int i = 0; i < ESF_DATAGRAM_VERDICTS_COUNT; i++) {
		int want = i < ESF_SITE_DATAGRAM_FIRST ? 0 : i - ESF_SITE_DATAGRAM_FIRST + 1;

		CU_ASSERT_EQUAL(
		    json_integer_value(json_object_get(counts, esf_datagram_verdict_names[i])),
		    want);
	}
}

static void site_ledger_balances_by_itself(void)
{
	struct esf_site_ledger ledger = { 0 };
	json_t *document;

	ledger.datagrams_received = count_up(ledger.datagrams, ESF_SITE_DATAGRAMS_COUNT);
	ledger.records_received = count_up(ledger.records, ESF_RECORD_VERDICTS_COUNT);
	document = esf_document_site_ledger(&ledger);
	CU_ASSERT_PTR_NOT_NULL_FATAL(document);
	check_site_datagrams(json_object_get(document, "datagrams"));
	json_object_del(document, "datagrams");
	json_object_del(document, "records");
	check_text(document, "{\"in_flight\":0,\"balanced\":true}");
	ledger.records_received++;
	document = esf_document_site_ledger(&ledger);
	CU_ASSERT(json_is_false(json_object_get(document, "balanced")));
	json_decref(document);
}

static int make_roster(void)
{
	struct esf_roster *roster = esf_roster_create(&config, config.sites_count);

	view.roster = roster;
	view.sites_count = roster == NULL ? 0 : esf_roster_count(roster);
	return roster == NULL;
}

static int drop_roster(void)
{
	esf_roster_destroy((struct esf_roster *)view.roster);
	return 0;
}

void esf_suite_document(void)
{
	CU_pSuite suite = CU_add_suite("document", make_roster, drop_roster);

	CU_ADD_TEST(suite, scope_has_the_keys_of_the_contract_in_order);
	CU_ADD_TEST(suite, site_has_the_keys_of_the_contract_in_order);
	CU_ADD_TEST(suite, fleet_has_the_keys_of_the_contract_in_order);
	CU_ADD_TEST(suite, storm_is_active_where_a_site_or_the_fleet_storms);
	CU_ADD_TEST(suite, replay_window_lists_sites_by_id);
	CU_ADD_TEST(suite, infinities_are_null);
	CU_ADD_TEST(suite, ledger_counts_every_verdict_and_balances);
	CU_ADD_TEST(suite, ledger_says_where_room_ran_short);
	CU_ADD_TEST(suite, pipeline_says_what_each_lcore_does_and_at_which_price);
	CU_ADD_TEST(suite, ledger_shows_what_is_in_flight_and_what_is_missing);
	CU_ADD_TEST(suite, site_ledger_balances_by_itself);
}

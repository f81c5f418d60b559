/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/encode.h"

#include <endian.h>
#include <stdlib.h>
#include <string.h>

#include <CUnit/CUnit.h>

#include "bench/traffic.h"
#include "dataplane/etd_wire.h"
#include "suites.h"

/* The encoders against bytes written down by hand, and the traffic that is made with them. */

static const int64_t second = 1000000000;
static const int64_t start = 1700000000 * INT64_C(1000000000);

static const struct esf_encode_header header = {
	.kind = ESF_ETD_DATA,
	.stream = 0x0102,
	.site = 0x01020304,
	.boot = 0x6553f100,
	.seq = 9,
	.time_ns = 0x1122334455667788,
};

static void etd_data_has_the_contracts_bytes(void)
{
	static const uint8_t want[] = {
		'E', 'T', 'D', '1', 2, 0, 1, 0, 4, 3, 2, 1, 2, 1, 0, 0, 0x00, 0xf1, 0x53, 0x65, 9,
		0, 0, 0,                                        /**/
		0x88, 0x77, 0x66, 0x55, 0x44, 0x33, 0x22, 0x11, /**/
		3, 0, 2, 0, 0xfe, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0, 0, 0xf8,
		0x3f, /* alias 3, bad, -2 us, 1.5 */
	};
	uint8_t bytes[64];
	struct esf_encode out = { .data = bytes, .capacity = sizeof(bytes) };

	esf_encode_etd(&out, &header);
	CU_ASSERT_TRUE(esf_encode_etd_data(&out, 3, ESF_ETD_BAD, -2, 1.5));
	CU_ASSERT_EQUAL_FATAL(out.size, sizeof(want));
	CU_ASSERT_EQUAL(memcmp(bytes, want, sizeof(want)), 0);
}

static void etd_birth_and_event_have_the_contracts_bytes(void)
{
	static const uint8_t birth[] = { 5, 2, 1, 3, 2, 0, 'p', '/', 'q', 'k', 'W' };
	static const uint8_t event[] = { 7, 0, 0, 0, 2, 1, 2, 0, 'h', 'i' };
	uint8_t bytes[128];
	struct esf_encode out = { .data = bytes, .capacity = sizeof(bytes) };

	esf_encode_etd(&out, &header);
	CU_ASSERT_TRUE(esf_encode_etd_birth(&out, 0x0205, ESF_ETD_COUNTER, "p/q", "kW"));
	CU_ASSERT_EQUAL_FATAL(out.size, ESF_ETD_HEADER_SIZE + sizeof(birth));
	CU_ASSERT_EQUAL(memcmp(bytes + ESF_ETD_HEADER_SIZE, birth, sizeof(birth)), 0);
	esf_encode_etd(&out, &header);
	CU_ASSERT_TRUE(esf_encode_etd_event(&out, 7, 2, ESF_ETD_RAISE, "hi"));
	CU_ASSERT_EQUAL_FATAL(out.size, ESF_ETD_HEADER_SIZE + sizeof(event));
	CU_ASSERT_EQUAL(memcmp(bytes + ESF_ETD_HEADER_SIZE, event, sizeof(event)), 0);
}

static void record_without_room_leaves_the_datagram_unchanged(void)
{
	uint8_t bytes[ESF_ETD_HEADER_SIZE + ESF_ETD_DATA_SIZE + 15];
	struct esf_encode out = { .data = bytes, .capacity = sizeof(bytes) };

	esf_encode_etd(&out, &header);
	CU_ASSERT_TRUE(esf_encode_etd_data(&out, 1, 0, 0, 0));
	CU_ASSERT_FALSE(esf_encode_etd_data(&out, 2, 0, 0, 0));
	CU_ASSERT_FALSE(esf_encode_etd_birth(&out, 2, 0, "0123456789", ""));
	CU_ASSERT_EQUAL(out.size, ESF_ETD_HEADER_SIZE + ESF_ETD_DATA_SIZE);
	CU_ASSERT_EQUAL(bytes[ESF_ETD_AT_COUNT], 1);
}

static void influx_line_is_escaped(void)
{
	static const char want[] =
	    "m\\ 1\\,x=y,site=a\\ b\\,c\\=d k\\=1=0.5,l=-3 1700000000000000001\n";
	uint8_t bytes[sizeof(want)];
	struct esf_encode out = { .data = bytes, .capacity = sizeof(bytes) };

	CU_ASSERT_TRUE(esf_encode_influx(&out, "m 1,x=y", "a b,c=d"));
	CU_ASSERT_TRUE(esf_encode_influx_field(&out, true, "k=1", 0.5));
	CU_ASSERT_TRUE(esf_encode_influx_field(&out, false, "l", -3));
	CU_ASSERT_FALSE(esf_encode_influx_field(&out, false, "a-long-name-without-room", 1));
	CU_ASSERT_TRUE(esf_encode_influx_end(&out, 1700000000000000001));
	CU_ASSERT_EQUAL_FATAL(out.size, sizeof(want) - 1);
	CU_ASSERT_EQUAL(memcmp(bytes, want, sizeof(want) - 1), 0);
}

static void numbers_are_short_and_exact(void)
{
	static const struct {
		double value;
		const char *text;
	} cases[] = {
		{ 0, "0" },
		{ 1, "1" },
		{ -1.5, "-1.5" },
		{ 0.000001, "0.000001" },
		{ 0.995, "0.995" },
		{ 10.01, "10.01" },
		{ 123456789.000001, "123456789.000001" },
		{ 1e-9, "1.0000000000000001e-09" },
		{ 1e300, "1.0000000000000001e+300" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char text[ESF_ENCODE_NUMBER_MAX + 1];
		uint32_t size = esf_encode_number(text, cases[i].value);

		CU_ASSERT_FATAL(size <= ESF_ENCODE_NUMBER_MAX);
		text[size] = '\0';
		CU_ASSERT_STRING_EQUAL(text, cases[i].text);
		CU_ASSERT_TRUE(strtod(text, NULL) == cases[i].value);
	}
}

static void statsd_lines_are_as_published(void)
{
	static const char want[] = "hot_side_c:299.5|g|#site:a b:c\n"
	                           "cold:-12.5|h|#site:north-1\n"
	                           "cold:0|g|#site:north-1\n"
	                           "energy_kwh:0.000001|c|#site:north-1\n"
	                           "pulses:1|c\n";
	char bytes[sizeof(want)];
	struct esf_encode out = { .data = (uint8_t *)bytes, .capacity = sizeof(bytes) - 1 };

	CU_ASSERT_TRUE(esf_encode_statsd_gauge(&out, "hot_side_c", 299.5, "a b:c"));
	CU_ASSERT_TRUE(esf_encode_statsd_gauge(&out, "cold", -12.5, "north-1"));
	CU_ASSERT_TRUE(esf_encode_statsd_gauge(&out, "cold", 0, "north-1"));
	CU_ASSERT_TRUE(esf_encode_statsd_counter(&out, "energy_kwh", 1e-6, "north-1"));
	CU_ASSERT_TRUE(esf_encode_statsd_counter(&out, "pulses", 1, NULL));
	CU_ASSERT_FALSE(esf_encode_statsd_counter(&out, "x", 1, "y"));
	CU_ASSERT_EQUAL_FATAL(out.size, sizeof(want) - 1);
	CU_ASSERT_EQUAL(memcmp(bytes, want, sizeof(want) - 1), 0);
}

static void statsd_line_that_needs_escapes_is_refused(void)
{
	static const char *const names[] = { "", "a:b", "a|b", "a\nb", "_e{1" };
	static const char *const sites[] = { "", "a,b", "a|b", "a\n" };
	uint8_t bytes[128];
	struct esf_encode out = { .data = bytes, .capacity = sizeof(bytes) };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		CU_ASSERT_FALSE(esf_encode_statsd_gauge(&out, names[i], 1, "s"));
	for (size_t i = 0; i < sizeof(sites) / sizeof(sites[0]); i++)
		CU_ASSERT_FALSE(esf_encode_statsd_gauge(&out, "n", 1, sites[i]));
	CU_ASSERT_EQUAL(out.size, 0);
}

static void syslog_message_is_rfc_5424s(void)
{
	/* local0 x 8 + critical; 951782400 is 2000-02-29T00:00:00Z */
	static const char want[] = "<130>1 2000-02-29T00:00:00.000123Z n-1 app 7 ALARM - too hot";
	static const char before_1970[] = "<135>1 1969-12-31T23:59:59.999999Z n-1 app 7 ALARM - ";
	struct esf_encode_message message = {
		.severity = 2,
		.time_ns = 951782400000123999,
		.host = "n-1",
		.app = "app",
		.process = 7,
		.id = "ALARM",
		.text = "too hot",
	};
	char bytes[sizeof(want)];
	struct esf_encode out = { .data = (uint8_t *)bytes, .capacity = sizeof(bytes) - 1 };

	CU_ASSERT_TRUE(esf_encode_syslog(&out, &message));
	CU_ASSERT_EQUAL_FATAL(out.size, sizeof(want) - 1);
	CU_ASSERT_EQUAL(memcmp(bytes, want, sizeof(want) - 1), 0);
	CU_ASSERT_FALSE(esf_encode_syslog(&out, &message));
	out.size = 0;
	message.severity = 7;
	message.time_ns = -1;
	message.text = "";
	CU_ASSERT_TRUE(esf_encode_syslog(&out, &message));
	CU_ASSERT_EQUAL_FATAL(out.size, sizeof(before_1970) - 1);
	CU_ASSERT_EQUAL(memcmp(bytes, before_1970, sizeof(before_1970) - 1), 0);
}

static void syslog_host_is_printable_ascii(void)
{
	CU_ASSERT_TRUE(esf_encode_syslog_can_host("north-1"));
	CU_ASSERT_TRUE(esf_encode_syslog_can_host("!~"));
	CU_ASSERT_FALSE(esf_encode_syslog_can_host(""));
	CU_ASSERT_FALSE(esf_encode_syslog_can_host("-"));
	CU_ASSERT_FALSE(esf_encode_syslog_can_host("a b"));
	CU_ASSERT_FALSE(esf_encode_syslog_can_host("n\xc3\xb6rd"));
	CU_ASSERT_FALSE(esf_encode_syslog_can_host("a\x7f"));
}

/* A run of a scenario's traffic. */
struct run {
	struct esf_scenario *scenario;
	struct esf_traffic *traffic;
	struct esf_traffic_datagram datagram;
};

static struct run run_open(const char *text, struct esf_traffic_options options)
{
	struct run run = { .scenario =
		               esf_scenario_parse(text, strlen(text), "s.yaml", 0, stderr) };

	CU_ASSERT_PTR_NOT_NULL_FATAL(run.scenario);
	options.start_ns = start;
	options.lines = options.lines ? options.lines : 1;
	run.traffic = esf_traffic_create(run.scenario, &options, stderr);
	CU_ASSERT_PTR_NOT_NULL_FATAL(run.traffic);
	return run;
}

static bool run_next(struct run *run)
{
	return esf_traffic_next(run->traffic, &run->datagram);
}

static void run_close(struct run *run)
{
	esf_traffic_destroy(run->traffic);
	esf_scenario_destroy(run->scenario);
}

static uint32_t u32_at(const struct esf_traffic_datagram *datagram, uint32_t at)
{
	uint32_t value;

	memcpy(&value, datagram->data + at, sizeof(value));
	return le32toh(value);
}

static double value_at(const struct esf_traffic_datagram *datagram, uint32_t index)
{
	double value;

	memcpy(&value,
	    datagram->data + ESF_ETD_HEADER_SIZE + index * ESF_ETD_DATA_SIZE +
	        ESF_ETD_DATA_AT_VALUE,
	    sizeof(value));
	return value;
}

/* FNV-1a over all datagrams and their times. */
static uint64_t run_hash(const char *text, struct esf_traffic_options options)
{
	struct run run = run_open(text, options);
	uint64_t hash = 0xcbf29ce484222325;

	while (run_next(&run)) {
		hash = (hash ^ (uint64_t)run.datagram.time_ns) * 0x100000001b3;
		for (uint32_t i = 0; i < run.datagram.size; i++)
			hash = (hash ^ run.datagram.data[i]) * 0x100000001b3;
	}
	run_close(&run);
	return hash;
}

static bool says(const struct run *run, const char *text)
{
	return run->datagram.size == strlen(text) &&
	       memcmp(run->datagram.data, text, run->datagram.size) == 0;
}

static const char rough[] =
    "sites: {count: 4}\n"
    "faults:\n"
    "- {sites: site-001, kind: loss, probability: 0.3}\n"
    "- {sites: site-002, kind: duplicate, probability: 0.5, delay: 1500ms}\n"
    "- {sites: site-003, kind: reorder, probability: 0.4, depth: 3}\n";

static void same_seed_gives_the_same_bytes(void)
{
	for (int format = ESF_TRAFFIC_ETD; format <= ESF_TRAFFIC_SYSLOG; format++) {
		struct esf_traffic_options options = {
			.format = format, .duration_ns = 100 * second, .seed = 5
		};
		uint64_t hash = run_hash(rough, options);

		CU_ASSERT_EQUAL(run_hash(rough, options), hash);
		options.seed = 6;
		CU_ASSERT_NOT_EQUAL(run_hash(rough, options), hash);
	}
}

static void births_come_first_and_every_minute(void)
{
	struct run run = run_open(
	    "sites: {count: 1}", (struct esf_traffic_options){ .duration_ns = 121 * second });
	uint32_t seq = 0;

	while (run_next(&run)) {
		int64_t at = run.datagram.time_ns - start;
		bool born =
		    at % (60 * second) == 0 && run.datagram.data[ESF_ETD_AT_KIND] == ESF_ETD_BIRTH;

		CU_ASSERT_EQUAL(
		    run.datagram.data[ESF_ETD_AT_KIND], born ? ESF_ETD_BIRTH : ESF_ETD_DATA);
		CU_ASSERT_EQUAL(run.datagram.data[ESF_ETD_AT_COUNT], 5);
		CU_ASSERT_EQUAL(u32_at(&run.datagram, ESF_ETD_AT_SEQ), ++seq);
		CU_ASSERT_EQUAL(u32_at(&run.datagram, ESF_ETD_AT_BOOT), 1700000000);
	}
	CU_ASSERT_EQUAL(esf_traffic_totals(run.traffic)->births, 3);
	CU_ASSERT_EQUAL(esf_traffic_totals(run.traffic)->datagrams, 121 + 3);
	CU_ASSERT_EQUAL(esf_traffic_totals(run.traffic)->records, 121 * 5);
	run_close(&run);
}

static void rate_spaces_datagrams_without_drift(void)
{
	struct run run = run_open(
	    "sites: {count: 7}", (struct esf_traffic_options){ .rate = 3000, .count = 10001 });
	int64_t n = 0;

	for (; run_next(&run); n++)
		CU_ASSERT_EQUAL(run.datagram.time_ns, start + n * second / 3000);
	CU_ASSERT_EQUAL(n, 10001);
	run_close(&run);
}

static void lines_of_several_sites_share_a_datagram(void)
{
	struct run run = run_open("sites: {count: 10}",
	    (struct esf_traffic_options){
	        .format = ESF_TRAFFIC_INFLUX, .lines = 4, .duration_ns = second });
	static const uint32_t want[] = { 4, 4, 2 };
	unsigned n = 0;

	for (; run_next(&run); n++) {
		uint32_t lines = 0;

		for (uint32_t i = 0; i < run.datagram.size; i++)
			lines += run.datagram.data[i] == '\n';
		CU_ASSERT_EQUAL(lines, n < 3 ? want[n] : 0);
		CU_ASSERT_EQUAL(run.datagram.records, 5 * lines);
	}
	CU_ASSERT_EQUAL(n, 3);
	run_close(&run);
}

static void statsd_site_sends_gauges_and_increments_in_one_datagram(void)
{
	struct run run = run_open("sites: {count: 1}\n"
	                          "kpis: [{name: hot, base: 300}, {name: cold, base: -2},\n"
	                          "       {name: kwh, base: 2.5, type: counter}]\n"
	                          "faults:\n"
	                          "- {kind: dropout, kpi: kwh, from: 2s, to: 3s}\n"
	                          "- {kind: dropout, from: 4s, to: 5s}\n"
	                          "- {kind: restart, from: 6s}\n",
	    (struct esf_traffic_options){
	        .format = ESF_TRAFFIC_STATSD, .duration_ns = 8 * second });
	/* Increases of 2.5 a second: what a pause held back comes with the next value. The restart
	 * has the counter begin at 0 again with what is added up to that turn. */
	static const char *const kwh[] = { "0", "2.5", NULL, "5", "5", "2.5", "2.5" };
	static const int64_t at_s[] = { 0, 1, 2, 3, 5, 6, 7 };

	for (size_t i = 0; i < sizeof(kwh) / sizeof(kwh[0]); i++) {
		char want[128];

		snprintf(want, sizeof(want),
		    "hot:300|g|#site:site-001\ncold:-2|h|#site:site-001\n%s%s%s",
		    kwh[i] ? "kwh:" : "", kwh[i] ? kwh[i] : "",
		    kwh[i] ? "|c|#site:site-001\n" : "");
		CU_ASSERT_TRUE_FATAL(run_next(&run));
		CU_ASSERT_TRUE(says(&run, want));
		CU_ASSERT_EQUAL(run.datagram.records, kwh[i] ? 3 : 2);
		CU_ASSERT_EQUAL(run.datagram.time_ns, start + at_s[i] * second);
	}
	CU_ASSERT_FALSE(run_next(&run));
	CU_ASSERT_EQUAL(esf_traffic_totals(run.traffic)->records, 6 * 3 + 2);
	CU_ASSERT_EQUAL(esf_traffic_totals(run.traffic)->datagrams, 7);
	CU_ASSERT_EQUAL(esf_traffic_totals(run.traffic)->births, 0);
	run_close(&run);
}

static void syslog_site_tells_its_state_every_interval(void)
{
	struct run run = run_open(
	    "sites: {count: 1}\n"
	    "faults: [{kind: alarm, from: 1s, to: 2s, text: trip, severity: 1},\n"
	    "         {kind: skew, from: 2s, to: 3s, shift: -1500ms}, {kind: restart, from: 3s}]\n",
	    (struct esf_traffic_options){
	        .format = ESF_TRAFFIC_SYSLOG, .duration_ns = 4 * second });
	static const char *const want[] = {
		"<134>1 2023-11-14T22:13:20.000000Z site-001 fleetgen 1700000000 STATUS - normal "
		"operation",
		"<129>1 2023-11-14T22:13:21.000000Z site-001 fleetgen 1700000000 ALARM - trip",
		"<134>1 2023-11-14T22:13:20.500000Z site-001 fleetgen 1700000000 STATUS - normal "
		"operation",
		"<134>1 2023-11-14T22:13:23.000000Z site-001 fleetgen 1700000003 STATUS - normal "
		"operation",
	};

	for (size_t i = 0; i < sizeof(want) / sizeof(want[0]); i++) {
		CU_ASSERT_TRUE_FATAL(run_next(&run));
		CU_ASSERT_TRUE(says(&run, want[i]));
		CU_ASSERT_EQUAL(run.datagram.records, 1);
	}
	CU_ASSERT_FALSE(run_next(&run));
	CU_ASSERT_EQUAL(esf_traffic_totals(run.traffic)->records, 4);
	CU_ASSERT_EQUAL(esf_traffic_totals(run.traffic)->events, 4);
	run_close(&run);
}

static void format_refuses_what_it_cannot_express(void)
{
	static const struct {
		int format;
		unsigned faults_count; /* lines of complaint */
		const char *scenario;
	} cases[] = {
		{ ESF_TRAFFIC_STATSD, 3,
		    "faults: [{kind: alarm, text: x}, {kind: quality, quality: bad},\n"
		    "         {kind: skew, shift: 1s}]" },
		{ ESF_TRAFFIC_STATSD, 2,
		    "kpis: [{name: \"a:b\", base: 1}]\n"
		    "sites: [{id: 1, name: \"x,y\"}, {id: 2, name: z}]" },
		{ ESF_TRAFFIC_INFLUX, 2,
		    "faults: [{kind: alarm, text: x}, {kind: quality, quality: bad}]" },
		{ ESF_TRAFFIC_SYSLOG, 4,
		    "kpis: [{name: a, base: 1}]\n"
		    "faults: [{kind: drift, kpi: a, slope_per_s: 1}, {kind: stuck},\n"
		    "         {kind: dropout, kpi: a}, {kind: quality, quality: bad}]" },
		{ ESF_TRAFFIC_SYSLOG, 1, "sites: [{id: 1, name: a b}, {id: 2, name: c}]" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct esf_traffic_options options = { .format = cases[i].format,
			.lines = 1,
			.duration_ns = second,
			.start_ns = start };
		const char *text = cases[i].scenario;
		struct esf_scenario *scenario =
		    esf_scenario_parse(text, strlen(text), "s.yaml", 0, stderr);
		char said[1024] = "";
		FILE *errors = fmemopen(said, sizeof(said), "w");
		unsigned lines = 0;

		CU_ASSERT_PTR_NOT_NULL_FATAL(scenario);
		CU_ASSERT_PTR_NULL(esf_traffic_create(scenario, &options, errors));
		fclose(errors);
		for (const char *at = said; *at; at++)
			lines += *at == '\n';
		CU_ASSERT_EQUAL(lines, cases[i].faults_count);
		esf_scenario_destroy(scenario);
	}
}

static void wider_datagrams_carry_older_samples_too(void)
{
	struct run run = run_open("sites: {count: 1}",
	    (struct esf_traffic_options){ .records = 10, .duration_ns = 2 * second });
	uint32_t offset_at = ESF_ETD_HEADER_SIZE + ESF_ETD_DATA_AT_OFFSET;

	CU_ASSERT_TRUE(run_next(&run) && run_next(&run) && run_next(&run));
	CU_ASSERT_EQUAL(run.datagram.records, 10);
	CU_ASSERT_EQUAL((int32_t)u32_at(&run.datagram, offset_at), -500000);
	CU_ASSERT_EQUAL(u32_at(&run.datagram, offset_at + 5 * ESF_ETD_DATA_SIZE), 0);
	CU_ASSERT_FALSE(run_next(&run));
	run_close(&run);
}

/* What a receiver can see: how often each seq came, and how many came behind a later one. */
static void loss_duplicates_and_disorder_are_counted_as_a_receiver_sees_them(void)
{
	struct run run =
	    run_open(rough, (struct esf_traffic_options){ .duration_ns = 100 * second, .seed = 5 });
	uint8_t times[4][128] = { { 0 } };
	uint32_t top[4] = { 0 };
	uint64_t reordered = 0, duplicates = 0, lost = 0;

	while (run_next(&run)) {
		uint32_t site = u32_at(&run.datagram, ESF_ETD_AT_SITE) - 1,
		         seq = u32_at(&run.datagram, ESF_ETD_AT_SEQ);

		CU_ASSERT_FATAL(site < 4 && seq < 128);
		duplicates += times[site][seq] > 0;
		reordered += times[site][seq] == 0 && seq < top[site];
		times[site][seq]++;
		top[site] = seq > top[site] ? seq : top[site];
	}
	for (uint32_t seq = 1; seq <= 102; seq++)
		lost += times[0][seq] == 0;
	CU_ASSERT(lost > 15 && lost < 50);
	CU_ASSERT(duplicates > 30 && duplicates < 75);
	CU_ASSERT(reordered > 10 && reordered < 70);
	CU_ASSERT_EQUAL(esf_traffic_totals(run.traffic)->lost, lost);
	CU_ASSERT_EQUAL(esf_traffic_totals(run.traffic)->duplicates, duplicates);
	CU_ASSERT_EQUAL(esf_traffic_totals(run.traffic)->reordered, reordered);
	CU_ASSERT_EQUAL(esf_traffic_totals(run.traffic)->datagrams, 4 * 102 - lost + duplicates);
	CU_ASSERT_EQUAL(esf_traffic_site_counts(run.traffic, 3)->datagrams, 102);
	run_close(&run);
}

static void storm_multiplies_one_sites_datagrams(void)
{
	struct run run =
	    run_open("sites: {count: 2}\n"
	             "faults: [{sites: site-001, kind: storm, from: 2s, to: 4s, rate_factor: 50}]",
	        (struct esf_traffic_options){ .duration_ns = 10 * second });

	while (run_next(&run))
		;
	CU_ASSERT_EQUAL(esf_traffic_site_counts(run.traffic, 0)->datagrams, 1 + 8 + 2 * 50);
	CU_ASSERT_EQUAL(esf_traffic_site_counts(run.traffic, 1)->datagrams, 1 + 10);
	run_close(&run);
}

static void value_faults_bend_the_signal(void)
{
	struct run run = run_open(
	    "sites: {count: 1}\n"
	    "kpis: [{name: a, base: 10}, {name: b, base: 10}, {name: c, base: 10, noise: 1},\n"
	    "       {name: d, base: 2, type: counter}]\n"
	    "faults:\n"
	    "- {kpi: a, kind: drift, from: 2s, to: 6s, slope_per_s: -0.5}\n"
	    "- {kpi: b, kind: step, from: 2s, to: 6s, by: 3}\n"
	    "- {kpi: c, kind: stuck, from: 2s, to: 6s}\n",
	    (struct esf_traffic_options){ .duration_ns = 8 * second, .seed = 3 });
	static const double a[] = { 10, 10, 10, 9.5, 9, 8.5, 10, 10 };
	double c[8];

	CU_ASSERT_TRUE(run_next(&run)); /* the birth */
	for (unsigned i = 0; i < 8; i++) {
		CU_ASSERT_TRUE_FATAL(run_next(&run));
		CU_ASSERT_DOUBLE_EQUAL(value_at(&run.datagram, 0), a[i], 0);
		CU_ASSERT_DOUBLE_EQUAL(value_at(&run.datagram, 1), i >= 2 && i < 6 ? 13 : 10, 0);
		c[i] = value_at(&run.datagram, 2);
		CU_ASSERT_DOUBLE_EQUAL(value_at(&run.datagram, 3), 2.0 * i, 0);
	}
	CU_ASSERT(c[0] != c[1] && c[2] == c[1] && c[5] == c[1] && c[6] != c[1]);
	run_close(&run);
}

static void silent_site_uses_no_seq_and_returns_with_the_next_one(void)
{
	struct run run = run_open("sites: {count: 1}\nfaults: [{kind: dropout, from: 2s, to: 5s}]",
	    (struct esf_traffic_options){ .duration_ns = 7 * second });
	static const int64_t want[] = { 0, 0, 1, 5, 6 };

	for (uint32_t i = 0; i < 5; i++) {
		CU_ASSERT_TRUE_FATAL(run_next(&run));
		CU_ASSERT_EQUAL(run.datagram.time_ns, start + want[i] * second);
		CU_ASSERT_EQUAL(u32_at(&run.datagram, ESF_ETD_AT_SEQ), i + 1);
	}
	CU_ASSERT_FALSE(run_next(&run));
	run_close(&run);
}

static void life_of_a_site_shows_in_kind_boot_and_seq(void)
{
	struct run run =
	    run_open("sites: {count: 1}\n"
	             "faults: [{kind: restart, from: 1s}, {kind: leave, from: 2s, to: 3s},\n"
	             "         {kind: alarm, from: 3s, text: hot}]\n",
	        (struct esf_traffic_options){ .duration_ns = 4 * second });
	static const struct {
		uint8_t kind;
		uint32_t boot_after, seq;
	} want[] = { { ESF_ETD_BIRTH, 0, 1 }, { ESF_ETD_DATA, 0, 2 }, { ESF_ETD_BIRTH, 1, 1 },
		{ ESF_ETD_DATA, 1, 2 }, { ESF_ETD_DEATH, 1, 3 }, { ESF_ETD_BIRTH, 3, 1 },
		{ ESF_ETD_EVENT, 3, 2 }, { ESF_ETD_DATA, 3, 3 } };

	for (size_t i = 0; i < sizeof(want) / sizeof(want[0]); i++) {
		CU_ASSERT_TRUE_FATAL(run_next(&run));
		CU_ASSERT_EQUAL(run.datagram.data[ESF_ETD_AT_KIND], want[i].kind);
		CU_ASSERT_EQUAL(
		    u32_at(&run.datagram, ESF_ETD_AT_BOOT), 1700000000 + want[i].boot_after);
		CU_ASSERT_EQUAL(u32_at(&run.datagram, ESF_ETD_AT_SEQ), want[i].seq);
	}
	CU_ASSERT_FALSE(run_next(&run));
	run_close(&run);
}

static void fleet_that_is_silent_for_good_ends(void)
{
	struct run run = run_open("sites: {count: 1}\nfaults: [{kind: dropout}]",
	    (struct esf_traffic_options){ .count = 5 });

	CU_ASSERT_FALSE(run_next(&run));
	run_close(&run);
}

void esf_suite_encode(void)
{
	CU_pSuite suite = CU_add_suite("encode", NULL, NULL);

	CU_ADD_TEST(suite, etd_data_has_the_contracts_bytes);
	CU_ADD_TEST(suite, etd_birth_and_event_have_the_contracts_bytes);
	CU_ADD_TEST(suite, record_without_room_leaves_the_datagram_unchanged);
	CU_ADD_TEST(suite, influx_line_is_escaped);
	CU_ADD_TEST(suite, statsd_lines_are_as_published);
	CU_ADD_TEST(suite, statsd_line_that_needs_escapes_is_refused);
	CU_ADD_TEST(suite, syslog_message_is_rfc_5424s);
	CU_ADD_TEST(suite, syslog_host_is_printable_ascii);
	CU_ADD_TEST(suite, numbers_are_short_and_exact);
	CU_ADD_TEST(suite, same_seed_gives_the_same_bytes);
	CU_ADD_TEST(suite, births_come_first_and_every_minute);
	CU_ADD_TEST(suite, rate_spaces_datagrams_without_drift);
	CU_ADD_TEST(suite, lines_of_several_sites_share_a_datagram);
	CU_ADD_TEST(suite, statsd_site_sends_gauges_and_increments_in_one_datagram);
	CU_ADD_TEST(suite, syslog_site_tells_its_state_every_interval);
	CU_ADD_TEST(suite, format_refuses_what_it_cannot_express);
	CU_ADD_TEST(suite, wider_datagrams_carry_older_samples_too);
	CU_ADD_TEST(suite, loss_duplicates_and_disorder_are_counted_as_a_receiver_sees_them);
	CU_ADD_TEST(suite, storm_multiplies_one_sites_datagrams);
	CU_ADD_TEST(suite, value_faults_bend_the_signal);
	CU_ADD_TEST(suite, silent_site_uses_no_seq_and_returns_with_the_next_one);
	CU_ADD_TEST(suite, life_of_a_site_shows_in_kind_boot_and_seq);
	CU_ADD_TEST(suite, fleet_that_is_silent_for_good_ends);
}

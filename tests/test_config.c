/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <CUnit/CUnit.h>

#include "control/config/load.h"
#include "control/config/nearest.h"
#include "control/config/value.h"
#include "dataplane/etd_wire.h"
#include "suites.h"

struct loaded {
	struct esf_config *config;
	struct esf_faults faults;
	int rc;
};

static struct loaded load(const char *text)
{
	struct loaded loaded;

	loaded.rc = esf_config_load_memory("t", text, strlen(text), &loaded.config, &loaded.faults);
	return loaded;
}

static void unload(struct loaded *loaded)
{
	esf_config_free(loaded->config);
	esf_faults_free(&loaded->faults);
}

static void say(const char *text, const struct esf_faults *faults)
{
	fprintf(stderr, "\n%s\n", text);
	for (uint32_t i = 0; i < faults->count; i++)
		fprintf(stderr, "  -> %s\n", faults->lines[i]);
}

/* Asserts that text has exactly the one fault, or none where fault is NULL. */
static void expect(const char *text, const char *fault)
{
	struct loaded loaded = load(text);
	bool right = fault == NULL ? loaded.rc == 0 && loaded.faults.count == 0
	                           : loaded.rc == -EINVAL && loaded.faults.count == 1 &&
	                                 strcmp(loaded.faults.lines[0], fault) == 0;

	if (!right)
		say(text, &loaded.faults);
	CU_ASSERT_TRUE(right);
	CU_ASSERT_EQUAL(loaded.config == NULL, fault != NULL);
	unload(&loaded);
}

struct expected {
	const char *text;
	const char *fault; /* NULL: none */
};

#define EXPECT_ALL(table)                                                  \
	for (size_t i_ = 0; i_ < sizeof(table) / sizeof((table)[0]); i_++) \
	expect((table)[i_].text, (table)[i_].fault)

/* Of a file that is taken: the only warning. */
static void expect_warning(const char *text, const char *warning)
{
	struct loaded loaded = load(text);
	bool found = false;

	CU_ASSERT_EQUAL(loaded.rc, 0);
	for (uint32_t i = 0; i < loaded.faults.warnings_count; i++)
		found |= strcmp(loaded.faults.warnings[i], warning) == 0;
	if (!found) {
		for (uint32_t i = 0; i < loaded.faults.warnings_count; i++)
			fprintf(stderr, "\n  ~> %s", loaded.faults.warnings[i]);
	}
	CU_ASSERT_TRUE(found);
	unload(&loaded);
}

static void ten_faults_are_ten_lines_in_order(void)
{
	static const char *const starts[] = {
		":3: ingestion: got \"deviations\", want full, downsample or deviation, did you "
		"mean "
		"\"deviation\"?",
		":5: listeners[0].udp: got \"70000\", want 1..65535",
		":8: regions[0].sites[1]: got \"n-3\", want the name of one of sites, did you mean "
		"\"n-2\"?",
		":11: sites[0].name: got \"n 1\", want a name of 1..63 bytes without blanks, "
		"control characters or /",
		":12: sites[1].id: 1 again: sites[0] on line 10 has it",
		":14: normalise[0].match: got \"^a(\", want a pattern that compiles: ",
		":17: kpis[0].warn: the low edge is 0.97, want it below good's, which is 0.95",
		":19: rollup.windows_opn: unknown key, did you mean \"windows_open\"?",
		":20: dedup.sequence_window: got \"1000\", want a power of two, 64..8192",
		":22: http.listen: got \"0.0.0.0:8080\", want a loopback address: ",
	};
	const uint32_t count = sizeof(starts) / sizeof(starts[0]);
	const char *path = "tests/data/config/ten_faults.yaml";
	struct loaded loaded;

	loaded.rc = esf_config_load(path, &loaded.config, &loaded.faults);
	CU_ASSERT_EQUAL(loaded.rc, -EINVAL);
	CU_ASSERT_EQUAL(loaded.faults.count, count);
	for (uint32_t i = 0; i < count && i < loaded.faults.count; i++) {
		const char *said = loaded.faults.lines[i] + strlen(path);

		CU_ASSERT_EQUAL(strncmp(loaded.faults.lines[i], path, strlen(path)), 0);
		CU_ASSERT_EQUAL(strncmp(said, starts[i], strlen(starts[i])), 0);
	}
	if (CU_get_number_of_failures() > 0)
		say(path, &loaded.faults);
	unload(&loaded);
}

static void unreadable_files_are_one_fault(void)
{
	static const struct {
		const char *path;
		int rc;
		const char *fault;
	} cases[] = {
		{ "/nonexistent/x.yaml", -ENOENT,
		    "/nonexistent/x.yaml:1: file: cannot be read: No such file or directory" },
		{ "/", -EISDIR, "/:1: file: cannot be read: Is a directory" },
		{ "/dev/null", -EINVAL,
		    "/dev/null:1: syntax: the file is empty, want at least a profile, listeners "
		    "and sites" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct loaded loaded;

		loaded.rc = esf_config_load(cases[i].path, &loaded.config, &loaded.faults);
		CU_ASSERT_EQUAL(loaded.rc, cases[i].rc);
		CU_ASSERT_EQUAL_FATAL(loaded.faults.count, 1);
		CU_ASSERT_STRING_EQUAL(loaded.faults.lines[0], cases[i].fault);
		unload(&loaded);
	}
}

static void syntax_errors_carry_their_line(void)
{
	static const struct expected cases[] = {
		{ "profile: small\nrollup:\n\twindow: 10s\n",
		    "t:3: syntax: found character that cannot start any token while scanning for "
		    "the next token: a tab; YAML is indented with spaces" },
		{ "eal: [a\n",
		    "t:2: syntax: did not find expected ',' or ']' while parsing a flow sequence" },
		{ "profile: small\n---\nprofile: large\n",
		    "t:2: syntax: a second document begins here, want one a file" },
		{ "# nothing\n",
		    "t:1: syntax: the file is empty, want at least a profile, listeners and "
		    "sites" },
		{ "a: \"\xff\"\n", "t:1: syntax: invalid leading UTF-8 octet (byte 4)" },
		{ "profile: *p\n", "t:1: syntax: found undefined alias" },
		{ "- profile\n", "t:1: file: got [profile], want KEY: VALUE lines" },
		{ "just text\n", "t:1: file: got \"just text\", want KEY: VALUE lines" },
	};

	EXPECT_ALL(cases);
}

static void unknown_and_repeated_keys_are_faults_at_the_key(void)
{
	static const struct expected cases[] = {
		{ "{}\n", NULL },
		{ "profil: small\n", "t:1: profil: unknown key, did you mean \"profile\"?" },
		{ "zebra: 1\n", "t:1: zebra: unknown key" },
		{ "rollup:\n  window: 10s\n  window: 5s\n",
		    "t:3: rollup.window: set twice, first on line 2: remove one" },
		{ "listeners:\n  - {upd: 8089, format: influx}\n",
		    "t:2: listeners[0].upd: unknown key, did you mean \"udp\"?" },
		{ "regions:\n  - {name: a, mach: 'a-*'}\n",
		    "t:2: regions[0].mach: unknown key, did you mean \"match\"?" },
		{ "site: []\nregions: [{name: a, sites: [b]}]\n",
		    "t:1: site: unknown key, did you mean \"sites\"?" },
		{ "domian: custom\nnormalise: [{match: a, kpi: mine}]\n",
		    "t:1: domian: unknown key, did you mean \"domain\"?" },
		{ "listeners:\n  - format: etd\n",
		    "t:2: listeners[0].udp: missing, want 1..65535" },
		{ "base: &b {window: 10s}\n", "t:1: base: unknown key" },
		{ "rollup: {<<: {window: 10s}}\n",
		    "t:1: rollup.<<: merge keys are not read: write the keys out" },
		{ "rollup: !x {window: 10s}\n",
		    "t:1: rollup: YAML tags are not read: remove the tag" },
		{ "rollup:\n  ? [a]\n  : b\n", "t:2: rollup: got [a], want a key's name" },
	};

	EXPECT_ALL(cases);
}

static void aliases_are_read_and_may_not_loop(void)
{
	struct loaded loaded = load("rollup: {window: &w 20s, intervals: [*w, 1m]}\n");

	CU_ASSERT_EQUAL_FATAL(loaded.rc, 0);
	CU_ASSERT_EQUAL(loaded.config->rollup.intervals_ns[0], 20 * INT64_C(1000000000));
	unload(&loaded);
	loaded = load("rollup: &r\n  window: *r\n");
	CU_ASSERT_EQUAL(loaded.rc, -EINVAL);
	CU_ASSERT_EQUAL(loaded.faults.count, 1);
	unload(&loaded);
	loaded = load("sites: &s\n  - *s\n  - {id: 1, name: a, addresses: *s}\n");
	CU_ASSERT_EQUAL(loaded.rc, -EINVAL);
	unload(&loaded);
}

static void wrong_types_say_what_they_got(void)
{
	static const struct expected cases[] = {
		{ "profile: [small]\n",
		    "t:1: profile: got [small], want small, medium, large or xlarge" },
		{ "profile: smal\n",
		    "t:1: profile: got \"smal\", want small, medium, large or xlarge, did you mean "
		    "\"small\"?" },
		{ "idle: {policy: slep}\n",
		    "t:1: idle.policy: got \"slep\", want auto, poll, yield or sleep, did you "
		    "mean \"sleep\"?" },
		{ "idle: {max_sleep_us: 200us}\n",
		    "t:1: idle.max_sleep_us: got \"200us\", want 20..10000" },
		{ "idle: sleep\n", "t:1: idle: got \"sleep\", want a mapping" },
		{ "sites:\n", "t:1: sites: got nothing, want a list ([] when there are none)" },
		{ "sites: 3\n", "t:1: sites: got \"3\", want a list" },
		{ "rollup: 10s\n", "t:1: rollup: got \"10s\", want a mapping" },
		{ "rollup: {windows_open: \"3\"}\n",
		    "t:1: rollup.windows_open: got \"3\", want 1..16" },
		{ "rollup: {windows_open: 03}\n",
		    "t:1: rollup.windows_open: got \"03\", want 1..16" },
		{ "rollup: {window: 10}\n",
		    "t:1: rollup.window: got \"10\", want a duration of 1s..1h" },
		{ "listeners: [{udp: 1, format: etd, require_seal: yes}]\n",
		    "t:1: listeners[0].require_seal: got \"yes\", want true or false" },
		{ "deviation: {band: 0}\n",
		    "t:1: deviation.band: got \"0\", want a number above 0, at most 1" },
		{ "health: {min_coverage: .nan}\n",
		    "t:1: health.min_coverage: got \".nan\", want 0..1" },
		{ "compare: {rounds: [5, 3]}\n",
		    "t:1: compare.rounds: got [5, 3], want [M, N] with 1 <= M <= N <= 64" },
		{ "sites: [a]\n", "t:1: sites[0]: got \"a\", want a mapping" },
		{ "eal: [{a: b}]\n",
		    "t:1: eal[0]: got a mapping, want text of 1..255 bytes on one line" },
		{ "eal: [\"a\\0b\"]\n",
		    "t:1: eal[0]: got \"a?b\", want text of 1..255 bytes on one line" },
		{ "compare: {peers: \"label:\"}\n",
		    "t:1: compare.peers: got \"label:\", want region, fleet or label:NAME" },
		{ "compare: {peers: \"label:vendr\"}\n"
		  "sites: [{id: 1, name: a, labels: {feeder: f, vendor: x}}]\n",
		    "t:1: compare.peers: no site has the label \"vendr\", did you mean \"vendor\"?" },
		{ "compare: {peers: \"label:vendor\"}\n"
		  "sites: [{id: 1, name: a}, {id: 2, name: b, labels: {vendor: x}}]\n",
		    NULL },
		{ "compare: {baseline: hour}\n",
		    "t:1: compare.baseline: got \"hour\", want none, day or week" },
	};

	EXPECT_ALL(cases);
}

/* Each bound: the last value that is taken and the first that is not, on both sides. */
static void every_bound_is_where_the_reference_says(void)
{
	static const struct {
		const char *format; /* with one %s */
		const char *taken[2];
		const char *refused[2]; /* NULL: nothing lies there */
	} bounds[] = {
		{ "listeners: [{udp: %s, format: etd}]", { "1", "65535" }, { "0", "65536" } },
		{ "ports: [{port: %s, addresses: [10.0.0.1/8]}]", { "0", "31" }, { "-1", "32" } },
		{ "ports: [{port: 0, addresses: [10.0.0.1/%s]}]", { "1", "32" }, { "0", "33" } },
		{ "ports: [{port: 0, addresses: ['fd00::1/%s']}]", { "1", "128" }, { "0", "129" } },
		{ "sites: [{name: a, id: %s}]", { "1", "4294967295" }, { "0", "4294967296" } },
		{ "sites: [{name: a, id: 1, weight: %s}]", { "0.001", "1e9" }, { "0", "1.1e9" } },
		{ "idle: {max_sleep_us: %s}", { "20", "10000" }, { "19", "10001" } },
		{ "receive_only: [%s]", { "0", "127" }, { "-1", "128" } },
		{ "rollup: {epoch: 1s, window: %s}", { "1s", "1h" }, { "999ms", "3601s" } },
		{ "rollup: {windows_open: %s}", { "1", "16" }, { "0", "17" } },
		{ "rollup: {window: 2m, epoch: %s}", { "100ms", "1m" }, { "99ms", "61s" } },
		{ "rollup: {window: 1s, intervals: [%s]}", { "1s", "31d" }, { "0s", "32d" } },
		{ "dedup: {sequence_window: %s}", { "64", "8192" }, { "32", "16384" } },
		{ "dedup: {line_window: %s}", { "1s", "1h" }, { "999ms", "61m" } },
		{ "{clock: {max_skew: %s}, rollup: {window: 1h}}", { "0s", "1d" },
		    { "-1s", "25h" } },
		{ "storm: {site_rate: %s}", { "1", "1000000000" }, { "0", "1000000001" } },
		{ "storm: {site_burst: %s}", { "1", "1000000000" }, { "0", "1000000001" } },
		{ "storm: {fleet_exit: %s}", { "1", "1999999" }, { "0", "2000000" } },
		{ "storm: {fleet_enter: %s}", { "1000001", "1000000000" },
		    { "1000000", "1000000001" } },
		{ "storm: {min_hold: %s}", { "1s", "1h" }, { "0s", "61m" } },
		{ "downsample: {healthy_above: %s}", { "0", "100" }, { "-1", "100.5" } },
		{ "downsample: {keep_one_in: %s}", { "1", "1000" }, { "0", "1001" } },
		{ "deviation: {band: %s}", { "0.0001", "1" }, { "0", "1.01" } },
		{ "deviation: {max_silence: %s}", { "1s", "30d" }, { "0s", "31d" } },
		{ "health: {good: %s}", { "60.5", "100" }, { "60", "101" } },
		{ "health: {degraded: %s}", { "0", "79" }, { "-1", "80" } },
		{ "health: {min_coverage: %s}", { "0", "1" }, { "-0.1", "1.1" } },
		{ "health: {vital_cap: %s}", { "0", "100" }, { "-1", "101" } },
		{ "compare: {threshold: %s}", { "0.1", "100" }, { "0", "101" } },
		{ "compare: {min_peers: %s}", { "3", "1000000" }, { "2", "1000001" } },
		{ "compare: {rounds: [%s, 64]}", { "1", "64" }, { "0", "65" } },
		{ "compare: {rounds: [1, %s]}", { "1", "64" }, { "0", "65" } },
		{ "correlate: {group: %s}", { "1s", "1h" }, { "0s", "61m" } },
		{ "correlate: {silent_after: %s}", { "1", "1000" }, { "0", "1001" } },
		{ "kpis: [{name: a, min_effect: %s}]", { "0", "1e15" }, { "-1", "1e16" } },
		{ "kpis: [{name: fault_rate, weight: %s}]", { "0", "1000000" },
		    { "-1", "1000001" } },
		{ "http: {listen: '127.0.0.1:%s'}", { "1", "65535" }, { "0", "65536" } },
		{ "history: {keep: %s}", { "1h", "3650d" }, { "59m", "3651d" } },
		{ "state: {every: %s}", { "1s", "1h" }, { "999ms", "61m" } },
		{ "export: [{name: a, url: 'http://h', batch: %s}]", { "1", "50000" },
		    { "0", "50001" } },
		{ "export: [{name: a, url: 'http://h', every: %s}]", { "100ms", "1h" },
		    { "99ms", "61m" } },
		{ "export: [{name: a, url: 'http://h', timeout: %s}]", { "100ms", "5m" },
		    { "99ms", "301s" } },
		{ "export: [{name: a, url: 'http://h', spool: %s}]", { "64KiB", "64GiB" },
		    { "63KiB", "65GiB" } },
		{ "normalise: [{match: a, kpi: power_kw, scale: %s}]", { "-1e15", "1e15" },
		    { "0", "1e16" } },
	};
	char text[256];

	for (size_t i = 0; i < sizeof(bounds) / sizeof(bounds[0]); i++) {
		for (int side = 0; side < 2; side++) {
			struct loaded loaded;

			snprintf(text, sizeof(text), bounds[i].format, bounds[i].taken[side]);
			expect(text, NULL);
			snprintf(text, sizeof(text), bounds[i].format, bounds[i].refused[side]);
			loaded = load(text);
			if (loaded.faults.count != 1)
				say(text, &loaded.faults);
			CU_ASSERT_EQUAL(loaded.faults.count, 1);
			unload(&loaded);
		}
	}
}

static void keys_bound_each_other(void)
{
	static const struct expected cases[] = {
		{ "rollup: {window: 1s}\nclock: {max_skew: 4092s}\n", NULL },
		{ "rollup: {window: 1s}\nclock: {max_skew: 4093s}\n",
		    "t:2: clock.max_skew: max_skew 4093s is too far ahead for windows of 1s, want "
		    "max_skew at most 4092s" },
		{ "rollup: {window: 1s, epoch: 2s}\n",
		    "t:1: rollup.epoch: an epoch of 2s is longer than the window of 1s, want epoch "
		    "<= window" },
		{ "rollup: {intervals: [15s]}\n", "t:1: rollup.intervals[0]: got \"15s\", want a "
		                                  "multiple of rollup.window, 10s" },
		{ "rollup: {intervals: [1h, 1m]}\n",
		    "t:1: rollup.intervals[1]: got \"1m\", want intervals in ascending order" },
		{ "health:\n  good: 50\n",
		    "t:2: health.good: degraded is 60 and good is 50, want degraded < good" },
		{ "rollup: {window: 1h, epoch: 1x}\n",
		    "t:1: rollup.epoch: got \"1x\", want a duration of 100ms..1m" },
		{ "lcores: 2-3\nreceive_only: [2, 3]\n",
		    "t:1: lcores: all are receive_only, want at least one that owns sites" },
		{ "lcores: 2-3\nreceive_only: [4]\n",
		    "t:2: receive_only[0]: got \"4\", want one of lcores" },
		{ "receive_only: [4, 4]\n", "t:1: receive_only[1]: 4 again, want each lcore once" },
		{ "lcores: 0-32\n", "t:1: lcores: 33 that own sites, want at most 32" },
		{ "lcores: 0-33\nreceive_only: [1, 2]\n", NULL },
		{ "listeners: [{udp: 1, format: etd, precision: ns}]\n",
		    "t:1: listeners[0].precision: means nothing to format etd: remove it" },
	};

	EXPECT_ALL(cases);
}

static void duplicates_name_the_first(void)
{
	static const struct expected cases[] = {
		{ "sites:\n  - {id: 1, name: a}\n  - {id: 2, name: a}\n",
		    "t:3: sites[1].name: \"a\" again: sites[0] on line 2 has it" },
		{ "sites:\n  - {id: 1, name: a}\n  - {id: 1, name: b}\n",
		    "t:3: sites[1].id: 1 again: sites[0] on line 2 has it" },
		{ "sites:\n  - {id: 1, name: a, addresses: [10.0.0.1]}\n"
		  "  - {id: 2, name: b, addresses: ['::ffff:10.0.0.1']}\n",
		    "t:3: sites[1].addresses[0]: ::ffff:10.0.0.1 again: sites[0] on line 2 has it, "
		    "want one site a source address" },
		{ "regions:\n  - {name: a, match: x}\n  - {name: a, match: y}\n",
		    "t:3: regions[1].name: \"a\" again: regions[0] on line 2 has it" },
		{ "listeners:\n  - {udp: 7, format: etd}\n  - {udp: 7, format: influx}\n",
		    "t:3: listeners[1].udp: 7 again: listeners[0] on line 2 has it, want one "
		    "format "
		    "a port" },
		{ "kpis:\n  - {name: a}\n  - {name: a}\n",
		    "t:3: kpis[1].name: \"a\" again: kpis[0] on line 2 has it" },
		{ "ports:\n  - {port: 0, addresses: [10.0.0.1/8]}\n"
		  "  - {port: 0, addresses: [10.0.0.2/8]}\n",
		    "t:3: ports[1].port: 0 again: the port of ports[0], line 2" },
		{ "ports:\n  - {port: 0, addresses: [10.0.0.1/8, 10.0.0.1/9]}\n",
		    "t:2: ports[0].addresses[1]: 10.0.0.1/9 again, want each address once" },
	};

	EXPECT_ALL(cases);
}

static void references_must_lead_somewhere(void)
{
	static const struct expected cases[] = {
		{ "sites: [{id: 1, name: north-1}]\nregions: [{name: r, sites: [nort-1]}]\n",
		    "t:2: regions[0].sites[0]: got \"nort-1\", want the name of one of sites, did "
		    "you mean \"north-1\"?" },
		{ "sites: [{id: 1, name: a, upstream: [gateway, a]}]\n", NULL },
		{ "sites: [{id: 0, name: a}]\nregions: [{name: r, sites: [a]}]\n",
		    "t:1: sites[0].id: got \"0\", want 1..4294967295" },
		{ "sites: [{id: 1, nam: a}]\nregions: [{name: r, sites: [a]}]\n",
		    "t:1: sites[0].nam: unknown key, did you mean \"name\"?" },
		{ "sites: [{id: 1, name: [a]}]\nregions: [{name: r, sites: [b]}]\n",
		    "t:1: sites[0].name: got [a], want a name of 1..63 bytes without blanks, "
		    "control "
		    "characters or /" },
		{ "sites: [{id: 1, name: a}]\nregions: [{name: r, sites: [a, a]}]\n",
		    "t:2: regions[0].sites[1]: \"a\" again, want each site once" },
		{ "regions: [{name: unassigned, match: a}]\n",
		    "t:1: regions[0].name: got \"unassigned\", want another name: it holds the "
		    "sites "
		    "that no region takes" },
		{ "regions: [{name: r}]\n", "t:1: regions[0]: takes no site, want sites or match" },
		{ "normalise: [{match: a, kpi: hot_sid_c}]\n",
		    "t:1: normalise[0].kpi: got \"hot_sid_c\", want a KPI of the domain or of "
		    "kpis, "
		    "did you mean \"hot_side_c\"?" },
		{ "normalise: [{match: a, kpi: comms_quality}]\n",
		    "t:1: normalise[0].kpi: got \"comms_quality\", want a measured KPI: that one "
		    "is "
		    "the dataplane's own" },
		{ "kpis: [{name: mine}]\nnormalise: [{match: a, kpi: mine}]\n", NULL },
		{ "kpis: [{nme: mine}]\nnormalise: [{match: a, kpi: mine}]\n",
		    "t:1: kpis[0].nme: unknown key, did you mean \"name\"?" },
		{ "normalise: [{match: a, kpi: power_kw, min: 5, max: 5}]\n",
		    "t:1: normalise[0].max: min is 5 and max is 5, want min < max" },
	};

	EXPECT_ALL(cases);
}

static void keys_are_read_and_judged_at_load(void)
{
	char good[] = "/tmp/esf-key-XXXXXX", text[512], expected[512];
	int file = mkstemp(good);
	const struct expected cases[] = {
		{ "sites: [{id: 1, name: a, keys: [{id: 1, file: /nowhere/k}]}]\n",
		    "t:1: sites[0].keys[0].file: /nowhere/k: No such file or directory" },
		{ "sites: [{id: 1, name: a, require_seal: true}]\n",
		    "t:1: sites[0].require_seal: got true, but the site has no keys: list them "
		    "under keys" },
		{ "listeners: [{udp: 1, format: etd, require_seal: true}]\n", NULL },
	};

	EXPECT_ALL(cases);
	CU_ASSERT_EQUAL(write(file, "000102030405060708090a0b0c0d0e0f\n", 33), 33);
	snprintf(text, sizeof(text),
	    "sites: [{id: 1, name: a, require_seal: true, keys: [{id: 7, file: %s}]}]\n", good);
	expect(text, NULL);
	snprintf(text, sizeof(text),
	    "sites: [{id: 1, name: a, keys: [{id: 7, file: %s}, {id: 7, file: %s}]}]\n", good,
	    good);
	expect(text, "t:1: sites[0].keys[1].id: 7 again: keys[0] has it");
	snprintf(text, sizeof(text),
	    "sites:\n  - {id: 1, name: a, keys: [{id: 1, file: %s}, {id: 2, file: %s}]}\n"
	    "  - {id: 2, name: b, keys: [{id: 1, file: %s}]}\n",
	    good, good, good);
	expect_warning(text,
	    "t:3: sites[1].keys[0].file: the key of sites[0] too: two sites under one key repeat "
	    "nonces, and who listens can forge seals: give each its own");
	CU_ASSERT_EQUAL(fchmod(file, 0644), 0);
	snprintf(
	    text, sizeof(text), "sites: [{id: 1, name: a, keys: [{id: 7, file: %s}]}]\n", good);
	snprintf(expected, sizeof(expected),
	    "t:1: sites[0].keys[0].file: %s: got mode 0644, want a key that only its owner can "
	    "read: chmod 600 '%s'",
	    good, good);
	expect(text, expected);
	close(file);
	unlink(good);
}

static void exports_have_these_faults(void)
{
	static const struct expected cases[] = {
		{ "export: [{name: a}]\n",
		    "t:1: export[0].url: missing, want text of 1..2048 bytes on one line" },
		{ "export: [{name: a, url: 'h:80/write'}]\n",
		    "t:1: export[0].url: got \"h:80/write\", want a URL such as "
		    "http://127.0.0.1:8428/write or https://db.example:8086/write?db=fleet" },
		{ "export: [{name: a, url: 'http://me:it@h/write'}]\n",
		    "t:1: export[0].url: got \"http://me:it@h/write\", want a URL without a user "
		    "and a password: they belong in token_file" },
		{ "export: [{name: a, url: 'http://h/write?db=x&p=it'}]\n",
		    "t:1: export[0].url: got \"http://h/write?db=x&p=it\", want a URL without a "
		    "user and a password: they belong in token_file" },
		{ "export: [{name: a, url: 'http://h/write?precision=ms'}]\n",
		    "t:1: export[0].url: got \"http://h/write?precision=ms\", want precision=ns, "
		    "which is the default" },
		{ "export: [{name: a, url: 'http://h/write?precision=ns&db=x'}]\n", NULL },
		{ "export: [{name: a, url: 'http://h', format: json}]\n",
		    "t:1: export[0].format: got \"json\", want influx" },
		{ "export: [{name: a, url: 'http://h', levels: [fleet, region, fleet]}]\n",
		    "t:1: export[0].levels[2]: fleet again" },
		{ "export: [{name: a, url: 'http://h', levels: []}]\n",
		    "t:1: export[0].levels: got 0 items, want 1..3" },
		{ "export: [{name: a, url: 'http://h', spool: 64MB}]\n",
		    "t:1: export[0].spool: got \"64MB\", want 64KiB..64GiB, such as 64MiB" },
		{ "domain: energy\nexport: [{name: a, url: 'http://h', kpis: [efficency]}]\n",
		    "t:2: export[0].kpis[0]: no KPI \"efficency\", did you mean \"efficiency\"?" },
		{ "export: [{name: a, url: 'http://h'}, {name: a, url: 'http://h'}]\n",
		    "t:1: export[1].name: \"a\" again: export[0] has it" },
		{ "export: [{name: a, url: 'http://h', spool_file: /f}, {name: b, url: "
		  "'http://h', spool_file: /f}]\n",
		    "t:1: export[1].spool_file: \"/f\" again: export[0] has it, want a file each" },
		{ "export: [{name: a, url: 'http://h', token_file: /nowhere/t}]\n",
		    "t:1: export[0].token_file: /nowhere/t: No such file or directory" },
		{ "export: [{name: a, url: 'http://h', ca_file: /f}]\n",
		    "t:1: export[0].ca_file: means nothing to a url of http://: remove it, or want "
		    "https://" },
		{ "export: [{name: a, url: 'https://h', ca_file: /f}]\n", NULL },
	};
	struct loaded loaded = load("export: [{name: a, url: 'http://h'}]\n");

	EXPECT_ALL(cases);
	CU_ASSERT_EQUAL_FATAL(loaded.config->export_count, 1);
	CU_ASSERT(esf_export_has_level(&loaded.config->export[0], ESF_EXPORT_FLEET));
	CU_ASSERT(esf_export_has_level(&loaded.config->export[0], ESF_EXPORT_REGION));
	CU_ASSERT_FALSE(esf_export_has_level(&loaded.config->export[0], ESF_EXPORT_SITE));
	CU_ASSERT_EQUAL(loaded.config->export[0].spool_size, 64 << 20);
	unload(&loaded);
}

static void signatures_are_kept_in_their_order(void)
{
	struct loaded loaded =
	    load("listeners: [{udp: 5514, format: syslog}]\n"
	         "signatures:\n"
	         "  - {match: '(?i)ground fault', code: ground_fault, severity: 2, state: raise}\n"
	         "  - {match: 'fault', code: other}\n");
	const struct esf_signature_config *signatures;

	CU_ASSERT_EQUAL_FATAL(loaded.rc, 0);
	signatures = loaded.config->signatures;
	CU_ASSERT_EQUAL(loaded.config->listeners[0].format, ESF_FORMAT_SYSLOG);
	CU_ASSERT_EQUAL_FATAL(loaded.config->signatures_count, 2);
	CU_ASSERT_STRING_EQUAL(signatures[0].match, "(?i)ground fault");
	CU_ASSERT_STRING_EQUAL(signatures[0].code, "ground_fault");
	CU_ASSERT_EQUAL(signatures[0].severity, 2);
	CU_ASSERT_EQUAL(signatures[0].state, ESF_ETD_RAISE);
	CU_ASSERT_STRING_EQUAL(signatures[1].code, "other");
	CU_ASSERT_EQUAL(signatures[1].severity, ESF_SIGNATURE_AS_SENT);
	CU_ASSERT_EQUAL(signatures[1].state, ESF_SIGNATURE_AS_SENT);
	unload(&loaded);
}

static void signatures_have_these_faults(void)
{
	static const struct expected cases[] = {
		{ "signatures: [{match: x, code: y, severity: 0, state: clear}]\n", NULL },
		{ "signatures: [{match: x, code: y, severity: 8}]\n",
		    "t:1: signatures[0].severity: got \"8\", want 0..7" },
		{ "signatures:\n  - {match: x, code: y}\n  - {match: 'a(', code: y}\n",
		    "t:3: signatures[1].match: got \"a(\", want a pattern that compiles: Missing "
		    "close parenthesis for group started at index 1." },
		{ "signatures: [{match: x, code: y, state: rise}]\n",
		    "t:1: signatures[0].state: got \"rise\", want message, raise or clear, did you "
		    "mean \"raise\"?" },
		{ "signatures: [{code: y}]\n",
		    "t:1: signatures[0].match: missing, want text of 1..1024 bytes on one line" },
		{ "signatures: [{match: x, code: 'A B'}]\n",
		    "t:1: signatures[0].code: got \"A B\", want a name like output_ratio: a-z, 0-9 "
		    "and _, 1..63 bytes" },
	};

	EXPECT_ALL(cases);
}

static void what_is_not_built_says_so(void)
{
	static const struct expected cases[] = {
		{ "inventory: x.csv\nregions: [{name: r, sites: [a]}]\n",
		    "t:1: inventory: x.csv: No such file or directory" },
		{ "ai: {slots: [{name: a, backend: builtin, options: {x: 1}}]}\n",
		    "t:1: ai.slots: not built yet: set ai: {slots: []}" },
		{ "ai: {slots: [{name: a, backend: builtin}, {name: b, backend: builtin}, "
		  "{name: c, backend: builtin}]}\n",
		    "t:1: ai.slots: 3 AI slots, profile small takes 2: use profile medium" },
		{ "http: {token_file: t}\n",
		    "t:1: http.token_file: not built yet: set token_file: null" },
		{ "state: {every: 500ms}\n", "t:1: state.every: got \"500ms\", want a duration of 1s..1h" },
		{ "state: {file: null}\nhistory: {file: null, keep: 90d}\nai: {slots: []}\n"
		  "maintenance: []\nsignatures: []\nunknown_sites: refuse\ninventory: null\n"
		  "compare: {calibrate: fleetwise, peers: 'label:vendor'}\nhttp: {token_file: ~}\n",
		    NULL },
	};

	EXPECT_ALL(cases);
}

/* A configuration of n sites and as many regions as asked for; the caller frees it. */
static char *generate(const char *profile, uint32_t sites, uint32_t regions)
{
	size_t size = 128 + (size_t)(sites + regions) * 64, used;
	char *text = malloc(size);

	used = (size_t)snprintf(
	    text, size, "profile: %s\nsites:%s\n", profile, sites == 0 ? " []" : "");
	for (uint32_t i = 1; i <= sites; i++)
		used += (size_t)snprintf(text + used, size - used,
		    "  - {id: %u, name: s-%u, addresses: [10.%u.%u.%u]}\n", i, i, i >> 16,
		    i >> 8 & 255, i & 255);
	used +=
	    (size_t)snprintf(text + used, size - used, "regions:%s\n", regions == 0 ? " []" : "");
	for (uint32_t i = 0; i < regions; i++)
		used += (size_t)snprintf(
		    text + used, size - used, "  - {name: r%u, match: 's-%u*'}\n", i, i + 1);
	return text;
}

static void a_profile_too_small_names_the_next(void)
{
	static const struct {
		const char *profile;
		uint32_t sites, regions;
		const char *fault;
	} cases[] = {
		{ "small", 50, 4, NULL },
		{ "small", 51, 0,
		    "t:3: sites: 51 sites, profile small takes 50: use profile medium" },
		{ "small", 201, 0,
		    "t:3: sites: 201 sites, profile small takes 50: use profile large" },
		{ "medium", 200, 16, NULL },
		{ "medium", 1001, 0,
		    "t:3: sites: 1001 sites, profile medium takes 200: use profile xlarge" },
		{ "large", 1000, 64, NULL },
		{ "small", 0, 5,
		    "t:4: regions: 5 regions, profile small takes 4: use profile medium" },
		{ "xlarge", 1001, 1024, NULL },
		{ "xlarge", 0, 1025,
		    "t:4: regions: 1025 regions, and no profile takes more than 1024" },
		{ "smal", 51, 0,
		    "t:1: profile: got \"smal\", want small, medium, large or xlarge, did you mean "
		    "\"small\"?" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char *text = generate(cases[i].profile, cases[i].sites, cases[i].regions);

		expect(text, cases[i].fault);
		free(text);
	}
}

static void a_thousand_sites_load_in_order(void)
{
	char *text = generate("large", 1000, 3);
	struct loaded loaded = load(text);

	CU_ASSERT_EQUAL_FATAL(loaded.rc, 0);
	CU_ASSERT_EQUAL(loaded.config->sites_count, 1000);
	for (uint32_t i = 0; i < 1000; i++) {
		const struct esf_site_config *site = &loaded.config->sites[i];
		char first = site->name[2]; /* s-1, s-23, ...: regions 0..2 take 1, 2 and 3 */

		CU_ASSERT_EQUAL(site->id, i + 1);
		CU_ASSERT_EQUAL(site->region, first <= '3' ? (uint32_t)(first - '1') : 3);
	}
	unload(&loaded);
	free(text);
}

static void the_first_region_that_matches_wins(void)
{
	struct loaded loaded = load("regions:\n"
	                            "  - {name: few, sites: [s-2]}\n"
	                            "  - {name: south, match: 's-*'}\n"
	                            "  - {name: late, sites: [s-1, x]}\n"
	                            "sites: [{id: 1, name: s-1}, {id: 2, name: s-2}, "
	                            "{id: 3, name: x}, {id: 4, name: y}]\n");
	static const uint32_t regions[] = { 1, 0, 2, 3 };

	CU_ASSERT_EQUAL_FATAL(loaded.rc, 0);
	for (uint32_t i = 0; i < 4; i++)
		CU_ASSERT_EQUAL(loaded.config->sites[i].region, regions[i]);
	unload(&loaded);
}

static void warnings_refuse_nothing(void)
{
	expect_warning("{}\n", "t:1: sites: none, so every datagram is of an unknown site");
	expect_warning("listeners: []\n", "t:1: listeners: none, so no datagram is taken");
	expect_warning(
	    "domain: custom\n", "t:1: kpis: none has a weight, so health is always unknown");
	expect_warning("sites: [{id: 1, name: a}]\nregions:\n  - {name: r, sites: [a]}\n"
	               "  - {name: q, sites: [a]}\n",
	    "t:4: regions[1].sites[0]: \"a\" is in regions[0] already, where it stays");
	expect_warning("compare: {calibrate: fleetwise, min_peers: 3}\n",
	    "t:1: compare.min_peers: fleetwise has no threshold for 3 peers: with that of 5, "
	    "normal data raise a false flag in 6% of their rounds; want min_peers at least 4");
}

static void baseline_is_the_profiles_unless_the_file_says_it(void)
{
	static const struct {
		const char *text;
		uint32_t slots;
	} cases[] = {
		{ "{}\n", 168 },
		{ "profile: large\n", 168 },
		{ "profile: xlarge\n", 24 },
		{ "profile: xlarge\ncompare: {baseline: week}\n", 168 },
		{ "compare: {baseline: day}\n", 24 },
		{ "compare: {baseline: none}\n", 0 },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct loaded loaded = load(cases[i].text);

		CU_ASSERT_EQUAL_FATAL(loaded.rc, 0);
		CU_ASSERT_EQUAL(loaded.config->compare.baseline_slots, cases[i].slots);
		unload(&loaded);
	}
}

static void ingestion_is_the_profiles_unless_the_file_says_it(void)
{
	static const struct {
		const char *text;
		enum esf_ingestion ingestion;
	} cases[] = {
		{ "profile: small\n", ESF_FULL },
		{ "profile: medium\n", ESF_DOWNSAMPLE },
		{ "profile: large\n", ESF_DEVIATION },
		{ "profile: xlarge\n", ESF_DEVIATION },
		{ "profile: small\ningestion: deviation\n", ESF_DEVIATION },
		{ "ingestion: full\nprofile: medium\n", ESF_FULL },
		{ "ingestion: downsample\nprofile: xlarge\n", ESF_DOWNSAMPLE },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct loaded loaded = load(cases[i].text);

		CU_ASSERT_EQUAL_FATAL(loaded.rc, 0);
		CU_ASSERT_EQUAL(loaded.config->ingestion, cases[i].ingestion);
		unload(&loaded);
	}
}

static void absent_keys_have_the_contracts_defaults(void)
{
	struct loaded loaded = load("listeners: [{udp: 8089, format: influx}]\n"
	                            "sites: [{id: 1, name: a}]\n");
	const struct esf_config *config = loaded.config;
	const int64_t second = 1000000000;

	CU_ASSERT_EQUAL_FATAL(loaded.rc, 0);
	CU_ASSERT_EQUAL(config->profile, ESF_PROFILE_SMALL);
	CU_ASSERT_EQUAL(config->domain, ESF_ENERGY);
	CU_ASSERT_EQUAL(config->ingestion, ESF_FULL);
	CU_ASSERT_TRUE(config->lcores_auto);
	CU_ASSERT_EQUAL(config->idle.policy, ESF_IDLE_AUTO);
	CU_ASSERT_EQUAL(config->idle.max_sleep_us, 200);
	CU_ASSERT_STRING_EQUAL(config->listeners[0].site_tag, "site");
	CU_ASSERT_EQUAL(config->listeners[0].precision_ns, 1);
	CU_ASSERT_EQUAL(config->sites[0].weight, 1);
	CU_ASSERT_EQUAL(config->sites[0].region, 0);
	CU_ASSERT_EQUAL(config->regions_count, 0);
	CU_ASSERT_EQUAL(config->rollup.window_ns, 10 * second);
	CU_ASSERT_EQUAL(config->rollup.windows_open, 3);
	CU_ASSERT_EQUAL(config->rollup.epoch_ns, second);
	CU_ASSERT_EQUAL(config->rollup.intervals_count, 3);
	CU_ASSERT_EQUAL(config->rollup.intervals_ns[2], 3600 * second);
	CU_ASSERT_EQUAL(config->dedup.sequence_window, 1024);
	CU_ASSERT_EQUAL(config->dedup.line_window_ns, 60 * second);
	CU_ASSERT_EQUAL(config->clock.max_skew_ns, 300 * second);
	CU_ASSERT_EQUAL(config->storm.fleet_enter, 2000000);
	CU_ASSERT_EQUAL(config->health.vital_cap, 40);
	CU_ASSERT_EQUAL(config->compare.rounds[1], 5);
	CU_ASSERT_STRING_EQUAL(config->compare.peers, "region");
	CU_ASSERT_STRING_EQUAL(config->http.address, "127.0.0.1");
	CU_ASSERT_EQUAL(config->http.port, 8080);
	CU_ASSERT_PTR_NULL(config->http.token_file);
	unload(&loaded);
}

static void every_example_passes(void)
{
	static const char *const examples[] = { "configs/small.yaml", "configs/medium.yaml",
		"configs/large.yaml", "configs/xlarge.yaml", "configs/reference.yaml" };

	for (size_t i = 0; i < sizeof(examples) / sizeof(examples[0]); i++) {
		struct loaded loaded;

		loaded.rc = esf_config_load(examples[i], &loaded.config, &loaded.faults);
		CU_ASSERT_EQUAL(loaded.rc, 0);
		CU_ASSERT_EQUAL(loaded.faults.warnings_count, 0);
		if (loaded.rc != 0)
			say(examples[i], &loaded.faults);
		unload(&loaded);
	}
}

static void the_reference_keeps_what_it_says(void)
{
	struct loaded loaded;
	const struct esf_config *config;

	loaded.rc = esf_config_load("configs/reference.yaml", &loaded.config, &loaded.faults);
	CU_ASSERT_EQUAL_FATAL(loaded.rc, 0);
	config = loaded.config;
	CU_ASSERT_EQUAL(config->eal_count, 2);
	CU_ASSERT_STRING_EQUAL(config->eal[0], "--no-pci");
	CU_ASSERT_FALSE(config->lcores_auto);
	CU_ASSERT_EQUAL_FATAL(config->lcores_count, 4);
	CU_ASSERT_EQUAL(config->lcores[1], 4);
	CU_ASSERT_EQUAL(config->receive_only[0], 2);
	CU_ASSERT_EQUAL(config->ports[0].addresses[1].prefix_bits, 64);
	CU_ASSERT_EQUAL(config->listeners[1].udp, 8089);
	CU_ASSERT_EQUAL(config->listeners[1].format, ESF_FORMAT_INFLUX);
	CU_ASSERT_EQUAL(config->sites[0].weight, 2.5);
	CU_ASSERT_STRING_EQUAL(config->sites[0].labels[1].value, "2.1");
	CU_ASSERT_STRING_EQUAL(config->sites[0].upstream[0], "gw-west");
	CU_ASSERT_TRUE(esf_address_is_ipv4(&config->sites[0].addresses[0]));
	CU_ASSERT_EQUAL(config->sites[1].region, 1);
	CU_ASSERT_EQUAL_FATAL(config->maintenance_count, 1);
	CU_ASSERT_STRING_EQUAL(config->maintenance[0].why, "new pumps in hall 2");
	CU_ASSERT_EQUAL(
	    config->maintenance[0].to_ns - config->maintenance[0].from_ns, 9000 * 1000000000ll);
	unload(&loaded);
}

static void durations_have_a_unit_and_no_sign(void)
{
	static const struct {
		const char *text;
		int64_t ns; /* -1: refused */
	} cases[] = {
		{ "250ms", 250000000 },
		{ "10s", 10000000000 },
		{ "1m", 60000000000 },
		{ "15m", 900000000000 },
		{ "8h", 28800000000000 },
		{ "90d", 7776000000000000 },
		{ "0s", 0 },
		{ "106751d", INT64_C(9223286400000000000) },
		{ "106752d", -1 },
		{ "99999999999999999999s", -1 },
		{ "", -1 },
		{ "10", -1 },
		{ "s", -1 },
		{ "10 s", -1 },
		{ "10S", -1 },
		{ "1.5s", -1 },
		{ "-1s", -1 },
		{ "+1s", -1 },
		{ "010s", -1 },
		{ "10us", -1 },
		{ "1m30s", -1 },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char text[ESF_DURATION_TEXT_SIZE];
		int64_t ns = -1, again = -1;

		CU_ASSERT_EQUAL(esf_value_duration(cases[i].text, &ns), cases[i].ns >= 0);
		CU_ASSERT_EQUAL(ns, cases[i].ns);
		if (ns < 0)
			continue;
		CU_ASSERT_TRUE(esf_value_duration(esf_value_duration_text(ns, text), &again));
		CU_ASSERT_EQUAL(again, ns);
	}
}

static void listen_addresses_are_split(void)
{
	static const struct {
		const char *text;
		const char *address; /* NULL: refused */
		uint16_t port;
	} cases[] = {
		{ "127.0.0.1:8080", "127.0.0.1", 8080 },
		{ "[::1]:80", "::1", 80 },
		{ "localhost:1", "127.0.0.1", 1 },
		{ "::1:80", NULL, 0 },
		{ "[127.0.0.1]:80", NULL, 0 },
		{ "[::1]", NULL, 0 },
		{ "127.0.0.1", NULL, 0 },
		{ "127.0.0.1:", NULL, 0 },
		{ ":8080", NULL, 0 },
		{ "example.org:80", NULL, 0 },
		{ "", NULL, 0 },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char address[ESF_LISTEN_ADDRESS_SIZE] = "";
		uint16_t port = 0;

		CU_ASSERT_EQUAL(
		    esf_value_listen(cases[i].text, address, &port), cases[i].address != NULL);
		CU_ASSERT_STRING_EQUAL(address, cases[i].address == NULL ? "" : cases[i].address);
		CU_ASSERT_EQUAL(port, cases[i].port);
	}
	CU_ASSERT_TRUE(esf_value_is_loopback("127.9.9.9"));
	CU_ASSERT_TRUE(esf_value_is_loopback("::1"));
	CU_ASSERT_FALSE(esf_value_is_loopback("0.0.0.0"));
	CU_ASSERT_FALSE(esf_value_is_loopback("::"));
}

static void lcores_are_ascending_ranges(void)
{
	static const struct {
		const char *text;
		uint32_t count; /* 0: refused */
	} cases[] = {
		{ "2", 1 },
		{ "2-5", 4 },
		{ "2,4-6", 4 },
		{ "0-31", 32 },
		{ "5-2", 0 },
		{ "2,2", 0 },
		{ "3,2", 0 },
		{ "2,", 0 },
		{ "2-", 0 },
		{ "-2", 0 },
		{ "128", 0 },
		{ "'2, 3'", 0 },
		{ "2-99999999999999999999", 0 },
		{ "all", 0 },
		{ "[2, 3]", 0 },
	};
	char text[64];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct loaded loaded;

		snprintf(text, sizeof(text), "lcores: %s\n", cases[i].text);
		loaded = load(text);
		CU_ASSERT_EQUAL(loaded.rc == 0, cases[i].count > 0);
		if (loaded.rc == 0)
			CU_ASSERT_EQUAL(loaded.config->lcores_count, cases[i].count);
		unload(&loaded);
	}
}

static void names_can_stand_in_a_url(void)
{
	static const char *const good[] = { "a", "n-1", "\xc3\xa9olienne", "a.b", "..." };
	static const char *const bad[] = { "", "a b", "a/b", "a\tb", "a\nb", "\x7f", ".", "..",
		"a\xc2\xa0z", "\xe2\x80\xa8",
		"0123456789012345678901234567890123456789012345678901234567890123" };

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		CU_ASSERT_TRUE(esf_value_is_name(good[i]));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		CU_ASSERT_FALSE(esf_value_is_name(bad[i]));
	CU_ASSERT_TRUE(esf_value_is_kpi_name("output_ratio2"));
	CU_ASSERT_FALSE(esf_value_is_kpi_name("2x"));
	CU_ASSERT_FALSE(esf_value_is_kpi_name("Output"));
	CU_ASSERT_FALSE(esf_value_is_kpi_name(""));
}

static void near_names_are_offered(void)
{
	static const struct {
		const char *word;
		const char *hint;
	} cases[] = {
		{ "windows_opn", ", did you mean \"windows_open\"?" },
		{ "wndow", ", did you mean \"window\"?" },
		{ "epohc", ", did you mean \"epoch\"?" },
		{ "zebra", "" },
		{ "", "" },
	};
	static const char *const names[] = { "window", "windows_open", "epoch", "intervals" };

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct esf_nearest nearest;
		char hint[64];

		esf_nearest_start(&nearest, cases[i].word);
		for (size_t j = 0; j < sizeof(names) / sizeof(names[0]); j++)
			esf_nearest_offer(&nearest, names[j]);
		CU_ASSERT_STRING_EQUAL(
		    esf_nearest_hint(&nearest, hint, sizeof(hint)), cases[i].hint);
	}
}

static void a_flood_of_faults_is_cut_and_counted(void)
{
	size_t size = 0;
	char *text = malloc(1500 * 16);
	struct loaded loaded;

	for (int i = 0; i < 1500; i++)
		size += (size_t)snprintf(text + size, 16, "zz%d: 1\n", i);
	loaded = load(text);
	CU_ASSERT_EQUAL_FATAL(loaded.faults.count, 1001);
	CU_ASSERT_STRING_EQUAL(loaded.faults.lines[999], "t:1000: zz999: unknown key");
	CU_ASSERT_STRING_EQUAL(loaded.faults.lines[1000], "t: and 500 more");
	unload(&loaded);
	free(text);
}

void esf_suite_config(void)
{
	static const struct {
		const char *name;
		CU_TestFunc run;
	} tests[] = {
#define TEST(name) { #name, name }
		TEST(ten_faults_are_ten_lines_in_order),
		TEST(unreadable_files_are_one_fault),
		TEST(syntax_errors_carry_their_line),
		TEST(unknown_and_repeated_keys_are_faults_at_the_key),
		TEST(aliases_are_read_and_may_not_loop),
		TEST(wrong_types_say_what_they_got),
		TEST(every_bound_is_where_the_reference_says),
		TEST(keys_bound_each_other),
		TEST(duplicates_name_the_first),
		TEST(references_must_lead_somewhere),
		TEST(keys_are_read_and_judged_at_load),
		TEST(exports_have_these_faults),
		TEST(signatures_are_kept_in_their_order),
		TEST(signatures_have_these_faults),
		TEST(what_is_not_built_says_so),
		TEST(a_profile_too_small_names_the_next),
		TEST(a_thousand_sites_load_in_order),
		TEST(the_first_region_that_matches_wins),
		TEST(warnings_refuse_nothing),
		TEST(baseline_is_the_profiles_unless_the_file_says_it),
		TEST(ingestion_is_the_profiles_unless_the_file_says_it),
		TEST(absent_keys_have_the_contracts_defaults),
		TEST(every_example_passes),
		TEST(the_reference_keeps_what_it_says),
		TEST(durations_have_a_unit_and_no_sign),
		TEST(listen_addresses_are_split),
		TEST(lcores_are_ascending_ranges),
		TEST(names_can_stand_in_a_url),
		TEST(near_names_are_offered),
		TEST(a_flood_of_faults_is_cut_and_counted),
	};
	CU_pSuite suite = CU_add_suite("config", NULL, NULL);

	for (size_t i = 0; i < sizeof(tests) / sizeof(tests[0]); i++)
		CU_add_test(suite, tests[i].name, tests[i].run);
}

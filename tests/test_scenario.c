/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/scenario.h"

#include <stdlib.h>
#include <string.h>

#include <CUnit/CUnit.h>

#include "dataplane/etd_wire.h"
#include "suites.h"

static const int64_t second = 1000000000;

/* The scenario in text; *errors is what it printed, to be freed. */
static struct esf_scenario *parse(const char *text, uint32_t sites, char **errors)
{
	size_t size;
	FILE *stream = open_memstream(errors, &size);
	struct esf_scenario *scenario =
	    esf_scenario_parse(text, strlen(text), "s.yaml", sites, stream);

	fclose(stream);
	return scenario;
}

static struct esf_scenario *parse_good(const char *text)
{
	char *errors;
	struct esf_scenario *scenario = parse(text, 0, &errors);

	CU_ASSERT_STRING_EQUAL(errors, "");
	CU_ASSERT_PTR_NOT_NULL_FATAL(scenario);
	free(errors);
	return scenario;
}

static void default_fleet_is_ten_sites_of_the_energy_kpis(void)
{
	struct esf_scenario *scenario = parse_good("");

	CU_ASSERT_EQUAL(scenario->sites_count, 10);
	CU_ASSERT_EQUAL(scenario->kpis_count, 5);
	CU_ASSERT_EQUAL(scenario->faults_count, 0);
	CU_ASSERT_EQUAL(scenario->sites[9].id, 10);
	CU_ASSERT_STRING_EQUAL(scenario->sites[9].name, "site-010");
	CU_ASSERT_EQUAL(scenario->sites[9].region, ESF_SCENARIO_NO_REGION);
	CU_ASSERT_EQUAL(scenario->interval_ns, second);
	CU_ASSERT_STRING_EQUAL(scenario->kpis[0].name, "availability");
	CU_ASSERT_DOUBLE_EQUAL(scenario->kpis[0].base, 0.995, 0);
	esf_scenario_destroy(scenario);
}

static void sites_argument_replaces_the_generated_count(void)
{
	char *errors;
	struct esf_scenario *scenario =
	    parse("sites: {count: 3, list: [{id: 9, name: x}]}", 5, &errors);

	CU_ASSERT_PTR_NOT_NULL_FATAL(scenario);
	CU_ASSERT_EQUAL(scenario->sites_count, 6);
	CU_ASSERT_STRING_EQUAL(scenario->sites[5].name, "x");
	free(errors);
	esf_scenario_destroy(scenario);
}

static void generated_sites_go_round_the_regions(void)
{
	static const struct {
		uint32_t id, region;
		const char *name;
	} want[] = { { 7, 0, "a-01" }, { 8, 1, "b-01" }, { 9, 0, "a-02" }, { 10, 1, "b-02" } };
	struct esf_scenario *scenario =
	    parse_good("sites: {count: 4, first_id: 7, name: '{region}-{nn}', regions: [a, b]}");

	CU_ASSERT_EQUAL_FATAL(scenario->sites_count, 4);
	for (size_t i = 0; i < 4; i++) {
		CU_ASSERT_EQUAL(scenario->sites[i].id, want[i].id);
		CU_ASSERT_EQUAL(scenario->sites[i].region, want[i].region);
		CU_ASSERT_STRING_EQUAL(scenario->sites[i].name, want[i].name);
	}
	CU_ASSERT_STRING_EQUAL(scenario->regions[1], "b");
	esf_scenario_destroy(scenario);
}

static void list_alone_generates_no_sites(void)
{
	struct esf_scenario *scenario =
	    parse_good("interval: 2s\nsites:\n- {id: 4, name: p, region: r}\n- {id: 2, name: q, "
	               "interval: 50ms}\n");

	CU_ASSERT_EQUAL_FATAL(scenario->sites_count, 2);
	CU_ASSERT_EQUAL(scenario->sites[0].interval_ns, 2 * second);
	CU_ASSERT_EQUAL(scenario->sites[0].region, 0);
	CU_ASSERT_EQUAL(scenario->sites[1].interval_ns, second / 20);
	CU_ASSERT_EQUAL(scenario->sites[1].region, ESF_SCENARIO_NO_REGION);
	esf_scenario_destroy(scenario);
}

static void top_level_keys_are_taken(void)
{
	struct esf_scenario *scenario =
	    parse_good("seed: 42\nstart: 2023-11-14T22:13:21Z\ninterval: 1m\nmeasurement: m\n"
	               "kpis: [{name: k, base: -2.5, unit: V, type: counter, daily: {amplitude: 3, "
	               "peak_hour: 13.5}}]\n");

	CU_ASSERT_EQUAL(scenario->seed, 42);
	CU_ASSERT_EQUAL(scenario->start_ns, 1700000001 * second);
	CU_ASSERT_EQUAL(scenario->interval_ns, 60 * second);
	CU_ASSERT_STRING_EQUAL(scenario->measurement, "m");
	CU_ASSERT_EQUAL(scenario->kpis[0].type, ESF_ETD_COUNTER);
	CU_ASSERT_DOUBLE_EQUAL(scenario->kpis[0].base, -2.5, 0);
	CU_ASSERT_DOUBLE_EQUAL(scenario->kpis[0].daily_amplitude, 3, 0);
	CU_ASSERT_DOUBLE_EQUAL(scenario->kpis[0].daily_peak_hour, 13.5, 0);
	esf_scenario_destroy(scenario);
}

static void fault_has_span_sites_and_parameters(void)
{
	struct esf_scenario *scenario =
	    parse_good("faults:\n"
	               "- {sites: [site-001, '*-01?'], kpi: efficiency, kind: step, from: 30s, "
	               "for: 1m, to_value: 0}\n"
	               "- {kind: duplicate, from: 250ms, delay: 20ms, path: 10.0.0.9}\n");
	const struct esf_scenario_fault *step = &scenario->faults[0],
	                                *duplicate = &scenario->faults[1];

	CU_ASSERT_EQUAL(step->kind, ESF_FAULT_STEP);
	CU_ASSERT_EQUAL(step->kpi, 3);
	CU_ASSERT_TRUE(step->sets_value);
	CU_ASSERT_FALSE(esf_scenario_fault_active(step, 30 * second - 1));
	CU_ASSERT_TRUE(esf_scenario_fault_active(step, 30 * second));
	CU_ASSERT_FALSE(esf_scenario_fault_active(step, 90 * second));
	CU_ASSERT_TRUE(esf_scenario_fault_hits(step, &scenario->sites[0]));
	CU_ASSERT_FALSE(esf_scenario_fault_hits(step, &scenario->sites[1]));
	CU_ASSERT_TRUE(esf_scenario_fault_hits(step, &scenario->sites[9]));
	CU_ASSERT_EQUAL(duplicate->kpi, -1);
	CU_ASSERT_EQUAL(duplicate->from_ns, second / 4);
	CU_ASSERT_EQUAL(duplicate->to_ns, INT64_MAX);
	CU_ASSERT_EQUAL(duplicate->delay_ns, second / 50);
	CU_ASSERT_DOUBLE_EQUAL(duplicate->probability, 1, 0);
	CU_ASSERT_STRING_EQUAL(duplicate->path, "10.0.0.9");
	esf_scenario_destroy(scenario);
}

static void faulty_scenario_is_refused_with_line_and_key(void)
{
	static const struct {
		const char *text, *error;
	} cases[] = {
		{ "seed: -4", "s.yaml:1: seed: got \"-4\", want a whole number of 0.." },
		{ "\nseedd: 4",
		    "s.yaml:2: seedd: got \"seedd\", want one of seed, start, interval" },
		{ "seed: 1\nseed: 2", "s.yaml:2: seed: got \"seed\", want the key once" },
		{ "[]", "s.yaml:1: document: got \"a list\", want a mapping" },
		{ "a: [1\nb: 2", "s.yaml:2: yaml: did not find expected" },
		{ "start: soon", "s.yaml:1: start: got \"soon\", want whole Unix seconds" },
		{ "interval: 10", "s.yaml:1: interval: got \"10\", want a duration" },
		{ "interval: 0s", "s.yaml:1: interval: got \"0s\", want a duration" },
		{ "kpis: []", "s.yaml:1: kpis: got \"an empty list\", want at least one KPI" },
		{ "kpis: [{name: a}]",
		    "s.yaml:1: kpis[0]: got \"less\", want at least name and base" },
		{ "kpis: [{name: a, base: nan}]", "kpis[0].base: got \"nan\", want a number" },
		{ "kpis: [{name: a, base: 1, min: 2, max: 1}]", "kpis[0]: got \"min above max\"" },
		{ "kpis:\n- {name: a, base: 1}\n- {name: a, base: 1}",
		    "s.yaml:3: kpis[1]: got \"a\", want a name" },
		{ "kpis: [{name: a, base: 1, type: rate}]", "got \"rate\", want gauge | counter" },
		{ "sites: {count: 0}", "s.yaml:1: sites: got \"no sites\", want at least one" },
		{ "sites: {count: 1000001}",
		    "sites.count: got \"1000001\", want a whole number of 0..1000000" },
		{ "sites: {name: '{region}-{n}'}", "sites.name: got \"{region}-{n}\"" },
		{ "sites: {name: same}",
		    "sites: got \"id 2, name same\", want ids and names that differ" },
		{ "sites: [{id: 1, name: a}, {id: 1, name: b}]", "want ids and names that differ" },
		{ "sites: [{id: 0, name: a}]",
		    "sites.list[0].id: got \"0\", want a whole number of 1.." },
		{ "faults: [{from: 1s}]", "faults[0]: got \"no kind\", want kind" },
		{ "faults: [{kind: drif}]", "faults[0].kind: got \"drif\", want drift | step" },
		{ "faults: [{kind: storm}]",
		    "got \"no parameters\", want rate_factor for kind storm" },
		{ "faults: [{kind: loss, probability: 1.5}]",
		    "faults[0].probability: got \"1.5\"" },
		{ "faults: [{kind: stuck, by: 1}]",
		    "faults[0]: got \"by\", want nothing but kpi for kind stuck" },
		{ "faults: [{kind: step, kpi: efficiency, by: 1, to_value: 2}]",
		    "either by or to_value" },
		{ "faults: [{kind: stuck, kpi: x}]",
		    "faults[0].kpi: got \"x\", want the name of one of the kpis" },
		{ "faults: [{kind: stuck, sites: x*}]",
		    "faults[0].sites: got \"x*\", want a glob that takes" },
		{ "faults: [{kind: stuck, from: 2s, to: 1s}]", "want to > from" },
		{ "faults: [{kind: stuck, for: 2s, to: 1s}]",
		    "got \"to and for\", want one of them" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char *errors;
		struct esf_scenario *scenario = parse(cases[i].text, 0, &errors);

		CU_ASSERT_PTR_NULL(scenario);
		if (!strstr(errors, cases[i].error))
			fprintf(stderr, "\n%s\ngave %swant %s\n", cases[i].text, errors,
			    cases[i].error);
		CU_ASSERT_PTR_NOT_NULL(strstr(errors, cases[i].error));
		esf_scenario_destroy(scenario);
		free(errors);
	}
}

static void every_fault_is_reported_at_once(void)
{
	char *errors;
	unsigned lines = 0;

	CU_ASSERT_PTR_NULL(
	    parse("seed: x\ninterval: 1\nkpis: 3\nfaults: [{kind: a}, {kind: b}]", 0, &errors));
	for (const char *at = errors; (at = strchr(at, '\n')); at++)
		lines++;
	CU_ASSERT_EQUAL(lines, 5);
	free(errors);
}

static void missing_file_is_reported(void)
{
	char *errors;
	size_t size;
	FILE *stream = open_memstream(&errors, &size);

	CU_ASSERT_PTR_NULL(esf_scenario_load("/nowhere/s.yaml", 0, stream));
	fclose(stream);
	CU_ASSERT_STRING_EQUAL(errors, "/nowhere/s.yaml: No such file or directory\n");
	free(errors);
}

void esf_suite_scenario(void)
{
	CU_pSuite suite = CU_add_suite("scenario", NULL, NULL);

	CU_ADD_TEST(suite, default_fleet_is_ten_sites_of_the_energy_kpis);
	CU_ADD_TEST(suite, sites_argument_replaces_the_generated_count);
	CU_ADD_TEST(suite, generated_sites_go_round_the_regions);
	CU_ADD_TEST(suite, list_alone_generates_no_sites);
	CU_ADD_TEST(suite, top_level_keys_are_taken);
	CU_ADD_TEST(suite, fault_has_span_sites_and_parameters);
	CU_ADD_TEST(suite, faulty_scenario_is_refused_with_line_and_key);
	CU_ADD_TEST(suite, every_fault_is_reported_at_once);
	CU_ADD_TEST(suite, missing_file_is_reported);
}

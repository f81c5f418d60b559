/* SPDX-License-Identifier: Apache-2.0 */
#include "control/config/change.h"

#include <stdlib.h>
#include <string.h>

#include <CUnit/CUnit.h>

#include "control/config/load.h"
#include "suites.h"

/* What differs between two configurations, and what of it a running plane can't take. */

#define BASE                                                      \
	"profile: small\n"                                        \
	"domain: energy\n"                                        \
	"rollup: {window: 10s}\n"                                 \
	"clock: {max_skew: 5m}\n"                                 \
	"regions:\n  - {name: north, match: \"n-*\"}\n"           \
	"listeners:\n  - {udp: 47700, format: etd}\n"             \
	"signatures:\n  - {match: \"fault\", code: fault}\n"      \
	"sites:\n  - {id: 1, name: n-1, weight: 2}\n  - {id: 2, " \
	"name: n-2}\n"

static struct esf_config *load(const char *text)
{
	struct esf_config *config = NULL;
	struct esf_faults faults;

	CU_ASSERT_EQUAL_FATAL(
	    esf_config_load_memory("t.yaml", text, strlen(text), &config, &faults), 0);
	esf_faults_free(&faults);
	return config;
}

/* BASE with one part of it replaced. */
static struct esf_config *load_with(const char *was, const char *becomes)
{
	const char *at = strstr(BASE, was);
	char text[1024];

	CU_ASSERT_PTR_NOT_NULL_FATAL(at);
	snprintf(text, sizeof(text), "%.*s%s%s", (int)(at - BASE), BASE, becomes, at + strlen(was));
	return load(text);
}

static void each_change_is_known_by_its_key(void)
{
	static const struct {
		const char *was, *becomes, *key;
	} cases[] = {
		{ "weight: 2", "weight: 3", "sites" },
		{ "name: n-2", "name: n-2, labels: {vendor: acme}", "sites" },
		{ "name: n-2", "name: n-2, upstream: [gw]", "sites" },
		{ "name: n-2", "name: n-3", "sites" },
		{ "id: 2", "id: 3", "sites" },
		{ "name: n-2", "name: n-2, addresses: [10.0.0.1]", "sites" },
		{ "max_skew: 5m", "max_skew: 4m", "clock" },
		{ "match: \"n-*\"", "match: \"m-*\"", "regions" },
		{ "47700", "47701", "listeners" },
		{ "code: fault", "code: fail", "signatures" },
		{ "code: fault", "code: fault, severity: 1", "signatures" },
		{ "window: 10s", "window: 20s", "rollup" },
		{ "clock:", "idle: {policy: sleep}\nclock:", "idle" },
		{ "clock:", "storm: {site_rate: 5}\nclock:", "storm" },
		{ "clock:", "health: {good: 81}\nclock:", "health" },
		{ "clock:", "export: [{name: a, url: 'http://h'}]\nclock:", "export" },
		{ "clock:", "http: {listen: \"127.0.0.1:9\"}\nclock:", "http" },
		{ "clock:", "normalise:\n  - {match: a, kpi: hot_side_c}\nclock:", "normalise" },
	};
	struct esf_config *base = load(BASE);
	const char *changed[ESF_CHANGES_MAX];

	CU_ASSERT_EQUAL(esf_config_changes(base, base, changed), 0);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct esf_config *next = load_with(cases[i].was, cases[i].becomes);

		CU_ASSERT_EQUAL(esf_config_changes(base, next, changed), 1);
		CU_ASSERT_STRING_EQUAL(changed[0], cases[i].key);
		esf_config_free(next);
	}
	esf_config_free(base);
}

#define MEND ", which a reload can't change: put it back, or restart estream-fleetd\n"

static void what_only_a_restart_changes_is_refused_by_name(void)
{
	static const struct {
		const char *was, *becomes, *fault; /* NULL: none */
	} cases[] = {
		{ "profile: small", "profile: medium",
		    "t.yaml: profile: got medium, runs with small" MEND },
		{ "window: 10s", "window: 1m",
		    "t.yaml: rollup.window: got 1m, runs with 10s" MEND },
		{ "window: 10s", "window: 10s, windows_open: 4",
		    "t.yaml: rollup.windows_open: got 4, runs with 3" MEND },
		{ "clock:", "lcores: \"2-3\"\nclock:",
		    "t.yaml: lcores: got 2,3, runs with auto" MEND },
		{ "clock:", "idle: {policy: sleep, max_sleep_us: 200}\nclock:",
		    "t.yaml: idle.policy: got sleep, runs with auto" MEND },
		{ "clock:", "idle: {max_sleep_us: 500}\nclock:",
		    "t.yaml: idle.max_sleep_us: got 500, runs with 200" MEND },
		{ "clock:", "idle: {policy: auto}\nclock:", NULL },
		{ "clock:", "eal: [\"--no-pci\"]\nclock:",
		    "t.yaml: eal: got --no-pci, runs with none" MEND },
		{ "clock:", "dedup: {sequence_window: 64}\nclock:",
		    "t.yaml: dedup.sequence_window: got 64, runs with 1024" MEND },
		{ "clock:", "unknown_sites: learn\nclock:",
		    "t.yaml: unknown_sites: got learn, runs with refuse" MEND },
		{ "max_skew: 5m", "max_skew: 6m",
		    "t.yaml: clock.max_skew (upwards): got 6m, runs with 5m" MEND },
		{ "max_skew: 5m", "max_skew: 4m", NULL },
		{ "name: n-2", "name: n-3", NULL },
		{ "weight: 2", "weight: 3", NULL },
		{ "match: \"n-*\"", "sites: [n-2]", NULL },
		{ "47700", "47701", NULL },
		{ "code: fault", "code: fail", NULL },
	};
	struct esf_config *base = load(BASE);

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct esf_config *next = load_with(cases[i].was, cases[i].becomes);
		const char *want = cases[i].fault == NULL ? "" : cases[i].fault;
		char *faults = NULL;
		size_t size;
		FILE *out = open_memstream(&faults, &size);

		CU_ASSERT_EQUAL(esf_config_fixed(base, next, base->clock.max_skew_ns, out),
		    cases[i].fault != NULL);
		fclose(out);
		CU_ASSERT_STRING_EQUAL(faults, want);
		free(faults);
		esf_config_free(next);
	}
	esf_config_free(base);
}

void esf_suite_change(void)
{
	CU_pSuite suite = CU_add_suite("change", NULL, NULL);

	CU_ADD_TEST(suite, each_change_is_known_by_its_key);
	CU_ADD_TEST(suite, what_only_a_restart_changes_is_refused_by_name);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "control/fleet/maintenance.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <CUnit/CUnit.h>

#include "control/config/change.h"
#include "control/config/load.h"
#include "control/config/value.h"
#include "control/fleet/derive.h"
#include "control/fleet/roster.h"
#include "suites.h"

#define SECOND INT64_C(1000000000)
#define EIGHT (INT64_C(1769846400) * SECOND) /* 2026-01-31T08:00:00Z */
#define MINUTE (60 * SECOND)

#define HOUR_FROM_EIGHT "from: 2026-01-31T08:00:00Z, to: 2026-01-31T09:00:00Z, why: w"

static const char sites[] = "regions: [{name: north, match: 'n-*'}, {name: south, match: 's-*'}]\n"
                            "sites:\n"
                            "  - {id: 1, name: n-1, labels: {vendor: acme, feeder: F1}}\n"
                            "  - {id: 2, name: n-2, labels: {vendor: zenith}}\n"
                            "  - {id: 3, name: s-1, labels: {vendor: acme}}\n"
                            "  - {id: 4, name: x-1}\n";

struct loaded {
	struct esf_config *config;
	struct esf_faults faults;
};

static struct loaded load(const char *head, const char *windows)
{
	struct loaded loaded;
	char text[4096];

	snprintf(text, sizeof(text), "%smaintenance:\n%s", head, windows);
	esf_config_load_memory("t", text, strlen(text), &loaded.config, &loaded.faults);
	return loaded;
}

static void unload(struct loaded *loaded)
{
	esf_config_free(loaded->config);
	esf_faults_free(&loaded->faults);
}

static struct esf_config *config_of(const char *windows)
{
	struct loaded loaded = load(sites, windows);

	for (uint32_t i = 0; i < loaded.faults.count; i++)
		fprintf(stderr, "\n%s\n", loaded.faults.lines[i]);
	CU_ASSERT_PTR_NOT_NULL_FATAL(loaded.config);
	esf_faults_free(&loaded.faults);
	return loaded.config;
}

/* The list begins on line 8. */
static void windows_have_these_faults(void)
{
	static const struct {
		const char *windows, *fault;
	} cases[] = {
		{ "  - {scope: region:nroth, " HOUR_FROM_EIGHT "}\n",
		    "t:8: maintenance[0].scope: got \"region:nroth\", want region: and the name of "
		    "one of regions, did you mean \"north\"?" },
		{ "  - {scope: site:n1, " HOUR_FROM_EIGHT "}\n",
		    "t:8: maintenance[0].scope: got \"site:n1\", want site: and the name of one of "
		    "sites, did you mean \"n-1\"?" },
		{ "  - {scope: 'label:vendor=acmee', " HOUR_FROM_EIGHT "}\n",
		    "t:8: maintenance[0].scope: got \"label:vendor=acmee\", want label: and "
		    "NAME=VALUE as a site has it, did you mean \"vendor=acme\"?" },
		{ "  - {scope: 'label:vendor', " HOUR_FROM_EIGHT "}\n",
		    "t:8: maintenance[0].scope: got \"label:vendor\", want fleet, region:NAME, "
		    "site:NAME or label:NAME=VALUE" },
		{ "  - {scope: all, " HOUR_FROM_EIGHT "}\n",
		    "t:8: maintenance[0].scope: got \"all\", want fleet, region:NAME, site:NAME or "
		    "label:NAME=VALUE" },
		{ "  - {scope: fleet, from: 2026-01-31T09:00:00Z, to: 2026-01-31T09:00:00+01:00, "
		  "why: w}\n",
		    "t:8: maintenance[0].to: got 2026-01-31T08:00:00Z, want a time after from, "
		    "2026-01-31T09:00:00Z" },
		{ "  - {scope: fleet, from: 2026-01-31T08:00:00Z, to: 2026-01-31T08:00:00Z, why: "
		  "w}\n",
		    "t:8: maintenance[0].to: got 2026-01-31T08:00:00Z, want a time after from, "
		    "2026-01-31T08:00:00Z" },
		{ "  - {scope: fleet, from: 2026-02-30T08:00:00Z, to: 2026-03-31T08:00:00Z, why: "
		  "w}\n",
		    "t:8: maintenance[0].from: got \"2026-02-30T08:00:00Z\", want a time such as "
		    "2026-01-31T08:00:00Z" },
		{ "  - {scope: fleet, from: 2026-01-31T08:00:00Z, to: tomorrow, why: w}\n",
		    "t:8: maintenance[0].to: got \"tomorrow\", want a time such as "
		    "2026-01-31T08:00:00Z" },
		{ "  - {scope: fleet, from: 2026-01-31T08:00:00Z, to: 2026-01-31T09:00:00Z}\n",
		    "t:8: maintenance[0].why: missing, want a reason of 1..255 bytes on one line" },
		{ "  - {scope: fleet, from: 2026-01-31T08:00:00Z, to: 2026-01-31T09:00:00Z, why: ' "
		  "'}\n",
		    "t:8: maintenance[0].why: got \" \", want a reason of 1..255 bytes on one "
		    "line" },
		{ "  - {scope: region:north, " HOUR_FROM_EIGHT "}\n"
		  "  - {scope: fleet, " HOUR_FROM_EIGHT "}\n"
		  "  - {scope: region:north, from: 2026-01-31T08:59:59.9Z, to: "
		  "2026-01-31T10:00:00Z, why: w}\n",
		    "t:10: maintenance[2]: overlaps maintenance[0] on line 8, which has the same "
		    "scope: want one window, or one behind the other" },
		{ "  - {scope: region:north, " HOUR_FROM_EIGHT "}\n"
		  "  - {scope: region:north, from: 2026-01-31T09:00:00Z, to: 2026-01-31T10:00:00Z, "
		  "why: w}\n"
		  "  - {scope: region:unassigned, " HOUR_FROM_EIGHT "}\n"
		  "  - {scope: fleet, " HOUR_FROM_EIGHT "}\n"
		  "  - {scope: site:n-1, " HOUR_FROM_EIGHT "}\n"
		  "  - {scope: 'label:vendor=acme', " HOUR_FROM_EIGHT "}\n",
		    NULL },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct loaded loaded = load(sites, cases[i].windows);
		bool right = cases[i].fault == NULL
		                 ? loaded.config != NULL
		                 : loaded.faults.count == 1 &&
		                       strcmp(loaded.faults.lines[0], cases[i].fault) == 0;

		CU_ASSERT_TRUE(right);
		for (uint32_t f = 0; !right && f < loaded.faults.count; f++)
			fprintf(stderr, "\n%zu: %s\n", i, loaded.faults.lines[f]);
		unload(&loaded);
	}
}

static void more_than_1024_are_too_many(void)
{
	for (uint32_t count = 1024; count <= 1025; count++) {
		struct loaded loaded;
		size_t size = 200 + count * 100, used;
		char *text = malloc(size);

		CU_ASSERT_PTR_NOT_NULL_FATAL(text);
		used = (size_t)snprintf(text, size, "%smaintenance:\n", sites);
		for (uint32_t i = 0; i < count; i++)
			used += (size_t)snprintf(text + used, size - used,
			    "  - {scope: fleet, from: %u-01-01T00:00:00Z, to: "
			    "%u-01-01T00:00:%02uZ, "
			    "why: w}\n",
			    1970 + i % 290, 1970 + i % 290, 1);
		esf_config_load_memory("t", text, used, &loaded.config, &loaded.faults);
		CU_ASSERT_PTR_NULL(loaded.config); /* they overlap */
		CU_ASSERT_EQUAL(loaded.faults.count == 1, count == 1025);
		if (count == 1025)
			CU_ASSERT_STRING_EQUAL(loaded.faults.lines[0],
			    "t:8: maintenance: got 1025 items, want 0..1024");
		unload(&loaded);
		free(text);
	}
}

static void times_are_those_of_rfc_3339(void)
{
	static const struct {
		const char *text;
		int64_t ns; /* -1: none */
	} cases[] = {
		{ "2026-01-31T08:00:00Z", EIGHT },
		{ "2026-01-31t08:00:00z", EIGHT },
		{ "2026-01-31T09:30:00+01:30", EIGHT },
		{ "2026-01-30T23:00:00-09:00", EIGHT },
		{ "2026-01-31T08:00:00.000000001Z", EIGHT + 1 },
		{ "2026-01-31T08:00:00.5Z", EIGHT + SECOND / 2 },
		{ "2026-01-31T08:00:00.1234567899Z", EIGHT + 123456789 },
		{ "2026-01-31T07:59:60Z", EIGHT },
		{ "1970-01-01T00:00:00Z", 0 },
		{ "2024-02-29T00:00:00Z", INT64_C(1709164800) * SECOND },
		{ "2100-02-29T00:00:00Z", -1 },
		{ "2023-02-29T00:00:00Z", -1 },
		{ "2026-04-31T00:00:00Z", -1 },
		{ "2026-01-31T24:00:00Z", -1 },
		{ "2026-01-31T08:00:00", -1 },
		{ "2026-01-31T08:00Z", -1 },
		{ "2026-01-31 08:00:00Z", -1 },
		{ "2026-01-31T08:00:00.Z", -1 },
		{ "2026-01-31T08:00:00+24:00", -1 },
		{ "2026-01-31T08:00:00+0100", -1 },
		{ "1969-12-31T23:59:59Z", -1 },
		{ "2262-01-01T00:00:00Z", -1 },
		{ "26-01-31T08:00:00Z", -1 },
		{ "", -1 },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int64_t ns = -1;

		CU_ASSERT_EQUAL(esf_value_time(cases[i].text, &ns), cases[i].ns != -1);
		CU_ASSERT_EQUAL(ns, cases[i].ns);
	}
}

static void a_time_is_printed_as_it_is_read(void)
{
	static const char *const texts[] = { "2026-01-31T08:00:00Z", "2026-01-31T08:00:00.5Z",
		"1970-01-01T00:00:00.000000001Z", "2261-12-31T23:59:59.123Z" };
	char buffer[ESF_TIME_TEXT_SIZE];
	int64_t ns;

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		CU_ASSERT_TRUE(esf_value_time(texts[i], &ns));
		CU_ASSERT_STRING_EQUAL(esf_value_time_text(ns, buffer), texts[i]);
	}
}

/* Of the four sites, by place: the window in [start, end), 'A' the first; '.' none; small: wholly.
 */
static const char *windows_of(const struct esf_config *config, int64_t start, int64_t end)
{
	static char text[5];
	struct esf_maintenance found;

	esf_maintenance_find(config, start, end, &found);
	for (uint32_t s = 0; s < 4; s++) {
		bool whole;
		uint32_t window = esf_maintenance_of(&found, &config->sites[s], &whole);

		text[s] = window == 0 ? '.' : (char)((whole ? 'a' : 'A') + window - 1);
	}
	return text;
}

static void a_scope_takes_its_sites_and_no_others(void)
{
	static const struct {
		const char *scope, *sites;
	} cases[] = {
		{ "fleet", "aaaa" },
		{ "region:north", "aa.." },
		{ "region:south", "..a." },
		{ "region:unassigned", "...a" },
		{ "site:n-2", ".a.." },
		{ "'label:vendor=acme'", "a.a." },
		{ "'label:feeder=F1'", "a..." },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct esf_config *config;
		char text[128];

		snprintf(
		    text, sizeof(text), "  - {scope: %s, " HOUR_FROM_EIGHT "}\n", cases[i].scope);
		config = config_of(text);
		CU_ASSERT_STRING_EQUAL(
		    windows_of(config, EIGHT, EIGHT + 10 * SECOND), cases[i].sites);
		CU_ASSERT_STRING_EQUAL(windows_of(config, EIGHT - 10 * SECOND, EIGHT), "....");
		for (uint32_t s = 0; s < 4; s++)
			CU_ASSERT_EQUAL(esf_maintenance_at(config, &config->sites[s], EIGHT) != 0,
			    cases[i].sites[s] != '.');
		CU_ASSERT_EQUAL(esf_maintenance_at(config, NULL, EIGHT) != 0, i == 0);
		esf_config_free(config);
	}
}

/* from is in it, to is not; what overlaps is marked, only what is covered is whole. */
static void edges_belong_to_the_half_open_span(void)
{
	struct esf_config *config =
	    config_of("  - {scope: site:n-1, from: 2026-01-31T08:00:05Z, to: 2026-01-31T08:00:25Z, "
	              "why: w}\n");
	static const struct {
		int64_t start_s, end_s;
		const char *sites;
	} cases[] = { { 0, 5, "...." }, { 0, 10, "A..." }, { 5, 15, "a..." }, { 10, 20, "a..." },
		{ 15, 25, "a..." }, { 20, 30, "A..." }, { 25, 35, "...." } };

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		CU_ASSERT_STRING_EQUAL(windows_of(config, EIGHT + cases[i].start_s * SECOND,
		                           EIGHT + cases[i].end_s * SECOND),
		    cases[i].sites);
	CU_ASSERT_EQUAL(esf_maintenance_at(config, &config->sites[0], EIGHT + 5 * SECOND - 1), 0);
	CU_ASSERT_EQUAL(esf_maintenance_at(config, &config->sites[0], EIGHT + 5 * SECOND), 1);
	CU_ASSERT_EQUAL(esf_maintenance_at(config, &config->sites[0], EIGHT + 25 * SECOND - 1), 1);
	CU_ASSERT_EQUAL(esf_maintenance_at(config, &config->sites[0], EIGHT + 25 * SECOND), 0);
	esf_config_free(config);
}

/* Of several the first listed is told; two of one scope that meet cover what lies across them. */
static void windows_of_a_site_come_together(void)
{
	struct esf_config *config = config_of(
	    "  - {scope: region:north, from: 2026-01-31T08:00:00Z, to: 2026-01-31T08:00:05Z, why: "
	    "w}\n"
	    "  - {scope: region:north, from: 2026-01-31T08:00:05Z, to: 2026-01-31T08:00:10Z, why: "
	    "w}\n"
	    "  - {scope: 'label:vendor=acme', from: 2026-01-31T08:00:08Z, to: "
	    "2026-01-31T08:00:20Z, why: w}\n");

	CU_ASSERT_STRING_EQUAL(windows_of(config, EIGHT, EIGHT + 10 * SECOND), "aaC.");
	CU_ASSERT_STRING_EQUAL(windows_of(config, EIGHT + 6 * SECOND, EIGHT + 8 * SECOND), "bb..");
	CU_ASSERT_STRING_EQUAL(windows_of(config, EIGHT + 8 * SECOND, EIGHT + 12 * SECOND), "bBc.");
	CU_ASSERT_STRING_EQUAL(
	    windows_of(config, EIGHT + 10 * SECOND, EIGHT + 20 * SECOND), "c.c.");
	esf_config_free(config);
}

/* What a reload does: the site keeps its name and labels, its region is another one. */
static void a_site_that_moves_follows_its_region(void)
{
	static const char windows[] = "  - {scope: region:north, " HOUR_FROM_EIGHT "}\n";
	static const char moved[] =
	    "regions: [{name: south, sites: [n-1]}, {name: north, match: '*-1'}]\n"
	    "sites: [{id: 1, name: n-1}, {id: 2, name: n-2}, {id: 3, name: s-1}, "
	    "{id: 4, name: x-1}]\n";
	struct esf_config *before = config_of(windows);
	struct loaded after = load(moved, windows);

	CU_ASSERT_PTR_NOT_NULL_FATAL(after.config);
	CU_ASSERT_STRING_EQUAL(windows_of(before, EIGHT, EIGHT + SECOND), "aa..");
	CU_ASSERT_STRING_EQUAL(windows_of(after.config, EIGHT, EIGHT + SECOND), "..aa");
	unload(&after);
	esf_config_free(before);
}

static void a_learned_site_is_taken_by_its_name_or_region(void)
{
	static const uint8_t key[16] = { 1 };
	struct loaded loaded = load(
	    "unknown_sites: learn\nregions: [{name: north, match: 'n-*'}]\n",
	    "  - {scope: site:n-7, " HOUR_FROM_EIGHT "}\n"
	    "  - {scope: region:north, from: 2026-01-31T09:00:00Z, to: 2026-01-31T10:00:00Z, why: "
	    "w}\n");
	struct esf_learned *learned = esf_learned_create(0, 4, key);
	uint32_t spare = ESF_SPARE_NONE;
	struct esf_roster *roster;

	CU_ASSERT_PTR_NOT_NULL_FATAL(loaded.config);
	CU_ASSERT_EQUAL_FATAL(loaded.faults.warnings_count, 3); /* no ports, no listeners */
	CU_ASSERT_STRING_EQUAL(loaded.faults.warnings[2],
	    "t:4: maintenance[0].scope: \"n-7\" is no listed site: it holds for one that is "
	    "learned");
	roster = esf_roster_create(loaded.config, 4);
	CU_ASSERT_FATAL(learned != NULL && roster != NULL);
	CU_ASSERT_EQUAL(esf_learned_add_name(learned, &spare, "n-7", 3), 0);
	CU_ASSERT_EQUAL(esf_learned_add_name(learned, &spare, "n-8", 3), 1);
	esf_roster_learn(roster, learned);
	for (int64_t s = 0; s < 2; s++) {
		const struct esf_site_config *site = esf_roster_at(roster, (uint32_t)s);

		CU_ASSERT_EQUAL(esf_maintenance_at(loaded.config, site, EIGHT), s == 0 ? 1 : 0);
		CU_ASSERT_EQUAL(esf_maintenance_at(loaded.config, site, EIGHT + 60 * MINUTE), 2);
	}
	esf_roster_destroy(roster);
	esf_learned_destroy(learned);
	unload(&loaded);
}

static uint32_t kpi_named(const struct esf_config *config, const char *name)
{
	uint32_t k = 0;

	while (strcmp(config->kpis[k].name, name) != 0)
		k++;
	return k;
}

static void the_domains_exclude_maintenance_where_they_exclude_a_planned_stop(void)
{
	static const char *const domains[] = { "energy", "manufacturing", "logistics" };

	for (size_t d = 0; d < 3; d++) {
		char text[64];
		struct loaded loaded;
		uint32_t stop;

		snprintf(text, sizeof(text), "domain: %s\n", domains[d]);
		loaded = load(text, "  []\n");
		CU_ASSERT_PTR_NOT_NULL_FATAL(loaded.config);
		stop = kpi_named(loaded.config, "planned_stop");
		for (uint32_t k = 0; k < loaded.config->kpis_count; k++) {
			const struct esf_kpi *kpi = &loaded.config->kpis[k];

			CU_ASSERT_EQUAL(kpi->exclude_maintenance,
			    (kpi->exclude >> stop & 1) != 0 || kpi->source == ESF_KPI_COMMS);
		}
		unload(&loaded);
	}
}

static void a_kpi_is_excluded_once_and_only_where_it_lists_maintenance(void)
{
	struct loaded loaded = load("domain: custom\nkpis:\n"
	                            "  - {name: a, exclude: [maintenance, stop]}\n"
	                            "  - {name: b}\n"
	                            "  - {name: stop, exclude: [maintenance]}\n",
	    "  []\n");
	struct esf_site_kpi kpis[3] = { { .mean = 1 }, { .mean = 2 }, { .mean = 1 } };

	CU_ASSERT_PTR_NOT_NULL_FATAL(loaded.config);
	esf_derive_site(loaded.config, kpis);
	CU_ASSERT_EQUAL(kpis[0].excluded, 3);
	esf_derive_exclude(loaded.config, kpis);
	CU_ASSERT_EQUAL(kpis[0].excluded, 3);
	CU_ASSERT_EQUAL(kpis[1].excluded, 0);
	CU_ASSERT_EQUAL(kpis[2].excluded, ESF_EXCLUDED_MAINTENANCE);
	unload(&loaded);
}

static void a_kpi_of_that_name_excludes_as_any_other(void)
{
	struct loaded loaded = load("domain: custom\nkpis:\n"
	                            "  - {name: maintenance}\n"
	                            "  - {name: a, exclude: [maintenance]}\n",
	    "  []\n");

	CU_ASSERT_PTR_NOT_NULL_FATAL(loaded.config);
	CU_ASSERT_TRUE(loaded.config->kpis[1].exclude_maintenance);
	CU_ASSERT_EQUAL(loaded.config->kpis[1].exclude, 1);
	unload(&loaded);
}

static void a_change_names_maintenance_alone(void)
{
	struct esf_config *none = config_of("  []\n"),
	                  *one = config_of("  - {scope: fleet, " HOUR_FROM_EIGHT "}\n"),
	                  *other = config_of("  - {scope: fleet, from: 2026-01-31T09:00:00+01:00, "
	                                     "to: 2026-01-31T09:00:00Z, why: w}\n");
	const char *changed[ESF_CHANGES_MAX];

	CU_ASSERT_EQUAL_FATAL(esf_config_changes(none, one, changed), 1);
	CU_ASSERT_STRING_EQUAL(changed[0], "maintenance");
	CU_ASSERT_EQUAL(esf_config_changes(one, other, changed), 0); /* the same moments */
	esf_config_free(none);
	esf_config_free(one);
	esf_config_free(other);
}

void esf_suite_maintenance(void)
{
	CU_pSuite suite = CU_add_suite("maintenance", NULL, NULL);

	CU_ADD_TEST(suite, windows_have_these_faults);
	CU_ADD_TEST(suite, more_than_1024_are_too_many);
	CU_ADD_TEST(suite, times_are_those_of_rfc_3339);
	CU_ADD_TEST(suite, a_time_is_printed_as_it_is_read);
	CU_ADD_TEST(suite, a_scope_takes_its_sites_and_no_others);
	CU_ADD_TEST(suite, edges_belong_to_the_half_open_span);
	CU_ADD_TEST(suite, windows_of_a_site_come_together);
	CU_ADD_TEST(suite, a_site_that_moves_follows_its_region);
	CU_ADD_TEST(suite, a_learned_site_is_taken_by_its_name_or_region);
	CU_ADD_TEST(suite, the_domains_exclude_maintenance_where_they_exclude_a_planned_stop);
	CU_ADD_TEST(suite, a_kpi_is_excluded_once_and_only_where_it_lists_maintenance);
	CU_ADD_TEST(suite, a_kpi_of_that_name_excludes_as_any_other);
	CU_ADD_TEST(suite, a_change_names_maintenance_alone);
}

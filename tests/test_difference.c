/* SPDX-License-Identifier: Apache-2.0 */
#include "control/config/difference.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <CUnit/CUnit.h>

#include "control/config/load.h"
#include "suites.h"

#define HEAD "profile: small\ndomain: energy\nregions:\n"
#define NORTH "  - {name: north, match: 'n-*'}\n"
#define SOUTH "  - {name: south, match: 's-*'}\n"
#define SITES "sites:\n  - {id: 1, name: n-1}\n  - {id: 2, name: n-2, weight: 2}\n"

static struct esf_config *load(const char *text)
{
	struct esf_config *config = NULL;
	struct esf_faults faults;

	CU_ASSERT_EQUAL_FATAL(
	    esf_config_load_memory("t.yaml", text, strlen(text), &config, &faults), 0);
	esf_faults_free(&faults);
	return config;
}

/* All of it as "KIND NAME: WAS -> BECOMES" lines. */
static void describe(const struct esf_difference *difference, char *out, size_t room)
{
	size_t used = 0;

	out[0] = '\0';
	for (int kind = 0; kind < ESF_DIFFERENCE_KINDS; kind++) {
		const struct esf_difference_list *list = &difference->lists[kind];

		CU_ASSERT_EQUAL(list->count, list->kept);
		for (uint32_t i = 0; i < list->kept && used < room; i++)
			used += (size_t)snprintf(out + used, room - used, "%s %s: %s -> %s\n",
			    esf_difference_kind_name(kind), list->items[i].name,
			    list->items[i].was == NULL ? "-" : list->items[i].was,
			    list->items[i].becomes == NULL ? "-" : list->items[i].becomes);
	}
}

static void expect(const char *was, const char *becomes, const char *differences)
{
	struct esf_config *running = load(was), *next = load(becomes);
	struct esf_difference difference;
	char got[4096];

	CU_ASSERT_EQUAL_FATAL(esf_difference_find(running, next, &difference), 0);
	describe(&difference, got, sizeof(got));
	if (strcmp(got, differences) != 0)
		fprintf(stderr, "\n%s\n -> %s\n want %s\n", becomes, got, differences);
	CU_ASSERT_STRING_EQUAL(got, differences);
	esf_difference_free(&difference);
	esf_config_free(next);
	esf_config_free(running);
}

static void values_are_told_by_their_path(void)
{
	static const struct {
		const char *more, *differences;
	} cases[] = {
		{ "", "" },
		{ "health: {good: 80}\n", "" },
		{ "health: {good: 85.5, vital_cap: 0.1}\n",
		    "values health.good: 80 -> 85.5\nvalues health.vital_cap: 40 -> 0.1\n" },
		{ "ingestion: deviation\n", "values ingestion: full -> deviation\n" },
		{ "storm: {min_hold: 2m}\n", "values storm.min_hold: 1m -> 2m\n" },
		{ "compare: {peers: fleet, rounds: [2, 4]}\n",
		    "values compare.peers: region -> fleet\nvalues compare.rounds: [3, 5] -> [2, "
		    "4]\n" },
		{ "kpis: [{name: power_kw, vital: true}]\n",
		    "values kpis.power_kw.vital: false -> true\n" },
		{ "listeners: [{udp: 5514, format: syslog}]\n",
		    "values listeners.5514: - -> syslog, require_seal false, site_tag site, "
		    "precision 1 "
		    "ns\n" },
		{ "signatures: [{match: a, code: b, severity: 2, state: raise}]\n",
		    "values signatures.\"a\": - -> code b, severity 2, state raise\n" },
		{ "normalise: [{match: a, kpi: hot_side_c, scale: 0.1}]\n",
		    "values normalise.\"a\": - -> hot_side_c, scale 0.1, offset 0, min -inf, max "
		    "inf, "
		    "type as sent\n" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char text[1024];

		snprintf(text, sizeof(text), HEAD NORTH SITES "%s", cases[i].more);
		expect(HEAD NORTH SITES, text, cases[i].differences);
	}
}

static void what_is_gone_becomes_nothing(void)
{
	expect(HEAD NORTH SITES "signatures: [{match: a, code: b}]\n", HEAD NORTH SITES,
	    "values signatures.\"a\": code b -> -\n");
}

static void another_order_is_a_difference(void)
{
	expect(HEAD NORTH SOUTH SITES, HEAD SOUTH NORTH SITES,
	    "values regions: one order -> another order\n");
}

static void sites_are_matched_by_id(void)
{
	static const struct {
		const char *sites, *differences;
	} cases[] = {
		{ "[{id: 2, name: n-2, weight: 2}, {id: 1, name: n-1}]", "" },
		{ "[{id: 1, name: n-1}, {id: 2, name: n-2, weight: 2}, {id: 3, name: x}]",
		    "added x: - -> unassigned\n" },
		{ "[{id: 2, name: n-2, weight: 2}]", "removed n-1: north -> -\n" },
		{ "[{id: 1, name: n-9}, {id: 2, name: n-2, weight: 2}]",
		    "renamed n-1: n-1 -> n-9\n" },
		{ "[{id: 1, name: s-1}, {id: 2, name: n-2, weight: 2}]",
		    "renamed n-1: n-1 -> s-1\nmoved s-1: north -> unassigned\n" },
		{ "[{id: 1, name: n-1}, {id: 2, name: n-2, weight: 3, labels: {a: b}}]",
		    "altered n-2: weight 2 -> weight 3, labels a=b\n" },
		{ "[]", "removed n-1: north -> -\nremoved n-2: north -> -\n" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char text[1024];

		snprintf(text, sizeof(text), HEAD NORTH "sites: %s\n", cases[i].sites);
		expect(HEAD NORTH SITES, text, cases[i].differences);
	}
}

static void sites_move_where_a_region_takes_them(void)
{
	expect(HEAD NORTH SOUTH SITES,
	    HEAD NORTH "  - {name: south, match: 's-*', sites: [n-1]}\n" SITES,
	    "values regions.south: match \"s-*\", sites [] -> match \"s-*\", sites [n-1]\n");
	expect(HEAD SOUTH NORTH SITES,
	    HEAD "  - {name: south, match: 's-*', sites: [n-1]}\n" NORTH SITES,
	    "values regions.south: match \"s-*\", sites [] -> match \"s-*\", sites [n-1]\n"
	    "moved n-1: north -> south\n");
}

static void long_lists_and_texts_are_cut(void)
{
	size_t size = 1 << 20, used = 0;
	char *text = malloc(size);
	struct esf_config *running = load("profile: large\nsites: []\n"), *next;
	struct esf_difference difference;

	used +=
	    (size_t)snprintf(text, size, "profile: large\nregions:\n  - name: r\n    sites: [s-1");
	for (uint32_t i = 2; i <= 101; i++)
		used += (size_t)snprintf(text + used, size - used, ", s-%u", i);
	used += (size_t)snprintf(text + used, size - used, "]\nsites:\n");
	for (uint32_t i = 1; i <= 101; i++)
		used +=
		    (size_t)snprintf(text + used, size - used, "  - {id: %u, name: s-%u}\n", i, i);
	next = load(text);
	CU_ASSERT_EQUAL_FATAL(esf_difference_find(running, next, &difference), 0);
	CU_ASSERT_EQUAL(difference.lists[ESF_DIFFERENCE_ADDED].count, 101);
	CU_ASSERT_EQUAL(difference.lists[ESF_DIFFERENCE_ADDED].kept, ESF_DIFFERENCES_MAX);
	CU_ASSERT_EQUAL_FATAL(difference.lists[ESF_DIFFERENCE_VALUES].kept, 1);
	CU_ASSERT_EQUAL(strlen(difference.lists[ESF_DIFFERENCE_VALUES].items[0].becomes),
	    ESF_DIFFERENCE_TEXT_MAX);
	esf_difference_free(&difference);
	esf_config_free(next);
	esf_config_free(running);
	free(text);
}

void esf_suite_difference(void)
{
	CU_pSuite suite = CU_add_suite("difference", NULL, NULL);

	CU_add_test(suite, "values_are_told_by_their_path", values_are_told_by_their_path);
	CU_add_test(suite, "what_is_gone_becomes_nothing", what_is_gone_becomes_nothing);
	CU_add_test(suite, "another_order_is_a_difference", another_order_is_a_difference);
	CU_add_test(suite, "sites_are_matched_by_id", sites_are_matched_by_id);
	CU_add_test(
	    suite, "sites_move_where_a_region_takes_them", sites_move_where_a_region_takes_them);
	CU_add_test(suite, "long_lists_and_texts_are_cut", long_lists_and_texts_are_cut);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "control/api/listing.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <CUnit/CUnit.h>

#include "suites.h"

/* Five sites, neither their ids nor their names in the order of the file. */
static char north[] = "north", south[] = "south";
static char n_9[] = "n-9", n_10[] = "n-10", s_1[] = "s-1", s_2[] = "S-2", x[] = "x";
static struct esf_region_config regions[] = { { .name = north }, { .name = south } };
static struct esf_site_config sites[] = {
	{ .id = 50, .name = n_9, .weight = 1, .region = 0 },
	{ .id = 40, .name = n_10, .weight = 1, .region = 0 },
	{ .id = 10, .name = s_1, .weight = 1, .region = 1 },
	{ .id = 30, .name = s_2, .weight = 1, .region = 1 },
	{ .id = 20, .name = x, .weight = 1, .region = 2 },
};
static const struct esf_config config = {
	.regions_count = 2, .regions = regions, .sites_count = 5, .sites = sites
};
static const struct esf_site_view site_views[] = {
	{ .health = 90, .status = ESF_STATUS_GOOD, .coverage = 1 },
	{ .health = 40, .status = ESF_STATUS_BAD, .coverage = 0.9 },
	{ .health = 90, .status = ESF_STATUS_GOOD, .coverage = 0.5 },
	{ .health = NAN, .status = ESF_STATUS_UNKNOWN, .coverage = 0.1 },
	{ .health = NAN, .status = ESF_STATUS_UNKNOWN, .coverage = 0 },
};
static const struct esf_scope scopes[] = { { .name = "north" }, { .name = "south" },
	{ .name = "unassigned" } };
static struct esf_view view = {
	.time = 7, .config = &config, .regions_count = 3, .regions = scopes, .sites = site_views
};

/* Names of the sites listed for a query of "name=value" parts, each with a blank behind it; the
 * total. */
static char names[256];
static int64_t total;
static struct esf_reply reply;

static void drop_reply(void)
{
	free(reply.body);
	reply = (struct esf_reply){ 0 };
}

static json_t *list(const char *query)
{
	struct esf_request request;
	char text[128], *rest = text, *part;

	drop_reply();
	esf_request_start(&request, "GET");
	snprintf(text, sizeof(text), "%s", query);
	while ((part = strsep(&rest, "&")) != NULL && *part != '\0') {
		char *value = strchr(part, '=');

		*value++ = '\0';
		CU_ASSERT_EQUAL_FATAL(esf_request_add_param(&request, part, value), 0);
	}
	return esf_listing_document(&view, &request, &reply);
}

static void list_names(const char *query)
{
	json_t *document = list(query), *site;
	size_t i, size = 0;

	names[0] = '\0';
	CU_ASSERT_PTR_NOT_NULL_FATAL(document);
	json_array_foreach (json_object_get(document, "sites"), i, site)
		size += (size_t)snprintf(names + size, sizeof(names) - size, "%s ",
		    json_string_value(json_object_get(site, "name")));
	total = json_integer_value(json_object_get(document, "total"));
	CU_ASSERT_EQUAL(json_integer_value(json_object_get(document, "time")), 7);
	json_decref(document);
}

static void sites_are_sorted_filtered_and_cut(void)
{
	static const struct {
		const char *query;
		const char *names;
		int64_t total;
	} cases[] = {
		{ "", "s-1 x S-2 n-10 n-9 ", 5 },
		{ "sort=id", "s-1 x S-2 n-10 n-9 ", 5 },
		{ "sort=name", "S-2 n-10 n-9 s-1 x ", 5 },
		{ "sort=health", "x S-2 n-10 s-1 n-9 ", 5 }, /* unknown, bad, equals by id */
		{ "sort=coverage", "x S-2 s-1 n-10 n-9 ", 5 },
		{ "region=north", "n-10 n-9 ", 2 },
		{ "region=unassigned", "x ", 1 },
		{ "status=unknown", "x S-2 ", 2 },
		{ "status=degraded", "", 0 },
		{ "status=good&region=south", "s-1 ", 1 },
		{ "limit=2", "s-1 x ", 5 },
		{ "limit=10000", "s-1 x S-2 n-10 n-9 ", 5 },
		{ "limit=2&offset=2", "S-2 n-10 ", 5 },
		{ "limit=2&offset=4", "n-9 ", 5 },
		{ "offset=5", "", 5 },
		{ "sort=health&status=good&limit=1", "s-1 ", 2 },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		list_names(cases[i].query);
		CU_ASSERT_STRING_EQUAL(names, cases[i].names);
		CU_ASSERT_EQUAL(total, cases[i].total);
		CU_ASSERT_EQUAL(reply.status, 0);
	}
}

static void bad_parameters_are_refused_with_what_is_wanted(void)
{
	static const struct {
		const char *query;
		unsigned int status;
		const char *body;
	} cases[] = {
		{ "limit=0", 400, "{\"error\":\"limit: got \\\"0\\\", want 1..10000\"}" },
		{ "limit=10001", 400, "{\"error\":\"limit: got \\\"10001\\\", want 1..10000\"}" },
		{ "limit=", 400, "{\"error\":\"limit: got \\\"\\\", want 1..10000\"}" },
		{ "limit=+1", 400, "{\"error\":\"limit: got \\\"+1\\\", want 1..10000\"}" },
		{ "limit=1x", 400, "{\"error\":\"limit: got \\\"1x\\\", want 1..10000\"}" },
		{ "limit=4294967297", 400,
		    "{\"error\":\"limit: got \\\"4294967297\\\", want 1..10000\"}" },
		{ "status=GOOD", 400,
		    "{\"error\":\"status: got \\\"GOOD\\\", want good, degraded, bad or "
		    "unknown\"}" },
		{ "sort=worst", 400,
		    "{\"error\":\"sort: got \\\"worst\\\", want health, name, id or coverage\"}" },
		{ "region=nroth", 404,
		    "{\"error\":\"no region \\\"nroth\\\", did you mean \\\"north\\\"?\"}" },
		{ "region=west", 404, "{\"error\":\"no region \\\"west\\\"\"}" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		CU_ASSERT_PTR_NULL(list(cases[i].query));
		CU_ASSERT_EQUAL(reply.status, cases[i].status);
		CU_ASSERT_STRING_EQUAL(reply.body, cases[i].body);
	}
	drop_reply();
}

static void names_are_found(void)
{
	drop_reply();
	for (uint32_t s = 0; s < config.sites_count; s++)
		CU_ASSERT_EQUAL(esf_listing_find_site(&view, sites[s].name, &reply), s);
	CU_ASSERT_EQUAL(esf_listing_find_region(&view, "unassigned", &reply), 2);
	CU_ASSERT_EQUAL(reply.status, 0);
	CU_ASSERT_EQUAL(esf_listing_find_site(&view, "n-11", &reply), -1);
	CU_ASSERT_EQUAL(reply.status, 404);
	CU_ASSERT_STRING_EQUAL(
	    reply.body, "{\"error\":\"no site \\\"n-11\\\", did you mean \\\"n-10\\\"?\"}");
	drop_reply();
	CU_ASSERT_EQUAL(esf_listing_find_site(&view, "N-9", &reply), -1);
	drop_reply();
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

void esf_suite_listing(void)
{
	CU_pSuite suite = CU_add_suite("listing", make_roster, drop_roster);

	CU_ADD_TEST(suite, sites_are_sorted_filtered_and_cut);
	CU_ADD_TEST(suite, bad_parameters_are_refused_with_what_is_wanted);
	CU_ADD_TEST(suite, names_are_found);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "control/export/encode.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <CUnit/CUnit.h>

#include "control/export/outcome.h"
#include "suites.h"

/* Points in the line protocol, against lines written by hand; and what servers' answers mean. */

static struct esf_lines lines;

/* Whether lines hold just the text. */
static void expect(const char *text)
{
	bool right = lines.size == strlen(text) && memcmp(lines.text, text, lines.size) == 0;

	if (!right)
		fprintf(stderr, "\ngot  %.*swant %s", (int)lines.size, lines.text, text);
	CU_ASSERT(right);
	esf_lines_clear(&lines);
}

static void tag_values_are_escaped(void)
{
	static const struct {
		const char *value, *line;
	} cases[] = {
		{ "n-1", "m,t=n-1 f=1i 0\n" },
		{ "a b,c=d", "m,t=a\\ b\\,c\\=d f=1i 0\n" },
		{ "a\\b", "m,t=a\\b f=1i 0\n" },
		{ "a\\", "m,t=a/ f=1i 0\n" },
		{ "a\\,b", "m,t=a/\\,b f=1i 0\n" },
		{ "a\\\\b", "m,t=a/\\b f=1i 0\n" },
		{ "a\\=", "m,t=a/\\= f=1i 0\n" },
		{ "\"q\"", "m,t=\"q\" f=1i 0\n" },
		{ "s\xc3\xbc"
		  "d",
		    "m,t=s\xc3\xbc"
		    "d f=1i 0\n" },
		{ "a\nb\tc\x7f", "m,t=a/b/c/ f=1i 0\n" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		esf_line_begin(&lines, "m");
		esf_line_tag(&lines, "t", cases[i].value);
		esf_line_count(&lines, "f", 1);
		CU_ASSERT(esf_line_end(&lines, 0));
		expect(cases[i].line);
	}
	esf_lines_free(&lines);
}

static void numbers_are_short_and_lead_back(void)
{
	static const struct {
		double value;
		const char *line;
	} cases[] = {
		{ 0, "m f=0 1\n" },
		{ -0.5, "m f=-0.5 1\n" },
		{ 0.1, "m f=0.1 1\n" },
		{ 1.0 / 3, "m f=0.3333333333333333 1\n" },
		{ 0.1 + 0.2, "m f=0.30000000000000004 1\n" },
		{ 123456789, "m f=123456789 1\n" },
		{ 1e300, "m f=1e+300 1\n" },
		{ DBL_MIN, "m f=2.2250738585072014e-308 1\n" },
		{ DBL_MAX, "m f=1.7976931348623157e+308 1\n" },
		{ 9007199254740993.0, "m f=9007199254740992 1\n" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		esf_line_begin(&lines, "m");
		esf_line_real(&lines, "f", cases[i].value);
		CU_ASSERT(esf_line_end(&lines, 1));
		CU_ASSERT_EQUAL(strtod(lines.text + 4, NULL), cases[i].value);
		expect(cases[i].line);
	}
	esf_lines_free(&lines);
}

static void counts_are_integers_and_times_are_nanoseconds(void)
{
	esf_line_begin(&lines, "m");
	esf_line_count(&lines, "a", 0);
	esf_line_count(&lines, "b", 20);
	esf_line_count(&lines, "c", UINT64_MAX); /* the format has 63 bits */
	CU_ASSERT(esf_line_end(&lines, INT64_C(1700000000123456789)));
	expect("m a=0i,b=20i,c=9223372036854775807i 1700000000123456789\n");
	esf_lines_free(&lines);
}

static void what_is_absent_is_left_out(void)
{
	esf_line_begin(&lines, "m");
	esf_line_real(&lines, "a", NAN);
	esf_line_real(&lines, "b", INFINITY);
	esf_line_real(&lines, "c", 2);
	CU_ASSERT(esf_line_end(&lines, 5));
	esf_line_begin(&lines, "m");
	esf_line_tag(&lines, "t", "x");
	esf_line_real(&lines, "a", -INFINITY);
	CU_ASSERT_FALSE(esf_line_end(&lines, 5));
	CU_ASSERT_EQUAL(lines.points, 1);
	CU_ASSERT_EQUAL(lines.lost, 0);
	expect("m c=2 5\n");
	esf_lines_free(&lines);
}

/* A fleet of two sites, of which one has no data, in the region north; its second KPI has none at
 * all. */
static char heat[] = "heat", flow[] = "flow", north[] = "north", s_1[] = "s 1", s_2[] = "s-2";
static struct esf_kpi kpis[] = { { .name = heat }, { .name = flow } };
static struct esf_region_config regions[] = { { .name = north } };
static struct esf_site_config sites[] = { { .id = 1, .name = s_1, .region = 0 },
	{ .id = 2, .name = s_2, .region = 1 } };
static struct esf_config config = { .regions_count = 1,
	.regions = regions,
	.sites_count = 2,
	.sites = sites,
	.kpis_count = 2,
	.kpis = kpis };
static const struct esf_site_kpi known[] = {
	{ .mean = 1.5, .min = 1, .max = 2, .stddev = NAN, .samples = 1, .score = 70.5 },
	{ .mean = NAN },
};
static const struct esf_site_kpi unknown[] = { { .mean = NAN }, { .mean = NAN } };
static const struct esf_site_view site_views[] = {
	{ .health = 70.5,
	    .coverage = 0.75,
	    .status = ESF_STATUS_DEGRADED,
	    .reporting = true,
	    .kpis = known },
	{ .health = NAN, .coverage = 0, .status = ESF_STATUS_UNKNOWN, .kpis = unknown },
};
static const struct esf_scope_kpi scope_kpis[] = {
	{ .mean = 1.5,
	    .min = 1,
	    .max = 2,
	    .stddev = 0,
	    .p50 = 1.5,
	    .p95 = 1.5,
	    .score = 70.5,
	    .samples = 1,
	    .sites = 1 },
	{ .mean = NAN },
};
static const struct esf_scope scopes[] = { { .name = north,
    .health = 70.5,
    .coverage = 0.75,
    .status = ESF_STATUS_DEGRADED,
    .total = 1,
    .reporting = 1,
    .degraded = 1,
    .kpis = scope_kpis } };

static void encode(bool fleet, bool region, bool site, char *const *names, uint32_t names_count)
{
	const bool levels[ESF_EXPORT_LEVELS] = { fleet, region, site };
	struct esf_roster *roster = esf_roster_create(&config, 2);
	struct esf_view view = { .start = 60,
		.closed = true,
		.config = &config,
		.roster = roster,
		.regions_count = 1,
		.regions = scopes,
		.fleet = scopes[0],
		.sites_count = 2,
		.sites = site_views };
	struct esf_encode made;

	esf_encode_start(&made, &view, levels, names, names_count);
	while (esf_encode_next(&made, &lines))
		;
	esf_roster_destroy(roster);
}

#define SCOPE_FIELDS                                                                      \
	" health=70.5,coverage=0.75,status=1i,sites=1i,reporting=1i,good=0i,degraded=1i," \
	"bad=0i,unknown=0i 60\n"
#define HEAT_FIELDS \
	" mean=1.5,min=1,max=2,stddev=0,p50=1.5,p95=1.5,score=70.5,samples=1i,sites=1i 60\n"

static void a_window_is_points_of_sites_then_regions_then_the_fleet(void)
{
	encode(true, true, true, NULL, 0);
	CU_ASSERT_EQUAL(lines.points, 7);
	expect("estream_window_kpi,kpi=heat,level=site,region=north,site=s\\ 1 "
	       "mean=1.5,min=1,max=2,score=70.5,samples=1i 60\n"
	       "estream_window_scope,level=site,region=north,site=s\\ 1 "
	       "health=70.5,coverage=0.75,status=1i,reporting=1i 60\n"
	       "estream_window_scope,level=site,region=unassigned,site=s-2 "
	       "coverage=0,status=3i,reporting=0i 60\n"
	       "estream_window_kpi,kpi=heat,level=region,region=north" HEAT_FIELDS
	       "estream_window_scope,level=region,region=north" SCOPE_FIELDS
	       "estream_window_kpi,kpi=heat,level=fleet" HEAT_FIELDS
	       "estream_window_scope,level=fleet" SCOPE_FIELDS);
	esf_lines_free(&lines);
}

static void only_chosen_levels_and_kpis_are_made(void)
{
	char *only_flow[] = { flow }, *only_heat[] = { heat };

	encode(true, false, false, only_flow, 1);
	expect("estream_window_scope,level=fleet" SCOPE_FIELDS);
	encode(false, true, false, only_heat, 1);
	expect("estream_window_kpi,kpi=heat,level=region,region=north" HEAT_FIELDS
	       "estream_window_scope,level=region,region=north" SCOPE_FIELDS);
	esf_lines_free(&lines);
}

/* The texts are what InfluxDB 1.6 and VictoriaMetrics 1.79 said. */
static void answers_are_judged_by_what_can_mend_them(void)
{
	static const struct {
		long status;
		const char *text;
		enum esf_outcome_kind want;
		uint32_t refused;
	} cases[] = {
		{ 204, "", ESF_OUTCOME_TAKEN, 0 },
		{ 200, "{}", ESF_OUTCOME_TAKEN, 0 },
		{ 400,
		    "{\"error\":\"partial write: field type conflict: input field \\\"f\\\" on "
		    "measurement \\\"m\\\" is type float, already exists as type integer "
		    "dropped=2\"}\n",
		    ESF_OUTCOME_PARTLY, 2 },
		{ 400, "{\"error\":\"partial write: points beyond retention policy dropped=5\"}\n",
		    ESF_OUTCOME_PARTLY, 5 },
		{ 400, "{\"error\":\"partial write: points beyond retention policy dropped=6\"}\n",
		    ESF_OUTCOME_REFUSED, 0 }, /* more than there were */
		{ 400,
		    "{\"error\":\"partial write: unable to parse 'm,a=b f= 1': missing field "
		    "value dropped=0\"}\n",
		    ESF_OUTCOME_REFUSED, 0 },
		{ 400,
		    "{\"error\":\"partial write: unable to parse 'm dropped=1': missing field "
		    "value dropped=0\"}\n",
		    ESF_OUTCOME_REFUSED, 0 },
		{ 400, "{\"error\":\"field type conflict\"}\n", ESF_OUTCOME_REFUSED, 0 },
		{ 400, "", ESF_OUTCOME_REFUSED, 0 },
		{ 413, "{\"error\":\"Request Entity Too Large\"}", ESF_OUTCOME_REFUSED, 0 },
		{ 422, "", ESF_OUTCOME_REFUSED, 0 },
		{ 400, "remoteAddr: \"x\"; requestURI: /a; unsupported path requested: \"/a\"",
		    ESF_OUTCOME_LATER, 0 },
		{ 400, "cannot find the provided auth token \"Bearer x\" in config",
		    ESF_OUTCOME_LATER, 0 },
		{ 404, "{\"error\":\"database not found: \\\"x\\\"\"}\n", ESF_OUTCOME_LATER, 0 },
		{ 401, "{\"error\":\"authorization failed\"}", ESF_OUTCOME_LATER, 0 },
		{ 429, "dropped=1", ESF_OUTCOME_LATER, 0 },
		{ 503, "", ESF_OUTCOME_LATER, 0 },
		{ 301, "", ESF_OUTCOME_LATER, 0 },
		{ 0, "Connection refused", ESF_OUTCOME_LATER, 0 },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint32_t refused = 99;

		CU_ASSERT_EQUAL(
		    esf_outcome_judge(cases[i].status, cases[i].text, 5, &refused), cases[i].want);
		CU_ASSERT_EQUAL(refused, cases[i].refused);
	}
}

static void what_a_server_says_is_one_line(void)
{
	static const struct {
		const char *text, *want;
	} cases[] = {
		{ "{\"error\":\"no \\\"x\\\" here\"}\n", "no \"x\" here" },
		{ "\r\nplain\ntext\n", "plain text" },
		{ "", "" },
		{ "twenty characters and more", "twenty characters a" },
		{ "1234567890123456789\xc3\xbc", "1234567890123456789" },
	};
	char buffer[20];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		CU_ASSERT_STRING_EQUAL(
		    esf_outcome_said(cases[i].text, buffer, sizeof(buffer)), cases[i].want);
}

void esf_suite_export_line(void)
{
	CU_pSuite suite = CU_add_suite("export_line", NULL, NULL);

	CU_ADD_TEST(suite, tag_values_are_escaped);
	CU_ADD_TEST(suite, numbers_are_short_and_lead_back);
	CU_ADD_TEST(suite, counts_are_integers_and_times_are_nanoseconds);
	CU_ADD_TEST(suite, what_is_absent_is_left_out);
	CU_ADD_TEST(suite, a_window_is_points_of_sites_then_regions_then_the_fleet);
	CU_ADD_TEST(suite, only_chosen_levels_and_kpis_are_made);
	CU_ADD_TEST(suite, answers_are_judged_by_what_can_mend_them);
	CU_ADD_TEST(suite, what_a_server_says_is_one_line);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "control/cli/show.h"

#include <math.h>
#include <string.h>

#include "control/cli/absent.h"
#include "control/cli/field.h"
#include "control/cli/items.h"
#include "control/cli/text.h"

enum { STORMING_SHOWN = 10 };

enum esf_style esf_show_status_style(const char *status)
{
	if (strcmp(status, "good") == 0)
		return ESF_GREEN;
	if (strcmp(status, "degraded") == 0)
		return ESF_YELLOW;
	return strcmp(status, "bad") == 0 ? ESF_RED : ESF_DIM;
}

void esf_show_scope(const struct esf_screen *screen, const char *title, const json_t *scope)
{
	const json_t *sites = json_object_get(scope, "sites");
	const char *status = esf_field_text(scope, "status");
	enum esf_style style = esf_show_status_style(status);
	char health[ESF_TEXT_NUMBER_SIZE], coverage[ESF_TEXT_NUMBER_SIZE];
	double covered = esf_field_real(scope, "coverage");

	snprintf(coverage, sizeof(coverage), isnan(covered) ? "-" : "%.2f", covered);
	esf_text_put(screen->out, title, ESF_TEXT_COLUMNS / 2);
	fputs(": ", screen->out);
	esf_style_begin(screen->out, screen->colour, style);
	fprintf(
	    screen->out, "%s %s", esf_text_points(esf_field_real(scope, "health"), health), status);
	esf_style_end(screen->out, screen->colour, style);
	fprintf(screen->out, ", coverage %s\n", coverage);
	fprintf(screen->out,
	    "sites: %jd of %jd reporting; %jd good, %jd degraded, %jd bad, %jd unknown",
	    (intmax_t)esf_field_count(sites, "reporting"),
	    (intmax_t)esf_field_count(sites, "total"), (intmax_t)esf_field_count(sites, "good"),
	    (intmax_t)esf_field_count(sites, "degraded"), (intmax_t)esf_field_count(sites, "bad"),
	    (intmax_t)esf_field_count(sites, "unknown"));
	if (esf_field_count(scope, "maintenance") > 0)
		fprintf(screen->out, "; %jd in maintenance",
		    (intmax_t)esf_field_count(scope, "maintenance"));
	fputc('\n', screen->out);
}

void esf_show_window(const struct esf_screen *screen, const json_t *document)
{
	const json_t *window = json_object_get(document, "window");
	char start[ESF_TEXT_NUMBER_SIZE], end[ESF_TEXT_NUMBER_SIZE];

	esf_text_time(esf_field_count(window, "start"), start);
	esf_text_time(esf_field_count(window, "end"), end);
	fprintf(screen->out, "window: %s .. %s UTC, %s\n", start, strlen(end) > 11 ? end + 11 : end,
	    esf_field_bool(window, "closed") ? "closed" : "provisional: it is still open");
}

/* "storm: the fleet, north-1, north-2, 3 more": who is held to its rate. */
void esf_show_storm(const struct esf_screen *screen, const json_t *document)
{
	const json_t *storm = json_object_get(document, "storm");
	const json_t *sites = json_object_get(storm, "sites");
	size_t count = json_array_size(sites);
	struct esf_items items;
	char more[32];

	if (!esf_field_bool(storm, "active"))
		return;
	esf_style_begin(screen->out, screen->colour, ESF_YELLOW);
	esf_items_start(&items, screen->out, "storm: ", 7);
	if (esf_field_bool(storm, "fleet"))
		esf_items_add(&items, "the fleet");
	for (size_t i = 0; i < count && i < STORMING_SHOWN; i++)
		esf_items_add(&items, json_string_value(json_array_get(sites, i)));
	if (count > STORMING_SHOWN) {
		snprintf(more, sizeof(more), "%zu more", count - STORMING_SHOWN);
		esf_items_add(&items, more);
	}
	esf_items_finish(&items);
	esf_style_end(screen->out, screen->colour, ESF_YELLOW);
}

/* The scored KPI of a SCOPE that does worst, and its score: "thermal_margin 62". */
static void lowest_kpi(const json_t *scope, char *buffer, size_t size)
{
	const json_t *kpis = json_object_get(scope, "kpis"), *value;
	const char *name;
	double lowest = 100;

	buffer[0] = '\0';
	json_object_foreach ((json_t *)kpis, name, value) {
		double score = esf_field_real(value, "score");

		if (isnan(score) || score >= lowest)
			continue;
		lowest = score;
		snprintf(buffer, size, "%s %.0f", name, score);
	}
}

static void add_sites_count(
    struct esf_table *table, const json_t *sites, const char *key, enum esf_style style)
{
	int64_t count = esf_field_count(sites, key);
	char text[ESF_TEXT_NUMBER_SIZE];

	snprintf(text, sizeof(text), "%jd", (intmax_t)count);
	esf_table_add(table, count == 0 ? ESF_DIM : style, text);
}

static void add_region(struct esf_table *table, const json_t *region)
{
	const json_t *sites = json_object_get(region, "sites");
	const char *status = esf_field_text(region, "status");
	char text[ESF_CELL_SIZE];

	esf_table_add(table, ESF_PLAIN, esf_field_text(region, "name"));
	esf_table_add(table, ESF_PLAIN, esf_text_points(esf_field_real(region, "health"), text));
	esf_table_add(table, esf_show_status_style(status), status);
	snprintf(text, sizeof(text), "%.2f", esf_field_real(region, "coverage"));
	esf_table_add(table, ESF_PLAIN, text);
	add_sites_count(table, sites, "total", ESF_PLAIN);
	add_sites_count(table, sites, "reporting", ESF_PLAIN);
	add_sites_count(table, sites, "good", ESF_GREEN);
	add_sites_count(table, sites, "degraded", ESF_YELLOW);
	add_sites_count(table, sites, "bad", ESF_RED);
	add_sites_count(table, sites, "unknown", ESF_PLAIN);
	add_sites_count(table, region, "maintenance", ESF_YELLOW);
	lowest_kpi(region, text, sizeof(text));
	esf_table_add(table, ESF_PLAIN, text);
}

void esf_show_regions(const struct esf_screen *screen, const json_t *regions)
{
	static const struct esf_column columns[] = {
		{ "REGION", .narrowest = 6 },
		{ "HEALTH", .right = true },
		{ .title = "STATUS" },
		{ "COVER", .right = true },
		{ "SITES", .right = true },
		{ "REPORT", .right = true, .dispensable = 1 },
		{ "GOOD", .right = true },
		{ "DEGR", .right = true },
		{ "BAD", .right = true },
		{ "UNKN", .right = true },
		{ "MAINT", .right = true, .dispensable = 2 },
		{ "LOWEST KPI", .narrowest = 10 },
	};
	struct esf_table table;

	esf_table_start(&table, columns, sizeof(columns) / sizeof(columns[0]));
	for (size_t i = 0; i < json_array_size(regions); i++)
		add_region(&table, json_array_get(regions, i));
	esf_table_finish(&table, screen->out, screen->colour);
}

static void add_values(struct esf_table *table, const json_t *kpi, const char *const *keys)
{
	char text[ESF_TEXT_NUMBER_SIZE];

	for (; *keys != NULL; keys++)
		esf_table_add(table, ESF_PLAIN, esf_text_value(esf_field_real(kpi, *keys), text));
}

static void add_kpi(
    struct esf_table *table, const char *name, const json_t *kpi, const json_t *units)
{
	static const char *const first[] = { "mean", NULL };
	static const char *const rest[] = { "stddev", "min", "p50", "p95", "max", NULL };
	char text[ESF_TEXT_NUMBER_SIZE];

	esf_table_add(table, ESF_PLAIN, name);
	add_values(table, kpi, first);
	esf_table_add(table, ESF_PLAIN, esf_field_text(units, name));
	esf_table_add(table, ESF_PLAIN, esf_text_points(esf_field_real(kpi, "score"), text));
	esf_table_add(table, ESF_PLAIN, esf_text_points(esf_field_real(kpi, "contribution"), text));
	add_values(table, kpi, rest);
	esf_table_add(
	    table, ESF_PLAIN, esf_text_count((uint64_t)esf_field_count(kpi, "sites"), text));
	esf_table_add(
	    table, ESF_PLAIN, esf_text_count((uint64_t)esf_field_count(kpi, "samples"), text));
}

/* What the column COSTS adds up to. */
static void put_costs(const struct esf_screen *screen, const json_t *scope)
{
	double health = esf_field_real(scope, "health"), capped = esf_field_real(scope, "capped");

	if (isnan(health) || isnan(capped))
		return;
	fprintf(screen->out, "costs: %.1f points in all", 100 - health);
	if (capped > 0)
		fprintf(screen->out, ", %.1f of them by the cap of vital KPIs", capped);
	fputc('\n', screen->out);
}

void esf_show_scope_kpis(
    const struct esf_screen *screen, const json_t *scope, const json_t *document)
{
	static const struct esf_column columns[] = {
		{ "KPI", .narrowest = 24 },
		{ "MEAN", .right = true },
		{ "UNIT", .narrowest = 6 },
		{ "SCORE", .right = true },
		{ "COSTS", .right = true },
		{ "STDDEV", .right = true, .dispensable = 3 },
		{ "MIN", .right = true, .dispensable = 1 },
		{ "P50", .right = true, .dispensable = 2 },
		{ "P95", .right = true, .dispensable = 2 },
		{ "MAX", .right = true, .dispensable = 1 },
		{ "SITES", .right = true, .dispensable = 4 },
		{ "SAMPLES", .right = true, .dispensable = 5 },
	};
	const json_t *kpis = json_object_get(scope, "kpis"), *kpi;
	const json_t *units = json_object_get(document, "units");
	const json_t *weights = json_object_get(document, "weights");
	const char *name;
	struct esf_absent absent;
	struct esf_table table;

	esf_absent_start(&absent);
	esf_table_start(&table, columns, sizeof(columns) / sizeof(columns[0]));
	json_object_foreach ((json_t *)kpis, name, kpi) {
		if (!esf_absent_takes(&absent, name, kpi, weights))
			add_kpi(&table, name, kpi, units);
	}
	esf_table_finish(&table, screen->out, screen->colour);
	put_costs(screen, scope);
	esf_absent_finish(&absent, screen->out);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "control/cli/show.h"

#include <math.h>
#include <string.h>

#include "control/cli/absent.h"
#include "control/cli/field.h"
#include "control/cli/items.h"
#include "control/cli/text.h"

/* What there is to say of a site without health; NULL: it has one. */
static const char *blindness(const json_t *site)
{
	if (json_is_null(json_object_get(site, "last_seen")))
		return "never heard of";
	if (esf_field_bool(site, "silent"))
		return "silent";
	return isnan(esf_field_real(site, "health")) ? "too little data" : NULL;
}

/* The KPI that costs the site the most health: "thermal_margin -12.3 (18.2 °C)". */
static void costliest_kpi(const json_t *site, const json_t *units, char *buffer, size_t size)
{
	const json_t *kpis = json_object_get(site, "kpis"), *kpi;
	const char *name;
	double most = 0;
	char mean[ESF_TEXT_NUMBER_SIZE];

	buffer[0] = '\0';
	json_object_foreach ((json_t *)kpis, name, kpi) {
		const char *unit = json_string_value(json_object_get(units, name));
		double costs = esf_field_real(kpi, "contribution");

		if (isnan(costs) || costs <= most)
			continue;
		most = costs;
		snprintf(buffer, size, "%s -%.1f (%s%s%s)", name, costs,
		    esf_text_value(esf_field_real(kpi, "mean"), mean),
		    unit == NULL || strcmp(unit, "1") == 0 ? "" : " ",
		    unit == NULL || strcmp(unit, "1") == 0 ? "" : unit);
	}
}

static const char *last_seen(const json_t *document, const json_t *site, char *buffer)
{
	int64_t seen = esf_field_count(site, "last_seen");

	if (seen == 0)
		return strcpy(buffer, "never");
	esf_text_age(esf_field_count(document, "time") - seen, buffer);
	return strcat(buffer, " ago");
}

static void add_reason(struct esf_table *table, const json_t *document, const json_t *site)
{
	const char *blind = blindness(site);
	char reason[ESF_CELL_SIZE - 32], text[ESF_CELL_SIZE];
	bool storms = esf_field_bool(site, "storm"),
	     maintained = json_is_object(json_object_get(site, "maintenance"));

	if (blind != NULL)
		snprintf(reason, sizeof(reason), "%s", blind);
	else
		costliest_kpi(site, json_object_get(document, "units"), reason, sizeof(reason));
	snprintf(text, sizeof(text), "%s%s%s%s%s", maintained ? "maint" : "",
	    maintained && storms ? "; " : "", storms ? "storm" : "",
	    (maintained || storms) && reason[0] != '\0' ? "; " : "", reason);
	esf_table_add(table, storms || maintained ? ESF_YELLOW : ESF_PLAIN, text);
}

static void add_site(struct esf_table *table, const json_t *document, const json_t *site)
{
	const char *status = esf_field_text(site, "status");
	char text[ESF_CELL_SIZE];

	esf_table_add(table, ESF_PLAIN, esf_field_text(site, "name"));
	snprintf(text, sizeof(text), "-");
	if (json_is_integer(json_object_get(site, "id")))
		snprintf(text, sizeof(text), "%jd", (intmax_t)esf_field_count(site, "id"));
	esf_table_add(table, ESF_PLAIN, text);
	esf_table_add(table, ESF_PLAIN, esf_field_text(site, "region"));
	esf_table_add(table, ESF_PLAIN, esf_text_points(esf_field_real(site, "health"), text));
	esf_table_add(table, esf_show_status_style(status), status);
	snprintf(text, sizeof(text), "%.2f", esf_field_real(site, "coverage"));
	esf_table_add(table, ESF_PLAIN, text);
	esf_table_add(table, esf_field_bool(site, "silent") ? ESF_RED : ESF_PLAIN,
	    last_seen(document, site, text));
	esf_text_count((uint64_t)esf_field_count(site, "lost"), text);
	esf_table_add(table, ESF_PLAIN, text);
	add_reason(table, document, site);
}

void esf_show_sites(const struct esf_screen *screen, const json_t *document)
{
	static const struct esf_column columns[] = {
		{ "SITE", .narrowest = 24 },
		{ "ID", .right = true, .dispensable = 3 },
		{ "REGION", .narrowest = 8 },
		{ "HEALTH", .right = true },
		{ .title = "STATUS" },
		{ "COVER", .right = true, .dispensable = 2 },
		{ "SEEN", .right = true },
		{ "LOST", .right = true, .dispensable = 1 },
		{ "COSTLIEST KPI: POINTS (MEAN)", .narrowest = 20 },
	};
	const json_t *sites = json_object_get(document, "sites");
	struct esf_table table;

	esf_table_start(&table, columns, sizeof(columns) / sizeof(columns[0]));
	for (size_t i = 0; i < json_array_size(sites); i++)
		add_site(&table, document, json_array_get(sites, i));
	esf_table_finish(&table, screen->out, screen->colour);
}

static void put_labels(const struct esf_screen *screen, const json_t *labels)
{
	struct esf_items items;
	char item[ESF_CELL_SIZE];
	const char *name;
	const json_t *value;

	if (json_object_size(labels) == 0)
		return;
	esf_items_start(&items, screen->out, "labels: ", 8);
	json_object_foreach ((json_t *)labels, name, value) {
		snprintf(item, sizeof(item), "%s=%s", name, esf_field_text(labels, name));
		esf_items_add(&items, item);
	}
	esf_items_finish(&items);
}

/* "clock +312 ms", "clock 6 m 12 s behind: its records are late". */
static void put_clock(const struct esf_screen *screen, const json_t *site)
{
	int64_t offset_ns = esf_field_count(site, "clock_offset");
	int64_t ms = (offset_ns < 0 ? -(offset_ns / 1000000) : offset_ns / 1000000);
	bool skewed = esf_field_bool(site, "skewed");
	const char *side = offset_ns < 0 ? "behind" : "ahead";

	if (!json_is_integer(json_object_get(site, "clock_offset")))
		return;
	if (ms < 10000)
		fprintf(screen->out, "clock %c%jd ms", offset_ns < 0 ? '-' : '+', (intmax_t)ms);
	else if (ms < 3600000)
		fprintf(screen->out, "clock %jd m %jd s %s", (intmax_t)(ms / 60000),
		    (intmax_t)(ms / 1000 % 60), side);
	else
		fprintf(screen->out, "clock %jd h %jd m %s", (intmax_t)(ms / 3600000),
		    (intmax_t)(ms / 60000 % 60), side);
	if (skewed)
		fprintf(screen->out, ": its records are %s", offset_ns < 0 ? "late" : "future");
	fputc('\n', screen->out);
}

/* "storm: held to its rate; shed 1,204 etd, 3 influx" */
static void put_storm(const struct esf_screen *screen, const json_t *site)
{
	const json_t *shed = json_object_get(site, "shed"), *count;
	bool storms = esf_field_bool(site, "storm");
	const char *class, *before = storms ? "storm: held to its rate; shed " : "shed ";
	char number[ESF_TEXT_NUMBER_SIZE];
	bool any = false;

	json_object_foreach ((json_t *)shed, class, count) {
		if (json_integer_value(count) == 0)
			continue;
		fprintf(screen->out, "%s%s %s", any ? ", " : before,
		    esf_text_count((uint64_t)json_integer_value(count), number), class);
		any = true;
	}
	if (any)
		fputc('\n', screen->out);
	else if (storms)
		fputs("storm: held to its rate; nothing shed\n", screen->out);
}

static void put_site_head(const struct esf_screen *screen, const json_t *site)
{
	const char *status = esf_field_text(site, "status");
	enum esf_style style = esf_show_status_style(status);
	char text[ESF_TEXT_NUMBER_SIZE], more[ESF_TEXT_NUMBER_SIZE];

	esf_text_put(screen->out, esf_field_text(site, "name"), 64);
	fputs(": ", screen->out);
	esf_style_begin(screen->out, screen->colour, style);
	fprintf(
	    screen->out, "%s %s", esf_text_points(esf_field_real(site, "health"), text), status);
	esf_style_end(screen->out, screen->colour, style);
	fprintf(screen->out, ", coverage %.2f\n%ssite", esf_field_real(site, "coverage"),
	    esf_field_bool(site, "learned") ? "learned " : "");
	if (json_is_integer(json_object_get(site, "id")))
		fprintf(screen->out, " %jd", (intmax_t)esf_field_count(site, "id"));
	fputs(" in region ", screen->out);
	esf_text_put(screen->out, esf_field_text(site, "region"), 48);
	fprintf(screen->out, ", weight %s, ingestion %s\nlast seen %s%s",
	    esf_text_value(esf_field_real(site, "weight"), text), esf_field_text(site, "mode"),
	    last_seen(site, site, more), esf_field_bool(site, "silent") ? ", silent" : "");
	fprintf(screen->out, "; %s lost, %s duplicates\n",
	    esf_text_count((uint64_t)esf_field_count(site, "lost"), text),
	    esf_text_count((uint64_t)esf_field_count(site, "duplicates"), more));
	esf_show_site_maintenance(screen, site);
	put_storm(screen, site);
	put_clock(screen, site);
	put_labels(screen, json_object_get(site, "labels"));
}

static void add_kpi(
    struct esf_table *table, const char *name, const json_t *kpi, const json_t *units)
{
	static const char *const values[] = { "stddev", "min", "max", NULL };
	static const char *const counts[] = { "samples", "good", "refused", NULL };
	double costs = esf_field_real(kpi, "contribution");
	const char *odd = esf_field_text(kpi, "odd");
	char text[ESF_TEXT_NUMBER_SIZE];

	esf_table_add(table, ESF_PLAIN, name);
	esf_table_add(table, ESF_PLAIN, esf_text_value(esf_field_real(kpi, "mean"), text));
	esf_table_add(table, ESF_PLAIN, esf_field_text(units, name));
	esf_table_add(table, ESF_PLAIN, esf_text_points(esf_field_real(kpi, "score"), text));
	esf_table_add(table, costs > 0 ? ESF_YELLOW : ESF_PLAIN, esf_text_points(costs, text));
	esf_table_add(table, ESF_PLAIN, esf_show_score(esf_field_real(kpi, "z"), text));
	esf_table_add(table, esf_show_odd_style(odd), odd);
	for (const char *const *key = values; *key != NULL; key++)
		esf_table_add(table, ESF_PLAIN, esf_text_value(esf_field_real(kpi, *key), text));
	for (const char *const *key = counts; *key != NULL; key++)
		esf_table_add(
		    table, ESF_PLAIN, esf_text_count((uint64_t)esf_field_count(kpi, *key), text));
}

void esf_show_site(const struct esf_screen *screen, const json_t *document)
{
	static const struct esf_column columns[] = {
		{ "KPI", .narrowest = 24 },
		{ "MEAN", .right = true },
		{ "UNIT", .narrowest = 6 },
		{ "SCORE", .right = true },
		{ "COSTS", .right = true },
		{ "Z", .right = true },
		{ .title = "ODD" },
		{ "STDDEV", .right = true, .dispensable = 3 },
		{ "MIN", .right = true, .dispensable = 2 },
		{ "MAX", .right = true, .dispensable = 2 },
		{ "SAMPLES", .right = true, .dispensable = 4 },
		{ "GOOD", .right = true, .dispensable = 1 },
		{ "REFUSED", .right = true },
	};
	const json_t *units = json_object_get(document, "units");
	const json_t *weights = json_object_get(document, "weights");
	const json_t *kpis = json_object_get(document, "kpis"), *kpi;
	const char *name;
	struct esf_absent absent;
	struct esf_table table;

	put_site_head(screen, document);
	esf_show_window(screen, document);
	fputc('\n', screen->out);
	esf_absent_start(&absent);
	esf_table_start(&table, columns, sizeof(columns) / sizeof(columns[0]));
	json_object_foreach ((json_t *)kpis, name, kpi) {
		if (!esf_absent_takes(&absent, name, kpi, weights))
			add_kpi(&table, name, kpi, units);
	}
	esf_table_finish(&table, screen->out, screen->colour);
	esf_absent_finish(&absent, screen->out);
	esf_show_oddities(screen, kpis);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "control/cli/show.h"

#include <math.h>
#include <string.h>

#include "control/cli/field.h"
#include "control/cli/text.h"

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
	return esf_text_age(esf_field_count(document, "time") - seen, buffer);
}

static void add_site(struct esf_table *table, const json_t *document, const json_t *site)
{
	const char *status = esf_field_text(site, "status");
	char text[ESF_CELL_SIZE];

	esf_table_add(table, ESF_PLAIN, esf_field_text(site, "name"));
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
	costliest_kpi(site, json_object_get(document, "units"), text, sizeof(text));
	esf_table_add(table, ESF_PLAIN, text);
}

void esf_show_sites(const struct esf_screen *screen, const json_t *document)
{
	static const struct esf_column columns[] = {
		{ "SITE", false, true },
		{ "ID", true, false },
		{ "REGION", false, true },
		{ "HEALTH", true, false },
		{ "STATUS", false, false },
		{ "COVER", true, false },
		{ "SEEN", true, false },
		{ "LOST", true, false },
		{ "COSTLIEST KPI: POINTS (MEAN)", false, true },
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
	const char *name;
	const json_t *value;
	int column = 0;

	json_object_foreach ((json_t *)labels, name, value) {
		const char *text = esf_field_text(labels, name);
		int width = esf_text_width(name) + esf_text_width(text) + 2;

		if (column == 0 || column + width > ESF_TEXT_COLUMNS) {
			fputs(column == 0 ? "labels:" : "\n       ", screen->out);
			column = 7;
		}
		fputc(' ', screen->out);
		esf_text_put(screen->out, name, ESF_TEXT_COLUMNS / 2 - 5);
		fputc('=', screen->out);
		esf_text_put(screen->out, text, ESF_TEXT_COLUMNS / 2 - 5);
		column += width;
	}
	if (column > 0)
		fputc('\n', screen->out);
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
	fprintf(screen->out, ", coverage %.2f\nsite %jd in region ",
	    esf_field_real(site, "coverage"), (intmax_t)esf_field_count(site, "id"));
	esf_text_put(screen->out, esf_field_text(site, "region"), 48);
	fprintf(screen->out, ", weight %s\nlast seen %s%s%s",
	    esf_text_value(esf_field_real(site, "weight"), text), last_seen(site, site, more),
	    strcmp(more, "never") == 0 ? "" : " ago",
	    esf_field_bool(site, "silent") ? ", silent" : "");
	fprintf(screen->out, "; %s lost, %s duplicates\n",
	    esf_text_count((uint64_t)esf_field_count(site, "lost"), text),
	    esf_text_count((uint64_t)esf_field_count(site, "duplicates"), more));
	put_labels(screen, json_object_get(site, "labels"));
}

static void add_kpi(
    struct esf_table *table, const char *name, const json_t *kpi, const json_t *units)
{
	static const char *const values[] = { "stddev", "min", "max", NULL };
	static const char *const counts[] = { "samples", "good", "refused", NULL };
	double costs = esf_field_real(kpi, "contribution");
	char text[ESF_TEXT_NUMBER_SIZE];

	esf_table_add(table, ESF_PLAIN, name);
	esf_table_add(table, ESF_PLAIN, esf_text_value(esf_field_real(kpi, "mean"), text));
	esf_table_add(table, ESF_PLAIN, esf_field_text(units, name));
	esf_table_add(table, ESF_PLAIN, esf_text_points(esf_field_real(kpi, "score"), text));
	esf_table_add(table, costs > 0 ? ESF_YELLOW : ESF_PLAIN, esf_text_points(costs, text));
	for (const char *const *key = values; *key != NULL; key++)
		esf_table_add(table, ESF_PLAIN, esf_text_value(esf_field_real(kpi, *key), text));
	for (const char *const *key = counts; *key != NULL; key++)
		esf_table_add(
		    table, ESF_PLAIN, esf_text_count((uint64_t)esf_field_count(kpi, *key), text));
}

void esf_show_site(const struct esf_screen *screen, const json_t *document)
{
	static const struct esf_column columns[] = {
		{ "KPI", false, true },
		{ "MEAN", true, false },
		{ "UNIT", false, true },
		{ "SCORE", true, false },
		{ "COSTS", true, false },
		{ "STDDEV", true, false },
		{ "MIN", true, false },
		{ "MAX", true, false },
		{ "SAMPLES", true, false },
		{ "GOOD", true, false },
		{ "REFUSED", true, false },
	};
	const json_t *units = json_object_get(document, "units");
	const json_t *kpis = json_object_get(document, "kpis"), *kpi;
	const char *name;
	struct esf_table table;

	put_site_head(screen, document);
	esf_show_window(screen, document);
	fputc('\n', screen->out);
	esf_table_start(&table, columns, sizeof(columns) / sizeof(columns[0]));
	json_object_foreach ((json_t *)kpis, name, kpi)
		add_kpi(&table, name, kpi, units);
	esf_table_finish(&table, screen->out, screen->colour);
}

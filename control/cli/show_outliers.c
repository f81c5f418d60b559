/* SPDX-License-Identifier: Apache-2.0 */
#include "control/cli/show.h"

#include <math.h>
#include <string.h>

#include "control/cli/field.h"
#include "control/cli/items.h"
#include "control/cli/text.h"

enum esf_style esf_show_odd_style(const char *odd)
{
	if (strcmp(odd, "both") == 0)
		return ESF_RED;
	return strcmp(odd, "-") != 0 ? ESF_YELLOW : ESF_PLAIN;
}

static void add_value(struct esf_table *table, const json_t *of, const char *key)
{
	char text[ESF_TEXT_NUMBER_SIZE];

	esf_table_add(table, ESF_PLAIN, esf_text_value(esf_field_real(of, key), text));
}

/* "+6.2" */
const char *esf_show_score(double z, char *buffer)
{
	if (isnan(z) || fabs(z) < 0.05)
		return strcpy(buffer, isnan(z) ? "-" : "0.0");
	snprintf(buffer, ESF_TEXT_NUMBER_SIZE, fabs(z) < 1000 ? "%+.1f" : "%+.0e", z);
	return buffer;
}

static void add_score(struct esf_table *table, const json_t *of, const char *key)
{
	char text[ESF_TEXT_NUMBER_SIZE];

	esf_table_add(table, ESF_PLAIN, esf_show_score(esf_field_real(of, key), text));
}

static void add_outlier(struct esf_table *table, const json_t *outlier)
{
	const char *odd = esf_field_text(outlier, "odd");
	char text[ESF_TEXT_NUMBER_SIZE];

	esf_table_add(table, ESF_PLAIN, esf_field_text(outlier, "site"));
	esf_table_add(table, ESF_YELLOW,
	    json_is_object(json_object_get(outlier, "maintenance")) ? "maint" : "");
	esf_table_add(table, ESF_PLAIN, esf_field_text(outlier, "region"));
	esf_table_add(table, ESF_PLAIN, esf_field_text(outlier, "kpi"));
	esf_table_add(table, esf_show_odd_style(odd), odd);
	add_value(table, outlier, "mean");
	add_value(table, outlier, "median");
	add_score(table, outlier, "z");
	snprintf(text, sizeof(text), "%jd", (intmax_t)esf_field_count(outlier, "peers"));
	esf_table_add(table, ESF_PLAIN, text);
	add_value(table, outlier, "usual");
	add_score(table, outlier, "self_z");
}

static const char *const keys[] = { "peers", "itself", "both" };

enum { KEYS_COUNT = sizeof(keys) / sizeof(keys[0]) };

static bool is_any_odd(const json_t *kpis)
{
	const json_t *counts;
	const char *name;

	json_object_foreach ((json_t *)kpis, name, counts) {
		for (size_t i = 0; i < KEYS_COUNT; i++)
			if (esf_field_count(counts, keys[i]) > 0)
				return true;
	}
	return false;
}

void esf_show_odd(const struct esf_screen *screen, const json_t *document)
{
	const json_t *kpis = json_object_get(document, "kpis"), *counts;
	char item[ESF_CELL_SIZE];
	struct esf_items items;
	const char *name;

	if (!is_any_odd(kpis))
		return;
	esf_items_start(&items, screen->out, "odd: ", 5);
	json_object_foreach ((json_t *)kpis, name, counts) {
		for (size_t i = 0; i < KEYS_COUNT; i++) {
			int64_t count = esf_field_count(counts, keys[i]);

			if (count == 0)
				continue;
			snprintf(item, sizeof(item), "%s %jd (%s)", name, (intmax_t)count, keys[i]);
			esf_items_add(&items, item);
		}
	}
	esf_items_finish(&items);
}

static void put_suppressed(const struct esf_screen *screen, const json_t *document)
{
	int64_t count = esf_field_count(document, "suppressed");

	if (count > 0)
		fprintf(screen->out, "%jd more of sites in maintenance; --all shows them\n",
		    (intmax_t)count);
}

void esf_show_outliers(const struct esf_screen *screen, const json_t *document)
{
	static const struct esf_column columns[] = {
		{ "SITE", .narrowest = 12 },
		{ .title = "" },
		{ "REGION", .narrowest = 8, .dispensable = 2 },
		{ "KPI", .narrowest = 16 },
		{ .title = "AGAINST" },
		{ "MEAN", .right = true },
		{ "MEDIAN", .right = true },
		{ "Z", .right = true },
		{ "PEERS", .right = true, .dispensable = 1 },
		{ "USUAL", .right = true },
		{ "SELF Z", .right = true },
	};
	const json_t *outliers = json_object_get(document, "outliers"), *outlier;
	int64_t total = esf_field_count(document, "total");
	struct esf_table table;
	size_t i;

	esf_show_window(screen, document);
	if (json_object_size(json_object_get(document, "kpis")) == 0) {
		fputs("no KPI is compared: none has compare: true\n", screen->out);
		return;
	}
	if (total == 0) {
		fputs("nobody is odd there\n", screen->out);
		put_suppressed(screen, document);
		esf_show_odd(screen, document);
		return;
	}
	fputc('\n', screen->out);
	esf_table_start(&table, columns, sizeof(columns) / sizeof(columns[0]));
	json_array_foreach (outliers, i, outlier)
		add_outlier(&table, outlier);
	esf_table_finish(&table, screen->out, screen->colour);
	if ((int64_t)json_array_size(outliers) < total)
		fprintf(screen->out, "%zu of %jd; --limit shows more or fewer\n",
		    json_array_size(outliers), (intmax_t)total);
	put_suppressed(screen, document);
	esf_show_odd(screen, document);
}

static void put_oddity(const struct esf_screen *screen, const char *name, const json_t *kpi)
{
	double median = esf_field_real(kpi, "median"), usual = esf_field_real(kpi, "usual");
	char value[ESF_TEXT_NUMBER_SIZE], score[ESF_TEXT_NUMBER_SIZE];

	fputs("odd: ", screen->out);
	esf_text_put(screen->out, name, 64);
	fprintf(screen->out, " %s", esf_text_value(esf_field_real(kpi, "mean"), value));
	if (!isnan(median))
		fprintf(screen->out, ", the median of %jd peers is %s (z %s)",
		    (intmax_t)esf_field_count(kpi, "peers"), esf_text_value(median, value),
		    esf_show_score(esf_field_real(kpi, "z"), score));
	if (!isnan(usual))
		fprintf(screen->out, ", usual is %s (z %s)", esf_text_value(usual, value),
		    esf_show_score(esf_field_real(kpi, "self_z"), score));
	fputc('\n', screen->out);
}

void esf_show_oddities(const struct esf_screen *screen, const json_t *kpis)
{
	const json_t *kpi;
	const char *name;

	json_object_foreach ((json_t *)kpis, name, kpi) {
		if (json_is_string(json_object_get(kpi, "odd")))
			put_oddity(screen, name, kpi);
	}
}

static void add_ranked(struct esf_table *table, const json_t *site, size_t rank, bool by_kpi)
{
	const char *status = esf_field_text(site, "status"), *odd = esf_field_text(site, "odd");
	char text[ESF_TEXT_NUMBER_SIZE];

	snprintf(text, sizeof(text), "%zu", rank);
	esf_table_add(table, ESF_PLAIN, text);
	esf_table_add(table, ESF_PLAIN, esf_field_text(site, "site"));
	esf_table_add(
	    table, ESF_YELLOW, json_is_object(json_object_get(site, "maintenance")) ? "maint" : "");
	esf_table_add(table, ESF_PLAIN, esf_field_text(site, "region"));
	esf_table_add(table, ESF_PLAIN, esf_text_points(esf_field_real(site, "health"), text));
	esf_table_add(table, esf_show_status_style(status), status);
	if (!by_kpi) {
		snprintf(text, sizeof(text), "%.2f", esf_field_real(site, "coverage"));
		esf_table_add(table, ESF_PLAIN, text);
		return;
	}
	add_value(table, site, "mean");
	esf_table_add(table, ESF_PLAIN, esf_text_points(esf_field_real(site, "score"), text));
	add_value(table, site, "median");
	add_score(table, site, "z");
	esf_table_add(table, esf_show_odd_style(odd), odd);
}

static void put_ranked(
    const struct esf_screen *screen, const char *title, const json_t *sites, bool by_kpi)
{
	static const struct esf_column columns[] = {
		{ "RANK", .right = true },
		{ "SITE", .narrowest = 16 },
		{ .title = "" },
		{ "REGION", .narrowest = 8 },
		{ "HEALTH", .right = true },
		{ .title = "STATUS" },
		{ "MEAN", .right = true },
		{ "SCORE", .right = true },
		{ "MEDIAN", .right = true },
		{ "Z", .right = true },
		{ .title = "ODD" },
	};
	static const struct esf_column of_health[] = {
		{ "RANK", .right = true },
		{ "SITE", .narrowest = 16 },
		{ .title = "" },
		{ "REGION", .narrowest = 8 },
		{ "HEALTH", .right = true },
		{ .title = "STATUS" },
		{ "COVER", .right = true },
	};
	struct esf_table table;
	const json_t *site;
	size_t i;

	fprintf(screen->out, "\n%s\n", title);
	if (by_kpi)
		esf_table_start(&table, columns, sizeof(columns) / sizeof(columns[0]));
	else
		esf_table_start(&table, of_health, sizeof(of_health) / sizeof(of_health[0]));
	json_array_foreach (sites, i, site)
		add_ranked(&table, site, i + 1, by_kpi);
	esf_table_finish(&table, screen->out, screen->colour);
}

void esf_show_ranking(const struct esf_screen *screen, const json_t *document)
{
	const char *by = esf_field_text(document, "by"), *unit = esf_field_text(document, "unit");
	bool by_kpi = strcmp(by, "health") != 0,
	     has_unit = strcmp(unit, "-") != 0 && strcmp(unit, "1") != 0;

	esf_show_window(screen, document);
	fputs("by ", screen->out);
	esf_text_put(screen->out, by, 64);
	if (has_unit) {
		fputs(" in ", screen->out);
		esf_text_put(screen->out, unit, 31);
	}
	fprintf(screen->out, ": %jd sites, %jd more without it\n",
	    (intmax_t)esf_field_count(document, "ranked"),
	    (intmax_t)esf_field_count(document, "unranked"));
	put_ranked(screen, "worst", json_object_get(document, "worst"), by_kpi);
	put_ranked(screen, "best", json_object_get(document, "best"), by_kpi);
}

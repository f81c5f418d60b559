/* SPDX-License-Identifier: Apache-2.0 */
#include "control/cli/show.h"

#include <math.h>
#include <string.h>

#include "control/cli/field.h"
#include "control/cli/text.h"

static void add_count(struct esf_table *table, double count)
{
	char text[ESF_TEXT_NUMBER_SIZE];

	if (isnan(count))
		esf_table_add(table, ESF_DIM, "-");
	else
		esf_table_add(table, ESF_PLAIN, esf_text_count((uint64_t)llround(count), text));
}

static void add_percent(struct esf_table *table, double share)
{
	char text[ESF_TEXT_NUMBER_SIZE] = "-";

	if (!isnan(share))
		snprintf(text, sizeof(text), "%.1f%%", 100 * share);
	esf_table_add(table, ESF_PLAIN, text);
}

/* Cycles an item; NaN without any. */
static double each(const json_t *node)
{
	int64_t in = esf_field_count(node, "in");

	return in > 0 ? (double)esf_field_count(node, "cycles") / (double)in : NAN;
}

static void add_lcore(struct esf_table *table, const json_t *lcore)
{
	const json_t *recent = json_object_get(lcore, "recent");
	const json_t *passes = json_object_get(lcore, "passes");
	double total = (double)esf_field_count(passes, "total");

	add_count(table, (double)esf_field_count(lcore, "lcore"));
	add_percent(table, esf_field_real(recent, "busy"));
	add_percent(table, esf_field_real(recent, "asleep"));
	add_count(table, esf_field_real(recent, "packets_per_s"));
	add_count(table, esf_field_real(recent, "items_per_s"));
	add_count(table, esf_field_real(recent, "cycles_per_item"));
	add_percent(table, esf_field_real(recent, "fill"));
	add_count(table, total);
	add_percent(table, total > 0 ? 1 - (double)esf_field_count(passes, "busy") / total : NAN);
}

static void put_lcores(const struct esf_screen *screen, const json_t *lcores)
{
	static const struct esf_column columns[] = {
		{ "LCORE", .right = true },
		{ "BUSY", .right = true },
		{ "ASLEEP", .right = true, .dispensable = 2 },
		{ "PACKETS/S", .right = true },
		{ "ITEMS/S", .right = true, .dispensable = 1 },
		{ "CYCLES EACH", .right = true },
		{ "BURST FILL", .right = true },
		{ "PASSES", .right = true, .dispensable = 3 },
		{ "EMPTY", .right = true, .dispensable = 4 },
	};
	struct esf_table table;
	const json_t *lcore;
	size_t i;

	esf_table_start(&table, columns, sizeof(columns) / sizeof(columns[0]));
	json_array_foreach (lcores, i, lcore)
		add_lcore(&table, lcore);
	esf_table_finish(&table, screen->out, screen->colour);
}

static void add_node(struct esf_table *table, int64_t lcore, int64_t busy, const json_t *node)
{
	int64_t cycles = esf_field_count(node, "cycles");

	add_count(table, (double)lcore);
	esf_table_add(table, ESF_PLAIN, esf_field_text(node, "node"));
	add_count(table, (double)esf_field_count(node, "in"));
	add_count(table, (double)esf_field_count(node, "out"));
	add_count(table, (double)cycles);
	add_count(table, each(node));
	add_percent(table, busy > 0 ? (double)cycles / (double)busy : NAN);
}

/* All nodes that had anything to do. */
static void put_nodes(const struct esf_screen *screen, const json_t *lcores)
{
	static const struct esf_column columns[] = {
		{ "LCORE", .right = true },
		{ .title = "NODE" },
		{ "IN", .right = true },
		{ "OUT", .right = true },
		{ "CYCLES", .right = true, .dispensable = 1 },
		{ "EACH", .right = true },
		{ "OF BUSY", .right = true },
	};
	struct esf_table table;
	const json_t *lcore, *node;
	size_t i, n;

	esf_table_start(&table, columns, sizeof(columns) / sizeof(columns[0]));
	json_array_foreach (lcores, i, lcore)
		json_array_foreach (json_object_get(lcore, "nodes"), n, node)
			if (esf_field_count(node, "cycles") > 0)
				add_node(&table, esf_field_count(lcore, "lcore"),
				    esf_field_count(json_object_get(lcore, "cycles"), "busy"),
				    node);
	esf_table_finish(&table, screen->out, screen->colour);
}

static double longest_recent(const json_t *lcores)
{
	double longest = 0;
	const json_t *lcore;
	size_t i;

	json_array_foreach (lcores, i, lcore)
		longest =
		    fmax(longest, esf_field_real(json_object_get(lcore, "recent"), "seconds"));
	return longest;
}

void esf_show_pipeline(const struct esf_screen *screen, const json_t *document)
{
	const json_t *lcores = json_object_get(document, "lcores");
	const json_t *idle = json_object_get(document, "idle");

	fprintf(screen->out, "cycles: %.2f GHz; idle: %s",
	    (double)esf_field_count(document, "hz") / 1e9, esf_field_text(idle, "policy"));
	if (strcmp(esf_field_text(idle, "policy"), "sleep") == 0)
		fprintf(screen->out, ", at most %jd us",
		    (intmax_t)esf_field_count(idle, "max_sleep_us"));
	fprintf(screen->out, "; rates of the last %.0f s\n\n", longest_recent(lcores));
	put_lcores(screen, lcores);
	fputc('\n', screen->out);
	put_nodes(screen, lcores);
}

void esf_show_busy(const struct esf_screen *screen, const json_t *document)
{
	char line[ESF_CELL_SIZE] = "";
	const json_t *lcore;
	size_t i, size = 0;

	json_array_foreach (json_object_get(document, "lcores"), i, lcore) {
		double busy = esf_field_real(json_object_get(lcore, "recent"), "busy");

		if (isnan(busy) || size >= sizeof(line))
			continue;
		size += (size_t)snprintf(line + size, sizeof(line) - size, "%s%jd %.0f%%",
		    size == 0 ? "lcores busy: " : ", ", (intmax_t)esf_field_count(lcore, "lcore"),
		    100 * busy);
	}
	if (size == 0)
		return;
	esf_text_put(screen->out, line, ESF_TEXT_COLUMNS);
	fputc('\n', screen->out);
}

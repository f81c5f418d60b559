/* SPDX-License-Identifier: Apache-2.0 */
#include "control/cli/show.h"

#include <string.h>

#include "control/cli/field.h"
#include "control/cli/text.h"

static enum esf_style state_style(const char *state)
{
	if (strcmp(state, "active") == 0)
		return ESF_YELLOW;
	return strcmp(state, "past") == 0 ? ESF_DIM : ESF_PLAIN;
}

static void add_window(struct esf_table *table, const json_t *window)
{
	const char *state = esf_field_text(window, "state");
	char text[ESF_TEXT_NUMBER_SIZE];

	esf_table_add(table, state_style(state), state);
	esf_table_add(table, ESF_PLAIN, esf_field_text(window, "scope"));
	esf_table_add(
	    table, ESF_PLAIN, esf_text_count((uint64_t)esf_field_count(window, "sites"), text));
	esf_table_add(table, ESF_PLAIN, esf_text_time(esf_field_count(window, "from"), text));
	esf_table_add(table, ESF_PLAIN, esf_text_time(esf_field_count(window, "to"), text));
	esf_table_add(table, ESF_PLAIN, esf_field_text(window, "why"));
}

/* Those of one state, in the order of the file. */
static void add_windows(struct esf_table *table, const json_t *windows, const char *state)
{
	const json_t *window;
	size_t i;

	json_array_foreach (windows, i, window) {
		if (strcmp(esf_field_text(window, "state"), state) == 0)
			add_window(table, window);
	}
}

void esf_show_maintenance(const struct esf_screen *screen, const json_t *document, bool all)
{
	static const struct esf_column columns[] = {
		{ .title = "STATE" },
		{ "SCOPE", .narrowest = 16 },
		{ "SITES", .right = true },
		{ .title = "FROM (UTC)" },
		{ .title = "TO (UTC)" },
		{ "WHY", .narrowest = 12 },
	};
	const json_t *counts = json_object_get(document, "counts");
	const json_t *windows = json_object_get(document, "windows");
	int64_t active = esf_field_count(counts, "active"), past = esf_field_count(counts, "past");
	int64_t shown = active + esf_field_count(counts, "future") + (all ? past : 0);
	struct esf_table table;

	fprintf(screen->out, "%jd sites in maintenance\n",
	    (intmax_t)esf_field_count(document, "sites"));
	if (shown > 0) {
		fputc('\n', screen->out);
		esf_table_start(&table, columns, sizeof(columns) / sizeof(columns[0]));
		add_windows(&table, windows, "active");
		add_windows(&table, windows, "future");
		if (all)
			add_windows(&table, windows, "past");
		esf_table_finish(&table, screen->out, screen->colour);
	}
	if (past > 0 && !all)
		fprintf(screen->out, "%jd past ones; --all shows them\n", (intmax_t)past);
}

void esf_show_site_maintenance(const struct esf_screen *screen, const json_t *site)
{
	const json_t *window = json_object_get(site, "maintenance");
	char from[ESF_TEXT_NUMBER_SIZE], to[ESF_TEXT_NUMBER_SIZE];

	if (!json_is_object(window))
		return;
	esf_style_begin(screen->out, screen->colour, ESF_YELLOW);
	fputs("maintenance: ", screen->out);
	esf_text_put(screen->out, esf_field_text(window, "why"), ESF_TEXT_COLUMNS - 13);
	fputs("\n  of ", screen->out);
	esf_text_put(screen->out, esf_field_text(window, "scope"), 40);
	fprintf(screen->out, ", %s .. %s UTC", esf_text_time(esf_field_count(window, "from"), from),
	    esf_text_time(esf_field_count(window, "to"), to));
	esf_style_end(screen->out, screen->colour, ESF_YELLOW);
	fputc('\n', screen->out);
}

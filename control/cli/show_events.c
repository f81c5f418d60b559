/* SPDX-License-Identifier: Apache-2.0 */
#include "control/cli/show.h"

#include <string.h>

#include "control/cli/field.h"
#include "control/cli/items.h"
#include "control/cli/text.h"

enum { TITLE_WIDTH = 12 };

static const char *const severity_names[] = { "emergency", "alert", "critical", "error", "warning",
	"notice", "info", "debug" };

enum { SEVERITIES = sizeof(severity_names) / sizeof(severity_names[0]), WARNING = 4, ERROR = 3 };

static const char *severity_name(int64_t severity)
{
	return severity >= 0 && severity < SEVERITIES ? severity_names[severity] : "-";
}

static enum esf_style severity_style(int64_t severity)
{
	if (severity <= ERROR)
		return ESF_RED;
	return severity == WARNING ? ESF_YELLOW : ESF_PLAIN;
}

static void add_event(struct esf_table *table, const json_t *event)
{
	int64_t severity = esf_field_count(event, "severity");
	char text[ESF_TEXT_NUMBER_SIZE];

	esf_table_add(table, ESF_PLAIN, esf_text_time(esf_field_count(event, "time"), text));
	esf_table_add(table, ESF_PLAIN, esf_field_text(event, "site"));
	esf_table_add(table, severity_style(severity), severity_name(severity));
	esf_table_add(table, ESF_YELLOW, esf_field_bool(event, "suppressed") ? "maint" : "");
	esf_table_add(table, ESF_PLAIN, esf_field_text(event, "state"));
	esf_table_add(table, ESF_PLAIN, esf_field_text(event, "code"));
	esf_table_add(table, ESF_PLAIN, esf_field_text(event, "text"));
}

static void put_table(const struct esf_screen *screen, const json_t *events)
{
	static const struct esf_column columns[] = {
		{ .title = "TIME (UTC)" },
		{ "SITE", .narrowest = 12 },
		{ .title = "SEVERITY" },
		{ .title = "" },
		{ "STATE", .dispensable = 1 },
		{ "CODE", .narrowest = 12 },
		{ "TEXT", .narrowest = 16 },
	};
	struct esf_table table;
	const json_t *event;
	size_t i;

	esf_table_start(&table, columns, sizeof(columns) / sizeof(columns[0]));
	json_array_foreach (events, i, event)
		add_event(&table, event);
	esf_table_finish(&table, screen->out, screen->colour);
}

/* "matched     3 ground_fault, 1 comms_down"; severity: the names are numbers of severities. */
static void put_counts(
    const struct esf_screen *screen, const char *title, const json_t *counts, bool severity)
{
	char item[ESF_CELL_SIZE], number[ESF_TEXT_NUMBER_SIZE];
	struct esf_items items;
	uint32_t shown = 0;
	const char *name;
	const json_t *value;

	esf_items_start(&items, screen->out, title, TITLE_WIDTH);
	json_object_foreach ((json_t *)counts, name, value) {
		if (json_integer_value(value) == 0)
			continue;
		snprintf(item, sizeof(item), "%s %s",
		    esf_text_count((uint64_t)json_integer_value(value), number),
		    severity ? severity_name(name[0] - '0') : name);
		esf_items_add(&items, item);
		shown++;
	}
	if (shown == 0)
		esf_items_add(&items, "none");
	esf_items_finish(&items);
}

void esf_show_events(const struct esf_screen *screen, const json_t *document)
{
	const json_t *events = json_object_get(document, "events");
	char number[ESF_TEXT_NUMBER_SIZE];

	if (json_array_size(events) == 0)
		fputs("no events\n", screen->out);
	else
		put_table(screen, events);
	fputc('\n', screen->out);
	put_counts(screen, "matched", json_object_get(document, "matched"), false);
	put_counts(screen, "unmatched", json_object_get(document, "unmatched"), true);
	fprintf(screen->out, "dropped     %s\n",
	    esf_text_count((uint64_t)esf_field_count(document, "dropped"), number));
}

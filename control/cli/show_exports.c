/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "control/cli/field.h"
#include "control/cli/show.h"
#include "control/cli/text.h"

static void add_count(struct esf_table *table, int64_t count, enum esf_style style)
{
	char text[ESF_TEXT_NUMBER_SIZE];

	esf_table_add(table, style, esf_text_count((uint64_t)count, text));
}

/* "62%" */
static void add_fill(struct esf_table *table, const json_t *spool)
{
	double size = esf_field_real(spool, "size"), used = esf_field_real(spool, "used");
	char text[ESF_TEXT_NUMBER_SIZE];

	snprintf(text, sizeof(text), "%.0f%%", size > 0 ? 100 * used / size : 0);
	esf_table_add(table, ESF_PLAIN, text);
}

static void add_export(struct esf_table *table, const json_t *target)
{
	const json_t *dropped = json_object_get(target, "dropped");
	int64_t no_room = esf_field_count(dropped, "no_room"),
	        refused = esf_field_count(dropped, "refused"),
	        lost = esf_field_count(dropped, "lost");
	bool well = esf_field_bool(target, "well");

	esf_table_add(table, ESF_PLAIN, esf_field_text(target, "name"));
	esf_table_add(table, well ? ESF_GREEN : ESF_RED, well ? "well" : "failing");
	add_count(table, esf_field_count(target, "produced") + esf_field_count(target, "recovered"),
	    ESF_PLAIN);
	add_count(table, esf_field_count(target, "sent"), ESF_PLAIN);
	add_count(table, esf_field_count(target, "queued"), ESF_PLAIN);
	add_count(table, no_room, no_room > 0 ? ESF_RED : ESF_PLAIN);
	add_count(table, refused, refused > 0 ? ESF_RED : ESF_PLAIN);
	add_count(table, lost, lost > 0 ? ESF_RED : ESF_PLAIN);
	add_fill(table, json_object_get(target, "spool"));
	add_count(table, esf_field_count(target, "failures"), ESF_PLAIN);
}

static void put_line(const struct esf_screen *screen, const json_t *target, const char *key)
{
	const char *name = esf_field_text(target, "name"), *text = esf_field_text(target, key);
	int width = esf_text_width(name) < 24 ? esf_text_width(name) : 24;

	if (!json_is_string(json_object_get(target, key)))
		return;
	esf_text_put(screen->out, name, 24);
	fprintf(screen->out, " %s: ", key);
	esf_text_put(screen->out, text, ESF_TEXT_COLUMNS - width - (int)strlen(key) - 3);
	fputc('\n', screen->out);
}

static void put_lines(const struct esf_screen *screen, const json_t *targets)
{
	static const char *const keys[] = { "url", "error", "refusal" };
	const json_t *target;
	size_t i;

	fputc('\n', screen->out);
	json_array_foreach (targets, i, target) {
		for (size_t k = 0; k < sizeof(keys) / sizeof(keys[0]); k++)
			put_line(screen, target, keys[k]);
	}
}

void esf_show_exports(const struct esf_screen *screen, const json_t *document)
{
	static const struct esf_column columns[] = {
		{ "NAME", .narrowest = 12 },
		{ .title = "STATE" },
		{ "POINTS", .right = true },
		{ "SENT", .right = true },
		{ "QUEUED", .right = true },
		{ "NO ROOM", .right = true },
		{ "REFUSED", .right = true },
		{ "LOST", .right = true },
		{ "SPOOL", .right = true },
		{ "FAILED", .right = true, .dispensable = 1 },
	};
	const json_t *targets = json_object_get(document, "exports"), *target;
	const json_t *windows = json_object_get(document, "windows");
	struct esf_table table;
	size_t i;

	if (json_array_size(targets) == 0) {
		fputs("nothing is exported: export: [] in the configuration\n", screen->out);
		return;
	}
	esf_table_start(&table, columns, sizeof(columns) / sizeof(columns[0]));
	json_array_foreach (targets, i, target)
		add_export(&table, target);
	esf_table_finish(&table, screen->out, screen->colour);
	put_lines(screen, targets);
	fprintf(screen->out, "windows: %jd taken, %jd waiting, %jd missed\n",
	    (intmax_t)esf_field_count(windows, "taken"),
	    (intmax_t)esf_field_count(windows, "waiting"),
	    (intmax_t)esf_field_count(windows, "missed"));
}

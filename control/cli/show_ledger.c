/* SPDX-License-Identifier: Apache-2.0 */
#include "control/cli/show.h"

#include <string.h>

#include "control/cli/field.h"
#include "control/cli/text.h"

/* A line of items that goes on, indented, where it would pass the last column. */
struct line {
	FILE *out;
	int indent;
	int column;
	bool first;
};

static void put_item(struct line *line, const char *item)
{
	int width = esf_text_width(item) + (line->first ? 0 : 2);

	if (!line->first)
		fputc(',', line->out);
	if (line->column + width + 1 > ESF_TEXT_COLUMNS) {
		fprintf(line->out, "\n%*s", line->indent, "");
		line->column = line->indent;
	} else if (!line->first) {
		fputc(' ', line->out);
	}
	line->column += width;
	esf_text_put(line->out, item, ESF_TEXT_COLUMNS - line->indent);
	line->first = false;
}

static void put_counts(const struct esf_screen *screen, const char *title, const json_t *counts)
{
	struct line line = { screen->out, 12, 12, true };
	char item[ESF_CELL_SIZE], number[ESF_TEXT_NUMBER_SIZE];
	const char *name;
	const json_t *value;

	fprintf(screen->out, "%-*s", line.indent, title);
	json_object_foreach ((json_t *)counts, name, value) {
		bool always = strcmp(name, "received") == 0 || strcmp(name, "accepted") == 0;

		if (!always && json_integer_value(value) == 0)
			continue;
		snprintf(item, sizeof(item), "%s %s",
		    esf_text_count((uint64_t)json_integer_value(value), number), name);
		put_item(&line, item);
	}
	fputc('\n', screen->out);
}

static void put_balance(const struct esf_screen *screen, const json_t *ledger)
{
	bool balanced = esf_field_bool(ledger, "balanced");
	enum esf_style style = balanced ? ESF_GREEN : ESF_RED;
	char number[ESF_TEXT_NUMBER_SIZE];

	fprintf(screen->out, "in flight   %s\nbalance     ",
	    esf_text_count((uint64_t)esf_field_count(ledger, "in_flight"), number));
	esf_style_begin(screen->out, screen->colour, style);
	fputs(balanced ? "balanced: received = all of the rest + in flight"
	               : "NOT BALANCED: received is not the sum of the rest",
	    screen->out);
	esf_style_end(screen->out, screen->colour, style);
	fputc('\n', screen->out);
}

static void put_lcores(const struct esf_screen *screen, const json_t *ledger)
{
	const json_t *nic = json_object_get(ledger, "nic");
	const json_t *mbufs = json_object_get(ledger, "mbufs");
	char a[ESF_TEXT_NUMBER_SIZE], b[ESF_TEXT_NUMBER_SIZE], c[ESF_TEXT_NUMBER_SIZE];

	if (nic == NULL)
		return;
	fprintf(screen->out, "nic         %s missed, %s without a buffer, %s errors\n",
	    esf_text_count((uint64_t)esf_field_count(nic, "missed"), a),
	    esf_text_count((uint64_t)esf_field_count(nic, "no_buffer"), b),
	    esf_text_count((uint64_t)esf_field_count(nic, "errors"), c));
	fprintf(screen->out, "mbufs       %s in use, %s free of %s\n",
	    esf_text_count((uint64_t)esf_field_count(mbufs, "in_use"), a),
	    esf_text_count((uint64_t)esf_field_count(mbufs, "free"), b),
	    esf_text_count((uint64_t)esf_field_count(mbufs, "total"), c));
}

void esf_show_ledger_lines(const struct esf_screen *screen, const json_t *ledger)
{
	put_counts(screen, "datagrams", json_object_get(ledger, "datagrams"));
	put_counts(screen, "records", json_object_get(ledger, "records"));
	put_balance(screen, ledger);
	put_lcores(screen, ledger);
}

static void add_share(struct esf_table *table, double count, double received)
{
	char text[ESF_TEXT_NUMBER_SIZE] = "";

	if (received > 0)
		snprintf(text, sizeof(text), "%.2f%%", 100 * count / received);
	esf_table_add(table, ESF_PLAIN, text);
}

static void put_verdicts(const struct esf_screen *screen, const char *title, const json_t *counts)
{
	const struct esf_column columns[] = {
		{ title, false, false },
		{ "COUNT", true, false },
		{ "SHARE", true, false },
	};
	double received = (double)esf_field_count(counts, "received");
	char number[ESF_TEXT_NUMBER_SIZE];
	const char *name;
	const json_t *value;
	struct esf_table table;

	esf_table_start(&table, columns, 3);
	json_object_foreach ((json_t *)counts, name, value) {
		int64_t count = json_integer_value(value);
		enum esf_style style = count == 0 ? ESF_DIM : ESF_PLAIN;

		esf_table_add(&table, style, name);
		esf_table_add(&table, style, esf_text_count((uint64_t)count, number));
		add_share(&table, (double)count, received);
	}
	esf_table_finish(&table, screen->out, screen->colour);
	fputc('\n', screen->out);
}

void esf_show_ledger(const struct esf_screen *screen, const json_t *ledger)
{
	put_verdicts(screen, "DATAGRAMS", json_object_get(ledger, "datagrams"));
	put_verdicts(screen, "RECORDS", json_object_get(ledger, "records"));
	put_balance(screen, ledger);
	put_lcores(screen, ledger);
}

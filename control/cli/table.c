/* SPDX-License-Identifier: Apache-2.0 */
#include "control/cli/table.h"

#include <stdlib.h>

#include "control/cli/text.h"

enum { GAP = 2, NARROWEST = 6 };

static const char *const style_codes[] = {
	[ESF_PLAIN] = "",
	[ESF_BOLD] = "\033[1m",
	[ESF_GREEN] = "\033[32m",
	[ESF_YELLOW] = "\033[33m",
	[ESF_RED] = "\033[31m",
	[ESF_DIM] = "\033[2m",
};

void esf_style_begin(FILE *out, bool colour, enum esf_style style)
{
	if (colour)
		fputs(style_codes[style], out);
}

void esf_style_end(FILE *out, bool colour, enum esf_style style)
{
	if (colour && style != ESF_PLAIN)
		fputs("\033[0m", out);
}

void esf_table_start(struct esf_table *table, const struct esf_column *columns, uint32_t count)
{
	*table = (struct esf_table){ .columns = columns, .columns_count = count };
	for (uint32_t c = 0; c < count; c++)
		esf_table_add(table, ESF_BOLD, columns[c].title);
}

static bool has_room(struct esf_table *table)
{
	uint32_t room = table->cells_room == 0 ? 64 : table->cells_room * 2;
	struct esf_cell *cells;

	if (table->cells_count < table->cells_room)
		return true;
	cells = realloc(table->cells, room * sizeof(*cells));
	if (cells == NULL)
		return false;
	table->cells = cells;
	table->cells_room = room;
	return true;
}

void esf_table_add(struct esf_table *table, enum esf_style style, const char *text)
{
	struct esf_cell *cell;

	if (!has_room(table))
		return;
	cell = &table->cells[table->cells_count++];
	cell->style = style;
	snprintf(cell->text, sizeof(cell->text), "%s", text);
}

/* The flexible column to cut next, or columns_count. */
static uint32_t widest_flexible(const struct esf_table *table, const int *widths)
{
	uint32_t widest = table->columns_count;

	for (uint32_t c = 0; c < table->columns_count; c++) {
		if (!table->columns[c].flexible || widths[c] <= NARROWEST)
			continue;
		if (widest == table->columns_count || widths[c] > widths[widest])
			widest = c;
	}
	return widest;
}

static void fit(const struct esf_table *table, int *widths)
{
	int total = -GAP;
	uint32_t cut;

	for (uint32_t c = 0; c < table->columns_count; c++)
		total += widths[c] + GAP;
	for (; total > ESF_TEXT_COLUMNS; total--) {
		cut = widest_flexible(table, widths);
		if (cut == table->columns_count)
			return;
		widths[cut]--;
	}
}

static void measure(const struct esf_table *table, int *widths)
{
	for (uint32_t c = 0; c < table->columns_count; c++)
		widths[c] = 0;
	for (uint32_t i = 0; i < table->cells_count; i++) {
		int width = esf_text_width(table->cells[i].text);
		int *of = &widths[i % table->columns_count];

		if (width > *of)
			*of = width;
	}
	fit(table, widths);
}

static void put_cell(FILE *out, bool colour, const struct esf_cell *cell,
    const struct esf_column *column, int width, bool last)
{
	int own = esf_text_width(cell->text);
	int pad = own < width ? width - own : 0;

	if (column->right)
		fprintf(out, "%*s", pad, "");
	esf_style_begin(out, colour, cell->style);
	esf_text_put(out, cell->text, width);
	esf_style_end(out, colour, cell->style);
	if (!column->right && !last)
		fprintf(out, "%*s", pad, "");
}

void esf_table_finish(struct esf_table *table, FILE *out, bool colour)
{
	int widths[ESF_TABLE_COLUMNS_MAX];
	uint32_t count = table->columns_count, rows = table->cells_count / count;

	measure(table, widths);
	for (uint32_t i = 0; i < rows * count; i++) {
		uint32_t c = i % count;
		bool last = c + 1 == count;

		put_cell(out, colour, &table->cells[i], &table->columns[c], widths[c], last);
		fputs(last ? "\n" : "  ", out);
	}
	free(table->cells);
	table->cells = NULL;
}

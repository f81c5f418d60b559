/* SPDX-License-Identifier: Apache-2.0 */
#include "control/cli/table.h"

#include <stdlib.h>

#include "control/cli/text.h"

enum { GAP = 2 };

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

/* A width of 0: the column is left out. */
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
}

static bool can_be_cut(const struct esf_column *column, int width)
{
	return column->narrowest > 0 && width > column->narrowest;
}

/* What the table takes, or would take with all columns cut as far as they may be. */
static int total_width(const struct esf_table *table, const int *widths, bool cut)
{
	int total = -GAP;

	for (uint32_t c = 0; c < table->columns_count; c++) {
		const struct esf_column *column = &table->columns[c];

		if (widths[c] == 0)
			continue;
		total += GAP;
		total += cut && can_be_cut(column, widths[c]) ? column->narrowest : widths[c];
	}
	return total;
}

/* The column to leave out next, or columns_count. */
static uint32_t most_dispensable(const struct esf_table *table, const int *widths)
{
	uint32_t most = table->columns_count;
	int rank = 0;

	for (uint32_t c = 0; c < table->columns_count; c++) {
		if (widths[c] == 0 || table->columns[c].dispensable <= rank)
			continue;
		most = c;
		rank = table->columns[c].dispensable;
	}
	return most;
}

/* The column to cut next, or columns_count. */
static uint32_t widest(const struct esf_table *table, const int *widths)
{
	uint32_t found = table->columns_count;

	for (uint32_t c = 0; c < table->columns_count; c++) {
		if (!can_be_cut(&table->columns[c], widths[c]))
			continue;
		if (found == table->columns_count || widths[c] > widths[found])
			found = c;
	}
	return found;
}

static void fit(const struct esf_table *table, int *widths)
{
	uint32_t column;

	while (total_width(table, widths, true) > ESF_TEXT_COLUMNS) {
		column = most_dispensable(table, widths);
		if (column == table->columns_count)
			break;
		widths[column] = 0;
	}
	while (total_width(table, widths, false) > ESF_TEXT_COLUMNS) {
		column = widest(table, widths);
		if (column == table->columns_count)
			break;
		widths[column]--;
	}
}

/* Blanks are held back until text follows them: no line ends in any. */
static void put_cell(FILE *out, bool colour, const struct esf_cell *cell,
    const struct esf_column *column, int width, int *blanks)
{
	int own = esf_text_width(cell->text);
	int pad = own < width ? width - own : 0;

	if (column->right)
		*blanks += pad;
	if (own > 0) {
		fprintf(out, "%*s", *blanks, "");
		esf_style_begin(out, colour, cell->style);
		esf_text_put(out, cell->text, width);
		esf_style_end(out, colour, cell->style);
		*blanks = 0;
	}
	if (!column->right)
		*blanks += pad;
	*blanks += GAP;
}

static void put_row(const struct esf_table *table, const struct esf_cell *cells, const int *widths,
    FILE *out, bool colour)
{
	int blanks = 0;

	for (uint32_t c = 0; c < table->columns_count; c++) {
		if (widths[c] > 0)
			put_cell(out, colour, &cells[c], &table->columns[c], widths[c], &blanks);
	}
	fputc('\n', out);
}

void esf_table_finish(struct esf_table *table, FILE *out, bool colour)
{
	int widths[ESF_TABLE_COLUMNS_MAX];
	uint32_t count = table->columns_count, rows = table->cells_count / count;

	measure(table, widths);
	fit(table, widths);
	for (uint32_t row = 0; row < rows; row++)
		put_row(table, &table->cells[row * count], widths, out, colour);
	free(table->cells);
	table->cells = NULL;
}

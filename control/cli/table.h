/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ESF_TABLE_H
#define ESF_TABLE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/*
 * A table of text that fits ESF_TEXT_COLUMNS. Columns are as wide as their cells. Where that is too
 * much, the widest that may be cut are cut down to their narrowest; where that is not enough,
 * columns are left out before. Cells are added row by row, left to right; once memory is short,
 * further cells are left out.
 */
enum esf_style { ESF_PLAIN, ESF_BOLD, ESF_GREEN, ESF_YELLOW, ESF_RED, ESF_DIM };

enum { ESF_TABLE_COLUMNS_MAX = 16, ESF_CELL_SIZE = 160 };

struct esf_column {
	const char *title;
	bool right;      /* numbers */
	int narrowest;   /* may be cut down to this; 0: is never cut */
	int dispensable; /* the highest is left out first; 0: never is */
};

struct esf_cell {
	enum esf_style style;
	char text[ESF_CELL_SIZE];
};

struct esf_table {
	const struct esf_column *columns;
	uint32_t columns_count;
	uint32_t cells_count;
	uint32_t cells_room;
	struct esf_cell *cells;
};

void esf_table_start(struct esf_table *table, const struct esf_column *columns, uint32_t count);
void esf_table_add(struct esf_table *table, enum esf_style style, const char *text);
/* Prints all whole rows under the titles, and frees the cells. */
void esf_table_finish(struct esf_table *table, FILE *out, bool colour);

/* Begin and end of a style; nothing without colour. */
void esf_style_begin(FILE *out, bool colour, enum esf_style style);
void esf_style_end(FILE *out, bool colour, enum esf_style style);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ESF_CONFIG_COLUMN_H
#define ESF_CONFIG_COLUMN_H

#include "arena.h"
#include "config.h"
#include "csv.h"
#include "fault.h"

/* The columns of an inventory: what a header means, and the reading of a row by it. */

struct esf_cell {
	struct esf_arena *arena;
	struct esf_fault_list *faults;
	const char *column; /* as its header has it */
	const char *label;  /* of a label's column */
	uint32_t line;
};

/* Reads text, which it may cut into pieces, into the site. */
typedef void esf_cell_reader(const struct esf_cell *cell, char *text, struct esf_site_config *site);

struct esf_columns {
	uint32_t count;
	struct {
		const char *name;
		const char *label;
		esf_cell_reader *read;
	} columns[ESF_CSV_FIELDS_MAX];
};

/* Whether the header had no fault. */
bool esf_columns_read(struct esf_columns *columns, struct esf_fault_list *faults,
    const struct esf_csv_record *header);

/* Reads a row of as many fields into a site that is zeroed. */
void esf_columns_apply(const struct esf_columns *columns, struct esf_arena *arena,
    struct esf_fault_list *faults, struct esf_csv_record *row, struct esf_site_config *site);

#endif

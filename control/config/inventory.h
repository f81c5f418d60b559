/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ESF_CONFIG_INVENTORY_H
#define ESF_CONFIG_INVENTORY_H

#include "arena.h"
#include "config.h"
#include "fault.h"
#include "index.h"

/*
 * The sites as a CSV file: a header, then a line each. Columns, in any order and in either case:
 *
 *   id, name                  required
 *   weight                    empty: 1
 *   addresses, upstream       items between semicolons or blanks
 *   labels                    NAME=VALUE between semicolons
 *   keys                      ID=FILE between semicolons
 *   require_seal              true or false; empty: false
 *   label:NAME, or any other  the value of the label of that name; empty: the site has none
 *
 * A column whose name is nearly one of the above is a fault and no label.
 */
struct esf_inventory {
	uint32_t count;
	struct esf_site_config *sites;
	uint32_t *lines; /* of each site */
	struct esf_index names;
};

/*
 * Reads the rows of size bytes at data, which has room for one more and is changed. Faults go to
 * the list, whose file names this one. Whether there was none; the arena tells when memory ran out.
 */
bool esf_inventory_parse(struct esf_arena *arena, struct esf_fault_list *faults, char *data,
    size_t size, struct esf_inventory *inventory);

#endif

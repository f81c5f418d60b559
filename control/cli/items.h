/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ESF_ITEMS_H
#define ESF_ITEMS_H

#include <stdbool.h>
#include <stdio.h>

/*
 * A titled line of items, with commas between. Where it would pass the last column it goes on in
 * the next line, indented.
 */
struct esf_items {
	FILE *out;
	int indent;
	int column;
	bool first;
};

/* The title is filled up with blanks to indent columns, which it must not pass. */
void esf_items_start(struct esf_items *items, FILE *out, const char *title, int indent);
void esf_items_add(struct esf_items *items, const char *item);
void esf_items_finish(struct esf_items *items);

#endif

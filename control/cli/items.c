/* SPDX-License-Identifier: Apache-2.0 */
#include "control/cli/items.h"

#include "control/cli/text.h"

void esf_items_start(struct esf_items *items, FILE *out, const char *title, int indent)
{
	*items =
	    (struct esf_items){ .out = out, .indent = indent, .column = indent, .first = true };
	fprintf(out, "%-*s", indent, title);
}

/* What parts the next item, of so many columns, from the last: a blank or a line end. */
static void part(struct esf_items *items, int width)
{
	fputc(',', items->out);
	/* The last column is kept for the comma behind the item. */
	if (items->column + 2 + width >= ESF_TEXT_COLUMNS) {
		fprintf(items->out, "\n%*s", items->indent, "");
		items->column = items->indent;
	} else {
		fputc(' ', items->out);
		items->column += 2;
	}
}

void esf_items_add(struct esf_items *items, const char *item)
{
	if (!items->first)
		part(items, esf_text_width(item));
	items->first = false;
	items->column += esf_text_put(items->out, item, ESF_TEXT_COLUMNS - 1 - items->indent);
}

void esf_items_finish(struct esf_items *items)
{
	fputc('\n', items->out);
}

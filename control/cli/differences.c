/* SPDX-License-Identifier: Apache-2.0 */
#include "control/cli/differences.h"

#include <inttypes.h>

#include "control/cli/field.h"
#include "control/cli/text.h"

/* How each kind of the API's lists reads: before the name, then between what was and becomes. */
static const struct kind {
	const char *list, *before, *was, *becomes, *rest;
} kinds[] = {
	{ "values", "", ": ", " -> ", "values" },
	{ "added", "site ", NULL, " is added to ", "sites added" },
	{ "removed", "site ", " is removed from ", NULL, "sites removed" },
	{ "renamed", "site ", NULL, " is renamed ", "sites renamed" },
	{ "moved", "site ", " moves from ", " to ", "sites moved" },
	{ "altered", "site ", ": ", " -> ", "sites altered" },
};

static void put(FILE *out, const char *text)
{
	if (text == NULL)
		text = "none";
	esf_text_put(out, text, esf_text_width(text));
}

static void put_item(FILE *out, const struct kind *kind, const json_t *item)
{
	fprintf(out, "  %s", kind->before);
	put(out, json_string_value(json_object_get(item, "name")));
	if (kind->was != NULL) {
		fputs(kind->was, out);
		put(out, json_string_value(json_object_get(item, "was")));
	}
	if (kind->becomes != NULL) {
		fputs(kind->becomes, out);
		put(out, json_string_value(json_object_get(item, "becomes")));
	}
	fputc('\n', out);
}

void esf_show_differences(FILE *out, const json_t *differences)
{
	for (size_t k = 0; k < sizeof(kinds) / sizeof(kinds[0]); k++) {
		const json_t *object = json_object_get(differences, kinds[k].list), *item;
		const json_t *list = json_object_get(object, "list");
		int64_t count = esf_field_count(object, "count");
		size_t i;

		json_array_foreach (list, i, item)
			put_item(out, &kinds[k], item);
		if (count > (int64_t)json_array_size(list))
			fprintf(out, "  and %" PRId64 " more %s\n",
			    count - (int64_t)json_array_size(list), kinds[k].rest);
	}
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "control/cli/show.h"

#include "control/cli/field.h"
#include "control/cli/text.h"

void esf_show_names(const struct esf_screen *screen, const json_t *names)
{
	static const struct esf_column columns[] = {
		{ "SIGNAL", .narrowest = 24 },
		{ "UNMAPPED RECORDS", .right = true },
		{ "NOW TAKEN BY", .narrowest = 16 },
	};
	struct esf_table table;
	const json_t *name;
	size_t i;

	esf_table_start(&table, columns, sizeof(columns) / sizeof(columns[0]));
	json_array_foreach (names, i, name) {
		const char *kpi = json_string_value(json_object_get(name, "kpi"));
		char text[ESF_TEXT_NUMBER_SIZE];

		esf_table_add(&table, ESF_PLAIN, esf_field_text(name, "name"));
		esf_table_add(&table, ESF_PLAIN,
		    esf_text_count((uint64_t)esf_field_count(name, "records"), text));
		esf_table_add(&table, ESF_PLAIN, kpi == NULL ? "nothing" : kpi);
	}
	esf_table_finish(&table, screen->out, screen->colour);
}

void esf_show_unmapped(const struct esf_screen *screen, const json_t *document)
{
	const json_t *signals = json_object_get(document, "signals");
	int64_t more = esf_field_count(document, "more");
	char text[ESF_TEXT_NUMBER_SIZE];

	if (json_array_size(signals) == 0 && more == 0) {
		fputs(
		    "no unmapped signals: a rule takes every one that was heard of\n", screen->out);
		return;
	}
	if (json_array_size(signals) > 0)
		esf_show_names(screen, signals);
	if (more > 0)
		fprintf(
		    screen->out, "and %s of further names\n", esf_text_count((uint64_t)more, text));
	fputs("\na rule under normalise: in the configuration takes one:\n"
	      "  - {match: 'PATTERN', kpi: KPI}\n"
	      "what a pattern takes: fleetctl rule test 'PATTERN'\n",
	    screen->out);
}

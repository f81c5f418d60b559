/* SPDX-License-Identifier: Apache-2.0 */
#include "control/cli/commands.h"

#include <string.h>

#include "control/cli/field.h"
#include "control/cli/text.h"
#include "dataplane/patterns.h"

/* fleetctl rule test PATTERN [NAME...]: what a rule would take, by the appliance's own matcher. */

enum { WORD_PATTERN = 1, WORD_NAMES = 2 };

static bool takes(const struct esf_patterns *pattern, const char *name)
{
	return esf_patterns_match(pattern, 0, name, (uint32_t)strlen(name)) != ESF_PATTERN_NONE;
}

static void show_taken(const struct esf_screen *screen, const json_t *names)
{
	static const struct esf_column columns[] = {
		{ "NAME", .narrowest = 24 },
		{ .title = "TAKEN" },
	};
	struct esf_table table;
	const json_t *name;
	size_t i;

	esf_table_start(&table, columns, sizeof(columns) / sizeof(columns[0]));
	json_array_foreach (names, i, name) {
		bool taken = esf_field_bool(name, "taken");

		esf_table_add(&table, ESF_PLAIN, esf_field_text(name, "name"));
		esf_table_add(&table, taken ? ESF_GREEN : ESF_YELLOW, taken ? "yes" : "no");
	}
	esf_table_finish(&table, screen->out, screen->colour);
}

static void put_json(const struct esf_call *call, const json_t *names)
{
	json_t *document =
	    json_pack("{s:s, s:O}", "pattern", call->options->words[WORD_PATTERN], "names", names);

	json_dumpf(document, call->screen.out, JSON_INDENT(2));
	fputc('\n', call->screen.out);
	json_decref(document);
}

static enum esf_exit test_given(const struct esf_call *call, const struct esf_patterns *pattern)
{
	const struct esf_options *options = call->options;
	json_t *names = json_array();

	for (int i = WORD_NAMES; i < options->words_count; i++)
		json_array_append_new(names, json_pack("{s:s, s:b}", "name", options->words[i],
		                                 "taken", takes(pattern, options->words[i])));
	if (options->json)
		put_json(call, names);
	else
		show_taken(&call->screen, names);
	json_decref(names);
	return ESF_EXIT_OK;
}

static json_t *choose_taken(const struct esf_patterns *pattern, const json_t *known)
{
	json_t *taken = json_array(), *name;
	size_t i;

	json_array_foreach ((json_t *)known, i, name)
		if (takes(pattern, esf_field_text(name, "name")))
			json_array_append(taken, name);
	return taken;
}

static enum esf_exit test_known(const struct esf_call *call, const struct esf_patterns *pattern)
{
	char text[ESF_TEXT_NUMBER_SIZE], all[ESF_TEXT_NUMBER_SIZE];
	json_t *document, *known, *taken;
	int result = esf_client_get(call->client, "/api/v1/names?limit=10000", "names", &document);

	if (result != 0)
		return esf_command_fail(call, result);
	known = json_object_get(document, "names");
	taken = choose_taken(pattern, known);
	if (call->options->json) {
		put_json(call, taken);
	} else {
		if (json_array_size(taken) > 0)
			esf_show_names(&call->screen, taken);
		fprintf(call->screen.out, "%s of %s known names would be taken\n",
		    esf_text_count(json_array_size(taken), text),
		    esf_text_count(json_array_size(known), all));
	}
	json_decref(taken);
	json_decref(document);
	return ESF_EXIT_OK;
}

enum esf_exit esf_command_rule(const struct esf_call *call)
{
	const char *text = call->options->words[WORD_PATTERN];
	struct esf_patterns *pattern;
	char message[256] = "out of memory";
	enum esf_exit code;
	uint32_t bad;

	if (esf_patterns_create(&text, 1, 1, &pattern, &bad, message, sizeof(message)) != 0) {
		fputs("fleetctl: rule test: got \"", stderr);
		esf_text_put(stderr, text, 200);
		fprintf(stderr, "\", want a pattern that compiles: %s\n", message);
		return ESF_EXIT_USAGE;
	}
	code = call->options->words_count > WORD_NAMES ? test_given(call, pattern)
	                                               : test_known(call, pattern);
	esf_patterns_destroy(pattern);
	return code;
}

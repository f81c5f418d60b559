/* SPDX-License-Identifier: Apache-2.0 */
#include "control/api/answers.h"

#include <string.h>

/* POST /api/v1/reload: the HTTP thread waits, and serves nobody meanwhile. */

static json_t *changed(const struct esf_reload_result *result)
{
	json_t *array = json_array();

	for (uint32_t i = 0; i < result->changed_count; i++)
		json_array_append_new(array, json_string(result->changed[i]));
	return array;
}

static json_t *text_or_null(const char *text)
{
	return text == NULL ? json_null() : json_string(text);
}

static json_t *difference_list(const struct esf_difference_list *list)
{
	json_t *array = json_array();

	for (uint32_t i = 0; i < list->kept; i++)
		json_array_append_new(
		    array, json_pack("{s:s, s:o, s:o}", "name", list->items[i].name, "was",
		               text_or_null(list->items[i].was), "becomes",
		               text_or_null(list->items[i].becomes)));
	return json_pack("{s:I, s:o}", "count", (json_int_t)list->count, "list", array);
}

/* Only of a comparison. */
static void put_differences(json_t *document, bool compare, const struct esf_difference *difference)
{
	json_t *object;

	if (!compare)
		return;
	object = json_object();
	for (int kind = 0; kind < ESF_DIFFERENCE_KINDS; kind++)
		json_object_set_new(object, esf_difference_kind_name(kind),
		    difference_list(&difference->lists[kind]));
	json_object_set_new(document, "differences", object);
}

/* One text a line. */
static json_t *lines(const char *text)
{
	json_t *array = json_array();

	while (text != NULL && *text != '\0') {
		size_t size = strcspn(text, "\n");

		json_array_append_new(array, json_stringn(text, size));
		text += size + (text[size] == '\n');
	}
	return array;
}

static void refuse(struct esf_reply *reply, unsigned int status, bool compare,
    const struct esf_reload_result *result)
{
	json_t *document = json_pack("{s:s, s:I, s:o}", "error",
	    status == 409 ? "nothing changed: only a restart can change this"
	                  : "nothing changed: the configuration has faults",
	    "config_revision", (json_int_t)result->revision, "faults", lines(result->faults));

	put_differences(document, compare && status == 409, &result->difference);
	esf_reply_json(reply, status, document);
}

static void accept(struct esf_reply *reply, bool compare, const struct esf_reload_result *result)
{
	json_t *document =
	    json_pack("{s:I, s:b, s:o}", "config_revision", (json_int_t)result->revision,
	        "reloaded", result->outcome == ESF_RELOAD_DONE, "changed", changed(result));

	put_differences(document, compare, &result->difference);
	esf_reply_json(reply, 200, document);
}

void esf_answer_reload(const struct esf_answer *answer)
{
	const char *diff = esf_request_param(answer->request, "diff");
	bool compare = diff != NULL && strcmp(diff, "1") == 0;
	struct esf_reload_result result;

	if (diff != NULL && !compare && strcmp(diff, "0") != 0) {
		esf_reply_error(answer->reply, 400, "diff: got \"%.100s\", want 0 or 1", diff);
		return;
	}
	esf_reload_call(answer->sources->reload, compare, &result);
	switch (result.outcome) {
	case ESF_RELOAD_DONE:
	case ESF_RELOAD_COMPARED:
		accept(answer->reply, compare, &result);
		break;
	case ESF_RELOAD_FAULTY:
		refuse(answer->reply, 422, compare, &result);
		break;
	case ESF_RELOAD_FIXED:
		refuse(answer->reply, 409, compare, &result);
		break;
	case ESF_RELOAD_LATE:
		esf_reply_error(answer->reply, 503,
		    "the reload is still under way after %d s: its end will be in the log",
		    ESF_RELOAD_WAIT_S);
		break;
	}
	esf_reload_result_free(&result);
}

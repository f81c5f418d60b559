/* SPDX-License-Identifier: Apache-2.0 */
#include "control/api/answers.h"

#include <stdlib.h>
#include <string.h>

/* POST /api/v1/reload: the HTTP thread waits, and serves nobody meanwhile. */

static json_t *changed(const struct esf_reload_result *result)
{
	json_t *array = json_array();

	for (uint32_t i = 0; i < result->changed_count; i++)
		json_array_append_new(array, json_string(result->changed[i]));
	return array;
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

static void refuse(
    struct esf_reply *reply, unsigned int status, const struct esf_reload_result *result)
{
	esf_reply_json(reply, status,
	    json_pack("{s:s, s:I, s:o}", "error",
	        status == 409 ? "nothing changed: only a restart can change this"
	                      : "nothing changed: the configuration has faults",
	        "config_revision", (json_int_t)result->revision, "faults", lines(result->faults)));
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
		esf_reply_json(answer->reply, 200,
		    json_pack("{s:I, s:b, s:o}", "config_revision", (json_int_t)result.revision,
		        "reloaded", result.outcome == ESF_RELOAD_DONE, "changed",
		        changed(&result)));
		break;
	case ESF_RELOAD_FAULTY:
		refuse(answer->reply, 422, &result);
		break;
	case ESF_RELOAD_FIXED:
		refuse(answer->reply, 409, &result);
		break;
	case ESF_RELOAD_LATE:
		esf_reply_error(answer->reply, 503,
		    "the reload is still under way after %d s: its end will be in the log",
		    ESF_RELOAD_WAIT_S);
		break;
	}
	free(result.faults);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "control/api/answers.h"
#include "control/export/export.h"

/* GET /api/v1/exports: the servers that windows are pushed to, and what became of their points. */

static const char *text_or_null(const char *text)
{
	return text[0] == '\0' ? NULL : text;
}

static json_t *levels_document(const struct esf_target_status *target)
{
	static const char *const names[] = { "fleet", "region", "site" };
	json_t *levels = json_array();

	for (uint32_t level = 0; level < ESF_EXPORT_LEVELS; level++) {
		if (target->levels[level])
			json_array_append_new(levels, json_string(names[level]));
	}
	return levels;
}

static json_t *target_document(const struct esf_target_status *target)
{
	json_t *dropped = json_pack("{s:I, s:I, s:I}", "no_room", (json_int_t)target->no_room,
	    "refused", (json_int_t)target->refused, "lost", (json_int_t)target->lost);
	json_t *spool = json_pack("{s:s?, s:I, s:I}", "file", text_or_null(target->spool_file),
	    "size", (json_int_t)target->spool_size, "used", (json_int_t)target->spool_used);
	json_t *last = target->last_sent == 0 ? json_null() : json_integer(target->last_sent);

	return json_pack(
	    "{s:s, s:s, s:s, s:o, s:b, s:s?, s:s?, s:I, s:I, s:I, s:I, s:o, s:I, s:I, s:o, s:o}",
	    "name", target->name, "url", target->url, "format", "influx", "levels",
	    levels_document(target), "well", target->well, "error", text_or_null(target->error),
	    "refusal", text_or_null(target->refusal), "produced", (json_int_t)target->produced,
	    "recovered", (json_int_t)target->recovered, "sent", (json_int_t)target->sent, "queued",
	    (json_int_t)target->queued, "dropped", dropped, "requests",
	    (json_int_t)target->requests, "failures", (json_int_t)target->failures, "last_sent",
	    last, "spool", spool);
}

json_t *esf_answer_exports(const struct esf_answer *answer)
{
	struct esf_exports_status *status =
	    answer->sources->exports == NULL ? NULL : esf_exports_status(answer->sources->exports);
	json_t *targets = json_array(), *document;

	for (uint32_t t = 0; status != NULL && t < status->count; t++)
		json_array_append_new(targets, target_document(&status->targets[t]));
	document = json_pack("{s:{s:I, s:I, s:I}, s:o}", "windows", "taken",
	    (json_int_t)(status == NULL ? 0 : status->windows), "waiting",
	    (json_int_t)(status == NULL ? 0 : status->waiting), "missed",
	    (json_int_t)(status == NULL ? 0 : status->missed), "exports", targets);
	free(status);
	return document;
}

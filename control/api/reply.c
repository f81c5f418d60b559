/* SPDX-License-Identifier: Apache-2.0 */
#include "control/api/reply.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void set(struct esf_reply *reply, unsigned int status, const char *type, char *body)
{
	reply->status = status;
	reply->type = type;
	reply->body = body;
	reply->size = body != NULL ? strlen(body) : 0;
}

void esf_reply_json(struct esf_reply *reply, unsigned int status, json_t *document)
{
	char *body = document != NULL ? json_dumps(document, JSON_COMPACT) : NULL;

	json_decref(document);
	if (body == NULL) {
		status = 500;
		body = strdup("{\"error\":\"out of memory\"}");
	}
	set(reply, status, "application/json", body);
}

void esf_reply_error(struct esf_reply *reply, unsigned int status, const char *format, ...)
{
	char message[512];
	va_list arguments;
	int size;

	va_start(arguments, format);
	size = vsnprintf(message, sizeof(message), format, arguments);
	va_end(arguments);
	if (size >= (int)sizeof(message)) {
		/* Drops the last character, which may be half of one. */
		size = sizeof(message) - 2;
		while (size > 0 && (message[size] & 0xc0) == 0x80)
			size--;
		message[size] = '\0';
	}
	esf_reply_json(reply, status, json_pack("{s:s}", "error", message));
}

void esf_reply_text(struct esf_reply *reply, const char *type, const char *text)
{
	set(reply, 200, type, strdup(text));
}

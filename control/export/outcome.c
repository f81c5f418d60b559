/* SPDX-License-Identifier: Apache-2.0 */
#include "control/export/outcome.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* The count behind the last "dropped=" of a partial write; 0: it does not say. */
static uint64_t dropped_of(const char *text)
{
	static const char key[] = "dropped=";
	const char *at, *last = NULL;

	if (strstr(text, "partial write") == NULL)
		return 0;
	for (at = strstr(text, key); at != NULL; at = strstr(at + 1, key))
		last = at + sizeof(key) - 1;
	if (last == NULL || *last < '0' || *last > '9')
		return 0;
	return strtoull(last, NULL, 10);
}

/* Points that can't be read are not in its count, and so are not known. */
static bool tells_all(const char *text)
{
	return strstr(text, "unable to parse") == NULL;
}

/* VictoriaMetrics says 400 of a path that it does not have, and vmauth of a token. */
static bool is_of_configuration(const char *text)
{
	return strstr(text, "unsupported path requested") != NULL ||
	       strstr(text, "auth token") != NULL;
}

enum esf_outcome_kind esf_outcome_judge(
    long status, const char *text, uint32_t points, uint32_t *refused)
{
	uint64_t dropped;

	*refused = 0;
	if (status >= 200 && status < 300)
		return ESF_OUTCOME_TAKEN;
	if (status != 400 && status != 413 && status != 422)
		return ESF_OUTCOME_LATER;
	if (is_of_configuration(text))
		return ESF_OUTCOME_LATER;
	dropped = status == 400 && tells_all(text) ? dropped_of(text) : 0;
	if (dropped == 0 || dropped > points)
		return ESF_OUTCOME_REFUSED;
	*refused = (uint32_t)dropped;
	return ESF_OUTCOME_PARTLY;
}

const char *esf_outcome_said(const char *text, char *buffer, uint32_t size)
{
	static const char key[] = "\"error\":\"";
	const char *at = strstr(text, key);
	uint32_t used = 0;

	if (at != NULL)
		text = at + sizeof(key) - 1;
	for (; *text != '\0' && used + 1 < size; text++) {
		if (at != NULL && *text == '"')
			break;
		if (at != NULL && *text == '\\' && text[1] == '"')
			text++;
		if ((*text == '\n' || *text == '\r') && used == 0)
			continue;
		buffer[used++] = (unsigned char)*text < ' ' || *text == '\x7f' ? ' ' : *text;
	}
	while (used > 0 && (buffer[used - 1] == ' ' || (buffer[used - 1] & 0x80) != 0))
		used--; /* blanks, and what may be half of a character */
	buffer[used] = '\0';
	return buffer;
}

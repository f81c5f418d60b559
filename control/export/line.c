/* SPDX-License-Identifier: Apache-2.0 */
#include "control/export/line.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NUMBER_SIZE = 32 };

void esf_lines_free(struct esf_lines *lines)
{
	free(lines->text);
	*lines = (struct esf_lines){ 0 };
}

void esf_lines_clear(struct esf_lines *lines)
{
	lines->size = 0;
	lines->points = 0;
	lines->lost = 0;
}

static bool has_room(struct esf_lines *lines, size_t more)
{
	size_t wanted = lines->size + more;
	char *grown;

	if (wanted <= lines->room)
		return true;
	wanted = wanted < 4096 ? 4096 : 2 * wanted;
	grown = realloc(lines->text, wanted);
	if (grown == NULL) {
		lines->short_of_memory = true;
		return false;
	}
	lines->text = grown;
	lines->room = wanted;
	return true;
}

static void put(struct esf_lines *lines, const char *text, size_t size)
{
	if (!has_room(lines, size))
		return;
	memcpy(lines->text + lines->size, text, size);
	lines->size += size;
}

static void put_text(struct esf_lines *lines, const char *text)
{
	put(lines, text, strlen(text));
}

void esf_line_begin(struct esf_lines *lines, const char *measurement)
{
	lines->start = lines->size;
	lines->fields = 0;
	lines->short_of_memory = false;
	put_text(lines, measurement);
}

/* What ends a tag's value, or means something behind a backslash. */
static bool is_special(char c)
{
	return c == ' ' || c == ',' || c == '=' || c == '\\' || c == '\0';
}

void esf_line_tag(struct esf_lines *lines, const char *key, const char *value)
{
	put(lines, ",", 1);
	put_text(lines, key);
	put(lines, "=", 1);
	for (const char *c = value; *c != '\0'; c++) {
		if ((unsigned char)*c < ' ' || *c == '\x7f' || (*c == '\\' && is_special(c[1]))) {
			put(lines, "/", 1);
			continue;
		}
		if (*c != '\\' && is_special(*c))
			put(lines, "\\", 1);
		put(lines, c, 1);
	}
}

static void begin_field(struct esf_lines *lines, const char *key)
{
	put(lines, lines->fields++ == 0 ? " " : ",", 1);
	put_text(lines, key);
	put(lines, "=", 1);
}

void esf_line_real(struct esf_lines *lines, const char *key, double value)
{
	char text[NUMBER_SIZE];

	if (!isfinite(value))
		return;
	for (int digits = 15; digits <= 17; digits++) {
		snprintf(text, sizeof(text), "%.*g", digits, value);
		if (strtod(text, NULL) == value)
			break;
	}
	begin_field(lines, key);
	put_text(lines, text);
}

void esf_line_count(struct esf_lines *lines, const char *key, uint64_t value)
{
	char text[NUMBER_SIZE];

	snprintf(text, sizeof(text), "%" PRIu64 "i", value > INT64_MAX ? INT64_MAX : value);
	begin_field(lines, key);
	put_text(lines, text);
}

bool esf_line_end(struct esf_lines *lines, int64_t unix_ns)
{
	char text[NUMBER_SIZE];

	snprintf(text, sizeof(text), " %" PRId64 "\n", unix_ns);
	put_text(lines, text);
	if (lines->fields == 0 || lines->short_of_memory) {
		lines->size = lines->start;
		lines->lost += lines->fields > 0;
		return false;
	}
	lines->points++;
	return true;
}

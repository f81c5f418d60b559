/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ESF_LINE_H
#define ESF_LINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Points in InfluxDB's line protocol, one a line. Pure; one thread a buffer.
 *
 *   esf_line_begin(&lines, "m");  esf_line_tag(&lines, "site", "n 1");
 *   esf_line_real(&lines, "mean", 0.5);  esf_line_count(&lines, "samples", 20);
 *   esf_line_end(&lines, 1700000000000000000);    ->  m,site=n\ 1 mean=0.5,samples=20i
 * 1700000000000000000
 *
 * A field that is not finite is left out; a point without a field is none. Measurements and keys
 * are ours and need no escapes. Of a tag's value blanks, commas and equals signs are escaped.
 * What the servers don't agree on is replaced by '/', which no name in a configuration holds: a
 * backslash before a blank, comma, equals sign, backslash or the value's end (InfluxDB knows no
 * escaped backslash, VictoriaMetrics does), and control characters. Numbers are the shortest of 15,
 * 16 or 17 digits that lead back to the same double.
 */
struct esf_lines {
	char *text; /* malloc'ed; not terminated */
	size_t size;
	size_t room;
	uint32_t points;
	uint32_t lost; /* points left out for want of memory */

	size_t start; /* of the point in hand */
	uint32_t fields;
	bool short_of_memory;
};

void esf_lines_free(struct esf_lines *lines);
/* Empty again, with its memory kept. */
void esf_lines_clear(struct esf_lines *lines);

void esf_line_begin(struct esf_lines *lines, const char *measurement);
void esf_line_tag(struct esf_lines *lines, const char *key, const char *value);
void esf_line_real(struct esf_lines *lines, const char *key, double value);
void esf_line_count(struct esf_lines *lines, const char *key, uint64_t value);
/* Whether there is a point; without a field nothing is left of it. */
bool esf_line_end(struct esf_lines *lines, int64_t unix_ns);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ESF_INFLUX_H
#define ESF_INFLUX_H

#include <stdbool.h>
#include <stdint.h>

#include "limits.h"
#include "span.h"

/*
 * InfluxDB line protocol, the whole published grammar:
 *   measurement[,tag=value...] field=value[,field=value...] [timestamp]
 * with escapes (measurement, tag keys, tag values, field keys: `\,` `\=` `\ `; measurement, field
 * keys, strings: `\"`; strings: `\\`), quoted strings (which may hold newlines, commas, spaces),
 * comments, blank lines, \r\n, several lines a datagram, integers `1i`, unsigned `1u`, floats,
 * booleans (t T true True TRUE f F false False FALSE: 1 and 0).
 *
 * One parser per thread: it holds the scratch that lines are unescaped into; nothing is allocated
 * after creation. A parsed line is valid until the next call.
 */

enum esf_influx_type { ESF_INFLUX_NUMBER, ESF_INFLUX_STRING };

struct esf_influx_field {
	struct esf_span name; /* raw signal name: measurement.field, unescaped */
	/*
	 * The caller's to use: 0 at first, and then what the caller left there when the same name
	 * was read before. NULL: this name is not remembered.
	 */
	uint64_t *memory;
	enum esf_influx_type type;
	double
	    value; /* of a number; integers and unsigned ones are converted, booleans are 0 and 1 */
};

struct esf_influx_line {
	struct esf_span raw; /* the line as it came, without its end: what dedup fingerprints */
	bool malformed;      /* then nothing below is valid */
	bool has_site;
	struct esf_span site;  /* value of the site tag, unescaped */
	uint64_t *site_memory; /* the caller's, of that site's name, as a field's; or NULL */
	bool has_time;
	int64_t time; /* Unix ns: timestamp x precision */
	uint32_t fields_count;
	struct esf_influx_field *fields;
};

struct esf_influx;

/* NULL when out of memory. */
struct esf_influx *esf_influx_create(void);
void esf_influx_destroy(struct esf_influx *parser);

/* Starts on a datagram. site_tag: name of the tag that names the site; precision_ns: 1, 1e3, 1e6,
 * 1e9. */
void esf_influx_start(struct esf_influx *parser, const char *data, uint32_t size,
    const char *site_tag, int64_t precision_ns);

/*
 * Next line that is neither blank nor a comment; false at the end. Malformed lines are returned as
 * such; the parser goes on behind the next newline that stands outside a quoted string (or, where a
 * quote never closes, behind the next newline). Malformed: grammar errors, a number that overflows
 * its type, a name longer than ESF_RAW_NAME_MAX, a timestamp that overflows 64 bits, a line without
 * fields.
 */
bool esf_influx_next(struct esf_influx *parser, struct esf_influx_line *line);

/*
 * Next line where it is made of what was read before (influx_known.h); false, and nothing changed,
 * where it is not, or has more fields than there is room for. What it says, and its fields' memory,
 * is valid until the next call of esf_influx_next, as long as the datagrams are.
 */
bool esf_influx_next_known(struct esf_influx *parser, struct esf_influx_field *fields,
    uint32_t room, struct esf_influx_line *line);

/* Forgets what was read before: says nothing else, and is slower for a while. For tests. */
void esf_influx_forget(struct esf_influx *parser);

/* Nothing of the datagram is left. */
bool esf_influx_is_over(const struct esf_influx *parser);

#endif

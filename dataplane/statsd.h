/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ESF_STATSD_H
#define ESF_STATSD_H

#include <stdbool.h>
#include <stdint.h>

#include "limits.h"
#include "span.h"

/*
 * StatsD with DogStatsD's tags and packed values, several lines (\n or \r\n) a datagram:
 *   line    = name ":" group { ":" group } | event | check
 *   group   = value { ":" value } "|" type { "|" section }
 *   type    = "c" | "g" | "ms" | "h" | "d" | "s"
 *   section = "@" rate | "#" tag { "," tag } | "T" seconds | anything else, which is passed over
 *   event   = "_e{" title size "," text size "}:" title "|" text { "|" "#" tags | "d:" seconds |
 * ..} check   = "_sc|" name "|" status 0..3 { "|" "#" tags | "d:" seconds | .. }
 *
 * `name:1:2:3|ms` is DogStatsD 1.1's packing, `name:1|c:2|ms|@0.5` the multi-value line of statsd,
 * and any mix of both is taken. A rate belongs to its group; the site and the time to the line,
 * wherever they stand in it. A colon behind a type or a rate begins a group; in other sections it
 * is text. Passed over are DogStatsD's `c:`, `e:` and `card:`, and whatever comes after them. Empty
 * packed values (`1::2`) are skipped, of two rates or two times the last counts, as in DogStatsD;
 * of two site tags the first does, as in Influx.
 *
 * What the caller makes of a value:
 * - a counter's value is an increment, not a running total: value / rate is what was counted. It
 *   may be negative; the quotient may be infinite.
 * - a gauge's value is a sample, or a delta: what is to be added to the gauge's last value
 * - a timer's value (ms, h, d) is a sample of a gauge; its rate says how many like it were left out
 * - a set's member, an event and a service check carry no number: one record each, not_numeric
 * A rate on anything but a counter or a timer has no meaning.
 *
 * One parser per thread; nothing is allocated after creation. A parsed line is valid until the next
 * call and points into the datagram.
 */

enum esf_statsd_type {
	ESF_STATSD_COUNTER,
	ESF_STATSD_GAUGE,
	ESF_STATSD_TIMER, /* ms, h and d */
	ESF_STATSD_SET,
	ESF_STATSD_EVENT, /* a line by itself, as is a check */
	ESF_STATSD_CHECK,
};

struct esf_statsd_value {
	double value; /* as sent; NaN or infinite where nan, inf or infinity was sent */
	double rate;  /* above 0, at most 1; 1 where none was sent */
	enum esf_statsd_type type;
	bool is_number; /* false for sets, events and checks; then value is 0 */
	bool delta;     /* a gauge's value with a sign */
};

struct esf_statsd_line {
	struct esf_span raw;  /* the line as it came, without its end: what dedup fingerprints */
	bool malformed;       /* then nothing below is valid */
	struct esf_span name; /* raw signal name, as sent; empty for events and checks */
	uint64_t *memory;     /* the caller's, of that name, as in influx.h; or NULL */
	bool has_site;
	struct esf_span site;  /* value of the site tag, never empty */
	uint64_t *site_memory; /* likewise, of that site */
	bool has_time;
	int64_t time;          /* Unix ns, of a timestamp in whole seconds */
	uint32_t values_count; /* at least 1 */
	const struct esf_statsd_value *values;
};

struct esf_statsd;

/* NULL when out of memory. */
struct esf_statsd *esf_statsd_create(void);
void esf_statsd_destroy(struct esf_statsd *parser);

/* Starts on a datagram. site_tag: name of the tag that names the site. */
void esf_statsd_start(
    struct esf_statsd *parser, const char *data, uint32_t size, const char *site_tag);

/*
 * Next line that is not empty; false at the end. Malformed lines are returned as such, whole:
 * - no colon, no type, an unknown type, an event or a check of another shape
 * - a name that is empty, longer than ESF_RAW_NAME_MAX or holds a `|`
 * - a group without a value; a value that is not a decimal number (sign, fraction and exponent
 *   allowed), nan, inf or infinity, or that overflows a double
 * - a rate that is not a number above 0 and at most 1
 * - a time that is not a whole number of seconds from 1 on, or overflows 64 bits of nanoseconds
 * - a site tag with an empty value
 */
bool esf_statsd_next(struct esf_statsd *parser, struct esf_statsd_line *line);

/* Forgets what was read before: says nothing else, and is slower for a while. For tests. */
void esf_statsd_forget(struct esf_statsd *parser);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ESF_INFLUX_KNOWN_H
#define ESF_INFLUX_KNOWN_H

#include <locale.h>

#include "influx.h"

/*
 * Senders write the same heads (measurement,tag=value...) and the same field keys line after line,
 * in the same order. A parser remembers both as it read them, and what came behind each, so that a
 * line made of these and plain numbers is compared and not taken apart. It says of a line what the
 * parser would say, or nothing: then the parser reads it, and what it read is remembered.
 *
 * Bounded: what is new takes the place of what was there. Owned by the parser.
 */
struct esf_influx_known;

/* NULL when out of memory. c_locale: newlocale's "C". */
struct esf_influx_known *esf_influx_known_create(locale_t c_locale);
void esf_influx_known_destroy(struct esf_influx_known *known);

/* Starts on a datagram, which is copied to where it may be read beyond its end. */
void esf_influx_known_start(struct esf_influx_known *known, const char *data, uint32_t size,
    const char *site_tag, uint32_t site_tag_length);

/*
 * The line at `start` of the datagram at hand: where the next one begins, or NULL where it is not
 * of what is known, or has more fields than there is room for.
 */
const char *esf_influx_known_read(struct esf_influx_known *known, const char *start,
    int64_t precision_ns, struct esf_influx_field *fields, uint32_t room,
    struct esf_influx_line *line);

void esf_influx_known_forget(struct esf_influx_known *known);

/*
 * Remembers a well-formed line of the datagram at hand that holds neither a backslash nor a quote
 * and begins with its measurement; sets its fields' memory.
 */
void esf_influx_known_learn(
    struct esf_influx_known *known, struct esf_influx_line *line, uint32_t measurement_length);

#endif

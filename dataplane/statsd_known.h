/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ESF_STATSD_KNOWN_H
#define ESF_STATSD_KNOWN_H

#include "statsd.h"

/*
 * As influx_known.h, for lines of one number: `name:` and what follows the number (type, rate,
 * tags) are remembered as they were read, and what came behind each.
 *
 * Bounded: what is new takes the place of what was there. Owned by the parser.
 */
struct esf_statsd_known;

/* NULL when out of memory. */
struct esf_statsd_known *esf_statsd_known_create(void);
void esf_statsd_known_destroy(struct esf_statsd_known *known);

/* Starts on a datagram, which is copied to where it may be read beyond its end. */
void esf_statsd_known_start(struct esf_statsd_known *known, const char *data, uint32_t size,
    const char *site_tag, uint32_t site_tag_length);

/*
 * The line at `start` of the datagram at hand: where the next one begins, or NULL where it is not
 * of what is known. value: the line's one.
 */
const char *esf_statsd_known_read(struct esf_statsd_known *known, const char *start,
    struct esf_statsd_value *value, struct esf_statsd_line *line);

/* Remembers a well-formed line of the datagram at hand, where it is one of one number. */
void esf_statsd_known_learn(struct esf_statsd_known *known, const struct esf_statsd_line *line);
void esf_statsd_known_forget(struct esf_statsd_known *known);

#endif

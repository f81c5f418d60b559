/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ESF_TEXT_H
#define ESF_TEXT_H

#include <stdbool.h>
#include <stdint.h>

#include "influx.h"
#include "policy.h"
#include "statsd.h"
#include "syslog.h"

/*
 * Text datagrams of any listener as a sequence of lines: what steering and dedup ask of a line is
 * the same for all formats; its values are the format's own. A syslog datagram is one line, its
 * site what it gives as HOSTNAME. One reader per shard, owned by its lcore; nothing is allocated
 * after creation. A line is valid until the next call.
 */
struct esf_text_line {
	uint8_t format; /* enum esf_listener_format; says which of those below holds */
	bool malformed; /* then nothing but raw is valid */
	bool has_site;
	bool has_time;
	struct esf_span raw;
	struct esf_span site;
	uint64_t *site_memory; /* see influx.h; or NULL */
	int64_t time;          /* Unix ns */
	union {
		struct esf_influx_line influx;
		struct esf_statsd_line statsd;
		struct esf_syslog syslog;
	};
};

struct esf_text;

/* NULL when out of memory. */
struct esf_text *esf_text_create(void);
void esf_text_destroy(struct esf_text *text);

/* listener outlives the walk. */
void esf_text_start(
    struct esf_text *text, const struct esf_listener *listener, const uint8_t *data, uint32_t size);
bool esf_text_next(struct esf_text *text, struct esf_text_line *line);

/* As esf_influx_next_known, of a datagram of that format. */
bool esf_text_next_known(struct esf_text *text, struct esf_influx_field *fields, uint32_t room,
    struct esf_text_line *line);
bool esf_text_is_over(const struct esf_text *text);

#endif

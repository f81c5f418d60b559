/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ESF_SYSLOG_H
#define ESF_SYSLOG_H

#include <stdbool.h>
#include <stdint.h>

#include "span.h"

/*
 * Parser of syslog datagrams, one message each: RFC 5424, RFC 3164, and what senders make of them.
 * Pure: any thread, any bytes, any size; nothing is allocated, and the spans point into the
 * datagram.
 *
 *   <PRI>1 TIMESTAMP HOSTNAME APP-NAME PROCID MSGID STRUCTURED-DATA [MSG]   RFC 5424
 *   <PRI>[TIMESTAMP [HOSTNAME]] [TAG[PID]:] MSG                             RFC 3164
 *
 * Malformed: no <PRI> of one to three digits, 0..191, at the very start; and, where "1 " is
 * followed by "- " or by a year and a dash (so that it is RFC 5424), a header that does not go on
 * as that says. Everything else behind a PRI is a message: RFC 3164 describes, it does not demand.
 *
 * RFC 3164, as rsyslog reads it: the timestamp is "Mmm dd [yyyy] hh:mm:ss[.fraction]" or that of
 * RFC 5424; without one there is no hostname. After it, a word of letters, digits, `.`, `-`, `_`,
 * `:` that does not end with a colon is the hostname; `logger` leaves it out. A tag is a word that
 * ends with a colon, or NAME[PID]: whatever follows; otherwise there is none and nothing is cut
 * off the message.
 */
enum {
	ESF_SYSLOG_PRI_MAX = 191,
	ESF_SYSLOG_HOSTNAME_MAX = 255, /* bytes */
};

struct esf_syslog {
	bool malformed;   /* then nothing below is valid */
	uint8_t severity; /* 0 emergency..7 debug */
	uint8_t facility; /* 0..23 */
	/*
	 * False: take the arrival time. RFC 3164's timestamps have neither year nor zone; so does
	 * one without a zone, and one out of 1970..2261 comes from a clock that was never set.
	 */
	bool has_time;
	int64_t time;             /* Unix ns */
	struct esf_span hostname; /* length 0 where there is none, as for all of these */
	struct esf_span app;      /* APP-NAME, or the tag without its PID */
	struct esf_span pid;
	struct esf_span message; /* without a byte order mark and without \n, \r, NUL at its end */
};

void esf_syslog_parse(const char *data, uint32_t size, struct esf_syslog *out);

#endif

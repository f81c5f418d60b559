/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ESF_EVENT_H
#define ESF_EVENT_H

#include <stdint.h>

#include "etd_wire.h"
#include "signatures.h"

/* What a site said in words: an ETD event record or a syslog message. */
enum {
	ESF_EVENT_TEXT_MAX = 200, /* bytes */
	ESF_SEVERITIES = 8,       /* syslog's: 0 emergency..7 debug */
};

enum esf_event_source { ESF_EVENT_ETD = 0, ESF_EVENT_SYSLOG = 1 };

struct esf_event {
	int64_t time; /* Unix ns: the message's own, else its arrival's */
	uint32_t site;
	uint16_t signature; /* index into the signatures, or ESF_NO_SIGNATURE */
	uint8_t severity;   /* 0..7 */
	uint8_t state;      /* enum esf_etd_state */
	uint8_t source;     /* enum esf_event_source */
	uint8_t revision;   /* lowest bits of that of the policy whose signatures are meant */
	uint16_t text_length;
	char text[ESF_EVENT_TEXT_MAX]; /* not terminated */
};

/*
 * Keeps the beginning of a text, as UTF-8 that can be shown: whole characters only, every control
 * character a space, every byte that is not UTF-8 a question mark. Pure.
 */
void esf_event_set_text(struct esf_event *event, const char *text, uint32_t length);

#endif

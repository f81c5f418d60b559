/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ESF_SYSLOG_TIME_H
#define ESF_SYSLOG_TIME_H

#include <stdbool.h>
#include <stdint.h>

/* The two timestamps of syslog. Pure. */
struct esf_syslog_time {
	bool has_time; /* false: no zone (and no year), or out of 1970..2261 */
	int64_t time;  /* Unix ns */
};

/*
 * 2003-10-11T22:14:15[.fraction][Z|+hh:mm|-hh:mm] at `at`: where it ends, or NULL where it is not
 * one. Digits behind nanoseconds are dropped; the zone's colon may be missing.
 */
const char *esf_syslog_iso(const char *at, const char *end, struct esf_syslog_time *out);

/*
 * [*|.]Oct 11 [2003 ]22:14:15[.fraction] with a day of one or two digits, padded or not: where it
 * ends, or NULL. Cisco's `*` and `.` mark a clock that is not synchronised.
 */
const char *esf_syslog_bsd(const char *at, const char *end);

#endif

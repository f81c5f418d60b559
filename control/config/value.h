/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ESF_CONFIG_VALUE_H
#define ESF_CONFIG_VALUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config.h"

/* Scalars as they stand in a file. Each returns false, and leaves *out alone, where text is not
 * one. */

enum { ESF_DURATION_TEXT_SIZE = 32, ESF_LISTEN_ADDRESS_SIZE = 46 };

bool esf_value_boolean(const char *text, bool *out);

/* Decimal digits, no sign, no leading zero (YAML 1.1 would read that one as octal). */
bool esf_value_integer(const char *text, uint64_t *out);

/* Decimal, finite: -1, 0.5, 1e6. */
bool esf_value_number(const char *text, double *out);

/* Digits and one of ms, s, m, h, d -> nanoseconds. */
bool esf_value_duration(const char *text, int64_t *out_ns);

/* The same, in the largest unit that holds it exactly. Returns buffer. */
const char *esf_value_duration_text(int64_t ns, char buffer[ESF_DURATION_TEXT_SIZE]);

/* A unicast IPv4 or IPv6 address without a prefix. */
bool esf_value_address(const char *text, struct esf_address *out);

/* ADDRESS/BITS, bits counted in the address's own family. */
bool esf_value_port_address(const char *text, struct esf_port_address *out);

/* 127.0.0.1:8080, [::1]:8080, localhost:8080; address without brackets, localhost as 127.0.0.1. */
bool esf_value_listen(const char *text, char address[ESF_LISTEN_ADDRESS_SIZE], uint16_t *port);

/* Whether a numeric address is of this host only: 127.0.0.0/8 or ::1. */
bool esf_value_is_loopback(const char *address);

/*
 * RFC 3339: 2026-01-31T08:00:00Z, with an optional fraction (of which nanoseconds are kept) and Z
 * or +HH:MM -> Unix ns. A day that its month has not is none, 23:59:60 is the second behind it. The
 * years 1970 to 2261.
 */
bool esf_value_time(const char *text, int64_t *out_ns);

enum { ESF_TIME_TEXT_SIZE = 40 };

/* The same in UTC, with as many digits of a fraction as it takes. Returns buffer. */
const char *esf_value_time_text(int64_t ns, char buffer[ESF_TIME_TEXT_SIZE]);

/* 1..63 bytes that can stand in a URL's path: no whitespace, control character or '/', not "." or
 * "..". */
bool esf_value_is_name(const char *text);

/* [a-z][a-z0-9_]*, 1..63 bytes. */
bool esf_value_is_kpi_name(const char *text);

#endif

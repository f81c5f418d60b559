/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ESF_BENCH_ENCODE_H
#define ESF_BENCH_ENCODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Writers of ETD datagrams, InfluxDB lines, StatsD lines and syslog messages (CONTRACT section 2).
 * Shares with the appliance's decoders only the table of ETD offsets, so that one proves the other.
 * Pure; any thread.
 */
enum {
	ESF_ENCODE_NUMBER_MAX = 25, /* bytes of a number in text */
};

/* A buffer that fills up; what does not fit is refused whole and leaves it unchanged. */
struct esf_encode {
	uint8_t *data;
	uint32_t size; /* bytes written */
	uint32_t capacity;
};

struct esf_encode_header {
	uint8_t kind; /* enum esf_etd_kind */
	uint8_t flags;
	uint16_t stream;
	uint32_t site;
	uint32_t boot; /* Unix seconds */
	uint32_t seq;
	int64_t time_ns; /* Unix */
};

/* Starts a datagram of no records at the front of the buffer, which has room for a header. */
void esf_encode_etd(struct esf_encode *out, const struct esf_encode_header *header);

/* Add one record and count it in the header. False: no room (or a name or text too long for its
 * length field). */
bool esf_encode_etd_data(
    struct esf_encode *out, uint16_t alias, uint8_t quality, int32_t offset_us, double value);
bool esf_encode_etd_birth(
    struct esf_encode *out, uint16_t alias, uint8_t type, const char *name, const char *unit);
bool esf_encode_etd_event(
    struct esf_encode *out, int32_t offset_us, uint8_t severity, uint8_t state, const char *text);

/*
 * A line is esf_encode_influx, at least one field, and esf_encode_influx_end, which adds the
 * timestamp and the newline. The line's numbers round-trip exactly.
 */
bool esf_encode_influx(struct esf_encode *out, const char *measurement, const char *site);
bool esf_encode_influx_field(struct esf_encode *out, bool first, const char *name, double value);
bool esf_encode_influx_end(struct esf_encode *out, int64_t time_ns);

/*
 * One StatsD line with its newline; without a site, none is named. StatsD has no escapes: false,
 * too, for a name or a site it can't carry. A level below 0 is written as a sample (h), since a
 * sign makes a gauge's value a change.
 */
bool esf_encode_statsd_gauge(
    struct esf_encode *out, const char *name, double level, const char *site);
bool esf_encode_statsd_counter(
    struct esf_encode *out, const char *name, double increase, const char *site);

/* An RFC 5424 message of facility local0. */
struct esf_encode_message {
	uint8_t severity; /* 0..7 */
	int64_t time_ns;  /* Unix; microseconds are written */
	const char *host; /* 1..255 printable ASCII characters but blanks */
	const char *app;
	uint32_t process;
	const char *id; /* kind of message */
	const char *text;
};

/* False: no room, or a host that can't be one. */
bool esf_encode_syslog(struct esf_encode *out, const struct esf_encode_message *message);

/* Whether a name and a site can stand in a StatsD line, and a host in a syslog message. */
bool esf_encode_statsd_can_name(const char *name);
bool esf_encode_statsd_can_site(const char *site);
bool esf_encode_syslog_can_host(const char *host);

/*
 * Text of a finite value, not terminated; returns its length, at most ESF_ENCODE_NUMBER_MAX. A
 * multiple of a millionth comes out in as few digits as it needs, anything else in 17.
 */
uint32_t esf_encode_number(char *out, double value);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ESF_BENCH_TRAFFIC_H
#define ESF_BENCH_TRAFFIC_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "scenario.h"
#include "sealing.h"

/*
 * The datagrams of a simulated fleet, one after the other in the order of their times: an ordinary
 * sequence that the same scenario and options always bring forth bit for bit. Who sends them, and
 * whether the times are waited for, is the caller's business. One thread.
 *
 * Turns. Site i of n has its k-th turn at (k + i/n) x interval, or, with a rate R, at (k x n + i) /
 * R. At a turn a site sends its values; a storm puts further turns between. Births (at first and
 * every 60 s) and events come in addition just before the values; with a rate they take the turn
 * instead, so that exactly R datagrams a second leave.
 */
enum {
	ESF_TRAFFIC_PAYLOAD_MAX = 1400,      /* bytes of a datagram */
	ESF_TRAFFIC_RECORDS_MAX = 85,        /* in an ETD datagram of that size */
	ESF_TRAFFIC_SEALED_RECORDS_MAX = 84, /* with a tag */
	ESF_TRAFFIC_LINES_MAX = 64,
	ESF_TRAFFIC_RATE_MAX = 100000000, /* datagrams/s */
	ESF_TRAFFIC_HELD_MAX =
	    1 << 20, /* datagrams held back at a time, for duplicates and reordering */
};

enum esf_traffic_format {
	ESF_TRAFFIC_ETD,
	ESF_TRAFFIC_INFLUX,
	ESF_TRAFFIC_STATSD,
	ESF_TRAFFIC_SYSLOG,
};

enum { ESF_TRAFFIC_FORMATS_COUNT = ESF_TRAFFIC_SYSLOG + 1 };

struct esf_traffic_format_info {
	const char *name;
	uint16_t port; /* UDP, where the appliance usually listens */
};

extern const struct esf_traffic_format_info esf_traffic_formats[ESF_TRAFFIC_FORMATS_COUNT];

struct esf_traffic_options {
	int format;          /* enum esf_traffic_format */
	uint32_t records;    /* ETD records a datagram; 0: one of each KPI */
	uint32_t lines;      /* Influx lines a datagram, 1.. (fewer where they do not fit) */
	bool untagged;       /* StatsD without the tag that names the site */
	uint64_t rate;       /* datagrams/s of all sites together; 0: by the scenario's intervals */
	uint64_t count;      /* end after so many datagrams; 0: do not */
	int64_t duration_ns; /* end after so long; 0: do not */
	int64_t start_ns;    /* Unix */
	uint64_t seed;
	struct esf_sealing *sealing; /* ETD; NULL: not sealed; must live as long */
};

struct esf_traffic_datagram {
	int64_t time_ns;     /* Unix: when it is sent */
	const uint8_t *data; /* valid until the next call */
	uint32_t size;
	uint32_t site;    /* index; of several sites' lines: the first line's */
	uint32_t records; /* ETD data records and events, values in text, syslog messages */
	uint32_t kind;    /* enum esf_etd_kind; syslog: ESF_ETD_EVENT, other text: ESF_ETD_DATA */
	uint64_t number;  /* of the site's datagrams, from 0, in the order they were made */
	const char *path; /* source address it takes, NULL: the usual one */
	bool duplicate;
};

/* What was sent; duplicates are included where nothing else is said. */
struct esf_traffic_counts {
	uint64_t datagrams;
	uint64_t bytes;   /* of payload */
	uint64_t records; /* in them */
	uint64_t births;  /* datagrams */
	uint64_t events;
	uint64_t deaths;
	uint64_t duplicates; /* datagrams sent once more */
	uint64_t duplicate_records;
	uint64_t lost; /* datagrams never sent though their seq was used up */
	uint64_t lost_records;
	uint64_t
	    reordered; /* datagrams, duplicates excluded, sent after a later one of their site */
};

struct esf_traffic;

/* NULL with the reasons printed to errors. The scenario must live as long. */
struct esf_traffic *esf_traffic_create(
    const struct esf_scenario *scenario, const struct esf_traffic_options *options, FILE *errors);
void esf_traffic_destroy(struct esf_traffic *traffic);

/* False at the end. */
bool esf_traffic_next(struct esf_traffic *traffic, struct esf_traffic_datagram *out);

/* What is still held back counts as lost from here on, and nothing more comes. */
void esf_traffic_finish(struct esf_traffic *traffic);

/* Why the sequence ended before its time; NULL when it did not. */
const char *esf_traffic_error(const struct esf_traffic *traffic);

const struct esf_traffic_counts *esf_traffic_totals(const struct esf_traffic *traffic);
const struct esf_traffic_counts *esf_traffic_site_counts(
    const struct esf_traffic *traffic, uint32_t site);

/* Time of the last turn taken, ns since the start; once finished, all of the duration if it was
 * over. */
int64_t esf_traffic_elapsed(const struct esf_traffic *traffic);

#endif

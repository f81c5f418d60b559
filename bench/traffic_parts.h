/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ESF_BENCH_TRAFFIC_PARTS_H
#define ESF_BENCH_TRAFFIC_PARTS_H

#include "encode.h"
#include "faultmap.h"
#include "heap.h"
#include "traffic.h"
#include "waveform.h"

/* What traffic.c (when), fitness.c (whether it can be said), speaker.c and speaker_text.c (what a
 * site says) and delivery.c (what becomes of it) share. Private. */

/* Times in ns since the start. */
struct esf_traffic_site {
	uint64_t
	    slot; /* number of the regular turn that is next, or inside which the next one lies */
	uint32_t turn;     /* of factor turns within the slot */
	uint32_t factor;   /* storm: turns a slot, else 1 */
	uint64_t sampled;  /* records begun: which KPI is next, and its tick */
	uint64_t made;     /* datagrams */
	uint64_t sent_end; /* 1 + the greatest number sent */
	int64_t boot_ns;
	int64_t birth_ns;     /* of the last complete birth, -1: none in this boot */
	int64_t event_ns;     /* alarms up to this time ... */
	uint32_t event_index; /* ... and, of this time, below this index are told */
	uint32_t boot;        /* Unix seconds */
	uint32_t seq;
	uint16_t birth_next; /* KPI to be born next */
	bool left;
	struct esf_traffic_counts counts;
};

struct esf_traffic_held {
	struct esf_traffic_datagram datagram;
	uint8_t data[];
};

/* Datagrams that wait for their time. */
struct esf_traffic_holding {
	struct esf_heap heap;
	struct esf_traffic_held **held; /* by item of the heap */
	uint32_t *free_items;
	uint32_t free_count;
	uint32_t used_count; /* items ever used */
	uint64_t order;
	struct esf_traffic_held *given; /* out with the caller */
};

struct esf_traffic {
	const struct esf_scenario *scenario;
	struct esf_traffic_options options;
	struct esf_faultmap faults;
	struct esf_waveform waveform;
	struct esf_heap turns; /* item and order: site index */
	struct esf_traffic_site *sites;
	struct esf_traffic_holding holding;
	struct esf_traffic_counts totals;
	int64_t elapsed_ns;
	const char *error;
	uint8_t payload[ESF_TRAFFIC_PAYLOAD_MAX];

	/* Influx lines on their way into a datagram. */
	struct esf_traffic_datagram batch;
	uint32_t batch_lines;
	uint8_t line[ESF_TRAFFIC_PAYLOAD_MAX];
	uint32_t line_max; /* bytes */
	uint32_t line_size;
	uint32_t line_records;
};

enum esf_traffic_said {
	ESF_TRAFFIC_NOTHING, /* the turn is over */
	ESF_TRAFFIC_VALUES,  /* the turn is over */
	ESF_TRAFFIC_ASIDE,   /* birth, event or death: the values are still to come */
};

/* What the site says at its turn, at_ns, into *out (data, size, records, kind), which lies in
 * traffic->payload. */
enum esf_traffic_said esf_speaker_etd(
    struct esf_traffic *traffic, uint32_t site, int64_t at_ns, struct esf_traffic_datagram *out);

enum esf_traffic_said esf_speaker_statsd(
    struct esf_traffic *traffic, uint32_t site, int64_t at_ns, struct esf_traffic_datagram *out);
enum esf_traffic_said esf_speaker_syslog(
    struct esf_traffic *traffic, uint32_t site, int64_t at_ns, struct esf_traffic_datagram *out);

/* The same into traffic->line. */
enum esf_traffic_said esf_speaker_influx(struct esf_traffic *traffic, uint32_t site, int64_t at_ns);

/* The time that the site's clock shows, Unix ns. */
int64_t esf_speaker_clock(const struct esf_traffic *traffic, uint32_t site, int64_t at_ns);

/* Starts the sender anew when a restart, or the end of a leave, has come since it last started. */
void esf_speaker_reboot_if_due(struct esf_traffic *traffic, uint32_t site, int64_t at_ns);

bool esf_speaker_is_silent(const struct esf_traffic *traffic, uint32_t site, int64_t at_ns);
bool esf_speaker_has_left(const struct esf_traffic *traffic, uint32_t site, int64_t at_ns);

/* The longest Influx line the scenario may need, bytes. */
uint32_t esf_fitness_line_max(const struct esf_scenario *scenario);

/* Number of things the scenario asks for that this format or these options cannot do; each is
 * printed to errors. */
unsigned esf_fitness_check(
    const struct esf_scenario *scenario, const struct esf_traffic_options *options, FILE *errors);

/* 0 or -ENOMEM. */
int esf_delivery_create(struct esf_traffic_holding *holding);
void esf_delivery_destroy(struct esf_traffic_holding *holding);

/*
 * Numbers a datagram its site has just made and applies loss, duplicate and reorder to it.
 * period_ns: between the site's turns. True: it goes out now; else it is lost, held back, or
 * traffic->error is set.
 */
bool esf_delivery_admit(
    struct esf_traffic *traffic, struct esf_traffic_datagram *datagram, int64_t period_ns);

/* The held datagram whose time is first; the holding is not empty. */
void esf_delivery_release(struct esf_traffic *traffic, struct esf_traffic_datagram *out);

/* Counts a datagram as sent. */
void esf_delivery_count(struct esf_traffic *traffic, const struct esf_traffic_datagram *datagram);

/* Counts what is held as lost (duplicates: as never injected). */
void esf_delivery_abandon(struct esf_traffic *traffic);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ESF_BENCH_STAMP_H
#define ESF_BENCH_STAMP_H

#include <stdint.h>

#include "lcores/clock.h"
#include "lcores/tally.h"
#include "slots.h"

/*
 * Makes a capture that repeats a stream that does not: an RX callback of one queue, in which each
 * datagram gets what is its own. ETD: site, seq and time, so that the sites speak in turns and each
 * site's seq goes up by one; sealed again, where it was sealed. Influx: each line's time, one later
 * than the last. Syslog: the time. StatsD has nothing to be told apart by. UDP checksums are mended
 * (RFC 1624), or made where a datagram was sealed anew.
 *
 * The queue's first datagrams are replaced by births, one of each site.
 *
 * One for each queue; the lcore that polls it is the only one to use it, but for the tallies, which
 * any thread reads. Set-up and destruction by the control thread while no lcore runs.
 */
struct esf_stamp;
struct rte_mbuf;

struct esf_stamp_options {
	const struct esf_config *config; /* whose sites' ids follow on one another */
	const struct esf_slots *slots;   /* the queue's capture */
	const struct esf_slots *births;  /* the first of which is the pattern; NULL: none */
	const struct esf_clock *clock;
	uint32_t first_site, sites_count; /* indexes: those that speak on this queue */
	uint32_t duplicate_every;         /* ETD: so often one comes again; 0: never */
};

struct esf_stamp_counts {
	uint64_t datagrams; /* births included */
	uint64_t cycles;    /* of the time stamp counter, spent here */
	uint64_t births;
};

/* 0, -ENOMEM, -EINVAL (keys that can't be read). */
int esf_stamp_create(const struct esf_stamp_options *options, struct esf_stamp **out);
void esf_stamp_destroy(struct esf_stamp *stamp);

/* rte_rx_callback_fn, with a struct esf_stamp. */
uint16_t esf_stamp_burst(uint16_t port, uint16_t queue, struct rte_mbuf **mbufs, uint16_t count,
    uint16_t room, void *stamp);

/* Any thread; the counts may be a burst apart. */
void esf_stamp_counts(const struct esf_stamp *stamp, struct esf_stamp_counts *counts);

#endif

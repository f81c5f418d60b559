/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ESF_BENCH_PROBE_H
#define ESF_BENCH_PROBE_H

#include <stdint.h>

#include "dataplane/plane.h"
#include "histogram.h"
#include "lcores/clock.h"

/*
 * Measures how long datagrams take to a published block: an RX callback of one queue, on the lcore
 * that polls it and owns all sites. It reads each ETD datagram's header time, which is when it was
 * sent, and looks once a pass whether a publication has settled since. The appliance's own code is
 * as ever.
 *
 * What the lcore did not come to look at, it sees late: a time measured is too long by up to the
 * receiving of one burst, never too short.
 */
struct esf_probe;
struct rte_mbuf;

struct esf_probe_counts {
	struct esf_histogram arrival;     /* sent -> the lcore received it */
	struct esf_histogram publication; /* a pass began to publish -> all of it can be read */
	struct esf_histogram block;       /* sent -> the publication that holds it can be read */
	uint64_t datagrams;               /* received */
	uint64_t unmeasured;              /* of them: no ETD, or no room to remember them */
	uint64_t before_sent;             /* measured, but their time came out below 0 */
	uint64_t cycles;                  /* of the time stamp counter, spent here */
};

/* 0, -ENOMEM. It measures nothing until esf_probe_start. */
int esf_probe_create(struct esf_probe **out);
void esf_probe_destroy(struct esf_probe *probe);

/* rte_rx_callback_fn, with a struct esf_probe. */
uint16_t esf_probe_burst(uint16_t port, uint16_t queue, struct rte_mbuf **mbufs, uint16_t count,
    uint16_t room, void *probe);

/* Control thread, once: what is published, and the lcores' clock. */
void esf_probe_start(
    struct esf_probe *probe, const struct esf_plane *plane, const struct esf_clock *clock);

/* Any thread. Datagrams received since the start whose publication has not been seen; how many were
 * received so far in *received. */
uint64_t esf_probe_waiting(const struct esf_probe *probe, uint64_t *received);

/*
 * Control thread: what was counted since the call before; the counts stay until the next call. NULL
 * where the lcore has not come round for half a minute.
 */
const struct esf_probe_counts *esf_probe_take(struct esf_probe *probe);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ESF_LCORES_LAUNCH_STATE_H
#define ESF_LCORES_LAUNCH_STATE_H

#include <pthread.h>

#include <rte_mempool.h>

#include "handover.h"
#include "launch.h"
#include "poll.h"
#include "port.h"
#include "tally.h"
#include "watchdog.h"

enum { ESF_MOMENTS = 6 }; /* at least a second apart: the rates are those of the last 5 s or more */

/* What an lcore had counted at one moment. */
struct esf_lcore_moment {
	uint64_t total, busy, asleep; /* cycles */
	uint64_t inbox, packets, bursts;
};

struct esf_moment {
	uint64_t ticks;
	struct esf_lcore_moment lcores[ESF_SHARDS_MAX];
};

/* What launch.c, launch_counts.c and launch_pipeline.c share, and nobody else includes. Owner: the
 * control thread; fields that others touch say so. */
struct esf_launch {
	struct esf_plan plan;
	struct esf_plane *plane;
	struct esf_watchdog *watchdog;
	struct esf_handover *handover; /* NULL: one shard only */
	struct rte_mempool *pools[ESF_PLAN_POOLS_MAX];
	struct esf_poller *pollers[ESF_SHARDS_MAX];
	uint32_t ports_started;
	uint32_t lcores_started;
	uint32_t ticks_per_ping;
	uint32_t ticks;
	uint64_t stuck;

	/* Ports are counted by any thread; the lock keeps that apart from their closing. */
	pthread_mutex_t *counting;
	struct esf_port *ports;                  /* of the plan, as many */
	esf_tally low_water[ESF_PLAN_POOLS_MAX]; /* mbufs; any thread reads */

	/* Noted by the control thread, read by any: under `counting`. The next one's place is
	 * moments_count % ESF_MOMENTS, the oldest's too once all are there. */
	uint32_t moments_count;
	struct esf_moment moments[ESF_MOMENTS];

	struct esf_clock clock;                 /* readers: lcores */
	bool stop __attribute__((aligned(64))); /* readers: lcores */
};

/* launch_counts.c: each tick, how few mbufs are free. */
void esf_launch_measure_pools(struct esf_launch *launch);

/* launch_pipeline.c: each tick; notes what the lcores have counted, if the last time is a while
 * ago. */
void esf_launch_note_moment(struct esf_launch *launch);

#endif

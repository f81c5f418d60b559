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

/* What launch.c and launch_counts.c share, and nobody else includes. Owner: the control thread;
 * fields that others touch say so. */
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

	struct esf_clock clock;                 /* readers: lcores */
	bool stop __attribute__((aligned(64))); /* readers: lcores */
};

/* launch_counts.c: each tick, how few mbufs are free. */
void esf_launch_measure_pools(struct esf_launch *launch);

#endif

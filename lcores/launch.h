/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ESF_LCORES_LAUNCH_H
#define ESF_LCORES_LAUNCH_H

#include <stdint.h>
#include <stdio.h>

#include "clock.h"
#include "dataplane/plane.h"
#include "eal.h"
#include "options.h"
#include "pipeline.h"
#include "plan.h"
#include "pressure.h"

/*
 * Starts and stops the dataplane. The control thread is the one that started the EAL, registered
 * with RCU (QSBR) and online; all calls are its own where nothing else is said.
 *
 *   esf_eal_start(&options, stderr);
 *   esf_plan_make(&options, &plan, stderr);      shards_count, owners, owner_is_receiver for the
 * plane esf_plane_create(...); esf_plane_set_policy(...); esf_launch_start(&plan, plane, &launch,
 * stderr); each epoch: esf_launch_tick(launch, &stuck); esf_launch_stop(launch); all windows may be
 * closed now, and all mbufs counted esf_launch_free(launch); rcu_barrier();
 * esf_plane_destroy(plane); esf_eal_stop();
 *
 * Started in stages: clock, watchdog, hand-over rings, mempools, ports, lcores; undone in reverse.
 */
struct esf_launch;

/* Copies the plan. 0, or -errno after one line to errors with everything undone. */
int esf_launch_start(
    const struct esf_plan *plan, struct esf_plane *plane, struct esf_launch **out, FILE *errors);

/*
 * Each epoch: re-anchors the clock, and about once a second pings the lcores. Returns how many are
 * stuck, and which in *stuck (bit i: shard i) unless that is NULL. An lcore is stuck from the
 * second ping it did not answer until it is seen again.
 */
uint32_t esf_launch_tick(struct esf_launch *launch, uint64_t *stuck);

/*
 * Asks the lcores to stop and waits for them, takes what is left in the inboxes, finishes the
 * shards (esf_shard_finish), closes the ports. Nothing runs afterwards; the counts stay.
 */
void esf_launch_stop(struct esf_launch *launch);

/* After esf_launch_stop. */
void esf_launch_free(struct esf_launch *launch);

/*
 * Any thread, until esf_launch_free. All that was counted, in memory from malloc that is the
 * caller's to free; NULL: out of memory. Counts of one queue or ring may be a pass apart.
 */
struct esf_pressure *esf_launch_pressure(const struct esf_launch *launch);

/* Any thread, until esf_launch_free. What the poll loops did, in memory from malloc that is the
 * caller's to free; NULL: out of memory. */
struct esf_pipeline *esf_launch_pipeline(const struct esf_launch *launch);

/* Any thread, until esf_launch_free. */
void esf_launch_mbufs(const struct esf_launch *launch, struct esf_mbuf_counts *counts);

/* Any thread: the lcores' clock. */
const struct esf_clock *esf_launch_clock(const struct esf_launch *launch);

#endif

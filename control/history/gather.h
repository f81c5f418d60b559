/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ESF_GATHER_H
#define ESF_GATHER_H

#include "control/fleet/intervals.h"
#include "control/history/batch.h"
#include "control/incident/event_log.h"

/*
 * Makes batches of what there is to keep. Control. NULL when out of memory; where only some of it
 * found none, the batch says so.
 */
enum { ESF_HISTORY_SITES_MAX = 10000 };

/* All that the interval says of the fleet, its regions, and the sites with an index below
 * ESF_HISTORY_SITES_MAX. With the intervals' lock. */
struct esf_history_batch *esf_history_gather_interval(
    const struct esf_roster *roster, struct esf_intervals *intervals, uint32_t interval);

/* The latest count of the snapshot's events, the oldest first. */
struct esf_history_batch *esf_history_gather_events(
    const struct esf_roster *roster, const struct esf_event_snapshot *events, uint32_t count);

#endif

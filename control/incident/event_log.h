/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ESF_EVENT_LOG_H
#define ESF_EVENT_LOG_H

#include <stdint.h>

#include <urcu-qsbr.h>

#include "control/config/config.h"
#include "dataplane/plane.h"

/*
 * What the sites said in words: the most recent events, and counts of all. One writer, the control
 * thread, which empties the shards' rings each tick; readers get an immutable snapshot under RCU,
 * as they get views.
 */
enum { ESF_EVENT_LOG_SIZE = 1024 }; /* events remembered */

struct esf_event_snapshot {
	uint64_t dropped; /* found their shard's ring full */
	uint64_t unmatched[ESF_SEVERITIES];
	uint32_t codes_count; /* distinct, in the order of the configuration */
	const char *const *codes;
	const uint64_t *matched; /* by code */
	uint32_t events_count;
	const struct esf_event *events; /* newest first, in the order in which control took them */
	struct rcu_head rcu;
};

struct esf_event_log;

/* NULL when out of memory. The configuration outlives it. */
struct esf_event_log *esf_event_log_create(const struct esf_config *config);
/* After all readers have stopped. */
void esf_event_log_destroy(struct esf_event_log *log);

/* Control, online: takes what the shards hold, a bounded number, and publishes what changed. Out of
 * memory, readers keep the former snapshot until the next time. */
void esf_event_log_drain(struct esf_event_log *log, struct esf_plane *plane);

/* Readers, under rcu_read_lock; never NULL. */
const struct esf_event_snapshot *esf_event_log_latest(const struct esf_event_log *log);

/* The code of a signature of the configuration, NULL for ESF_NO_SIGNATURE. Any thread. */
const char *esf_event_code(const struct esf_config *config, uint16_t signature);

#endif

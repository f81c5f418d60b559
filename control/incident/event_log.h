/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ESF_EVENT_LOG_H
#define ESF_EVENT_LOG_H

#include <stdint.h>

#include <urcu-qsbr.h>

#include "control/config/config.h"
#include "control/fleet/roster.h"
#include "dataplane/plane.h"

/*
 * What the sites said in words: the most recent events, and counts of all. One writer, the control
 * thread, which empties the shards' rings each tick; readers get an immutable snapshot under RCU,
 * as they get views.
 */
enum {
	ESF_EVENT_LOG_SIZE = 1024,                    /* events remembered */
	ESF_EVENT_CODES_MAX = 4 * ESF_SIGNATURES_MAX, /* distinct codes over all reloads */
};

struct esf_event_snapshot {
	uint64_t dropped; /* found their shard's ring full */
	uint64_t unmatched[ESF_SEVERITIES];
	/* Distinct, in the order of the first configuration, then those that later ones brought:
	 * their counts go on when their signatures are gone. */
	uint32_t codes_count;
	const char *const *codes;
	const uint64_t *matched; /* by code */
	const uint64_t *matched_suppressed; /* of them of sites in maintenance */
	uint64_t taken; /* events since the start, of which the latest are here: */
	uint32_t events_count;
	/* Newest first, in the order in which control took them. `signature` is an index into
	 * codes, or ESF_NO_SIGNATURE. */
	const struct esf_event *events;
	const bool *suppressed; /* by event: at its time its site was in maintenance */
	struct rcu_head rcu;
};

struct esf_event_log;

/* NULL when out of memory. revision: that of the policy made of the configuration, which is not
 * needed afterwards. */
struct esf_event_log *esf_event_log_create(const struct esf_config *config, uint64_t revision);
/* After all readers have stopped. */
void esf_event_log_destroy(struct esf_event_log *log);

/*
 * Control, for a reload: prepare before the new policy is set, commit after a grace period and a
 * drain behind it, when no event of the former policy can come any more. Between the two, events of
 * either are known. 0; -ENOMEM; -E2BIG where there would be more than ESF_EVENT_CODES_MAX codes.
 * Where it fails, or no commit follows, nothing changed.
 */
int esf_event_log_prepare(
    struct esf_event_log *log, const struct esf_config *config, uint64_t revision);
void esf_event_log_commit(struct esf_event_log *log);

/* Control, online: takes what the shards hold, a bounded number, and publishes what changed. Out of
 * memory, readers keep the former snapshot until the next time. roster: whose maintenance windows
 * suppress events; NULL: none do. */
void esf_event_log_drain(
    struct esf_event_log *log, struct esf_plane *plane, const struct esf_roster *roster);

/* Readers, under rcu_read_lock; never NULL. */
const struct esf_event_snapshot *esf_event_log_latest(const struct esf_event_log *log);

/* An event's code; NULL: no signature took it. */
const char *esf_event_code(
    const struct esf_event_snapshot *snapshot, const struct esf_event *event);

#endif

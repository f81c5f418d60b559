/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ESF_HISTORY_H
#define ESF_HISTORY_H

#include "control/fleet/intervals.h"
#include "control/history/store.h"
#include "control/incident/event_log.h"

/*
 * The history: what intervals say in the end, and what sites said in words, kept in history.file. A
 * thread of its own writes it; control hands it batches through a bounded queue and never waits for
 * the disk. What finds the queue full is counted as dropped. A batch that can't be written is tried
 * again every few seconds; a corrupt file is set aside and another one begun.
 */
enum { ESF_HISTORY_QUEUE_MAX = 1 << 20 }; /* points and events */

struct esf_history_status {
	bool on;          /* there is a history.file */
	bool well;        /* the last attempt succeeded; true before the first */
	uint64_t written; /* points and events */
	uint64_t dropped; /* for want of room */
	uint64_t queued;
	uint64_t failures;    /* attempts */
	uint64_t set_aside;   /* files */
	uint64_t batches, batches_over; /* queued, and of them those written or dropped */
	int64_t last_written;           /* Unix ns, 0: never */
	char path[4096];
	char error[ESF_STORE_ERROR_SIZE]; /* of the last failure; "": none yet, or it is over */
};

struct esf_history;

/* NULL: out of memory or of threads. */
struct esf_history *esf_history_start(void);
/* Tries once more to write what is queued. NULL is allowed. */
void esf_history_stop(struct esf_history *history);

/* Control, whenever it may be another configuration or roster. */
void esf_history_follow(
    struct esf_history *history, const struct esf_config *config, const struct esf_roster *roster);

/* An esf_intervals_ended: queues all the interval's points. context: the history. */
void esf_history_take(void *context, struct esf_intervals *intervals, uint32_t interval);

/* Control, online, once a tick: queues the events since the last time. */
void esf_history_hear(struct esf_history *history, const struct esf_event_snapshot *events);

/*
 * Control, after a restart that goes on from a snapshot, before the first interval ends: what the
 * piece wrote after the snapshot is taken back, see pieces.h.
 */
void esf_history_take_back(
    struct esf_history *history, uint64_t piece, int64_t since, bool running);

/* Any thread. */
void esf_history_status(struct esf_history *history, struct esf_history_status *out);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ESF_STATE_H
#define ESF_STATE_H

#include "control/config/config.h"
#include "control/fleet/intervals.h"
#include "control/fleet/judge.h"
#include "control/history/history.h"
#include "control/state/file.h"

/*
 * Warm restart: state.file holds a snapshot of what the appliance knows, made every state.every and
 * once more at a clean stop, and taken up at the next start.
 *
 * What holds after a restart, for each ETD stream, to the unit:
 *
 *   sum(history) + what is running + gap + refused by name + lost = sent
 *
 * where gap counts sequence numbers that came, or would have, between the snapshot and the restart.
 * The argument, in steps (A: the snapshot's first window N, that control has closed all before):
 *
 * 1. A shard's images are of one instant, and of each datagram that a site's dedup window knows by
 *    then the records are in windows before N, which are closed and so never change, or in a window
 *    from N on, which is in the image whole (dataplane/remember.h).
 * 2. What control made of windows before N is in the snapshot's intervals, where they run, or in
 *    the history's file, where they have ended: the snapshot is put in place only once the history
 *    has written all that was queued when N was the next window.
 * 3. What the history's file has of later, from a process that went on after its last snapshot, is
 *    taken back at the restart (history/pieces.h), and written again when the windows from N on,
 *    which the restart opens again, have closed.
 * 4. So a datagram that was accepted by the snapshot counts once, and one that was accepted later
 *    counts in nothing; its number is beyond the highest that the stream's window knows, and below
 *    the first that comes after the restart: in the gap (dataplane/dedup.h). A copy of it that
 *    comes later still is a duplicate.
 *
 * What the disk lost with the machine's power is not covered: SQLite's last transactions may be
 * gone where the snapshot is not.
 */
struct esf_state;

/* What a snapshot is of. */
struct esf_state_subjects {
	struct esf_plane *plane;
	struct esf_judge *judge;
	struct esf_intervals *intervals;
	struct esf_history *history;
	struct esf_roster *roster; /* as it is now */
	const struct esf_config *config;
};

struct esf_state_status {
	bool on;   /* there is a state.file */
	bool well; /* the last attempt succeeded; true before the first */
	char path[4096];
	uint64_t written;
	uint64_t failures;
	uint64_t refused; /* files found at the start, and not taken up */
	int64_t time;     /* Unix ns, of the latest one; 0: none in this run */
	int64_t duration; /* ns from asking for it to its being in place */
	uint64_t size;    /* bytes */
	uint64_t unpacked;
	bool exact;                       /* the ledger was of the same instant as the sites */
	char error[ESF_STATE_ERROR_SIZE]; /* of the last failure; "": it is over */

	/* the restart */
	bool warm;
	int64_t snapshot_time, restarted_at; /* Unix ns */
	uint64_t sites, windows, streams;
	uint64_t dropped_sites, dropped_parts; /* that have no place in this configuration */
	uint64_t gap_before;                   /* of the restarts before this one */
};

/*
 * Before anything else: looks for the configuration's snapshot; one that is refused is set aside,
 * and said. NULL: out of memory.
 */
struct esf_state *esf_state_create(const struct esf_config *config);
/* NULL is allowed. */
void esf_state_destroy(struct esf_state *state);

/* The key of tables of what senders chose: the snapshot's, else a new one. */
void esf_state_hash_key(struct esf_state *state, uint8_t key[16]);

/*
 * Before the shards run: takes up the snapshot, where there is one. False: it is bad, and said and
 * set aside; the subjects are to be made anew, and a second call takes up nothing.
 */
bool esf_state_recall(struct esf_state *state, const struct esf_state_subjects *subjects);

/* Control, online, once a tick, after the closing of windows. */
void esf_state_tick(struct esf_state *state, const struct esf_state_subjects *subjects);

/* Control, after the lcores stopped, before the history is: the last snapshot. */
void esf_state_finish(struct esf_state *state, const struct esf_state_subjects *subjects);

/* Any thread. */
void esf_state_status(struct esf_state *state, struct esf_state_status *out);

#endif

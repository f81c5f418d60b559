/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ESF_SHARD_H
#define ESF_SHARD_H

#include <stdbool.h>
#include <stdint.h>

#include "frame.h"
#include "plane.h"

/*
 * One lcore's share of the work: from frames to accumulators, for the sites it owns, and steering
 * for those it doesn't. All calls come from the lcore that runs the shard, in passes:
 *
 *   esf_shard_begin(shard, now);                 the pass's one time; takes up a new policy
 *   esf_shard_take(shard, parcels, ...);         for what other shards handed over
 *   esf_shard_receive(shard, ...);               for each burst from a port
 *   esf_shard_end(shard);                        publishes counters, and windows when an epoch is
 * over
 *
 * The thread is registered with RCU (QSBR) and reports a quiescent state after esf_shard_end.
 * Nothing here allocates, locks, logs, reads a clock or makes a system call.
 */

/* One received Ethernet frame; the memory stays the caller's. */
struct esf_packet {
	const uint8_t *data;
	uint32_t size;  /* bytes */
	uint32_t flags; /* enum esf_frame_flags */
};

enum esf_parcel_kind {
	ESF_PARCEL_DATAGRAM,   /* a whole datagram's payload: its verdict is the taker's to give */
	ESF_PARCEL_LINES,      /* a line of a text datagram whose verdict has been given */
	ESF_PARCEL_MORE_LINES, /* a further line of the same datagram */
};

/* Hand-over by value: this head, then size bytes of payload. 16 bytes, so that a 48-byte ETD fits a
 * 64-byte cell. */
struct esf_parcel {
	uint16_t size;
	uint8_t kind;     /* enum esf_parcel_kind */
	uint8_t listener; /* index into the policy's listeners */
	uint32_t site;   /* ETD: the site; text: the site of lines that name none, or ESF_NO_SITE */
	int64_t arrival; /* Unix ns */
};

/*
 * Puts a parcel into shard `to`'s inbox; false when there is no room (the shard counts ring_full).
 * Half of an inbox is for quiet sites only: a parcel of sites that storm goes in while less than
 * half is taken. Called on the lcore of shard `from`. Provided by lcores/; absent (NULL) where
 * there is one shard only.
 */
typedef bool (*esf_hand_over_fn)(void *context, uint32_t from, uint32_t to,
    const struct esf_parcel *parcel, const uint8_t *payload, bool storms);

void esf_shard_set_hand_over(struct esf_shard *shard, esf_hand_over_fn hand_over, void *context);

void esf_shard_begin(struct esf_shard *shard, int64_t now);

/*
 * A burst of count <= ESF_BURST_MAX frames from one port. Bit i of the result is set where frame i
 * is a neighbour's (already counted) that the caller may answer.
 */
uint64_t esf_shard_receive(struct esf_shard *shard, const struct esf_frame_addresses *ours,
    const struct esf_packet *packets, uint32_t count);

/* Parcels out of the inbox, at most ESF_PARCELS_MAX of them, in their order; the memory stays the
 * caller's. */
void esf_shard_take(struct esf_shard *shard, const struct esf_parcel *const *parcels,
    const uint8_t *const *payloads, uint32_t count);

/* Returns how many windows and cards it published, and windows it looked at to give them back; 0:
 * nothing was due. */
uint32_t esf_shard_end(struct esf_shard *shard);

/* Publishes all that changed, whatever the epoch: replay does at each window's close. From epoch to
 * epoch esf_shard_end does it in parts, so that no pass gets long. */
void esf_shard_publish(struct esf_shard *shard);

/*
 * Once, after the last pass: publishes, and then settles at the end of time, so that control may
 * close every window (end of a replay).
 */
void esf_shard_finish(struct esf_shard *shard);

/* The shard's own counters, for the thread that runs it (tests, replay); others use
 * esf_plane_ledger. */
const struct esf_ledger *esf_shard_ledger(const struct esf_shard *shard);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ESF_DEDUP_H
#define ESF_DEDUP_H

#include <stdint.h>

#include "verdict.h"

/*
 * Dedup of one ETD stream by (boot, seq): a sliding window after RFC 6479 (bitmap in 64-bit words,
 * indexed by sequence number, so that sliding never shifts bits), but with the exact window of
 * `size` numbers.
 *
 * Owner: the shard that owns the site. No clock, no allocation: the bitmap is the caller's.
 */
struct esf_dedup {
	uint32_t boot;    /* of the current life; 0 with highest 0: nothing seen yet */
	uint32_t highest; /* highest sequence number accepted in this life; 0: none */
	uint32_t lowest;  /* lowest accepted in this life: numbers below it are not gaps */
	uint32_t former;  /* while boot is ESF_DEDUP_WAITS: the life's boot */
	uint64_t
	    lost; /* gaps that slid out of the window, all lives (a life's end slides them out) */
	uint64_t forgotten; /* of lost: see below; the caller takes them out of both */
	uint32_t until;     /* while boot is ESF_DEDUP_WAITS: Unix s of the restart */
	uint32_t reserved;
};

/*
 * After a restart a stream goes on from a snapshot, and what came between the snapshot and the
 * restart is not known: the numbers from the highest that was remembered to the first one that
 * comes now. They are counted as forgotten, once, when that one comes, and are seen from then on (a
 * late one is a duplicate), so that none of them is lost or counted in two places. A life that
 * began meanwhile (its boot is behind `former` and not behind `until`) began with number 1. Until
 * then `boot` is this one, which no datagram can have, so that nothing is asked of the others.
 */
enum { ESF_DEDUP_WAITS = UINT32_MAX };

/* The stream waits. A stream that was not known: all zero, with a former boot. */
void esf_dedup_wait(struct esf_dedup *dedup, uint32_t former, uint32_t until);

/* From a window of another size: what that one does not say of a number counts as seen. */
void esf_dedup_refit(const struct esf_dedup *dedup, const uint64_t *from, uint32_t from_size,
    uint64_t *bitmap, uint32_t size);

/*
 * How many numbers may come one after the other from highest + 1 on, none of which makes another
 * one lost: at most size, and at most the count asked for; the last number that there is
 * is not among them. None while the stream waits, or before its first number.
 */
uint32_t esf_dedup_room(
    const struct esf_dedup *dedup, const uint64_t *bitmap, uint32_t size, uint32_t count);

/* Of that room, the numbers up to last, which is not below highest, have come. */
void esf_dedup_go_on(struct esf_dedup *dedup, uint64_t *bitmap, uint32_t size, uint32_t last);

/* Words of bitmap that a window of size sequence numbers (a power of two, 64..8192) needs. */
uint32_t esf_dedup_words(uint32_t size);

/*
 * Judges and, when accepted, records (boot, seq). boot_limit: highest boot (Unix seconds) that is
 * believed, now + clock.max_skew, and below ESF_DEDUP_WAITS. seq is not 0. Returns
 * ESF_DATAGRAM_ACCEPTED, _DUPLICATE (seen) or _STALE (an earlier boot, below the window: seq <=
 * highest - size, or a boot beyond boot_limit). Only ACCEPTED changes state. Work per call is
 * bounded by the bitmap's words.
 */
enum esf_datagram_verdict esf_dedup_accept(struct esf_dedup *dedup, uint64_t *bitmap, uint32_t size,
    uint32_t boot, uint32_t seq, uint32_t boot_limit);

#endif

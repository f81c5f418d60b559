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
	uint32_t reserved;
	uint64_t
	    lost; /* gaps that slid out of the window, all lives (a life's end slides them out) */
};

/* Words of bitmap that a window of size sequence numbers (a power of two, 64..8192) needs. */
uint32_t esf_dedup_words(uint32_t size);

/*
 * Judges and, when accepted, records (boot, seq). boot_limit: highest boot (Unix seconds) that is
 * believed, now + clock.max_skew. seq is not 0. Returns ESF_DATAGRAM_ACCEPTED, _DUPLICATE (seen) or
 * _STALE (an earlier boot, below the window: seq <= highest - size, or a boot beyond boot_limit).
 * Only ACCEPTED changes state. Work per call is bounded by the bitmap's words.
 */
enum esf_datagram_verdict esf_dedup_accept(struct esf_dedup *dedup, uint64_t *bitmap, uint32_t size,
    uint32_t boot, uint32_t seq, uint32_t boot_limit);

#endif

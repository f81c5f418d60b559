/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ESF_LCORES_HANDOVER_H
#define ESF_LCORES_HANDOVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dataplane/limits.h"
#include "dataplane/shard.h"
#include "tally.h"

/*
 * Hand-over by value: for each ordered pair (from, to) of shards where `to` owns sites, one
 * single-producer single-consumer ring of 64-byte cells. A parcel is its 16-byte head and its
 * payload in ceil((16 + size) / 64) consecutive cells, so that a 48-byte ETD datagram fills one.
 *
 *   the lcore of shard `from`, in its pass       the lcore of shard `to`, in its pass
 *     esf_handover_put(handover, from, to, ..);    esf_handover_take(handover, to, budget, taker,
 * ..);
 *     ... more puts ...
 *     esf_handover_flush(handover, from);
 *
 * What is put is seen by the taker after the flush, or before it where the producer ran out of the
 * room it had seen.
 *
 * Why it is right. The ring is an rte_ring in single-producer single-consumer mode, used through
 * its zero-copy calls; positions are free-running 32-bit counts of cells, taken modulo the ring's
 * size.
 *
 *   1. Who writes what. Of (tail_p, tail_c), the producer's published position and the consumer's,
 * each has one writer. Cells in [tail_c, tail_p) are the consumer's, all others the producer's: at
 * the start both are 0 and all cells are the producer's.
 *   2. No cell is read before it is written. The producer fills cells only in what it reserved,
 * which begins at tail_p, and stores tail_p with release after the last byte of the last parcel;
 * where cells were stored past the cache, which release doesn't order, after a store fence between
 * the two. The consumer loads tail_p with acquire before it looks at a cell. So whatever it finds
 * in [tail_c, tail_p) happened before.
 *   3. No cell is overwritten before it is read. The consumer stores tail_c with release after the
 * taker came back from the last parcel given up. The producer loads tail_c with acquire before it
 *      reserves, and reserves no more than size - 1 - (head_p - tail_c) cells. A payload is lent to
 *      the taker for the call only.
 *   4. Parcels are whole. tail_p is only ever moved over whole parcels (put writes a parcel whole
 * or not at all), tail_c too, and cells lie in the order of their positions; so the cell at tail_c
 * is a parcel's first, and the parcel ends at or before tail_p. take asserts it. Order is the order
 * of puts.
 *   5. Nothing is lost. put answers false, having changed nothing that the consumer can see,
 * exactly when the parcel does not fit even after looking at tail_c again. An empty ring always has
 * room, because a ring has at least twice the cells of the largest parcel. A parcel of sites that
 * storm needs half a ring's cells besides its own; in all else it is as any other.
 *   6. Where a parcel wraps: cells are contiguous in memory except from the last to the first. The
 *      producer writes the two pieces; the consumer joins them in a scratch buffer of its own. A
 * head never wraps, as it is smaller than a cell.
 *   7. Progress. Neither side waits for the other: both are wait-free, bounded by the cells they
 * see.
 *
 * tests/test_handover.c checks all of it with one and two threads.
 */
enum {
	ESF_HANDOVER_CELL = 64, /* bytes */
	ESF_HANDOVER_PARCEL_CELLS_MAX =
	    (sizeof(struct esf_parcel) + ESF_DATAGRAM_MAX + ESF_HANDOVER_CELL - 1) /
	    ESF_HANDOVER_CELL,
	ESF_HANDOVER_CELLS_MIN = 2048,
	ESF_HANDOVER_CELLS_MAX = 16384,
};

struct esf_handover;

struct esf_handover_options {
	uint32_t shards_count;
	uint64_t owners;    /* bit i: shard i owns sites, and so has an inbox */
	uint32_t cells;     /* of each ring: a power of two, ESF_HANDOVER_CELLS_MIN.._MAX */
	const int *sockets; /* NUMA node of each shard's lcore */
	void *(*allocate)(
	    size_t size, int socket); /* aligned to a cache line, NULL when out of memory */
	void (*release)(void *memory);
};

/* Set-up. 0, -EINVAL (a bound exceeded) or -ENOMEM. */
int esf_handover_create(const struct esf_handover_options *options, struct esf_handover **out);

/* When no lcore uses it any more. Parcels still inside are gone: drain first. */
void esf_handover_destroy(struct esf_handover *handover);

/* Cells a ring gets, so that all rings together stay within 64 MiB where bounds allow. */
uint32_t esf_handover_cells(uint32_t shards_count, uint64_t owners);

/* Bytes of the inboxes of one shard. */
size_t esf_handover_inbox_size(uint32_t shards_count, uint32_t cells);

/* The lcore of shard `from`; an esf_hand_over_fn whose context is the handover. */
bool esf_handover_put(void *handover, uint32_t from, uint32_t to, const struct esf_parcel *parcel,
    const uint8_t *payload, bool storms);

/* Parcels since the flush before. */
struct esf_handover_flushed {
	uint32_t put;
	uint32_t refused;
};

/* The lcore of shard `from`: what was put can now be taken. */
struct esf_handover_flushed esf_handover_flush(struct esf_handover *handover, uint32_t from);

/* Parcels out of an inbox, 1..ESF_PARCELS_MAX; all pointers are lent for the call. */
typedef void (*esf_handover_taker)(void *context, const struct esf_parcel *const *parcels,
    const uint8_t *const *payloads, uint32_t count);

/*
 * The lcore of shard `to`: gives up to budget parcels to the taker, from each ring at most its
 * share, and returns how many.
 */
uint32_t esf_handover_take(struct esf_handover *handover, uint32_t to, uint32_t budget,
    esf_handover_taker taker, void *context);

/* How full a ring was, and what that cost, counted by the giver. */
struct esf_handover_counts {
	uint32_t capacity;   /* cells */
	uint64_t high_water; /* cells: the most it held, as far as the giver had seen it emptied */
	uint64_t refused;    /* parcels that found no room: esf_handover_put was false so often */
};

/* Any thread. False, and nothing written: there is no ring from one to the other. */
bool esf_handover_counts(const struct esf_handover *handover, uint32_t from, uint32_t to,
    struct esf_handover_counts *counts);

/* Any thread; exact where neither side is running. */
bool esf_handover_is_empty(const struct esf_handover *handover, uint32_t to);

#endif

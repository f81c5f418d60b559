/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ESF_LCORES_TALLY_H
#define ESF_LCORES_TALLY_H

#include <stdatomic.h>
#include <stdint.h>

/*
 * A count that one thread keeps and any thread may read while it grows, without a locked
 * instruction. Why it is right: only the writer stores, so between its load and its store nobody
 * else's count can be lost; an aligned 64-bit word is stored and loaded whole; and relaxed order is
 * enough, because each tally says something by itself: a reader orders nothing by it and learns of
 * no other memory through it. Two tallies read together may be a pass apart. Loads and stores are
 * the plain ones of the machine.
 */
typedef _Atomic uint64_t esf_tally;

/* Any thread. Partner: the stores of the writer, below. */
static inline uint64_t esf_tally_read(const esf_tally *tally)
{
	return atomic_load_explicit(tally, memory_order_relaxed);
}

/* The writer. Partner of both: esf_tally_read. */
static inline void esf_tally_set(esf_tally *tally, uint64_t value)
{
	atomic_store_explicit(tally, value, memory_order_relaxed);
}

static inline void esf_tally_add(esf_tally *tally, uint64_t more)
{
	esf_tally_set(tally, esf_tally_read(tally) + more);
}

/*
 * Where one tally may never be seen ahead of another (what went on, of what came in): the writer
 * adds to the other first, then to this one with release; a reader reads this one first, with
 * acquire. The two below are each other's partners.
 */
static inline void esf_tally_add_after(esf_tally *tally, uint64_t more)
{
	atomic_store_explicit(tally, esf_tally_read(tally) + more, memory_order_release);
}

static inline uint64_t esf_tally_read_before(const esf_tally *tally)
{
	return atomic_load_explicit(tally, memory_order_acquire);
}

#endif

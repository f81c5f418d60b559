/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ESF_WINDOW_H
#define ESF_WINDOW_H

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "limits.h"

/*
 * Accumulators of one site in one event-time window (CONTRACT 4.2, 4.3), live and published.
 *
 * Window index = floor(t / window). A live window (struct esf_window) belongs to the shard that
 * owns the site; at each epoch the shard copies what changed into an immutable struct esf_block and
 * swaps the live window's `block` pointer by RCU. Blocks are cumulative: a reader that misses an
 * epoch loses nothing.
 */

/* One KPI of one site in one window. Accumulates without dividing; shift is the first value, so
 * squares don't cancel. */
struct esf_acc {
	uint32_t good;    /* good, in-range, finite records, those sampled out included */
	uint32_t samples; /* sum of weights; one word with good, see esf_acc_add_next */
	double shift;
	double sum;   /* of weight * (value - shift); of a counter: of the increases */
	double sumsq; /* of weight * (value - shift)^2 */
	double min;
	double max;
	double last;           /* the value with the latest time */
	uint32_t last_us;      /* since the window's start */
	uint32_t refused : 31; /* bad, uncertain, out of range, not finite */
	uint32_t counter : 1;  /* fed by a counter: sum is the increases, the moments are unused */
};
static_assert(sizeof(struct esf_acc) == 64, "one cache line");
static_assert(offsetof(struct esf_acc, samples) == offsetof(struct esf_acc, good) + 4, "one word");

/* Published: written once by the owner, read by control under RCU. */
struct esf_block {
	int64_t window;
	uint32_t site;
	uint32_t accepted;       /* records accepted into this window */
	uint32_t comms_accepted; /* sequenced datagrams accepted while this window was current */
	uint32_t comms_lost;     /* and lost ones found out meanwhile */
	uint64_t used;           /* bit i: the measured KPI i has an accumulator */
	_Alignas(ESF_CACHE_LINE) struct esf_acc accs[]; /* of those that have, in their order */
};

extern const struct esf_acc esf_acc_empty;

/* Of a measured KPI; one that has none in the block is empty. */
static inline const struct esf_acc *esf_block_acc(const struct esf_block *block, uint32_t measure)
{
	uint64_t bit = UINT64_C(1) << measure;

	return (block->used & bit) == 0
	           ? &esf_acc_empty
	           : &block->accs[__builtin_popcountll(block->used & (bit - 1))];
}

/* Live. Owner: the shard; control reads `window`, `next_of_site` and `block` only, under RCU. */
struct esf_window {
	int64_t window;
	struct esf_block *block;         /* RCU; NULL until first published */
	struct esf_window *next_of_site; /* RCU; the site's others that share its place */
	struct esf_window *next_in_slot; /* the shard's of the same index */
	uint32_t site : 30;
	uint32_t dirty : 1;  /* listed to be published */
	uint32_t counts : 1; /* counters feed it */
	uint32_t accepted;
	uint32_t comms_accepted;
	uint32_t comms_lost;
	uint64_t used; /* bit i: its accumulator of the measured KPI i may be other than zero */
	uint64_t reserved;
};
static_assert(sizeof(struct esf_window) == ESF_CACHE_LINE, "one line");
static_assert(ESF_KPIS_MAX <= 64, "a bit for each");

/*
 * The accumulators of live windows: those of the first measured KPI of all windows, then those of
 * the second; each where its window lies among the windows. Most sites send a part of what the
 * rules know, and memory that nobody writes to is never taken. The owner's.
 */
struct esf_accs {
	const uint8_t *windows; /* the first one */
	uint8_t *base;
	size_t stride; /* bytes from a KPI's to the next one's */
	size_t size;
};

/* The window's of the first KPI, as bytes. */
static inline uint8_t *esf_accs_of(const struct esf_accs *accs, const struct esf_window *window)
{
	return accs->base + ((const uint8_t *)window - accs->windows);
}

static inline struct esf_acc *esf_acc_at(uint8_t *of_window, size_t stride, uint64_t measure)
{
	return (struct esf_acc *)(of_window + stride * measure);
}

/* floor(time / window_ns), for negative times too. */
int64_t esf_window_index(int64_t time, int64_t window_ns);

/*
 * Window w closes when now >= end(w) + (windows_open - 1) * window_ns. The oldest index still open
 * at now, and the instant at which w closes.
 */
int64_t esf_window_oldest_open(int64_t now, int64_t window_ns, uint32_t windows_open);
int64_t esf_window_closes_at(int64_t window, int64_t window_ns, uint32_t windows_open);

/* Adds one good gauge value to an accumulator that has samples, dated offset_us from the window's
 * start. */
static inline void esf_acc_add_next(struct esf_acc *acc, double value, uint32_t offset_us)
{
	double delta = value - acc->shift;
	uint64_t counts;

	memcpy(&counts, acc, sizeof(counts));
	counts += UINT64_C(1) << 32 | 1; /* both counts at once */
	memcpy(acc, &counts, sizeof(counts));
	acc->sum += delta;
	acc->sumsq += delta * delta;
	if (value < acc->min)
		acc->min = value;
	if (value > acc->max)
		acc->max = value;
	if (offset_us >= acc->last_us) {
		acc->last = value;
		acc->last_us = offset_us;
	}
}

/* Adds one good gauge value, dated offset_us from the window's start, that stands for weight of
 * them; weight 0: it is known of, and that is all. */
void esf_acc_add(struct esf_acc *acc, double value, uint32_t offset_us);
void esf_acc_add_weighted(struct esf_acc *acc, double value, uint32_t offset_us, uint32_t weight);

/* Mean and sample standard deviation of a gauge's accumulator; NaN without data (deviation: below
 * two values). */
double esf_acc_mean(const struct esf_acc *acc);
double esf_acc_stddev(const struct esf_acc *acc);

#endif

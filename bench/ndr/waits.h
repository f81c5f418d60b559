/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ESF_BENCH_WAITS_H
#define ESF_BENCH_WAITS_H

#include <stdbool.h>
#include <stdint.h>

#include "histogram.h"

/*
 * Datagrams that were received and wait for the publication that holds them. A publication settles
 * at the time of the pass that began it, and holds what came up to that pass, its own included
 * (dataplane/publish.c). So a datagram is held by the first publication that settles later than
 * the pass before the datagram's own was over.
 *
 * Times are of two clocks: `after` and `settled` are the lcores' (struct esf_clock), whose order is
 * that of the passes; `sent` and `seen` are the system's, which two processes share.
 * One thread; nothing allocates after creation.
 */
enum { ESF_WAITS_PUBLICATIONS_MAX = 64 };

/* Datagrams sent at one time and received in one pass. */
struct esf_wait {
	int64_t sent;  /* Unix ns */
	int64_t after; /* lcores' ns: the pass before was over */
	uint32_t count;
};

struct esf_publication {
	int64_t settled; /* lcores' ns */
	int64_t seen;    /* Unix ns: all its blocks could be read */
};

struct esf_waits {
	struct esf_wait *ring;
	uint32_t capacity;    /* a power of two */
	uint32_t first, next; /* free-running */
	uint64_t datagrams;   /* that wait */
	struct esf_publication publications[ESF_WAITS_PUBLICATIONS_MAX];
	uint32_t first_publication, next_publication; /* free-running */
};

/* 0, -EINVAL (capacity no power of two), -ENOMEM. */
int esf_waits_create(struct esf_waits *waits, uint32_t capacity);
void esf_waits_destroy(struct esf_waits *waits);

/* False where there is no room: they will not be measured. */
bool esf_waits_add(struct esf_waits *waits, int64_t sent, int64_t after, uint32_t count);

/* False where there is no room; ask again in the next pass. Publications come in order. */
bool esf_waits_publish(struct esf_waits *waits, int64_t settled, int64_t seen);

/* Counts seen - sent of what is published by now, at most `budget` entries of it. Returns how many
 * datagrams came out as published before they were sent: clocks that disagree (they count as 0). */
uint64_t esf_waits_retire(
    struct esf_waits *waits, uint32_t budget, struct esf_histogram *histogram);

#endif

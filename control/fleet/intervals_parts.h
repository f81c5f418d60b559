/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ESF_INTERVALS_PARTS_H
#define ESF_INTERVALS_PARTS_H

#include <pthread.h>

#include "control/fleet/intervals.h"

/* What the files of the running intervals share, and nobody else includes. */

/* One of rollup.intervals. Rows of another generation are of an interval that is over: empty. */
struct track {
	struct esf_interval_span span;
	uint64_t generation; /* 0: none has begun */
	char *sites;         /* rows */
	char *scopes;        /* rows: regions, "unassigned", the fleet */
};

struct esf_intervals {
	pthread_mutex_t lock;
	uint64_t piece;    /* see esf_intervals_piece */
	uint64_t revision; /* of the last window's configuration; 0: of none */
	struct esf_interval_layout layout;
	uint32_t sites_max;  /* rows */
	uint32_t sites_seen; /* of the last window, which may be more */
	uint32_t count;
	struct track tracks[ESF_INTERVALS_MAX];
	uint32_t regions_count; /* without "unassigned" */
	char **regions;
	uint32_t *order; /* indexes of sites with rows, by region */
	uint32_t *ends;  /* by region */
	double *means;   /* scratch: sites_max */
	esf_intervals_ended *ended;
	void *context;
};

static inline struct esf_interval_row *esf_intervals_row(
    const struct esf_intervals *intervals, char *rows, uint32_t place)
{
	return (
	    struct esf_interval_row *)(void *)(rows + (size_t)place * intervals->layout.row_size);
}

#endif

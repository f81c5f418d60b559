/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ESF_PODIUM_H
#define ESF_PODIUM_H

#include <stdbool.h>
#include <stdint.h>

/*
 * The first few of many rows, in order, in memory for those few: a million sites are ranked row by
 * row. One thread.
 */
struct esf_podium_row {
	double key;  /* highest first */
	double tie;  /* then highest first */
	uint32_t id; /* then lowest first; 0, none, last */
	uint32_t site;
	uint32_t kpi; /* then these, lowest first */
};

struct esf_podium {
	uint32_t limit;
	uint32_t count;
	uint64_t offered;
	struct esf_podium_row *rows; /* until it ends a heap, the last of them in front */
};

/* limit >= 1. 0 or -ENOMEM. */
int esf_podium_start(struct esf_podium *podium, uint32_t limit);
/* Keys are no NaN. */
void esf_podium_offer(struct esf_podium *podium, const struct esf_podium_row *row);
/* Puts rows[0..count) in order. */
void esf_podium_end(struct esf_podium *podium);
void esf_podium_free(struct esf_podium *podium);

#endif

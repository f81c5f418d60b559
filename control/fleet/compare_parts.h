/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ESF_COMPARE_PARTS_H
#define ESF_COMPARE_PARTS_H

#include "control/fleet/baseline.h"
#include "control/fleet/compare.h"
#include "control/fleet/peer_groups.h"

/* What the files of the comparison share, and nobody else includes. */

enum { NAME_SIZE = 64, AGAINST_PEERS = 0, AGAINST_ITSELF = 1 };

/* What the rounds so far say of one compared KPI, by site. */
struct column {
	char name[NAME_SIZE];
	uint32_t kpi; /* index of config->kpis */
	uint64_t
	    *history[2]; /* against peers, against itself: bit i: i rounds ago it was far out */
	uint8_t *odd;    /* enum esf_odd */
	double *values;  /* by place, of the window in hand; NaN: no data */
	uint32_t slots;  /* the baseline's; 0: none */
	struct esf_baseline *baseline;
};

struct esf_compare {
	uint64_t revision;
	uint64_t grouped_revision;
	uint32_t grouped_count; /* of the roster's indexes */
	uint32_t sites;
	uint64_t rounds;
	struct esf_peer_groups groups;
	uint32_t columns_count;
	struct column *columns;
	double *scratch; /* a group's values */
};

#endif

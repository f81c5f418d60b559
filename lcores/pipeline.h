/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ESF_LCORES_PIPELINE_H
#define ESF_LCORES_PIPELINE_H

#include <stdbool.h>
#include <stdint.h>

#include "dataplane/limits.h"
#include "idle.h"
#include "nodes.h"

/* What the poll loops do: plain values, copied; see esf_launch_pipeline. */

/* One lcore in the last seconds; 0 s: it has not run for a second. */
struct esf_lcore_recent {
	double seconds;
	uint64_t cycles, busy, asleep; /* in that time, all, and of them */
	uint64_t items;                /* packets received and parcels taken */
	uint64_t packets, bursts;      /* received */
};

struct esf_lcore_counts {
	uint32_t lcore; /* DPDK's number */
	bool receive_only;
	uint32_t queues_count;
	struct esf_nodes_counts nodes;
	uint64_t packets, bursts, full_bursts; /* of all its queues */
	struct esf_lcore_recent recent;
};

struct esf_pipeline {
	uint64_t hz; /* cycles a second */
	enum esf_idle_policy idle;
	uint32_t max_sleep_us; /* of policy sleep */
	uint32_t lcores_count;
	struct esf_lcore_counts lcores[ESF_SHARDS_MAX];
};

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ESF_LCORES_PRESSURE_H
#define ESF_LCORES_PRESSURE_H

#include <stdbool.h>
#include <stdint.h>

#include "dataplane/limits.h"
#include "plan.h"

/*
 * Where there was too little room, counted where it happened: ports and their queues, hand-over
 * rings, mempools. All counts are since the start. Plain values, copied; see esf_launch_pressure.
 */

/* What a NIC lost before us. */
struct esf_nic_counts {
	uint64_t missed;    /* no room in the RX queues: we were too slow */
	uint64_t no_buffer; /* no mbuf to receive into */
	uint64_t errors;    /* frames that came in damaged */
};

struct esf_mbuf_counts {
	uint64_t total;
	uint64_t free;
	uint64_t in_use;
};

/* All but errors are the polling lcore's own counts. */
struct esf_queue_counts {
	uint32_t lcore; /* that polls it */
	uint64_t packets;
	uint64_t polls;
	uint64_t bursts;      /* polls that found packets */
	uint64_t full_bursts; /* of them: those that found as many as they would take */
	uint64_t unbuffered;  /* answers to neighbours that found no mbuf */
	uint64_t unsent;      /* answers that found no room in the TX queue */
	bool errors_known;    /* whether the driver counts errors by queue */
	uint64_t errors;
};

struct esf_port_counts {
	uint16_t id;      /* DPDK's */
	const char *name; /* lives as long as the launch */
	struct esf_nic_counts lost;
	uint32_t queues_count;
	struct esf_queue_counts queues[ESF_PLAN_PORT_QUEUES_MAX];
};

/* One inbox: what one lcore hands over to another. */
struct esf_ring_counts {
	uint32_t from, to;   /* lcores */
	uint32_t capacity;   /* cells of ESF_HANDOVER_CELL bytes */
	uint64_t high_water; /* cells: the most it held, as the giver saw it */
	uint64_t refused;    /* parcels that found no room */
};

struct esf_pool_counts {
	const char *name; /* lives as long as the launch */
	uint64_t size;    /* mbufs */
	uint64_t free;
	uint64_t low_water; /* the fewest that were free at any tick, or now */
	uint64_t failed;    /* our own allocations that got none; a port's are its no_buffer */
};

enum { ESF_RINGS_MAX = ESF_SHARDS_MAX * (ESF_SHARDS_MAX - 1) };

struct esf_pressure {
	struct esf_nic_counts nic;    /* of all ports */
	struct esf_mbuf_counts mbufs; /* of all pools */
	uint32_t ports_count;
	uint32_t rings_count;
	uint32_t pools_count;
	struct esf_port_counts ports[ESF_PORTS_MAX];
	struct esf_ring_counts rings[ESF_RINGS_MAX];
	struct esf_pool_counts pools[ESF_PLAN_POOLS_MAX];
};

#endif

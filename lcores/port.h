/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ESF_LCORES_PORT_H
#define ESF_LCORES_PORT_H

#include <stdint.h>
#include <stdio.h>

#include "plan.h"

struct rte_mempool;

/* An Ethernet port under DPDK, from its configuration to its end. All calls: control thread. */

/* What a NIC lost before us. */
struct esf_nic_counts {
	uint64_t missed;    /* no room in the RX queues: we were too slow */
	uint64_t no_buffer; /* no mbuf to receive into */
	uint64_t errors;    /* frames that came in damaged */
};

/*
 * Configures ports[index] of the plan, its queues on pool, and starts it. 0, or -errno after one
 * line to errors with the port stopped.
 */
int esf_port_start(
    const struct esf_plan *plan, uint32_t index, struct rte_mempool *pool, FILE *errors);

/* Counts since the start; adds to *into. */
void esf_port_count(const struct esf_plan_port *port, struct esf_nic_counts *into);

/* Stops and closes: every mbuf the port held is back in its pool. It cannot be started again. */
void esf_port_close(const struct esf_plan_port *port);

#endif

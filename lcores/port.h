/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ESF_LCORES_PORT_H
#define ESF_LCORES_PORT_H

#include <stdint.h>
#include <stdio.h>

#include "packet_sockets.h"
#include "plan.h"
#include "pressure.h"

struct rte_mempool;

/*
 * An Ethernet port under DPDK, from its configuration to its end. Control thread; counting by any
 * thread, one at a time and not while the port is closed. The plan outlives the port.
 */

struct esf_port {
	const struct esf_plan_port *plan;
	bool open;
	bool counts_errors[ESF_PLAN_PORT_QUEUES_MAX]; /* whether the driver does, for the queue */
	uint64_t errors_xstat[ESF_PLAN_PORT_QUEUES_MAX]; /* and where */
	struct esf_packet_sockets sockets;               /* of net_af_packet */
	struct esf_port_counts counts;                   /* as last read */
};

/*
 * Configures ports[index] of the plan, its queues on pool, and starts it. 0, or -errno after one
 * line to errors with the port stopped; it has to be closed in any case.
 */
int esf_port_start(const struct esf_plan *plan, uint32_t index, struct rte_mempool *pool,
    struct esf_port *port, FILE *errors);

/* Counts since the start, to the close at most. Of a queue only the driver's: errors. */
void esf_port_count(struct esf_port *port, struct esf_port_counts *counts);

/* Stops and closes: every mbuf the port held is back in its pool. It cannot be started again. */
void esf_port_close(struct esf_port *port);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#include "port.h"

#include <errno.h>
#include <string.h>

#include <rte_ethdev.h>

static int fail(
    const struct esf_plan *plan, uint32_t index, const char *what, int error, FILE *errors)
{
	const struct esf_plan_port *port = &plan->ports[index];

	fprintf(errors, "%s: ports[%u]: DPDK's port %u (%s): cannot %s: %s\n", plan->program, index,
	    port->id, port->name, what, strerror(-error));
	return error;
}

static int configure(const struct esf_plan_port *port)
{
	struct rte_eth_conf conf = { .rxmode = { .offloads = port->rx_offloads } };

	if (port->rss != 0) {
		conf.rxmode.mq_mode = RTE_ETH_MQ_RX_RSS;
		conf.rx_adv_conf.rss_conf.rss_hf = port->rss;
	}
	return rte_eth_dev_configure(port->id, port->rx_queues, port->tx_queues, &conf);
}

static int set_up_queues(
    const struct esf_plan *plan, uint32_t index, struct rte_mempool *pool, FILE *errors)
{
	const struct esf_plan_port *port = &plan->ports[index];
	unsigned socket = (unsigned)port->socket;
	char what[64];
	int error;

	for (uint16_t i = 0; i < port->rx_queues; i++) {
		error =
		    rte_eth_rx_queue_setup(port->id, i, port->rx_descriptors, socket, NULL, pool);
		if (error != 0) {
			snprintf(what, sizeof(what), "set up RX queue %u", i);
			return fail(plan, index, what, error, errors);
		}
	}
	for (uint16_t i = 0; i < port->tx_queues; i++) {
		error = rte_eth_tx_queue_setup(port->id, i, port->tx_descriptors, socket, NULL);
		if (error != 0) {
			snprintf(what, sizeof(what), "set up TX queue %u", i);
			return fail(plan, index, what, error, errors);
		}
	}
	return 0;
}

/*
 * IPv6 neighbours ask by multicast. A port that cannot be told to take multicast gets everything;
 * what is not ours is counted so.
 */
static void take_multicast(const struct esf_plan_port *port)
{
	if (port->addresses->count == 0)
		return;
	if (rte_eth_allmulticast_enable(port->id) != 0)
		(void)rte_eth_promiscuous_enable(port->id);
}

int esf_port_start(
    const struct esf_plan *plan, uint32_t index, struct rte_mempool *pool, FILE *errors)
{
	const struct esf_plan_port *port = &plan->ports[index];
	int error = configure(port);

	if (error != 0)
		return fail(plan, index, "be configured", error, errors);
	error = set_up_queues(plan, index, pool, errors);
	if (error != 0)
		return error;
	error = rte_eth_dev_start(port->id);
	if (error != 0)
		return fail(plan, index, "start", error, errors);
	take_multicast(port);
	(void)rte_eth_stats_reset(port->id);
	return 0;
}

void esf_port_count(const struct esf_plan_port *port, struct esf_nic_counts *into)
{
	struct rte_eth_stats stats;

	if (rte_eth_stats_get(port->id, &stats) != 0)
		return;
	into->missed += stats.imissed;
	into->no_buffer += stats.rx_nombuf;
	into->errors += stats.ierrors;
}

void esf_port_close(const struct esf_plan_port *port)
{
	(void)rte_eth_dev_stop(port->id);
	(void)rte_eth_dev_close(port->id);
}

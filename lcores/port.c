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

/* A driver that counts errors by queue has an extended statistic of that name, or DPDK makes it. */
static void find_errors(struct esf_port *port)
{
	for (uint16_t i = 0; i < port->plan->rx_queues; i++) {
		char name[RTE_ETH_XSTATS_NAME_SIZE];

		snprintf(name, sizeof(name), "rx_q%u_errors", i);
		port->counts_errors[i] = rte_eth_xstats_get_id_by_name(
		                             port->plan->id, name, &port->errors_xstat[i]) == 0;
	}
}

static void find_sockets(struct esf_port *port)
{
	struct rte_eth_dev_info info;

	if (strcmp(port->plan->driver, "net_af_packet") == 0 &&
	    rte_eth_dev_info_get(port->plan->id, &info) == 0 && info.if_index != 0)
		esf_packet_sockets_find(&port->sockets, info.if_index);
}

/*
 * A packet socket hears every interface of the machine from its making until it is bound to its own
 * (packet(7)), and DPDK makes its ring in between. What lies in it now came before the port was
 * started, from wherever: it is nobody's. A ring has 2^16 frames at most.
 */
static void empty_sockets(const struct esf_port *port)
{
	struct rte_mbuf *mbufs[ESF_BURST_MAX];

	if (strcmp(port->plan->driver, "net_af_packet") != 0)
		return;
	for (uint16_t queue = 0; queue < port->plan->rx_queues; queue++)
		for (uint32_t bursts = 0; bursts < 65536 / ESF_BURST_MAX; bursts++) {
			uint16_t count =
			    rte_eth_rx_burst(port->plan->id, queue, mbufs, ESF_BURST_MAX);

			if (count == 0)
				break;
			rte_pktmbuf_free_bulk(mbufs, count);
		}
}

static void start_counting(struct esf_port *port)
{
	port->counts.queues_count = port->plan->rx_queues;
	(void)rte_eth_stats_reset(port->plan->id);
	(void)rte_eth_xstats_reset(port->plan->id);
	find_errors(port);
	find_sockets(port);
	for (uint16_t i = 0; i < port->plan->rx_queues; i++)
		port->counts.queues[i].errors_known = port->counts_errors[i];
}

int esf_port_start(const struct esf_plan *plan, uint32_t index, struct rte_mempool *pool,
    struct esf_port *port, FILE *errors)
{
	const struct esf_plan_port *planned = &plan->ports[index];
	int error = configure(planned);

	port->plan = planned;
	port->open = true;
	port->counts.id = planned->id;
	port->counts.name = planned->name;
	if (error != 0)
		return fail(plan, index, "be configured", error, errors);
	error = set_up_queues(plan, index, pool, errors);
	if (error != 0)
		return error;
	error = rte_eth_dev_start(planned->id);
	if (error != 0)
		return fail(plan, index, "start", error, errors);
	take_multicast(planned);
	empty_sockets(port);
	start_counting(port);
	return 0;
}

static void read_errors(struct esf_port *port)
{
	for (uint16_t i = 0; i < port->plan->rx_queues; i++)
		if (port->counts_errors[i])
			(void)rte_eth_xstats_get_by_id(port->plan->id, &port->errors_xstat[i],
			    &port->counts.queues[i].errors, 1);
}

static void read_counts(struct esf_port *port)
{
	struct rte_eth_stats stats;

	if (!port->open || rte_eth_stats_get(port->plan->id, &stats) != 0)
		return;
	port->counts.lost.missed = stats.imissed + esf_packet_sockets_dropped(&port->sockets);
	port->counts.lost.no_buffer = stats.rx_nombuf;
	port->counts.lost.errors = stats.ierrors;
	read_errors(port);
}

void esf_port_count(struct esf_port *port, struct esf_port_counts *counts)
{
	read_counts(port);
	*counts = port->counts;
}

void esf_port_close(struct esf_port *port)
{
	read_counts(port);
	port->open = false;
	(void)rte_eth_dev_stop(port->plan->id);
	(void)rte_eth_dev_close(port->plan->id);
}

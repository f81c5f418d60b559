/* SPDX-License-Identifier: Apache-2.0 */
#include "plan.h"

#include <inttypes.h>

#include <rte_eal.h>

static void print_shard(const struct esf_plan *plan, uint32_t index, FILE *out)
{
	const struct esf_plan_shard *shard = &plan->shards[index];

	fprintf(out, "  lcore %u: shard %u,", shard->lcore, index);
	for (uint32_t i = 0; i < shard->queues_count; i++)
		fprintf(out, "%s %u/%u", i == 0 ? " polls (port/queue)" : "",
		    plan->ports[shard->queues[i].port].id, shard->queues[i].rx);
	if (shard->queues_count == 0)
		fprintf(out, " polls nothing");
	fprintf(out, ", %s%s\n", shard->receive_only ? "only receives" : "owns sites",
	    shard->shares_cpu ? ", shares its CPU" : "");
}

static void print_port(const struct esf_plan_port *port, FILE *out)
{
	fprintf(out,
	    "  port %u: %s (%s), %u RX queue%s of %u, %u TX of %u, MTU %u, RSS %s, checksums by "
	    "%s\n",
	    port->id, port->name, port->driver, port->rx_queues, port->rx_queues == 1 ? "" : "s",
	    port->rx_descriptors, port->tx_queues, port->tx_descriptors, port->mtu,
	    port->rss != 0 ? "on IP addresses" : "none",
	    port->rx_offloads != 0 ? "the NIC" : "software");
}

static void print_pool(const struct esf_plan_pool *pool, FILE *out)
{
	fprintf(out,
	    "  node %d: %u mbufs of %u bytes, %" PRIu64 " MiB, inboxes %" PRIu64
	    " MiB; %s: need %" PRIu64 " MiB, free %" PRIu64 " MiB\n",
	    pool->socket, pool->mbufs_count, pool->room_size, pool->size >> 20,
	    pool->inbox_size >> 20, rte_eal_has_hugepages() ? "hugepages" : "memory (no hugepages)",
	    (pool->size + pool->inbox_size + (1 << 20) - 1) >> 20, pool->memory_free >> 20);
}

/* What a queue holds while its lcore sleeps for the longest. */
static void print_idle(const struct esf_plan *plan, FILE *out)
{
	fprintf(out, "  idle: %s", esf_idle_names[plan->idle]);
	if (plan->idle == ESF_IDLE_SLEEP)
		fprintf(out, ", at most %u us", plan->max_sleep_us);
	for (uint32_t i = 0; plan->idle == ESF_IDLE_SLEEP && i < plan->ports_count; i++)
		fprintf(out, "; a queue of port %u holds %u packets: %.0f/s for that long",
		    plan->ports[i].id, plan->ports[i].rx_room,
		    plan->ports[i].rx_room * 1e6 / plan->max_sleep_us);
	fputc('\n', out);
}

void esf_plan_print(const struct esf_plan *plan, FILE *out)
{
	fprintf(out, "plan: %u data lcore%s, main lcore %u, %u port%s; sites %s\n",
	    plan->shards_count, plan->shards_count == 1 ? "" : "s", plan->main_lcore,
	    plan->ports_count, plan->ports_count == 1 ? "" : "s",
	    plan->shards_count == 1   ? "all on one lcore"
	    : plan->owner_is_receiver ? "are owned by the lcore that receives them first"
	                              : "are spread over the owning lcores and handed over");
	for (uint32_t i = 0; i < plan->shards_count; i++)
		print_shard(plan, i, out);
	print_idle(plan, out);
	for (uint32_t i = 0; i < plan->ports_count; i++)
		print_port(&plan->ports[i], out);
	for (uint32_t i = 0; i < plan->pools_count; i++)
		print_pool(&plan->pools[i], out);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "launch_state.h"

#include <stdlib.h>

static void count_queue(const struct esf_poller *poller, const struct esf_poll_queue *queue,
    struct esf_queue_counts *to)
{
	to->full_bursts = esf_tally_read_before(&queue->full_bursts);
	to->bursts = esf_tally_read_before(&queue->bursts);
	to->packets = esf_tally_read(&queue->packets);
	to->unbuffered = esf_tally_read(&queue->unbuffered);
	to->unsent = esf_tally_read(&queue->unsent);
	to->polls = esf_tally_read(&poller->nodes.passes);
}

static void count_ports(const struct esf_launch *launch, struct esf_pressure *to)
{
	to->ports_count = launch->plan.ports_count;
	pthread_mutex_lock(launch->counting);
	for (uint32_t i = 0; i < to->ports_count; i++) {
		esf_port_count(&launch->ports[i], &to->ports[i]);
		to->nic.missed += to->ports[i].lost.missed;
		to->nic.no_buffer += to->ports[i].lost.no_buffer;
		to->nic.errors += to->ports[i].lost.errors;
	}
	pthread_mutex_unlock(launch->counting);
}

static void count_queues(const struct esf_launch *launch, struct esf_pressure *to)
{
	for (uint32_t i = 0; i < launch->plan.shards_count; i++) {
		const struct esf_plan_shard *shard = &launch->plan.shards[i];

		for (uint32_t j = 0; j < shard->queues_count; j++) {
			const struct esf_plan_queue *planned = &shard->queues[j];
			struct esf_queue_counts *queue =
			    &to->ports[planned->port].queues[planned->rx];

			queue->lcore = shard->lcore;
			count_queue(launch->pollers[i], &launch->pollers[i]->queues[j], queue);
			to->pools[launch->plan.ports[planned->port].pool].failed +=
			    queue->unbuffered;
		}
	}
}

static void count_rings(const struct esf_launch *launch, struct esf_pressure *to)
{
	const struct esf_plan *plan = &launch->plan;

	if (launch->handover == NULL)
		return;
	for (uint32_t from = 0; from < plan->shards_count; from++)
		for (uint32_t taker = 0; taker < plan->shards_count; taker++) {
			struct esf_ring_counts *ring = &to->rings[to->rings_count];
			struct esf_handover_counts counts;

			if (!esf_handover_counts(launch->handover, from, taker, &counts))
				continue;
			*ring = (struct esf_ring_counts){
				.from = plan->shards[from].lcore,
				.to = plan->shards[taker].lcore,
				.capacity = counts.capacity,
				.high_water = counts.high_water,
				.refused = counts.refused,
			};
			to->rings_count++;
		}
}

/* A node that has inboxes only comes last in the plan and has no pool. */
static void count_pools(const struct esf_launch *launch, struct esf_pressure *to)
{
	for (uint32_t i = 0; i < launch->plan.pools_count && launch->pools[i] != NULL; i++) {
		const struct rte_mempool *pool = launch->pools[i];
		struct esf_pool_counts *counts = &to->pools[to->pools_count++];

		counts->name = pool->name;
		counts->size = pool->size;
		counts->free = rte_mempool_avail_count(pool);
		counts->low_water = RTE_MIN(esf_tally_read(&launch->low_water[i]), counts->free);
		to->mbufs.total += counts->size;
		to->mbufs.free += counts->free;
		to->mbufs.in_use += counts->size - counts->free;
	}
}

struct esf_pressure *esf_launch_pressure(const struct esf_launch *launch)
{
	struct esf_pressure *pressure = calloc(1, sizeof(*pressure));

	if (pressure == NULL)
		return NULL;
	count_ports(launch, pressure);
	count_queues(launch, pressure);
	count_rings(launch, pressure);
	count_pools(launch, pressure);
	return pressure;
}

void esf_launch_mbufs(const struct esf_launch *launch, struct esf_mbuf_counts *counts)
{
	*counts = (struct esf_mbuf_counts){ 0 };
	for (uint32_t i = 0; i < launch->plan.pools_count; i++) {
		uint32_t free_count;

		if (launch->pools[i] == NULL)
			continue;
		free_count = rte_mempool_avail_count(launch->pools[i]);
		counts->total += launch->pools[i]->size;
		counts->free += free_count;
		counts->in_use += launch->pools[i]->size - free_count;
	}
}

void esf_launch_measure_pools(struct esf_launch *launch)
{
	for (uint32_t i = 0; i < launch->plan.pools_count; i++) {
		uint64_t free_count;

		if (launch->pools[i] == NULL)
			continue;
		free_count = rte_mempool_avail_count(launch->pools[i]);
		if (free_count < esf_tally_read(&launch->low_water[i]))
			esf_tally_set(&launch->low_water[i], free_count);
	}
}

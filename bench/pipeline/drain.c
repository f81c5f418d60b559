/* SPDX-License-Identifier: Apache-2.0 */
#include "bench.h"

#include <errno.h>
#include <string.h>

#include <rte_ethdev.h>
#include <rte_launch.h>
#include <rte_mbuf.h>

#include "lcores/port.h"

/* What the ports give once stamped, and nothing done with it: the ceiling that is left. */
struct drain {
	const struct esf_plan *plan;
	uint32_t ports_count;
	struct esf_port ports[ESF_PORTS_MAX];
	struct rte_mempool *pools[ESF_PLAN_POOLS_MAX];
	uint32_t lcores_count;
	bool stop; /* stored with release by the main thread, loaded with acquire by each lcore */
};

/* An lcore and what it polls. */
struct drain_lcore {
	struct drain *drain;
	const struct esf_plan_shard *shard;
};

static int poll_run(void *context)
{
	const struct drain_lcore *lcore = context;
	const struct drain *drain = lcore->drain;
	struct rte_mbuf *mbufs[ESF_BURST_MAX];

	while (!__atomic_load_n(&drain->stop, __ATOMIC_ACQUIRE)) {
		for (uint32_t i = 0; i < lcore->shard->queues_count; i++) {
			const struct esf_plan_queue *queue = &lcore->shard->queues[i];
			uint16_t count = rte_eth_rx_burst(
			    drain->plan->ports[queue->port].id, queue->rx, mbufs, ESF_BURST_MAX);

			rte_pktmbuf_free_bulk(mbufs, count);
		}
	}
	return 0;
}

static int start_pools(struct drain *drain)
{
	for (uint32_t i = 0; i < drain->plan->pools_count; i++) {
		const struct esf_plan_pool *pool = &drain->plan->pools[i];
		char name[RTE_MEMPOOL_NAMESIZE];

		if (pool->mbufs_count == 0)
			continue;
		snprintf(name, sizeof(name), "drain-mbufs-%u", i);
		drain->pools[i] = rte_pktmbuf_pool_create(
		    name, pool->mbufs_count, ESF_PLAN_MBUF_CACHE, 0, pool->room_size, pool->socket);
		if (drain->pools[i] == NULL) {
			fputs("pipeline-bench: no memory for mbufs\n", stderr);
			return -ENOMEM;
		}
	}
	return 0;
}

static int start_ports(struct drain *drain)
{
	int error = 0;

	for (uint32_t i = 0; i < drain->plan->ports_count && error == 0; i++) {
		error = esf_port_start(drain->plan, i, drain->pools[drain->plan->ports[i].pool],
		    &drain->ports[i], stderr);
		drain->ports_count = i + 1;
	}
	return error;
}

static int start_lcores(struct drain *drain, struct drain_lcore *lcores)
{
	int error = 0;

	for (uint32_t i = 0; i < drain->plan->shards_count && error == 0; i++) {
		lcores[i] = (struct drain_lcore){ drain, &drain->plan->shards[i] };
		error = rte_eal_remote_launch(poll_run, &lcores[i], drain->plan->shards[i].lcore);
		if (error == 0)
			drain->lcores_count = i + 1;
	}
	return error;
}

static void stop(struct drain *drain)
{
	__atomic_store_n(&drain->stop, true, __ATOMIC_RELEASE);
	for (uint32_t i = 0; i < drain->lcores_count; i++)
		rte_eal_wait_lcore(drain->plan->shards[i].lcore);
	for (uint32_t i = 0; i < drain->ports_count; i++)
		esf_port_close(&drain->ports[i]);
	for (uint32_t i = 0; i < drain->plan->pools_count; i++)
		rte_mempool_free(drain->pools[i]);
}

int esf_bench_run_drain(struct esf_bench *bench)
{
	static struct drain drain;
	struct drain_lcore lcores[ESF_SHARDS_MAX];
	const struct esf_bench_engine engine = { 0 };
	int result;

	drain.plan = &bench->plan;
	result = start_pools(&drain);
	if (result == 0)
		result = start_ports(&drain);
	if (result == 0)
		result = start_lcores(&drain, lcores);
	if (result == 0)
		result = bench->measure(bench, &engine);
	stop(&drain);
	return result;
}

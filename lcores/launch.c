/* SPDX-License-Identifier: Apache-2.0 */
#include "launch_state.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <rte_cycles.h>
#include <rte_ethdev.h>
#include <rte_launch.h>
#include <rte_lcore.h>
#include <rte_malloc.h>
#include <rte_mbuf.h>
#include <urcu-qsbr.h>

static int out_of_memory(const struct esf_launch *launch, const char *what, FILE *errors)
{
	fprintf(errors, "%s: memory: none left for %s: give DPDK more (hugepages, or -m in eal:)\n",
	    launch->plan.program, what);
	return -ENOMEM;
}

static void *allocate(size_t size, int socket)
{
	return rte_malloc_socket("esf-handover", size, RTE_CACHE_LINE_SIZE, socket);
}

static int start_handover(struct esf_launch *launch, FILE *errors)
{
	const struct esf_plan *plan = &launch->plan;
	int sockets[ESF_SHARDS_MAX];
	struct esf_handover_options options = {
		.shards_count = plan->shards_count,
		.owners = plan->owners,
		.cells = plan->handover_cells,
		.sockets = sockets,
		.allocate = allocate,
		.release = rte_free,
	};

	if (plan->shards_count == 1)
		return 0;
	for (uint32_t i = 0; i < plan->shards_count; i++)
		sockets[i] = plan->shards[i].socket;
	if (esf_handover_create(&options, &launch->handover) != 0)
		return out_of_memory(launch, "the hand-over rings", errors);
	for (uint32_t i = 0; i < plan->shards_count; i++)
		esf_shard_set_hand_over(
		    esf_plane_shard(launch->plane, i), esf_handover_put, launch->handover);
	return 0;
}

static int start_watchdog(struct esf_launch *launch, FILE *errors)
{
	uint32_t lcores[ESF_SHARDS_MAX];

	for (uint32_t i = 0; i < launch->plan.shards_count; i++)
		lcores[i] = launch->plan.shards[i].lcore;
	launch->watchdog = esf_watchdog_create(lcores, launch->plan.shards_count);
	return launch->watchdog != NULL ? 0 : out_of_memory(launch, "the watchdog", errors);
}

static int start_pools(struct esf_launch *launch, FILE *errors)
{
	for (uint32_t i = 0; i < launch->plan.pools_count; i++) {
		const struct esf_plan_pool *pool = &launch->plan.pools[i];
		char name[RTE_MEMPOOL_NAMESIZE];

		if (pool->mbufs_count == 0)
			continue;
		snprintf(name, sizeof(name), "esf-mbufs-%u", i);
		launch->pools[i] = rte_pktmbuf_pool_create(
		    name, pool->mbufs_count, ESF_PLAN_MBUF_CACHE, 0, pool->room_size, pool->socket);
		if (launch->pools[i] == NULL)
			return out_of_memory(launch, "mbufs", errors);
		esf_tally_set(&launch->low_water[i], launch->pools[i]->size);
	}
	return 0;
}

static int start_ports(struct esf_launch *launch, FILE *errors)
{
	for (uint32_t i = 0; i < launch->plan.ports_count; i++) {
		struct rte_mempool *pool = launch->pools[launch->plan.ports[i].pool];
		int error = esf_port_start(&launch->plan, i, pool, &launch->ports[i], errors);

		/* One that did not start may hold mbufs all the same. */
		launch->ports_started = i + 1;
		if (error != 0)
			return error;
	}
	return 0;
}

static void fill_queue(const struct esf_launch *launch, const struct esf_plan_queue *planned,
    struct esf_poll_queue *queue)
{
	const struct esf_plan_port *port = &launch->plan.ports[planned->port];
	struct rte_ether_addr mac = { { 0 } };

	(void)rte_eth_macaddr_get(port->id, &mac);
	queue->port = port->id;
	queue->rx = planned->rx;
	queue->tx = planned->tx;
	memcpy(queue->mac, mac.addr_bytes, sizeof(queue->mac));
	queue->frame_flags = port->frame_flags;
	queue->addresses = port->addresses;
	queue->pool = launch->pools[port->pool];
}

static int make_pollers(struct esf_launch *launch, FILE *errors)
{
	for (uint32_t i = 0; i < launch->plan.shards_count; i++) {
		const struct esf_plan_shard *shard = &launch->plan.shards[i];
		struct esf_poller *poller = rte_zmalloc_socket(
		    "esf-poller", sizeof(*poller), RTE_CACHE_LINE_SIZE, shard->socket);

		if (poller == NULL)
			return out_of_memory(launch, "the poll loops", errors);
		launch->pollers[i] = poller;
		poller->index = i;
		poller->shard = esf_plane_shard(launch->plane, i);
		poller->handover = launch->handover;
		poller->clock = &launch->clock;
		poller->keepalive = esf_watchdog_keepalive(launch->watchdog);
		poller->stop = &launch->stop;
		esf_idle_start(
		    &poller->idle, launch->plan.idle, shard->shares_cpu, launch->plan.max_sleep_us);
		poller->queues_count = shard->queues_count;
		for (uint32_t j = 0; j < shard->queues_count; j++)
			fill_queue(launch, &shard->queues[j], &poller->queues[j]);
	}
	return 0;
}

static int start_lcores(struct esf_launch *launch, FILE *errors)
{
	int error = make_pollers(launch, errors);

	for (uint32_t i = 0; i < launch->plan.shards_count && error == 0; i++) {
		uint32_t lcore = launch->plan.shards[i].lcore;

		error = rte_eal_remote_launch(esf_poll_run, launch->pollers[i], lcore);
		if (error != 0)
			fprintf(errors, "%s: lcore %u cannot be started: %s\n",
			    launch->plan.program, lcore, strerror(-error));
		else
			launch->lcores_started = i + 1;
	}
	return error;
}

/* The lcores may need a grace period to come to their end, so this thread must not hold one up. */
static void stop_lcores(struct esf_launch *launch)
{
	__atomic_store_n(&launch->stop, true, __ATOMIC_RELEASE);
	rcu_thread_offline();
	for (; launch->lcores_started > 0; launch->lcores_started--)
		rte_eal_wait_lcore(launch->plan.shards[launch->lcores_started - 1].lcore);
	rcu_thread_online();
}

/* A parcel of lines is never handed on, so a round finds nothing after two or three. */
static void drain(struct esf_launch *launch)
{
	uint32_t taken;

	do {
		taken = 0;
		for (uint32_t i = 0; i < launch->plan.shards_count; i++)
			taken += esf_poll_drain(launch->pollers[i]);
		rcu_quiescent_state();
	} while (taken > 0);
	for (uint32_t i = 0; i < launch->plan.shards_count; i++)
		esf_shard_finish(launch->pollers[i]->shard);
}

static void close_ports(struct esf_launch *launch)
{
	pthread_mutex_lock(launch->counting);
	for (; launch->ports_started > 0; launch->ports_started--)
		esf_port_close(&launch->ports[launch->ports_started - 1]);
	pthread_mutex_unlock(launch->counting);
}

void esf_launch_stop(struct esf_launch *launch)
{
	stop_lcores(launch);
	drain(launch);
	close_ports(launch);
}

void esf_launch_free(struct esf_launch *launch)
{
	for (uint32_t i = 0; i < launch->plan.shards_count; i++)
		rte_free(launch->pollers[i]);
	for (uint32_t i = 0; i < launch->plan.pools_count; i++)
		rte_mempool_free(launch->pools[i]);
	esf_handover_destroy(launch->handover);
	esf_watchdog_destroy(launch->watchdog);
	free(launch->ports);
	free(launch->counting);
	free(launch);
}

static struct esf_launch *allocate_launch(const struct esf_plan *plan, struct esf_plane *plane)
{
	struct esf_launch *launch = aligned_alloc(RTE_CACHE_LINE_SIZE, sizeof(*launch));

	if (launch == NULL)
		return NULL;
	memset(launch, 0, sizeof(*launch));
	launch->plan = *plan;
	launch->plane = plane;
	launch->ticks_per_ping = plan->epoch_ns > 0 && plan->epoch_ns < NS_PER_S
	                             ? (uint32_t)(NS_PER_S / plan->epoch_ns)
	                             : 1;
	launch->counting = malloc(sizeof(*launch->counting));
	launch->ports = calloc(plan->ports_count + (size_t)1, sizeof(*launch->ports));
	if (launch->counting == NULL || launch->ports == NULL) {
		free(launch->counting);
		free(launch->ports);
		free(launch);
		return NULL;
	}
	pthread_mutex_init(launch->counting, NULL);
	return launch;
}

int esf_launch_start(
    const struct esf_plan *plan, struct esf_plane *plane, struct esf_launch **out, FILE *errors)
{
	static int (*const stages[])(struct esf_launch * launch, FILE * errors) = { start_watchdog,
		start_handover, start_pools, start_ports, start_lcores };
	struct esf_launch *launch = allocate_launch(plan, plane);
	int error = 0;

	if (launch == NULL) {
		fprintf(errors, "%s: out of memory\n", plan->program);
		return -ENOMEM;
	}
	esf_clock_start(&launch->clock);
	for (size_t i = 0; i < RTE_DIM(stages) && error == 0; i++)
		error = stages[i](launch, errors);
	if (error != 0) {
		stop_lcores(launch);
		close_ports(launch);
		esf_launch_free(launch);
		return error;
	}
	*out = launch;
	return 0;
}

uint32_t esf_launch_tick(struct esf_launch *launch, uint64_t *stuck)
{
	esf_clock_reanchor(&launch->clock);
	esf_launch_measure_pools(launch);
	esf_launch_note_moment(launch);
	if (++launch->ticks >= launch->ticks_per_ping) {
		launch->ticks = 0;
		launch->stuck = esf_watchdog_ping(launch->watchdog);
	}
	if (stuck != NULL)
		*stuck = launch->stuck;
	return (uint32_t)__builtin_popcountll(launch->stuck);
}

const struct esf_clock *esf_launch_clock(const struct esf_launch *launch)
{
	return &launch->clock;
}

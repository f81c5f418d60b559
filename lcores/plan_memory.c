/* SPDX-License-Identifier: Apache-2.0 */
#include "plan_memory.h"

#include <errno.h>
#include <inttypes.h>
#include <unistd.h>

#include <rte_eal.h>
#include <rte_lcore.h>
#include <rte_malloc.h>
#include <rte_mbuf.h>
#include <rte_mempool.h>

#include "handover.h"
#include "hugepages.h"
#include "plan_port.h"

enum {
	ROOM_UNIT = 64,
	PRELOADED = 32768, /* packets of a capture, a queue */
	MBUFS_MIN = 4095,
	HUGEPAGE = 2 << 20, /* what the advice counts in, and the smallest */
};

int esf_plan_lcore_socket(uint32_t lcore)
{
	return rte_eal_has_hugepages() ? (int)rte_lcore_to_socket_id(lcore) : 0;
}

static int port_socket(const struct esf_plan *plan, uint32_t index)
{
	const struct esf_plan_port *port = &plan->ports[index];

	if (!rte_eal_has_hugepages())
		return 0;
	if (port->socket >= 0)
		return port->socket;
	for (uint32_t i = 0; i < plan->shards_count; i++)
		for (uint32_t j = 0; j < plan->shards[i].queues_count; j++)
			if (plan->shards[i].queues[j].port == index)
				return plan->shards[i].socket;
	return 0;
}

/* The pool of a node, made at first sight; the last one for what exceeds ESF_PLAN_POOLS_MAX. */
static uint8_t pool_of(struct esf_plan *plan, int socket)
{
	uint32_t i = 0;

	while (i < plan->pools_count && plan->pools[i].socket != socket)
		i++;
	if (i == ESF_PLAN_POOLS_MAX)
		return ESF_PLAN_POOLS_MAX - 1;
	if (i == plan->pools_count) {
		plan->pools[i].socket = socket;
		plan->pools_count++;
	}
	return (uint8_t)i;
}

static uint16_t room_for(uint32_t frame_size)
{
	uint32_t room = RTE_ALIGN_CEIL(RTE_MAX(frame_size, 2048U), ROOM_UNIT);

	return (uint16_t)RTE_MIN(room + RTE_PKTMBUF_HEADROOM, (uint32_t)UINT16_MAX);
}

static void add_port(struct esf_plan *plan, uint32_t index)
{
	struct esf_plan_port *port = &plan->ports[index];
	struct esf_plan_pool *pool;

	port->socket = port_socket(plan, index);
	port->pool = pool_of(plan, port->socket);
	pool = &plan->pools[port->pool];
	pool->room_size = RTE_MAX(pool->room_size, room_for(port->frame_size));
	pool->mbufs_count += (uint32_t)port->rx_queues * port->rx_descriptors +
	                     (uint32_t)port->tx_queues * port->tx_descriptors;
	if (esf_plan_port_preloads(port))
		pool->mbufs_count += (uint32_t)port->rx_queues * PRELOADED;
}

/*
 * Bytes of a mempool: DPDK lets no object lie across two pages, which costs most where pages are
 * small (without hugepages: one mbuf of the usual size to a page of 4 KiB); and the pool itself,
 * with the ring of what is free and the lcores' caches.
 */
static uint64_t pool_size(uint32_t count, uint16_t room_size)
{
	uint64_t object =
	    rte_mempool_calc_obj_size((uint32_t)sizeof(struct rte_mbuf) + room_size, 0, NULL);
	uint64_t page = rte_eal_has_hugepages() ? HUGEPAGE : (uint64_t)sysconf(_SC_PAGESIZE);
	uint64_t objects = object < page ? (count + page / object - 1) / (page / object) * page
	                                 : count * RTE_ALIGN_CEIL(object, page);

	return objects + RTE_MEMPOOL_HEADER_SIZE((struct rte_mempool *)NULL, ESF_PLAN_MBUF_CACHE) +
	       (uint64_t)rte_ring_get_memsize(rte_align32pow2(count + 1));
}

/* Beside the queues: what each lcore has in hand and, once and a half, in its cache. */
static void finish_pool(struct esf_plan *plan, struct esf_plan_pool *pool)
{
	uint32_t each = ESF_BURST_MAX + ESF_PLAN_MBUF_CACHE + ESF_PLAN_MBUF_CACHE / 2;

	pool->mbufs_count += plan->shards_count * each;
	pool->mbufs_count = RTE_MAX(pool->mbufs_count, (uint32_t)MBUFS_MIN);
	pool->size = pool_size(pool->mbufs_count, pool->room_size);
}

static void add_inboxes(struct esf_plan *plan)
{
	for (uint32_t i = 0; i < plan->shards_count && plan->shards_count > 1; i++) {
		uint8_t pool = pool_of(plan, plan->shards[i].socket);

		if (plan->owners >> i & 1)
			plan->pools[pool].inbox_size +=
			    esf_handover_inbox_size(plan->shards_count, plan->handover_cells);
	}
}

static uint64_t memory_free(int socket)
{
	struct rte_malloc_socket_stats stats;
	uint64_t size = 0;

	if (rte_malloc_get_socket_stats(socket, &stats) == 0)
		size = stats.heap_freesz_bytes;
	if (rte_eal_has_hugepages())
		size += esf_hugepages_free(socket);
	return size;
}

static int check_pool(const struct esf_plan *plan, const struct esf_plan_pool *pool, FILE *errors)
{
	uint64_t needed = pool->size + pool->inbox_size;
	uint64_t missing = needed > pool->memory_free ? needed - pool->memory_free : 0;

	if (missing == 0)
		return 0;
	fprintf(errors,
	    "%s: memory: need %" PRIu64 " MiB on node %d, have %" PRIu64 " MiB: ", plan->program,
	    (needed >> 20) + 1, pool->socket, pool->memory_free >> 20);
	if (rte_eal_has_hugepages())
		fprintf(errors,
		    "add %" PRIu64 " to /sys/devices/system/node/node%d/hugepages/"
		    "hugepages-2048kB/nr_hugepages\n",
		    missing / HUGEPAGE + 2, pool->socket);
	else
		fprintf(errors, "give eal: [\"--no-huge\", \"-m\", \"%" PRIu64 "\"]\n",
		    (needed >> 20) * 5 / 4 + 64);
	return -ENOMEM;
}

int esf_plan_memory(struct esf_plan *plan, FILE *errors)
{
	int error = 0;

	for (uint32_t i = 0; i < plan->ports_count; i++)
		add_port(plan, i);
	for (uint32_t i = 0; i < plan->pools_count; i++)
		finish_pool(plan, &plan->pools[i]);
	add_inboxes(plan);
	for (uint32_t i = 0; i < plan->pools_count && error == 0; i++) {
		plan->pools[i].memory_free = memory_free(plan->pools[i].socket);
		error = check_pool(plan, &plan->pools[i], errors);
	}
	return error;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "plan.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include <rte_lcore.h>

#include "handover.h"
#include "plan_memory.h"
#include "plan_port.h"

static bool is_in(const uint32_t *list, uint32_t count, uint32_t lcore)
{
	for (uint32_t i = 0; i < count; i++)
		if (list[i] == lcore)
			return true;
	return false;
}

static bool shares_cpu(uint32_t lcore)
{
	rte_cpuset_t own = rte_lcore_cpuset(lcore);
	uint32_t other;

	RTE_LCORE_FOREACH(other)
	{
		rte_cpuset_t cpus = rte_lcore_cpuset(other), both;

		CPU_AND(&both, &own, &cpus);
		if (other != lcore && CPU_COUNT(&both) > 0)
			return true;
	}
	return false;
}

static int check_lcores(
    const struct esf_launch_options *options, const struct esf_plan *plan, FILE *errors)
{
	for (uint32_t i = 0; !options->lcores_auto && i < options->lcores_count; i++) {
		uint32_t lcore = options->lcores[i];

		if (rte_lcore_is_enabled(lcore) && lcore != plan->main_lcore)
			continue;
		fprintf(errors,
		    "%s: lcores: need lcore %u, but DPDK %s: make --lcores in eal: and lcores: "
		    "agree\n",
		    options->program, lcore,
		    lcore == plan->main_lcore ? "uses that one as its main lcore"
		                              : "did not start that one");
		return -EINVAL;
	}
	return 0;
}

static int check_receive_only(
    const struct esf_launch_options *options, const struct esf_plan *plan, FILE *errors)
{
	for (uint32_t i = 0; i < options->receive_only_count; i++) {
		uint32_t shard = 0;

		while (shard < plan->shards_count &&
		       plan->shards[shard].lcore != options->receive_only[i])
			shard++;
		if (shard < plan->shards_count)
			continue;
		fprintf(errors,
		    "%s: receive_only[%u]: lcore %u is none of the data lcores: add it to "
		    "lcores:\n",
		    options->program, i, options->receive_only[i]);
		return -EINVAL;
	}
	if (plan->owners != 0)
		return 0;
	fprintf(errors,
	    "%s: receive_only: need an lcore that owns sites, but all %u data lcores only "
	    "receive: leave one out of receive_only:, or add one to lcores:\n",
	    options->program, plan->shards_count);
	return -EINVAL;
}

static void add_shard(
    const struct esf_launch_options *options, struct esf_plan *plan, uint32_t lcore)
{
	struct esf_plan_shard *shard = &plan->shards[plan->shards_count];

	shard->lcore = lcore;
	shard->socket = esf_plan_lcore_socket(lcore);
	shard->shares_cpu = shares_cpu(lcore);
	shard->receive_only = is_in(options->receive_only, options->receive_only_count, lcore);
	if (!shard->receive_only)
		plan->owners |= UINT64_C(1) << plan->shards_count;
	plan->shards_count++;
}

static int plan_shards(
    const struct esf_launch_options *options, struct esf_plan *plan, FILE *errors)
{
	uint32_t lcore;
	int error;

	plan->main_lcore = rte_get_main_lcore();
	error = check_lcores(options, plan, errors);
	if (error != 0)
		return error;
	RTE_LCORE_FOREACH_WORKER(lcore)
	{
		if (plan->shards_count == ESF_SHARDS_MAX)
			break;
		if (options->lcores_auto || is_in(options->lcores, options->lcores_count, lcore))
			add_shard(options, plan, lcore);
	}
	if (plan->shards_count > 0)
		return check_receive_only(options, plan, errors);
	fprintf(errors,
	    "%s: lcores: need a main lcore and at least one data lcore, have 1: leave --lcores out "
	    "of "
	    "eal:, or give it two that share a CPU, \"(0-1)@0\"\n",
	    options->program);
	return -EINVAL;
}

/* The receiving shard that comes after *cursor, which moves on to it. */
static uint32_t next_receiver(const struct esf_plan *plan, uint32_t *cursor)
{
	bool dedicated = __builtin_popcountll(plan->owners) != (int)plan->shards_count;

	do {
		*cursor = *cursor + 1 < plan->shards_count ? *cursor + 1 : 0;
	} while (dedicated && !plan->shards[*cursor].receive_only);
	return *cursor;
}

/* One TX queue for each lcore that polls the port, as far as they go. */
static uint16_t tx_queue_of(const struct esf_plan_shard *shard, const struct esf_plan_port *port,
    uint8_t index, uint16_t *dealt)
{
	for (uint32_t i = 0; i < shard->queues_count; i++)
		if (shard->queues[i].port == index)
			return shard->queues[i].tx;
	return *dealt < port->tx_queues ? (*dealt)++ : ESF_PLAN_NO_QUEUE;
}

static int deal_port(struct esf_plan *plan, uint8_t index, uint32_t *cursor, FILE *errors)
{
	const struct esf_plan_port *port = &plan->ports[index];
	uint16_t dealt = 0;

	for (uint16_t rx = 0; rx < port->rx_queues; rx++) {
		struct esf_plan_shard *shard = &plan->shards[next_receiver(plan, cursor)];

		if (shard->queues_count == ESF_PLAN_QUEUES_MAX) {
			fprintf(errors,
			    "%s: ports[%u]: lcore %u would have to poll more than %u queues: add "
			    "lcores, or give the ports fewer queues\n",
			    plan->program, index, shard->lcore, ESF_PLAN_QUEUES_MAX);
			return -EINVAL;
		}
		shard->queues[shard->queues_count] = (struct esf_plan_queue){
			.port = index,
			.rx = rx,
			.tx = tx_queue_of(shard, port, index, &dealt),
		};
		shard->queues_count++;
	}
	return 0;
}

static bool polls(const struct esf_plan_shard *shard, uint32_t port)
{
	for (uint32_t i = 0; i < shard->queues_count; i++)
		if (shard->queues[i].port == port)
			return true;
	return false;
}

static bool owners_receive_all(const struct esf_plan *plan)
{
	for (uint32_t i = 0; i < plan->shards_count; i++)
		for (uint32_t port = 0; port < plan->ports_count; port++)
			if (plan->shards[i].receive_only || !polls(&plan->shards[i], port))
				return false;
	return true;
}

static int plan_ports(const struct esf_launch_options *options, struct esf_plan *plan, FILE *errors)
{
	uint32_t dedicated = plan->shards_count - (uint32_t)__builtin_popcountll(plan->owners);
	uint32_t receivers = dedicated > 0 ? dedicated : plan->shards_count;
	uint32_t cursor = plan->shards_count - 1;
	int error = 0;

	if (options->ports_count == 0 || options->ports_count > ESF_PORTS_MAX) {
		fprintf(errors, "%s: ports: need 1..%u, have %u\n", options->program, ESF_PORTS_MAX,
		    options->ports_count);
		return -EINVAL;
	}
	for (uint32_t i = 0; i < options->ports_count && error == 0; i++) {
		error = esf_plan_port(options, i, receivers, plan, errors);
		if (error == 0)
			error = deal_port(plan, (uint8_t)i, &cursor, errors);
	}
	return error;
}

int esf_plan_make(const struct esf_launch_options *options, struct esf_plan *plan, FILE *errors)
{
	int error;

	memset(plan, 0, sizeof(*plan));
	plan->program = options->program;
	plan->epoch_ns = options->epoch_ns;
	plan->idle = options->idle;
	plan->max_sleep_us = options->max_sleep_us;
	error = plan_shards(options, plan, errors);
	if (error == 0)
		error = plan_ports(options, plan, errors);
	if (error != 0)
		return error;
	plan->owner_is_receiver = owners_receive_all(plan);
	plan->handover_cells = esf_handover_cells(plan->shards_count, plan->owners);
	return esf_plan_memory(plan, errors);
}

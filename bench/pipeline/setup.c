/* SPDX-License-Identifier: Apache-2.0 */
#include "bench.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <rte_ethdev.h>

#include "lcores/eal.h"

static int gather_options(struct esf_bench *bench)
{
	const struct esf_config *config = bench->config;

	bench->ports = calloc(config->ports_count + (size_t)1, sizeof(*bench->ports));
	if (bench->ports == NULL)
		return -ENOMEM;
	for (uint32_t i = 0; i < config->ports_count; i++)
		bench->ports[i].port = config->ports[i].port;
	bench->launch = (struct esf_launch_options){
		.program = bench->program,
		.eal_count = config->eal_count,
		.eal = config->eal,
		.lcores_auto = config->lcores_auto,
		.lcores_count = config->lcores_count,
		.lcores = config->lcores,
		.receive_only_count = config->receive_only_count,
		.receive_only = config->receive_only,
		.ports_count = config->ports_count,
		.ports = bench->ports,
		.epoch_ns = config->rollup.epoch_ns,
	};
	return 0;
}

int esf_bench_set_up(struct esf_bench *bench)
{
	int result = gather_options(bench);

	if (result == 0)
		result = esf_eal_start(&bench->launch, stderr);
	if (result != 0)
		return result;
	bench->eal_started = true;
	esf_clock_start(&bench->clock);
	return esf_plan_make(&bench->launch, &bench->plan, stderr);
}

uint32_t esf_bench_queues(const struct esf_bench *bench)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < bench->plan.ports_count; i++)
		count += bench->plan.ports[i].rx_queues;
	return count;
}

/*
 * DPDK takes callbacks only for queues that a port is configured for, and keeps them when the
 * launch configures it again: so they are there before the first poll.
 */
int esf_bench_watch_queues(struct esf_bench *bench, esf_bench_watch_fn watch)
{
	const struct rte_eth_conf conf = { 0 };
	int result = 0;

	for (uint32_t i = 0; i < bench->plan.ports_count && result == 0; i++) {
		const struct esf_plan_port *port = &bench->plan.ports[i];

		result = rte_eth_dev_configure(port->id, port->rx_queues, port->tx_queues, &conf);
		for (uint16_t queue = 0; queue < port->rx_queues && result == 0; queue++)
			result = watch(bench, port, queue);
	}
	if (result != 0)
		fprintf(stderr, "%s: the ports' queues can't be watched: %s\n", bench->program,
		    strerror(-result));
	return result;
}

void esf_bench_clean_up(struct esf_bench *bench)
{
	if (bench->eal_started)
		esf_eal_stop();
	free(bench->ports);
	esf_config_free(bench->config);
}

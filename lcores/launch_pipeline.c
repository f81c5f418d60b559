/* SPDX-License-Identifier: Apache-2.0 */
#include "launch_state.h"

#include <stdlib.h>

#include <rte_cycles.h>

enum { MOMENT_S = 1 }; /* at least between two moments */

static void count_lcore(
    const struct esf_launch *launch, uint32_t index, struct esf_lcore_counts *to)
{
	const struct esf_plan_shard *shard = &launch->plan.shards[index];
	const struct esf_poller *poller = launch->pollers[index];

	*to = (struct esf_lcore_counts){
		.lcore = shard->lcore,
		.receive_only = shard->receive_only,
		.queues_count = shard->queues_count,
	};
	esf_nodes_read(&poller->nodes, &to->nodes);
	for (uint32_t i = 0; i < shard->queues_count; i++) {
		to->full_bursts += esf_tally_read_before(&poller->queues[i].full_bursts);
		to->bursts += esf_tally_read_before(&poller->queues[i].bursts);
		to->packets += esf_tally_read(&poller->queues[i].packets);
	}
}

static struct esf_lcore_moment moment_of(const struct esf_lcore_counts *counts)
{
	return (struct esf_lcore_moment){
		.total = counts->nodes.total,
		.busy = counts->nodes.busy,
		.asleep = counts->nodes.asleep,
		.inbox = counts->nodes.node[ESF_NODE_INBOX].in,
		.packets = counts->packets,
		.bursts = counts->bursts,
	};
}

void esf_launch_note_moment(struct esf_launch *launch)
{
	uint64_t now = rte_rdtsc();
	struct esf_moment *moment;

	if (launch->moments_count > 0 &&
	    now - launch->moments[(launch->moments_count - 1) % ESF_MOMENTS].ticks <
	        rte_get_tsc_hz() * MOMENT_S)
		return;
	pthread_mutex_lock(launch->counting);
	moment = &launch->moments[launch->moments_count++ % ESF_MOMENTS];
	moment->ticks = now;
	for (uint32_t i = 0; i < launch->plan.shards_count; i++) {
		struct esf_lcore_counts counts;

		count_lcore(launch, i, &counts);
		moment->lcores[i] = moment_of(&counts);
	}
	pthread_mutex_unlock(launch->counting);
}

/* What was counted since the oldest moment that is kept. */
static void count_recent(
    const struct esf_lcore_moment *before, uint64_t hz, struct esf_lcore_counts *counts)
{
	struct esf_lcore_moment now = moment_of(counts);
	uint64_t cycles = now.total - before->total;

	if (cycles < hz * MOMENT_S)
		return;
	counts->recent = (struct esf_lcore_recent){
		.seconds = (double)cycles / (double)hz,
		.cycles = cycles,
		.busy = now.busy - before->busy,
		.asleep = now.asleep - before->asleep,
		.items = now.inbox - before->inbox + now.packets - before->packets,
		.packets = now.packets - before->packets,
		.bursts = now.bursts - before->bursts,
	};
}

struct esf_pipeline *esf_launch_pipeline(const struct esf_launch *launch)
{
	static const struct esf_lcore_moment start;
	struct esf_pipeline *pipeline = calloc(1, sizeof(*pipeline));
	const struct esf_moment *oldest;

	if (pipeline == NULL)
		return NULL;
	pipeline->hz = rte_get_tsc_hz();
	pipeline->idle = launch->plan.idle;
	pipeline->max_sleep_us = launch->plan.max_sleep_us;
	pipeline->lcores_count = launch->plan.shards_count;
	pthread_mutex_lock(launch->counting);
	oldest = &launch->moments[launch->moments_count % ESF_MOMENTS];
	for (uint32_t i = 0; i < pipeline->lcores_count; i++) {
		struct esf_lcore_counts *counts = &pipeline->lcores[i];

		count_lcore(launch, i, counts);
		count_recent(launch->moments_count < ESF_MOMENTS ? &start : &oldest->lcores[i],
		    pipeline->hz, counts);
	}
	pthread_mutex_unlock(launch->counting);
	return pipeline;
}

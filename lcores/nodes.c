/* SPDX-License-Identifier: Apache-2.0 */
#include "nodes.h"

#include <rte_cycles.h>

const char *const esf_node_names[ESF_NODES_COUNT] = {
#define X(id, name) [ESF_NODE_##id] = #name,
	ESF_NODES(X)
#undef X
};

static void end_pass(struct esf_nodes *nodes, uint64_t ticks)
{
	uint64_t spent = ticks - nodes->pass.start;

	if (nodes->pass.work == 0) {
		esf_tally_add(&nodes->idle_cycles, spent);
		if (nodes->pass.asleep != 0)
			esf_tally_add_after(&nodes->asleep_cycles, nodes->pass.asleep);
		return;
	}
	esf_tally_add_after(&nodes->busy_passes, 1);
	esf_tally_add(&nodes->busy_cycles, spent);
	esf_tally_add(&nodes->node[ESF_NODE_PUBLISH].cycles, ticks - nodes->pass.mark);
}

static void turn(struct esf_nodes *nodes, uint64_t ticks)
{
	if (nodes->pass.start != 0)
		end_pass(nodes, ticks);
	else
		esf_tally_set(&nodes->started, ticks);
	nodes->pass.start = ticks;
	nodes->pass.mark = ticks;
	nodes->pass.work = 0;
	nodes->pass.asleep = 0;
}

void esf_nodes_begin(struct esf_nodes *nodes, uint64_t ticks)
{
	turn(nodes, ticks);
	esf_tally_add(&nodes->passes, 1);
}

void esf_nodes_end(struct esf_nodes *nodes, uint64_t ticks)
{
	turn(nodes, ticks);
	esf_tally_set(&nodes->ended, ticks);
}

void esf_nodes_read(const struct esf_nodes *nodes, struct esf_nodes_counts *to)
{
	uint64_t started = esf_tally_read(&nodes->started), ended;

	for (uint32_t i = 0; i < ESF_NODES_COUNT; i++) {
		to->node[i].out = esf_tally_read_before(&nodes->node[i].out);
		to->node[i].in = esf_tally_read(&nodes->node[i].in);
		to->node[i].cycles = esf_tally_read(&nodes->node[i].cycles);
	}
	to->busy_passes = esf_tally_read_before(&nodes->busy_passes);
	to->passes = esf_tally_read(&nodes->passes);
	to->sleeps = esf_tally_read(&nodes->sleeps);
	to->asleep = esf_tally_read_before(&nodes->asleep_cycles);
	to->busy = esf_tally_read(&nodes->busy_cycles);
	to->idle = esf_tally_read(&nodes->idle_cycles);
	ended = esf_tally_read(&nodes->ended);
	to->total = started == 0 ? 0 : (ended != 0 ? ended : rte_rdtsc_precise()) - started;
}

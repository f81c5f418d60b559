/* SPDX-License-Identifier: Apache-2.0 */
#include "control/sight/prometheus_pipeline.h"

#include <inttypes.h>
#include <stddef.h>

static void head(FILE *out, const char *name, const char *type, const char *help)
{
	fprintf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void put_nodes(FILE *out, const struct esf_pipeline *pipeline)
{
	static const struct {
		const char *name, *help;
		size_t at;
	} metrics[] = {
		{ "estream_node_in_total", "Items that entered a stage of the poll loop.",
		    offsetof(struct esf_node_counts, in) },
		{ "estream_node_out_total",
		    "Items that went on from a stage; the others left there with a verdict.",
		    offsetof(struct esf_node_counts, out) },
		{ "estream_node_cycles_total", "Cycles of the time stamp counter in a stage.",
		    offsetof(struct esf_node_counts, cycles) },
	};

	for (size_t m = 0; m < sizeof(metrics) / sizeof(metrics[0]); m++) {
		head(out, metrics[m].name, "counter", metrics[m].help);
		for (uint32_t i = 0; i < pipeline->lcores_count; i++)
			for (uint32_t n = 0; n < ESF_NODES_COUNT; n++) {
				const char *node = (const char *)&pipeline->lcores[i].nodes.node[n];

				fprintf(out, "%s{node=\"%s\",lcore=\"%u\"} %" PRIu64 "\n",
				    metrics[m].name, esf_node_names[n], pipeline->lcores[i].lcore,
				    *(const uint64_t *)(node + metrics[m].at));
			}
	}
}

static void put_passes(FILE *out, const struct esf_pipeline *pipeline)
{
	head(out, "estream_lcore_passes_total", "counter",
	    "Passes of a poll loop: busy ones found something to do.");
	for (uint32_t i = 0; i < pipeline->lcores_count; i++) {
		const struct esf_nodes_counts *nodes = &pipeline->lcores[i].nodes;
		uint32_t lcore = pipeline->lcores[i].lcore;

		fprintf(out,
		    "estream_lcore_passes_total{lcore=\"%u\",state=\"busy\"} %" PRIu64
		    "\nestream_lcore_passes_total{lcore=\"%u\",state=\"idle\"} %" PRIu64 "\n",
		    lcore, nodes->busy_passes, lcore, nodes->passes - nodes->busy_passes);
	}
}

/* The states of a cycle add up to all of them, but for the pass under way. */
static void put_cycles(FILE *out, const struct esf_pipeline *pipeline)
{
	head(out, "estream_lcore_cycles_total", "counter",
	    "Cycles of a poll loop: in busy passes, in idle ones, asleep.");
	for (uint32_t i = 0; i < pipeline->lcores_count; i++) {
		const struct esf_nodes_counts *nodes = &pipeline->lcores[i].nodes;
		const struct {
			const char *state;
			uint64_t cycles;
		} states[] = {
			{ "busy", nodes->busy },
			{ "idle", nodes->idle - nodes->asleep },
			{ "asleep", nodes->asleep },
		};

		for (size_t s = 0; s < sizeof(states) / sizeof(states[0]); s++)
			fprintf(out,
			    "estream_lcore_cycles_total{lcore=\"%u\",state=\"%s\"} %" PRIu64 "\n",
			    pipeline->lcores[i].lcore, states[s].state, states[s].cycles);
	}
}

void esf_prometheus_put_pipeline(FILE *out, const struct esf_pipeline *pipeline)
{
	put_nodes(out, pipeline);
	put_passes(out, pipeline);
	put_cycles(out, pipeline);
	head(out, "estream_lcore_sleeps_total", "counter", "Times that an idle lcore slept.");
	for (uint32_t i = 0; i < pipeline->lcores_count; i++)
		fprintf(out, "estream_lcore_sleeps_total{lcore=\"%u\"} %" PRIu64 "\n",
		    pipeline->lcores[i].lcore, pipeline->lcores[i].nodes.sleeps);
	head(out, "estream_tsc_hertz", "gauge", "Cycles a second of the time stamp counter.");
	fprintf(out, "estream_tsc_hertz %" PRIu64 "\n", pipeline->hz);
}

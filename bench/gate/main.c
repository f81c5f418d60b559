/* SPDX-License-Identifier: Apache-2.0 */
#include <urcu-qsbr.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/patterns.h"
#include "dataplane/shard.h"
#include "frames.h"

/*
 * gate-bench WORKLOAD: one shard takes prepared frames in bursts of 64, with keys, values and
 * clocks that never differ. Whoever counts its instructions counts gate_run's; times nothing
 * itself. It fails unless every datagram and record was accepted, stands in a window, and is
 * accounted for.
 */

#define SECOND INT64_C(1000000000)
#define WINDOW (10 * SECOND)
#define START (GATE_T0 + 2 * SECOND)

static const struct gate_workload workloads[] = {
	{ .name = "etd1", .datagrams = 6400, .records = 1 },
	{ .name = "etd84", .datagrams = 3200, .records = 84 },
	{ .name = "influx3x15", .datagrams = 1920, .records = 45, .lines = 15 },
};

static const struct esf_plane_options plane_options = {
	.sites_count = GATE_SITES,
	.listed_count = GATE_SITES,
	.measures_count = GATE_MEASURES,
	.shards_count = 1,
	.window_ns = WINDOW,
	.windows_open = 3,
	.max_skew_ns = 60 * SECOND,
	.epoch_ns = SECOND,
	.sequence_window = 1024,
	.lines_remembered = 65536,
	.hash_key = { 1 },
	.owner_is_receiver = true,
	.owners = 1,
};

static __attribute__((noreturn)) void fail(const char *what)
{
	fprintf(stderr, "gate-bench: %s\n", what);
	exit(1);
}

static void *need(void *memory)
{
	if (memory == NULL)
		fail("out of memory");
	return memory;
}

static struct esf_ruleset *make_rules(void)
{
	struct esf_rule rules[GATE_MEASURES];
	struct esf_patterns *patterns;
	struct esf_ruleset *set;
	char message[128];
	uint32_t bad;

	for (uint16_t i = 0; i < GATE_MEASURES; i++)
		rules[i] = (struct esf_rule){
			.scale = 1, .min = -1000, .max = 1000, .kpi = i, .type = ESF_RULE_AS_BORN
		};
	if (esf_patterns_create(gate_measure_names, GATE_MEASURES, 1, &patterns, &bad, message,
	        sizeof(message)) != 0 ||
	    esf_ruleset_adopt(patterns, rules, &set) != 0)
		fail("no rules");
	return set;
}

static struct esf_directory *make_directory(void)
{
	struct esf_directory_site sites[GATE_SITES];
	char names[GATE_SITES][16];

	for (uint32_t i = 0; i < GATE_SITES; i++) {
		snprintf(names[i], sizeof(names[i]), "n-%02u", i + 1);
		sites[i] = (struct esf_directory_site){ .id = i + 1, .name = names[i] };
	}
	return need(esf_directory_create(sites, GATE_SITES, plane_options.hash_key));
}

static struct esf_policy *make_policy(void)
{
	struct esf_policy *policy = need(calloc(1, sizeof(*policy)));

	policy->revision = 1;
	policy->rules_generation = 1;
	policy->listeners_count = 2;
	policy->listeners[0] =
	    (struct esf_listener){ .udp_port = GATE_ETD_PORT, .format = ESF_LISTENER_ETD };
	policy->listeners[1] = (struct esf_listener){ .udp_port = GATE_INFLUX_PORT,
		.format = ESF_LISTENER_INFLUX,
		.site_tag = "site",
		.precision_ns = 1 };
	policy->listener_at[GATE_ETD_PORT] = 1;
	policy->listener_at[GATE_INFLUX_PORT] = 2;
	policy->directory = make_directory();
	policy->rules = make_rules();
	policy->max_skew_ns = plane_options.max_skew_ns;
	policy->line_window_ns = 60 * SECOND;
	policy->storm = esf_storm_limits(1000000000, 1000000000, 1000000000, 999999999, SECOND);
	return policy;
}

static void free_policy(struct esf_policy *policy)
{
	esf_directory_destroy((struct esf_directory *)policy->directory);
	esf_ruleset_destroy((struct esf_ruleset *)policy->rules);
	free(policy);
}

/* A pass for each burst. Its name is what is counted by: it stays a function of its own. */
__attribute__((noinline, used)) void gate_run(struct esf_shard *shard,
    const struct esf_frame_addresses *ours, const struct esf_packet *packets, uint32_t count,
    int64_t now);

void gate_run(struct esf_shard *shard, const struct esf_frame_addresses *ours,
    const struct esf_packet *packets, uint32_t count, int64_t now)
{
	for (uint32_t i = 0; i < count; i += ESF_BURST_MAX) {
		esf_shard_begin(shard, now + i);
		esf_shard_receive(shard, ours, packets + i, ESF_BURST_MAX);
		esf_shard_end(shard);
		rcu_quiescent_state();
	}
}

/* Of all sites, in a pass that also publishes: no epoch ends while instructions are counted. */
static void be_born(struct esf_shard *shard, const struct esf_frame_addresses *ours)
{
	static struct gate_frame frame;

	esf_shard_begin(shard, START);
	for (uint32_t i = 0; i < GATE_SITES; i++) {
		struct esf_packet packet = { .data = frame.data };

		gate_frame_birth(&frame, i);
		packet.size = frame.size;
		esf_shard_receive(shard, ours, &packet, 1);
	}
	esf_shard_end(shard);
	rcu_quiescent_state();
}

static uint64_t records_in_windows(const struct esf_plane *plane)
{
	uint64_t records = 0;

	for (uint32_t i = 0; i < GATE_SITES; i++) {
		const struct esf_block *block = esf_plane_block(plane, i, GATE_T0 / WINDOW);

		records += block == NULL ? 0 : block->accepted;
	}
	return records;
}

static void check(struct esf_plane *plane, const struct gate_workload *workload)
{
	uint64_t records = (uint64_t)workload->datagrams * workload->records;
	struct esf_ledger ledger;

	esf_shard_publish(esf_plane_shard(plane, 0));
	esf_plane_ledger(plane, &ledger);
	if (!esf_ledger_balances(&ledger))
		fail("the ledger does not balance");
	if (ledger.datagrams_received != GATE_SITES + workload->datagrams ||
	    ledger.datagrams[ESF_DATAGRAM_ACCEPTED] != ledger.datagrams_received)
		fail("not all datagrams were accepted");
	if (ledger.records[ESF_RECORD_ACCEPTED] != records || records_in_windows(plane) != records)
		fail("not all records were accepted");
}

static struct esf_packet *make_packets(
    const struct gate_workload *workload, struct gate_frame *frames)
{
	struct esf_packet *packets = need(calloc(workload->datagrams, sizeof(*packets)));

	for (uint32_t i = 0; i < workload->datagrams; i++) {
		gate_frame_make(&frames[i], workload, i);
		packets[i] = (struct esf_packet){ .data = frames[i].data, .size = frames[i].size };
	}
	return packets;
}

static void run(const struct gate_workload *workload)
{
	struct esf_frame_addresses ours = { .count = 1 };
	struct gate_frame *frames = need(calloc(workload->datagrams, sizeof(*frames)));
	struct esf_packet *packets = make_packets(workload, frames);
	struct esf_policy *policy = make_policy();
	struct esf_plane *plane;

	if (esf_plane_create(&plane_options, &plane) != 0)
		fail("no plane");
	ours.address[0] = esf_address_from_ipv4(gate_our_ipv4);
	esf_plane_set_policy(plane, policy);
	rcu_register_thread();
	be_born(esf_plane_shard(plane, 0), &ours);
	gate_run(esf_plane_shard(plane, 0), &ours, packets, workload->datagrams, START + 1);
	check(plane, workload);
	rcu_barrier();
	esf_plane_destroy(plane);
	rcu_unregister_thread();
	free_policy(policy);
	free(packets);
	free(frames);
}

int main(int argc, char **argv)
{
	for (size_t i = 0; argc == 2 && i < sizeof(workloads) / sizeof(workloads[0]); i++) {
		const struct gate_workload *workload = &workloads[i];

		if (strcmp(workload->name, argv[1]) != 0)
			continue;
		run(workload);
		printf("{\"datagrams\": %u, \"records\": %u, \"compiler\": \"%s\"}\n",
		    workload->datagrams, workload->records, __VERSION__);
		return 0;
	}
	fputs("usage: gate-bench etd1|etd84|influx3x15\n", stderr);
	return 2;
}

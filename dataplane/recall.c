/* SPDX-License-Identifier: Apache-2.0 */
#include "remember.h"
#include "shard_state.h"

/* A shard's state out of a snapshot, before any lcore runs it: the thread that starts them is its
 * owner so far. */

void esf_recall_begin(struct esf_shard *shard, uint32_t former, uint32_t until)
{
	shard->policy = shard->plane->policy;
	shard->rules_generation = shard->policy->rules_generation;
	esf_names_use(shard->names, shard->policy->rules, shard->rules_generation);
	shard->site_pools.waits_former = former;
	shard->site_pools.waits_until = until;
}

uint32_t esf_recall_shard(const struct esf_plane *plane, uint32_t site, uint32_t then)
{
	if (then < plane->options.shards_count && (plane->options.owners >> then & 1) != 0)
		return then;
	return plane->owners[site % plane->owners_count];
}

bool esf_recall_site(struct esf_shard *shard, uint32_t site, uint32_t shard_then,
    const struct esf_site_image_map *map, struct esf_image_reader *in,
    struct esf_site_image_counts *counts)
{
	atomic_store_explicit(
	    &shard->plane->owner[site], (uint8_t)shard->index, memory_order_relaxed);
	return esf_site_image_read(shard, site, shard_then, map, in, counts);
}

/* In one shard's counters: others only ever see the sum. */
void esf_recall_ledger(struct esf_plane *plane, const struct esf_ledger *ledger)
{
	struct esf_shard *shard = plane->shards[plane->owners[0]];

	shard->ledger = *ledger;
	shard->datagrams_before = ledger->datagrams_received + ledger->datagrams_taken;
	shard->counted = true;
}

void esf_recall_fleet_storm(struct esf_shard *shard, int64_t above_until)
{
	shard->fleet_storm.storming = true;
	shard->fleet_storm.above_until = above_until;
	atomic_store_explicit(&shard->fleet_storming, true, memory_order_relaxed);
}

void esf_recall_line(struct esf_shard *shard, uint64_t fingerprint, int64_t seen)
{
	esf_lines_restore(shard->lines, fingerprint, seen);
}

uint32_t esf_recall_name(struct esf_shard *shard, const char *name, uint32_t length)
{
	uint32_t id;

	(void)esf_names_intern(shard->names, name, length, &id);
	return id;
}

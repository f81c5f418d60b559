/* SPDX-License-Identifier: Apache-2.0 */
#include "shard_state.h"

/*
 * The storm stage of a shard: who may pass, which of its sites storm, and what the fleet does. A
 * site's own state is its owner's; givers see a flag of it, so as to leave others room.
 */
static_assert((int)ESF_LISTENER_ETD == ESF_SHED_ETD &&
                  (int)ESF_LISTENER_INFLUX == ESF_SHED_INFLUX &&
                  (int)ESF_LISTENER_STATSD == ESF_SHED_STATSD,
    "what is shed is counted by its listener's format");

/* Relaxed, as are the givers' loads (site_storms in steer.c): one that sees it late is fairer
 * late. */
static __attribute__((cold)) void note_change(struct esf_shard *shard, struct esf_site *site)
{
	struct esf_storm_site *storm = &site->storm;
	uint32_t index = esf_shard_site_index(shard, site);

	atomic_store_explicit(
	    &shard->plane->storming[index], storm->storming, memory_order_relaxed);
	if (storm->storming && !storm->listed) {
		storm->listed = true;
		shard->storming[shard->storming_count++] = index;
	}
	shard->storm_ended = shard->storm_ended || !storm->storming;
	esf_shard_touch(shard, site);
}

static void judge_site(struct esf_shard *shard, struct esf_site *site)
{
	struct esf_storm_site *storm = &site->storm;
	bool before = storm->storming;

	esf_storm_site_judge(storm, &shard->policy->storm, shard->now);
	if (storm->storming != before)
		note_change(shard, site);
}

static __attribute__((noinline)) void next_slot(struct esf_shard *shard, struct esf_site *site)
{
	judge_site(shard, site);
	esf_storm_site_start_slot(&site->storm, shard->now);
}

static __attribute__((cold)) void count_shed(
    struct esf_shard *shard, struct esf_site *site, uint8_t format)
{
	shard->ledger.shed[format]++;
	site->ledger.shed[format]++;
	esf_shard_touch(shard, site);
}

inline bool esf_shard_admit(
    struct esf_shard *shard, struct esf_site *site, uint8_t format, bool never_shed)
{
	struct esf_storm_site *storm = &site->storm;
	bool token;

	shard->offered++;
	if (esf_storm_slot_is_over(storm, shard->now))
		next_slot(shard, site);
	token = esf_storm_site_take(storm, &shard->policy->storm, shard->now);
	if (token || never_shed || !(storm->storming || shard->fleet_storm.storming))
		return true;
	count_shed(shard, site, format);
	return false;
}

void esf_shard_sweep_storms(struct esf_shard *shard)
{
	uint32_t i = 0;

	while (i < shard->storming_count) {
		struct esf_site *site = &shard->plane->sites[shard->storming[i]];
		struct esf_storm_site *storm = &site->storm;

		judge_site(shard, site);
		if (storm->storming) {
			i++;
			continue;
		}
		storm->listed = false;
		shard->storming[i] = shard->storming[--shard->storming_count];
	}
}

/* Each shard reads for itself and comes to much the same verdict: nobody has to be asked per
 * datagram. */
static __attribute__((noinline)) void read_fleet(struct esf_shard *shard)
{
	const struct esf_plane *plane = shard->plane;
	bool before = shard->fleet_storm.storming;
	uint64_t offered = 0;

	for (uint32_t i = 0; i < plane->options.shards_count; i++)
		offered +=
		    atomic_load_explicit(&plane->shards[i]->offered_copy, memory_order_relaxed);
	esf_storm_fleet_read(&shard->fleet_storm, &shard->policy->storm, shard->now, offered);
	if (shard->fleet_storm.storming == before)
		return;
	atomic_store_explicit(&shard->fleet_storming, !before, memory_order_relaxed);
	shard->storm_ended = shard->storm_ended || before;
}

/* What is stored here is read by read_fleet of any shard; nothing else hangs on it. */
void esf_shard_watch_fleet(struct esf_shard *shard)
{
	if (atomic_load_explicit(&shard->offered_copy, memory_order_relaxed) != shard->offered)
		atomic_store_explicit(&shard->offered_copy, shard->offered, memory_order_relaxed);
	if (shard->now >= shard->fleet_storm.next_read)
		read_fleet(shard);
}

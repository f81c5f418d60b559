/* SPDX-License-Identifier: Apache-2.0 */
#include <urcu-qsbr.h>

#include "shard_state.h"

#include <string.h>

#include "take_short.h"

void esf_shard_set_hand_over(struct esf_shard *shard, esf_hand_over_fn hand_over, void *context)
{
	shard->hand_over = hand_over;
	shard->hand_over_context = context;
}

const struct esf_ledger *esf_shard_ledger(const struct esf_shard *shard)
{
	return &shard->ledger;
}

/* What sites know of the pass (short.c) is past. 0 is no turn's. */
static void next_turn(struct esf_shard *shard)
{
	shard->turn += shard->turn == UINT16_MAX ? 2 : 1;
}

/* Other rules than those in use: names and aliases meet them one by one, each when next used. */
static __attribute__((cold)) void use_rules(struct esf_shard *shard)
{
	shard->rules_generation = shard->policy->rules_generation;
	esf_names_use(shard->names, shard->policy->rules, shard->rules_generation);
	next_turn(shard);
}

static uint32_t boot_limit(const struct esf_shard *shard)
{
	int64_t limit = shard->future_limit / 1000000000;

	return limit >= ESF_DEDUP_WAITS ? ESF_DEDUP_WAITS - 1 : (uint32_t)limit;
}

static void set_time(struct esf_shard *shard, int64_t now)
{
	const struct esf_plane_options *options = &shard->plane->options;
	uint32_t former_limit = shard->boot_limit;

	if (now <= shard->now)
		return;
	shard->now = now;
	shard->future_limit = now > INT64_MAX - shard->policy->max_skew_ns
	                          ? INT64_MAX
	                          : now + shard->policy->max_skew_ns;
	shard->boot_limit = boot_limit(shard);
	if (shard->boot_limit < former_limit)
		next_turn(shard);
	if (now >= shard->current_end) {
		shard->current_window = esf_window_index(now, options->window_ns);
		shard->current_end = (shard->current_window + 1) * options->window_ns;
		shard->oldest_open = shard->current_window - (int64_t)options->windows_open + 1;
		if (shard->recent_window < shard->oldest_open)
			shard->recent_span = 0;
		next_turn(shard);
	}
	esf_shard_note_usual(shard);
}

void esf_shard_begin(struct esf_shard *shard, int64_t now)
{
	shard->policy = rcu_dereference(shard->plane->policy);
	/* By number: another policy or rule set may lie where the former one lay. */
	if (shard->policy->rules_generation != shard->rules_generation)
		use_rules(shard);
	shard->admission = rcu_dereference(shard->plane->admission);
	set_time(shard, now);
	esf_shard_watch_fleet(shard);
	esf_short_begin(&shard->way, shard);
}

/*
 * The seqlock's writing side. The odd store must be seen before any word changes (each word is
 * stored with release), the even one after all have (release); partner: ledger_read in plane.c.
 */
static void copy_ledger_out(struct esf_shard *shard)
{
	struct esf_ledger_copy *copy = &shard->ledger_copy;
	uint64_t sequence = atomic_load_explicit(&copy->sequence, memory_order_relaxed);
	uint64_t words[sizeof(shard->ledger) / sizeof(uint64_t)];

	memcpy(words, &shard->ledger, sizeof(words));
	atomic_store_explicit(&copy->sequence, sequence + 1, memory_order_relaxed);
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		atomic_store_explicit(&copy->words[i], words[i], memory_order_release);
	atomic_store_explicit(&copy->sequence, sequence + 2, memory_order_release);
	shard->counted = false;
}

uint32_t esf_shard_end(struct esf_shard *shard)
{
	if (shard->counted)
		copy_ledger_out(shard);
	return esf_shard_publish_some(shard);
}

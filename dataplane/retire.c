/* SPDX-License-Identifier: Apache-2.0 */
#include <urcu-qsbr.h>

#include "shard_state.h"

/*
 * Blocks, cards, lists and windows that were replaced or closed wait in their pools until no reader
 * can stand on them. One grace period at a time is asked for, for all that was retired by then: so
 * the lcore calls call_rcu once for thousands of objects, and its thread touches none of them.
 *
 * Why it is right: an object is retired after the pointer to it was replaced, sealed after that,
 * and call_rcu (a full barrier) follows; its callback runs when every reader has been quiescent
 * since, and its store (release) is what the owner's load (acquire) below sees before it takes the
 * object again.
 */

static void note_grace(struct rcu_head *head)
{
	struct esf_shard *shard = caa_container_of(head, struct esf_shard, grace);

	atomic_store_explicit(&shard->grace_over, true, memory_order_release);
}

void esf_shard_mature(struct esf_shard *shard)
{
	struct esf_pool *pools[3 + ESF_BLOCK_SIZES] = { shard->windows, shard->cards,
		shard->unmapped_lists };
	uint32_t count = 3, sealed = 0;

	for (uint32_t i = 0; i < ESF_BLOCK_SIZES && shard->blocks.pools[i] != NULL; i++)
		pools[count++] = shard->blocks.pools[i];

	if (shard->grace_runs) {
		if (!atomic_load_explicit(&shard->grace_over, memory_order_acquire))
			return;
		for (uint32_t i = 0; i < count; i++)
			esf_pool_mature(pools[i]);
		shard->grace_runs = false;
	}
	for (uint32_t i = 0; i < count; i++)
		sealed += esf_pool_seal(pools[i]);
	if (sealed == 0)
		return;
	shard->grace_runs = true;
	atomic_store_explicit(&shard->grace_over, false, memory_order_relaxed);
	call_rcu(&shard->grace, note_grace);
}

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ESF_LCORES_POLL_H
#define ESF_LCORES_POLL_H

#include <stdbool.h>
#include <stdint.h>

#include "clock.h"
#include "dataplane/shard.h"
#include "handover.h"
#include "idle.h"
#include "nodes.h"
#include "plan.h"
#include "tally.h"

struct rte_keepalive;
struct rte_mempool;

/*
 * The loop of a data lcore. One pass: the time, once; the inbox; a burst from each queue, its
 * neighbours answered and its mbufs freed; the hand-over rings and the counters published; RCU told
 * that nothing is held; the watchdog told that we live. A pass that found nothing does what the
 * idle policy says (idle.h); a thread that sleeps is offline for RCU. What is done and what it
 * costs is counted (nodes.h).
 */
struct esf_poll_queue {
	uint16_t port;
	uint16_t rx;
	uint16_t tx; /* or ESF_PLAN_NO_QUEUE */
	uint8_t mac[6];
	uint32_t frame_flags;
	const struct esf_frame_addresses *addresses;
	struct rte_mempool *pool;

	/* what came of polling it; any thread reads */
	esf_tally packets;
	esf_tally bursts;      /* polls that found packets */
	esf_tally full_bursts; /* of them: those that left packets behind for all we know */
	esf_tally unbuffered;  /* answers that found no mbuf */
	esf_tally unsent;      /* answers that found no room in the TX queue */
};

/* Written at set-up; from the launch on the lcore's, until it is joined. */
struct esf_poller {
	uint32_t index; /* of the shard */
	struct esf_shard *shard;
	struct esf_handover *handover; /* NULL: one shard only */
	const struct esf_clock *clock;
	struct rte_keepalive *keepalive;
	const bool *stop; /* set by the control thread, read with acquire */
	uint32_t queues_count;
	struct esf_poll_queue queues[ESF_PLAN_QUEUES_MAX];

	int64_t now; /* of the last pass; never goes back */
	struct esf_idle idle;
	struct esf_nodes nodes; /* any thread reads */
} __attribute__((aligned(64)));

/* An lcore's function (rte_eal_remote_launch), with a struct esf_poller. Returns 0 soon after
 * *stop. */
int esf_poll_run(void *poller);

/*
 * After the lcore is joined, on the control thread: a pass without ports. Returns how many parcels
 * the inbox gave; a parcel may put others into other inboxes.
 */
uint32_t esf_poll_drain(struct esf_poller *poller);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#include "poll.h"

#include <assert.h>
#include <sched.h>
#include <time.h>

#include <rte_branch_prediction.h>
#include <rte_ethdev.h>
#include <rte_keepalive.h>
#include <rte_mbuf.h>
#include <rte_pause.h>
#include <rte_prefetch.h>
#include <urcu-qsbr.h>

#include "dataplane/neighbour.h"

enum {
	INBOX_BUDGET = 1024, /* parcels a pass, so that no RX queue waits for long */
	EMPTY_PAUSE = 16,    /* empty passes before the lcore gives way */
	EMPTY_SLEEP = 64,
	SLEEP_NS = 50000,
};

static_assert(ESF_BURST_MAX == 64, "a burst's frames are bits of a mask");

/* What the port found out about the frame's checksums. */
static inline uint32_t checksum_flags(uint64_t ol_flags)
{
	static const uint8_t ip[4] = { 0, ESF_FRAME_IP_CHECKSUM_BAD, ESF_FRAME_IP_CHECKSUM_GOOD,
		ESF_FRAME_IP_CHECKSUM_GOOD };
	static const uint8_t udp[4] = { 0, ESF_FRAME_UDP_CHECKSUM_BAD, ESF_FRAME_UDP_CHECKSUM_GOOD,
		ESF_FRAME_UDP_CHECKSUM_GOOD };

	return (uint32_t)ip[((ol_flags & RTE_MBUF_F_RX_IP_CKSUM_BAD) != 0) +
	                    2 * ((ol_flags & RTE_MBUF_F_RX_IP_CKSUM_GOOD) != 0)] |
	       udp[((ol_flags & RTE_MBUF_F_RX_L4_CKSUM_BAD) != 0) +
	           2 * ((ol_flags & RTE_MBUF_F_RX_L4_CKSUM_GOOD) != 0)];
}

/* A frame in several pieces is joined; where the first has no room for it, it stays cut short,
 * which is malformed. */
static inline void describe(struct rte_mbuf *mbuf, uint32_t frame_flags, struct esf_packet *packet)
{
	if (unlikely(mbuf->nb_segs > 1))
		(void)rte_pktmbuf_linearize(mbuf);
	packet->data = rte_pktmbuf_mtod(mbuf, const uint8_t *);
	packet->size = rte_pktmbuf_data_len(mbuf);
	packet->flags = frame_flags | checksum_flags(mbuf->ol_flags);
}

/* The answer to one frame, or NULL where none is due or there is no mbuf for it. */
static struct rte_mbuf *answer_to(struct esf_poll_queue *queue, const struct esf_packet *packet)
{
	struct rte_mbuf *mbuf = rte_pktmbuf_alloc(queue->pool);
	uint32_t size;

	if (mbuf == NULL) {
		esf_tally_add(&queue->unbuffered, 1);
		return NULL;
	}
	size = esf_neighbour_reply(packet->data, packet->size, queue->addresses, queue->mac,
	    rte_pktmbuf_mtod(mbuf, uint8_t *), rte_pktmbuf_tailroom(mbuf));
	if (size == 0) {
		rte_pktmbuf_free(mbuf);
		return NULL;
	}
	mbuf->data_len = (uint16_t)size;
	mbuf->pkt_len = size;
	return mbuf;
}

static __attribute__((cold, noinline)) void answer_neighbours(
    struct esf_poll_queue *queue, const struct esf_packet *packets, uint64_t neighbours)
{
	struct rte_mbuf *answers[ESF_BURST_MAX];
	uint16_t count = 0, sent;

	if (queue->tx == ESF_PLAN_NO_QUEUE)
		return;
	for (; neighbours != 0; neighbours &= neighbours - 1) {
		answers[count] = answer_to(queue, &packets[__builtin_ctzll(neighbours)]);
		if (answers[count] != NULL)
			count++;
	}
	if (count == 0)
		return;
	sent = rte_eth_tx_burst(queue->port, queue->tx, answers, count);
	esf_tally_add(&queue->unsent, count - sent);
	rte_pktmbuf_free_bulk(answers + sent, count - sent);
}

static inline void count_burst(struct esf_poll_queue *queue, uint16_t count)
{
	esf_tally_add(&queue->packets, count);
	esf_tally_add(&queue->bursts, 1);
	esf_tally_add(&queue->full_bursts, count == ESF_BURST_MAX);
}

static inline uint32_t receive(const struct esf_poller *poller, struct esf_poll_queue *queue)
{
	struct rte_mbuf *mbufs[ESF_BURST_MAX];
	struct esf_packet packets[ESF_BURST_MAX];
	uint16_t count = rte_eth_rx_burst(queue->port, queue->rx, mbufs, ESF_BURST_MAX);
	uint64_t neighbours;

	if (count == 0)
		return 0;
	count_burst(queue, count);
	for (uint16_t i = 0; i < count; i++)
		rte_prefetch0(rte_pktmbuf_mtod(mbufs[i], const void *));
	for (uint16_t i = 0; i < count; i++)
		describe(mbufs[i], queue->frame_flags, &packets[i]);
	neighbours = esf_shard_receive(poller->shard, queue->addresses, packets, count);
	if (unlikely(neighbours != 0))
		answer_neighbours(queue, packets, neighbours);
	rte_pktmbuf_free_bulk(mbufs, count);
	return count;
}

static void take_parcels(void *shard, const struct esf_parcel *const *parcels,
    const uint8_t *const *payloads, uint32_t count)
{
	esf_shard_take(shard, parcels, payloads, count);
}

static inline void begin(struct esf_poller *poller)
{
	int64_t now = esf_clock_now(poller->clock);

	if (likely(now > poller->now))
		poller->now = now;
	esf_shard_begin(poller->shard, poller->now);
}

static inline uint32_t take_inbox(const struct esf_poller *poller)
{
	if (poller->handover == NULL)
		return 0;
	return esf_handover_take(
	    poller->handover, poller->index, INBOX_BUDGET, take_parcels, poller->shard);
}

/* What was handed over is there for its taker before the counters say that it was handed. */
static inline void end(const struct esf_poller *poller)
{
	if (poller->handover != NULL)
		esf_handover_flush(poller->handover, poller->index);
	esf_shard_end(poller->shard);
}

static void give_way(struct esf_poller *poller)
{
	const struct timespec nap = { .tv_nsec = SLEEP_NS };

	poller->empty++;
	if (poller->empty < EMPTY_PAUSE)
		return;
	if (!poller->shares_cpu) {
		rte_pause();
	} else if (poller->empty < EMPTY_SLEEP) {
		sched_yield();
	} else {
		poller->empty = EMPTY_SLEEP;
		rcu_thread_offline();
		nanosleep(&nap, NULL);
		rcu_thread_online();
	}
}

static inline void run_pass(struct esf_poller *poller)
{
	uint32_t work;

	begin(poller);
	work = take_inbox(poller);
	esf_tally_add(&poller->passes, 1);
	for (uint32_t i = 0; i < poller->queues_count; i++)
		work += receive(poller, &poller->queues[i]);
	end(poller);
	rcu_quiescent_state();
	rte_keepalive_mark_alive(poller->keepalive);
	if (work == 0)
		give_way(poller);
	else
		poller->empty = 0;
}

int esf_poll_run(void *context)
{
	struct esf_poller *poller = context;

	rcu_register_thread();
	while (!__atomic_load_n(poller->stop, __ATOMIC_ACQUIRE))
		run_pass(poller);
	rcu_unregister_thread();
	return 0;
}

uint32_t esf_poll_drain(struct esf_poller *poller)
{
	uint32_t taken;

	begin(poller);
	taken = take_inbox(poller);
	end(poller);
	return taken;
}

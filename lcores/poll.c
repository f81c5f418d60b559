/* SPDX-License-Identifier: Apache-2.0 */
#include "poll.h"

#include <assert.h>
#include <sched.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>

#include <rte_branch_prediction.h>
#include <rte_cycles.h>
#include <rte_ethdev.h>
#include <rte_keepalive.h>
#include <rte_mbuf.h>
#include <rte_pause.h>
#include <rte_prefetch.h>
#include <urcu-qsbr.h>

#include "dataplane/neighbour.h"

enum {
	INBOX_BUDGET = 1024, /* parcels a pass, so that no RX queue waits for long */
	SLACK_NS = 1000,     /* that the kernel may add to a sleep; its default is 50 us */
};

static_assert(ESF_BURST_MAX == 64, "a burst's frames are bits of a mask");

#define CHECKSUMS_GOOD (RTE_MBUF_F_RX_IP_CKSUM_GOOD | RTE_MBUF_F_RX_L4_CKSUM_GOOD)
#define CHECKSUMS (CHECKSUMS_GOOD | RTE_MBUF_F_RX_IP_CKSUM_BAD | RTE_MBUF_F_RX_L4_CKSUM_BAD)

#define ELSEWHERE (RTE_MBUF_F_INDIRECT | RTE_MBUF_F_EXTERNAL) /* where an mbuf's data may be */

static __attribute__((cold, noinline)) uint32_t rare_checksum_flags(uint64_t ol_flags)
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
static __attribute__((cold, noinline)) void join(struct rte_mbuf *mbuf)
{
	if (mbuf->nb_segs > 1)
		(void)rte_pktmbuf_linearize(mbuf);
}

/* Of one piece, held by nobody else, and of the port's pool. */
static inline bool is_whole(const struct rte_mbuf *mbuf, const struct rte_mempool *pool)
{
	static_assert(offsetof(struct rte_mbuf, nb_segs) == offsetof(struct rte_mbuf, refcnt) + 2,
	    "both are one word");
	uint32_t counts;

	memcpy(&counts, (const char *)mbuf + offsetof(struct rte_mbuf, refcnt), sizeof(counts));
	return counts == 0x00010001 && mbuf->pool == pool;
}

/*
 * What the shard is to know of the frames, which are fetched. The port found out about a frame's
 * checksums most often nothing, or that both are good. Returns whether all mbufs are plain ones:
 * whole, with their data in them, as ports give them.
 */
static inline bool describe(const struct esf_poll_queue *queue, struct rte_mbuf **mbufs,
    uint16_t count, struct esf_packet *packets)
{
	const struct rte_mempool *pool = queue->pool;
	const uint32_t frame_flags = queue->frame_flags;
	bool plain = true;

	for (uint16_t i = 0; i < count; i++) {
		struct rte_mbuf *mbuf = mbufs[i];
		uint64_t marks = mbuf->ol_flags & (CHECKSUMS | ELSEWHERE);
		uint32_t flags = frame_flags;

		if (unlikely(!is_whole(mbuf, pool))) {
			join(mbuf);
			plain = false;
		}
		if (marks == CHECKSUMS_GOOD) {
			flags |= (uint32_t)ESF_FRAME_IP_CHECKSUM_GOOD | ESF_FRAME_UDP_CHECKSUM_GOOD;
		} else if (unlikely(marks != 0)) {
			flags |= rare_checksum_flags(marks);
			plain = plain && (marks & ELSEWHERE) == 0;
		}
		packets[i].data = rte_pktmbuf_mtod(mbuf, const uint8_t *);
		packets[i].size = rte_pktmbuf_data_len(mbuf);
		packets[i].flags = flags;
		rte_prefetch0(packets[i].data);
	}
	return plain;
}

/* plain: they all are, and go back to their pool as they are, without a look at their second lines.
 */
static inline void give_back(
    const struct esf_poll_queue *queue, struct rte_mbuf **mbufs, uint16_t count, bool plain)
{
	if (likely(plain))
		rte_mempool_put_bulk(queue->pool, (void **)mbufs, count);
	else
		rte_pktmbuf_free_bulk(mbufs, count);
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

/* Returns how many answers were sent. */
static uint16_t send_answers(
    struct esf_poll_queue *queue, const struct esf_packet *packets, uint64_t neighbours)
{
	struct rte_mbuf *answers[ESF_BURST_MAX];
	uint16_t count = 0, sent;

	if (queue->tx == ESF_PLAN_NO_QUEUE)
		return 0;
	for (; neighbours != 0; neighbours &= neighbours - 1) {
		answers[count] = answer_to(queue, &packets[__builtin_ctzll(neighbours)]);
		if (answers[count] != NULL)
			count++;
	}
	if (count == 0)
		return 0;
	sent = rte_eth_tx_burst(queue->port, queue->tx, answers, count);
	esf_tally_add(&queue->unsent, count - sent);
	rte_pktmbuf_free_bulk(answers + sent, count - sent);
	return sent;
}

static __attribute__((cold, noinline)) void answer_neighbours(struct esf_nodes *nodes,
    struct esf_poll_queue *queue, const struct esf_packet *packets, uint64_t neighbours)
{
	uint16_t sent = send_answers(queue, packets, neighbours);

	esf_nodes_charge(
	    nodes, ESF_NODE_ANSWER, (uint64_t)__builtin_popcountll(neighbours), sent, rte_rdtsc());
}

static inline void count_burst(struct esf_poll_queue *queue, uint16_t count)
{
	esf_tally_add(&queue->packets, count);
	esf_tally_add_after(&queue->bursts, 1);
	esf_tally_add_after(&queue->full_bursts, count == ESF_BURST_MAX);
}

/* Datagrams that the shard took to their end or handed over, of all it judged. */
static inline uint64_t gone_on(const struct esf_poller *poller)
{
	const struct esf_ledger *ledger = esf_shard_ledger(poller->shard);

	return ledger->datagrams[ESF_DATAGRAM_ACCEPTED] + ledger->datagrams_handed;
}

static inline uint64_t process(struct esf_poller *poller, const struct esf_poll_queue *queue,
    const struct esf_packet *packets, uint16_t count)
{
	uint64_t before = gone_on(poller), neighbours;

	neighbours = esf_shard_receive(poller->shard, queue->addresses, packets, count);
	esf_nodes_charge(
	    &poller->nodes, ESF_NODE_PROCESS, count, gone_on(poller) - before, rte_rdtsc());
	return neighbours;
}

static inline uint32_t receive(struct esf_poller *poller, struct esf_poll_queue *queue)
{
	struct rte_mbuf *mbufs[ESF_BURST_MAX];
	struct esf_packet packets[ESF_BURST_MAX];
	uint16_t count = rte_eth_rx_burst(queue->port, queue->rx, mbufs, ESF_BURST_MAX);
	uint64_t neighbours;
	bool plain;

	if (count == 0)
		return 0;
	count_burst(queue, count);
	plain = describe(queue, mbufs, count, packets);
	esf_nodes_charge(&poller->nodes, ESF_NODE_RECEIVE, count, count, rte_rdtsc());
	neighbours = process(poller, queue, packets, count);
	if (unlikely(neighbours != 0))
		answer_neighbours(&poller->nodes, queue, packets, neighbours);
	give_back(queue, mbufs, count, plain);
	esf_nodes_charge(&poller->nodes, ESF_NODE_RECEIVE, 0, 0, rte_rdtsc());
	return count;
}

static void take_parcels(void *shard, const struct esf_parcel *const *parcels,
    const uint8_t *const *payloads, uint32_t count)
{
	esf_shard_take(shard, parcels, payloads, count);
}

static inline void begin(struct esf_poller *poller)
{
	uint64_t ticks = rte_rdtsc();
	int64_t now = esf_clock_at(poller->clock, ticks);

	esf_nodes_begin(&poller->nodes, ticks);
	if (likely(now > poller->now))
		poller->now = now;
	esf_shard_begin(poller->shard, poller->now);
}

/* Of the parcels those go on that are accepted, and the lines, whose datagrams have their verdicts.
 */
static inline uint32_t take_inbox(struct esf_poller *poller)
{
	const struct esf_ledger *ledger = esf_shard_ledger(poller->shard);
	uint64_t datagrams = ledger->datagrams_taken;
	uint64_t accepted = ledger->datagrams[ESF_DATAGRAM_ACCEPTED];
	uint32_t taken;

	if (poller->handover == NULL)
		return 0;
	taken = esf_handover_take(
	    poller->handover, poller->index, INBOX_BUDGET, take_parcels, poller->shard);
	if (taken == 0)
		return 0;
	datagrams = ledger->datagrams_taken - datagrams;
	accepted = ledger->datagrams[ESF_DATAGRAM_ACCEPTED] - accepted;
	esf_nodes_charge(
	    &poller->nodes, ESF_NODE_INBOX, taken, taken - (datagrams - accepted), rte_rdtsc());
	return taken;
}

/* What was handed over is there for its taker before the counters say that it was handed. */
static inline void hand_over(struct esf_poller *poller)
{
	struct esf_handover_flushed flushed;

	if (poller->handover == NULL)
		return;
	flushed = esf_handover_flush(poller->handover, poller->index);
	if (flushed.put + flushed.refused > 0)
		esf_nodes_charge(&poller->nodes, ESF_NODE_HAND_OVER, flushed.put + flushed.refused,
		    flushed.put, rte_rdtsc());
}

/* Returns how many items were published. */
static inline uint32_t end(struct esf_poller *poller)
{
	uint32_t published;

	hand_over(poller);
	published = esf_shard_end(poller->shard);
	if (published > 0)
		esf_nodes_charge(&poller->nodes, ESF_NODE_PUBLISH, published, published,
		    poller->nodes.pass.mark);
	return published;
}

/* Offline: no grace period waits for a thread that sleeps. */
static __attribute__((cold, noinline)) void nap(struct esf_poller *poller)
{
	const struct timespec time = { .tv_nsec = (long)poller->idle.sleep_us * 1000 };
	uint64_t from = rte_rdtsc();

	rcu_thread_offline();
	nanosleep(&time, NULL);
	rcu_thread_online();
	esf_nodes_sleep(&poller->nodes, from, rte_rdtsc());
}

static inline void give_way(struct esf_poller *poller)
{
	switch (esf_idle_empty(&poller->idle)) {
	case ESF_IDLE_PAUSE:
		rte_pause();
		break;
	case ESF_IDLE_GIVE_WAY:
		sched_yield();
		break;
	case ESF_IDLE_NAP:
		nap(poller);
		break;
	}
}

static inline void run_pass(struct esf_poller *poller)
{
	uint32_t work;

	begin(poller);
	work = take_inbox(poller);
	for (uint32_t i = 0; i < poller->queues_count; i++)
		work += receive(poller, &poller->queues[i]);
	work += end(poller);
	rcu_quiescent_state();
	rte_keepalive_mark_alive(poller->keepalive);
	poller->nodes.pass.work = work;
	if (work == 0)
		give_way(poller);
	else
		esf_idle_found(&poller->idle, work);
}

int esf_poll_run(void *context)
{
	struct esf_poller *poller = context;

	if (poller->idle.sleep_us_max > poller->idle.sleep_us_min)
		(void)prctl(PR_SET_TIMERSLACK, (unsigned long)SLACK_NS, 0, 0, 0);
	rcu_register_thread();
	while (!__atomic_load_n(poller->stop, __ATOMIC_ACQUIRE))
		run_pass(poller);
	esf_nodes_end(&poller->nodes, rte_rdtsc());
	rcu_unregister_thread();
	return 0;
}

uint32_t esf_poll_drain(struct esf_poller *poller)
{
	uint32_t taken;

	begin(poller);
	taken = take_inbox(poller);
	poller->nodes.pass.work = taken + end(poller);
	esf_nodes_end(&poller->nodes, rte_rdtsc());
	return taken;
}

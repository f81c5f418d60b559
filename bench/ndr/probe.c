/* SPDX-License-Identifier: Apache-2.0 */
#include "probe.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <rte_branch_prediction.h>
#include <rte_cycles.h>
#include <rte_mbuf.h>

#include "bench/pipeline/slots.h"
#include "dataplane/etd_wire.h"
#include "lcores/tally.h"
#include "waits.h"

enum {
	WAITS_MAX = 1 << 22, /* bursts, at least, that wait for a publication: 96 MiB */
	RETIRED_A_PASS = 64, /* and twice what came in the pass */
	ANSWER_MS_MAX = 30000,
};

struct esf_probe {
	/* the lcore's, but for the loads of esf_probe_start and _take */
	struct esf_waits waits;
	int64_t pass_over; /* lcores' ns: the callback of the pass before */
	int64_t settled;
	esf_tally waiting;
	_Atomic uint64_t received; /* store: release, after `waiting`, which counts them */
	_Atomic uint32_t answered; /* store: release, after the last write to counts[..] */

	/* control's; loads by the lcore */
	_Atomic(const struct esf_plane *) plane; /* release: the clock is there */
	const struct esf_clock *clock;
	_Atomic uint32_t asked; /* release: counts[asked % 2] is clear */

	/* counts[answered % 2] is the lcore's, the other control's */
	struct esf_probe_counts counts[2];
};

static void clear_counts(struct esf_probe_counts *counts)
{
	memset(counts, 0, sizeof(*counts));
	esf_histogram_clear(&counts->arrival);
	esf_histogram_clear(&counts->publication);
	esf_histogram_clear(&counts->block);
}

int esf_probe_create(struct esf_probe **out)
{
	struct esf_probe *probe = calloc(1, sizeof(*probe));

	if (probe == NULL)
		return -ENOMEM;
	if (esf_waits_create(&probe->waits, WAITS_MAX) != 0) {
		free(probe);
		return -ENOMEM;
	}
	clear_counts(&probe->counts[0]);
	clear_counts(&probe->counts[1]);
	*out = probe;
	return 0;
}

void esf_probe_destroy(struct esf_probe *probe)
{
	if (probe == NULL)
		return;
	esf_waits_destroy(&probe->waits);
	free(probe);
}

static inline int64_t unix_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* When it was sent, or -1. */
static inline int64_t sent_at(const struct rte_mbuf *mbuf)
{
	const uint8_t *payload = rte_pktmbuf_mtod_offset(mbuf, uint8_t *, ESF_SLOT_PAYLOAD_AT);
	uint32_t magic;
	int64_t sent;

	if (rte_pktmbuf_data_len(mbuf) < ESF_SLOT_PAYLOAD_AT + ESF_ETD_HEADER_SIZE)
		return -1;
	memcpy(&magic, payload + ESF_ETD_AT_MAGIC, sizeof(magic));
	memcpy(&sent, payload + ESF_ETD_AT_TIME, sizeof(sent));
	return magic == ESF_ETD_MAGIC ? sent : -1;
}

/* A run of datagrams sent at the same time. */
static inline void note_run(struct esf_probe *probe, struct esf_probe_counts *counts, int64_t sent,
    int64_t now, uint32_t run)
{
	if (sent < 0 || !esf_waits_add(&probe->waits, sent, probe->pass_over, run)) {
		counts->unmeasured += run;
		return;
	}
	counts->before_sent += now < sent ? run : 0;
	esf_histogram_add(&counts->arrival, now < sent ? 0 : (uint64_t)(now - sent), run);
}

static void note_burst(struct esf_probe *probe, struct esf_probe_counts *counts,
    struct rte_mbuf **mbufs, uint16_t count)
{
	int64_t now = unix_ns(), sent = sent_at(mbufs[0]);
	uint32_t run = 1;

	for (uint16_t i = 1; i < count; i++) {
		int64_t next = sent_at(mbufs[i]);

		if (next == sent) {
			run++;
			continue;
		}
		note_run(probe, counts, sent, now, run);
		sent = next;
		run = 1;
	}
	note_run(probe, counts, sent, now, run);
	counts->datagrams += count;
}

static void note_publication(
    struct esf_probe *probe, struct esf_probe_counts *counts, int64_t settled)
{
	int64_t took = esf_clock_now(probe->clock) - settled;

	if (!esf_waits_publish(&probe->waits, settled, unix_ns()))
		return;
	probe->settled = settled;
	esf_histogram_add(&counts->publication, took < 0 ? 0 : (uint64_t)took, 1);
}

/* Control wants the counts: goes on in the other ones. */
static inline struct esf_probe_counts *counts_of_lcore(struct esf_probe *probe)
{
	uint32_t asked = atomic_load_explicit(&probe->asked, memory_order_acquire);

	if (unlikely(asked != atomic_load_explicit(&probe->answered, memory_order_relaxed)))
		atomic_store_explicit(&probe->answered, asked, memory_order_release);
	return &probe->counts[asked % 2];
}

uint16_t esf_probe_burst(uint16_t port, uint16_t queue, struct rte_mbuf **mbufs, uint16_t count,
    uint16_t room, void *context)
{
	struct esf_probe *probe = context;
	const struct esf_plane *plane = atomic_load_explicit(&probe->plane, memory_order_acquire);
	uint64_t begin = rte_rdtsc();
	struct esf_probe_counts *counts;
	int64_t settled;

	(void)port;
	(void)queue;
	(void)room;
	if (plane == NULL)
		return count;
	counts = counts_of_lcore(probe);
	settled = esf_plane_settled(plane);
	if (settled != probe->settled)
		note_publication(probe, counts, settled);
	if (count > 0)
		note_burst(probe, counts, mbufs, count);
	counts->before_sent +=
	    esf_waits_retire(&probe->waits, RETIRED_A_PASS + 2U * count, &counts->block);
	esf_tally_set(&probe->waiting, probe->waits.datagrams);
	if (count > 0)
		atomic_store_explicit(&probe->received,
		    atomic_load_explicit(&probe->received, memory_order_relaxed) + count,
		    memory_order_release);
	probe->pass_over = esf_clock_now(probe->clock);
	if (count > 0)
		counts->cycles += rte_rdtsc() - begin;
	return count;
}

void esf_probe_start(
    struct esf_probe *probe, const struct esf_plane *plane, const struct esf_clock *clock)
{
	probe->clock = clock;
	probe->settled = esf_plane_settled(plane);
	probe->pass_over = esf_clock_now(clock);
	atomic_store_explicit(&probe->plane, plane, memory_order_release);
}

uint64_t esf_probe_waiting(const struct esf_probe *probe, uint64_t *received)
{
	*received = atomic_load_explicit(&probe->received, memory_order_acquire);
	return esf_tally_read(&probe->waiting);
}

const struct esf_probe_counts *esf_probe_take(struct esf_probe *probe)
{
	const struct timespec pause = { .tv_nsec = 1000000 };
	uint32_t asked = atomic_load_explicit(&probe->asked, memory_order_relaxed) + 1;

	clear_counts(&probe->counts[asked % 2]);
	atomic_store_explicit(&probe->asked, asked, memory_order_release);
	for (uint32_t i = 0; i < ANSWER_MS_MAX; i++) {
		if (atomic_load_explicit(&probe->answered, memory_order_acquire) == asked)
			return &probe->counts[(asked + 1) % 2];
		nanosleep(&pause, NULL);
	}
	return NULL;
}

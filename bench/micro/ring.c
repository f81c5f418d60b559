/* SPDX-License-Identifier: Apache-2.0 */
#include "micro.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include <rte_ring.h>
#include <rte_ring_elem.h>

#include "lcores/handover.h"

/* Parcels of one cell handed over in bursts, beside rte_ring's bulk calls on cells as large. */

enum { BURST = 64, CELLS = 4096, CELL = ESF_HANDOVER_CELL };

struct rings;

/* Takes from one of two at a time: the giver says which. */
struct taker {
	_Atomic(struct rings *) from; /* release, of the giver; acquire: the taker */
	_Atomic bool stop;            /* relaxed: nothing hangs on it */
	int cpu;
};

struct rings {
	struct esf_handover *handover;
	struct rte_ring *ring;
	bool raw; /* by rte_ring itself */
	struct esf_parcel parcel;
	_Alignas(64) uint8_t payload[CELL * BURST];
	uint8_t taken_cells[CELL * BURST];
	uint64_t put;                        /* bursts * BURST, of the giver */
	struct taker *taker;                 /* NULL: the giver takes */
	_Alignas(64) _Atomic uint64_t taken; /* release, of the taker; acquire: the giver */
};

static void *allocate(size_t size, int socket)
{
	(void)socket;
	return aligned_alloc(64, (size + 63) / 64 * 64);
}

static void on_parcels(void *context, const struct esf_parcel *const *parcels,
    const uint8_t *const *payloads, uint32_t count)
{
	(void)context;
	for (uint32_t i = 0; i < count; i++)
		micro_use(parcels[i]->site + payloads[i][0]);
}

static uint32_t take(struct rings *r)
{
	if (!r->raw)
		return esf_handover_take(r->handover, 1, BURST, on_parcels, NULL);
	return rte_ring_dequeue_burst_elem(r->ring, r->taken_cells, CELL, BURST, NULL);
}

static void put_raw(struct rings *r)
{
	uint32_t sent = 0;

	while (sent < BURST)
		sent += rte_ring_enqueue_burst_elem(
		    r->ring, r->payload + sent * CELL, CELL, BURST - sent, NULL);
}

static void put(struct rings *r)
{
	if (r->raw) {
		put_raw(r);
		return;
	}
	for (uint32_t i = 0; i < BURST; i++)
		while (
		    !esf_handover_put(r->handover, 0, 1, micro_hide(&r->parcel), r->payload, false))
			esf_handover_flush(r->handover, 0);
	esf_handover_flush(r->handover, 0);
}

static void run_ring(void *context, uint64_t rounds)
{
	struct rings *r = context;

	for (uint64_t i = 0; i < rounds; i++) {
		put(r);
		if (r->taker == NULL && take(r) != BURST)
			micro_fail("a parcel was lost");
	}
	r->put += rounds * BURST;
	while (r->taker != NULL && atomic_load_explicit(&r->taken, memory_order_acquire) != r->put)
		;
}

static void *run_taker(void *context)
{
	struct taker *taker = context;

	micro_pin(taker->cpu);
	while (!atomic_load_explicit(&taker->stop, memory_order_relaxed)) {
		struct rings *r = atomic_load_explicit(&taker->from, memory_order_acquire);

		if (r != NULL)
			atomic_store_explicit(&r->taken,
			    atomic_load_explicit(&r->taken, memory_order_relaxed) + take(r),
			    memory_order_release);
	}
	return NULL;
}

static void prepare_ring(void *context)
{
	struct rings *r = context;

	if (r->taker != NULL)
		atomic_store_explicit(&r->taker->from, r, memory_order_release);
}

static struct rings *make_rings(bool raw, struct taker *taker)
{
	static const int sockets[2];
	const struct esf_handover_options options = { .shards_count = 2,
		.owners = 2,
		.cells = CELLS,
		.sockets = sockets,
		.allocate = allocate,
		.release = free };
	struct rings *r = micro_allocate(1, sizeof(*r));

	r->raw = raw;
	r->taker = taker;
	r->parcel = (struct esf_parcel){ .size = CELL - sizeof(r->parcel), .site = 1 };
	r->ring = allocate((size_t)rte_ring_get_memsize_elem(CELL, CELLS), 0);
	if (r->ring == NULL || esf_handover_create(&options, &r->handover) != 0 ||
	    rte_ring_init(r->ring, "raw", CELLS, RING_F_SP_ENQ | RING_F_SC_DEQ) != 0)
		micro_fail("no rings");
	return r;
}

static void free_rings(struct rings *r)
{
	esf_handover_destroy(r->handover);
	free(r->ring);
	free(r);
}

/* Two CPUs are wanted where two threads are: on one they would wait for each other's time slices.
 */
static void ring_row(struct micro *bench, const char *name, struct taker *taker)
{
	struct rings *r = make_rings(false, taker), *raw = make_rings(true, taker);
	const struct micro_case ours = { .name = name,
		.operations = BURST,
		.state = (taker != NULL ? CELLS : BURST) * CELL,
		.prepare = prepare_ring,
		.run = run_ring,
		.context = r };
	struct micro_case floor = ours;
	pthread_t thread;

	floor.name = "rte_ring, 64-byte cells";
	floor.context = raw;
	if (taker != NULL && pthread_create(&thread, NULL, run_taker, taker) != 0)
		micro_fail("no thread");
	micro_row(bench, "hand-over", &ours, &floor, NULL);
	if (taker != NULL) {
		atomic_store_explicit(&taker->stop, true, memory_order_relaxed);
		pthread_join(thread, NULL);
	}
	free_rings(r);
	free_rings(raw);
}

void micro_handover(struct micro *bench)
{
	struct taker taker = { .cpu = micro_options(bench)->peer_cpu };

	if (!micro_wants(bench, "hand-over"))
		return;
	ring_row(bench, "bursts of 64, put and taken by one", NULL);
	if (micro_options(bench)->peer_cpu != micro_options(bench)->cpu)
		ring_row(bench, "bursts of 64, two lcores", &taker);
}

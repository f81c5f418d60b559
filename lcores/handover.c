/* SPDX-License-Identifier: Apache-2.0 */
#include "handover.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <rte_branch_prediction.h>
#include <rte_common.h>
#include <rte_prefetch.h>
#include <rte_ring.h>
#include <rte_ring_peek_zc.h>

#include "handover_cell.h"

enum {
	INBOXES_SIZE_MAX = 64 << 20, /* bytes, of all rings together */
	AHEAD = ESF_PARCELS_MAX,     /* cells that the taker asks for before it reads them */
};

static_assert(sizeof(struct esf_parcel) == 16, "a 48-byte datagram and its head fill one cell");
static_assert(ESF_HANDOVER_CELLS_MIN >= 2 * ESF_HANDOVER_PARCEL_CELLS_MAX, "any parcel fits");
static_assert(ESF_SHARDS_MAX <= 64, "shards are bits of a mask");

/* The producer's end of a ring. Owner: the lcore of the sending shard. */
struct outbox {
	struct rte_ring_zc_data space; /* the reserved cells, in one or two pieces */
	struct rte_ring *ring;         /* NULL: there is none to that shard */
	uint32_t reserved;             /* cells */
	uint32_t used;                 /* cells of them that hold parcels, not yet published */
	esf_tally high_water;          /* cells; any thread reads */
	esf_tally refused;             /* parcels; any thread reads */
} __rte_cache_aligned;

/* Owner: the lcore of the shard. */
struct sender {
	struct outbox to[ESF_SHARDS_MAX];
	uint64_t unpublished;             /* bit i: to[i].used is not 0 */
	struct esf_handover_flushed next; /* what the next flush says */
} __rte_cache_aligned;

/* Owner: the lcore of the shard. */
struct receiver {
	struct rte_ring *rings[ESF_SHARDS_MAX];
	uint32_t rings_count;
	uint32_t next; /* the ring that comes first in the next pass */
	uint8_t scratch[ESF_DATAGRAM_MAX + 1];
} __rte_cache_aligned;

/* Written at set-up only. */
struct esf_handover {
	uint32_t shards_count;
	void (*release)(void *memory);
	struct sender *senders[ESF_SHARDS_MAX];
	struct receiver *receivers[ESF_SHARDS_MAX];
};

static inline uint32_t parcel_cells(uint32_t size)
{
	return (uint32_t)(sizeof(struct esf_parcel) + size + ESF_HANDOVER_CELL - 1) /
	       ESF_HANDOVER_CELL;
}

static inline uint8_t *cell_at(const struct rte_ring_zc_data *space, uint32_t index)
{
	if (index < space->n1)
		return (uint8_t *)space->ptr1 + (size_t)index * ESF_HANDOVER_CELL;
	return (uint8_t *)space->ptr2 + (size_t)(index - space->n1) * ESF_HANDOVER_CELL;
}

/* Bytes in one piece from the head of a parcel in cell index on, of a space of count cells. */
static inline uint32_t contiguous(
    const struct rte_ring_zc_data *space, uint32_t index, uint32_t count)
{
	return ((index < space->n1 ? space->n1 : count) - index) * ESF_HANDOVER_CELL;
}

/* What the ring holds once what was put is published: all but the room that was reserved and not
 * used. The consumer may have taken some of it since. */
static inline void outbox_measure(struct outbox *outbox)
{
	uint64_t filled = rte_ring_get_capacity(outbox->ring) - (outbox->reserved - outbox->used);

	if (unlikely(filled > esf_tally_read(&outbox->high_water)))
		esf_tally_set(&outbox->high_water, filled);
}

static void outbox_publish(struct outbox *outbox)
{
	if (outbox->reserved > 0) {
		outbox_measure(outbox);
		settle_cells();
		rte_ring_enqueue_zc_finish(outbox->ring, outbox->used);
	}
	outbox->reserved = 0;
	outbox->used = 0;
}

/* Publishes what there is and looks again at how far the consumer got. */
static __rte_noinline bool outbox_renew(struct outbox *outbox, uint32_t cells)
{
	outbox_publish(outbox);
	outbox->reserved = rte_ring_enqueue_zc_burst_elem_start(outbox->ring, ESF_HANDOVER_CELL,
	    rte_ring_get_capacity(outbox->ring), &outbox->space, NULL);
	return outbox->reserved >= cells;
}

static __rte_noinline __rte_cold bool refuse(struct sender *sender, struct outbox *outbox)
{
	esf_tally_add(&outbox->refused, 1);
	sender->next.refused++;
	return false;
}

static inline void write_parcel(
    const struct outbox *outbox, const struct esf_parcel *parcel, const uint8_t *payload)
{
	uint8_t *cell = cell_at(&outbox->space, outbox->used);
	uint32_t room, first;

	if (likely(parcel->size == ESF_HANDOVER_CELL - sizeof(*parcel))) {
		fill_cell(cell, parcel, payload);
		return;
	}
	room = contiguous(&outbox->space, outbox->used, outbox->reserved);
	if (likely(room >= parcel_cells(parcel->size) * ESF_HANDOVER_CELL)) {
		fill_cells(cell, parcel, payload);
		return;
	}
	*(struct esf_parcel *)cell = *parcel;
	first = room - (uint32_t)sizeof(*parcel);
	if (first > 0)
		memcpy(cell + sizeof(*parcel), payload, first);
	memcpy(outbox->space.ptr2, payload + first, parcel->size - first);
}

bool esf_handover_put(void *handover, uint32_t from, uint32_t to, const struct esf_parcel *parcel,
    const uint8_t *payload, bool storms)
{
	struct sender *sender = ((struct esf_handover *)handover)->senders[from];
	struct outbox *outbox = &sender->to[to];
	uint32_t cells = parcel_cells(parcel->size);
	uint32_t wanted = cells;
	struct esf_parcel whole;

	assert(outbox->ring != NULL && parcel->size <= ESF_DATAGRAM_MAX);
	if (unlikely(storms))
		wanted += rte_ring_get_capacity(outbox->ring) / 2;
	if (unlikely(outbox->reserved - outbox->used < wanted) && !outbox_renew(outbox, wanted))
		return refuse(sender, outbox);
	whole = read_parcel(parcel);
	write_parcel(outbox, &whole, payload);
	outbox->used += cells;
	sender->unpublished |= UINT64_C(1) << to;
	sender->next.put++;
	return true;
}

struct esf_handover_flushed esf_handover_flush(struct esf_handover *handover, uint32_t from)
{
	struct sender *sender = handover->senders[from];
	struct esf_handover_flushed flushed = sender->next;

	while (sender->unpublished != 0) {
		outbox_publish(&sender->to[__builtin_ctzll(sender->unpublished)]);
		sender->unpublished &= sender->unpublished - 1;
	}
	sender->next = (struct esf_handover_flushed){ 0 };
	return flushed;
}

/* The payload of the parcel in cell index, in one piece. At most one in a space ends in its second
 * piece after beginning in the first, and so wants the scratch. */
static inline const uint8_t *parcel_payload(struct receiver *receiver,
    const struct rte_ring_zc_data *space, uint32_t index, uint32_t count, uint32_t size)
{
	const uint8_t *payload = cell_at(space, index) + sizeof(struct esf_parcel);
	uint32_t first = contiguous(space, index, count) - (uint32_t)sizeof(struct esf_parcel);

	if (likely(size <= first))
		return payload;
	memcpy(receiver->scratch, payload, first);
	memcpy(receiver->scratch + first, space->ptr2, size - first);
	return receiver->scratch;
}

static uint32_t ring_take(struct receiver *receiver, struct rte_ring *ring, uint32_t budget,
    esf_handover_taker taker, void *context)
{
	struct rte_ring_zc_data space;
	uint32_t count = rte_ring_dequeue_zc_burst_elem_start(
	    ring, ESF_HANDOVER_CELL, rte_ring_get_capacity(ring), &space, NULL);
	const struct esf_parcel *parcels[ESF_PARCELS_MAX];
	const uint8_t *payloads[ESF_PARCELS_MAX];
	uint32_t index = 0, taken = 0, few = 0;

	for (uint32_t i = 0; i < count && i < AHEAD; i++)
		rte_prefetch0(cell_at(&space, i));
	while (index < count && taken < budget) {
		const struct esf_parcel *parcel = (const void *)cell_at(&space, index);
		uint32_t cells = parcel_cells(parcel->size);

		assert(cells <= count - index);
		if (likely(index + AHEAD < count))
			rte_prefetch0(cell_at(&space, index + AHEAD));
		parcels[few] = parcel;
		payloads[few++] = parcel_payload(receiver, &space, index, count, parcel->size);
		index += cells;
		taken++;
		if (few == ESF_PARCELS_MAX) {
			taker(context, parcels, payloads, few);
			few = 0;
		}
	}
	if (few > 0)
		taker(context, parcels, payloads, few);
	if (count > 0)
		rte_ring_dequeue_zc_finish(ring, index);
	return taken;
}

uint32_t esf_handover_take(struct esf_handover *handover, uint32_t to, uint32_t budget,
    esf_handover_taker taker, void *context)
{
	struct receiver *receiver = handover->receivers[to];
	uint32_t taken = 0;

	if (receiver == NULL || receiver->rings_count == 0)
		return 0;
	for (uint32_t i = 0; i < receiver->rings_count; i++) {
		uint32_t share = (budget - taken) / (receiver->rings_count - i);
		struct rte_ring *ring = receiver->rings[receiver->next];

		if (++receiver->next == receiver->rings_count)
			receiver->next = 0;
		taken += ring_take(receiver, ring, share, taker, context);
	}
	if (++receiver->next == receiver->rings_count)
		receiver->next = 0;
	return taken;
}

bool esf_handover_counts(const struct esf_handover *handover, uint32_t from, uint32_t to,
    struct esf_handover_counts *counts)
{
	const struct outbox *outbox = &handover->senders[from]->to[to];

	if (outbox->ring == NULL)
		return false;
	counts->capacity = rte_ring_get_capacity(outbox->ring);
	counts->high_water = esf_tally_read(&outbox->high_water);
	counts->refused = esf_tally_read(&outbox->refused);
	return true;
}

bool esf_handover_is_empty(const struct esf_handover *handover, uint32_t to)
{
	const struct receiver *receiver = handover->receivers[to];

	for (uint32_t i = 0; receiver != NULL && i < receiver->rings_count; i++)
		if (!rte_ring_empty(receiver->rings[i]))
			return false;
	return true;
}

static size_t ring_size(uint32_t cells)
{
	return (size_t)rte_ring_get_memsize_elem(ESF_HANDOVER_CELL, cells);
}

uint32_t esf_handover_cells(uint32_t shards_count, uint64_t owners)
{
	uint64_t rings =
	    (uint64_t)__builtin_popcountll(owners) * (shards_count > 1 ? shards_count - 1 : 1);
	uint32_t cells = ESF_HANDOVER_CELLS_MAX;

	while (
	    cells > ESF_HANDOVER_CELLS_MIN && rings * cells * ESF_HANDOVER_CELL > INBOXES_SIZE_MAX)
		cells /= 2;
	return cells;
}

size_t esf_handover_inbox_size(uint32_t shards_count, uint32_t cells)
{
	return sizeof(struct receiver) + sizeof(struct sender) +
	       (shards_count - 1) * ring_size(cells);
}

static void *allocate_zeroed(
    const struct esf_handover_options *options, size_t size, uint32_t shard)
{
	void *memory = options->allocate(size, options->sockets[shard]);

	if (memory != NULL)
		memset(memory, 0, size);
	return memory;
}

static int create_ring(const struct esf_handover_options *options, struct esf_handover *handover,
    uint32_t from, uint32_t to)
{
	struct receiver *receiver = handover->receivers[to];
	struct rte_ring *ring = allocate_zeroed(options, ring_size(options->cells), to);
	char name[RTE_RING_NAMESIZE];

	if (ring == NULL)
		return -ENOMEM;
	snprintf(name, sizeof(name), "inbox-%u-%u", from, to);
	rte_ring_init(ring, name, options->cells, RING_F_SP_ENQ | RING_F_SC_DEQ);
	handover->senders[from]->to[to].ring = ring;
	receiver->rings[receiver->rings_count++] = ring;
	return 0;
}

static int create_shard_ends(
    const struct esf_handover_options *options, struct esf_handover *handover)
{
	for (uint32_t i = 0; i < options->shards_count; i++) {
		handover->senders[i] = allocate_zeroed(options, sizeof(struct sender), i);
		if (handover->senders[i] == NULL)
			return -ENOMEM;
		if ((options->owners >> i & 1) == 0)
			continue;
		handover->receivers[i] = allocate_zeroed(options, sizeof(struct receiver), i);
		if (handover->receivers[i] == NULL)
			return -ENOMEM;
	}
	return 0;
}

static int create_rings(const struct esf_handover_options *options, struct esf_handover *handover)
{
	int error = create_shard_ends(options, handover);

	for (uint32_t to = 0; to < options->shards_count; to++)
		for (uint32_t from = 0; from < options->shards_count && error == 0; from++)
			if (from != to && handover->receivers[to] != NULL)
				error = create_ring(options, handover, from, to);
	return error;
}

int esf_handover_create(const struct esf_handover_options *options, struct esf_handover **out)
{
	struct esf_handover *handover;
	int error;

	if (options->shards_count < 1 || options->shards_count > ESF_SHARDS_MAX ||
	    options->cells < ESF_HANDOVER_CELLS_MIN || options->cells > ESF_HANDOVER_CELLS_MAX ||
	    !rte_is_power_of_2(options->cells))
		return -EINVAL;
	handover = allocate_zeroed(options, sizeof(*handover), 0);
	if (handover == NULL)
		return -ENOMEM;
	handover->shards_count = options->shards_count;
	handover->release = options->release;
	error = create_rings(options, handover);
	if (error != 0) {
		esf_handover_destroy(handover);
		return error;
	}
	*out = handover;
	return 0;
}

void esf_handover_destroy(struct esf_handover *handover)
{
	if (handover == NULL)
		return;
	for (uint32_t i = 0; i < handover->shards_count; i++) {
		struct receiver *receiver = handover->receivers[i];

		for (uint32_t j = 0; receiver != NULL && j < receiver->rings_count; j++)
			handover->release(receiver->rings[j]);
		if (receiver != NULL)
			handover->release(receiver);
		if (handover->senders[i] != NULL)
			handover->release(handover->senders[i]);
	}
	handover->release(handover);
}

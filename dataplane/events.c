/* SPDX-License-Identifier: Apache-2.0 */
#include "events.h"

#include <assert.h>
#include <stdalign.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "limits.h"

/* A cache line group for each side, then the slots. */
struct esf_events {
	/* written by the producer */
	alignas(ESF_CACHE_LINE) _Atomic uint32_t head;
	uint32_t tail_seen; /* by the producer; the consumer's tail is at or beyond it */
	uint32_t mask;      /* constant */
	_Atomic uint64_t put;
	_Atomic uint64_t dropped;
	_Atomic uint64_t unmatched[ESF_SEVERITIES];

	/* written by the consumer */
	alignas(ESF_CACHE_LINE) _Atomic uint32_t tail;
	uint32_t head_seen; /* by the consumer */
	uint32_t consumer_mask;

	alignas(ESF_CACHE_LINE) struct esf_event slots[];
};

static_assert(offsetof(struct esf_events, tail) % ESF_CACHE_LINE == 0 &&
                  offsetof(struct esf_events, tail) > offsetof(struct esf_events, unmatched) +
                                                          sizeof(uint64_t) * ESF_SEVERITIES - 1,
    "the consumer's group begins a cache line");
static_assert(
    offsetof(struct esf_events, slots) >= offsetof(struct esf_events, tail) + ESF_CACHE_LINE,
    "no slot shares a line with the consumer's group");

struct esf_events *esf_events_create(uint32_t size)
{
	size_t bytes = sizeof(struct esf_events) + (size_t)size * sizeof(struct esf_event);
	struct esf_events *events;

	if (size < ESF_EVENTS_SIZE_MIN || size > ESF_EVENTS_SIZE_MAX || (size & (size - 1)) != 0)
		return NULL;
	bytes = (bytes + ESF_CACHE_LINE - 1) / ESF_CACHE_LINE * ESF_CACHE_LINE;
	events = aligned_alloc(ESF_CACHE_LINE, bytes);
	if (events == NULL)
		return NULL;
	memset(events, 0, bytes);
	events->mask = size - 1;
	events->consumer_mask = size - 1;
	return events;
}

void esf_events_destroy(struct esf_events *events)
{
	free(events);
}

/* A counter has one writer: no read-modify-write. */
static void count_one(_Atomic uint64_t *counter)
{
	atomic_store_explicit(
	    counter, atomic_load_explicit(counter, memory_order_relaxed) + 1, memory_order_relaxed);
}

bool esf_events_put(struct esf_events *events, const struct esf_event *event)
{
	uint32_t head = atomic_load_explicit(&events->head, memory_order_relaxed);

	if (head - events->tail_seen > events->mask) {
		/* partner: the release of tail in esf_events_take */
		events->tail_seen = atomic_load_explicit(&events->tail, memory_order_acquire);
		if (head - events->tail_seen > events->mask) {
			count_one(&events->dropped);
			return false;
		}
	}
	events->slots[head & events->mask] = *event;
	/* partner: the acquire of head in esf_events_take */
	atomic_store_explicit(&events->head, head + 1, memory_order_release);
	count_one(&events->put);
	return true;
}

void esf_events_count_dropped(struct esf_events *events)
{
	count_one(&events->dropped);
}

void esf_events_count_unmatched(struct esf_events *events, uint8_t severity)
{
	assert(severity < ESF_SEVERITIES);
	count_one(&events->unmatched[severity]);
}

uint32_t esf_events_take(struct esf_events *events, struct esf_event *out, uint32_t count)
{
	uint32_t tail = atomic_load_explicit(&events->tail, memory_order_relaxed);
	uint32_t ready;

	if (events->head_seen - tail < count) /* partner: the release of head in esf_events_put */
		events->head_seen = atomic_load_explicit(&events->head, memory_order_acquire);
	ready = events->head_seen - tail;
	if (ready < count)
		count = ready;
	for (uint32_t i = 0; i < count; i++)
		out[i] = events->slots[(tail + i) & events->consumer_mask];
	/* partner: the acquire of tail in esf_events_put */
	atomic_store_explicit(&events->tail, tail + count, memory_order_release);
	return count;
}

void esf_events_read_counts(const struct esf_events *events, struct esf_events_counts *out)
{
	out->put = atomic_load_explicit(&events->put, memory_order_relaxed);
	out->dropped = atomic_load_explicit(&events->dropped, memory_order_relaxed);
	for (int i = 0; i < ESF_SEVERITIES; i++)
		out->unmatched[i] =
		    atomic_load_explicit(&events->unmatched[i], memory_order_relaxed);
}

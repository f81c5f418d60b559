/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ESF_BENCH_HEAP_H
#define ESF_BENCH_HEAP_H

#include <stdint.h>

/* A binary heap: the item with the least time first, among equals the one with the least order. One
 * thread. */
struct esf_heap_entry {
	int64_t time_ns;
	uint64_t order;
	uint32_t item;
};

struct esf_heap {
	struct esf_heap_entry *entries;
	uint32_t count;
	uint32_t capacity;
};

/* 0 or -ENOMEM. */
int esf_heap_create(struct esf_heap *heap, uint32_t capacity);
void esf_heap_destroy(struct esf_heap *heap);

/* There is room (count < capacity). */
void esf_heap_push(struct esf_heap *heap, struct esf_heap_entry entry);

/* NULL when empty; valid until the heap changes. */
static inline const struct esf_heap_entry *esf_heap_top(const struct esf_heap *heap)
{
	return heap->count ? &heap->entries[0] : 0;
}

/* The heap is not empty. Replacing is popping and pushing, in one pass. */
void esf_heap_pop(struct esf_heap *heap);
void esf_heap_replace(struct esf_heap *heap, struct esf_heap_entry entry);

#endif

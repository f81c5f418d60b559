/* SPDX-License-Identifier: Apache-2.0 */
#include "heap.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

int esf_heap_create(struct esf_heap *heap, uint32_t capacity)
{
	*heap = (struct esf_heap){ .capacity = capacity };
	heap->entries = malloc(((size_t)capacity + 1) * sizeof(*heap->entries));
	return heap->entries ? 0 : -ENOMEM;
}

void esf_heap_destroy(struct esf_heap *heap)
{
	free(heap->entries);
}

static bool before(const struct esf_heap_entry *a, const struct esf_heap_entry *b)
{
	return a->time_ns != b->time_ns ? a->time_ns < b->time_ns : a->order < b->order;
}

void esf_heap_push(struct esf_heap *heap, struct esf_heap_entry entry)
{
	uint32_t at = heap->count++;

	for (; at > 0 && before(&entry, &heap->entries[(at - 1) / 2]); at = (at - 1) / 2)
		heap->entries[at] = heap->entries[(at - 1) / 2];
	heap->entries[at] = entry;
}

void esf_heap_replace(struct esf_heap *heap, struct esf_heap_entry entry)
{
	struct esf_heap_entry *entries = heap->entries;
	uint32_t at = 0, child;

	for (; (child = 2 * at + 1) < heap->count; at = child) {
		if (child + 1 < heap->count && before(&entries[child + 1], &entries[child]))
			child++;
		if (!before(&entries[child], &entry))
			break;
		entries[at] = entries[child];
	}
	entries[at] = entry;
}

void esf_heap_pop(struct esf_heap *heap)
{
	heap->count--;
	if (heap->count)
		esf_heap_replace(heap, heap->entries[heap->count]);
}

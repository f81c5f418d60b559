/* SPDX-License-Identifier: Apache-2.0 */
#include "index.h"

#include <string.h>

struct esf_index_slot {
	const void *key; /* NULL: free */
	uint32_t size;
	uint32_t value;
};

/* FNV-1a, 64 bits, folded. The keys come from the operator's own file, so it need not be a keyed
 * hash. */
static uint32_t hash(const unsigned char *key, size_t size)
{
	uint64_t h = 0xcbf29ce484222325;

	for (size_t i = 0; i < size; i++)
		h = (h ^ key[i]) * 0x100000001b3;
	return (uint32_t)(h ^ (h >> 32));
}

void esf_index_create(struct esf_index *index, struct esf_arena *arena, uint32_t count)
{
	uint32_t slots_count = 16;

	while (slots_count < (uint64_t)count * 2)
		slots_count *= 2;
	index->slots = esf_arena_alloc(arena, slots_count * sizeof(*index->slots));
	index->mask = slots_count - 1;
}

static struct esf_index_slot *probe(const struct esf_index *index, const void *key, size_t size)
{
	for (uint32_t i = hash(key, size);; i++) {
		struct esf_index_slot *slot = &index->slots[i & index->mask];

		if (slot->key == NULL)
			return slot;
		if (slot->size == size && memcmp(slot->key, key, size) == 0)
			return slot;
	}
}

uint32_t esf_index_add(struct esf_index *index, const void *key, size_t size, uint32_t value)
{
	struct esf_index_slot *slot;

	if (index->slots == NULL)
		return ESF_INDEX_NONE;
	slot = probe(index, key, size);
	if (slot->key != NULL)
		return slot->value;
	*slot = (struct esf_index_slot){ key, (uint32_t)size, value };
	return ESF_INDEX_NONE;
}

uint32_t esf_index_find(const struct esf_index *index, const void *key, size_t size)
{
	const struct esf_index_slot *slot;

	if (index->slots == NULL)
		return ESF_INDEX_NONE;
	slot = probe(index, key, size);
	return slot->key == NULL ? ESF_INDEX_NONE : slot->value;
}

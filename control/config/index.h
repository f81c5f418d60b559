/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ESF_CONFIG_INDEX_H
#define ESF_CONFIG_INDEX_H

#include <stddef.h>
#include <stdint.h>

#include "arena.h"

enum { ESF_INDEX_NONE = 0xffffffff };

/*
 * Bytes -> number, for finding duplicates and references among up to a million sites in linear
 * time. Keys are not copied: they outlive the index. Open addressing, at most half full. One
 * thread.
 */
struct esf_index {
	struct esf_index_slot *slots; /* NULL: nothing can be added or found */
	uint32_t mask;
};

/* Room for count keys. Leaves an empty index, and the arena exhausted, when out of memory. */
void esf_index_create(struct esf_index *index, struct esf_arena *arena, uint32_t count);

/* The value the key already has, which stays; or ESF_INDEX_NONE, and the key now has value. */
uint32_t esf_index_add(struct esf_index *index, const void *key, size_t size, uint32_t value);
uint32_t esf_index_find(const struct esf_index *index, const void *key, size_t size);

#endif

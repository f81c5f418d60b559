/* SPDX-License-Identifier: Apache-2.0 */
#include "arena.h"

#include <stdalign.h>
#include <stdlib.h>
#include <string.h>

enum { CHUNK_SIZE = 65536 };

struct esf_arena_chunk {
	struct esf_arena_chunk *next;
	size_t used;
	size_t size;
	alignas(max_align_t) unsigned char bytes[];
};

static size_t round_up(size_t size)
{
	return (size + alignof(max_align_t) - 1) & ~(alignof(max_align_t) - 1);
}

static struct esf_arena_chunk *grow(struct esf_arena *arena, size_t size)
{
	struct esf_arena_chunk *chunk;

	size = size > CHUNK_SIZE ? size : CHUNK_SIZE;
	chunk = calloc(1, sizeof(*chunk) + size);
	if (chunk == NULL) {
		arena->exhausted = true;
		return NULL;
	}
	chunk->size = size;
	chunk->next = arena->chunks;
	arena->chunks = chunk;
	return chunk;
}

void *esf_arena_alloc(struct esf_arena *arena, size_t size)
{
	struct esf_arena_chunk *chunk = arena->chunks;
	void *taken;

	size = round_up(size == 0 ? 1 : size);
	if (chunk == NULL || chunk->size - chunk->used < size)
		chunk = grow(arena, size);
	if (chunk == NULL)
		return NULL;
	taken = chunk->bytes + chunk->used;
	chunk->used += size;
	return taken;
}

char *esf_arena_text(struct esf_arena *arena, const char *text)
{
	size_t size = strlen(text) + 1;
	char *copy = esf_arena_alloc(arena, size);

	return copy == NULL ? NULL : memcpy(copy, text, size);
}

void esf_arena_free(struct esf_arena *arena)
{
	struct esf_arena_chunk *chunk;

	while ((chunk = arena->chunks) != NULL) {
		arena->chunks = chunk->next;
		free(chunk);
	}
}

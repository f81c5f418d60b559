/* SPDX-License-Identifier: Apache-2.0 */
#include "pool.h"

#include <stdlib.h>
#include <string.h>

#include "limits.h"
#include "reserve.h"

/*
 * Which objects are free, and which are retired, stands in two lists of pointers: so to give one
 * back, or to let it mature, does not bring its memory into the cache. The lists are reserved as
 * the objects are, and as far in memory as they were ever long.
 */
struct esf_pool {
	void **free;
	uint32_t free_count;
	uint32_t used; /* objects that were ever taken */
	uint32_t capacity;
	uint32_t retired_count;
	uint32_t sealed_count; /* of them, the first ones */
	void **retired;
	size_t object_size;
	uint8_t *base;
};

static size_t list_size(const struct esf_pool *pool)
{
	return pool->capacity * sizeof(void *);
}

struct esf_pool *esf_pool_create(size_t object_size, uint32_t capacity)
{
	struct esf_pool *pool = calloc(1, sizeof(*pool));

	if (pool == NULL)
		return NULL;
	pool->object_size = (object_size + ESF_CACHE_LINE - 1) / ESF_CACHE_LINE * ESF_CACHE_LINE;
	pool->capacity = capacity;
	pool->base = esf_reserve(pool->object_size * capacity);
	pool->free = esf_reserve(list_size(pool));
	pool->retired = esf_reserve(list_size(pool));
	if (pool->base != NULL && pool->free != NULL && pool->retired != NULL)
		return pool;
	esf_pool_destroy(pool);
	return NULL;
}

void esf_pool_destroy(struct esf_pool *pool)
{
	if (pool == NULL)
		return;
	esf_reserve_free(pool->base, pool->object_size * pool->capacity);
	esf_reserve_free(pool->free, list_size(pool));
	esf_reserve_free(pool->retired, list_size(pool));
	free(pool);
}

const void *esf_pool_base(const struct esf_pool *pool)
{
	return pool->base;
}

void *esf_pool_take(struct esf_pool *pool)
{
	if (pool->free_count > 0)
		return pool->free[--pool->free_count];
	if (pool->used == pool->capacity)
		return NULL;
	return pool->base + pool->object_size * pool->used++;
}

const void *esf_pool_next(const struct esf_pool *pool, uint32_t ahead)
{
	return pool->free_count > ahead ? pool->free[pool->free_count - 1 - ahead] : NULL;
}

void esf_pool_give(struct esf_pool *pool, void *object)
{
	pool->free[pool->free_count++] = object;
}

void esf_pool_retire(struct esf_pool *pool, void *object)
{
	pool->retired[pool->retired_count++] = object;
}

uint32_t esf_pool_seal(struct esf_pool *pool)
{
	pool->sealed_count = pool->retired_count;
	return pool->sealed_count;
}

void esf_pool_mature(struct esf_pool *pool)
{
	uint32_t rest = pool->retired_count - pool->sealed_count;

	memcpy(pool->free + pool->free_count, pool->retired,
	    pool->sealed_count * sizeof(pool->free[0]));
	pool->free_count += pool->sealed_count;
	memmove(pool->retired, pool->retired + pool->sealed_count, rest * sizeof(pool->free[0]));
	pool->retired_count = rest;
	pool->sealed_count = 0;
}

uint32_t esf_pool_out(const struct esf_pool *pool)
{
	return pool->used - pool->free_count;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "pool.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "limits.h"
#include "reserve.h"

struct esf_pool_link {
	struct esf_pool_link *next;
};

struct esf_pool {
	/* owner */
	struct esf_pool_link *free;
	uint8_t *base;
	size_t reserved_size;
	size_t object_size;
	uint32_t capacity;
	uint32_t used; /* objects that were ever taken */
	uint32_t out;
	/*
	 * Returned by other threads: a stack that they push to and the owner takes whole, so that
	 * no object is popped singly and ABA can't happen. Push releases, the owner's exchange
	 * acquires.
	 */
	_Alignas(ESF_CACHE_LINE) _Atomic(struct esf_pool_link *) returned;
};

struct esf_pool *esf_pool_create(size_t object_size, uint32_t capacity)
{
	struct esf_pool *pool = aligned_alloc(ESF_CACHE_LINE, sizeof(*pool));
	size_t size = (object_size + ESF_CACHE_LINE - 1) / ESF_CACHE_LINE * ESF_CACHE_LINE;
	void *base;

	if (pool == NULL)
		return NULL;
	base = esf_reserve(size * capacity);
	if (base == NULL) {
		free(pool);
		return NULL;
	}
	*pool = (struct esf_pool){
		.base = base,
		.reserved_size = size * capacity,
		.object_size = size,
		.capacity = capacity,
	};
	return pool;
}

void esf_pool_destroy(struct esf_pool *pool)
{
	if (pool == NULL)
		return;
	esf_reserve_free(pool->base, pool->reserved_size);
	free(pool);
}

static void pool_collect(struct esf_pool *pool)
{
	struct esf_pool_link *link =
	    atomic_exchange_explicit(&pool->returned, NULL, memory_order_acquire);

	while (link != NULL) {
		struct esf_pool_link *next = link->next;

		esf_pool_give(pool, link);
		link = next;
	}
}

void *esf_pool_take(struct esf_pool *pool)
{
	struct esf_pool_link *link = pool->free;

	if (link == NULL) {
		pool_collect(pool);
		link = pool->free;
	}
	if (link != NULL) {
		pool->free = link->next;
		pool->out++;
		return link;
	}
	if (pool->used == pool->capacity)
		return NULL;
	pool->out++;
	return pool->base + pool->object_size * pool->used++;
}

void esf_pool_give(struct esf_pool *pool, void *object)
{
	struct esf_pool_link *link = object;

	link->next = pool->free;
	pool->free = link;
	pool->out--;
}

void esf_pool_return(struct esf_pool *pool, void *object)
{
	struct esf_pool_link *link = object;

	link->next = atomic_load_explicit(&pool->returned, memory_order_relaxed);
	while (!atomic_compare_exchange_weak_explicit(
	    &pool->returned, &link->next, link, memory_order_release, memory_order_relaxed))
		;
}

uint32_t esf_pool_out(struct esf_pool *pool)
{
	pool_collect(pool);
	return pool->out;
}

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ESF_POOL_H
#define ESF_POOL_H

#include <stddef.h>
#include <stdint.h>

/*
 * A bounded pool of equal objects. Address space for all of them is reserved at creation, memory is
 * taken by the kernel as objects are first used, so a pool may be bounded generously. Objects are
 * cache-line aligned, and those in the pool are not touched: which they are is kept beside them.
 *
 * All calls are the owner thread's. Objects that readers under RCU may still see are retired; they
 * may be taken again a grace period later:
 *
 *   esf_pool_retire(pool, object) ...
 *   esf_pool_seal(pool);           what was retired so far
 *   ... a grace period that began after that ends ...
 *   esf_pool_mature(pool);         may be taken again
 */
struct esf_pool;

/* NULL when address space or memory is not to be had. */
struct esf_pool *esf_pool_create(size_t object_size, uint32_t capacity);
void esf_pool_destroy(struct esf_pool *pool);

/* Where the objects lie, one behind the other. */
const void *esf_pool_base(const struct esf_pool *pool);

/* NULL when all are out. Contents are undefined, but zero the first time an object is used. */
void *esf_pool_take(struct esf_pool *pool);
/* What is likely to be taken next but `ahead`, to be fetched; NULL: one never used before. */
const void *esf_pool_next(const struct esf_pool *pool, uint32_t ahead);

void esf_pool_give(struct esf_pool *pool, void *object);

void esf_pool_retire(struct esf_pool *pool, void *object);
/* Returns how many are sealed; 0 where nothing was retired. What was sealed before has matured. */
uint32_t esf_pool_seal(struct esf_pool *pool);
void esf_pool_mature(struct esf_pool *pool);

/* Objects that are taken and not back; those retired are out until they mature. */
uint32_t esf_pool_out(const struct esf_pool *pool);

#endif

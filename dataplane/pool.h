/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ESF_POOL_H
#define ESF_POOL_H

#include <stddef.h>
#include <stdint.h>

/*
 * A bounded pool of equal objects. Address space for all of them is reserved at creation, memory is
 * taken by the kernel as objects are first used, so a pool may be bounded generously. Objects are
 * cache-line aligned.
 *
 * One owner thread takes and gives. Objects that readers under RCU may still see come back from
 * another thread through esf_pool_return (wait-free), and the owner collects them when its own list
 * runs dry. An object is at least 16 bytes, whose first 8 are overwritten while it is in the pool.
 */
struct esf_pool;

/* NULL when address space or memory is not to be had. */
struct esf_pool *esf_pool_create(size_t object_size, uint32_t capacity);
void esf_pool_destroy(struct esf_pool *pool);

/* Owner. NULL when all are out. Contents are undefined, but zero the first time an object is used.
 */
void *esf_pool_take(struct esf_pool *pool);

/* Owner. */
void esf_pool_give(struct esf_pool *pool, void *object);

/* Any thread. */
void esf_pool_return(struct esf_pool *pool, void *object);

/* Owner, or when it has stopped: objects that are taken and not back. */
uint32_t esf_pool_out(struct esf_pool *pool);

#endif

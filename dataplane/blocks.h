/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ESF_BLOCKS_H
#define ESF_BLOCKS_H

#include <stdint.h>

#include "pool.h"
#include "window.h"

/*
 * Memory for published blocks: a pool for each of a few sizes, since most sites send a part of what
 * the rules know. All calls are the owner thread's, and mean what they do in pool.h.
 */
enum { ESF_BLOCK_SIZES = 8 };

struct esf_blocks {
	struct esf_pool *pools[ESF_BLOCK_SIZES]; /* those that are wanted, the smallest first */
};

/* measures_count: accumulators of the largest one; capacity: blocks of each size. -ENOMEM. */
int esf_blocks_create(struct esf_blocks *blocks, uint32_t measures_count, uint32_t capacity);
void esf_blocks_destroy(struct esf_blocks *blocks);

/* With room for so many accumulators; NULL when there is none. */
struct esf_block *esf_blocks_take(struct esf_blocks *blocks, uint32_t count);
const struct esf_block *esf_blocks_next(
    const struct esf_blocks *blocks, uint32_t count, uint32_t ahead);
void esf_blocks_retire(struct esf_blocks *blocks, struct esf_block *block);
uint32_t esf_blocks_out(const struct esf_blocks *blocks);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#include "blocks.h"

#include <assert.h>
#include <errno.h>
#include <stddef.h>

static const uint8_t sizes[ESF_BLOCK_SIZES] = { 2, 4, 6, 8, 12, 16, 24, ESF_KPIS_MAX };

static uint32_t size_for(uint32_t count)
{
	uint32_t i = 0;

	while (sizes[i] < count)
		i++;
	return i;
}

int esf_blocks_create(struct esf_blocks *blocks, uint32_t measures_count, uint32_t capacity)
{
	uint32_t largest = size_for(measures_count);

	assert(measures_count <= ESF_KPIS_MAX);
	*blocks = (struct esf_blocks){ 0 };
	for (uint32_t i = 0; i <= largest; i++) {
		uint32_t room = sizes[i] < measures_count ? sizes[i] : measures_count;

		blocks->pools[i] = esf_pool_create(
		    sizeof(struct esf_block) + room * sizeof(struct esf_acc), capacity);
		if (blocks->pools[i] == NULL) {
			esf_blocks_destroy(blocks);
			return -ENOMEM;
		}
	}
	return 0;
}

void esf_blocks_destroy(struct esf_blocks *blocks)
{
	for (uint32_t i = 0; i < ESF_BLOCK_SIZES; i++) {
		esf_pool_destroy(blocks->pools[i]);
		blocks->pools[i] = NULL;
	}
}

struct esf_block *esf_blocks_take(struct esf_blocks *blocks, uint32_t count)
{
	return esf_pool_take(blocks->pools[size_for(count)]);
}

const struct esf_block *esf_blocks_next(
    const struct esf_blocks *blocks, uint32_t count, uint32_t ahead)
{
	return esf_pool_next(blocks->pools[size_for(count)], ahead);
}

void esf_blocks_retire(struct esf_blocks *blocks, struct esf_block *block)
{
	uint32_t count = (uint32_t)__builtin_popcountll(block->used);

	esf_pool_retire(blocks->pools[size_for(count)], block);
}

uint32_t esf_blocks_out(const struct esf_blocks *blocks)
{
	uint32_t out = 0;

	for (uint32_t i = 0; i < ESF_BLOCK_SIZES && blocks->pools[i] != NULL; i++)
		out += esf_pool_out(blocks->pools[i]);
	return out;
}

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ESF_TESTS_DEDUP_MODEL_H
#define ESF_TESTS_DEDUP_MODEL_H

#include <stdbool.h>
#include <stdint.h>

#include "dataplane/dedup.h"

/*
 * What dataplane/dedup.h promises, the slow way: a list of the sequence numbers accepted in this
 * life, and lost as a difference of two counts. No bitmap, nothing that slides.
 */
enum { DEDUP_MODEL_SEQS_MAX = 8192 };

struct dedup_model {
	uint32_t boot;
	uint32_t count;       /* accepted in this life */
	uint64_t lost_before; /* in earlier lives */
	uint32_t seqs[DEDUP_MODEL_SEQS_MAX];
};

static int64_t dedup_model_lowest(const struct dedup_model *model)
{
	int64_t lowest = INT64_MAX;

	for (uint32_t i = 0; i < model->count; i++)
		lowest = model->seqs[i] < lowest ? model->seqs[i] : lowest;
	return lowest;
}

static int64_t dedup_model_highest(const struct dedup_model *model)
{
	int64_t highest = 0;

	for (uint32_t i = 0; i < model->count; i++)
		highest = model->seqs[i] > highest ? model->seqs[i] : highest;
	return highest;
}

/* Numbers from the lowest accepted to last that were not accepted. */
static uint64_t dedup_model_gaps(const struct dedup_model *model, int64_t last)
{
	int64_t lowest = dedup_model_lowest(model);
	int64_t gaps = last < lowest ? 0 : last - lowest + 1;

	for (uint32_t i = 0; i < model->count; i++)
		gaps -= model->seqs[i] <= last;
	return (uint64_t)gaps;
}

static uint64_t dedup_model_lost(const struct dedup_model *model, uint32_t size)
{
	if (model->count == 0)
		return 0;
	return model->lost_before + dedup_model_gaps(model, dedup_model_highest(model) - size);
}

static enum esf_datagram_verdict dedup_model_accept(
    struct dedup_model *model, uint32_t size, uint32_t boot, uint32_t seq, uint32_t boot_limit)
{
	if (boot > boot_limit || (model->count != 0 && boot < model->boot))
		return ESF_DATAGRAM_STALE;
	if (model->count != 0 && boot > model->boot) {
		model->lost_before += dedup_model_gaps(model, dedup_model_highest(model));
		model->count = 0;
	}
	if ((int64_t)seq <= dedup_model_highest(model) - size)
		return ESF_DATAGRAM_STALE;
	for (uint32_t i = 0; i < model->count; i++) {
		if (model->seqs[i] == seq)
			return ESF_DATAGRAM_DUPLICATE;
	}
	model->boot = boot;
	model->seqs[model->count++] = seq;
	return ESF_DATAGRAM_ACCEPTED;
}

#endif

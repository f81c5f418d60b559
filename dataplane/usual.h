/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ESF_USUAL_H
#define ESF_USUAL_H

#include "shard_state.h"

/*
 * What most values of lines are: good gauge samples, with ingestion full, that fall into the window
 * that the one before fell into. Nobody but the files that take lines' values includes this; what
 * is not usual goes by record.c.
 */

/*
 * What a name means to a shard, as a word to be kept where a parser remembers the name: from the
 * highest bit on the generation of the rules, the name's id, the rule. 0: nothing.
 */
enum { ESF_MEANING_ID_SHIFT = 16, ESF_MEANING_GENERATION_SHIFT = 40 };
static_assert(
    (int)ESF_RULES_GENERATION_BITS <= 64 - (int)ESF_MEANING_GENERATION_SHIFT &&
        (int)ESF_INTERNED_NAMES_MAX < 1 << (ESF_MEANING_GENERATION_SHIFT - ESF_MEANING_ID_SHIFT),
    "all three fit a word");

static inline uint16_t esf_meaning_rule(uint64_t meaning)
{
	return (uint16_t)meaning;
}

static inline uint32_t esf_meaning_id(uint64_t meaning)
{
	return (uint32_t)(meaning >> ESF_MEANING_ID_SHIFT) & 0xffffff;
}

/* take_text.c: as the rules say now, left in the memory, if there is one. */
uint64_t esf_shard_seek_meaning(
    struct esf_shard *shard, const struct esf_span *name, uint64_t *memory);

static inline uint64_t esf_shard_meaning(
    struct esf_shard *shard, const struct esf_span *name, uint64_t *memory)
{
	if (memory != NULL && *memory >> ESF_MEANING_GENERATION_SHIFT == shard->rules_generation)
		return *memory;
	return esf_shard_seek_meaning(shard, name, memory);
}

/* us from the recent window's start, or UINT64_MAX where what comes then is not usual. */
static inline uint64_t esf_shard_usual_offset_us(
    const struct esf_shard *shard, const struct esf_window *window, int64_t time)
{
	uint64_t offset_us = ((uint64_t)time - (uint64_t)shard->recent_start) / 1000;

	return window != NULL && window->window == shard->recent_window && window->dirty &&
	               shard->policy->intake.mode == ESF_MODE_FULL && offset_us < shard->usual_us
	           ? offset_us
	           : UINT64_MAX;
}

/* Adds a gauge's raw value at such an offset, which the caller counts as accepted by the window;
 * false: nothing was done. */
static inline bool esf_shard_add_usual(const struct esf_accs *accs, struct esf_window *window,
    const struct esf_gauge_rule *gauge, double raw, uint32_t offset_us)
{
	double value = raw * gauge->scale + gauge->offset;
	struct esf_acc *acc = esf_acc_at(esf_accs_of(accs, window), accs->stride, gauge->kpi);

	/* Else compilers make the address anew for each of its parts. */
	__asm__("" : "+r"(acc));
	if (!(value >= gauge->low && value <= gauge->high) || acc->samples == 0)
		return false;
	esf_acc_add_next(acc, value, offset_us);
	return true;
}

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ESF_DATA_RUN_H
#define ESF_DATA_RUN_H

#include <string.h>

#include "etd.h"
#include "shard_state.h"

/*
 * Runs of usual data records: good gauge samples of the window at hand, with ingestion full, of a
 * KPI that has a sample in it. What they have in common is looked at once, before the first one.
 * For take_data.c.
 */

/* What must be so of an alias lies in its first half, to be looked at at once. */
static inline uint32_t esf_alias_half(const struct esf_alias *alias)
{
	uint32_t half;

	memcpy(&half, alias, sizeof(half));
	return half;
}

/* The half of an alias that is born and whose rule is of these rules, whatever its other bits. */
static inline uint32_t esf_alias_usual(uint32_t rules_generation)
{
	const struct esf_alias wanted = { .generation = rules_generation, .born = 1 };

	return esf_alias_half(&wanted);
}

static inline uint32_t esf_alias_mask(void)
{
	const struct esf_alias all = {
		.generation = (1 << ESF_RULES_GENERATION_BITS) - 1, .type = 1, .born = 1
	};

	return esf_alias_half(&all);
}

/* us from the recent window's start to the header's time; INT64_MAX for before it. */
static inline uint64_t esf_run_start_us(const struct esf_shard *shard, int64_t time)
{
	return time < shard->recent_start ? (uint64_t)INT64_MAX
	                                  : (uint64_t)(time - shard->recent_start) / 1000;
}

static inline struct esf_run esf_run_begin(const struct esf_shard *shard)
{
	return (struct esf_run){
		.gauges = esf_ruleset_gauges(shard->policy->rules),
		.accs = &shard->accs,
		.usual = esf_alias_usual(shard->rules_generation),
		.usual_us = shard->usual_us,
	};
}

/*
 * Takes usual records of [at, end) from the first one on; returns the first that is not, or end.
 * A record's offset is whole microseconds, so that its place in the window is the header's, rounded
 * down once (start_us), and the offset.
 */
static inline const uint8_t *esf_run_take(const struct esf_run *run, struct esf_window *window,
    const struct esf_stream *stream, const uint8_t *at, const uint8_t *end, uint64_t start_us)
{
	const uint32_t aliases_count = stream->aliases_count;
	const struct esf_alias *aliases = stream->aliases;
	uint8_t *accs = esf_accs_of(run->accs, window);
	const size_t stride = run->accs->stride;

	for (; at != end; at += ESF_ETD_DATA_SIZE) {
		struct esf_etd_raw_record raw;
		const struct esf_gauge_rule *gauge;
		const struct esf_alias *alias;
		struct esf_acc *acc;
		uint64_t offset_us;
		double value;

		memcpy(&raw, at, sizeof(raw));
		offset_us = start_us + (uint64_t)(int64_t)raw.offset_us;
		if (raw.alias_and_quality >= aliases_count || offset_us >= run->usual_us)
			break;
		alias = &aliases[raw.alias_and_quality];
		if ((esf_alias_half(alias) & esf_alias_mask()) != run->usual ||
		    alias->rule == ESF_RULE_NONE)
			break;
		gauge = &run->gauges[alias->rule];
		value = raw.value * gauge->scale + gauge->offset;
		acc = esf_acc_at(accs, stride, gauge->kpi);
		/* Else compilers make the address anew for each of its parts. */
		__asm__("" : "+r"(acc));
		if (!(value >= gauge->low && value <= gauge->high) || acc->samples == 0)
			break;
		esf_acc_add_next(acc, value, (uint32_t)offset_us);
	}
	return at;
}

#endif

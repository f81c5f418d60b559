/* SPDX-License-Identifier: Apache-2.0 */
#include "shard_state.h"

#include <string.h>

#include "etd.h"

/*
 * Data records of ETD datagrams. Most are good gauge samples of the window that the one before fell
 * into: they are taken in runs, for which what they have in common is looked at once. The others
 * go one by one, by record.c.
 */

/* The rules changed since the alias was last used. One whose name is not remembered, as there was
 * no room for it, waits for its next birth. */
static __attribute__((cold)) void use_rules(struct esf_shard *shard, struct esf_alias *alias)
{
	if (alias->name == 0)
		alias->born = false;
	else
		alias->rule = esf_names_rule(shard->names, alias->name);
	alias->generation = shard->rules_generation;
}

/* NULL: not born. */
static struct esf_alias *find_alias(
    struct esf_shard *shard, const struct esf_stream *stream, uint16_t number)
{
	struct esf_alias *alias;

	if (number >= stream->aliases_count)
		return NULL;
	alias = &stream->aliases[number];
	if (alias->generation != shard->rules_generation && alias->born)
		use_rules(shard, alias);
	return alias->born ? alias : NULL;
}

static enum esf_record_verdict refuse_unmapped(
    struct esf_shard *shard, struct esf_site *site, struct esf_alias *alias)
{
	alias->unmapped =
	    esf_site_count_unmapped(site, &shard->site_pools, alias->name, alias->unmapped) & 0x3f;
	return ESF_RECORD_UNMAPPED;
}

static __attribute__((noinline)) enum esf_record_verdict take_any(struct esf_shard *shard,
    struct esf_site *site, const struct esf_etd *etd, uint32_t index,
    const struct esf_stream *stream)
{
	struct esf_etd_data_record data;
	struct esf_alias *alias;
	struct esf_record record;

	esf_etd_data_at(etd, index, &data);
	alias = find_alias(shard, stream, data.alias);
	if (alias == NULL)
		return ESF_RECORD_UNBORN;
	if (alias->rule == ESF_RULE_NONE)
		return refuse_unmapped(shard, site, alias);
	record = (struct esf_record){
		.time = data.time,
		.value = data.value,
		.quality = data.quality,
		.kind = alias->type == ESF_ETD_COUNTER ? ESF_KIND_COUNTER : ESF_KIND_GAUGE,
	};
	return esf_shard_record(shard, site, alias->rule, &record);
}

enum { ALL_GENERATIONS = (1 << ESF_RULES_GENERATION_BITS) - 1 };

/* What must be so of an alias lies in its first half, to be looked at at once. */
static uint32_t half_of(const struct esf_alias *alias)
{
	uint32_t half;

	memcpy(&half, alias, sizeof(half));
	return half;
}

static bool takes_usual(const struct esf_shard *shard, const struct esf_window *window)
{
	return window != NULL && window->window == shard->recent_window && window->dirty &&
	       shard->policy->intake.mode == ESF_MODE_FULL;
}

/* us from the recent window's start to the header's time; INT64_MAX for before it. */
static int64_t header_us(const struct esf_shard *shard, const struct esf_etd *etd)
{
	return etd->time < shard->recent_start
	           ? INT64_MAX
	           : (int64_t)((uint64_t)(etd->time - shard->recent_start) / 1000);
}

/*
 * Takes usual records from the first one on; returns how many. A record's offset is whole
 * microseconds, so that its place in the window is the header's, rounded down once, and the offset.
 */
static inline uint32_t take_run(const struct esf_shard *shard, struct esf_window *window,
    const struct esf_etd *etd, uint32_t first, const struct esf_stream *stream)
{
	static const struct esf_alias all = { .generation = ALL_GENERATIONS, .type = 1, .born = 1 };
	const struct esf_alias wanted = { .generation = shard->rules_generation, .born = 1 };
	const uint32_t mask = half_of(&all), usual = half_of(&wanted);
	const uint64_t start_us = (uint64_t)header_us(shard, etd), usual_us = shard->usual_us;
	const struct esf_gauge_rule *gauges = esf_ruleset_gauges(shard->policy->rules);
	const struct esf_alias *aliases = stream->aliases;
	const uint32_t aliases_count = stream->aliases_count;
	uint32_t i;

	for (i = first; i < etd->count; i++) {
		const struct esf_etd_raw_record raw = esf_etd_raw_at(etd, i);
		const uint64_t offset_us = start_us + (uint64_t)(int64_t)raw.offset_us;
		const struct esf_gauge_rule *gauge;
		const struct esf_alias *alias;
		struct esf_acc *acc;
		double value;

		if (raw.alias_and_quality >= aliases_count || offset_us >= usual_us)
			break;
		alias = &aliases[raw.alias_and_quality];
		if ((half_of(alias) & mask) != usual || alias->rule == ESF_RULE_NONE)
			break;
		gauge = &gauges[alias->rule];
		value = raw.value * gauge->scale + gauge->offset;
		acc = &window->acc[gauge->kpi];
		/* Else compilers make the address anew for each of its parts. */
		__asm__("" : "+r"(acc));
		if (!(value >= gauge->low && value <= gauge->high) || acc->samples == 0)
			break;
		esf_acc_add_next(acc, value, (uint32_t)offset_us);
	}
	return i - first;
}

void esf_shard_take_data(struct esf_shard *shard, struct esf_site *site, const struct esf_etd *etd,
    const struct esf_stream *stream)
{
	uint32_t i = 0, usual;

	while (i < etd->count) {
		if (takes_usual(shard, site->recent)) {
			usual = take_run(shard, site->recent, etd, i, stream);
			site->recent->accepted += usual;
			shard->ledger.records[ESF_RECORD_ACCEPTED] += usual;
			site->ledger.records[ESF_RECORD_ACCEPTED] += usual;
			i += usual;
		}
		if (i < etd->count) {
			esf_shard_count_record(shard, site, take_any(shard, site, etd, i, stream));
			i++;
		}
	}
}

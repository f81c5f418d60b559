/* SPDX-License-Identifier: Apache-2.0 */
#include "usual.h"

/* The values of a StatsD line, which have its name and time in common. */

static enum esf_record_kind kind_of(const struct esf_statsd_value *value)
{
	if (value->type == ESF_STATSD_COUNTER)
		return ESF_KIND_INCREMENT;
	if (value->type == ESF_STATSD_TIMER)
		return ESF_KIND_GAUGE;
	return value->delta ? ESF_KIND_DELTA : ESF_KIND_LEVEL;
}

static __attribute__((noinline)) enum esf_record_verdict take_any(struct esf_shard *shard,
    struct esf_site *site, const struct esf_statsd_value *value, uint64_t meaning, int64_t time)
{
	const struct esf_record record = {
		.time = time,
		.value =
		    value->type == ESF_STATSD_COUNTER ? value->value / value->rate : value->value,
		.kind = kind_of(value),
	};
	uint16_t rule = esf_meaning_rule(meaning);

	if (rule != ESF_RULE_NONE)
		return value->is_number ? esf_shard_record(shard, site, rule, &record)
		                        : ESF_RECORD_NOT_NUMERIC;
	if (value->is_number)
		esf_site_count_unmapped(site, &shard->site_pools, esf_meaning_id(meaning), 0);
	return ESF_RECORD_UNMAPPED;
}

/* A usual gauge, which later deltas start from, or a timer; false: nothing was done. */
static inline bool take_usual(struct esf_shard *shard, struct esf_site *site,
    const struct esf_statsd_value *value, uint16_t rule, int64_t time)
{
	bool is_level = value->type == ESF_STATSD_GAUGE;
	const struct esf_gauge_rule *gauge;
	uint64_t offset_us;

	if (rule == ESF_RULE_NONE || !value->is_number || value->delta ||
	    !(is_level ? site->levels != NULL : value->type == ESF_STATSD_TIMER))
		return false;
	offset_us = esf_shard_usual_offset_us(shard, site->recent, time);
	gauge = &esf_ruleset_gauges(shard->policy->rules)[rule];
	if (offset_us == UINT64_MAX || !esf_shard_add_usual(&shard->accs, site->recent, gauge,
	                                   value->value, (uint32_t)offset_us))
		return false;
	if (is_level)
		site->levels[gauge->kpi] = value->value;
	site->recent->accepted++;
	return true;
}

void esf_shard_take_statsd(struct esf_shard *shard, struct esf_site *site,
    const struct esf_statsd_line *line, int64_t time)
{
	uint64_t meaning = 0;

	/* Events and checks have no name that a rule could take. */
	if (line->name.length == 0) {
		esf_shard_count_values(shard, site, ESF_RECORD_NOT_NUMERIC, line->values_count);
		return;
	}
	meaning = esf_shard_meaning(shard, &line->name, line->memory);
	for (uint32_t i = 0; i < line->values_count; i++) {
		const struct esf_statsd_value *value = &line->values[i];
		enum esf_record_verdict verdict = ESF_RECORD_ACCEPTED;

		if (!take_usual(shard, site, value, esf_meaning_rule(meaning), time))
			verdict = take_any(shard, site, value, meaning, time);
		esf_shard_count_values(shard, site, verdict, 1);
	}
}

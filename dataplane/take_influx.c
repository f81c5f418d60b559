/* SPDX-License-Identifier: Apache-2.0 */
#include "shard_state.h"

/*
 * The fields of a line, which have its time in common. Most are good gauge samples of the window
 * that the one before fell into: they are taken in runs, for which what they have in common is
 * looked at once. The others go one by one, by record.c.
 */

/* What a name meant to this shard, kept where the parser remembers the name: the rule, its
 * generation, the name's id. */
enum { ID_SHIFT = 16, GENERATION_SHIFT = 40 };
static_assert((int)ESF_RULES_GENERATION_BITS <= 64 - (int)GENERATION_SHIFT &&
                  (int)ESF_INTERNED_NAMES_MAX < 1 << (GENERATION_SHIFT - ID_SHIFT),
    "all three fit a word");

static __attribute__((noinline)) uint64_t seek_name(
    struct esf_shard *shard, const struct esf_influx_field *field)
{
	uint32_t id;
	uint16_t rule = esf_names_intern(shard->names, field->name.at, field->name.length, &id);
	uint64_t meaning =
	    (uint64_t)shard->rules_generation << GENERATION_SHIFT | (uint64_t)id << ID_SHIFT | rule;

	if (field->memory != NULL)
		*field->memory = meaning;
	return meaning;
}

static inline uint64_t name_of(struct esf_shard *shard, const struct esf_influx_field *field)
{
	uint64_t meaning = field->memory != NULL ? *field->memory : 0;

	return meaning >> GENERATION_SHIFT == shard->rules_generation ? meaning
	                                                              : seek_name(shard, field);
}

static __attribute__((noinline)) enum esf_record_verdict take_any(struct esf_shard *shard,
    struct esf_site *site, const struct esf_influx_field *field, int64_t time)
{
	const struct esf_record record = {
		.time = time, .value = field->value, .kind = ESF_KIND_GAUGE
	};
	bool is_text = field->type == ESF_INFLUX_STRING;
	uint64_t meaning = name_of(shard, field);
	uint16_t rule = (uint16_t)meaning;
	uint32_t id = (uint32_t)(meaning >> ID_SHIFT) & 0xffffff;

	if (rule != ESF_RULE_NONE)
		return is_text ? ESF_RECORD_NOT_NUMERIC
		               : esf_shard_record(shard, site, rule, &record);
	if (!is_text)
		esf_site_count_unmapped(site, &shard->site_pools, id, 0);
	return ESF_RECORD_UNMAPPED;
}

/* Takes usual fields from the first one on; returns how many. */
static inline uint32_t take_run(struct esf_shard *shard, struct esf_window *window,
    const struct esf_influx_field *fields, uint32_t count, uint32_t offset_us)
{
	const struct esf_gauge_rule *gauges = esf_ruleset_gauges(shard->policy->rules);
	uint32_t i;

	for (i = 0; i < count; i++) {
		uint16_t rule = (uint16_t)name_of(shard, &fields[i]);
		const struct esf_gauge_rule *gauge = &gauges[rule];
		struct esf_acc *acc;
		double value;

		if (rule == ESF_RULE_NONE || fields[i].type != ESF_INFLUX_NUMBER)
			break;
		value = fields[i].value * gauge->scale + gauge->offset;
		acc = &window->acc[gauge->kpi];
		if (!(value >= gauge->low && value <= gauge->high) || acc->samples == 0)
			break;
		esf_acc_add_next(acc, value, offset_us);
	}
	return i;
}

/* us from the recent window's start, or UINT64_MAX where what comes then is not usual. */
static uint64_t usual_offset_us(
    const struct esf_shard *shard, const struct esf_window *window, int64_t time)
{
	uint64_t offset_us = ((uint64_t)time - (uint64_t)shard->recent_start) / 1000;

	return window != NULL && window->window == shard->recent_window && window->dirty &&
	               shard->policy->intake.mode == ESF_MODE_FULL && offset_us < shard->usual_us
	           ? offset_us
	           : UINT64_MAX;
}

void esf_shard_take_fields(struct esf_shard *shard, struct esf_site *site,
    const struct esf_influx_field *fields, uint32_t count, int64_t time)
{
	uint32_t i = 0, accepted = 0;

	while (i < count) {
		uint64_t offset_us = usual_offset_us(shard, site->recent, time);
		enum esf_record_verdict verdict;

		if (offset_us != UINT64_MAX) {
			uint32_t usual = take_run(
			    shard, site->recent, fields + i, count - i, (uint32_t)offset_us);

			site->recent->accepted += usual;
			accepted += usual;
			i += usual;
			if (i == count)
				break;
		}
		verdict = take_any(shard, site, &fields[i++], time);
		esf_shard_count_values(shard, site, verdict, 1);
	}
	esf_shard_count_values(shard, site, ESF_RECORD_ACCEPTED, accepted);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "usual.h"

/*
 * The fields of an Influx line, which have its time in common. Most are usual: they are taken in
 * runs, for which what they have in common is looked at once.
 */

static __attribute__((noinline)) enum esf_record_verdict take_any(struct esf_shard *shard,
    struct esf_site *site, const struct esf_influx_field *field, int64_t time)
{
	const struct esf_record record = {
		.time = time, .value = field->value, .kind = ESF_KIND_GAUGE
	};
	bool is_text = field->type == ESF_INFLUX_STRING;
	uint64_t meaning = esf_shard_meaning(shard, &field->name, field->memory);
	uint16_t rule = esf_meaning_rule(meaning);

	if (rule != ESF_RULE_NONE)
		return is_text ? ESF_RECORD_NOT_NUMERIC
		               : esf_shard_record(shard, site, rule, &record);
	if (!is_text)
		esf_site_count_unmapped(site, &shard->site_pools, esf_meaning_id(meaning), 0);
	return ESF_RECORD_UNMAPPED;
}

/* Takes usual fields from the first one on; returns how many. */
static inline uint32_t take_run(struct esf_shard *shard, struct esf_window *window,
    const struct esf_influx_field *fields, uint32_t count, uint32_t offset_us)
{
	const struct esf_gauge_rule *gauges = esf_ruleset_gauges(shard->policy->rules);
	uint32_t i;

	for (i = 0; i < count; i++) {
		const struct esf_influx_field *field = &fields[i];
		uint16_t rule =
		    esf_meaning_rule(esf_shard_meaning(shard, &field->name, field->memory));

		if (rule == ESF_RULE_NONE || field->type != ESF_INFLUX_NUMBER ||
		    !esf_shard_add_usual(
		        &shard->accs, window, &gauges[rule], field->value, offset_us))
			break;
	}
	return i;
}

void esf_shard_take_influx(struct esf_shard *shard, struct esf_site *site,
    const struct esf_influx_line *line, int64_t time)
{
	const struct esf_influx_field *fields = line->fields;
	uint32_t count = line->fields_count, i = 0, accepted = 0;

	while (i < count) {
		uint64_t offset_us = esf_shard_usual_offset_us(shard, site->recent, time);
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

/* SPDX-License-Identifier: Apache-2.0 */
#include "shard_state.h"

#include "data_run.h"
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

struct esf_alias *esf_shard_alias(
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
	alias = esf_shard_alias(shard, stream, data.alias);
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

static bool takes_usual(const struct esf_shard *shard, const struct esf_window *window)
{
	return window != NULL && window->window == shard->recent_window && window->dirty &&
	       shard->policy->intake.mode == ESF_MODE_FULL;
}

void esf_shard_take_data(struct esf_shard *shard, struct esf_site *site, const struct esf_etd *etd,
    const struct esf_stream *stream)
{
	const uint8_t *at = etd->records, *end = at + (size_t)etd->count * ESF_ETD_DATA_SIZE;

	while (at != end) {
		if (takes_usual(shard, site->recent)) {
			const struct esf_run run = esf_run_begin(shard);
			const uint8_t *next = esf_run_take(&run, site->recent, stream, at, end,
			    esf_run_start_us(shard, etd->time));
			uint32_t usual = (uint32_t)(next - at) / ESF_ETD_DATA_SIZE;

			site->recent->accepted += usual;
			shard->ledger.records[ESF_RECORD_ACCEPTED] += usual;
			site->ledger.records[ESF_RECORD_ACCEPTED] += usual;
			at = next;
		}
		if (at != end) {
			esf_shard_count_record(shard, site,
			    take_any(shard, site, etd,
			        (uint32_t)(at - etd->records) / ESF_ETD_DATA_SIZE, stream));
			at += ESF_ETD_DATA_SIZE;
		}
	}
}

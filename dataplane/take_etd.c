/* SPDX-License-Identifier: Apache-2.0 */
#include "shard_state.h"

#include "etd.h"

/* ETD datagrams of sites that this shard owns: sequence, then births, data, events. */

static void count_record(
    struct esf_shard *shard, struct esf_site *site, enum esf_record_verdict verdict)
{
	shard->ledger.records[verdict]++;
	site->ledger.records[verdict]++;
}

static void take_births(
    struct esf_shard *shard, const struct esf_etd *etd, struct esf_stream *stream)
{
	struct esf_etd_birth_record birth;
	struct esf_alias *alias;
	uint32_t at = 0, name;

	while (esf_etd_birth_next(etd, &at, &birth)) {
		alias = esf_site_alias(stream, &shard->site_pools, birth.alias);
		if (alias == NULL)
			continue;
		alias->rule = esf_names_intern(shard->names, birth.name, birth.name_length, &name);
		alias->name = name;
		alias->generation = shard->rules_generation;
		alias->type = birth.type;
		alias->unmapped = 0;
		alias->born = true;
	}
}

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

static enum esf_record_verdict take_value(struct esf_shard *shard, struct esf_site *site,
    const struct esf_stream *stream, const struct esf_etd_data_record *data)
{
	struct esf_alias *alias = find_alias(shard, stream, data->alias);
	struct esf_record record;

	if (alias == NULL)
		return ESF_RECORD_UNBORN;
	if (alias->rule == ESF_RULE_NONE)
		return refuse_unmapped(shard, site, alias);
	record = (struct esf_record){
		.time = data->time,
		.value = data->value,
		.quality = data->quality,
		.kind = alias->type == ESF_ETD_COUNTER ? ESF_KIND_COUNTER : ESF_KIND_GAUGE,
	};
	return esf_shard_record(shard, site, alias->rule, &record);
}

static void take_data(struct esf_shard *shard, struct esf_site *site, const struct esf_etd *etd,
    const struct esf_stream *stream)
{
	struct esf_etd_data_record data;

	for (uint32_t i = 0; i < etd->count; i++) {
		esf_etd_data_at(etd, i, &data);
		count_record(shard, site, take_value(shard, site, stream, &data));
	}
}

static enum esf_record_verdict take_event(
    struct esf_shard *shard, struct esf_site *site, const struct esf_etd_event_record *event)
{
	const struct esf_message message = {
		.time = event->time,
		.source = ESF_EVENT_ETD,
		.severity = event->severity,
		.state = event->state,
		.text = event->text,
		.text_length = event->text_length,
	};

	return esf_shard_message(shard, site, &message);
}

static void take_events(struct esf_shard *shard, struct esf_site *site, const struct esf_etd *etd)
{
	struct esf_etd_event_record event;
	uint32_t at = 0;

	while (esf_etd_event_next(etd, &at, &event))
		count_record(shard, site, take_event(shard, site, &event));
}

static void take_records(struct esf_shard *shard, struct esf_site *site, const struct esf_etd *etd,
    struct esf_stream *stream)
{
	/* What was sent before a death and comes after it takes nothing back. */
	if (etd->seq == stream->dedup.highest)
		site->left = etd->kind == ESF_ETD_DEATH;
	if (etd->kind == ESF_ETD_BIRTH) {
		take_births(shard, etd, stream);
		return;
	}
	shard->ledger.records_received += etd->count;
	site->ledger.records_received += etd->count;
	if (etd->kind == ESF_ETD_DATA)
		take_data(shard, site, etd, stream);
	else if (etd->kind == ESF_ETD_EVENT)
		take_events(shard, site, etd);
}

/* An unsealed datagram where a seal is asked for: of all that the listener hears, or of the site.
 */
static bool lacks_seal(
    const struct esf_shard *shard, const struct esf_listener *listener, uint32_t site_index)
{
	const bool *required = shard->policy->require_seal;

	return listener->require_seal || (required != NULL && required[site_index]);
}

/* Opens a sealed datagram in place, before any state moves. */
static __attribute__((noinline)) enum esf_datagram_verdict unseal(
    struct esf_shard *shard, uint32_t site_index, struct esf_etd *etd)
{
	const uint8_t *plain;
	enum esf_datagram_verdict verdict =
	    esf_seal_open(shard->sealer, shard->policy->keyring, site_index, etd, &plain);

	if (verdict != ESF_DATAGRAM_ACCEPTED)
		return verdict;
	return esf_etd_unseal(etd, plain, etd->records_size - ESF_ETD_TAG_SIZE);
}

/* Its sequence number stays seen, and those that it shows to be lost are lost. */
static __attribute__((cold)) enum esf_datagram_verdict shed(
    struct esf_shard *shard, struct esf_site *site, uint64_t lost)
{
	if (lost > 0)
		esf_shard_sequenced(shard, site, 0, lost);
	return ESF_DATAGRAM_SHED;
}

/* Sequence check of a datagram of a known site; on ACCEPTED its records are taken. */
static enum esf_datagram_verdict take_from_site(
    struct esf_shard *shard, struct esf_site *site, const struct esf_etd *etd)
{
	struct esf_stream *stream;
	enum esf_datagram_verdict verdict;
	uint64_t lost;

	if (etd->boot > shard->boot_limit)
		return ESF_DATAGRAM_STALE; /* before it can take one of the site's streams */
	stream = esf_site_stream(site, &shard->site_pools, etd->stream);
	if (stream == NULL)
		return ESF_DATAGRAM_NO_ROOM;
	lost = stream->dedup.lost;
	verdict = esf_dedup_accept(&stream->dedup, stream->bitmap,
	    shard->plane->options.sequence_window, etd->boot, etd->seq, shard->boot_limit);
	if (verdict != ESF_DATAGRAM_ACCEPTED)
		return verdict;
	lost = stream->dedup.lost - lost;
	site->lost += lost;
	if (!esf_shard_admit(shard, site, ESF_LISTENER_ETD, etd->kind != ESF_ETD_DATA))
		return shed(shard, site, lost);
	site->last_seen = shard->arrival;
	/* Whatever becomes of the records: a clock that is far ahead is learned from refused ones.
	 */
	if (!(etd->flags & ESF_ETD_BACKFILL) && etd->kind != ESF_ETD_DEATH)
		esf_skew_learn(&site->skew, etd->time, shard->arrival);
	esf_shard_sequenced(shard, site, 1, lost);
	take_records(shard, site, etd, stream);
	return ESF_DATAGRAM_ACCEPTED;
}

/* Of a datagram that nobody has looked up yet. */
static __attribute__((noinline)) uint32_t find_site(
    struct esf_shard *shard, const struct esf_listener *listener, const struct esf_etd *etd)
{
	uint32_t site_index = esf_shard_site_by_id(shard, etd->site);

	return site_index != ESF_NO_SITE ? site_index : esf_shard_learn_etd(shard, listener, etd);
}

static enum esf_datagram_verdict take_sealed_or_plain(struct esf_shard *shard,
    const struct esf_listener *listener, uint32_t site_index, struct esf_etd *etd)
{
	enum esf_datagram_verdict verdict;

	if (etd->flags & ESF_ETD_SEALED) {
		verdict = unseal(shard, site_index, etd);
		if (verdict != ESF_DATAGRAM_ACCEPTED)
			return verdict;
	} else if (lacks_seal(shard, listener, site_index)) {
		return ESF_DATAGRAM_UNSEALED;
	}
	return take_from_site(shard, &shard->plane->sites[site_index], etd);
}

void esf_shard_take_etd(struct esf_shard *shard, const struct esf_listener *listener,
    const uint8_t *data, uint32_t size, uint32_t site_index)
{
	struct esf_etd etd;
	enum esf_datagram_verdict verdict = esf_etd_parse(data, size, &etd);
	struct esf_site *site;

	if (verdict != ESF_DATAGRAM_ACCEPTED) {
		esf_shard_count_datagram(shard, verdict);
		return;
	}
	if (site_index == ESF_NO_SITE)
		site_index = find_site(shard, listener, &etd);
	if (site_index == ESF_NO_SITE) {
		esf_shard_count_datagram(shard, ESF_DATAGRAM_UNKNOWN_SITE);
		return;
	}
	site = &shard->plane->sites[site_index];
	verdict = take_sealed_or_plain(shard, listener, site_index, &etd);
	esf_shard_count_datagram(shard, verdict);
	site->ledger.datagrams_received++;
	site->ledger.datagrams[verdict - ESF_SITE_DATAGRAM_FIRST]++;
	esf_shard_touch(shard, site);
}

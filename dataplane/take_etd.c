/* SPDX-License-Identifier: Apache-2.0 */
#include "shard_state.h"

#include "etd.h"

/* ETD datagrams of sites that this shard owns: sequence, then births, events, and data
 * (take_data.c). */

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
		esf_shard_count_record(shard, site, take_event(shard, site, &event));
}

static void take_records(struct esf_shard *shard, struct esf_site *site, const struct esf_etd *etd,
    struct esf_stream *stream)
{
	/* What was sent before a death and comes after it takes nothing back. */
	if (etd->seq == stream->dedup.highest)
		site->left = etd->kind == ESF_ETD_DEATH;
	if (etd->kind == ESF_ETD_BIRTH) {
		take_births(shard, etd, stream);
		esf_short_forget(site);
		return;
	}
	shard->ledger.records_received += etd->count;
	site->ledger.records_received += etd->count;
	if (etd->kind == ESF_ETD_DATA)
		esf_shard_take_data(shard, site, etd, stream);
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

/* Of the numbers that are lost, those that a restart forgot are counted as such. Returns the
 * others.
 */
static __attribute__((cold)) uint64_t note_lost(
    struct esf_shard *shard, struct esf_site *site, struct esf_dedup *dedup, uint64_t lost)
{
	uint64_t forgotten = dedup->forgotten;

	dedup->lost -= forgotten;
	dedup->forgotten = 0;
	site->forgotten += forgotten;
	shard->ledger.forgotten += forgotten;
	site->lost += lost - forgotten;
	return lost - forgotten;
}

/* Sequence check of a datagram of a known site; on ACCEPTED its records are taken. */
static enum esf_datagram_verdict take_in_sequence(
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
	if (lost > 0)
		lost = note_lost(shard, site, &stream->dedup, lost);
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

/* What comes next may go the short way, where datagrams of that kind do. */
static enum esf_datagram_verdict take_from_site(
    struct esf_shard *shard, struct esf_site *site, const struct esf_etd *etd)
{
	enum esf_datagram_verdict verdict;

	esf_short_close(shard, site);
	verdict = take_in_sequence(shard, site, etd);
	if (shard->way.listeners != 0 && etd->flags == 0)
		esf_short_open(shard, site);
	return verdict;
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

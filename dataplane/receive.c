/* SPDX-License-Identifier: Apache-2.0 */
#include "few.h"

#include <string.h>

#include "etd.h"
#include "take_short.h"

/* Packets, and parcels that other shards hand over: by the short way, if they go it, or by the long
 * one. */

/*
 * What an ETD datagram will touch beyond its site's first lines is fetched in two steps, each for
 * all of the few: its accumulator, which those lines lead to, with the window's head where that is
 * to be listed; or, where the datagram is none for the short way, what leads to the stream; then
 * the stream. Else each would wait for several lines of memory, one after the other.
 */
static void fetch_accumulator(
    const struct esf_shard *shard, const struct esf_site *site, const uint8_t *payload)
{
	const struct esf_gauge_rule *gauge;
	uint16_t alias;

	if (site->recent == NULL)
		return;
	if (site->turn != shard->turn)
		__builtin_prefetch(site->recent, 1);
	memcpy(&alias, payload + ESF_ETD_HEADER_SIZE, sizeof(alias));
	if (alias >= ESF_ALIASES_AT_HAND || site->rules_generation != shard->rules_generation)
		return;
	gauge = &shard->way.gauges[site->rules[alias]];
	__builtin_prefetch(esf_shard_peek_acc(shard, site->recent, (uint32_t)gauge->kpi), 1);
}

/* Bit i: the datagram goes the long way. */
static uint32_t fetch_accumulators(const struct esf_shard *shard, const struct esf_few *few)
{
	uint32_t others = 0;

	for (uint32_t own = few->own; own != 0; own &= own - 1) {
		uint32_t i = (uint32_t)__builtin_ctz(own);
		const struct esf_site *site = &shard->plane->sites[few->etd_sites[i]];

		if (few->frames[i].payload_size < ESF_ETD_HEADER_SIZE + ESF_ETD_DATA_SIZE)
			continue;
		fetch_accumulator(shard, site, few->frames[i].payload);
		if (site->next_count > 0)
			continue;
		__builtin_prefetch(&site->streams);
		others |= UINT32_C(1) << i;
	}
	return others;
}

static void fetch_streams(const struct esf_shard *shard, const struct esf_few *few, uint32_t others)
{
	const uint32_t numbers = shard->plane->options.sequence_window - 1;

	for (; others != 0; others &= others - 1) {
		uint32_t i = (uint32_t)__builtin_ctz(others), seq;
		const struct esf_stream *stream = shard->plane->sites[few->etd_sites[i]].streams;

		if (stream == NULL)
			continue;
		memcpy(&seq, few->frames[i].payload + ESF_ETD_AT_SEQ, sizeof(seq));
		__builtin_prefetch(stream, 1);
		__builtin_prefetch(stream->within);
		__builtin_prefetch(&stream->bitmap[(seq & numbers) / 64], 1);
	}
}

static void fetch_few(const struct esf_shard *shard, const struct esf_few *few)
{
	uint32_t others = fetch_accumulators(shard, few);

	if (others != 0)
		fetch_streams(shard, few, others);
}

/*
 * A payload of a listener, by the long way: straight to its format where this is the only shard,
 * else to whoever owns the site.
 */
static void take_payload(struct esf_shard *shard, uint8_t listener_index, const uint8_t *data,
    const struct esf_frame *frame, uint32_t etd_site)
{
	const struct esf_listener *listener = &shard->policy->listeners[listener_index];

	if (listener->format == ESF_LISTENER_ETD) {
		if (shard->hand_over == NULL)
			esf_shard_take_etd(
			    shard, listener, frame->payload, frame->payload_size, etd_site);
		else
			esf_shard_steer_etd(
			    shard, listener_index, frame->payload, frame->payload_size, etd_site);
		return;
	}
	shard->source = esf_frame_source(data, frame);
	shard->sender = &shard->source;
	shard->sender_asked = false;
	if (shard->hand_over == NULL)
		esf_shard_read_text(
		    shard, listener, frame->payload, frame->payload_size, ESF_ASK_SENDER);
	else
		esf_shard_steer_text(shard, listener_index, frame->payload, frame->payload_size,
		    esf_shard_sender_site(shard));
}

/* By the short way, from number i on; returns the first that does not go it. */
static __attribute__((noinline)) uint32_t take_usual(
    struct esf_shard *shard, const struct esf_few *few, uint32_t i)
{
	struct esf_site *const sites = shard->plane->sites;
	const int64_t now = shard->now;
	const uint32_t first = i;
	uint32_t records = 0;

	for (; (few->own >> i & 1) != 0; i++) {
		uint32_t count = esf_short_take(shard, &shard->way, few->frames[i].payload,
		    few->frames[i].payload_size, &sites[few->etd_sites[i]], now, now);

		if (count == 0)
			break;
		records += count;
	}
	shard->way.datagrams += i - first;
	shard->way.records += records;
	return i;
}

/* Lines are left to be taken together, but not beyond an ETD datagram: it may be of the same site.
 */
static void take_few(
    struct esf_shard *shard, const struct esf_packet *packets, const struct esf_few *few)
{
	for (uint32_t i = 0; i < few->wanted; i++) {
		if (shard->policy->listeners[few->listeners[i]].format == ESF_LISTENER_ETD) {
			esf_shard_end_text(shard);
			i = take_usual(shard, few, i);
			if (i == few->wanted)
				break;
		}
		take_payload(shard, few->listeners[i], packets[few->from[i]].data, &few->frames[i],
		    few->etd_sites[i]);
	}
	esf_shard_end_text(shard);
}

uint64_t esf_shard_receive(struct esf_shard *shard, const struct esf_frame_addresses *ours,
    const struct esf_packet *packets, uint32_t count)
{
	const struct esf_frame_usual usual = esf_frame_usual(ours);
	const bool far = shard->plane->options.sites_count >= ESF_SITES_FAR;
	uint64_t neighbours = 0;
	struct esf_few few;

	shard->arrival = shard->now;
	shard->ledger.datagrams_received += count;
	shard->counted = shard->counted || count > 0;
	for (uint32_t i = 0; i < count; i += ESF_FEW) {
		esf_shard_judge(shard, ours, &usual, packets + i,
		    count - i < ESF_FEW ? count - i : ESF_FEW, &few);
		if (far)
			fetch_few(shard, &few);
		take_few(shard, packets + i, &few);
		neighbours |= few.neighbours << i;
	}
	esf_short_end(&shard->way, shard);
	return neighbours;
}

/* False: it goes the long way. */
static inline bool take_usual_parcel(
    struct esf_shard *shard, const struct esf_parcel *parcel, const uint8_t *payload)
{
	uint32_t count;

	if ((shard->way.listeners >> parcel->listener & 1) == 0 || parcel->site == ESF_NO_SITE)
		return false;
	count = esf_short_take(shard, &shard->way, payload, parcel->size,
	    &shard->plane->sites[parcel->site], shard->now, shard->arrival);
	shard->way.datagrams += count > 0;
	shard->way.records += count;
	return count > 0;
}

static inline void take_parcel(
    struct esf_shard *shard, const struct esf_parcel *parcel, const uint8_t *payload)
{
	const struct esf_listener *listener = &shard->policy->listeners[parcel->listener];

	/* The giver's pass may have begun after this one. */
	shard->arrival = parcel->arrival < shard->now ? parcel->arrival : shard->now;
	if (parcel->kind != ESF_PARCEL_DATAGRAM) {
		shard->text_datagrams += parcel->kind == ESF_PARCEL_LINES;
		esf_shard_take_text_line(shard, listener, payload, parcel->size, parcel->site);
		return;
	}
	shard->ledger.datagrams_taken++;
	if (take_usual_parcel(shard, parcel, payload))
		return;
	if (listener->format == ESF_LISTENER_ETD)
		esf_shard_take_etd(shard, listener, payload, parcel->size, parcel->site);
	else
		esf_shard_take_text(shard, listener, payload, parcel->size, parcel->site);
}

/* As frames that were judged, for what is fetched ahead. */
static void fetch_parcels(struct esf_shard *shard, const struct esf_parcel *const *parcels,
    const uint8_t *const *payloads, uint32_t count)
{
	struct esf_few few = { .wanted = count };

	for (uint32_t i = 0; i < count; i++) {
		const struct esf_parcel *parcel = parcels[i];

		if (parcel->kind != ESF_PARCEL_DATAGRAM || parcel->site == ESF_NO_SITE ||
		    (shard->way.listeners >> parcel->listener & 1) == 0)
			continue;
		few.frames[i].payload = payloads[i];
		few.frames[i].payload_size = parcel->size;
		few.etd_sites[i] = parcel->site;
		few.own |= UINT32_C(1) << i;
		esf_site_prefetch(&shard->plane->sites[parcel->site]);
	}
	fetch_few(shard, &few);
}

void esf_shard_take(struct esf_shard *shard, const struct esf_parcel *const *parcels,
    const uint8_t *const *payloads, uint32_t count)
{
	shard->sender = NULL;
	shard->counted = true;
	if (shard->plane->options.sites_count >= ESF_SITES_FAR)
		fetch_parcels(shard, parcels, payloads, count);
	for (uint32_t i = 0; i < count; i++)
		take_parcel(shard, parcels[i], payloads[i]);
	esf_short_end(&shard->way, shard);
}

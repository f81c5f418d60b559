/* SPDX-License-Identifier: Apache-2.0 */
#include "few.h"

#include <string.h>

#include "etd.h"

/* What frames are, and which sites their datagrams name. */

/* Where the ids of most ETD datagrams' sites stand, if not in a row; nothing hangs on them being
 * any. */
static __attribute__((noinline)) void prefetch_ids(
    const struct esf_directory_ids *ids, const struct esf_packet *packets, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		uint32_t id;

		if (packets[i].size < ESF_SHORT_PAYLOAD + ESF_ETD_HEADER_SIZE)
			continue;
		memcpy(&id, packets[i].data + ESF_SHORT_PAYLOAD + ESF_ETD_AT_SITE, sizeof(id));
		if (id < ids->count && !esf_directory_is_in_row(ids, id))
			__builtin_prefetch(&ids->sites_plus_1[id]);
	}
}

/* Of an ETD datagram's id: the site, if it is known by now. */
struct named {
	uint32_t site;
	bool own;
};

/*
 * What the site will be asked for is fetched ahead. Not another shard's: its owner would have to
 * get the lines back.
 */
static inline struct named fetch_site(
    const struct esf_shard *shard, struct esf_site *sites, uint32_t site)
{
	bool own = esf_shard_is_own(shard, site);

	if (own)
		esf_site_prefetch(&sites[site]);
	return (struct named){ site, own };
}

static __attribute__((noinline)) struct named find_site(const struct esf_shard *shard, uint32_t id)
{
	uint32_t site = id == 0 ? ESF_NO_SITE : esf_shard_site_by_id(shard, id);

	return site == ESF_NO_SITE ? (struct named){ ESF_NO_SITE, false }
	                           : fetch_site(shard, shard->plane->sites, site);
}

static ESF_ALWAYS_INLINE void put(
    struct esf_few *few, size_t number, uint32_t packet, uint8_t listener, struct named named)
{
	few->etd_sites[number] = named.site;
	few->from[number] = (uint8_t)packet;
	few->listeners[number] = listener;
}

/* Bit `number`, if it may go the short way. */
static ESF_ALWAYS_INLINE uint32_t own_bit(
    const struct esf_shard *shard, size_t number, uint8_t listener, struct named named)
{
	return (uint32_t)(shard->way.listeners >> listener & named.own) << number;
}

/* Judges packet i, whose frame is not the usual one; its payload is number wanted, if it is.
 * Returns how many are wanted now. */
static __attribute__((noinline)) uint32_t judge_unusual(struct esf_shard *shard,
    const struct esf_frame_addresses *ours, const struct esf_packet *packets, uint32_t i,
    struct esf_few *few, uint32_t wanted)
{
	const struct esf_packet *packet = &packets[i];
	struct esf_frame *frame = &few->frames[wanted];
	enum esf_datagram_verdict verdict =
	    esf_frame_parse(packet->data, packet->size, packet->flags, ours, frame);
	uint8_t listener = 0;
	struct named named;

	if (verdict == ESF_DATAGRAM_ACCEPTED) {
		listener = shard->policy->listener_at[esf_frame_destination_port(frame)];
		/* IPv6 carries up to 20 bytes more than IPv4, and than what follows is made for. */
		if (listener == 0)
			verdict = ESF_DATAGRAM_NO_LISTENER;
		else if (frame->payload_size > ESF_DATAGRAM_MAX)
			verdict = ESF_DATAGRAM_MALFORMED;
	}
	if (verdict != ESF_DATAGRAM_ACCEPTED) {
		esf_shard_count_datagram(shard, verdict);
		few->neighbours |= (uint64_t)(verdict == ESF_DATAGRAM_NEIGHBOUR) << i;
		return wanted;
	}
	named = find_site(shard, esf_etd_peek_site(frame->payload, frame->payload_size));
	put(few, wanted, i, listener - 1, named);
	few->own |= own_bit(shard, wanted, listener - 1, named);
	return wanted + 1;
}

/* The same as find_site, and without a call where the id is a listed one of a small range. Of the
 * payload ESF_SHORT_PAYLOAD_MIN bytes are there. */
static ESF_ALWAYS_INLINE struct named find_usual(const struct esf_shard *shard,
    struct esf_site *sites, const struct esf_directory_ids *ids, const uint8_t *payload)
{
	uint32_t magic, id, site;

	static_assert(
	    ESF_SHORT_PAYLOAD_MIN >= ESF_ETD_AT_SITE + sizeof(id), "what is read is there");
	memcpy(&magic, payload + ESF_ETD_AT_MAGIC, sizeof(magic));
	if (!ESF_USUALLY(magic == ESF_ETD_MAGIC))
		return (struct named){ ESF_NO_SITE, false };
	memcpy(&id, payload + ESF_ETD_AT_SITE, sizeof(id));
	site = esf_directory_small_id(ids, id);
	if (!ESF_USUALLY(site != ESF_NO_SITE))
		return find_site(shard, id);
	return fetch_site(shard, sites, site);
}

/* This and what takes them are functions of their own so that each has the registers that it wants.
 */
__attribute__((noinline)) void esf_shard_judge(struct esf_shard *shard,
    const struct esf_frame_addresses *ours, const struct esf_frame_usual *usual,
    const struct esf_packet *packets, uint32_t count, struct esf_few *few)
{
	const struct esf_policy *policy = shard->policy;
	const struct esf_directory_ids ids = esf_directory_small_ids(policy->directory);
	struct esf_site *const sites = shard->plane->sites;
	size_t wanted = 0;

	few->neighbours = 0;
	few->own = 0;
	if (shard->plane->options.sites_count >= ESF_IDS_FAR)
		prefetch_ids(&ids, packets, count);
	for (uint32_t i = 0; i < count; i++) {
		const struct esf_packet *packet = &packets[i];
		struct esf_frame frame;
		struct named named;
		uint8_t listener;

		if (!ESF_USUALLY(esf_frame_short(
		        packet->data, packet->size, packet->flags, usual, &frame))) {
			wanted = judge_unusual(shard, ours, packets, i, few, (uint32_t)wanted);
			continue;
		}
		listener = policy->listener_at[esf_frame_destination_port(&frame)];
		if (!ESF_USUALLY(listener != 0)) {
			esf_shard_count_datagram(shard, ESF_DATAGRAM_NO_LISTENER);
			continue;
		}
		few->frames[wanted] = frame;
		named = find_usual(shard, sites, &ids, frame.payload);
		put(few, wanted, i, listener - 1, named);
		few->own |= own_bit(shard, wanted++, listener - 1, named);
	}
	few->wanted = (uint32_t)wanted;
}

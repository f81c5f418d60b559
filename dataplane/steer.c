/* SPDX-License-Identifier: Apache-2.0 */
#include "shard_state.h"

#include "etd.h"

/*
 * Where several shards work: to whom a payload belongs. A site is owned by exactly one shard from
 * its first datagram on; what arrives elsewhere is handed over by value.
 */

static __attribute__((cold)) uint32_t claim(struct esf_shard *shard, uint32_t site_index)
{
	struct esf_plane *plane = shard->plane;
	uint8_t expected = ESF_NO_OWNER;
	uint8_t owner = plane->options.owner_is_receiver
	                    ? (uint8_t)shard->index
	                    : plane->owners[site_index % plane->owners_count];

	/* Once per site: two lcores may see its first datagrams at the same moment, one wins. */
	if (atomic_compare_exchange_strong_explicit(&plane->owner[site_index], &expected, owner,
	        memory_order_relaxed, memory_order_relaxed))
		return owner;
	return expected;
}

uint32_t esf_shard_owner(struct esf_shard *shard, uint32_t site_index)
{
	uint8_t owner =
	    atomic_load_explicit(&shard->plane->owner[site_index], memory_order_relaxed);

	return owner != ESF_NO_OWNER ? owner : claim(shard, site_index);
}

/* As its owner last said (note_change in shed.c); nothing else hangs on it, so relaxed. */
static bool site_storms(const struct esf_shard *shard, uint32_t site_index)
{
	return atomic_load_explicit(&shard->plane->storming[site_index], memory_order_relaxed);
}

/* Gives a whole payload to its owner; a full inbox is the datagram's verdict. */
static void give_datagram(struct esf_shard *shard, uint32_t to, uint8_t listener, uint32_t site,
    const uint8_t *data, uint32_t size, bool storms)
{
	struct esf_parcel parcel = {
		.size = (uint16_t)size,
		.kind = ESF_PARCEL_DATAGRAM,
		.listener = listener,
		.site = site,
		.arrival = shard->now,
	};

	if (shard->hand_over(shard->hand_over_context, shard->index, to, &parcel, data, storms))
		shard->ledger.datagrams_handed++;
	else
		esf_shard_count_datagram(shard, ESF_DATAGRAM_RING_FULL);
}

/* An unknown site must be learned before it can have an owner. */
static __attribute__((cold)) uint32_t learn_site(
    struct esf_shard *shard, uint8_t listener, const uint8_t *data, uint32_t size)
{
	struct esf_etd etd;

	if (!shard->policy->learn_sites || esf_etd_parse(data, size, &etd) != ESF_DATAGRAM_ACCEPTED)
		return ESF_NO_SITE;
	return esf_shard_learn_etd(shard, &shard->policy->listeners[listener], &etd);
}

/* The site of that id, known or learned now. */
static __attribute__((noinline)) uint32_t seek_site(
    struct esf_shard *shard, uint8_t listener, const uint8_t *data, uint32_t size)
{
	uint32_t id = esf_etd_peek_site(data, size);
	uint32_t site = id == 0 ? ESF_NO_SITE : esf_shard_site_by_id(shard, id);

	return site == ESF_NO_SITE && id != 0 ? learn_site(shard, listener, data, size) : site;
}

void esf_shard_steer_etd(
    struct esf_shard *shard, uint8_t listener, const uint8_t *data, uint32_t size, uint32_t site)
{
	uint32_t owner;

	if (site == ESF_NO_SITE)
		site = seek_site(shard, listener, data, size);
	owner = site == ESF_NO_SITE ? shard->index : esf_shard_owner(shard, site);
	if (owner == shard->index)
		esf_shard_take_etd(shard, &shard->policy->listeners[listener], data, size, site);
	else
		give_datagram(shard, owner, listener, site, data, size, site_storms(shard, site));
}

enum { OWNERS_NONE = UINT32_MAX, OWNERS_SEVERAL = UINT32_MAX - 1 };

/* The one shard that owns every known site in the datagram, or that there is none, or that there
 * are several. Of one shard's: whether all of the sites storm. */
static uint32_t owner_of_lines(struct esf_shard *shard, const struct esf_listener *listener,
    const uint8_t *data, uint32_t size, uint32_t sender_site, bool *all_storm)
{
	struct esf_text_line line;
	uint32_t owner = OWNERS_NONE;

	*all_storm = true;
	esf_text_start(shard->text, listener, data, size);
	while (owner != OWNERS_SEVERAL && esf_text_next(shard->text, &line)) {
		uint32_t site, lines_owner;

		if (line.malformed)
			continue;
		site = esf_shard_line_site(shard, &line, sender_site);
		if (site == ESF_NO_SITE)
			continue;
		*all_storm = *all_storm && site_storms(shard, site);
		lines_owner = esf_shard_owner(shard, site);
		if (owner == OWNERS_NONE)
			owner = lines_owner;
		else if (owner != lines_owner)
			owner = OWNERS_SEVERAL;
	}
	return owner;
}

/* told: bit i is set once shard i was handed a line of this datagram. */
static void steer_line(struct esf_shard *shard, uint8_t listener, const struct esf_text_line *line,
    uint32_t sender_site, uint64_t *told)
{
	struct esf_parcel parcel = {
		.size = (uint16_t)line->raw.length,
		.listener = listener,
		.site = sender_site,
		.arrival = shard->now,
	};
	uint32_t site =
	    line->malformed ? ESF_NO_SITE : esf_shard_line_site(shard, line, sender_site);
	uint32_t owner = site == ESF_NO_SITE ? shard->index : esf_shard_owner(shard, site);

	if (owner == shard->index) {
		esf_shard_count_line(shard, line, sender_site);
		return;
	}
	parcel.kind = *told >> owner & 1 ? ESF_PARCEL_MORE_LINES : ESF_PARCEL_LINES;
	if (shard->hand_over(shard->hand_over_context, shard->index, owner, &parcel,
	        (const uint8_t *)line->raw.at, site_storms(shard, site))) {
		*told |= UINT64_C(1) << owner;
	} else {
		shard->ledger.records_received++;
		shard->ledger.records[ESF_RECORD_RING_FULL]++;
	}
}

/*
 * A datagram with lines of several owners: it holds a line of a known site, so it is accepted here,
 * and each line's records are counted where they are taken.
 */
static void split_lines(struct esf_shard *shard, uint8_t listener_index, const uint8_t *data,
    uint32_t size, uint32_t sender_site)
{
	const struct esf_listener *listener = &shard->policy->listeners[listener_index];
	struct esf_text_line line;
	uint64_t told = 0;

	esf_shard_count_datagram(shard, ESF_DATAGRAM_ACCEPTED);
	shard->text_datagrams++;
	esf_text_start(shard->text, listener, data, size);
	while (esf_text_next(shard->text, &line))
		steer_line(shard, listener_index, &line, sender_site, &told);
}

void esf_shard_steer_text(struct esf_shard *shard, uint8_t listener, const uint8_t *data,
    uint32_t size, uint32_t sender_site)
{
	const struct esf_listener *format = &shard->policy->listeners[listener];
	bool all_storm;
	uint32_t owner = owner_of_lines(shard, format, data, size, sender_site, &all_storm);

	if (sender_site == ESF_NO_SITE && shard->policy->learn_sites)
		sender_site = esf_shard_site_by_address(shard, shard->sender);

	if (owner == OWNERS_SEVERAL)
		split_lines(shard, listener, data, size, sender_site);
	else if (owner == OWNERS_NONE || owner == shard->index)
		esf_shard_take_text(shard, format, data, size, sender_site);
	else
		give_datagram(shard, owner, listener, sender_site, data, size, all_storm);
}

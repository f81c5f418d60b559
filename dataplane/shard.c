/* SPDX-License-Identifier: Apache-2.0 */
#include <urcu-qsbr.h>

#include "shard_state.h"

#include <string.h>

#include "etd.h"
#include "frame_short.h"
#include "take_short.h"

void esf_shard_set_hand_over(struct esf_shard *shard, esf_hand_over_fn hand_over, void *context)
{
	shard->hand_over = hand_over;
	shard->hand_over_context = context;
}

const struct esf_ledger *esf_shard_ledger(const struct esf_shard *shard)
{
	return &shard->ledger;
}

/* What sites know of the pass (short.c) is past. 0 is no turn's. */
static void next_turn(struct esf_shard *shard)
{
	shard->turn += shard->turn == UINT16_MAX ? 2 : 1;
}

/* Other rules than those in use: names and aliases meet them one by one, each when next used. */
static __attribute__((cold)) void use_rules(struct esf_shard *shard)
{
	shard->rules_generation = shard->policy->rules_generation;
	esf_names_use(shard->names, shard->policy->rules, shard->rules_generation);
	next_turn(shard);
}

static uint32_t boot_limit(const struct esf_shard *shard)
{
	int64_t limit = shard->future_limit / 1000000000;

	return limit >= ESF_DEDUP_WAITS ? ESF_DEDUP_WAITS - 1 : (uint32_t)limit;
}

static void set_time(struct esf_shard *shard, int64_t now)
{
	const struct esf_plane_options *options = &shard->plane->options;
	uint32_t former_limit = shard->boot_limit;

	if (now <= shard->now)
		return;
	shard->now = now;
	shard->future_limit = now > INT64_MAX - shard->policy->max_skew_ns
	                          ? INT64_MAX
	                          : now + shard->policy->max_skew_ns;
	shard->boot_limit = boot_limit(shard);
	if (shard->boot_limit < former_limit)
		next_turn(shard);
	if (now >= shard->current_end) {
		shard->current_window = esf_window_index(now, options->window_ns);
		shard->current_end = (shard->current_window + 1) * options->window_ns;
		shard->oldest_open = shard->current_window - (int64_t)options->windows_open + 1;
		if (shard->recent_window < shard->oldest_open)
			shard->recent_span = 0;
		next_turn(shard);
	}
	esf_shard_note_usual(shard);
}

void esf_shard_begin(struct esf_shard *shard, int64_t now)
{
	shard->policy = rcu_dereference(shard->plane->policy);
	/* By number: another policy or rule set may lie where the former one lay. */
	if (shard->policy->rules_generation != shard->rules_generation)
		use_rules(shard);
	shard->admission = rcu_dereference(shard->plane->admission);
	set_time(shard, now);
	esf_shard_watch_fleet(shard);
	esf_short_begin(&shard->way, shard);
}

static inline bool is_own(const struct esf_shard *shard, uint32_t site)
{
	return shard->hand_over == NULL || atomic_load_explicit(&shard->plane->owner[site],
	                                       memory_order_relaxed) == shard->index;
}

/* A payload of a listener: straight to its format where this is the only shard, else to whoever
 * owns the site. */
static inline void take_payload(struct esf_shard *shard, struct esf_short *way,
    uint8_t listener_index, const uint8_t *data, const struct esf_frame *frame, uint32_t etd_site)
{
	const struct esf_listener *listener = &shard->policy->listeners[listener_index];

	if (listener->format == ESF_LISTENER_ETD) {
		esf_shard_end_text(shard);
		if (etd_site != ESF_NO_SITE && is_own(shard, etd_site) &&
		    esf_short_take(
		        shard, way, listener, frame->payload, frame->payload_size, etd_site))
			return;
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

/*
 * Datagrams judged before the first of them is taken: enough for what is fetched ahead to arrive,
 * and so few that what the checksum has just read of long ones is still near (16 x 1.4 kB in 32
 * kB).
 */
enum { FEW = ESF_PARCELS_MAX };

/* What the usual datagram touches of its site. */
static inline void prefetch_lines(const struct esf_site *site)
{
	__builtin_prefetch(site, 1);
	__builtin_prefetch(&site->last_seen, 1);
}

/* Where the ids of most ETD datagrams' sites stand; nothing hangs on them being any. */
static __attribute__((noinline)) void prefetch_ids(
    const struct esf_directory *directory, const struct esf_packet *packets, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		uint32_t id;

		if (packets[i].size < ESF_SHORT_PAYLOAD + ESF_ETD_HEADER_SIZE)
			continue;
		memcpy(&id, packets[i].data + ESF_SHORT_PAYLOAD + ESF_ETD_AT_SITE, sizeof(id));
		esf_directory_prefetch(directory, id);
	}
}

/* What is left of a few packets once their frames are judged: payloads for listeners. */
struct few {
	struct esf_frame frames[FEW];
	uint32_t etd_sites[FEW];
	uint8_t listeners[FEW];
	uint8_t from[FEW]; /* whose packet it is */
	uint32_t wanted;
	uint64_t neighbours; /* bit i: packet i is for the neighbour */
};

/* The site that an ETD datagram names, if it is known by now: what it will be asked for is fetched
 * ahead. Not another shard's: its owner would have to get the lines back. */
static __attribute__((noinline)) uint32_t prefetch_site(const struct esf_shard *shard, uint32_t id)
{
	uint32_t site = id == 0 ? ESF_NO_SITE : esf_shard_site_by_id(shard, id);

	if (site != ESF_NO_SITE && is_own(shard, site))
		prefetch_lines(&shard->plane->sites[site]);
	return site;
}

/* Judges packet i, whose frame is not the usual one; its payload is number wanted, if it is.
 * Returns how many are wanted now. */
static __attribute__((noinline)) uint32_t judge_unusual(struct esf_shard *shard,
    const struct esf_frame_addresses *ours, const struct esf_packet *packets, uint32_t i,
    struct few *few, uint32_t wanted)
{
	const struct esf_packet *packet = &packets[i];
	struct esf_frame *frame = &few->frames[wanted];
	enum esf_datagram_verdict verdict =
	    esf_frame_parse(packet->data, packet->size, packet->flags, ours, frame);
	uint8_t listener = 0;

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
	few->etd_sites[wanted] =
	    prefetch_site(shard, esf_etd_peek_site(frame->payload, frame->payload_size));
	few->from[wanted] = (uint8_t)i;
	few->listeners[wanted] = listener - 1;
	return wanted + 1;
}

/* The same as prefetch_site, and without a call where the id is a listed one of a small range. Of
 * the payload ESF_SHORT_PAYLOAD_MIN bytes are there. */
static ESF_ALWAYS_INLINE uint32_t prefetch_usual(const struct esf_shard *shard,
    struct esf_site *sites, const struct esf_directory_ids *ids, const uint8_t *payload)
{
	uint32_t magic, id, site_plus_1;

	static_assert(
	    ESF_SHORT_PAYLOAD_MIN >= ESF_ETD_AT_SITE + sizeof(id), "what is read is there");
	memcpy(&magic, payload + ESF_ETD_AT_MAGIC, sizeof(magic));
	if (!ESF_USUALLY(magic == ESF_ETD_MAGIC))
		return ESF_NO_SITE;
	memcpy(&id, payload + ESF_ETD_AT_SITE, sizeof(id));
	if (!ESF_USUALLY(id < ids->count))
		return prefetch_site(shard, id);
	site_plus_1 = ids->sites_plus_1[id];
	if (!ESF_USUALLY(site_plus_1 != 0))
		return prefetch_site(shard, id);
	if (is_own(shard, site_plus_1 - 1))
		prefetch_lines(&sites[site_plus_1 - 1]);
	return site_plus_1 - 1;
}

/* This and take_few are functions of their own so that each has the registers that it wants. */
static __attribute__((noinline)) void judge_few(struct esf_shard *shard,
    const struct esf_frame_addresses *ours, const struct esf_frame_usual *usual,
    const struct esf_packet *packets, uint32_t count, struct few *few)
{
	const struct esf_policy *policy = shard->policy;
	const struct esf_directory_ids ids = esf_directory_small_ids(policy->directory);
	struct esf_site *const sites = shard->plane->sites;
	size_t wanted = 0;

	few->neighbours = 0;
	if (shard->plane->options.sites_count >= ESF_IDS_FAR)
		prefetch_ids(policy->directory, packets, count);
	for (uint32_t i = 0; i < count; i++) {
		const struct esf_packet *packet = &packets[i];
		struct esf_frame frame;
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
		few->etd_sites[wanted] = prefetch_usual(shard, sites, &ids, frame.payload);
		few->from[wanted] = (uint8_t)i;
		few->listeners[wanted++] = listener - 1;
	}
	few->wanted = (uint32_t)wanted;
}

/*
 * What an ETD datagram will touch beyond its site's first lines is fetched in two steps, each for
 * all of the few: its accumulator, which those lines lead to, with the window's head where that is
 * to be listed; or, where the datagram is none for the short way, what leads to the stream; then
 * the stream. Else each would wait for several lines of memory, one after the other.
 */
static inline bool has_record(const struct esf_shard *shard, const struct few *few, uint32_t i)
{
	return few->etd_sites[i] != ESF_NO_SITE && is_own(shard, few->etd_sites[i]) &&
	       few->frames[i].payload_size >= ESF_ETD_HEADER_SIZE + ESF_ETD_DATA_SIZE;
}

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
static uint32_t fetch_accumulators(const struct esf_shard *shard, const struct few *few)
{
	uint32_t others = 0;

	for (uint32_t i = 0; i < few->wanted; i++) {
		const struct esf_site *site;

		if (!has_record(shard, few, i))
			continue;
		site = &shard->plane->sites[few->etd_sites[i]];
		fetch_accumulator(shard, site, few->frames[i].payload);
		if (site->next_count > 0)
			continue;
		__builtin_prefetch(&site->streams);
		others |= UINT32_C(1) << i;
	}
	return others;
}

static void fetch_streams(const struct esf_shard *shard, const struct few *few, uint32_t others)
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

static void fetch_few(const struct esf_shard *shard, const struct few *few)
{
	static_assert((int)FEW <= 32, "a bit for each");
	uint32_t others = fetch_accumulators(shard, few);

	if (others != 0)
		fetch_streams(shard, few, others);
}

static __attribute__((noinline)) void take_few(
    struct esf_shard *shard, const struct esf_packet *packets, const struct few *few)
{
	struct esf_short way; /* by itself, as nothing else can change it */

	if (shard->plane->options.sites_count >= ESF_SITES_FAR)
		fetch_few(shard, few);
	way = shard->way;
	for (uint32_t i = 0; i < few->wanted; i++)
		take_payload(shard, &way, few->listeners[i], packets[few->from[i]].data,
		    &few->frames[i], few->etd_sites[i]);
	shard->way = way;
	esf_shard_end_text(shard);
}

uint64_t esf_shard_receive(struct esf_shard *shard, const struct esf_frame_addresses *ours,
    const struct esf_packet *packets, uint32_t count)
{
	const struct esf_frame_usual usual = esf_frame_usual(ours);
	uint64_t neighbours = 0;
	struct few few;

	shard->arrival = shard->now;
	shard->ledger.datagrams_received += count;
	shard->counted = shard->counted || count > 0;
	for (uint32_t i = 0; i < count; i += FEW) {
		judge_few(
		    shard, ours, &usual, packets + i, count - i < FEW ? count - i : FEW, &few);
		take_few(shard, packets + i, &few);
		neighbours |= few.neighbours << i;
	}
	esf_short_end(&shard->way, shard);
	return neighbours;
}

static inline void take_parcel(struct esf_shard *shard, struct esf_short *way,
    const struct esf_parcel *parcel, const uint8_t *payload)
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
	if (listener->format != ESF_LISTENER_ETD)
		esf_shard_take_text(shard, listener, payload, parcel->size, parcel->site);
	else if (parcel->site == ESF_NO_SITE ||
	         !esf_short_take(shard, way, listener, payload, parcel->size, parcel->site))
		esf_shard_take_etd(shard, listener, payload, parcel->size, parcel->site);
}

/* As judge_few leaves them, for what is fetched ahead. */
static void fetch_parcels(struct esf_shard *shard, const struct esf_parcel *const *parcels,
    const uint8_t *const *payloads, uint32_t count)
{
	struct few few;

	for (uint32_t i = 0; i < count; i++) {
		const struct esf_parcel *parcel = parcels[i];
		bool is_etd = parcel->kind == ESF_PARCEL_DATAGRAM &&
		              shard->policy->listeners[parcel->listener].format == ESF_LISTENER_ETD;

		few.frames[i].payload = payloads[i];
		few.frames[i].payload_size = parcel->size;
		few.etd_sites[i] = is_etd ? parcel->site : (uint32_t)ESF_NO_SITE;
		if (few.etd_sites[i] != ESF_NO_SITE)
			prefetch_lines(&shard->plane->sites[few.etd_sites[i]]);
	}
	few.wanted = count;
	fetch_few(shard, &few);
}

void esf_shard_take(struct esf_shard *shard, const struct esf_parcel *const *parcels,
    const uint8_t *const *payloads, uint32_t count)
{
	struct esf_short way;

	shard->sender = NULL;
	shard->counted = true;
	if (shard->plane->options.sites_count >= ESF_SITES_FAR)
		fetch_parcels(shard, parcels, payloads, count);
	way = shard->way;
	for (uint32_t i = 0; i < count; i++)
		take_parcel(shard, &way, parcels[i], payloads[i]);
	esf_short_end(&way, shard);
}

/*
 * The seqlock's writing side. The odd store must be seen before any word changes (each word is
 * stored with release), the even one after all have (release); partner: ledger_read in plane.c.
 */
static void copy_ledger_out(struct esf_shard *shard)
{
	struct esf_ledger_copy *copy = &shard->ledger_copy;
	uint64_t sequence = atomic_load_explicit(&copy->sequence, memory_order_relaxed);
	uint64_t words[sizeof(shard->ledger) / sizeof(uint64_t)];

	memcpy(words, &shard->ledger, sizeof(words));
	atomic_store_explicit(&copy->sequence, sequence + 1, memory_order_relaxed);
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		atomic_store_explicit(&copy->words[i], words[i], memory_order_release);
	atomic_store_explicit(&copy->sequence, sequence + 2, memory_order_release);
	shard->counted = false;
}

uint32_t esf_shard_end(struct esf_shard *shard)
{
	if (shard->counted)
		copy_ledger_out(shard);
	return esf_shard_publish_some(shard);
}

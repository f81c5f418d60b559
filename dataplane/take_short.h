/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ESF_TAKE_SHORT_H
#define ESF_TAKE_SHORT_H

#include <string.h>

#include "data_run.h"
#include "etd.h"
#include "shard_state.h"

/*
 * The short way of an ETD datagram, for shard.c and nobody else: what most datagrams are, from the
 * bytes to the site's counts in one piece. Usual is: unsealed data of a site that is known, of the
 * stream that spoke last, the next sequence number, no number lost, a token in the bucket, all
 * records good, and the window at hand the current one, listed to be published.
 *
 * All is asked before anything changes, so what is not usual is left untouched to take_etd.c, which
 * says the same of it in its own order. It is the same for the records that are not usual
 * (take_data.c).
 */

/* A header's first word but the count, in its lower 48 bits. */
#define ESF_SHORT_HEAD (ESF_ETD_MAGIC | (uint64_t)ESF_ETD_DATA << 32)

struct esf_short_words {
	uint64_t head; /* magic, kind, flags, count */
	uint64_t who;  /* site, stream, key */
	uint64_t life; /* boot, seq */
	int64_t time;
};
static_assert(sizeof(struct esf_short_words) == ESF_ETD_HEADER_SIZE &&
                  ESF_ETD_AT_SITE == offsetof(struct esf_short_words, who) &&
                  ESF_ETD_AT_BOOT == offsetof(struct esf_short_words, life) &&
                  ESF_ETD_AT_TIME == offsetof(struct esf_short_words, time),
    "the header in four words");

static inline void esf_short_begin(struct esf_short *way, const struct esf_shard *shard)
{
	way->open =
	    shard->policy->require_seal == NULL && shard->policy->intake.mode == ESF_MODE_FULL;
	way->run = esf_run_begin(shard);
}

static inline void esf_short_end(struct esf_short *way, struct esf_shard *shard)
{
	shard->offered += way->datagrams;
	shard->ledger.datagrams[ESF_DATAGRAM_ACCEPTED] += way->datagrams;
	shard->ledger.records_received += way->records;
	shard->ledger.records[ESF_RECORD_ACCEPTED] += way->accepted;
	way->datagrams = 0;
	way->records = 0;
	way->accepted = 0;
}

static inline bool esf_short_header(const struct esf_short_words *words, uint32_t size)
{
	uint32_t count = (uint32_t)(words->head >> 48);

	return words->head << 16 == ESF_SHORT_HEAD << 16 &&
	       size == ESF_ETD_HEADER_SIZE + count * ESF_ETD_DATA_SIZE && words->time >= 0;
}

/* The upper halves of the records' first words are 0 where all are good. */
static inline bool esf_short_all_good(const uint8_t *records, uint32_t count)
{
	uint32_t bits = 0;

	do {
		uint32_t word;

		memcpy(&word, records, sizeof(word));
		bits |= word;
		records += ESF_ETD_DATA_SIZE;
	} while (--count > 0);
	return bits >> 16 == 0;
}

/*
 * The next number of the stream's life, where no number is lost by it. 1 is not: it may be the
 * first ever. A life that was believed may be beyond the limit that another policy sets.
 */
static inline bool esf_short_is_next(const struct esf_shard *shard, struct esf_stream *stream,
    uint64_t life, uint64_t **bits, uint64_t *bit)
{
	const uint32_t window = shard->plane->options.sequence_window;
	const uint32_t seq = (uint32_t)(life >> 32);
	uint64_t former;

	memcpy(&former, &stream->dedup, sizeof(former));
	if (life != former + (UINT64_C(1) << 32) || seq < 2 || (uint32_t)life > shard->boot_limit)
		return false;
	*bits = &stream->bitmap[(seq & (window - 1)) / 64];
	*bit = UINT64_C(1) << (seq % 64);
	return __builtin_expect((**bits & *bit) != 0, 1) ||
	       (int64_t)seq - window < stream->dedup.lowest;
}

/* What the bucket lacks once the token is taken, or more than it can. */
static inline uint64_t esf_short_spent(const struct esf_shard *shard, const struct esf_site *site)
{
	const struct esf_storm_limits *limits = &shard->policy->storm;
	int64_t elapsed = shard->now - site->storm.refilled;
	uint64_t spent = site->storm.spent, gained;

	if (elapsed >= limits->fill_ns)
		return ESF_STORM_TOKEN;
	gained = (uint64_t)elapsed * limits->site_rate;
	return (spent > gained ? spent - gained : 0) + ESF_STORM_TOKEN;
}

/* The records from the first unusual one on. */
static __attribute__((noinline)) void esf_short_take_rest(struct esf_shard *shard,
    struct esf_site *site, const uint8_t *at, const uint8_t *end, int64_t time)
{
	const struct esf_etd etd = {
		.kind = ESF_ETD_DATA,
		.count = (uint16_t)((end - at) / ESF_ETD_DATA_SIZE),
		.time = time,
		.records = at,
		.records_size = (uint32_t)(end - at),
	};

	site->ledger.records_received += etd.count;
	esf_shard_take_data(shard, site, &etd, site->streams);
}

/* Of a datagram that is taken: its records. */
static inline void esf_short_take_records(struct esf_shard *shard, struct esf_short *way,
    struct esf_site *site, const uint8_t *data, uint32_t size, int64_t time)
{
	const uint8_t *records = data + ESF_ETD_HEADER_SIZE, *end = data + size, *at;
	uint32_t usual;

	way->run.usual_us = shard->usual_us;
	at = esf_run_take(
	    &way->run, site->recent, site->streams, records, end, esf_run_start_us(shard, time));
	usual = (uint32_t)(at - records) / ESF_ETD_DATA_SIZE;
	site->recent->accepted += usual;
	site->usual_records += usual;
	way->accepted += usual;
	if (__builtin_expect(at != end, 0))
		esf_short_take_rest(shard, site, at, end, time);
}

/* True: the datagram is taken. site_index: whose id stands in it, and this shard's own. */
static inline __attribute__((always_inline)) bool esf_short_take(struct esf_shard *shard,
    struct esf_short *way, const struct esf_listener *listener, const uint8_t *data, uint32_t size,
    uint32_t site_index)
{
	struct esf_site *site = &shard->plane->sites[site_index];
	struct esf_short_words words;
	struct esf_stream *stream = site->streams;
	struct esf_window *window = site->recent;
	uint64_t *bits;
	uint64_t bit, spent;
	uint32_t count;
	int64_t ahead;

	if (size < ESF_ETD_HEADER_SIZE + ESF_ETD_DATA_SIZE || !way->open || listener->require_seal)
		return false;
	memcpy(&words, data, sizeof(words));
	count = (uint32_t)(words.head >> 48);
	if (!esf_short_header(&words, size) ||
	    !esf_short_all_good(data + ESF_ETD_HEADER_SIZE, count))
		return false;
	if (stream == NULL || (uint32_t)(words.who >> 32) != stream->id ||
	    !esf_short_is_next(shard, stream, words.life, &bits, &bit))
		return false;
	if (window == NULL || window->window != shard->current_window ||
	    window->window != shard->recent_window || !window->dirty || !site->touched)
		return false;
	if (esf_storm_slot_is_over(&site->storm, shard->now) || shard->arrival >= site->skew.until)
		return false;
	spent = esf_short_spent(shard, site);
	if (spent > shard->policy->storm.burst)
		return false;

	stream->dedup.highest = (uint32_t)(words.life >> 32);
	*bits |= bit;
	site->storm.offered++;
	site->storm.refilled = shard->now;
	site->storm.spent = spent;
	site->last_seen = shard->arrival;
	site->left = false;
	ahead = words.time - shard->arrival;
	if (ahead > site->skew.best)
		site->skew.best = ahead;
	window->comms_accepted++;
	site->usual_datagrams++;
	way->datagrams++;
	way->records += count;
	esf_short_take_records(shard, way, site, data, size, words.time);
	return true;
}

#endif

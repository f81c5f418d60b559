/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ESF_TAKE_SHORT_H
#define ESF_TAKE_SHORT_H

#include <string.h>

#include "etd.h"
#include "shard_state.h"

/*
 * The short way of an ETD datagram, for shard.c and receive.c: what most datagrams are, from the
 * bytes to the site's counts in one piece. Usual is: unsealed data of a site that is known, of the
 * stream that spoke last, the next sequence number, no number lost, a token in the bucket, all
 * records good. What there is to know of the site beyond this datagram, short.c wrote into its
 * first two lines.
 *
 * All is asked before anything is counted, so what is not usual is left to take_etd.c, which says
 * the same of it in its own order. It is the same for the records that are not usual
 * (take_data.c).
 */

/* A header's first word but the count, in its lower 48 bits. */
#define ESF_SHORT_HEAD (ESF_ETD_MAGIC | (uint64_t)ESF_ETD_DATA << 32)

static_assert(ESF_ETD_AT_COUNT == 6 && ESF_ETD_AT_SITE == 8 && ESF_ETD_AT_BOOT == 16 &&
                  ESF_ETD_AT_TIME == 24 && ESF_ETD_HEADER_SIZE == 32,
    "the header in four words");

/* Those that hear ETD and want no seal, where no site wants one either and ingestion is full. */
static inline uint64_t esf_short_listeners(const struct esf_policy *policy)
{
	uint64_t listeners = 0;

	static_assert((int)ESF_LISTENERS_MAX <= 64, "a bit for each");
	if (policy->require_seal != NULL || policy->intake.mode != ESF_MODE_FULL)
		return 0;
	for (uint32_t i = 0; i < policy->listeners_count; i++)
		listeners |= (uint64_t)(policy->listeners[i].format == ESF_LISTENER_ETD &&
		                        !policy->listeners[i].require_seal)
		             << i;
	return listeners;
}

static inline void esf_short_begin(struct esf_short *way, const struct esf_shard *shard)
{
	const int64_t window_ns = shard->plane->options.window_ns;
	int64_t start = shard->current_end - window_ns, room = shard->future_limit - start;

	way->listeners = esf_short_listeners(shard->policy);
	way->turn = shard->turn;
	way->gauges = esf_ruleset_gauges(shard->policy->rules);
	way->limits = &shard->policy->storm;
	way->start = start;
	way->usual_us = room < 0 ? 0 : (uint64_t)(room < window_ns ? room : window_ns) / 1000;
}

static inline void esf_short_end(struct esf_short *way, struct esf_shard *shard)
{
	shard->offered += way->datagrams;
	shard->ledger.datagrams[ESF_DATAGRAM_ACCEPTED] += way->datagrams;
	shard->ledger.records_received += way->records;
	shard->ledger.records[ESF_RECORD_ACCEPTED] += way->records - way->others;
	way->datagrams = 0;
	way->records = 0;
	way->others = 0;
}

static inline uint64_t esf_short_load(const uint8_t *at)
{
	uint64_t word;

	memcpy(&word, at, sizeof(word));
	return word;
}

static inline bool esf_short_header(uint64_t head, uint32_t size)
{
	uint32_t count = (uint32_t)(head >> 48);

	return head << 16 == ESF_SHORT_HEAD << 16 &&
	       size == ESF_ETD_HEADER_SIZE + count * ESF_ETD_DATA_SIZE;
}

/*
 * The upper halves of the records' first words are 0 where all are good. Whole records are put
 * together, four at a time: no machine takes longer for their other bytes.
 */
typedef uint64_t esf_short_record __attribute__((vector_size(16)));
static_assert(sizeof(esf_short_record) == ESF_ETD_DATA_SIZE, "a record in one piece");

static inline esf_short_record esf_short_load_record(const uint8_t *record)
{
	esf_short_record all;

	memcpy(&all, record, sizeof(all));
	return all;
}

static inline bool esf_short_all_good(const uint8_t *records, uint32_t count)
{
	esf_short_record bits;

	if (count == 1)
		return (uint32_t)esf_short_load(records) >> 16 == 0;
	bits = esf_short_load_record(records);
	for (; count >= 4; count -= 4, records += 4 * ESF_ETD_DATA_SIZE)
		bits |= esf_short_load_record(records) |
		        esf_short_load_record(records + ESF_ETD_DATA_SIZE) |
		        esf_short_load_record(records + 2 * ESF_ETD_DATA_SIZE) |
		        esf_short_load_record(records + 3 * ESF_ETD_DATA_SIZE);
	for (; count > 0; count--, records += ESF_ETD_DATA_SIZE)
		bits |= esf_short_load_record(records);
	return (uint32_t)bits[0] >> 16 == 0;
}

/* What the bucket lacks once the token is taken, or more than it can. */
static inline uint64_t esf_short_spent(
    const struct esf_storm_limits *limits, const struct esf_storm_site *storm, int64_t now)
{
	int64_t elapsed = now - storm->refilled;
	uint64_t spent = storm->spent;
	uint64_t gained =
	    elapsed < limits->fill_ns ? (uint64_t)elapsed * limits->site_rate : UINT64_MAX;

	return (spent > gained ? spent - gained : 0) + ESF_STORM_TOKEN;
}

/* A slot that is over, and that says nothing. */
static inline bool esf_short_is_calm(
    const struct esf_storm_limits *limits, const struct esf_storm_site *storm)
{
	return !storm->storming && storm->offered <= limits->site_rate;
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

	site->usual_records -= etd.count;
	site->ledger.records_received += etd.count;
	shard->way.others += etd.count;
	esf_shard_take_data(shard, site, &etd, site->streams);
}

/*
 * Takes a record, if it is usual. Its offset is whole microseconds, so that its place in the window
 * is the header's, rounded down once (start_us), and the offset. It is good, so that what stands in
 * the place of alias and quality is the alias. accs: of the window.
 */
static inline __attribute__((always_inline)) bool esf_short_take_record(struct esf_shard *shard,
    const struct esf_short *way, const uint16_t *rules, struct esf_window *window, uint8_t *accs,
    uint64_t start_us, const uint8_t *at)
{
	struct esf_etd_raw_record raw;
	const struct esf_gauge_rule *gauge;
	struct esf_acc *acc;
	uint64_t offset_us;
	double value;

	memcpy(&raw, at, sizeof(raw));
	offset_us = start_us + (uint64_t)(int64_t)raw.offset_us;
	if (raw.alias_and_quality >= ESF_ALIASES_AT_HAND || offset_us >= way->usual_us)
		return false;
	gauge = &way->gauges[rules[raw.alias_and_quality]];
	value = raw.value * gauge->scale + gauge->offset;
	if (!(value >= gauge->low && value <= gauge->high))
		return false;
	acc = esf_acc_at(accs, shard->accs.stride, gauge->kpi);
	/* Else compilers make the address anew for each of its parts. */
	__asm__("" : "+r"(acc));
	if (__builtin_expect(acc->samples != 0, 1))
		esf_acc_add_next(acc, value, (uint32_t)offset_us);
	else
		esf_short_add_first(
		    shard, window, (uint32_t)gauge->kpi, value, (uint32_t)offset_us);
	return true;
}

/* The first of [at, end) that is not usual, or end: what comes before is taken. By itself, so that
 * it has the registers. */
static __attribute__((noinline)) const uint8_t *esf_short_take_run(struct esf_shard *shard,
    const struct esf_site *site, uint64_t start_us, const uint8_t *at, const uint8_t *end)
{
	const struct esf_short way = shard->way; /* nothing that is stored can change it */
	struct esf_window *window = site->recent;
	uint8_t *accs = esf_accs_of(&shard->accs, window);

	while (at != end &&
	       esf_short_take_record(shard, &way, site->rules, window, accs, start_us, at))
		at += ESF_ETD_DATA_SIZE;
	return at;
}

/* Of a datagram that is taken: its records, one at least. */
static inline void esf_short_take_records(struct esf_shard *shard, const struct esf_short *way,
    struct esf_site *site, const uint8_t *records, uint32_t count, int64_t time)
{
	const uint8_t *at = records, *end = records + (size_t)count * ESF_ETD_DATA_SIZE;
	struct esf_window *window = site->recent;
	/* Before the window's start it is beyond all that any window is long. */
	uint64_t start_us = ((uint64_t)time - (uint64_t)way->start) / 1000;

	if (esf_short_take_record(
	        shard, way, site->rules, window, esf_accs_of(&shard->accs, window), start_us, at)) {
		at += ESF_ETD_DATA_SIZE;
		if (at != end)
			at = esf_short_take_run(shard, site, start_us, at, end);
	}
	site->usual_records += count;
	if (__builtin_expect(at != end, 0))
		esf_short_take_rest(shard, site, at, end, time);
}

/* How many records the datagram has, which is taken; 0: it is not. site: whose id stands in it, and
 * this shard's own. */
static inline __attribute__((always_inline)) uint32_t esf_short_take(struct esf_shard *shard,
    const struct esf_short *way, const uint8_t *data, uint32_t size, struct esf_site *site,
    int64_t now, int64_t arrival)
{
	const uint8_t *records = data + ESF_ETD_HEADER_SIZE;
	const struct esf_storm_limits *limits = way->limits;
	uint64_t head, life, spent;
	int64_t time;
	uint32_t count;
	bool slot_is_over;

	if (size < ESF_ETD_HEADER_SIZE + ESF_ETD_DATA_SIZE)
		return 0;
	head = esf_short_load(data);
	life = esf_short_load(data + ESF_ETD_AT_BOOT);
	time = (int64_t)esf_short_load(data + ESF_ETD_AT_TIME);
	count = (uint32_t)(head >> 48);
	if (!esf_short_header(head, size) || time < 0 || !esf_short_all_good(records, count))
		return 0;
	if (life != site->next_life ||
	    (uint32_t)(esf_short_load(data + ESF_ETD_AT_SITE) >> 32) != site->stream ||
	    site->next_count == 0)
		return 0;
	slot_is_over = esf_storm_slot_is_over(&site->storm, now);
	if (__builtin_expect(slot_is_over, 0) && !esf_short_is_calm(limits, &site->storm))
		return 0;
	spent = esf_short_spent(limits, &site->storm, now);
	if (spent > limits->burst)
		return 0;
	if (__builtin_expect(site->turn != way->turn, 0) && !esf_short_renew(shard, site))
		return 0;

	site->next_life = life + (UINT64_C(1) << 32);
	site->next_count--;
	if (__builtin_expect(slot_is_over, 0))
		esf_storm_site_start_slot(&site->storm, now);
	site->storm.offered++;
	site->storm.refilled = now;
	site->storm.spent = spent;
	site->last_seen = arrival;
	site->left = false;
	if (__builtin_expect(arrival >= site->skew.until, 0))
		esf_short_learn(site, time, arrival);
	else if (time - arrival > site->skew.best)
		site->skew.best = time - arrival;
	site->usual_datagrams++;
	esf_short_take_records(shard, way, site, records, count, time);
	return count;
}

#endif

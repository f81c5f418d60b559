/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ESF_TESTS_PLANE_FIXTURE_H
#define ESF_TESTS_PLANE_FIXTURE_H

/*
 * A plane of one to three shards with four sites and four rules, run by the calling thread with
 * explicit clocks, and ETD datagrams put together byte by byte. Shards hand over through a bounded
 * queue that the test takes from when it likes.
 */

#include <urcu-qsbr.h>

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "dataplane/shard.h"
#include "frame_bytes.h"
#include "pattern_sets.h"

enum {
	ETD_PORT = 47700,
	INFLUX_PORT = 8089,
	STATSD_PORT = 8125,
	SYSLOG_PORT = 5514,
	SITES_SPARE = 3, /* that may be learned */
	SITES_COUNT = 4, /* ids 1..4, names n-1..n-4; datagrams come from n-1's address */
	QUEUE_MAX = 64,
};

/* What the rules lead to. */
enum { GAUGE, SCALED, COUNTER, BORN, MEASURES_COUNT };

#define SECOND INT64_C(1000000000)
#define WINDOW (10 * SECOND)
#define T0 (INT64_C(1700000000) * SECOND) /* a window's start */
#define BOOT 1699999000u
#define SKEW (60 * SECOND)

struct queued {
	struct esf_parcel parcel;
	uint8_t payload[1024];
};

struct queue {
	struct queued items[QUEUE_MAX];
	uint32_t count;
	uint32_t room; /* at most QUEUE_MAX */
};

struct fixture {
	struct esf_plane *plane;
	struct esf_policy *policy;
	uint32_t shards_count;
	struct queue inbox[3];
	int64_t now;
};

static const uint8_t fixture_key[16] BYTES_UNUSED = { 5, 5, 5 };

static inline struct esf_ruleset *fixture_rules(uint32_t first, uint32_t count)
{
	static const char *const patterns[] = { "^t\\.gauge$", "^t\\.scaled$", "^t\\.count$",
		"^t\\.born$" };
	const struct esf_rule rules[] = {
		{ .scale = 1, .min = -100, .max = 100, .kpi = GAUGE },
		{ .scale = 2, .offset = 10, .min = -INFINITY, .max = INFINITY, .kpi = SCALED },
		{ .scale = 1, .min = 0, .max = INFINITY, .kpi = COUNTER, .type = ESF_RULE_COUNTER },
		{ .scale = 1, .min = 0, .max = INFINITY, .kpi = BORN, .type = ESF_RULE_AS_BORN },
	};
	struct esf_ruleset *set = NULL;
	char message[128];
	uint32_t bad;
	int result = ruleset_create(
	    patterns + first, rules + first, count, 3, &set, &bad, message, sizeof(message));

	assert(result == 0);
	(void)result;
	return set;
}

static inline struct esf_policy *fixture_policy(uint32_t first_rule, uint32_t rules_count)
{
	static const char *const names[SITES_COUNT] = { "n-1", "n-2", "n-3", "n-4" };
	static uint32_t policies;
	struct esf_policy *policy = calloc(1, sizeof(*policy));
	struct esf_address sender = esf_address_from_ipv4(peer_ipv4);
	struct esf_directory_site sites[SITES_COUNT];

	for (uint32_t i = 0; i < SITES_COUNT; i++)
		sites[i] = (struct esf_directory_site){
			.id = i + 1,
			.name = names[i],
			.addresses_count = i == 0,
			.addresses = &sender,
		};
	policy->revision = ++policies;
	policy->rules_generation = policies;
	policy->listeners[0] =
	    (struct esf_listener){ .udp_port = ETD_PORT, .format = ESF_LISTENER_ETD };
	policy->listeners[1] = (struct esf_listener){ .udp_port = INFLUX_PORT,
		.format = ESF_LISTENER_INFLUX,
		.site_tag = "site",
		.precision_ns = SECOND };
	policy->listeners[2] = (struct esf_listener){
		.udp_port = STATSD_PORT, .format = ESF_LISTENER_STATSD, .site_tag = "site"
	};
	policy->listeners[3] =
	    (struct esf_listener){ .udp_port = SYSLOG_PORT, .format = ESF_LISTENER_SYSLOG };
	policy->listeners_count = 4;
	policy->listener_at[ETD_PORT] = 1;
	policy->listener_at[SYSLOG_PORT] = 4;
	policy->listener_at[STATSD_PORT] = 3;
	policy->listener_at[INFLUX_PORT] = 2;
	policy->directory = esf_directory_create(sites, SITES_COUNT, fixture_key);
	policy->rules = fixture_rules(first_rule, rules_count);
	policy->max_skew_ns = SKEW;
	policy->line_window_ns = 60 * SECOND;
	policy->storm = esf_storm_limits(1000000000, 1000000000, 1000000000, 999999999, SECOND);
	return policy;
}

static inline void fixture_policy_free(struct esf_policy *policy)
{
	esf_directory_destroy((struct esf_directory *)policy->directory);
	esf_ruleset_destroy((struct esf_ruleset *)policy->rules);
	free(policy);
}

static inline bool fixture_hand_over(void *context, uint32_t from, uint32_t to,
    const struct esf_parcel *parcel, const uint8_t *payload, bool storms)
{
	struct fixture *f = context;
	struct queue *queue = &f->inbox[to];
	uint32_t room = storms ? queue->room / 2 : queue->room;

	assert(from != to && to < f->shards_count);
	(void)from;
	if (queue->count >= room || parcel->size > sizeof(queue->items[0].payload))
		return false;
	queue->items[queue->count].parcel = *parcel;
	memcpy(queue->items[queue->count++].payload, payload, parcel->size);
	return true;
}

static inline struct esf_plane_options fixture_options(uint32_t shards_count)
{
	return (struct esf_plane_options){
		.sites_count = SITES_COUNT + SITES_SPARE,
		.listed_count = SITES_COUNT,
		.measures_count = MEASURES_COUNT,
		.shards_count = shards_count,
		.window_ns = WINDOW,
		.windows_open = 3,
		.max_skew_ns = SKEW,
		.epoch_ns = SECOND,
		.sequence_window = 64,
		.lines_remembered = 64,
		.owner_is_receiver = true,
		.owners = (UINT64_C(1) << shards_count) - 1,
	};
}

static inline void fixture_start_with(struct fixture *f, const struct esf_plane_options *options)
{
	int result = esf_plane_create(options, &f->plane);

	assert(result == 0);
	(void)result;
	f->shards_count = options->shards_count;
	f->policy = fixture_policy(0, MEASURES_COUNT);
	f->now = 0;
	esf_plane_set_policy(f->plane, f->policy);
	for (uint32_t i = 0; i < f->shards_count; i++) {
		f->inbox[i].count = 0;
		f->inbox[i].room = QUEUE_MAX;
		if (f->shards_count > 1)
			esf_shard_set_hand_over(esf_plane_shard(f->plane, i), fixture_hand_over, f);
	}
	rcu_register_thread();
}

static inline void fixture_start(struct fixture *f, uint32_t shards_count)
{
	struct esf_plane_options options = fixture_options(shards_count);

	fixture_start_with(f, &options);
}

static inline bool site_ledger_balances(const struct esf_site_ledger *ledger)
{
	uint64_t datagrams = 0, records = 0;

	for (int i = 0; i < ESF_SITE_DATAGRAMS_COUNT; i++)
		datagrams += ledger->datagrams[i];
	for (int i = 0; i < ESF_RECORD_VERDICTS_COUNT; i++)
		records += ledger->records[i];
	return datagrams == ledger->datagrams_received && records == ledger->records_received;
}

/* Every shard's ledger, their sum and every published site's balance. */
static inline bool fixture_balances(const struct fixture *f)
{
	struct esf_ledger sum;
	bool balanced = true;

	for (uint32_t i = 0; i < f->shards_count; i++)
		balanced =
		    balanced && esf_ledger_balances(esf_shard_ledger(esf_plane_shard(f->plane, i)));
	for (uint32_t i = 0; i < SITES_COUNT + SITES_SPARE; i++) {
		const struct esf_card *card = esf_plane_card(f->plane, i);

		balanced = balanced && (card == NULL || site_ledger_balances(&card->ledger));
	}
	esf_plane_ledger(f->plane, &sum);
	return balanced && esf_ledger_balances(&sum);
}

static inline void fixture_begin(struct fixture *f, uint32_t shard, int64_t now)
{
	f->now = now;
	esf_shard_begin(esf_plane_shard(f->plane, shard), now);
}

static inline void fixture_end(struct fixture *f, uint32_t shard)
{
	esf_shard_end(esf_plane_shard(f->plane, shard));
	rcu_quiescent_state();
}

/* A datagram as a frame from the wire. */
static inline void fixture_receive(
    struct fixture *f, uint32_t shard, unsigned port, const void *payload, uint32_t size)
{
	static const struct esf_frame_addresses any;
	struct bytes b = { .size = 0 };
	struct esf_packet packet = { .data = b.data };

	put_ether(&b, 0, 0x0800);
	put_ipv4(&b, 0, 17, 8 + size);
	put16(&b, 5555);
	put16(&b, port);
	put16(&b, 8 + size);
	put16(&b, 0); /* no checksum */
	put(&b, payload, size);
	packet.size = b.size;
	esf_shard_receive(esf_plane_shard(f->plane, shard), &any, &packet, 1);
}

/* A whole pass with one datagram. */
static inline void fixture_pass(struct fixture *f, uint32_t shard, int64_t now, unsigned port,
    const void *payload, uint32_t size)
{
	fixture_begin(f, shard, now);
	fixture_receive(f, shard, port, payload, size);
	fixture_end(f, shard);
}

static inline void fixture_lines(struct fixture *f, uint32_t shard, int64_t now, const char *lines)
{
	fixture_pass(f, shard, now, INFLUX_PORT, lines, (uint32_t)strlen(lines));
}

/* What is in a queue, in batches of all sizes. */
static inline void fixture_take_queued(struct fixture *f, uint32_t shard, const struct queue *queue)
{
	const struct esf_parcel *parcels[ESF_PARCELS_MAX];
	const uint8_t *payloads[ESF_PARCELS_MAX];
	uint32_t few = 0, batch = 1;

	for (uint32_t i = 0; i < queue->count; i++) {
		parcels[few] = &queue->items[i].parcel;
		payloads[few++] = queue->items[i].payload;
		if (few < batch && i + 1 < queue->count)
			continue;
		esf_shard_take(esf_plane_shard(f->plane, shard), parcels, payloads, few);
		batch = batch % ESF_PARCELS_MAX + 1;
		few = 0;
	}
}

/* A pass of a shard that takes all that was handed to it. */
static inline void fixture_take(struct fixture *f, uint32_t shard, int64_t now)
{
	struct queue *queue = &f->inbox[shard];

	fixture_begin(f, shard, now);
	fixture_take_queued(f, shard, queue);
	queue->count = 0;
	fixture_end(f, shard);
}

static inline void fixture_publish(struct fixture *f)
{
	for (uint32_t i = 0; i < f->shards_count; i++)
		esf_shard_publish(esf_plane_shard(f->plane, i));
}

/* What was retired goes back to its pools: in publications, a grace period after one that sealed
 * it. */
static inline void fixture_mature(struct fixture *f)
{
	for (uint32_t i = 0; i < 3; i++) {
		rcu_barrier();
		fixture_publish(f);
	}
}

/* Takes all that is under way, publishes; whether all of it was accounted for. */
static inline bool fixture_stop(struct fixture *f)
{
	struct esf_ledger sum;
	bool balanced;

	for (uint32_t i = 0; i < f->shards_count; i++)
		if (f->inbox[i].count > 0)
			fixture_take(f, i, f->now);
	fixture_publish(f);
	balanced = fixture_balances(f);
	esf_plane_ledger(f->plane, &sum);
	balanced = balanced && sum.datagrams_handed == sum.datagrams_taken;
	rcu_barrier();
	esf_plane_destroy(f->plane);
	fixture_policy_free(f->policy);
	rcu_unregister_thread();
	return balanced;
}

static inline uint64_t datagrams(
    const struct fixture *f, uint32_t shard, enum esf_datagram_verdict verdict)
{
	return esf_shard_ledger(esf_plane_shard(f->plane, shard))->datagrams[verdict];
}

static inline uint64_t records(
    const struct fixture *f, uint32_t shard, enum esf_record_verdict verdict)
{
	return esf_shard_ledger(esf_plane_shard(f->plane, shard))->records[verdict];
}

static inline void put_le(struct bytes *b, uint64_t value, uint32_t size)
{
	for (uint32_t i = 0; i < size; i++)
		put8(b, (unsigned)(value >> (8 * i)) & 0xff);
}

static inline struct bytes etd(unsigned kind, uint32_t site, uint32_t seq, int64_t time)
{
	struct bytes b = { .size = 0 };

	put(&b, "ETD1", 4);
	put_le(&b, kind, 1);
	put_le(&b, 0, 1);
	put_le(&b, 0, 2);
	put_le(&b, site, 4);
	put_le(&b, 0, 2);
	put_le(&b, 0, 2);
	put_le(&b, BOOT, 4);
	put_le(&b, seq, 4);
	put_le(&b, (uint64_t)time, 8);
	return b;
}

static inline void etd_data(
    struct bytes *b, unsigned alias, unsigned quality, int32_t offset_us, double value)
{
	uint64_t bits;

	memcpy(&bits, &value, sizeof(bits));
	put_le(b, alias, 2);
	put_le(b, quality, 1);
	put_le(b, 0, 1);
	put_le(b, (uint32_t)offset_us, 4);
	put_le(b, bits, 8);
	b->data[6]++;
}

static inline void etd_birth(struct bytes *b, unsigned alias, unsigned type, const char *name)
{
	put_le(b, alias, 2);
	put_le(b, type, 1);
	put_le(b, strlen(name), 1);
	put_le(b, 0, 2);
	put(b, name, (uint32_t)strlen(name));
	b->data[6]++;
}

static inline void etd_event(struct bytes *b, int32_t offset_us, const char *text)
{
	put_le(b, (uint32_t)offset_us, 4);
	put_le(b, 4, 1);
	put_le(b, 1, 1);
	put_le(b, strlen(text), 2);
	put(b, text, (uint32_t)strlen(text));
	b->data[6]++;
}

/* Aliases 0..3 for the four rules, 4 for a name that no rule takes. */
static inline struct bytes etd_births(uint32_t site, uint32_t seq)
{
	static const char *const names[] = { "t.gauge", "t.scaled", "t.count", "t.born", "other" };
	struct bytes b = etd(1, site, seq, T0);

	for (unsigned i = 0; i < 5; i++)
		etd_birth(&b, i, i == BORN, names[i]);
	return b;
}

static inline void fixture_etd(
    struct fixture *f, uint32_t shard, int64_t now, const struct bytes *b)
{
	fixture_pass(f, shard, now, ETD_PORT, b->data, b->size);
}

/* One good gauge of alias 0, sent and received at `now`. */
static inline void fixture_gauge(
    struct fixture *f, uint32_t shard, int64_t now, uint32_t site, uint32_t seq, double value)
{
	struct bytes b = etd(2, site, seq, now);

	etd_data(&b, 0, 0, 0, value);
	fixture_etd(f, shard, now, &b);
}

#endif

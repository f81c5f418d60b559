/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/shard_state.h"

#include <CUnit/CUnit.h>

#include "suites.h"

#include "plane_fixture.h"

/*
 * The short ways of frames and ETD datagrams say what the long ones say. Of datagrams the long way
 * is forced by a policy that asks no site for a seal but has a table to say so.
 */

static struct fixture fixture;
static struct fixture *const f = &fixture;

enum { STEPS = 4000, WINDOWS = 64 };

struct outcome {
	struct esf_ledger ledger;
	struct esf_card cards[SITES_COUNT];
	struct {
		uint32_t accepted, comms_accepted, comms_lost;
		struct esf_acc acc[MEASURES_COUNT];
	} blocks[SITES_COUNT][WINDOWS];
};

static uint64_t state;

static uint32_t below(uint32_t bound)
{
	state = state * UINT64_C(6364136223846793005) + 1442695040888963407u;
	return (uint32_t)((state >> 33) % bound);
}

static bool once_in(uint32_t count)
{
	return below(count) == 0;
}

struct sender {
	uint32_t boot, seq;
};

static double some_value(void)
{
	static const double odd[] = { NAN, INFINITY, -INFINITY, -100, 100, 100.5, 1e308 };

	return once_in(20) ? odd[below(7)] : (double)below(100) / 4;
}

static void put_records(struct bytes *b)
{
	for (uint32_t i = below(6) + !once_in(30); i > 0; i--) {
		unsigned quality = once_in(25) ? below(4) : 0;
		int32_t offset = once_in(10) ? (int32_t)below(60000000) - 40000000 : 0;

		etd_data(b, once_in(15) ? below(40) : below(5), quality, offset, some_value());
	}
}

/* Aliases that mean now this, now that; some say that they tell of the past. */
static struct bytes some_births(uint32_t site, uint32_t seq)
{
	static const char *const names[] = { "t.gauge", "t.scaled", "t.count", "t.born", "other" };
	struct bytes b = etd(1, site, seq, T0);

	for (unsigned i = 0; i < 5; i++) {
		uint32_t name = once_in(3) ? below(5) : i;

		etd_birth(&b, i, name == BORN, names[name]);
	}
	b.data[5] = once_in(3) ? 2 : 0;
	return b;
}

static struct bytes some_kind(uint32_t site, uint32_t seq, int64_t time)
{
	struct bytes b;

	if (once_in(40))
		return some_births(site, seq);
	if (once_in(60))
		return etd(3, site, seq, time);
	b = etd(once_in(40) ? 4 : 2, site, seq, time);
	if (b.data[4] == 4)
		etd_event(&b, 0, "word");
	else
		put_records(&b);
	return b;
}

static uint32_t next_seq(struct sender *sender)
{
	uint32_t chance = below(40);

	if (chance == 0)
		sender->seq += below(100);
	if (chance == 1)
		return sender->seq > 70 ? sender->seq - below(70) : 0;
	if (chance == 2)
		sender->boot++, sender->seq = below(3);
	return ++sender->seq;
}

/* What one bent byte makes of a header: flags, a key, a time beyond the bound, a byte too many. */
static void bend(struct bytes *b)
{
	static const struct {
		uint8_t at, value;
	} bends[] = { { 5, 2 }, { 5, 4 }, { 14, 1 }, { 31, 0x80 }, { 35, 1 }, { 0, 'X' }, { 4, 9 },
		{ 6, 77 } };
	uint32_t i = below(9);

	if (i == 8)
		put8(b, 0);
	else if (bends[i].at < b->size)
		b->data[bends[i].at] = bends[i].value;
}

static void send_some(struct sender senders[SITES_COUNT][2], int64_t now)
{
	uint32_t site = below(SITES_COUNT), stream = once_in(12);
	struct sender *sender = &senders[site][stream];
	int64_t time = now + (once_in(20) ? (int64_t)below(90) * SECOND - 40 * SECOND : 0);
	uint32_t seq = next_seq(sender);
	struct bytes b = some_kind(site + 1, seq, time);

	b.data[12] = (uint8_t)stream;
	b.data[16] = (uint8_t)(BOOT + sender->boot);
	if (once_in(30))
		bend(&b);
	fixture_etd(f, 0, now, &b);
}

static void keep(struct outcome *out)
{
	memset(out, 0, sizeof(*out));
	esf_plane_ledger(f->plane, &out->ledger);
	for (uint32_t site = 0; site < SITES_COUNT; site++) {
		const struct esf_card *card = esf_plane_card(f->plane, site);

		if (card != NULL) {
			out->cards[site].ledger = card->ledger;
			out->cards[site].lost = card->lost;
			out->cards[site].last_seen = card->last_seen;
			out->cards[site].clock_offset = card->clock_offset;
			out->cards[site].left = card->left;
			out->cards[site].storms = card->storms;
			out->cards[site].streams = card->streams;
		}
		for (int64_t w = 0; w < WINDOWS; w++) {
			const struct esf_block *block =
			    esf_plane_block(f->plane, site, T0 / WINDOW - 8 + w);

			if (block == NULL)
				continue;
			out->blocks[site][w].accepted = block->accepted;
			out->blocks[site][w].comms_accepted = block->comms_accepted;
			out->blocks[site][w].comms_lost = block->comms_lost;
			for (uint32_t m = 0; m < MEASURES_COUNT; m++)
				out->blocks[site][w].acc[m] = *esf_block_acc(block, m);
		}
	}
}

static const bool nobody[SITES_COUNT + SITES_SPARE];

/* Other rules, of which the first one may be gone. */
static void swap_rules(bool long_way)
{
	struct esf_policy *former = f->policy;

	f->policy = fixture_policy(below(2), MEASURES_COUNT - 1);
	f->policy->require_seal = long_way ? nobody : NULL;
	f->policy->storm = former->storm;
	esf_plane_set_policy(f->plane, f->policy);
	rcu_thread_offline();
	synchronize_rcu();
	rcu_thread_online();
	fixture_policy_free(former);
}

/* Full, as most of the time, or not. */
static void change_mode(void)
{
	struct esf_intake *intake = &f->policy->intake;

	intake->mode = once_in(3) ? ESF_MODE_DEVIATION : ESF_MODE_FULL;
	intake->band = 0.01;
	intake->max_silence_ns = 60 * SECOND;
}

/* Returns how many datagrams left the site with some that went the short way and are yet to be
 * added up. */
static uint32_t play(uint64_t seed, bool long_way, struct outcome *out)
{
	uint32_t short_ones = 0;
	struct sender senders[SITES_COUNT][2] = { 0 };
	int64_t now = T0;

	state = seed;
	fixture_start(f, 1);
	f->policy->require_seal = long_way ? nobody : NULL;
	if (seed % 3 == 0)
		f->policy->storm = esf_storm_limits(20, 30, 1000000000, 999999999, SECOND);
	for (uint32_t i = 0; i < STEPS; i++) {
		send_some(senders, now);
		for (uint32_t site = 0; site < SITES_COUNT; site++)
			short_ones += f->plane->sites[site].usual_datagrams > 0;
		if (seed % 2 == 0 && once_in(500))
			swap_rules(long_way);
		if (seed % 5 == 0 && once_in(300))
			change_mode();
		if (once_in(200))
			esf_plane_consume(f->plane, now / WINDOW - 6);
		now += once_in(100) ? below(12) * SECOND / 4 : below(5000000);
	}
	fixture_publish(f);
	keep(out);
	CU_ASSERT(fixture_stop(f));
	return short_ones;
}

static void short_way_of_datagrams_counts_what_the_long_one_counts(void)
{
	static struct outcome one, other;

	for (uint64_t seed = 1; seed <= 30; seed++) {
		CU_ASSERT(play(seed, false, &one) > STEPS);
		CU_ASSERT_EQUAL(play(seed, true, &other), 0);
		CU_ASSERT_EQUAL(memcmp(&one.ledger, &other.ledger, sizeof(one.ledger)), 0);
		CU_ASSERT_EQUAL(memcmp(one.cards, other.cards, sizeof(one.cards)), 0);
		CU_ASSERT_EQUAL(memcmp(one.blocks, other.blocks, sizeof(one.blocks)), 0);
		CU_ASSERT(one.ledger.records[ESF_RECORD_ACCEPTED] > STEPS / 2);
	}
}

/* The last number there is leads to no next one. */
static void last_number_of_a_life_stays_taken(void)
{
	for (uint32_t boot = 0; boot < 2; boot++) {
		fixture_start(f, 1);
		for (uint32_t pass = 0; pass < 2; pass++)
			for (uint32_t back = 6; back > 0; back--) {
				struct bytes b = etd(2, 1, UINT32_MAX - back + 1, T0);

				memset(b.data + 16, 0, 4);
				b.data[16] = (uint8_t)boot;
				etd_data(&b, 0, 0, 0, 1);
				fixture_etd(f, 0, T0, &b);
			}
		CU_ASSERT_EQUAL(datagrams(f, 0, ESF_DATAGRAM_ACCEPTED), 6);
		CU_ASSERT_EQUAL(datagrams(f, 0, ESF_DATAGRAM_DUPLICATE), 6);
		CU_ASSERT(fixture_stop(f));
	}
}

void esf_suite_take_short(void)
{
	CU_pSuite suite = CU_add_suite("the short way of ETD datagrams", NULL, NULL);

	CU_ADD_TEST(suite, short_way_of_datagrams_counts_what_the_long_one_counts);
	CU_ADD_TEST(suite, last_number_of_a_life_stays_taken);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "plane_fixture.h"

#include <CUnit/CUnit.h>

#include "suites.h"

/*
 * Storms through whole shards: what passes, what is shed and what becomes of it. Sites may send
 * 10/s and hold 20 tokens; a storm is held for 2 s.
 */
enum { RATE = 10, BURST = 20 };

static struct fixture fixture, *const f = &fixture;

static void start_with(const struct esf_plane_options *options)
{
	fixture_start_with(f, options);
	f->policy->storm = esf_storm_limits(RATE, BURST, 1000000000, 999999999, 2 * SECOND);
}

static void start(uint32_t shards_count)
{
	struct esf_plane_options options = fixture_options(shards_count);

	start_with(&options);
}

static const struct esf_card *card(uint32_t site)
{
	fixture_publish(f);
	return esf_plane_card(f->plane, site);
}

static uint64_t shed(uint32_t shard, enum esf_shed_class class)
{
	return esf_shard_ledger(esf_plane_shard(f->plane, shard))->shed[class];
}

/* Gauges of one site with the numbers from seq on, all at once. */
static void send_gauges(uint32_t shard, int64_t now, uint32_t site, uint32_t seq, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		fixture_gauge(f, shard, now, site, seq + i, 1);
}

enum { NEXT_SEQ = 32, AT_ONCE = 31 };

/*
 * A birth and 30 gauges at T0, numbers 1..31, all pass: no slot was judged yet, and they leave the
 * bucket empty. The storm begins with what comes a second later, when the bucket holds RATE.
 */
static void send_too_much(uint32_t shard, uint32_t site)
{
	struct bytes births = etd_births(site, 1);

	fixture_etd(f, shard, T0, &births);
	send_gauges(shard, T0, site, 2, AT_ONCE - 1);
	CU_ASSERT_EQUAL(datagrams(f, shard, ESF_DATAGRAM_SHED), 0);
}

static void a_storm_lets_through_what_the_bucket_holds(void)
{
	start(1);
	send_too_much(0, 1);
	CU_ASSERT_FALSE(card(0)->storms);
	send_gauges(0, T0 + SECOND, 1, NEXT_SEQ, 25);
	CU_ASSERT_TRUE(card(0)->storms);
	CU_ASSERT_EQUAL(datagrams(f, 0, ESF_DATAGRAM_ACCEPTED), AT_ONCE + RATE);
	CU_ASSERT_EQUAL(datagrams(f, 0, ESF_DATAGRAM_SHED), 25 - RATE);
	CU_ASSERT_EQUAL(shed(0, ESF_SHED_ETD), 25 - RATE);
	CU_ASSERT_EQUAL(card(0)->ledger.shed[ESF_SHED_ETD], 25 - RATE);
	CU_ASSERT_EQUAL(
	    card(0)->ledger.datagrams[ESF_DATAGRAM_SHED - ESF_SITE_DATAGRAM_FIRST], 25 - RATE);
	CU_ASSERT_EQUAL(records(f, 0, ESF_RECORD_ACCEPTED), AT_ONCE - 1 + RATE);
	send_gauges(0, T0 + SECOND + SECOND / 10, 1, NEXT_SEQ + 25, 2); /* a tenth brings one */
	CU_ASSERT_EQUAL(datagrams(f, 0, ESF_DATAGRAM_SHED), 25 - RATE + 1);
	CU_ASSERT_EQUAL(esf_plane_card(f->plane, 1), NULL);
	CU_ASSERT(fixture_stop(f));
}

static void births_deaths_events_and_messages_pass_in_a_storm(void)
{
	static const char message[] = "<11>1 - n-1 app - - - fault";
	struct bytes birth = etd_births(1, 62), event = etd(ESF_ETD_EVENT, 1, 63, T0);
	struct bytes death = etd(ESF_ETD_DEATH, 1, 64, T0);
	struct esf_event told;

	start(1);
	send_too_much(0, 1);
	send_gauges(0, T0 + SECOND, 1, NEXT_SEQ, 30);
	CU_ASSERT_EQUAL(datagrams(f, 0, ESF_DATAGRAM_SHED), 30 - RATE);
	etd_event(&event, 0, "pump fault");
	fixture_etd(f, 0, T0 + SECOND, &birth);
	fixture_etd(f, 0, T0 + SECOND, &event);
	fixture_etd(f, 0, T0 + SECOND, &death);
	fixture_pass(f, 0, T0 + SECOND, SYSLOG_PORT, message, sizeof(message) - 1);
	CU_ASSERT_EQUAL(datagrams(f, 0, ESF_DATAGRAM_ACCEPTED), AT_ONCE + RATE + 4);
	CU_ASSERT_EQUAL(esf_plane_take_events(f->plane, 0, &told, 1), 1);
	CU_ASSERT_EQUAL(esf_plane_take_events(f->plane, 0, &told, 1), 1);
	CU_ASSERT_EQUAL(datagrams(f, 0, ESF_DATAGRAM_SHED), 30 - RATE);
	send_gauges(0, T0 + SECOND, 1, 65, 1);
	CU_ASSERT_EQUAL(datagrams(f, 0, ESF_DATAGRAM_SHED), 30 - RATE + 1);
	CU_ASSERT(fixture_stop(f));
}

/* The window of sequence numbers holds 64: what was shed has long left it. */
static void what_was_shed_is_seen_and_so_not_lost(void)
{
	start(1);
	send_too_much(0, 1);
	send_gauges(0, T0 + SECOND, 1, NEXT_SEQ, 200);
	CU_ASSERT_EQUAL(datagrams(f, 0, ESF_DATAGRAM_SHED), 200 - RATE);
	send_gauges(0, T0 + SECOND, 1, NEXT_SEQ + 190, 10); /* the copies of what was shed */
	CU_ASSERT_EQUAL(datagrams(f, 0, ESF_DATAGRAM_DUPLICATE), 10);
	CU_ASSERT_EQUAL(datagrams(f, 0, ESF_DATAGRAM_SHED), 200 - RATE);
	CU_ASSERT_EQUAL(shed(0, ESF_SHED_ETD), 200 - RATE);
	send_gauges(0, T0 + 10 * SECOND, 1, NEXT_SEQ + 200, 1);
	CU_ASSERT_EQUAL(card(0)->lost, 0);
	CU_ASSERT(fixture_stop(f));
}

static void numbers_that_a_shed_datagram_skips_are_lost(void)
{
	start(1);
	send_too_much(0, 1);
	send_gauges(0, T0 + SECOND, 1, NEXT_SEQ, RATE);
	send_gauges(0, T0 + SECOND, 1, NEXT_SEQ + RATE + 7, 64);
	CU_ASSERT_EQUAL(datagrams(f, 0, ESF_DATAGRAM_SHED), 64);
	CU_ASSERT_EQUAL(card(0)->lost, 7);
	CU_ASSERT(fixture_stop(f));
}

static void send_lines(uint32_t shard, int64_t now, uint32_t count, const char *lines)
{
	for (uint32_t i = 0; i < count; i++)
		fixture_lines(f, shard, now, lines);
}

static void a_datagram_counts_once_whatever_its_lines(void)
{
	start(1);
	for (uint32_t s = 0; s < 5; s++)
		send_lines(0, T0 + s * SECOND, RATE,
		    "t,site=n-1 gauge=1\nt,site=n-1 gauge=2\nt,site=n-1 gauge=3");
	CU_ASSERT_FALSE(card(0)->storms);
	CU_ASSERT_EQUAL(records(f, 0, ESF_RECORD_ACCEPTED), 5 * RATE * 3);
	CU_ASSERT(fixture_stop(f));
}

/* Both sites send 30 at T0, and at T0 + 1 s, storming, use up what their buckets hold. */
static void exhaust_two_sites(void)
{
	send_lines(0, T0, 30, "t,site=n-1 gauge=1\nt,site=n-2 gauge=1");
	send_lines(0, T0 + SECOND, RATE, "t,site=n-1 gauge=1\nt,site=n-2 gauge=1");
	CU_ASSERT_TRUE(card(0)->storms);
	CU_ASSERT_TRUE(card(1)->storms);
	CU_ASSERT_EQUAL(datagrams(f, 0, ESF_DATAGRAM_ACCEPTED), 40);
	CU_ASSERT_EQUAL(shed(0, ESF_SHED_INFLUX), 0);
}

static void lines_of_one_site_share_its_fate_beside_others(void)
{
	start(1);
	exhaust_two_sites();
	fixture_lines(f, 0, T0 + SECOND,
	    "t,site=n-1 gauge=1\nt,site=n-3 gauge=1\nt,site=n-1 gauge=2,scaled=1\n"
	    "t,site=n-1 gauge=3");
	CU_ASSERT_EQUAL(datagrams(f, 0, ESF_DATAGRAM_ACCEPTED), 41);
	CU_ASSERT_EQUAL(records(f, 0, ESF_RECORD_SHED), 3); /* one for each line, as all refused */
	CU_ASSERT_EQUAL(records(f, 0, ESF_RECORD_ACCEPTED), 80 + 1);
	CU_ASSERT_EQUAL(shed(0, ESF_SHED_INFLUX), 1);
	CU_ASSERT_EQUAL(card(0)->ledger.records[ESF_RECORD_SHED], 3);
	CU_ASSERT_EQUAL(card(0)->ledger.datagrams_received, 40);
	CU_ASSERT_EQUAL(
	    card(2)->ledger.datagrams[ESF_DATAGRAM_ACCEPTED - ESF_SITE_DATAGRAM_FIRST], 1);
	CU_ASSERT(fixture_stop(f));
}

static void a_datagram_all_of_whose_lines_are_shed_has_no_records(void)
{
	start(1);
	exhaust_two_sites();
	fixture_lines(f, 0, T0 + SECOND, "t,site=n-1 gauge=1\nbad\nt,site=n-2 gauge=1");
	CU_ASSERT_EQUAL(datagrams(f, 0, ESF_DATAGRAM_SHED), 1);
	CU_ASSERT_EQUAL(shed(0, ESF_SHED_INFLUX), 2); /* of each site one */
	CU_ASSERT_EQUAL(card(0)->ledger.datagrams[ESF_DATAGRAM_SHED - ESF_SITE_DATAGRAM_FIRST], 1);
	CU_ASSERT_EQUAL(card(1)->ledger.datagrams[ESF_DATAGRAM_SHED - ESF_SITE_DATAGRAM_FIRST], 1);
	fixture_pass(f, 0, T0 + SECOND, STATSD_PORT, "t.gauge:1|g|#site:n-1", 21);
	CU_ASSERT_EQUAL(datagrams(f, 0, ESF_DATAGRAM_SHED), 2);
	CU_ASSERT_EQUAL(shed(0, ESF_SHED_STATSD), 1);
	CU_ASSERT_EQUAL(esf_shard_ledger(esf_plane_shard(f->plane, 0))->records_received, 80);
	CU_ASSERT(fixture_stop(f));
}

/* Its fingerprint stays: a redundant copy can't be counted once the storm is over. */
static void a_line_that_was_shed_is_duplicate_when_it_comes_again(void)
{
	static const char line[] = "t,site=n-1 gauge=1 1700000000";

	start(1);
	exhaust_two_sites();
	fixture_lines(f, 0, T0 + SECOND, line);
	CU_ASSERT_EQUAL(datagrams(f, 0, ESF_DATAGRAM_SHED), 1);
	fixture_lines(f, 0, T0 + SECOND, line);
	fixture_lines(f, 0, T0 + 9 * SECOND, line);
	CU_ASSERT_EQUAL(datagrams(f, 0, ESF_DATAGRAM_SHED), 1);
	CU_ASSERT_EQUAL(datagrams(f, 0, ESF_DATAGRAM_DUPLICATE), 2);
	CU_ASSERT(fixture_stop(f));
}

/* n-1 and n-2 are shard 0's; their datagrams come to shard 1, and shard 0 is slow to take them. */
static void half_of_an_inbox_is_left_to_quiet_sites(void)
{
	struct bytes births = etd_births(2, 1);

	start(2);
	fixture_etd(f, 0, T0, &births);
	send_too_much(0, 1);
	send_gauges(0, T0 + SECOND, 1, NEXT_SEQ, RATE);
	f->inbox[0].room = 8;
	send_gauges(1, T0 + SECOND, 1, NEXT_SEQ + RATE, 100);
	CU_ASSERT_EQUAL(f->inbox[0].count, 4);
	CU_ASSERT_EQUAL(datagrams(f, 1, ESF_DATAGRAM_RING_FULL), 96);
	send_gauges(1, T0 + SECOND, 2, 2, 4);
	CU_ASSERT_EQUAL(f->inbox[0].count, 8);
	CU_ASSERT_EQUAL(datagrams(f, 1, ESF_DATAGRAM_RING_FULL), 96);
	fixture_take(f, 0, T0 + SECOND);
	CU_ASSERT_EQUAL(datagrams(f, 0, ESF_DATAGRAM_SHED), 4);
	CU_ASSERT_EQUAL(
	    card(1)->ledger.datagrams[ESF_DATAGRAM_ACCEPTED - ESF_SITE_DATAGRAM_FIRST], 5);
	CU_ASSERT(fixture_stop(f));
}

static void handed_lines_are_shed_by_their_owner(void)
{
	start(2);
	fixture_lines(f, 1, T0, "t,site=n-3 gauge=1");
	exhaust_two_sites();
	fixture_lines(
	    f, 1, T0 + SECOND, "t,site=n-1 gauge=1\nt,site=n-3 gauge=1\nt,site=n-1 gauge=1");
	CU_ASSERT_EQUAL(f->inbox[0].count, 2);
	fixture_take(f, 0, T0 + SECOND);
	CU_ASSERT_EQUAL(datagrams(f, 1, ESF_DATAGRAM_ACCEPTED), 2);
	CU_ASSERT_EQUAL(records(f, 0, ESF_RECORD_SHED), 2);
	CU_ASSERT_EQUAL(shed(0, ESF_SHED_INFLUX), 1);
	/* and a whole datagram, which is then no record of anybody's */
	fixture_lines(f, 1, T0 + SECOND, "t,site=n-1 gauge=1\nt,site=n-2 gauge=1");
	fixture_take(f, 0, T0 + SECOND);
	CU_ASSERT_EQUAL(datagrams(f, 0, ESF_DATAGRAM_SHED), 1);
	CU_ASSERT_EQUAL(records(f, 0, ESF_RECORD_SHED), 2);
	CU_ASSERT(fixture_stop(f));
}

/* Published only in the first pass, were it not for the storm's end. */
static void the_end_of_a_storm_is_published_in_its_pass(void)
{
	struct esf_plane_options options = fixture_options(1);
	const struct esf_block *block;

	options.epoch_ns = 1000 * SECOND;
	start_with(&options);
	send_too_much(0, 1);
	send_gauges(0, T0 + SECOND, 1, NEXT_SEQ, 15);
	send_gauges(0, T0 + 2 * SECOND, 1, NEXT_SEQ + 15, 1);
	send_gauges(0, T0 + 3 * SECOND - 1, 1, NEXT_SEQ + 16, 1);
	CU_ASSERT_EQUAL(esf_plane_card(f->plane, 0)->ledger.datagrams_received, 1);
	/* 15 in [T0 + 1 s, T0 + 2 s) were above the rate: it ends 2 s behind that slot */
	send_gauges(0, T0 + 4 * SECOND - 1, 1, NEXT_SEQ + 17, 1);
	CU_ASSERT_EQUAL(esf_plane_card(f->plane, 0)->ledger.datagrams_received, 1);
	send_gauges(0, T0 + 5 * SECOND - 1, 1, NEXT_SEQ + 18, 1);
	CU_ASSERT_EQUAL(esf_plane_card(f->plane, 0)->ledger.datagrams_received, AT_ONCE + 19);
	CU_ASSERT_FALSE(esf_plane_card(f->plane, 0)->storms);
	block = esf_plane_block(f->plane, 0, T0 / WINDOW);
	CU_ASSERT_PTR_NOT_NULL_FATAL(block);
	CU_ASSERT_EQUAL(block->accepted, AT_ONCE - 1 + RATE + 4);
	CU_ASSERT(fixture_stop(f));
}

static void a_site_that_falls_silent_leaves_its_storm_at_an_epoch(void)
{
	start(1);
	send_too_much(0, 1);
	send_gauges(0, T0 + SECOND, 1, NEXT_SEQ, RATE);
	for (uint32_t s = 2; s < 4; s++) {
		fixture_begin(f, 0, T0 + s * SECOND);
		fixture_end(f, 0);
		CU_ASSERT_EQUAL(esf_plane_card(f->plane, 0)->storms, s < 3);
	}
	CU_ASSERT(fixture_stop(f));
}

/*
 * Four sites send 5/s each, all at once, with buckets of 2: none storms, together they are above
 * 15/s. The fleet's rate is read once a second, and one site alone is below 10/s.
 */
static void every_bucket_is_enforced_while_the_fleet_storms(void)
{
	static const uint64_t shed_by_second[] = { 0, 12, 15, 18, 18, 18 };
	uint32_t seq = 1;

	start(1);
	f->policy->storm = esf_storm_limits(10, 2, 15, 10, 2 * SECOND);
	for (uint32_t s = 0; s < 6; s++, seq += 5) {
		for (uint32_t site = 1; site <= (s < 2 ? 4 : 1); site++)
			send_gauges(0, T0 + s * SECOND, site, seq, 5);
		CU_ASSERT_EQUAL(datagrams(f, 0, ESF_DATAGRAM_SHED), shed_by_second[s]);
		CU_ASSERT_EQUAL(esf_plane_fleet_storms(f->plane), s >= 1 && s < 4);
		CU_ASSERT_FALSE(card(0)->storms);
	}
	CU_ASSERT(fixture_stop(f));
}

enum {
	MANY = 1000,
	STEPS = 100, /* of a tenth of a second, one window in all */
	FACTOR = 100,
	BATCH = 20, /* sites between two datagrams of the storm and the next two */
};

static void list_many(struct esf_policy *policy)
{
	static struct esf_directory_site sites[MANY];
	static char names[MANY][8];

	for (uint32_t i = 0; i < MANY; i++) {
		snprintf(names[i], sizeof(names[i]), "m-%u", i + 1);
		sites[i] = (struct esf_directory_site){ .id = i + 1, .name = names[i] };
	}
	esf_directory_destroy((struct esf_directory *)policy->directory);
	policy->directory = esf_directory_create(sites, MANY, fixture_key);
}

/* Two paths: of each site every other datagram comes to the shard that does not own it. */
static void send_one(int64_t now, uint32_t site, uint32_t seq)
{
	fixture_gauge(f, (site + seq) % 2, now, site, seq, 1);
}

static void send_step(uint32_t step, uint32_t *storm_seq)
{
	int64_t now = T0 + step * (SECOND / 10);

	for (uint32_t site = 2; site <= MANY; site++) {
		send_one(now, site, 2 + step);
		if (site % BATCH != 0)
			continue;
		for (uint32_t i = 0; i < FACTOR * BATCH / MANY; i++)
			send_one(now, 1, (*storm_seq)++);
		fixture_take(f, 0, now);
		fixture_take(f, 1, now);
	}
	rcu_barrier(); /* the clock is faster than grace periods, and pools hold for those */
}

/*
 * The one: a birth and FACTOR gauges a tenth of a second, all of which pass in the first second;
 * then what a tenth of a second brings to its bucket, which is one. The others send a birth and
 * RATE a second, and every one counts.
 */
static void one_site_at_100_times_its_rate_costs_999_others_nothing(void)
{
	struct esf_plane_options options = fixture_options(2);
	const uint64_t accepted = 1 + 10 * FACTOR + (STEPS - 10);
	uint32_t storm_seq = 2, wrong = 0;

	options.sites_count = MANY;
	options.listed_count = MANY;
	start_with(&options);
	f->policy->storm = esf_storm_limits(RATE, RATE, 1000000000, 999999999, 2 * SECOND);
	list_many(f->policy);
	for (uint32_t site = 1; site <= MANY; site++) {
		struct bytes births = etd_births(site, 1);

		fixture_etd(f, (site + 1) % 2, T0 - SECOND, &births);
	}
	for (uint32_t step = 0; step < STEPS; step++)
		send_step(step, &storm_seq);
	CU_ASSERT_EQUAL(storm_seq, 2 + FACTOR * STEPS);
	fixture_mature(f);
	for (uint32_t i = 1; i < MANY; i++) {
		const struct esf_card *other = esf_plane_card(f->plane, i);
		const struct esf_block *block = esf_plane_block(f->plane, i, T0 / WINDOW);

		wrong += other == NULL || block == NULL || other->storms || other->lost != 0 ||
		         other->ledger.datagrams[ESF_DATAGRAM_ACCEPTED - ESF_SITE_DATAGRAM_FIRST] !=
		             1 + STEPS ||
		         other->ledger.datagrams_received != 1 + STEPS ||
		         esf_block_acc(block, GAUGE)->good != STEPS;
	}
	CU_ASSERT_EQUAL(wrong, 0);
	CU_ASSERT_TRUE(esf_plane_card(f->plane, 0)->storms);
	CU_ASSERT_EQUAL(esf_plane_card(f->plane, 0)->lost, 0);
	CU_ASSERT_EQUAL(esf_plane_card(f->plane, 0)
	                    ->ledger.datagrams[ESF_DATAGRAM_ACCEPTED - ESF_SITE_DATAGRAM_FIRST],
	    accepted);
	CU_ASSERT_EQUAL(
	    esf_plane_card(f->plane, 0)->ledger.shed[ESF_SHED_ETD], 1 + FACTOR * STEPS - accepted);
	for (uint32_t shard = 0; shard < 2; shard++)
		CU_ASSERT_EQUAL(datagrams(f, shard, ESF_DATAGRAM_RING_FULL), 0);
	CU_ASSERT(fixture_stop(f));
}

void esf_suite_shedding(void)
{
	CU_pSuite suite = CU_add_suite("shedding", NULL, NULL);

	CU_ADD_TEST(suite, a_storm_lets_through_what_the_bucket_holds);
	CU_ADD_TEST(suite, births_deaths_events_and_messages_pass_in_a_storm);
	CU_ADD_TEST(suite, what_was_shed_is_seen_and_so_not_lost);
	CU_ADD_TEST(suite, numbers_that_a_shed_datagram_skips_are_lost);
	CU_ADD_TEST(suite, a_datagram_counts_once_whatever_its_lines);
	CU_ADD_TEST(suite, lines_of_one_site_share_its_fate_beside_others);
	CU_ADD_TEST(suite, a_datagram_all_of_whose_lines_are_shed_has_no_records);
	CU_ADD_TEST(suite, a_line_that_was_shed_is_duplicate_when_it_comes_again);
	CU_ADD_TEST(suite, half_of_an_inbox_is_left_to_quiet_sites);
	CU_ADD_TEST(suite, handed_lines_are_shed_by_their_owner);
	CU_ADD_TEST(suite, the_end_of_a_storm_is_published_in_its_pass);
	CU_ADD_TEST(suite, a_site_that_falls_silent_leaves_its_storm_at_an_epoch);
	CU_ADD_TEST(suite, every_bucket_is_enforced_while_the_fleet_storms);
	CU_ADD_TEST(suite, one_site_at_100_times_its_rate_costs_999_others_nothing);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "plane_fixture.h"

#include <CUnit/CUnit.h>

#include "suites.h"

/* Several shards: who owns a site, what is handed over, and that all of it is accounted for. */

static struct fixture fixture, *const f = &fixture;

static struct esf_ledger ledger(uint32_t shard)
{
	return *esf_shard_ledger(esf_plane_shard(f->plane, shard));
}

static const struct esf_card *card(uint32_t site)
{
	fixture_publish(f);
	return esf_plane_card(f->plane, site);
}

static void receiver_of_the_first_datagram_owns_the_site(void)
{
	struct bytes b = etd_births(2, 1);

	fixture_start(f, 3);
	fixture_etd(f, 1, T0, &b);
	CU_ASSERT_EQUAL(esf_plane_owner(f->plane, 1), 1);
	fixture_gauge(f, 2, T0, 2, 2, 5); /* arrives elsewhere: handed over */
	CU_ASSERT_EQUAL(ledger(2).datagrams_handed, 1);
	CU_ASSERT_EQUAL(f->inbox[1].count, 1);
	CU_ASSERT_EQUAL(records(f, 2, ESF_RECORD_ACCEPTED), 0);
	CU_ASSERT(fixture_balances(f));
	fixture_take(f, 1, T0);
	CU_ASSERT_EQUAL(ledger(1).datagrams_taken, 1);
	CU_ASSERT_EQUAL(records(f, 1, ESF_RECORD_ACCEPTED), 1);
	CU_ASSERT_EQUAL(esf_plane_owner(f->plane, 1), 1);
	CU_ASSERT(fixture_stop(f));
}

static void sites_are_spread_over_the_shards_that_may_own(void)
{
	struct esf_plane_options options = fixture_options(3);

	options.owner_is_receiver = false;
	options.owners = 6; /* shard 0 only receives */
	fixture_start_with(f, &options);
	for (uint32_t id = 1; id <= SITES_COUNT; id++) {
		struct bytes b = etd_births(id, 1);

		fixture_etd(f, 0, T0, &b);
	}
	CU_ASSERT_EQUAL(ledger(0).datagrams_handed, SITES_COUNT);
	for (uint32_t i = 0; i < SITES_COUNT; i++)
		CU_ASSERT_EQUAL(esf_plane_owner(f->plane, i), 1 + (int)i % 2);
	fixture_take(f, 1, T0);
	fixture_take(f, 2, T0);
	CU_ASSERT_EQUAL(datagrams(f, 1, ESF_DATAGRAM_ACCEPTED), 2);
	CU_ASSERT_EQUAL(datagrams(f, 2, ESF_DATAGRAM_ACCEPTED), 2);
	CU_ASSERT(fixture_stop(f));
}

/* Refusals that need no site's state are given where the datagram arrives. */
static void what_belongs_to_no_site_stays_where_it_is(void)
{
	struct bytes unknown = etd_births(77, 1);

	fixture_start(f, 2);
	fixture_etd(f, 1, T0, &unknown);
	fixture_pass(f, 1, T0, ETD_PORT, "ETD", 3);
	fixture_lines(f, 1, T0, "t,site=nobody gauge=1");
	fixture_lines(f, 1, T0, "nonsense");
	CU_ASSERT_EQUAL(datagrams(f, 1, ESF_DATAGRAM_UNKNOWN_SITE), 2);
	CU_ASSERT_EQUAL(datagrams(f, 1, ESF_DATAGRAM_MALFORMED), 2);
	CU_ASSERT_EQUAL(f->inbox[0].count, 0);
	CU_ASSERT(fixture_stop(f));
}

static void full_inbox_is_the_datagrams_verdict(void)
{
	struct bytes b = etd_births(1, 1);

	fixture_start(f, 2);
	fixture_etd(f, 0, T0, &b);
	f->inbox[0].room = 2;
	for (uint32_t seq = 2; seq < 7; seq++)
		fixture_gauge(f, 1, T0, 1, seq, 1);
	CU_ASSERT_EQUAL(ledger(1).datagrams_handed, 2);
	CU_ASSERT_EQUAL(datagrams(f, 1, ESF_DATAGRAM_RING_FULL), 3);
	CU_ASSERT(fixture_balances(f));
	CU_ASSERT(fixture_stop(f));
}

/* The giver is still in its pass when the taker has ended its own: the sum says what is certain. */
static void what_was_taken_counts_as_handed_and_received(void)
{
	struct bytes first = etd_births(1, 1), second = etd_births(1, 2);
	struct esf_ledger sum;

	fixture_start(f, 2);
	fixture_etd(f, 0, T0, &first);
	fixture_begin(f, 1, T0);
	fixture_receive(f, 1, ETD_PORT, second.data, second.size);
	fixture_take(f, 0, T0);
	esf_plane_ledger(f->plane, &sum);
	CU_ASSERT_EQUAL(sum.datagrams_received, 2);
	CU_ASSERT_EQUAL(sum.datagrams[ESF_DATAGRAM_ACCEPTED], 2);
	CU_ASSERT_EQUAL(sum.datagrams_taken, 1);
	CU_ASSERT_EQUAL(sum.datagrams_handed, 1);
	CU_ASSERT(esf_ledger_balances(&sum));
	fixture_end(f, 1);
	esf_plane_ledger(f->plane, &sum);
	CU_ASSERT_EQUAL(sum.datagrams_received, 2);
	CU_ASSERT(fixture_stop(f));
}

/* Sites 1 and 2 are shard 0's, 3 and 4 shard 1's. */
static void give_two_sites_to_each(void)
{
	fixture_lines(f, 0, T0, "t,site=n-1 gauge=1\nt,site=n-2 gauge=1");
	fixture_lines(f, 1, T0, "t,site=n-3 gauge=1\nt,site=n-4 gauge=1");
}

static void text_of_one_owner_travels_whole(void)
{
	fixture_start(f, 2);
	give_two_sites_to_each();
	fixture_lines(f, 0, T0, "t,site=n-3 gauge=2\nt,site=n-4 gauge=2\nt,site=n-9 gauge=1\nbad");
	CU_ASSERT_EQUAL(f->inbox[1].count, 1);
	CU_ASSERT_EQUAL(ledger(0).datagrams_handed, 1);
	fixture_take(f, 1, T0);
	CU_ASSERT_EQUAL(datagrams(f, 1, ESF_DATAGRAM_ACCEPTED), 2);
	CU_ASSERT_EQUAL(records(f, 1, ESF_RECORD_ACCEPTED), 4);
	CU_ASSERT_EQUAL(records(f, 1, ESF_RECORD_UNKNOWN_SITE), 1);
	CU_ASSERT_EQUAL(records(f, 1, ESF_RECORD_MALFORMED), 1);
	/* a line without a tag is the sender's, wherever it is taken */
	fixture_lines(f, 1, T0, "t gauge=3");
	fixture_take(f, 0, T0);
	CU_ASSERT_EQUAL(records(f, 0, ESF_RECORD_ACCEPTED), 3);
	CU_ASSERT(fixture_stop(f));
}

static void text_of_several_owners_is_split(void)
{
	fixture_start(f, 2);
	give_two_sites_to_each();
	fixture_lines(f, 0, T0,
	    "t,site=n-1 gauge=2,scaled=1\n"
	    "t,site=n-3 gauge=2,scaled=1\nt,site=n-4 gauge=\"a\"\nt,site=n-3 gauge=4\n"
	    "t,site=n-9 gauge=1\nbad\nt,site=n-3 gauge=5 1700000000\nt,site=n-3 gauge=5 "
	    "1700000000");
	CU_ASSERT_EQUAL(ledger(0).datagrams_handed, 0);
	CU_ASSERT_EQUAL(datagrams(f, 0, ESF_DATAGRAM_ACCEPTED), 2);
	CU_ASSERT_EQUAL(f->inbox[1].count, 5);
	CU_ASSERT_EQUAL(ledger(0).records_received, 2 + 2 + 1 + 1);
	fixture_take(f, 1, T0);
	CU_ASSERT_EQUAL(ledger(1).records_received, 2 + 2 + 1 + 1 + 1 + 1);
	CU_ASSERT_EQUAL(records(f, 1, ESF_RECORD_ACCEPTED), 6);
	CU_ASSERT_EQUAL(records(f, 1, ESF_RECORD_NOT_NUMERIC), 1);
	CU_ASSERT_EQUAL(records(f, 1, ESF_RECORD_DUPLICATE), 1);
	/* however many of its lines were theirs, it is one datagram to each site */
	CU_ASSERT_EQUAL(card(0)->ledger.datagrams_received, 2);
	CU_ASSERT_EQUAL(card(2)->ledger.datagrams_received, 2);
	CU_ASSERT_EQUAL(card(3)->ledger.datagrams_received, 2);
	CU_ASSERT_EQUAL(card(2)->ledger.records_received, 6);
	CU_ASSERT(fixture_stop(f));
}

static void lines_for_a_full_inbox_are_one_record_each(void)
{
	fixture_start(f, 2);
	give_two_sites_to_each();
	f->inbox[1].room = 1;
	fixture_lines(f, 0, T0,
	    "t,site=n-1 gauge=2\nt,site=n-3 gauge=2,scaled=1\nt,site=n-4 gauge=1,scaled=2");
	CU_ASSERT_EQUAL(datagrams(f, 0, ESF_DATAGRAM_ACCEPTED), 2);
	CU_ASSERT_EQUAL(records(f, 0, ESF_RECORD_RING_FULL), 1);
	CU_ASSERT_EQUAL(ledger(0).records_received, 2 + 1 + 1);
	CU_ASSERT(fixture_balances(f));
	CU_ASSERT(fixture_stop(f));
}

/* A line without a time is dated by its arrival, not by when its owner gets to it. */
static void handed_lines_keep_their_arrival(void)
{
	const struct esf_block *block;

	fixture_start(f, 2);
	give_two_sites_to_each();
	fixture_lines(f, 0, T0 + WINDOW - 1, "t,site=n-3 gauge=7");
	fixture_take(f, 1, T0 + WINDOW + SECOND);
	CU_ASSERT_EQUAL(card(2)->last_seen, T0 + WINDOW - 1);
	block = esf_plane_block(f->plane, 2, T0 / WINDOW);
	CU_ASSERT_PTR_NOT_NULL_FATAL(block);
	CU_ASSERT_EQUAL(esf_block_acc(block, GAUGE)->last, 7);
	/* nor by the clock of a pass that began after the owner's */
	fixture_lines(f, 0, T0 + 9 * WINDOW, "t,site=n-3 gauge=8");
	fixture_take(f, 1, T0 + WINDOW + SECOND);
	CU_ASSERT_EQUAL(records(f, 1, ESF_RECORD_FUTURE), 0);
	CU_ASSERT_EQUAL(card(2)->last_seen, T0 + WINDOW + SECOND);
	CU_ASSERT(fixture_stop(f));
}

/* The same lines and datagrams through one shard and, at random, through three. */
static void any_number_of_shards_counts_alike(void)
{
	struct esf_site_ledger ledgers[SITES_COUNT];
	struct esf_acc accs[SITES_COUNT];

	for (uint32_t shards = 1; shards <= 3; shards += 2) {
		unsigned seed = 99;

		fixture_start(f, shards);
		for (uint32_t id = 1; id <= SITES_COUNT; id++) {
			struct bytes b = etd_births(id, 1);

			fixture_etd(f, (uint32_t)rand_r(&seed) % shards, T0, &b);
		}
		seed = 5;
		for (uint32_t i = 0; i < 2000; i++) {
			uint32_t a = (uint32_t)rand_r(&seed), b = (uint32_t)rand_r(&seed);
			char lines[128];

			snprintf(lines, sizeof(lines),
			    "t,site=n-%u gauge=%u\nt,site=n-%u gauge=%u\nt,site=n-%u scaled=1",
			    a % 5 + 1, a % 7, b % 5 + 1, b % 7, a / 64 % 4 + 1);
			fixture_lines(f, b / 64 % shards, T0, lines);
			fixture_gauge(f, a / 8 % shards, T0, b / 8 % 4 + 1, a / 512 % 40 + 2, 1);
			for (uint32_t s = 0; s < shards; s++)
				fixture_take(f, s, T0);
		}
		for (uint32_t i = 0; i < SITES_COUNT; i++) {
			const struct esf_acc *acc;

			CU_ASSERT_PTR_NOT_NULL_FATAL(card(i));
			acc = esf_block_acc(esf_plane_block(f->plane, i, T0 / WINDOW), GAUGE);
			if (shards == 1) {
				ledgers[i] = card(i)->ledger;
				accs[i] = *acc;
			}
			CU_ASSERT_EQUAL(
			    memcmp(&ledgers[i], &card(i)->ledger, sizeof(ledgers[i])), 0);
			CU_ASSERT_EQUAL(acc->good, accs[i].good);
			CU_ASSERT_EQUAL(esf_acc_mean(acc), esf_acc_mean(&accs[i]));
		}
		CU_ASSERT(fixture_stop(f));
	}
}

void esf_suite_steer(void)
{
	CU_pSuite suite = CU_add_suite("steer", NULL, NULL);

	CU_ADD_TEST(suite, receiver_of_the_first_datagram_owns_the_site);
	CU_ADD_TEST(suite, sites_are_spread_over_the_shards_that_may_own);
	CU_ADD_TEST(suite, what_belongs_to_no_site_stays_where_it_is);
	CU_ADD_TEST(suite, full_inbox_is_the_datagrams_verdict);
	CU_ADD_TEST(suite, what_was_taken_counts_as_handed_and_received);
	CU_ADD_TEST(suite, text_of_one_owner_travels_whole);
	CU_ADD_TEST(suite, text_of_several_owners_is_split);
	CU_ADD_TEST(suite, lines_for_a_full_inbox_are_one_record_each);
	CU_ADD_TEST(suite, handed_lines_keep_their_arrival);
	CU_ADD_TEST(suite, any_number_of_shards_counts_alike);
}

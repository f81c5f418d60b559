/* SPDX-License-Identifier: Apache-2.0 */
#include "plane_fixture.h"

#include <CUnit/CUnit.h>

#include "suites.h"

/* One shard: the verdicts of datagrams and records, and what is published of them. */

static struct fixture fixture, *const f = &fixture;

static const struct esf_block *block(uint32_t site, int64_t time)
{
	fixture_publish(f);
	return esf_plane_block(f->plane, site, time / WINDOW);
}

static const struct esf_card *card(uint32_t site)
{
	fixture_publish(f);
	return esf_plane_card(f->plane, site);
}

static void send_births(uint32_t site)
{
	struct bytes b = etd_births(site, 1);

	fixture_etd(f, 0, T0, &b);
}

static void data_are_taken_once_their_alias_is_born(void)
{
	const struct esf_block *b;

	fixture_start(f, 1);
	fixture_gauge(f, 0, T0, 1, 2, 20);
	CU_ASSERT_EQUAL(records(f, 0, ESF_RECORD_UNBORN), 1);
	send_births(1);
	fixture_gauge(f, 0, T0, 1, 3, 20);
	fixture_gauge(f, 0, T0 + 1, 1, 4, 30);
	CU_ASSERT_EQUAL(records(f, 0, ESF_RECORD_ACCEPTED), 2);
	CU_ASSERT_EQUAL(datagrams(f, 0, ESF_DATAGRAM_ACCEPTED), 4);
	b = block(0, T0);
	CU_ASSERT_PTR_NOT_NULL_FATAL(b);
	CU_ASSERT_EQUAL(b->accepted, 2);
	CU_ASSERT_EQUAL(b->comms_accepted, 4);
	CU_ASSERT_EQUAL(esf_block_acc(b, GAUGE)->good, 2);
	CU_ASSERT_EQUAL(esf_acc_mean(esf_block_acc(b, GAUGE)), 25);
	CU_ASSERT_EQUAL(card(0)->last_seen, T0 + 1);
	CU_ASSERT_EQUAL(card(0)->streams, 1);
	CU_ASSERT_EQUAL(esf_plane_owner(f->plane, 0), 0);
	CU_ASSERT_EQUAL(esf_plane_owner(f->plane, 1), -1);
	CU_ASSERT(fixture_stop(f));
}

/* CONTRACT 6: the first that applies, in the contract's order. Now is T0 + 25 s. */
static void first_record_verdict_that_applies_is_given(void)
{
	enum { OPEN = 0, LATE = -30 * 1000000, FUTURE = 61 * 1000000 };
	static const struct {
		unsigned alias, quality;
		int32_t offset_us; /* from now */
		double value;
		enum esf_record_verdict verdict;
		bool refused; /* counts against the coverage of an open window */
	} cases[] = {
		{ 0, 0, OPEN, 1, ESF_RECORD_ACCEPTED, false },
		{ 0, 0, OPEN, 100, ESF_RECORD_ACCEPTED, false },
		{ 0, 0, OPEN, 100.5, ESF_RECORD_OUT_OF_RANGE, true },
		{ 0, 0, OPEN, -100.5, ESF_RECORD_OUT_OF_RANGE, true },
		{ 0, 1, OPEN, 1, ESF_RECORD_UNCERTAIN, true },
		{ 0, 1, OPEN, 1000, ESF_RECORD_UNCERTAIN, true },
		{ 0, 2, OPEN, 1000, ESF_RECORD_BAD, true },
		{ 0, 0, OPEN, NAN, ESF_RECORD_NOT_FINITE, true },
		{ 0, 2, OPEN, INFINITY, ESF_RECORD_NOT_FINITE, true },
		{ 1, 0, OPEN, 1.7e308, ESF_RECORD_NOT_FINITE, false }, /* once scaled */
		{ 0, 2, LATE, 1, ESF_RECORD_LATE, false },
		{ 0, 0, LATE, NAN, ESF_RECORD_NOT_FINITE, false },
		{ 0, 2, FUTURE, 1000, ESF_RECORD_FUTURE, false },
		{ 0, 0, FUTURE - 1000000, 1, ESF_RECORD_ACCEPTED, false },
		{ 0, 0, FUTURE - 999999, 1, ESF_RECORD_FUTURE, false },
		{ 0, 0, FUTURE, NAN, ESF_RECORD_NOT_FINITE, false },
		{ 4, 0, OPEN, NAN, ESF_RECORD_UNMAPPED, false },
		{ 4, 2, FUTURE, 1, ESF_RECORD_UNMAPPED, false },
		{ 5, 0, OPEN, NAN, ESF_RECORD_UNBORN, false },
		{ 1023, 0, OPEN, 1, ESF_RECORD_UNBORN, false },
		{ 65535, 0, OPEN, 1, ESF_RECORD_UNBORN, false },
	};
	int64_t now = T0 + 25 * SECOND;
	uint32_t refused = 0;

	fixture_start(f, 1);
	send_births(1);
	for (uint32_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct bytes b = etd(2, 1, i + 2, now);
		uint64_t before = records(f, 0, cases[i].verdict);

		etd_data(&b, cases[i].alias, cases[i].quality, cases[i].offset_us, cases[i].value);
		fixture_etd(f, 0, now, &b);
		CU_ASSERT_EQUAL(records(f, 0, cases[i].verdict), before + 1);
		refused += cases[i].refused;
	}
	CU_ASSERT_EQUAL(esf_block_acc(block(0, now), GAUGE)->refused, refused);
	CU_ASSERT_EQUAL(esf_block_acc(block(0, now), GAUGE)->good, 2);
	CU_ASSERT(fixture_stop(f));
}

static void oldest_open_window_takes_and_the_one_before_is_late(void)
{
	struct bytes b = etd(2, 1, 2, T0);

	fixture_start(f, 1);
	send_births(1);
	etd_data(&b, 0, 0, 0, 1); /* the first instant of a window, that is open ... */
	fixture_etd(f, 0, T0 + 3 * WINDOW - 1, &b);
	CU_ASSERT_EQUAL(records(f, 0, ESF_RECORD_ACCEPTED), 1);
	b.data[20] = 3;
	fixture_etd(f, 0, T0 + 3 * WINDOW, &b); /* ... until now */
	CU_ASSERT_EQUAL(records(f, 0, ESF_RECORD_LATE), 1);
	CU_ASSERT(fixture_stop(f));
}

/* Bytes of the header are overwritten: kind at 4, flags at 5, site at 8, boot at 16, seq at 20. */
static void first_datagram_verdict_that_applies_is_given(void)
{
	static const struct {
		unsigned at, value;
		enum esf_datagram_verdict verdict;
	} cases[] = {
		{ 4, 9, ESF_DATAGRAM_MALFORMED },
		{ 8, 99, ESF_DATAGRAM_UNKNOWN_SITE },
		{ 5, 1, ESF_DATAGRAM_UNKNOWN_KEY },
		{ 19, 0x70, ESF_DATAGRAM_STALE }, /* boot in the far future */
		{ 19, 0x10, ESF_DATAGRAM_STALE }, /* an earlier boot */
		{ 20, 1, ESF_DATAGRAM_DUPLICATE },
		{ 20, 2, ESF_DATAGRAM_ACCEPTED },
	};

	fixture_start(f, 1);
	send_births(1);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct bytes b = etd(2, 1, 90 + (uint32_t)i, T0);
		uint64_t before = datagrams(f, 0, cases[i].verdict);

		etd_data(&b, 0, 0, 0, 1);
		b.data[cases[i].at] = (uint8_t)cases[i].value;
		fixture_etd(f, 0, T0, &b);
		CU_ASSERT_EQUAL(datagrams(f, 0, cases[i].verdict), before + 1);
	}
	CU_ASSERT_EQUAL(records(f, 0, ESF_RECORD_ACCEPTED), 1);
	fixture_pass(f, 0, T0, 9, "x", 1);
	CU_ASSERT_EQUAL(datagrams(f, 0, ESF_DATAGRAM_NO_LISTENER), 1);
	fixture_pass(f, 0, T0, ETD_PORT, "", 0);
	CU_ASSERT_EQUAL(datagrams(f, 0, ESF_DATAGRAM_MALFORMED), 2);
	CU_ASSERT_EQUAL(card(0)->ledger.datagrams_received, 6);
	CU_ASSERT(fixture_stop(f));
}

/* Payloads that IPv6 can carry and IPv4 can't. */
static void payload_beyond_the_bound_is_malformed(void)
{
	static const struct esf_frame_addresses any;
	static uint8_t frame[14 + 40 + 65535];
	struct bytes head = { .size = 0 };
	struct esf_packet packet = { frame, sizeof(frame), ESF_FRAME_UDP_CHECKSUM_GOOD };

	put_ether(&head, 0, 0x86dd);
	put_ipv6(&head, 17, 64, 65535);
	put16(&head, 5555);
	put16(&head, INFLUX_PORT);
	put16(&head, 65535);
	put16(&head, 1);
	memset(frame, 'a', sizeof(frame));
	memcpy(frame, head.data, head.size);
	fixture_start(f, 1);
	fixture_begin(f, 0, T0);
	esf_shard_receive(esf_plane_shard(f->plane, 0), &any, &packet, 1);
	fixture_end(f, 0);
	CU_ASSERT_EQUAL(datagrams(f, 0, ESF_DATAGRAM_MALFORMED), 1);
	CU_ASSERT(fixture_stop(f));
}

static void streams_are_bounded_and_future_boots_take_none(void)
{
	fixture_start(f, 1);
	for (uint32_t i = 0; i < 2 * ESF_STREAMS_PER_SITE_MAX; i++) {
		struct bytes b = etd(2, 1, 1, T0);

		b.data[12] = (uint8_t)i;
		b.data[19] = 0x70;
		fixture_etd(f, 0, T0, &b);
	}
	CU_ASSERT_EQUAL(datagrams(f, 0, ESF_DATAGRAM_STALE), 2 * ESF_STREAMS_PER_SITE_MAX);
	CU_ASSERT_EQUAL(card(0)->streams, 0);
	for (uint32_t i = 0; i < ESF_STREAMS_PER_SITE_MAX + 3; i++) {
		struct bytes b = etd(2, 1, 1, T0);

		b.data[12] = (uint8_t)i;
		fixture_etd(f, 0, T0, &b);
	}
	CU_ASSERT_EQUAL(datagrams(f, 0, ESF_DATAGRAM_NO_ROOM), 3);
	CU_ASSERT_EQUAL(card(0)->streams, ESF_STREAMS_PER_SITE_MAX);
	CU_ASSERT(fixture_stop(f));
}

/* Values are dyadic and sums of them exact; mean and deviation round with the first value's shift.
 */
static void duplicates_and_order_leave_what_is_published_alike(void)
{
	static const uint32_t orders[][12] = {
		{ 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13 },
		{ 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2 },
		{ 3, 3, 2, 13, 13, 4, 2, 13, 3, 4, 12, 12 },
	};
	struct esf_acc first;

	for (size_t o = 0; o < 3; o++) {
		const struct esf_block *b;

		fixture_start(f, 1);
		send_births(1);
		for (uint32_t pass = 0; pass < 2; pass++) /* what an order leaves out comes after */
			for (uint32_t i = 0; i < 12; i++) {
				uint32_t seq = pass == 0 ? orders[o][i] : orders[0][i];
				struct bytes d = etd(2, 1, seq, T0 + seq * INT64_C(1000));

				etd_data(&d, 0, 0, 0, 0.25 * seq * (seq % 3));
				etd_data(&d, 2, 0, 0, seq == 7 ? 1 : 4 * seq);
				fixture_etd(f, 0, T0 + SECOND, &d);
			}
		CU_ASSERT_EQUAL(records(f, 0, ESF_RECORD_ACCEPTED), 24);
		b = block(0, T0);
		if (o == 0)
			first = *esf_block_acc(b, GAUGE);
		CU_ASSERT_EQUAL(b->accepted, 24);
		CU_ASSERT_DOUBLE_EQUAL(
		    esf_acc_mean(esf_block_acc(b, GAUGE)), esf_acc_mean(&first), 1e-14);
		CU_ASSERT_DOUBLE_EQUAL(
		    esf_acc_stddev(esf_block_acc(b, GAUGE)), esf_acc_stddev(&first), 1e-14);
		CU_ASSERT_EQUAL(esf_block_acc(b, GAUGE)->min, first.min);
		CU_ASSERT_EQUAL(esf_block_acc(b, GAUGE)->max, first.max);
		CU_ASSERT_EQUAL(esf_block_acc(b, GAUGE)->last, first.last);
		/* 8..24 rises by 16, the reset gives 1, then 1 -> 32 .. 52 */
		CU_ASSERT_EQUAL(esf_block_acc(b, COUNTER)->sum, 16 + 1 + 51);
		CU_ASSERT(fixture_stop(f));
	}
}

static void type_at_birth_decides_where_the_rule_does_not(void)
{
	struct bytes b = etd(2, 1, 2, T0);

	fixture_start(f, 1);
	send_births(1);
	etd_data(&b, 3, 0, 0, 5);
	etd_data(&b, 3, 0, 1, 8);
	fixture_etd(f, 0, T0, &b);
	CU_ASSERT_EQUAL(esf_block_acc(block(0, T0), BORN)->counter, 1);
	CU_ASSERT_EQUAL(esf_block_acc(block(0, T0), BORN)->sum, 3);
	CU_ASSERT(fixture_stop(f));
}

static void events_count_as_records_and_deaths_have_none(void)
{
	struct bytes event = etd(4, 1, 2, T0), death = etd(3, 1, 4, T0);

	fixture_start(f, 1);
	send_births(1);
	etd_event(&event, 0, "ground fault");
	etd_event(&event, 61 * 1000000, "too early");
	etd_event(&event, -61 * 1000000, "too late");
	fixture_etd(f, 0, T0, &event);
	CU_ASSERT_EQUAL(records(f, 0, ESF_RECORD_ACCEPTED), 1);
	CU_ASSERT_EQUAL(records(f, 0, ESF_RECORD_FUTURE), 1);
	CU_ASSERT_EQUAL(records(f, 0, ESF_RECORD_LATE), 1);
	fixture_etd(f, 0, T0, &death);
	CU_ASSERT(card(0)->left);
	fixture_gauge(f, 0, T0, 1, 3, 1); /* sent before it */
	CU_ASSERT(card(0)->left);
	fixture_gauge(f, 0, T0, 1, 5, 1);
	CU_ASSERT(!card(0)->left);
	CU_ASSERT_EQUAL(card(0)->ledger.records_received, 5);
	CU_ASSERT(fixture_stop(f));
}

static void new_policy_is_applied_to_aliases_and_names_known_before(void)
{
	struct esf_policy *former;

	fixture_start(f, 1);
	send_births(1);
	fixture_gauge(f, 0, T0, 1, 2, 1);
	fixture_lines(f, 0, T0, "t gauge=1");
	CU_ASSERT_EQUAL(records(f, 0, ESF_RECORD_ACCEPTED), 2);
	former = esf_plane_set_policy(f->plane, fixture_policy(3, 1)); /* only t.born is left */
	fixture_gauge(f, 0, T0, 1, 3, 1);
	fixture_lines(f, 0, T0, "t gauge=1");
	CU_ASSERT_EQUAL(records(f, 0, ESF_RECORD_UNMAPPED), 2);
	fixture_policy_free(former);
	f->policy = fixture_policy(0, 4);
	former = esf_plane_set_policy(f->plane, f->policy);
	fixture_gauge(f, 0, T0, 1, 4, 1);
	CU_ASSERT_EQUAL(records(f, 0, ESF_RECORD_ACCEPTED), 3);
	fixture_policy_free(former);
	CU_ASSERT(fixture_stop(f));
}

/* Fills the shard's memory of names, so that a birth finds no room for its own. */
static void alias_without_a_remembered_name_waits_for_its_next_birth(void)
{
	struct esf_policy *former;
	struct bytes births = etd_births(1, 2);
	char line[64];

	fixture_start(f, 1);
	for (uint32_t i = 0; i < ESF_INTERNED_NAMES_MAX; i++) {
		snprintf(line, sizeof(line), "x f%u=1", i);
		fixture_lines(f, 0, T0, line);
	}
	send_births(1);
	fixture_gauge(f, 0, T0, 1, 3, 1);
	CU_ASSERT_EQUAL(records(f, 0, ESF_RECORD_ACCEPTED), 1);
	former = esf_plane_set_policy(f->plane, fixture_policy(0, 0));
	fixture_gauge(f, 0, T0, 1, 4, 1);
	CU_ASSERT_EQUAL(records(f, 0, ESF_RECORD_UNBORN), 1);
	fixture_policy_free(former);
	former = esf_plane_set_policy(f->plane, f->policy = fixture_policy(0, 4));
	fixture_etd(f, 0, T0, &births);
	fixture_gauge(f, 0, T0, 1, 5, 1);
	CU_ASSERT_EQUAL(records(f, 0, ESF_RECORD_ACCEPTED), 2);
	fixture_policy_free(former);
	CU_ASSERT(fixture_stop(f));
}

/* Timestamps are in seconds. */
#define NOW_S "1700000000"

static void lines_give_these_verdicts(void)
{
	static const struct {
		const char *lines;
		enum esf_datagram_verdict datagram;
		uint32_t records[3]; /* accepted, the other, in all */
		enum esf_record_verdict other;
	} cases[] = {
		{ "t,site=n-1 gauge=1,scaled=2\nt,site=n-2 gauge=3", ESF_DATAGRAM_ACCEPTED,
		    { 3, 0, 3 }, ESF_RECORD_MALFORMED },
		/* no tag: the source's site */
		{ "t gauge=4", ESF_DATAGRAM_ACCEPTED, { 1, 0, 1 }, ESF_RECORD_MALFORMED },
		/* a malformed line is one record, however many fields it had */
		{ "t gauge=1,scaled=,born=3\nt gauge=5", ESF_DATAGRAM_ACCEPTED, { 1, 1, 2 },
		    ESF_RECORD_MALFORMED },
		{ "t gauge\nt,= 1\n", ESF_DATAGRAM_MALFORMED, { 0, 0, 0 }, ESF_RECORD_MALFORMED },
		{ "# nothing\n\n", ESF_DATAGRAM_MALFORMED, { 0, 0, 0 }, ESF_RECORD_MALFORMED },
		{ "t,site=n-9 gauge=1,scaled=2", ESF_DATAGRAM_UNKNOWN_SITE, { 0, 0, 0 },
		    ESF_RECORD_UNKNOWN_SITE },
		{ "bad\nt,site=n-9 gauge=1", ESF_DATAGRAM_UNKNOWN_SITE, { 0, 0, 0 },
		    ESF_RECORD_UNKNOWN_SITE },
		{ "t,site=n-9 gauge=1,scaled=2\nt gauge=6", ESF_DATAGRAM_ACCEPTED, { 1, 1, 2 },
		    ESF_RECORD_UNKNOWN_SITE },
		{ "t gauge=\"a\",scaled=1", ESF_DATAGRAM_ACCEPTED, { 1, 1, 2 },
		    ESF_RECORD_NOT_NUMERIC },
		{ "t other=\"a\",scaled=1", ESF_DATAGRAM_ACCEPTED, { 1, 1, 2 },
		    ESF_RECORD_UNMAPPED },
		{ "t gauge=1 1600000000\nt gauge=1 ", ESF_DATAGRAM_ACCEPTED, { 1, 1, 2 },
		    ESF_RECORD_LATE },
		{ "t gauge=1 -5\nt gauge=1", ESF_DATAGRAM_ACCEPTED, { 1, 1, 2 }, ESF_RECORD_LATE },
		{ "t gauge=1 1700000061\nt gauge=1", ESF_DATAGRAM_ACCEPTED, { 1, 1, 2 },
		    ESF_RECORD_FUTURE },
		{ "t gauge=1000\nt gauge=t", ESF_DATAGRAM_ACCEPTED, { 1, 1, 2 },
		    ESF_RECORD_OUT_OF_RANGE },
		/* dedup of lines with a time, of those only, and a site at a time */
		{ "t,site=n-2 gauge=1 " NOW_S "\nt,site=n-3 gauge=1 " NOW_S, ESF_DATAGRAM_ACCEPTED,
		    { 2, 0, 2 }, ESF_RECORD_DUPLICATE },
		{ "t,site=n-2 gauge=1 " NOW_S, ESF_DATAGRAM_DUPLICATE, { 0, 0, 0 },
		    ESF_RECORD_DUPLICATE },
		{ "t gauge=1\nt gauge=1\nt,site=n-3 gauge=1 " NOW_S, ESF_DATAGRAM_ACCEPTED,
		    { 2, 1, 3 }, ESF_RECORD_DUPLICATE },
	};

	fixture_start(f, 1);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct esf_ledger before = *esf_shard_ledger(esf_plane_shard(f->plane, 0)), after;

		fixture_lines(f, 0, T0, cases[i].lines);
		after = *esf_shard_ledger(esf_plane_shard(f->plane, 0));
		CU_ASSERT_EQUAL(
		    after.datagrams[cases[i].datagram], before.datagrams[cases[i].datagram] + 1);
		CU_ASSERT_EQUAL(after.records[ESF_RECORD_ACCEPTED],
		    before.records[ESF_RECORD_ACCEPTED] + cases[i].records[0]);
		CU_ASSERT_EQUAL(after.records[cases[i].other],
		    before.records[cases[i].other] + cases[i].records[1]);
		CU_ASSERT_EQUAL(
		    after.records_received, before.records_received + cases[i].records[2]);
	}
	CU_ASSERT_EQUAL(card(1)->ledger.datagrams_received, 3);
	CU_ASSERT_EQUAL(
	    card(1)->ledger.datagrams[ESF_DATAGRAM_DUPLICATE - ESF_SITE_DATAGRAM_FIRST], 1);
	CU_ASSERT_EQUAL(card(2)->ledger.records[ESF_RECORD_DUPLICATE], 1);
	CU_ASSERT_PTR_NULL(card(3));
	CU_ASSERT(fixture_stop(f));
}

void esf_suite_shard(void)
{
	CU_pSuite suite = CU_add_suite("shard", NULL, NULL);

	CU_ADD_TEST(suite, data_are_taken_once_their_alias_is_born);
	CU_ADD_TEST(suite, first_record_verdict_that_applies_is_given);
	CU_ADD_TEST(suite, oldest_open_window_takes_and_the_one_before_is_late);
	CU_ADD_TEST(suite, first_datagram_verdict_that_applies_is_given);
	CU_ADD_TEST(suite, payload_beyond_the_bound_is_malformed);
	CU_ADD_TEST(suite, streams_are_bounded_and_future_boots_take_none);
	CU_ADD_TEST(suite, duplicates_and_order_leave_what_is_published_alike);
	CU_ADD_TEST(suite, type_at_birth_decides_where_the_rule_does_not);
	CU_ADD_TEST(suite, events_count_as_records_and_deaths_have_none);
	CU_ADD_TEST(suite, new_policy_is_applied_to_aliases_and_names_known_before);
	CU_ADD_TEST(suite, alias_without_a_remembered_name_waits_for_its_next_birth);
	CU_ADD_TEST(suite, lines_give_these_verdicts);
}

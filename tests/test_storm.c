/* SPDX-License-Identifier: Apache-2.0 */
#include <CUnit/CUnit.h>

#include <stdio.h>

#include "dataplane/storm.h"
#include "suites.h"

/* Token buckets, and the machines that say when a site or the fleet storms. */

#define SECOND INT64_C(1000000000)
#define T0 (INT64_C(1700000000) * SECOND)

static void bucket_loses_no_remainder(void)
{
	static const struct {
		uint32_t rate, burst;
		uint64_t gap_ns, step_ns;
		uint32_t count, tokens;
		uint64_t spent;
	} rows[] = {
		/* tests/data/storm_tokens.py */
		{ 1, 1, 999999999, 0, 10, 5, 1 },
		{ 3, 1, 333333333, 0, 9, 5, 1000000000 },
		{ 3, 5, 333333334, 0, 9, 9, 1000000000 },
		{ 7, 2, 1, 15485863, 5000, 4680, 1000000000 },
		{ 1000, 2000, 10000, 0, 100000, 2999, 1999010000000 },
		{ 1000, 1, 333367, 37, 20000, 10241, 1000000000 },
		{ 999983, 17, 13, 1, 2000, 1529, 1000000000 },
		{ 1000000000, 1, 0, 0, 1000, 1, 1000000000 },
		{ 1000000000, 1000000000, 1, 1, 1000, 1000, 1000000000 },
		{ 3, 100, 123456789, 987654321, 3000, 3000, 8038274940 },
	};

	for (size_t r = 0; r < sizeof(rows) / sizeof(rows[0]); r++) {
		struct esf_storm_limits limits =
		    esf_storm_limits(rows[r].rate, rows[r].burst, 2, 1, SECOND);
		struct esf_storm_site site = { 0 };
		uint32_t tokens = 0;
		int64_t now = T0;

		for (uint64_t i = 0; i < rows[r].count; i++) {
			if (i > 0)
				now +=
				    (int64_t)((rows[r].gap_ns + i * rows[r].step_ns) % 1000000007);
			tokens += esf_storm_site_take(&site, &limits, now);
		}
		CU_ASSERT_EQUAL(tokens, rows[r].tokens);
		CU_ASSERT_EQUAL(site.spent, rows[r].spent);
	}
}

static void bucket_starts_full_and_never_holds_more_than_its_burst(void)
{
	struct esf_storm_limits limits = esf_storm_limits(1000000000, 1000000000, 2, 1, SECOND);
	struct esf_storm_site site = { 0 };

	CU_ASSERT_TRUE(esf_storm_site_take(&site, &limits, 0));
	CU_ASSERT_EQUAL(site.spent, ESF_STORM_TOKEN);
	CU_ASSERT_TRUE(esf_storm_site_take(&site, &limits, INT64_MAX));
	CU_ASSERT_EQUAL(site.spent, ESF_STORM_TOKEN);
	/* a burst made smaller by a reload leaves an empty bucket, not a debt for ever */
	site.spent = limits.burst;
	limits = esf_storm_limits(1, 1, 2, 1, SECOND);
	site.refilled = T0;
	CU_ASSERT_FALSE(esf_storm_site_take(&site, &limits, T0 + SECOND - 1));
	CU_ASSERT_TRUE(esf_storm_site_take(&site, &limits, T0 + 2 * SECOND - 1));
}

/* What a shard does with each datagram of a site. */
static bool offer(struct esf_storm_site *site, const struct esf_storm_limits *limits, int64_t now)
{
	if (esf_storm_slot_is_over(site, now)) {
		esf_storm_site_judge(site, limits, now);
		esf_storm_site_start_slot(site, now);
	}
	esf_storm_site_take(site, limits, now);
	return site->storming;
}

enum { MS = 1000000 };

/* count datagrams, the first at `from`, one every gap_ms. */
static bool offer_many(struct esf_storm_site *site, const struct esf_storm_limits *limits,
    int64_t from, uint32_t count, int64_t gap_ms)
{
	bool storming = false;

	for (uint32_t i = 0; i < count; i++)
		storming = offer(site, limits, from + i * gap_ms * MS);
	return storming;
}

static void storm_begins_after_a_second_above_the_rate_and_not_before(void)
{
	static const struct {
		uint32_t count;  /* in the first slot, from its start on */
		int64_t next_ns; /* when the next one comes, from the slot's start */
		bool storms;
	} cases[] = {
		{ 11, SECOND - 1, false }, /* the slot is still running */
		{ 11, SECOND, true },
		{ 10, SECOND, false }, /* not above: as much as it may */
		{ 10, SECOND - 1, false },
		{ 11, 3 * SECOND, true }, /* judged late, but the same */
		{ 11, 6 * SECOND - 1, true },
		{ 11, 6 * SECOND, false }, /* and over since: five seconds have passed */
		{ 1000, SECOND - 1, false },
	};

	for (size_t c = 0; c < sizeof(cases) / sizeof(cases[0]); c++) {
		struct esf_storm_limits limits = esf_storm_limits(10, 10, 2, 1, 5 * SECOND);
		struct esf_storm_site site = { 0 };

		CU_ASSERT_FALSE(offer_many(&site, &limits, T0, cases[c].count, 0));
		CU_ASSERT_EQUAL(offer(&site, &limits, T0 + cases[c].next_ns), cases[c].storms);
	}
}

/*
 * Rate 10/s, held for 3 s. The storm's last slot above is [T0 + 1, T0 + 2); what follows decides.
 * Slots begin with a datagram, so at the whole seconds here.
 */
static void storm_lasts_until_the_site_was_below_for_min_hold(void)
{
	static const struct {
		uint32_t slots[6]; /* datagrams in the seconds from T0 + 2 on */
		uint32_t judged_s; /* the first second in which it is no storm; 0: still one at 8 */
	} cases[] = {
		{ { 1, 1, 1, 1, 1, 1 }, 5 },
		{ { 10, 10, 10, 10, 10, 10 }, 5 },
		{ { 1, 11, 1, 1, 1, 1 }, 7 }, /* above again at 3 to 4 */
		{ { 1, 1, 11, 1, 1, 1 }, 8 },
		{ { 11, 11, 11, 11, 11, 11 }, 0 },
		{ { 11, 1, 1, 11, 1, 1 }, 0 },
	};

	for (size_t c = 0; c < sizeof(cases) / sizeof(cases[0]); c++) {
		struct esf_storm_limits limits = esf_storm_limits(10, 10, 2, 1, 3 * SECOND);
		struct esf_storm_site site = { 0 };
		uint32_t ended = 0;

		offer_many(&site, &limits, T0, 11, 0);
		CU_ASSERT_TRUE(offer_many(&site, &limits, T0 + SECOND, 11, 0));
		for (uint32_t s = 0; s <= 6; s++) {
			uint32_t count = s < 6 ? cases[c].slots[s] : 1;
			bool storming = offer_many(&site, &limits, T0 + (2 + (int64_t)s) * SECOND,
			    count, 90 * (count < 11));

			if (!storming && ended == 0)
				ended = 2 + s;
		}
		CU_ASSERT_EQUAL(ended, cases[c].judged_s);
	}
}

static void site_that_falls_silent_leaves_its_storm(void)
{
	struct esf_storm_limits limits = esf_storm_limits(10, 10, 2, 1, 3 * SECOND);
	struct esf_storm_site site = { 0 };

	offer_many(&site, &limits, T0, 11, 0);
	CU_ASSERT_TRUE(offer_many(&site, &limits, T0 + SECOND, 11, 0));
	esf_storm_site_judge(&site, &limits, T0 + 2 * SECOND - 1);
	CU_ASSERT_EQUAL(site.offered, 11); /* its slot still runs */
	esf_storm_site_judge(&site, &limits, T0 + 3 * SECOND);
	CU_ASSERT_TRUE(site.storming); /* above until 2 s, though judged at 3 s */
	esf_storm_site_judge(&site, &limits, T0 + 5 * SECOND - 1);
	CU_ASSERT_TRUE(site.storming);
	esf_storm_site_judge(&site, &limits, T0 + 5 * SECOND);
	CU_ASSERT_FALSE(site.storming);
}

/* The end is due, but a slot is running that may be above. */
static void running_slot_is_waited_for(void)
{
	struct esf_storm_limits limits = esf_storm_limits(10, 10, 2, 1, 3 * SECOND);
	struct esf_storm_site site = { 0 };
	int64_t resumed = T0 + 4 * SECOND + SECOND / 2;

	offer_many(&site, &limits, T0, 11, 0);
	CU_ASSERT_TRUE(offer(&site, &limits, T0 + SECOND));
	CU_ASSERT_TRUE(offer_many(&site, &limits, T0 + 3 * SECOND + SECOND / 2, 11, 10));
	esf_storm_site_judge(&site, &limits, T0 + 4 * SECOND);
	CU_ASSERT_TRUE(site.storming);
	CU_ASSERT_TRUE(offer(&site, &limits, resumed));
	CU_ASSERT_TRUE(offer(&site, &limits, resumed + 2 * SECOND));
	CU_ASSERT_FALSE(offer(&site, &limits, resumed + 3 * SECOND));
}

/* Looking more often, as the sweep does, changes no verdict of a datagram. */
static void when_a_slot_is_judged_changes_nothing(void)
{
	struct esf_storm_limits limits = esf_storm_limits(20, 30, 2, 1, 2 * SECOND);
	struct esf_storm_site seldom = { 0 }, often = { 0 };
	uint32_t random = 1, storms = 0, differ = 0;
	int64_t now = T0;

	for (int i = 0; i < 20000; i++) {
		random = random * 1664525u + 1013904223u;
		now += (random >> 2) % (i / 500 % 2 == 0 ? 20 * MS : 200 * MS);
		esf_storm_site_judge(&often, &limits, now);
		storms += offer(&seldom, &limits, now);
		differ += offer(&often, &limits, now) != seldom.storming;
	}
	CU_ASSERT_EQUAL(differ, 0);
	CU_ASSERT_TRUE(storms > 1000 && storms < 19000);
}

/* Readings in datagrams since the last one, each a number of seconds after it. */
static void fleet_storms_above_enter_until_below_exit_for_min_hold(void)
{
	static const struct {
		uint64_t came;
		int64_t after_ns;
		bool storming;
	} readings[] = {
		{ 1000000, SECOND, false }, /* the first: there is nothing to compare with */
		{ 200, SECOND, false },     /* at fleet_enter is not above it */
		{ 201, SECOND, true },
		{ 150, SECOND, true }, /* between the two */
		{ 99, SECOND, true },
		{ 99, SECOND, true },
		{ 100, SECOND, true }, /* not below fleet_exit: from here on again */
		{ 99, SECOND, true },
		{ 99, 2 * SECOND - 1, true },
		{ 0, SECOND, false }, /* 4 s less 1 ns: at least 3 s */
		{ 301, 3 * SECOND / 2, true },
		{ 0, SECOND, true },
		{ 0, 2 * SECOND, false },
		{ 201, SECOND + 5000000, false }, /* 199.99.. a second */
		{ UINT64_C(1) << 40, SECOND, true },
	};
	struct esf_storm_limits limits = esf_storm_limits(10, 10, 200, 100, 3 * SECOND);
	struct esf_storm_fleet fleet = { 0 };
	uint64_t offered = 0;
	int64_t now = T0;

	for (size_t i = 0; i < sizeof(readings) / sizeof(readings[0]); i++) {
		offered += readings[i].came;
		now += readings[i].after_ns;
		esf_storm_fleet_read(&fleet, &limits, now, offered);
		CU_ASSERT_EQUAL(fleet.storming, readings[i].storming);
		CU_ASSERT_EQUAL(fleet.next_read, now + SECOND);
	}
}

void esf_suite_storm(void)
{
	CU_pSuite suite = CU_add_suite("storm", NULL, NULL);

	CU_ADD_TEST(suite, bucket_loses_no_remainder);
	CU_ADD_TEST(suite, bucket_starts_full_and_never_holds_more_than_its_burst);
	CU_ADD_TEST(suite, storm_begins_after_a_second_above_the_rate_and_not_before);
	CU_ADD_TEST(suite, storm_lasts_until_the_site_was_below_for_min_hold);
	CU_ADD_TEST(suite, site_that_falls_silent_leaves_its_storm);
	CU_ADD_TEST(suite, running_slot_is_waited_for);
	CU_ADD_TEST(suite, when_a_slot_is_judged_changes_nothing);
	CU_ADD_TEST(suite, fleet_storms_above_enter_until_below_exit_for_min_hold);
}

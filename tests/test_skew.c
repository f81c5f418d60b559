/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/skew.h"

#include <CUnit/CUnit.h>

#include "plane_fixture.h"
#include "suites.h"

/* How far a site's clock is off: the filter, and what shards feed to it. */

static struct fixture fixture, *const f = &fixture;

#define MINUTE (60 * SECOND)

static void least_delayed_of_two_generations_is_the_estimate(void)
{
	static const struct {
		int64_t arrival, ahead, want; /* ns since T0, ns, ns */
	} cases[] = {
		{ 0, -50, -50 }, { 1, -20, -20 }, { 2, -90, -20 }, { MINUTE - 1, -80, -20 },
		{ MINUTE, -70, -20 }, /* the former generation still counts */
		{ 2 * MINUTE - 1, -60, -20 }, { 2 * MINUTE, -65, -60 }, { 3 * MINUTE, -40, -40 },
		{ 10 * MINUTE, -99, -99 }, /* a pause: what was before is forgotten */
	};
	struct esf_skew skew = { 0 };

	CU_ASSERT_EQUAL(esf_skew_estimate(&skew), ESF_SKEW_UNKNOWN);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int64_t arrival = T0 + cases[i].arrival;

		esf_skew_learn(&skew, arrival + cases[i].ahead, arrival);
		CU_ASSERT_EQUAL(esf_skew_estimate(&skew), cases[i].want);
	}
}

static void times_at_the_ends_saturate(void)
{
	struct esf_skew skew = { 0 };

	esf_skew_learn(&skew, INT64_MIN, T0);
	CU_ASSERT_EQUAL(esf_skew_estimate(&skew), INT64_MIN + 1);
	esf_skew_learn(&skew, 0, T0);
	CU_ASSERT_EQUAL(esf_skew_estimate(&skew), -T0);
	esf_skew_learn(&skew, INT64_MAX, T0);
	CU_ASSERT_EQUAL(esf_skew_estimate(&skew), INT64_MAX - T0);
	esf_skew_learn(&skew, 7, INT64_MAX);
	CU_ASSERT_EQUAL(esf_skew_estimate(&skew), 7 - INT64_MAX);
}

static int64_t offset(uint32_t site)
{
	fixture_publish(f);
	return esf_plane_card(f->plane, site)->clock_offset;
}

static void send_data(uint32_t site, uint32_t seq, int64_t time, unsigned flags)
{
	struct bytes b = etd(2, site, seq, time);

	b.data[5] = (uint8_t)flags;
	etd_data(&b, 0, 0, 0, 1);
	fixture_etd(f, 0, T0 + SECOND, &b);
}

/* All arrive at T0 + 1 s. */
static void etd_headers_are_learned_from_even_where_records_are_refused(void)
{
	struct bytes births = etd_births(1, 1), death = etd(3, 3, 1, T0);

	fixture_start(f, 1);
	fixture_etd(f, 0, T0 + SECOND, &births);
	CU_ASSERT_EQUAL(offset(0), -SECOND);
	send_data(1, 2, T0 + 5 * MINUTE, 2); /* backfill says nothing of the clock */
	CU_ASSERT_EQUAL(offset(0), -SECOND);
	send_data(1, 3, T0 + SECOND + 3 * MINUTE, 0);
	CU_ASSERT_EQUAL(offset(0), 3 * MINUTE);
	CU_ASSERT_EQUAL(records(f, 0, ESF_RECORD_FUTURE), 2);
	send_data(1, 3, T0 + 9 * MINUTE, 0); /* a duplicate */
	CU_ASSERT_EQUAL(offset(0), 3 * MINUTE);
	fixture_etd(f, 0, T0 + SECOND, &death);
	CU_ASSERT_EQUAL(offset(2), ESF_SKEW_UNKNOWN);
	CU_ASSERT(fixture_stop(f));
}

static void lines_are_learned_from_where_they_have_a_time(void)
{
	static const char syslog[] = "<14>1 2023-11-14T22:13:30Z n-3 a - - - b"; /* T0 + 10 s */

	fixture_start(f, 1);
	fixture_lines(f, 0, T0 + SECOND, "t gauge=1");
	CU_ASSERT_EQUAL(offset(0), ESF_SKEW_UNKNOWN);
	fixture_lines(f, 0, T0 + SECOND, "t gauge=1 1700000000\nt,site=n-2 gauge=1 1600000000");
	CU_ASSERT_EQUAL(offset(0), -SECOND);
	CU_ASSERT_EQUAL(offset(1), -100000001 * SECOND);
	fixture_pass(f, 0, T0 + SECOND, SYSLOG_PORT, syslog, sizeof(syslog) - 1);
	CU_ASSERT_EQUAL(offset(2), 9 * SECOND);
	CU_ASSERT(fixture_stop(f));
}

/* Header times and offsets of records around the borders of what is open; T0 starts a window. */
static void edges_of_time_get_these_verdicts(void)
{
	static const struct {
		int64_t time; /* of the header */
		int32_t offset_us;
		enum esf_record_verdict verdict;
	} cases[] = {
		{ T0, INT32_MIN, ESF_RECORD_LATE }, { T0, INT32_MAX, ESF_RECORD_FUTURE },
		{ T0 + INT64_C(2147483648) * 1000, INT32_MIN, ESF_RECORD_ACCEPTED },
		{ T0 - INT64_C(2147483647) * 1000, INT32_MAX, ESF_RECORD_ACCEPTED },
		{ T0 - 2 * WINDOW, 0, ESF_RECORD_ACCEPTED },
		{ T0 - 2 * WINDOW, -1, ESF_RECORD_LATE }, { T0 + SKEW, 0, ESF_RECORD_ACCEPTED },
		{ T0 + SKEW, 1, ESF_RECORD_FUTURE }, { 0, 0, ESF_RECORD_LATE },
		{ 0, INT32_MIN, ESF_RECORD_LATE }, { INT64_MAX, INT32_MAX, ESF_RECORD_FUTURE },
		{ -1, 0, ESF_RECORD_FUTURE }, /* unsigned on the wire: the far end */
	};
	struct bytes births = etd_births(1, 1);

	fixture_start(f, 1);
	fixture_etd(f, 0, T0, &births);
	for (uint32_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct bytes b = etd(2, 1, 2 + i, cases[i].time);
		uint64_t before = records(f, 0, cases[i].verdict);

		etd_data(&b, 0, 0, cases[i].offset_us, 1);
		fixture_etd(f, 0, T0, &b);
		CU_ASSERT_EQUAL(records(f, 0, cases[i].verdict), before + 1);
	}
	CU_ASSERT(fixture_stop(f));
}

void esf_suite_skew(void)
{
	CU_pSuite suite = CU_add_suite("skew", NULL, NULL);

	CU_ADD_TEST(suite, least_delayed_of_two_generations_is_the_estimate);
	CU_ADD_TEST(suite, times_at_the_ends_saturate);
	CU_ADD_TEST(suite, etd_headers_are_learned_from_even_where_records_are_refused);
	CU_ADD_TEST(suite, lines_are_learned_from_where_they_have_a_time);
	CU_ADD_TEST(suite, edges_of_time_get_these_verdicts);
}

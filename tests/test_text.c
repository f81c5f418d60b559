/* SPDX-License-Identifier: Apache-2.0 */
#include "suites.h"

#include <string.h>

#include <CUnit/CUnit.h>

#include "plane_fixture.h"

/* What a shard makes of StatsD's values; what lines have in common is tested with Influx in
 * test_shard.c. */

static void send(struct fixture *f, const char *lines)
{
	fixture_pass(f, 0, T0 + SECOND, STATSD_PORT, lines, (uint32_t)strlen(lines));
}

static const struct esf_acc *acc_of(struct fixture *f, uint32_t site, uint16_t measure)
{
	const struct esf_block *block;

	fixture_publish(f);
	block = esf_plane_block(f->plane, site, T0 / WINDOW);
	CU_ASSERT_PTR_NOT_NULL_FATAL(block);
	return esf_block_acc(block, measure);
}

static void statsd_gauges_are_samples_and_deltas_start_from_the_last(void)
{
	struct fixture f;
	const struct esf_acc *acc;

	fixture_start(&f, 1);
	send(&f, "t.gauge:+2|g|#site:n-2\nt.gauge:5|g|#site:n-2\nt.gauge:+3|g|#site:n-2\n"
	         "t.gauge:-1|g|#site:n-2");
	acc = acc_of(&f, 1, GAUGE);
	CU_ASSERT_EQUAL(acc->good, 4); /* 2, 5, 8, 7 */
	CU_ASSERT_DOUBLE_EQUAL(esf_acc_mean(acc), 5.5, 1e-12);
	CU_ASSERT_DOUBLE_EQUAL(acc->last, 7, 0);
	CU_ASSERT_TRUE(fixture_stop(&f));
}

static void statsd_counters_are_increments_over_their_rate(void)
{
	struct fixture f;
	const struct esf_acc *acc;

	fixture_start(&f, 1);
	send(&f, "t.count:3|c|@0.5|#site:n-2\nt.count:4|c|#site:n-2\nt.born:1:2|c|#site:n-2");
	acc = acc_of(&f, 1, COUNTER);
	CU_ASSERT_TRUE(acc->counter);
	CU_ASSERT_EQUAL(acc->good, 2);
	CU_ASSERT_DOUBLE_EQUAL(acc->sum, 10, 0); /* 3 / 0.5 + 4 */
	acc = acc_of(&f, 1, BORN);
	CU_ASSERT_TRUE(acc->counter);
	CU_ASSERT_DOUBLE_EQUAL(acc->sum, 3, 0);
	CU_ASSERT_TRUE(fixture_stop(&f));
}

static void statsd_counter_under_a_gauge_rule_is_a_sample(void)
{
	struct fixture f;
	const struct esf_acc *acc;

	fixture_start(&f, 1);
	send(&f, "t.gauge:3|c|#site:n-2\nt.count:7|g|#site:n-2\nt.count:9|g|#site:n-2");
	acc = acc_of(&f, 1, GAUGE);
	CU_ASSERT_FALSE(acc->counter);
	CU_ASSERT_DOUBLE_EQUAL(esf_acc_mean(acc), 3, 0);
	acc = acc_of(&f, 1, COUNTER); /* a gauge under a counter's rule is a running total */
	CU_ASSERT_DOUBLE_EQUAL(acc->sum, 2, 0);
	CU_ASSERT_TRUE(fixture_stop(&f));
}

static void statsd_timers_are_samples_of_a_gauge(void)
{
	struct fixture f;

	fixture_start(&f, 1);
	send(
	    &f, "t.scaled:1:2:3|ms|@0.1|#site:n-2\nt.scaled:6|h|#site:n-2\nt.scaled:8|d|#site:n-2");
	CU_ASSERT_DOUBLE_EQUAL(esf_acc_mean(acc_of(&f, 1, SCALED)), 18, 1e-12); /* 2 * 4 + 10 */
	CU_ASSERT_TRUE(fixture_stop(&f));
}

static void statsd_lines_without_a_tag_belong_to_the_sender(void)
{
	struct fixture f;

	fixture_start(&f, 1);
	send(&f, "t.gauge:5|g");
	CU_ASSERT_EQUAL(acc_of(&f, 0, GAUGE)->good, 1);
	CU_ASSERT_TRUE(fixture_stop(&f));
}

static void statsd_repeated_lines_are_repeated_readings(void)
{
	struct fixture f;

	fixture_start(&f, 1);
	send(&f, "t.count:1|c|#site:n-2");
	send(&f, "t.count:1|c|#site:n-2");
	CU_ASSERT_DOUBLE_EQUAL(acc_of(&f, 1, COUNTER)->sum, 2, 0);
	CU_ASSERT_TRUE(fixture_stop(&f));
}

static void statsd_records_get_these_verdicts(void)
{
	static const struct {
		const char *line;
		enum esf_record_verdict verdict;
	} cases[] = {
		{ "t.gauge:1|g|#site:n-2", ESF_RECORD_ACCEPTED },
		{ "nobody:1|c|#site:n-2", ESF_RECORD_UNMAPPED },
		{ "t.gauge:x|s|#site:n-2", ESF_RECORD_NOT_NUMERIC },
		{ "_e{1,1}:a|b|#site:n-2", ESF_RECORD_NOT_NUMERIC },
		{ "_sc|up|0|#site:n-2", ESF_RECORD_NOT_NUMERIC },
		{ "t.gauge:nan|g|#site:n-2", ESF_RECORD_NOT_FINITE },
		{ "t.gauge:101|g|#site:n-2", ESF_RECORD_OUT_OF_RANGE },
		{ "t.count:-1|c|#site:n-2", ESF_RECORD_OUT_OF_RANGE },
		{ "t.gauge:1|g|#site:n-9", ESF_RECORD_UNKNOWN_SITE },
		{ "t.gauge", ESF_RECORD_MALFORMED },
		{ "t.gauge:1|g|#site:n-2|T1600000000", ESF_RECORD_LATE },
		{ "t.gauge:1|g|#site:n-2|T1800000000", ESF_RECORD_FUTURE },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct esf_ledger *ledger;
		struct fixture f;
		char lines[128];

		fixture_start(&f, 1);
		snprintf(lines, sizeof(lines), "t.gauge:1|g|#site:n-3\n%s", cases[i].line);
		send(&f, lines);
		ledger = esf_shard_ledger(esf_plane_shard(f.plane, 0));
		CU_ASSERT_EQUAL(ledger->records_received, 2);
		CU_ASSERT_EQUAL(ledger->records[cases[i].verdict],
		    cases[i].verdict == ESF_RECORD_ACCEPTED ? 2 : 1);
		CU_ASSERT_EQUAL(ledger->datagrams[ESF_DATAGRAM_ACCEPTED], 1);
		CU_ASSERT_TRUE(fixture_stop(&f));
	}
}

static void statsd_delta_that_is_not_finite_leaves_the_level(void)
{
	struct fixture f;
	const struct esf_acc *acc;

	fixture_start(&f, 1);
	send(&f, "t.gauge:5|g|#site:n-2\nt.gauge:+inf|g|#site:n-2\nt.gauge:+1|g|#site:n-2");
	acc = acc_of(&f, 1, GAUGE);
	CU_ASSERT_EQUAL(acc->good, 2);
	CU_ASSERT_EQUAL(acc->refused, 1);
	CU_ASSERT_DOUBLE_EQUAL(acc->last, 6, 0);
	CU_ASSERT_TRUE(fixture_stop(&f));
}

void esf_suite_text(void)
{
	CU_pSuite suite = CU_add_suite("text", NULL, NULL);

	CU_ADD_TEST(suite, statsd_gauges_are_samples_and_deltas_start_from_the_last);
	CU_ADD_TEST(suite, statsd_counters_are_increments_over_their_rate);
	CU_ADD_TEST(suite, statsd_counter_under_a_gauge_rule_is_a_sample);
	CU_ADD_TEST(suite, statsd_timers_are_samples_of_a_gauge);
	CU_ADD_TEST(suite, statsd_lines_without_a_tag_belong_to_the_sender);
	CU_ADD_TEST(suite, statsd_repeated_lines_are_repeated_readings);
	CU_ADD_TEST(suite, statsd_records_get_these_verdicts);
	CU_ADD_TEST(suite, statsd_delta_that_is_not_finite_leaves_the_level);
}

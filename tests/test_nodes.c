/* SPDX-License-Identifier: Apache-2.0 */
#include "lcores/nodes.h"

#include <string.h>

#include <CUnit/CUnit.h>

#include "lcores/idle.h"
#include "suites.h"

/* What poll loops count of themselves, and what they do when they find nothing; the ticks are
 * given. */

static struct esf_nodes nodes;
static struct esf_nodes_counts counts;

static int start(void)
{
	memset(&nodes, 0, sizeof(nodes));
	return 0;
}

static uint64_t nodes_cycles(void)
{
	uint64_t sum = 0;

	for (uint32_t i = 0; i < ESF_NODES_COUNT; i++)
		sum += counts.node[i].cycles;
	return sum;
}

static void check_node(enum esf_node_id id, uint64_t in, uint64_t out, uint64_t cycles)
{
	CU_ASSERT_EQUAL(counts.node[id].in, in);
	CU_ASSERT_EQUAL(counts.node[id].out, out);
	CU_ASSERT_EQUAL(counts.node[id].cycles, cycles);
}

/* Ticks 1000..1600 busy, ..1650 idle, ..2050 asleep but for 50, then 100 busy. */
static void nodes_split_a_busy_pass_among_them(void)
{
	start();
	esf_nodes_begin(&nodes, 1000);
	esf_nodes_charge(&nodes, ESF_NODE_RECEIVE, 64, 64, 1100);
	esf_nodes_charge(&nodes, ESF_NODE_PROCESS, 64, 60, 1400);
	esf_nodes_charge(&nodes, ESF_NODE_ANSWER, 2, 1, 1450);
	esf_nodes_charge(&nodes, ESF_NODE_RECEIVE, 0, 0, 1470);
	nodes.pass.work = 64;
	esf_nodes_begin(&nodes, 1600);
	esf_nodes_begin(&nodes, 1650);
	esf_nodes_sleep(&nodes, 1660, 2010);
	esf_nodes_begin(&nodes, 2050);
	esf_nodes_charge(&nodes, ESF_NODE_INBOX, 3, 2, 2080);
	nodes.pass.work = 3;
	esf_nodes_end(&nodes, 2150);

	esf_nodes_read(&nodes, &counts);
	check_node(ESF_NODE_RECEIVE, 64, 64, 120);
	check_node(ESF_NODE_PROCESS, 64, 60, 300);
	check_node(ESF_NODE_ANSWER, 2, 1, 50);
	check_node(ESF_NODE_INBOX, 3, 2, 30);
	check_node(ESF_NODE_HAND_OVER, 0, 0, 0);
	check_node(ESF_NODE_PUBLISH, 0, 0, 130 + 70);
	CU_ASSERT_EQUAL(counts.passes, 4);
	CU_ASSERT_EQUAL(counts.busy_passes, 2);
	CU_ASSERT_EQUAL(counts.busy, 700);
	CU_ASSERT_EQUAL(counts.idle, 450);
	CU_ASSERT_EQUAL(counts.asleep, 350);
	CU_ASSERT_EQUAL(counts.sleeps, 1);
	CU_ASSERT_EQUAL(counts.total, 1150);
	CU_ASSERT_EQUAL(nodes_cycles(), counts.busy);
}

static void nodes_count_nothing_before_the_first_pass(void)
{
	start();
	esf_nodes_read(&nodes, &counts);
	CU_ASSERT_EQUAL(counts.total, 0);
	CU_ASSERT_EQUAL(counts.busy + counts.idle + counts.passes, 0);
}

/* A loop that ended and is drained by another thread: the time between is idle. */
static void nodes_take_the_time_between_end_and_drain_as_idle(void)
{
	start();
	esf_nodes_begin(&nodes, 100);
	nodes.pass.work = 1;
	esf_nodes_end(&nodes, 150);
	esf_nodes_begin(&nodes, 1150);
	nodes.pass.work = 1;
	esf_nodes_end(&nodes, 1160);
	esf_nodes_read(&nodes, &counts);
	CU_ASSERT_EQUAL(counts.busy, 60);
	CU_ASSERT_EQUAL(counts.idle, 1000);
	CU_ASSERT_EQUAL(counts.total, 1060);
}

static void nodes_in_a_pass_under_way_leave_its_cycles_open(void)
{
	start();
	esf_nodes_begin(&nodes, 1);
	esf_nodes_begin(&nodes, 11);
	esf_nodes_read(&nodes, &counts);
	CU_ASSERT_EQUAL(counts.busy + counts.idle, 10);
	CU_ASSERT(counts.total > 10); /* the machine's counter is far beyond */
}

static void idle_policies_pause_yield_and_sleep_after_their_passes(void)
{
	static const struct {
		enum esf_idle_policy policy;
		bool shares_cpu;
		uint32_t yields_at,
		    sleeps_at; /* the empty pass in a row that does so first; 0: none */
		uint32_t sleep_us;
	} rows[] = {
		{ ESF_IDLE_AUTO, false, 0, 0, 0 },
		{ ESF_IDLE_AUTO, true, 16, 64, 50 },
		{ ESF_IDLE_POLL, false, 0, 0, 0 },
		{ ESF_IDLE_POLL, true, 0, 0, 0 },
		{ ESF_IDLE_YIELD, false, 16, 0, 0 },
		{ ESF_IDLE_YIELD, true, 16, 0, 0 },
		{ ESF_IDLE_SLEEP, false, 0, 8, 40 },
		{ ESF_IDLE_SLEEP, true, 0, 8, 40 },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint32_t yields_at = 0, sleeps_at = 0;
		struct esf_idle idle;

		esf_idle_start(&idle, rows[i].policy, rows[i].shares_cpu, 200);
		for (uint32_t pass = 1; pass <= 100 && sleeps_at == 0; pass++) {
			enum esf_idle_step step = esf_idle_empty(&idle);

			if (step == ESF_IDLE_GIVE_WAY && yields_at == 0)
				yields_at = pass;
			if (step == ESF_IDLE_NAP)
				sleeps_at = pass;
		}
		CU_ASSERT_EQUAL(yields_at, rows[i].yields_at);
		CU_ASSERT_EQUAL(sleeps_at, rows[i].sleeps_at);
		if (sleeps_at != 0)
			CU_ASSERT_EQUAL(idle.sleep_us, rows[i].sleep_us);
		/* Work begins the count anew. */
		esf_idle_found(&idle, 1);
		CU_ASSERT_EQUAL(esf_idle_empty(&idle), ESF_IDLE_PAUSE);
	}
}

/* The length of the next sleep when so much was found since the last one. */
static uint32_t next_sleep(struct esf_idle *idle, uint64_t items)
{
	esf_idle_found(idle, items);
	while (esf_idle_empty(idle) != ESF_IDLE_NAP)
		continue;
	return idle->sleep_us;
}

static void sleep_grows_while_quiet_and_shrinks_under_load(void)
{
	static const struct {
		uint64_t items;
		uint32_t sleep_us;
	} steps[] = {
		{ 0, 40 },
		{ 31, 80 },
		{ 0, 160 },
		{ 0, 320 },
		{ 5, 500 },
		{ 5, 500 }, /* the most */
		{ 32, 500 },
		{ 64, 500 }, /* about a burst: stays */
		{ 65, 250 },
		{ 100, 125 },
		{ 5000, 62 },
		{ 70, 31 },
		{ 90, 20 },
		{ 90, 20 },
		{ 0, 40 },
	};
	struct esf_idle idle;

	esf_idle_start(&idle, ESF_IDLE_SLEEP, false, 500);
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++)
		CU_ASSERT_EQUAL(next_sleep(&idle, steps[i].items), steps[i].sleep_us);
	esf_idle_start(&idle, ESF_IDLE_SLEEP, false, ESF_IDLE_SLEEP_US_MIN);
	CU_ASSERT_EQUAL(next_sleep(&idle, 0), ESF_IDLE_SLEEP_US_MIN);
}

void esf_suite_nodes(void)
{
	CU_pSuite suite = CU_add_suite("nodes", NULL, NULL);

	CU_ADD_TEST(suite, nodes_split_a_busy_pass_among_them);
	CU_ADD_TEST(suite, nodes_count_nothing_before_the_first_pass);
	CU_ADD_TEST(suite, nodes_take_the_time_between_end_and_drain_as_idle);
	CU_ADD_TEST(suite, nodes_in_a_pass_under_way_leave_its_cycles_open);
	CU_ADD_TEST(suite, idle_policies_pause_yield_and_sleep_after_their_passes);
	CU_ADD_TEST(suite, sleep_grows_while_quiet_and_shrinks_under_load);
}

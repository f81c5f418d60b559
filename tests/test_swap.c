/* SPDX-License-Identifier: Apache-2.0 */
#include "suites.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>

#include <CUnit/CUnit.h>

#include "plane_fixture.h"

/* Policies replaced under shards that hold aliases, names and parcels of the former one. */

static struct fixture fixture, *const f = &fixture;

static void swap_to(struct esf_policy *policy)
{
	struct esf_policy *former = esf_plane_set_policy(f->plane, policy);

	f->policy = policy;
	rcu_thread_offline();
	synchronize_rcu();
	rcu_thread_online();
	fixture_policy_free(former);
}

static void born(uint32_t shard, uint32_t site)
{
	struct bytes b = etd_births(site, 1);

	fixture_etd(f, shard, T0, &b);
}

/* What site 1 has in the window at T0 of a measured KPI. */
static struct esf_acc acc(uint32_t measure)
{
	fixture_publish(f);
	return *esf_block_acc(esf_plane_block(f->plane, 0, T0 / WINDOW), measure);
}

/* t.scaled's values are twice what was sent and 10 more; with the rules from it on it is rule 0. */
static void values_before_stay_and_those_after_meet_the_new_rules(void)
{
	struct bytes b;

	fixture_start(f, 1);
	born(0, 1);
	b = etd(2, 1, 2, T0);
	etd_data(&b, GAUGE, 0, 0, 5);
	etd_data(&b, SCALED, 0, 0, 5);
	fixture_etd(f, 0, T0, &b);
	swap_to(fixture_policy(1, 3)); /* t.gauge is gone, the others moved up */
	b = etd(2, 1, 3, T0);
	etd_data(&b, GAUGE, 0, 0, 6);
	etd_data(&b, SCALED, 0, 0, 6);
	fixture_etd(f, 0, T0, &b);
	CU_ASSERT_EQUAL(records(f, 0, ESF_RECORD_UNMAPPED), 1);
	CU_ASSERT_EQUAL(acc(GAUGE).good, 1);
	CU_ASSERT_EQUAL(acc(GAUGE).max, 5);
	CU_ASSERT_EQUAL(acc(SCALED).good, 2);
	CU_ASSERT_EQUAL(acc(SCALED).min, 20);
	CU_ASSERT_EQUAL(acc(SCALED).max, 22);
	CU_ASSERT(fixture_stop(f));
}

/* The first set's indexes would lead past the last one's end. */
static void an_alias_that_slept_through_policies_meets_the_latest(void)
{
	struct bytes b = etd(2, 1, 2, T0);

	fixture_start(f, 1);
	born(0, 1);
	swap_to(fixture_policy(0, 0));
	swap_to(fixture_policy(1, 1));
	fixture_begin(f, 0, T0);
	fixture_end(f, 0);
	swap_to(fixture_policy(3, 1));
	etd_data(&b, BORN, 0, 0, 7);
	etd_data(&b, COUNTER, 0, 0, 7);
	fixture_etd(f, 0, T0, &b);
	CU_ASSERT_EQUAL(records(f, 0, ESF_RECORD_ACCEPTED), 1);
	CU_ASSERT_EQUAL(records(f, 0, ESF_RECORD_UNMAPPED), 1);
	CU_ASSERT_EQUAL(acc(BORN).good, 1);
	CU_ASSERT(fixture_stop(f));
}

/* Handed over under a policy with the listener, taken under one that has it no more. */
static void parcels_under_way_keep_their_listener(void)
{
	struct esf_policy *without = fixture_policy(0, MEASURES_COUNT);

	without->listener_at[ETD_PORT] = 0;
	without->listener_at[INFLUX_PORT] = 0;
	fixture_start(f, 2);
	born(1, 2); /* shard 1 owns it */
	fixture_gauge(f, 0, T0, 2, 2, 1);
	fixture_lines(f, 0, T0, "t,site=n-2 gauge=2\nt,site=n-1 gauge=3");
	swap_to(without);
	fixture_take(f, 1, T0);
	CU_ASSERT_EQUAL(records(f, 1, ESF_RECORD_ACCEPTED), 2);
	CU_ASSERT_EQUAL(records(f, 0, ESF_RECORD_ACCEPTED), 1);
	fixture_gauge(f, 0, T0, 2, 3, 1);
	CU_ASSERT_EQUAL(datagrams(f, 0, ESF_DATAGRAM_NO_LISTENER), 1);
	CU_ASSERT(fixture_stop(f));
}

static void a_policy_with_the_same_rules_matches_nothing_again(void)
{
	struct esf_policy *same = fixture_policy(0, 0);

	fixture_start(f, 1);
	born(0, 1);
	fixture_gauge(f, 0, T0, 1, 2, 1);
	/* its set takes nothing, which would show if it were asked */
	same->rules_generation = f->policy->rules_generation;
	esf_ruleset_destroy((struct esf_ruleset *)same->rules);
	same->rules = f->policy->rules;
	f->policy->rules = NULL;
	swap_to(same);
	fixture_gauge(f, 0, T0, 1, 3, 2);
	fixture_lines(f, 0, T0, "t gauge=3");
	CU_ASSERT_EQUAL(records(f, 0, ESF_RECORD_ACCEPTED), 3);
	CU_ASSERT(fixture_stop(f));
}

/* Sites 1 and 2 have each other's names now, n-3 is nobody's. */
static void lines_are_of_the_sites_that_have_their_names_now(void)
{
	static const char lines[] = "t,site=n-1 gauge=1 1700000000\nt,site=n-2 gauge=2 1700000000\n"
	                            "t,site=n-3 gauge=3 1700000000";
	static const char later[] = "t,site=n-1 gauge=4 1700000001\nt,site=n-2 gauge=5 1700000001\n"
	                            "t,site=n-3 gauge=6 1700000001";
	const struct esf_directory_site sites[] = { { .id = 1, .name = "n-2" },
		{ .id = 2, .name = "n-1" } };
	struct esf_policy *renamed = fixture_policy(0, MEASURES_COUNT);

	esf_directory_destroy((struct esf_directory *)renamed->directory);
	renamed->directory = esf_directory_create(sites, 2, fixture_key);
	fixture_start(f, 1);
	fixture_lines(f, 0, T0, lines);
	CU_ASSERT_EQUAL(acc(GAUGE).last, 1);
	swap_to(renamed);
	fixture_lines(f, 0, T0 + SECOND, later);
	CU_ASSERT_EQUAL(acc(GAUGE).last, 5);
	CU_ASSERT_EQUAL(records(f, 0, ESF_RECORD_ACCEPTED), 5);
	CU_ASSERT_EQUAL(records(f, 0, ESF_RECORD_UNKNOWN_SITE), 1);
	CU_ASSERT(fixture_stop(f));
}

enum { PASSES = 2000, SWAPS_MIN = 10 };

static atomic_int running;

static void *run_shard(void *unused)
{
	(void)unused;
	rcu_register_thread();
	for (uint32_t i = 0; i < PASSES; i++) {
		struct bytes b = etd(2, 1, i + 2, T0);
		static const char line[] = "t scaled=1";

		etd_data(&b, GAUGE, 0, 0, 1);
		etd_data(&b, BORN, 0, 0, 1);
		esf_shard_begin(esf_plane_shard(f->plane, 0), T0);
		fixture_receive(f, 0, ETD_PORT, b.data, b.size);
		fixture_receive(f, 0, INFLUX_PORT, line, sizeof(line) - 1);
		esf_shard_end(esf_plane_shard(f->plane, 0));
		rcu_quiescent_state();
		if (i % 64 == 0)
			sched_yield();
	}
	rcu_unregister_thread();
	atomic_store_explicit(&running, 0, memory_order_release); /* partner: the load below */
	return NULL;
}

/* Every other policy has no rule for the gauge: whatever the moment, each record is one or the
 * other. */
static void control_swaps_policies_while_a_shard_works(void)
{
	pthread_t thread;
	uint32_t swaps = 0;

	fixture_start(f, 1);
	born(0, 1);
	atomic_store_explicit(&running, 1, memory_order_relaxed);
	rcu_thread_offline();
	CU_ASSERT_EQUAL_FATAL(pthread_create(&thread, NULL, run_shard, NULL), 0);
	rcu_thread_online();
	while (swaps < SWAPS_MIN || atomic_load_explicit(&running, memory_order_acquire)) {
		swap_to(fixture_policy(swaps % 2, MEASURES_COUNT - swaps % 2));
		swaps++;
	}
	rcu_thread_offline();
	pthread_join(thread, NULL);
	rcu_thread_online();
	CU_ASSERT_EQUAL(datagrams(f, 0, ESF_DATAGRAM_ACCEPTED), 1 + 2 * PASSES);
	CU_ASSERT_EQUAL(
	    records(f, 0, ESF_RECORD_ACCEPTED) + records(f, 0, ESF_RECORD_UNMAPPED), 3 * PASSES);
	CU_ASSERT_EQUAL(acc(SCALED).good, PASSES);
	CU_ASSERT_EQUAL(acc(BORN).good, PASSES);
	CU_ASSERT(fixture_stop(f));
}

void esf_suite_swap(void)
{
	CU_pSuite suite = CU_add_suite("swap", NULL, NULL);

	CU_ADD_TEST(suite, values_before_stay_and_those_after_meet_the_new_rules);
	CU_ADD_TEST(suite, an_alias_that_slept_through_policies_meets_the_latest);
	CU_ADD_TEST(suite, parcels_under_way_keep_their_listener);
	CU_ADD_TEST(suite, a_policy_with_the_same_rules_matches_nothing_again);
	CU_ADD_TEST(suite, lines_are_of_the_sites_that_have_their_names_now);
	CU_ADD_TEST(suite, control_swaps_policies_while_a_shard_works);
}

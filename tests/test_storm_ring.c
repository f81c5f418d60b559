/* SPDX-License-Identifier: Apache-2.0 */
#include "lcores/handover.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>

#include <CUnit/CUnit.h>

#include "plane_fixture.h"
#include "suites.h"

/*
 * A storm through the ring that lcores have, from shard 0 to shard 1, which owns STORMING and
 * QUIET. A gauge takes one cell.
 */
enum {
	RATE = 1000, /* more than all of what QUIET sends between threads */
	BURST = 2000,
	STORMING = 2,
	QUIET = 3,
	CAPACITY = ESF_HANDOVER_CELLS_MIN - 1,
	RESERVED = CAPACITY / 2,
	PASSES = 20000,   /* of a millisecond */
	QUIET_EVERY = 50, /* passes */
};

static struct fixture fixture, *const f = &fixture;
static struct esf_handover *handover;
static atomic_bool giving;

static void *allocate(size_t size, int socket)
{
	(void)socket;
	return aligned_alloc(64, (size + 63) / 64 * 64);
}

/* The storm has begun, and all may know: 2101 datagrams in a second, then one more. */
static void begin_storm(void)
{
	for (uint32_t site = STORMING; site <= QUIET; site++) {
		struct bytes births = etd_births(site, 1);

		fixture_etd(f, 1, T0, &births);
	}
	for (uint32_t i = 0; i < BURST + 101; i++)
		fixture_gauge(f, 1, i <= BURST + 99 ? T0 : T0 + SECOND, STORMING, 2 + i, 1);
	CU_ASSERT_EQUAL(datagrams(f, 1, ESF_DATAGRAM_SHED), 0);
}

enum { NEXT_SEQ = BURST + 103 };

static void start(void)
{
	static const int sockets[2];
	struct esf_handover_options options = {
		.shards_count = 2,
		.owners = 3,
		.cells = ESF_HANDOVER_CELLS_MIN,
		.sockets = sockets,
		.allocate = allocate,
		.release = free,
	};

	CU_ASSERT_EQUAL_FATAL(esf_handover_create(&options, &handover), 0);
	fixture_start(f, 2);
	f->policy->storm = esf_storm_limits(RATE, BURST, 100, 50, 3600 * SECOND);
	for (uint32_t shard = 0; shard < 2; shard++)
		esf_shard_set_hand_over(
		    esf_plane_shard(f->plane, shard), esf_handover_put, handover);
	begin_storm();
}

static void stop(void)
{
	CU_ASSERT(fixture_stop(f));
	esf_handover_destroy(handover);
}

static void take_parcels(void *shard, const struct esf_parcel *const *parcels,
    const uint8_t *const *payloads, uint32_t count)
{
	esf_shard_take(shard, parcels, payloads, count);
}

/* A pass of the owner; how many parcels there were. */
static uint32_t take_pass(int64_t now)
{
	struct esf_shard *shard = esf_plane_shard(f->plane, 1);
	uint32_t count;

	esf_shard_begin(shard, now);
	count = esf_handover_take(handover, 1, 256, take_parcels, shard);
	esf_shard_end(shard);
	rcu_quiescent_state();
	return count;
}

static void give(int64_t now, uint32_t site, uint32_t seq)
{
	struct bytes b = etd(ESF_ETD_DATA, site, seq, now);

	etd_data(&b, 0, 0, 0, 1);
	fixture_receive(f, 0, ETD_PORT, b.data, b.size);
}

static void half_a_ring_is_left_to_quiet_sites(void)
{
	int64_t now = T0 + SECOND;
	struct esf_ledger sum;

	start();
	fixture_begin(f, 0, now);
	for (uint32_t i = 0; i < 3000; i++)
		give(now, STORMING, NEXT_SEQ + i);
	CU_ASSERT_EQUAL(datagrams(f, 0, ESF_DATAGRAM_RING_FULL), 3000 - (CAPACITY - RESERVED));
	for (uint32_t i = 0; i < RESERVED; i++)
		give(now, QUIET, 2 + i);
	CU_ASSERT_EQUAL(datagrams(f, 0, ESF_DATAGRAM_RING_FULL), 3000 - (CAPACITY - RESERVED));
	give(now, QUIET, 2 + RESERVED);
	CU_ASSERT_EQUAL(datagrams(f, 0, ESF_DATAGRAM_RING_FULL), 3001 - (CAPACITY - RESERVED));
	esf_handover_flush(handover, 0);
	fixture_end(f, 0);
	while (take_pass(now) > 0)
		;
	esf_plane_ledger(f->plane, &sum);
	CU_ASSERT_EQUAL(sum.datagrams_taken, CAPACITY);
	fixture_publish(f);
	CU_ASSERT_EQUAL(esf_plane_card(f->plane, QUIET - 1)->ledger.datagrams_received,
	    1 + RESERVED); /* and its birth */
	CU_ASSERT_EQUAL(esf_plane_card(f->plane, QUIET - 1)->ledger.shed[ESF_SHED_ETD], 0);
	CU_ASSERT(esf_plane_fleet_storms(f->plane));
	stop();
}

static void *give_storm(void *unused)
{
	(void)unused;
	rcu_register_thread();
	for (uint32_t i = 0; i < PASSES; i++) {
		int64_t now = T0 + 2 * SECOND + i * (SECOND / 1000);

		esf_shard_begin(esf_plane_shard(f->plane, 0), now);
		give(now, STORMING, NEXT_SEQ + 2 * i);
		give(now, STORMING, NEXT_SEQ + 2 * i + 1);
		if (i % QUIET_EVERY == 0)
			give(now, QUIET, 2 + i / QUIET_EVERY);
		esf_handover_flush(handover, 0);
		esf_shard_end(esf_plane_shard(f->plane, 0));
		rcu_quiescent_state();
	}
	rcu_unregister_thread();
	atomic_store(&giving, false);
	return NULL;
}

static void *take_storm(void *unused)
{
	bool over = false;

	(void)unused;
	rcu_register_thread();
	for (uint32_t i = 0; !over; i++) {
		uint32_t ms = i < PASSES ? i : PASSES;

		over = !atomic_load(&giving); /* before what may be the last look */
		over = take_pass(T0 + 2 * SECOND + ms * (SECOND / 1000)) == 0 && over;
		if (!over)
			sched_yield();
	}
	rcu_unregister_thread();
	return NULL;
}

/* Giver, taker and control, each on its own: the quiet site's are fewer than the reserve, so that
 * whatever the taker's pace none of them is refused. */
static void a_storm_between_threads_costs_a_quiet_site_nothing(void)
{
	pthread_t giver, taker;
	struct esf_ledger sum;
	uint32_t unbalanced = 0, looks = 0;

	start();
	atomic_store(&giving, true);
	rcu_thread_offline();
	CU_ASSERT_EQUAL_FATAL(pthread_create(&giver, NULL, give_storm, NULL), 0);
	CU_ASSERT_EQUAL_FATAL(pthread_create(&taker, NULL, take_storm, NULL), 0);
	do {
		esf_plane_ledger(f->plane, &sum);
		unbalanced += !esf_ledger_balances(&sum);
		looks += esf_plane_fleet_storms(f->plane);
		sched_yield();
	} while (atomic_load(&giving));
	pthread_join(giver, NULL);
	pthread_join(taker, NULL);
	rcu_thread_online();
	CU_ASSERT_EQUAL(unbalanced, 0);
	CU_ASSERT(looks > 0);
	esf_plane_ledger(f->plane, &sum);
	CU_ASSERT_EQUAL(sum.datagrams_handed, sum.datagrams_taken);
	CU_ASSERT_EQUAL(sum.datagrams[ESF_DATAGRAM_RING_FULL] + sum.datagrams_handed,
	    2 * PASSES + PASSES / QUIET_EVERY);
	fixture_publish(f);
	CU_ASSERT_EQUAL(esf_plane_card(f->plane, QUIET - 1)->ledger.datagrams_received,
	    1 + PASSES / QUIET_EVERY);
	CU_ASSERT_EQUAL(esf_plane_card(f->plane, QUIET - 1)->ledger.shed[ESF_SHED_ETD], 0);
	CU_ASSERT_EQUAL(esf_plane_card(f->plane, QUIET - 1)->lost, 0);
	stop();
}

void esf_suite_storm_ring(void)
{
	CU_pSuite suite = CU_add_suite("storm ring", NULL, NULL);

	CU_ADD_TEST(suite, half_a_ring_is_left_to_quiet_sites);
	CU_ADD_TEST(suite, a_storm_between_threads_costs_a_quiet_site_nothing);
}

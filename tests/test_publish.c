/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/shard_state.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>

#include <CUnit/CUnit.h>

#include "plane_fixture.h"
#include "suites.h"
#include "tsan_rcu.h"

/* What control sees of shards: blocks, their recycling, and ledgers while all are at work. */

static struct fixture fixture, *const f = &fixture;

static const struct esf_block *block_at(uint32_t site, int64_t time)
{
	return esf_plane_block(f->plane, site, time / WINDOW);
}

static struct esf_shard *shard(void)
{
	return esf_plane_shard(f->plane, 0);
}

static void born(uint32_t site)
{
	struct bytes b = etd_births(site, 1);

	fixture_etd(f, 0, T0, &b);
}

static void counter(uint32_t seq, int64_t time, int64_t now, double value)
{
	struct bytes b = etd(2, 1, seq, time);

	etd_data(&b, 2, 0, 0, value);
	fixture_etd(f, 0, now, &b);
}

static void blocks_come_with_epochs_and_are_cumulative(void)
{
	const struct esf_block *first, *second;

	fixture_start(f, 1);
	born(1); /* its pass is the first epoch's */
	CU_ASSERT_EQUAL(esf_plane_settled(f->plane), T0);
	fixture_gauge(f, 0, T0 + 1, 1, 2, 10);
	fixture_gauge(f, 0, T0 + SECOND - 1, 1, 3, 20);
	CU_ASSERT_EQUAL(block_at(0, T0)->accepted, 0);
	CU_ASSERT_EQUAL(esf_plane_settled(f->plane), T0);
	fixture_gauge(f, 0, T0 + SECOND, 1, 4, 30);
	CU_ASSERT_EQUAL(esf_plane_settled(f->plane), T0 + SECOND);
	first = block_at(0, T0);
	CU_ASSERT_EQUAL(first->accepted, 3);
	CU_ASSERT_EQUAL(esf_acc_mean(esf_block_acc(first, GAUGE)), 20);
	rcu_read_lock();
	fixture_begin(f, 0, T0 + 2 * SECOND);
	esf_shard_end(shard());
	CU_ASSERT_PTR_EQUAL(block_at(0, T0), first); /* nothing changed: nothing is replaced */
	rcu_read_unlock();
	fixture_gauge(f, 0, T0 + 4 * SECOND, 1, 6, 40);
	second = block_at(0, T0);
	CU_ASSERT_EQUAL(second->accepted, 4);
	CU_ASSERT_EQUAL(second->comms_accepted, 5);
	CU_ASSERT_EQUAL(esf_acc_mean(esf_block_acc(second, GAUGE)), 25);
	CU_ASSERT_EQUAL(esf_plane_first_window(f->plane), T0 / WINDOW);
	CU_ASSERT_EQUAL(esf_plane_latest_window(f->plane), T0 / WINDOW);
	CU_ASSERT(fixture_stop(f));
}

/* Seq 1 and 70: 2..6 left the window of 64 unseen. */
static void lost_datagrams_count_in_the_window_that_finds_them_out(void)
{
	fixture_start(f, 1);
	born(1);
	fixture_gauge(f, 0, T0 + WINDOW, 1, 70, 1);
	fixture_publish(f);
	CU_ASSERT_EQUAL(block_at(0, T0)->comms_lost, 0);
	CU_ASSERT_EQUAL(block_at(0, T0 + WINDOW)->comms_lost, 5);
	CU_ASSERT_EQUAL(esf_plane_card(f->plane, 0)->lost, 5);
	CU_ASSERT(fixture_stop(f));
}

/*
 * The window closes with increases still unpublished; what becomes final in the pass that closes it
 * must not be missing from its last block.
 */
static void increases_that_become_final_after_the_close_are_published(void)
{
	int64_t close = T0 + 3 * WINDOW;

	fixture_start(f, 1);
	born(1);
	for (uint32_t i = 0; i < 10; i++)
		counter(2 + i, T0 + i, T0 + 1, 5 * i);
	fixture_begin(f, 0, close);
	for (uint32_t i = 0; i < 30; i++) {
		struct bytes b = etd(2, 1, 20 + i, close + i);

		etd_data(&b, 2, 0, 0, 45 + i);
		fixture_receive(f, 0, ETD_PORT, b.data, b.size);
	}
	fixture_end(f, 0);
	CU_ASSERT_EQUAL(esf_block_acc(block_at(0, T0), COUNTER)->sum, 45);
	CU_ASSERT_EQUAL(esf_block_acc(block_at(0, close), COUNTER)->sum, 29);
	CU_ASSERT(fixture_stop(f));
}

/* A sample that comes late changes the increase of the one behind it, in another window. */
static void late_counter_sample_republishes_the_window_behind_it(void)
{
	fixture_start(f, 1);
	born(1);
	counter(2, T0, T0, 10);
	counter(3, T0 + WINDOW, T0 + WINDOW, 15);
	fixture_publish(f);
	CU_ASSERT_EQUAL(esf_block_acc(block_at(0, T0 + WINDOW), COUNTER)->sum, 5);
	counter(4, T0 + 1, T0 + WINDOW, 14);
	fixture_publish(f);
	CU_ASSERT_EQUAL(esf_block_acc(block_at(0, T0), COUNTER)->sum, 4);
	CU_ASSERT_EQUAL(esf_block_acc(block_at(0, T0 + WINDOW), COUNTER)->sum, 1);
	CU_ASSERT(fixture_stop(f));
}

static void windows_may_run_ahead_by_max_skew(void)
{
	fixture_start(f, 1);
	born(1);
	for (uint32_t i = 0; i <= SKEW / WINDOW; i++) {
		struct bytes b = etd(2, 1, 2 + i, T0 + i * WINDOW);

		etd_data(&b, 0, 0, 0, i);
		fixture_etd(f, 0, T0, &b);
	}
	fixture_publish(f);
	for (uint32_t i = 0; i <= SKEW / WINDOW; i++)
		CU_ASSERT_EQUAL(esf_block_acc(block_at(0, T0 + i * WINDOW), GAUGE)->last, i);
	CU_ASSERT_EQUAL(esf_plane_latest_window(f->plane), (T0 + SKEW) / WINDOW);
	CU_ASSERT(fixture_stop(f));
}

static void consumed_windows_go_back_to_the_pools(void)
{
	fixture_start(f, 1);
	born(1);
	born(2);
	for (uint32_t i = 0; i < 200; i++) {
		int64_t now = T0 + i * SECOND * 3;

		fixture_gauge(f, 0, now, 1 + i % 2, 2 + i, i % 100);
		if (i % 10 == 9)
			esf_plane_consume(f->plane, now / WINDOW - 3);
	}
	CU_ASSERT_EQUAL(datagrams(f, 0, ESF_DATAGRAM_ACCEPTED), 202);
	CU_ASSERT_EQUAL(records(f, 0, ESF_RECORD_ACCEPTED), 200);
	fixture_mature(f);
	CU_ASSERT(esf_pool_out(shard()->windows) <= 2 * (3 + 4));
	esf_plane_consume(f->plane, T0 / WINDOW + 1000);
	fixture_publish(f);
	CU_ASSERT_PTR_NULL(block_at(0, T0 + 199 * SECOND * 3));
	fixture_mature(f);
	CU_ASSERT_EQUAL(esf_pool_out(shard()->windows), 0);
	CU_ASSERT_EQUAL(esf_blocks_out(&shard()->blocks), 0);
	CU_ASSERT_EQUAL(esf_pool_out(shard()->cards), 2);
	CU_ASSERT(fixture_stop(f));
}

/* Control stands still: old windows keep their values, and there is no room in their place. */
static void lagging_control_costs_room_and_not_values(void)
{
	uint32_t slots, accepted, seq = 2;
	struct bytes b;

	fixture_start(f, 1);
	slots = f->plane->slots_mask + 1;
	born(1);
	for (uint32_t i = 0; i < 2 * slots; i++, seq++)
		fixture_gauge(f, 0, T0 + i * WINDOW, 1, seq, i % 100);
	accepted = (uint32_t)records(f, 0, ESF_RECORD_ACCEPTED);
	CU_ASSERT_EQUAL(accepted, slots);
	CU_ASSERT_EQUAL(records(f, 0, ESF_RECORD_NO_ROOM), slots);
	for (uint32_t i = 0; i < slots; i++)
		CU_ASSERT_EQUAL(esf_block_acc(block_at(0, T0 + i * WINDOW), GAUGE)->last, i % 100);
	CU_ASSERT_PTR_NULL(block_at(0, T0 + slots * WINDOW));
	b = etd(2, 1, seq++, f->now);
	etd_data(&b, 0, 2, 0, 5); /* bad comes before no_room */
	fixture_etd(f, 0, f->now, &b);
	CU_ASSERT_EQUAL(records(f, 0, ESF_RECORD_BAD), 1);
	esf_plane_consume(f->plane, T0 / WINDOW + slots);
	fixture_publish(f);
	fixture_gauge(f, 0, f->now, 1, seq, 7);
	CU_ASSERT_EQUAL(records(f, 0, ESF_RECORD_ACCEPTED), accepted + 1);
	CU_ASSERT(fixture_stop(f));
}

static void time_does_not_go_back(void)
{
	fixture_start(f, 1);
	born(1);
	fixture_gauge(f, 0, T0 + 5 * WINDOW, 1, 2, 1);
	fixture_gauge(f, 0, T0, 1, 3, 1); /* of a window that was closed before */
	CU_ASSERT_EQUAL(records(f, 0, ESF_RECORD_LATE), 1);
	CU_ASSERT_EQUAL(esf_plane_settled(f->plane), T0 + 5 * WINDOW);
	CU_ASSERT(fixture_stop(f));
}

static void finish_settles_at_the_end_of_time(void)
{
	fixture_start(f, 2);
	fixture_gauge(f, 0, T0, 1, 2, 1);
	CU_ASSERT_EQUAL(esf_plane_settled(f->plane), INT64_MIN); /* shard 1 has not begun */
	fixture_begin(f, 1, T0);
	fixture_end(f, 1);
	CU_ASSERT_EQUAL(esf_plane_settled(f->plane), T0);
	esf_shard_finish(esf_plane_shard(f->plane, 0));
	CU_ASSERT_EQUAL(esf_plane_settled(f->plane), T0);
	esf_shard_finish(esf_plane_shard(f->plane, 1));
	CU_ASSERT_EQUAL(esf_plane_settled(f->plane), INT64_MAX);
	CU_ASSERT(fixture_stop(f));
}

static void options_beyond_the_bounds_are_refused(void)
{
	struct esf_plane_options cases[11];
	struct esf_plane *plane;

	for (size_t i = 0; i < 11; i++)
		cases[i] = fixture_options(2);
	cases[0].window_ns = 0;
	cases[1].epoch_ns = 0;
	cases[2].windows_open = 0;
	cases[3].windows_open = ESF_WINDOWS_OPEN_MAX + 1;
	cases[4].max_skew_ns = -1;
	cases[5].max_skew_ns = (ESF_WINDOW_SLOTS_MAX - 3) * WINDOW;
	cases[6].sequence_window = 100;
	cases[7].sequence_window = 2 * ESF_SEQUENCE_WINDOW_MAX;
	cases[8].owners = 0;
	cases[9].owners = 4;
	cases[10].measures_count = ESF_KPIS_MAX + 1;
	for (size_t i = 0; i < 11; i++)
		CU_ASSERT_EQUAL(esf_plane_create(&cases[i], &plane), -EINVAL);
}

/*
 * Threads. Two shards' threads feed each other through a queue behind a lock (the rings have tests
 * of their own) while control reads ledgers, blocks and cards, and consumes.
 */

enum { PASSES = 3000 };

struct busy {
	pthread_mutex_t lock;
	pthread_t threads[2];
	_Atomic int running;
};

static struct busy busy = { .lock = PTHREAD_MUTEX_INITIALIZER };

static bool locked_hand_over(void *context, uint32_t from, uint32_t to,
    const struct esf_parcel *parcel, const uint8_t *payload, bool storms)
{
	bool put;

	pthread_mutex_lock(&busy.lock);
	put = fixture_hand_over(context, from, to, parcel, payload, storms);
	pthread_mutex_unlock(&busy.lock);
	return put;
}

static void take_inbox(uint32_t index)
{
	static struct queue taken[2];

	pthread_mutex_lock(&busy.lock);
	taken[index] = f->inbox[index];
	f->inbox[index].count = 0;
	pthread_mutex_unlock(&busy.lock);
	fixture_take_queued(f, index, &taken[index]);
}

/* A pass a tenth of a second; each shard sends for all sites, so half of it is handed over. */
static void *run_shard(void *context)
{
	uint32_t index = context != NULL;
	struct esf_shard *own = esf_plane_shard(f->plane, index);

	rcu_register_thread();
	for (uint32_t pass = 0; pass < PASSES; pass++) {
		int64_t now = T0 + pass * (SECOND / 10);
		struct bytes b = etd(2, 1 + pass % SITES_COUNT, pass + 2, now);
		static const char lines[] = "t,site=n-1 gauge=1,other=1\nt,site=n-2 gauge=1";

		b.data[12] = (uint8_t)index;
		etd_data(&b, 0, 0, 0, 1);
		etd_data(&b, 2, 0, 0, pass);
		esf_shard_begin(own, now);
		take_inbox(index);
		fixture_receive(f, index, ETD_PORT, b.data, b.size);
		fixture_receive(f, index, INFLUX_PORT, lines, sizeof(lines) - 1);
		esf_shard_end(own);
		rcu_quiescent_state();
	}
	rcu_unregister_thread();
	busy.running--;
	return NULL;
}

/* Whether the signals without a rule are those sent, and as many as the ledger has. */
static bool unmapped_are_sound(const struct esf_card *card)
{
	const struct esf_unmapped_list *list = card->unmapped;
	const char *name;
	uint32_t length;

	if (list == NULL)
		return card->ledger.records[ESF_RECORD_UNMAPPED] == 0;
	name = esf_plane_name(f->plane, list->shard, list->counts.names[0], &length);
	return list->counts.count == 1 && length == 7 && memcmp(name, "t.other", 7) == 0 &&
	       list->counts.records[0] == card->ledger.records[ESF_RECORD_UNMAPPED];
}

/* Whether all that control may see now holds together. */
static bool control_looks(int64_t settled)
{
	struct esf_ledger sum;
	bool sound = true;

	esf_plane_ledger(f->plane, &sum);
	sound = esf_ledger_balances(&sum) && sum.datagrams_taken <= sum.datagrams_handed;
	rcu_read_lock();
	for (uint32_t site = 0; site < SITES_COUNT; site++) {
		const struct esf_block *block = esf_plane_block(f->plane, site, settled / WINDOW);
		const struct esf_card *card = esf_plane_card(f->plane, site);

		if (block != NULL)
			sound = sound && block->site == site && block->window == settled / WINDOW &&
			        esf_block_acc(block, GAUGE)->good +
			                esf_block_acc(block, COUNTER)->good ==
			            block->accepted &&
			        esf_block_acc(block, GAUGE)->sum == 0;
		if (card != NULL)
			sound = sound && card->site == site &&
			        site_ledger_balances(&card->ledger) && unmapped_are_sound(card);
	}
	rcu_read_unlock();
	return sound;
}

static void start_threads(void)
{
	struct esf_plane_options options = fixture_options(2);

	options.owner_is_receiver = false;
	fixture_start_with(f, &options);
	for (uint32_t i = 0; i < 2; i++)
		esf_shard_set_hand_over(esf_plane_shard(f->plane, i), locked_hand_over, f);
	for (uint32_t stream = 0; stream < 2; stream++)
		for (uint32_t site = 1; site <= SITES_COUNT; site++) {
			struct bytes b = etd_births(site, 1);

			b.data[12] = (uint8_t)stream;
			fixture_etd(f, (site - 1) % 2, T0 - SECOND, &b);
		}
	busy.running = 2;
	rcu_thread_offline();
	for (uintptr_t i = 0; i < 2; i++)
		CU_ASSERT_EQUAL_FATAL(
		    pthread_create(&busy.threads[i], NULL, run_shard, i == 0 ? NULL : &busy), 0);
	rcu_thread_online();
}

static void control_reads_while_shards_work(void)
{
	uint32_t looks = 0, unsound = 0;

	start_threads();
	while (busy.running > 0) {
		int64_t settled = esf_plane_settled(f->plane);

		unsound += !control_looks(settled);
		looks++;
		esf_plane_consume(f->plane, settled / WINDOW - 3);
		rcu_quiescent_state();
		rcu_thread_offline();
		sched_yield();
		rcu_thread_online();
	}
	rcu_thread_offline();
	pthread_join(busy.threads[0], NULL);
	pthread_join(busy.threads[1], NULL);
	rcu_thread_online();
	CU_ASSERT(looks > 0);
	CU_ASSERT_EQUAL(unsound, 0);
	f->now = T0 + PASSES * (SECOND / 10);
	CU_ASSERT(fixture_stop(f));
}

void esf_suite_publish(void)
{
	CU_pSuite suite = CU_add_suite("publish", NULL, NULL);

	CU_ADD_TEST(suite, blocks_come_with_epochs_and_are_cumulative);
	CU_ADD_TEST(suite, lost_datagrams_count_in_the_window_that_finds_them_out);
	CU_ADD_TEST(suite, increases_that_become_final_after_the_close_are_published);
	CU_ADD_TEST(suite, late_counter_sample_republishes_the_window_behind_it);
	CU_ADD_TEST(suite, windows_may_run_ahead_by_max_skew);
	CU_ADD_TEST(suite, consumed_windows_go_back_to_the_pools);
	CU_ADD_TEST(suite, lagging_control_costs_room_and_not_values);
	CU_ADD_TEST(suite, time_does_not_go_back);
	CU_ADD_TEST(suite, finish_settles_at_the_end_of_time);
	CU_ADD_TEST(suite, options_beyond_the_bounds_are_refused);
	CU_ADD_TEST(suite, control_reads_while_shards_work);
}

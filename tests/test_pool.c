/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/pool.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <string.h>

#include <CUnit/CUnit.h>

#include "dataplane/limits.h"
#include "suites.h"

enum { CAPACITY = 64, SIZE = 100 };

static void pool_ends_at_its_capacity(void)
{
	struct esf_pool *pool = esf_pool_create(SIZE, CAPACITY);
	uint8_t *objects[CAPACITY];

	for (uint32_t i = 0; i < CAPACITY; i++) {
		objects[i] = esf_pool_take(pool);
		CU_ASSERT_PTR_NOT_NULL_FATAL(objects[i]);
		CU_ASSERT_EQUAL((uintptr_t)objects[i] % ESF_CACHE_LINE, 0);
		CU_ASSERT_EQUAL(objects[i][0] | objects[i][SIZE - 1], 0);
		memset(objects[i], (int)i, SIZE);
	}
	CU_ASSERT_PTR_NULL(esf_pool_take(pool));
	CU_ASSERT_EQUAL(esf_pool_out(pool), CAPACITY);
	for (uint32_t i = 0; i < CAPACITY; i++) /* none overlaps another */
		CU_ASSERT(objects[i][0] == i && objects[i][SIZE - 1] == i);
	esf_pool_give(pool, objects[7]);
	CU_ASSERT_PTR_EQUAL(esf_pool_take(pool), objects[7]);
	CU_ASSERT_PTR_NULL(esf_pool_take(pool));
	esf_pool_destroy(pool);
}

static void what_was_returned_is_collected_when_the_list_runs_dry(void)
{
	struct esf_pool *pool = esf_pool_create(SIZE, 2);
	void *first = esf_pool_take(pool), *second = esf_pool_take(pool);

	CU_ASSERT_PTR_NULL(esf_pool_take(pool));
	esf_pool_return(pool, first);
	esf_pool_return(pool, second);
	CU_ASSERT_PTR_NOT_NULL(esf_pool_take(pool));
	CU_ASSERT_PTR_NOT_NULL(esf_pool_take(pool));
	CU_ASSERT_PTR_NULL(esf_pool_take(pool));
	CU_ASSERT_EQUAL(esf_pool_out(pool), 2);
	esf_pool_destroy(pool);
}

static void pool_of_nothing_gives_nothing(void)
{
	struct esf_pool *pool = esf_pool_create(SIZE, 0);

	CU_ASSERT_PTR_NOT_NULL_FATAL(pool);
	CU_ASSERT_PTR_NULL(esf_pool_take(pool));
	esf_pool_destroy(pool);
}

/* One object at a time goes from the owner to another thread and comes back from there. */
struct relay {
	struct esf_pool *pool;
	void *_Atomic offered;
	_Atomic int stop;
};

static void *return_what_is_offered(void *context)
{
	struct relay *relay = context;

	while (!relay->stop) {
		void *object = atomic_exchange(&relay->offered, NULL);

		if (object != NULL)
			esf_pool_return(relay->pool, object);
		else
			sched_yield();
	}
	return NULL;
}

static void objects_come_back_from_another_thread(void)
{
	struct relay relay = { .pool = esf_pool_create(SIZE, 8) };
	pthread_t thread;
	uint32_t given = 0;

	CU_ASSERT_EQUAL_FATAL(pthread_create(&thread, NULL, return_what_is_offered, &relay), 0);
	while (given < 2000) {
		void *object = relay.offered == NULL ? esf_pool_take(relay.pool) : NULL;

		if (object == NULL) {
			sched_yield();
			continue;
		}
		memset(object, (int)given, SIZE);
		relay.offered = object;
		given++;
	}
	while (relay.offered != NULL)
		sched_yield();
	relay.stop = 1;
	pthread_join(thread, NULL);
	CU_ASSERT_EQUAL(esf_pool_out(relay.pool), 0);
	esf_pool_destroy(relay.pool);
}

void esf_suite_pool(void)
{
	CU_pSuite suite = CU_add_suite("pool", NULL, NULL);

	CU_add_test(suite, "pool_ends_at_its_capacity", pool_ends_at_its_capacity);
	CU_add_test(suite, "what_was_returned_is_collected_when_the_list_runs_dry",
	    what_was_returned_is_collected_when_the_list_runs_dry);
	CU_add_test(suite, "pool_of_nothing_gives_nothing", pool_of_nothing_gives_nothing);
	CU_add_test(
	    suite, "objects_come_back_from_another_thread", objects_come_back_from_another_thread);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/pool.h"

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

static void retired_object_is_out_until_what_was_sealed_matures(void)
{
	struct esf_pool *pool = esf_pool_create(SIZE, 3);
	void *first = esf_pool_take(pool), *second = esf_pool_take(pool),
	     *third = esf_pool_take(pool);

	CU_ASSERT_EQUAL(esf_pool_seal(pool), 0);
	esf_pool_retire(pool, first);
	esf_pool_retire(pool, second);
	CU_ASSERT_PTR_NULL(esf_pool_take(pool));
	CU_ASSERT_EQUAL(esf_pool_seal(pool), 2);
	esf_pool_retire(pool, third); /* after the seal: for the next one */
	CU_ASSERT_PTR_NULL(esf_pool_take(pool));
	CU_ASSERT_EQUAL(esf_pool_out(pool), 3);
	esf_pool_mature(pool);
	CU_ASSERT_EQUAL(esf_pool_out(pool), 1);
	CU_ASSERT_PTR_EQUAL(esf_pool_take(pool), second);
	CU_ASSERT_PTR_EQUAL(esf_pool_take(pool), first);
	CU_ASSERT_PTR_NULL(esf_pool_take(pool));
	CU_ASSERT_EQUAL(esf_pool_seal(pool), 1);
	esf_pool_mature(pool);
	CU_ASSERT_PTR_EQUAL(esf_pool_take(pool), third);
	CU_ASSERT_EQUAL(esf_pool_seal(pool), 0);
	esf_pool_destroy(pool);
}

/* Each is out, retired, or free, whatever the turns. */
static void objects_are_neither_lost_nor_given_twice(void)
{
	struct esf_pool *pool = esf_pool_create(SIZE, CAPACITY);
	uint8_t *held[CAPACITY];
	uint32_t count = 0, retired = 0, sealed = 0, state = 7;

	for (uint32_t turn = 0; turn < 20000; turn++) {
		state = state * 1664525 + 1013904223;
		if (state >> 30 == 0) {
			esf_pool_mature(pool);
			retired -= sealed;
			sealed = esf_pool_seal(pool);
			CU_ASSERT_EQUAL(sealed, retired);
		} else if (state >> 30 == 1 && count > 0) {
			CU_ASSERT_EQUAL_FATAL(held[--count][0], 1);
			held[count][0] = 0;
			esf_pool_retire(pool, held[count]);
			retired++;
		} else if (count < CAPACITY && (held[count] = esf_pool_take(pool)) != NULL) {
			CU_ASSERT_EQUAL_FATAL(held[count][0], 0);
			held[count++][0] = 1;
		}
		CU_ASSERT_EQUAL(esf_pool_out(pool), count + retired);
	}
	esf_pool_destroy(pool);
}

static void pool_of_nothing_gives_nothing(void)
{
	struct esf_pool *pool = esf_pool_create(SIZE, 0);

	CU_ASSERT_PTR_NOT_NULL_FATAL(pool);
	CU_ASSERT_PTR_NULL(esf_pool_take(pool));
	esf_pool_destroy(pool);
}

void esf_suite_pool(void)
{
	CU_pSuite suite = CU_add_suite("pool", NULL, NULL);

	CU_ADD_TEST(suite, pool_ends_at_its_capacity);
	CU_ADD_TEST(suite, retired_object_is_out_until_what_was_sealed_matures);
	CU_ADD_TEST(suite, objects_are_neither_lost_nor_given_twice);
	CU_ADD_TEST(suite, pool_of_nothing_gives_nothing);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "control/export/spool.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <CUnit/CUnit.h>

#include "suites.h"

/* What waits to be sent: nothing is lost unsaid, in memory or in a file, in whatever order things
 * happen. */
enum { CAPACITY = 1 << 16, BODY = 1 << 17 };

static char folder[64], path[96], error[ESF_SPOOL_ERROR_SIZE], body[BODY];

static void set_up(void)
{
	strcpy(folder, "/tmp/esf-spool-XXXXXX");
	CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/s", folder);
}

static void tear_down(void)
{
	unlink(path);
	CU_ASSERT_EQUAL(rmdir(folder), 0);
}

static struct esf_spool *open_spool(uint64_t capacity, const char *file)
{
	struct esf_spool *spool;

	CU_ASSERT_EQUAL_FATAL(esf_spool_open(capacity, file, &spool, error), 0);
	return spool;
}

/* Lines "number x...x", from number on, each of size bytes. Returns points pushed out. */
static uint64_t add(struct esf_spool *spool, uint32_t number, uint32_t points, uint32_t size)
{
	char text[ESF_SPOOL_RECORD_MAX];
	uint64_t pushed;

	for (uint32_t i = 0; i < points; i++) {
		memset(text + i * size, 'x', size);
		snprintf(text + i * size, 12, "%010u", number + i);
		text[i * size + 10] = ' ';
		text[(i + 1) * size - 1] = '\n';
	}
	CU_ASSERT_EQUAL(esf_spool_add(spool, text, points * size, points, &pushed), 0);
	return pushed;
}

/* How many are taken; *first: the number of the first one, and they follow each other. */
static int64_t take(struct esf_spool *spool, uint32_t most, uint32_t *first)
{
	uint64_t lost;
	size_t size, at = 0;
	int64_t points = esf_spool_take(spool, most, body, BODY, &size, &lost);

	CU_ASSERT_EQUAL(lost, 0);
	*first = points > 0 ? (uint32_t)strtoul(body, NULL, 10) : 0;
	for (int64_t i = 0; i < points; i++) {
		const char *end = memchr(body + at, '\n', size - at);

		CU_ASSERT_PTR_NOT_NULL_FATAL(end);
		at = (size_t)(end - body) + 1;
	}
	CU_ASSERT_EQUAL(at, size);
	return points;
}

static void points_come_in_their_order_and_by_parts_of_records(void)
{
	struct esf_spool *spool = open_spool(CAPACITY, NULL);
	uint32_t first;

	CU_ASSERT_EQUAL(take(spool, 5, &first), 0);
	add(spool, 0, 10, 20);
	add(spool, 10, 10, 30);
	CU_ASSERT_EQUAL(esf_spool_points(spool), 20);
	CU_ASSERT_EQUAL(take(spool, 4, &first), 4);
	CU_ASSERT_EQUAL(first, 0);
	CU_ASSERT_EQUAL(esf_spool_points(spool), 20); /* until it is known what became of them */
	CU_ASSERT_EQUAL(esf_spool_undo(spool), 0);
	CU_ASSERT_EQUAL(take(spool, 4, &first), 4);
	CU_ASSERT_EQUAL(first, 0);
	esf_spool_done(spool);
	CU_ASSERT_EQUAL(esf_spool_points(spool), 16);
	CU_ASSERT_EQUAL(take(spool, 9, &first), 9);
	CU_ASSERT_EQUAL(first, 4);
	esf_spool_done(spool);
	CU_ASSERT_EQUAL(take(spool, 99, &first), 7);
	CU_ASSERT_EQUAL(first, 13);
	esf_spool_done(spool);
	CU_ASSERT_EQUAL(esf_spool_points(spool), 0);
	CU_ASSERT_EQUAL(esf_spool_used(spool), 0);
	esf_spool_close(spool);
}

static void the_oldest_make_room_and_are_counted(void)
{
	struct esf_spool *spool = open_spool(CAPACITY, NULL);
	uint64_t pushed = 0, sent = 0;
	uint32_t first, number = 0;
	int64_t points;

	for (; number < 1000; number += 10) {
		pushed += add(spool, number, 10, 100);
		CU_ASSERT(esf_spool_used(spool) <= CAPACITY);
		CU_ASSERT_EQUAL(pushed + esf_spool_points(spool), number + 10);
	}
	CU_ASSERT(pushed > 300);
	CU_ASSERT(esf_spool_points(spool) >= 620); /* no room is wasted but at the ring's end */
	for (uint64_t want = pushed; (points = take(spool, 33, &first)) > 0; want += points) {
		CU_ASSERT_EQUAL(first, want);
		esf_spool_done(spool);
		sent += (uint64_t)points;
	}
	CU_ASSERT_EQUAL(pushed + sent, 1000);
	esf_spool_close(spool);
}

/* What is pushed out while it is under way is dropped only where it turns out not to be sent. */
static void what_is_under_way_counts_once(void)
{
	for (int outcome = 0; outcome < 2; outcome++) {
		struct esf_spool *spool = open_spool(CAPACITY, NULL);
		uint64_t pushed = 0, gone;
		uint32_t first;

		add(spool, 0, 10, 1000);
		CU_ASSERT_EQUAL(take(spool, 4, &first), 4);
		for (uint32_t i = 1; i < 12; i++)
			pushed += add(spool, 10 * i, 10, 1000);
		CU_ASSERT_EQUAL(esf_spool_points(spool) + pushed, 120);
		if (outcome == 0) {
			gone = esf_spool_undo(spool);
			CU_ASSERT_EQUAL(gone, 4);
		} else {
			esf_spool_done(spool);
			gone = 4;
		}
		CU_ASSERT_EQUAL(esf_spool_points(spool) + pushed + gone, 120);
		CU_ASSERT(take(spool, 1, &first) == 1 && first == pushed + gone);
		esf_spool_close(spool);
	}
}

static void a_file_keeps_what_waits(void)
{
	struct esf_spool *spool;
	uint32_t first;

	set_up();
	spool = open_spool(CAPACITY, path);
	for (uint32_t i = 0; i < 30; i++) /* around the ring's end more than once */
		add(spool, 10 * i, 10, 500);
	CU_ASSERT_EQUAL(take(spool, 13, &first), 13);
	esf_spool_done(spool);
	CU_ASSERT_EQUAL(take(spool, 5, &first), 5); /* and nobody knows what became of them */
	{
		uint64_t waits = esf_spool_points(spool);
		uint32_t want = first, other;

		esf_spool_close(spool);
		spool = open_spool(CAPACITY, path);
		CU_ASSERT_EQUAL(esf_spool_points(spool), waits);
		CU_ASSERT_EQUAL(take(spool, 9999, &other), (int64_t)waits);
		CU_ASSERT_EQUAL(other, want);
		CU_ASSERT_EQUAL(want + waits, 300);
	}
	esf_spool_done(spool);
	esf_spool_close(spool);
	spool = open_spool(CAPACITY, path);
	CU_ASSERT_EQUAL(esf_spool_points(spool), 0);
	add(spool, 7, 1, 50);
	esf_spool_close(spool);
	spool = open_spool(CAPACITY, path);
	CU_ASSERT(take(spool, 9, &first) == 1 && first == 7);
	esf_spool_close(spool);
	tear_down();
}

static void another_capacity_takes_the_file_along(void)
{
	struct esf_spool *spool;
	uint32_t first;

	set_up();
	spool = open_spool(CAPACITY, path);
	for (uint32_t i = 0; i < 10; i++)
		add(spool, 10 * i, 10, 500);
	esf_spool_close(spool);
	spool = open_spool(2 * CAPACITY, path);
	CU_ASSERT_EQUAL(esf_spool_points(spool), 100);
	for (uint32_t i = 10; i < 22; i++)
		CU_ASSERT_EQUAL(add(spool, 10 * i, 10, 500), 0);
	esf_spool_close(spool);
	spool = open_spool(CAPACITY, path);
	CU_ASSERT(esf_spool_points(spool) >= 120);
	CU_ASSERT_EQUAL(take(spool, 1, &first), 1);
	CU_ASSERT_EQUAL(first + esf_spool_points(spool), 220);
	esf_spool_close(spool);
	tear_down();
}

static void write_at(off_t at, const char *bytes, size_t size)
{
	int file = open(path, O_WRONLY);

	CU_ASSERT_EQUAL(pwrite(file, bytes, size, at), (ssize_t)size);
	close(file);
}

static void what_is_no_spool_is_refused_and_left_alone(void)
{
	struct esf_spool *spool, *other;
	uint32_t first;

	set_up();
	spool = open_spool(CAPACITY, path);
	add(spool, 0, 3, 50);
	add(spool, 3, 3, 50);
	CU_ASSERT_EQUAL(esf_spool_open(CAPACITY, path, &other, error), -EWOULDBLOCK);
	CU_ASSERT_PTR_NOT_NULL(strstr(error, "another program has it open"));
	CU_ASSERT_PTR_NULL(other);
	esf_spool_close(spool);
	write_at(4096 + 24 + 150 + 24 + 20, "?", 1); /* in the second record */
	spool = open_spool(CAPACITY, path);
	CU_ASSERT(take(spool, 9, &first) == 3 && first == 0);
	esf_spool_close(spool);
	write_at(16, "?", 1); /* where the ring begins */
	CU_ASSERT_EQUAL(esf_spool_open(CAPACITY, path, &spool, error), -EBADMSG);
	CU_ASSERT_PTR_NOT_NULL(strstr(error, "want a spool"));
	CU_ASSERT_EQUAL(truncate(path, 100), 0);
	CU_ASSERT_EQUAL(esf_spool_open(CAPACITY, path, &spool, error), -EBADMSG);
	CU_ASSERT_EQUAL(access(path, F_OK), 0);
	CU_ASSERT_EQUAL(esf_spool_open(CAPACITY, "/nowhere/s", &spool, error), -ENOENT);
	CU_ASSERT_EQUAL(esf_spool_open(CAPACITY, folder, &spool, error), -EISDIR);
	tear_down();
}

/* 20,000 random steps; what was added is pushed out, sent or still there, in order. */
static void any_order_of_steps_accounts_for_every_point(void)
{
	struct esf_spool *spool = open_spool(CAPACITY, NULL);
	uint64_t state = 1, pushed = 0, sent = 0;
	uint32_t number = 0, first, taken = 0;

	for (int step = 0; step < 20000; step++) {
		state = state * UINT64_C(6364136223846793005) + 1442695040888963407;
		if (state >> 62 != 0) {
			uint32_t points = 1 + (state >> 40) % 20, size = 12 + (state >> 30) % 900;

			pushed += add(spool, number, points, size);
			number += points;
		} else if (taken > 0) {
			if (state >> 61 & 1) {
				esf_spool_done(spool);
				sent += taken;
			} else {
				pushed += esf_spool_undo(spool);
			}
			taken = 0;
		} else {
			taken = (uint32_t)take(spool, 1 + (state >> 50) % 90, &first);
			CU_ASSERT(taken == 0 || first == pushed + sent);
		}
		CU_ASSERT_EQUAL_FATAL(pushed + sent + esf_spool_points(spool), number);
	}
	CU_ASSERT(pushed > 0 && sent > 0);
	esf_spool_close(spool);
}

void esf_suite_spool(void)
{
	CU_pSuite suite = CU_add_suite("spool", NULL, NULL);

	CU_ADD_TEST(suite, points_come_in_their_order_and_by_parts_of_records);
	CU_ADD_TEST(suite, the_oldest_make_room_and_are_counted);
	CU_ADD_TEST(suite, what_is_under_way_counts_once);
	CU_ADD_TEST(suite, a_file_keeps_what_waits);
	CU_ADD_TEST(suite, another_capacity_takes_the_file_along);
	CU_ADD_TEST(suite, what_is_no_spool_is_refused_and_left_alone);
	CU_ADD_TEST(suite, any_order_of_steps_accounts_for_every_point);
}

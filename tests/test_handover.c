/* SPDX-License-Identifier: Apache-2.0 */
#include "lcores/handover.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include <CUnit/CUnit.h>

#include "suites.h"

enum {
	CELLS = ESF_HANDOVER_CELLS_MIN,
	CAPACITY = CELLS - 1, /* an rte_ring keeps one free */
	ONE_CELL = 48,        /* bytes of payload that fill a cell exactly */
	PARCELS_THREADED = 200000,
	SHARDS = 3,
};

static int live_allocations;

static void *test_allocate(size_t size, int socket)
{
	(void)socket;
	live_allocations++;
	return aligned_alloc(64, (size + 63) / 64 * 64);
}

static void test_release(void *memory)
{
	live_allocations--;
	free(memory);
}

/* Memory with bytes behind it that nobody may write to. */
enum { GUARD = 64, GUARDED_MAX = 16 };

static struct {
	uint8_t *end[GUARDED_MAX];
	uint32_t count;
} guarded;

static void *test_allocate_guarded(size_t size, int socket)
{
	size_t whole = (size + 63) / 64 * 64;
	uint8_t *memory = test_allocate(whole + GUARD, socket);

	CU_ASSERT_FATAL(guarded.count < GUARDED_MAX);
	memset(memory + size, 0xa5, whole - size + GUARD);
	guarded.end[guarded.count++] = memory + size;
	return memory;
}

static uint32_t bytes_written_behind(void)
{
	uint32_t written = 0;

	for (uint32_t i = 0; i < guarded.count; i++)
		for (uint32_t j = 0; j < GUARD; j++)
			written += guarded.end[i][j] != 0xa5;
	return written;
}

static struct esf_handover *create_with(
    uint32_t shards, uint64_t owners, void *(*allocate)(size_t size, int socket))
{
	static const int sockets[ESF_SHARDS_MAX];
	struct esf_handover_options options = {
		.shards_count = shards,
		.owners = owners,
		.cells = CELLS,
		.sockets = sockets,
		.allocate = allocate,
		.release = test_release,
	};
	struct esf_handover *handover = NULL;

	CU_ASSERT_EQUAL_FATAL(esf_handover_create(&options, &handover), 0);
	return handover;
}

static struct esf_handover *create(uint32_t shards, uint64_t owners)
{
	return create_with(shards, owners, test_allocate);
}

/* The parcel numbered `number` of `size` bytes; its bytes follow from both. */
static void fill(uint8_t *payload, uint32_t number, uint32_t size)
{
	for (uint32_t i = 0; i < size; i++)
		payload[i] = (uint8_t)(number * 131 + i * 7 + (i >> 8));
}

static bool put(
    struct esf_handover *handover, uint32_t from, uint32_t to, uint32_t number, uint32_t size)
{
	uint8_t *payload = malloc(size + 1); /* exact, so that a sanitizer sees an over-read */
	struct esf_parcel parcel = {
		.size = (uint16_t)size,
		.kind = number % 2 ? ESF_PARCEL_LINES : ESF_PARCEL_DATAGRAM,
		.listener = (uint8_t)number,
		.site = number,
		.arrival = (int64_t)number * 1000,
	};
	bool taken;

	fill(payload, number, size);
	taken = esf_handover_put(handover, from, to, &parcel, payload, false);
	free(payload);
	return taken;
}

/* What a taker saw. */
struct seen {
	uint32_t next; /* the number that has to come now */
	uint32_t parcels;
	uint64_t bytes;
	uint32_t wrong;
	uint32_t last_site;
};

static bool is_intact(const struct esf_parcel *parcel, const uint8_t *payload)
{
	static _Thread_local uint8_t expected[ESF_DATAGRAM_MAX];

	fill(expected, parcel->site, parcel->size);
	return parcel->arrival == (int64_t)parcel->site * 1000 &&
	       parcel->listener == (uint8_t)parcel->site &&
	       parcel->kind == (parcel->site % 2 ? ESF_PARCEL_LINES : ESF_PARCEL_DATAGRAM) &&
	       memcmp(payload, expected, parcel->size) == 0;
}

static void see_one(struct seen *seen, const struct esf_parcel *parcel, const uint8_t *payload)
{
	seen->wrong += parcel->site != seen->next || !is_intact(parcel, payload);
	seen->next++;
	seen->parcels++;
	seen->bytes += parcel->size;
	seen->last_site = parcel->site;
}

static void see(void *context, const struct esf_parcel *const *parcels,
    const uint8_t *const *payloads, uint32_t count)
{
	struct seen *seen = context;

	seen->wrong += count == 0 || count > ESF_PARCELS_MAX;
	for (uint32_t i = 0; i < count; i++)
		see_one(seen, parcels[i], payloads[i]);
}

static uint32_t take_all(struct esf_handover *handover, uint32_t to, struct seen *seen)
{
	return esf_handover_take(handover, to, UINT32_MAX, see, seen);
}

static void handover_gives_a_parcel_as_it_was_put(void)
{
	static const uint32_t sizes[] = { 0, 1, 47, 48, 49, 63, 64, 111, 112, 113, 1472, 9000,
		65506, 65507 };
	struct esf_handover *handover = create(2, 3);

	for (uint32_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		struct seen seen = { .next = i };

		CU_ASSERT_TRUE(put(handover, 0, 1, i, sizes[i]));
		esf_handover_flush(handover, 0);
		CU_ASSERT_EQUAL(take_all(handover, 1, &seen), 1);
		CU_ASSERT_EQUAL(seen.wrong, 0);
		CU_ASSERT_EQUAL(seen.bytes, sizes[i]);
	}
	esf_handover_destroy(handover);
}

/* Parcels of each number of cells come to lie at the ring's very end, full to the byte and not. */
static void handover_writes_nothing_behind_its_ring(void)
{
	for (uint32_t size = 0; size < 300; size++) {
		struct esf_handover *handover;
		struct seen seen = { 0 };

		guarded.count = 0;
		handover = create_with(2, 3, test_allocate_guarded);
		for (uint32_t i = 0; i < 2 * CELLS; i++) {
			CU_ASSERT_TRUE(put(handover, 0, 1, i, size));
			esf_handover_flush(handover, 0);
			CU_ASSERT_EQUAL(take_all(handover, 1, &seen), 1);
		}
		CU_ASSERT_EQUAL(seen.wrong, 0);
		CU_ASSERT_EQUAL(bytes_written_behind(), 0);
		esf_handover_destroy(handover);
	}
}

static void handover_shows_nothing_before_the_flush(void)
{
	struct esf_handover *handover = create(2, 3);
	struct seen seen = { 0 };

	CU_ASSERT_TRUE(put(handover, 0, 1, 0, ONE_CELL));
	CU_ASSERT_TRUE(put(handover, 0, 1, 1, ONE_CELL));
	CU_ASSERT_TRUE(esf_handover_is_empty(handover, 1));
	CU_ASSERT_EQUAL(take_all(handover, 1, &seen), 0);
	esf_handover_flush(handover, 0);
	CU_ASSERT_FALSE(esf_handover_is_empty(handover, 1));
	CU_ASSERT_EQUAL(take_all(handover, 1, &seen), 2);
	CU_ASSERT_TRUE(esf_handover_is_empty(handover, 1));
	CU_ASSERT_EQUAL(seen.wrong, 0);
	esf_handover_destroy(handover);
}

/* Sizes that no multiple of the ring divides, so that heads and payloads meet the wrap everywhere.
 */
static void handover_keeps_order_and_bytes_across_the_wrap(void)
{
	struct esf_handover *handover = create(2, 3);
	struct seen seen = { 0 };
	uint64_t bytes = 0;

	for (uint32_t i = 0; i < 20000; i++) {
		uint32_t size = i % 100 == 99 ? 65507 - i % 977 : i * 37 % 1500;

		CU_ASSERT_TRUE_FATAL(put(handover, 0, 1, i, size));
		bytes += size;
		if (i % 3 == 2 || i % 100 >= 97) {
			esf_handover_flush(handover, 0);
			take_all(handover, 1, &seen);
		}
	}
	esf_handover_flush(handover, 0);
	take_all(handover, 1, &seen);
	CU_ASSERT_EQUAL(seen.parcels, 20000);
	CU_ASSERT_EQUAL(seen.bytes, bytes);
	CU_ASSERT_EQUAL(seen.wrong, 0);
	esf_handover_destroy(handover);
}

static void check_flush(struct esf_handover *handover, uint32_t put, uint32_t refused)
{
	struct esf_handover_flushed flushed = esf_handover_flush(handover, 0);

	CU_ASSERT_EQUAL(flushed.put, put);
	CU_ASSERT_EQUAL(flushed.refused, refused);
}

/* Each flush says what was put and refused since the one before. */
static void handover_refuses_when_full_and_loses_nothing(void)
{
	struct esf_handover *handover = create(2, 3);
	struct seen seen = { 0 };

	for (uint32_t i = 0; i < CAPACITY; i++)
		CU_ASSERT_TRUE_FATAL(put(handover, 0, 1, i, ONE_CELL));
	CU_ASSERT_FALSE(put(handover, 0, 1, CAPACITY, 0));
	CU_ASSERT_FALSE(put(handover, 0, 1, CAPACITY, ESF_DATAGRAM_MAX));
	check_flush(handover, CAPACITY, 2);
	CU_ASSERT_FALSE(put(handover, 0, 1, CAPACITY, ONE_CELL));
	CU_ASSERT_EQUAL(esf_handover_take(handover, 1, 1, see, &seen), 1);
	CU_ASSERT_FALSE(put(handover, 0, 1, CAPACITY, ONE_CELL + 1));
	CU_ASSERT_TRUE(put(handover, 0, 1, CAPACITY, ONE_CELL));
	check_flush(handover, 1, 2);
	check_flush(handover, 0, 0);
	take_all(handover, 1, &seen);
	CU_ASSERT_EQUAL(seen.parcels, CAPACITY + 1);
	CU_ASSERT_EQUAL(seen.wrong, 0);
	esf_handover_destroy(handover);
}

/* A refused parcel must not keep a smaller one from what room there is, nor hide what was put
 * before. */
static void handover_takes_a_smaller_parcel_after_a_refusal(void)
{
	struct esf_handover *handover = create(2, 3);
	struct seen seen = { 0 };

	CU_ASSERT_TRUE(put(handover, 0, 1, 0, ESF_DATAGRAM_MAX));
	CU_ASSERT_EQUAL(ESF_HANDOVER_PARCEL_CELLS_MAX, 1024);
	CU_ASSERT_FALSE(put(handover, 0, 1, 1, ESF_DATAGRAM_MAX)); /* 1023 cells are left */
	CU_ASSERT_TRUE(put(handover, 0, 1, 1, 1023 * 64 - 16));
	CU_ASSERT_FALSE(put(handover, 0, 1, 2, 0));
	esf_handover_flush(handover, 0);
	CU_ASSERT_EQUAL(take_all(handover, 1, &seen), 2);
	CU_ASSERT_EQUAL(seen.wrong, 0);
	esf_handover_destroy(handover);
}

static struct esf_handover_counts counts_of(
    const struct esf_handover *handover, uint32_t from, uint32_t to)
{
	struct esf_handover_counts counts;

	CU_ASSERT_TRUE_FATAL(esf_handover_counts(handover, from, to, &counts));
	return counts;
}

/* 20 parcels of one cell and one of three: 23 cells; later fewer, and then as many as there are. */
static void handover_remembers_how_full_a_ring_was(void)
{
	struct esf_handover *handover = create(2, 3);
	struct seen seen = { 0 };

	CU_ASSERT_EQUAL(counts_of(handover, 0, 1).capacity, CAPACITY);
	CU_ASSERT_EQUAL(counts_of(handover, 0, 1).high_water, 0);
	for (uint32_t i = 0; i < 20; i++)
		put(handover, 0, 1, i, ONE_CELL);
	put(handover, 0, 1, 20, 3 * 64 - 16);
	esf_handover_flush(handover, 0);
	CU_ASSERT_EQUAL(counts_of(handover, 0, 1).high_water, 23);
	take_all(handover, 1, &seen);
	put(handover, 0, 1, 21, ONE_CELL);
	esf_handover_flush(handover, 0);
	CU_ASSERT_EQUAL(counts_of(handover, 0, 1).high_water, 23);
	for (uint32_t i = 22; i < 21 + CAPACITY; i++)
		CU_ASSERT_TRUE_FATAL(put(handover, 0, 1, i, ONE_CELL));
	esf_handover_flush(handover, 0);
	CU_ASSERT_EQUAL(counts_of(handover, 0, 1).high_water, CAPACITY);
	CU_ASSERT_EQUAL(counts_of(handover, 0, 1).refused, 0);
	take_all(handover, 1, &seen);
	CU_ASSERT_EQUAL(seen.parcels, 21 + CAPACITY);
	CU_ASSERT_EQUAL(seen.wrong, 0);
	esf_handover_destroy(handover);
}

/* Three put to a full ring, from 0 to 1: nobody else's count knows of it. */
static void handover_counts_refusals_where_they_happen(void)
{
	struct esf_handover *handover = create(SHARDS, 3);
	struct esf_handover_counts counts;
	struct seen seen = { 0 };

	for (uint32_t i = 0; i < CAPACITY; i++)
		put(handover, 0, 1, i, ONE_CELL);
	for (uint32_t i = 0; i < 3; i++)
		CU_ASSERT_FALSE(put(handover, 0, 1, CAPACITY, ONE_CELL));
	CU_ASSERT_EQUAL(counts_of(handover, 0, 1).refused, 3);
	CU_ASSERT_EQUAL(counts_of(handover, 0, 1).high_water, CAPACITY);
	CU_ASSERT_EQUAL(counts_of(handover, 1, 0).refused, 0);
	CU_ASSERT_EQUAL(counts_of(handover, 2, 1).refused, 0);
	CU_ASSERT_EQUAL(counts_of(handover, 2, 1).high_water, 0);
	CU_ASSERT_FALSE(esf_handover_counts(handover, 0, 2, &counts)); /* 2 owns nothing */
	CU_ASSERT_FALSE(esf_handover_counts(handover, 1, 1, &counts));
	CU_ASSERT_EQUAL(take_all(handover, 1, &seen), CAPACITY);
	CU_ASSERT_EQUAL(seen.wrong, 0);
	esf_handover_destroy(handover);
}

static void handover_stops_at_the_budget_and_shares_it(void)
{
	struct esf_handover *handover = create(SHARDS, 1);
	uint32_t from_each[SHARDS] = { 0 };

	for (uint32_t i = 0; i < 100; i++) {
		put(handover, 1, 0, 1, ONE_CELL);
		put(handover, 2, 0, 2, ONE_CELL);
	}
	esf_handover_flush(handover, 1);
	esf_handover_flush(handover, 2);
	for (uint32_t i = 0; i < 20; i++) {
		struct seen seen = { 0 };

		CU_ASSERT_EQUAL(esf_handover_take(handover, 0, 1, see, &seen), 1);
		from_each[seen.last_site]++;
	}
	CU_ASSERT_EQUAL(from_each[1], 10);
	CU_ASSERT_EQUAL(from_each[2], 10);
	CU_ASSERT_EQUAL(esf_handover_take(handover, 0, 50, see, &(struct seen){ 0 }), 50);
	CU_ASSERT_EQUAL(esf_handover_take(handover, 0, 500, see, &(struct seen){ 0 }), 130);
	esf_handover_destroy(handover);
}

static void handover_gives_no_inbox_to_a_shard_that_owns_nothing(void)
{
	struct esf_handover *handover = create(2, 2);
	struct seen seen = { 0 };

	CU_ASSERT_EQUAL(take_all(handover, 0, &seen), 0);
	CU_ASSERT_TRUE(esf_handover_is_empty(handover, 0));
	CU_ASSERT_TRUE(put(handover, 0, 1, 0, 100));
	esf_handover_flush(handover, 0);
	CU_ASSERT_EQUAL(take_all(handover, 1, &seen), 1);
	esf_handover_destroy(handover);
}

static void handover_refuses_bad_bounds_and_gives_all_memory_back(void)
{
	static const int sockets[ESF_SHARDS_MAX];
	static const struct {
		uint32_t shards, cells;
	} bad[] = { { 0, CELLS }, { ESF_SHARDS_MAX + 1, CELLS }, { 2, CELLS / 2 }, { 2, CELLS + 1 },
		{ 2, 2 * ESF_HANDOVER_CELLS_MAX } };
	struct esf_handover *handover;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct esf_handover_options options = { .shards_count = bad[i].shards,
			.owners = 3,
			.cells = bad[i].cells,
			.sockets = sockets,
			.allocate = test_allocate,
			.release = test_release };

		CU_ASSERT_EQUAL(esf_handover_create(&options, &handover), -EINVAL);
	}
	live_allocations = 0;
	esf_handover_destroy(create(ESF_SHARDS_MAX, 0xff));
	CU_ASSERT_EQUAL(live_allocations, 0);
}

static int allocations_allowed;

static void *allocate_a_few(size_t size, int socket)
{
	return allocations_allowed-- > 0 ? test_allocate(size, socket) : NULL;
}

static void handover_undoes_itself_when_memory_runs_out(void)
{
	static const int sockets[ESF_SHARDS_MAX];
	struct esf_handover_options options = { .shards_count = SHARDS,
		.owners = 7,
		.cells = CELLS,
		.sockets = sockets,
		.allocate = allocate_a_few,
		.release = test_release };
	struct esf_handover *handover;

	/* itself, a sender and a receiver for each shard, and a ring for each of 6 pairs */
	for (int allowed = 0; allowed < 1 + 2 * SHARDS + 6; allowed++) {
		allocations_allowed = allowed;
		live_allocations = 0;
		CU_ASSERT_EQUAL(esf_handover_create(&options, &handover), -ENOMEM);
		CU_ASSERT_EQUAL(live_allocations, 0);
	}
	allocations_allowed = 1 + 2 * SHARDS + 6;
	CU_ASSERT_EQUAL_FATAL(esf_handover_create(&options, &handover), 0);
	esf_handover_destroy(handover);
	CU_ASSERT_EQUAL(live_allocations, 0);
}

static void handover_rings_stay_within_their_memory(void)
{
	CU_ASSERT_EQUAL(esf_handover_cells(1, 1), ESF_HANDOVER_CELLS_MAX);
	CU_ASSERT_EQUAL(esf_handover_cells(4, 0xf), ESF_HANDOVER_CELLS_MAX); /* 12 MiB */
	CU_ASSERT_EQUAL(esf_handover_cells(16, 0xffff), 4096);               /* 240 rings, 60 MiB */
	CU_ASSERT_EQUAL(esf_handover_cells(32, UINT32_MAX), ESF_HANDOVER_CELLS_MIN);
}

/* One direction of a two-thread run; the producer's half is the thread's, the rest the test's after
 * joining. */
struct stream {
	struct esf_handover *handover;
	uint32_t from, to;
	uint32_t put, refused;
	uint64_t bytes;
};

static uint32_t odd_size(uint32_t number)
{
	uint32_t hash = number * 2654435761U;

	return number % 500 == 0 ? ESF_DATAGRAM_MAX - hash % 64 : (hash >> 16) % 300;
}

static void *produce(void *context)
{
	struct stream *stream = context;

	while (stream->put < PARCELS_THREADED) {
		uint32_t size = odd_size(stream->put);

		if (put(stream->handover, stream->from, stream->to, stream->put, size)) {
			stream->put++;
			stream->bytes += size;
		} else {
			stream->refused++;
			sched_yield();
		}
		if (stream->put % 17 == 0)
			esf_handover_flush(stream->handover, stream->from);
	}
	esf_handover_flush(stream->handover, stream->from);
	return NULL;
}

static void handover_conserves_between_two_threads(void)
{
	struct esf_handover *handover = create(2, 3);
	struct stream stream = { .handover = handover, .from = 0, .to = 1 };
	struct seen seen = { 0 };
	pthread_t producer;

	CU_ASSERT_EQUAL_FATAL(pthread_create(&producer, NULL, produce, &stream), 0);
	while (seen.parcels < PARCELS_THREADED)
		if (esf_handover_take(handover, 1, 64, see, &seen) == 0) {
			CU_ASSERT(counts_of(handover, 0, 1).high_water <= CAPACITY);
			sched_yield();
		}
	pthread_join(producer, NULL);
	CU_ASSERT_EQUAL(counts_of(handover, 0, 1).refused, stream.refused);
	CU_ASSERT(counts_of(handover, 0, 1).high_water <= CAPACITY);
	CU_ASSERT_EQUAL(seen.parcels, stream.put);
	CU_ASSERT_EQUAL(seen.bytes, stream.bytes);
	CU_ASSERT_EQUAL(seen.wrong, 0);
	CU_ASSERT_TRUE(esf_handover_is_empty(handover, 1));
	esf_handover_destroy(handover);
}

void esf_suite_handover(void)
{
	CU_pSuite suite = CU_add_suite("handover", NULL, NULL);

	CU_ADD_TEST(suite, handover_gives_a_parcel_as_it_was_put);
	CU_ADD_TEST(suite, handover_writes_nothing_behind_its_ring);
	CU_ADD_TEST(suite, handover_shows_nothing_before_the_flush);
	CU_ADD_TEST(suite, handover_keeps_order_and_bytes_across_the_wrap);
	CU_ADD_TEST(suite, handover_refuses_when_full_and_loses_nothing);
	CU_ADD_TEST(suite, handover_takes_a_smaller_parcel_after_a_refusal);
	CU_ADD_TEST(suite, handover_remembers_how_full_a_ring_was);
	CU_ADD_TEST(suite, handover_counts_refusals_where_they_happen);
	CU_ADD_TEST(suite, handover_stops_at_the_budget_and_shares_it);
	CU_ADD_TEST(suite, handover_gives_no_inbox_to_a_shard_that_owns_nothing);
	CU_ADD_TEST(suite, handover_refuses_bad_bounds_and_gives_all_memory_back);
	CU_ADD_TEST(suite, handover_undoes_itself_when_memory_runs_out);
	CU_ADD_TEST(suite, handover_rings_stay_within_their_memory);
	CU_ADD_TEST(suite, handover_conserves_between_two_threads);
}

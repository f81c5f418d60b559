/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/dedup.h"

#include <stdio.h>
#include <string.h>

#include <CUnit/CUnit.h>

#include "dataplane/limits.h"
#include "dedup_model.h"
#include "suites.h"

enum {
	OK = ESF_DATAGRAM_ACCEPTED,
	DUP = ESF_DATAGRAM_DUPLICATE,
	OLD = ESF_DATAGRAM_STALE,

	BOOT = 1000,
	BOOT_LIMIT = 2000,
	WORDS_MAX = ESF_SEQUENCE_WINDOW_MAX / 64,
	STEPS_MAX = 12,
};

static const uint32_t sizes[] = { 64, 1024, 8192 };

enum { SIZES = sizeof(sizes) / sizeof(sizes[0]) };

struct step {
	uint32_t boot; /* 0 ends a table */
	uint32_t seq;
	int verdict;
	uint64_t lost; /* after the step */
};

static void play(uint32_t size, const struct step *steps)
{
	struct esf_dedup dedup = { 0 };
	uint64_t bitmap[WORDS_MAX] = { 0 };

	for (int i = 0; i < STEPS_MAX && steps[i].boot != 0; i++) {
		const struct step *step = &steps[i];
		int verdict =
		    esf_dedup_accept(&dedup, bitmap, size, step->boot, step->seq, BOOT_LIMIT);

		if (verdict != step->verdict || dedup.lost != step->lost)
			fprintf(stderr, "step %d: verdict %d, lost %llu\n", i, verdict,
			    (unsigned long long)dedup.lost);
		CU_ASSERT_EQUAL(verdict, step->verdict);
		CU_ASSERT_EQUAL(dedup.lost, step->lost);
	}
}

static void window_edges_are_exact(void)
{
	for (int i = 0; i < SIZES; i++) {
		uint32_t size = sizes[i];
		const struct step steps[STEPS_MAX] = {
			{ BOOT, 3 * size, OK, 0 },
			{ BOOT, 2 * size, OLD, 0 },    /* highest - size */
			{ BOOT, 2 * size + 1, OK, 0 }, /* highest - size + 1 */
			{ BOOT, 2 * size + 1, DUP, 0 },
			{ BOOT, 3 * size, DUP, 0 },
			{ BOOT, 1, OLD, 0 },
			{ BOOT, 3 * size + 1, OK, 0 }, /* takes the bit of the one that leaves */
			{ BOOT, 2 * size + 1, OLD, 0 },
			{ BOOT, 2 * size + 2, OK, 0 },
			{ BOOT, 3 * size + 1, DUP, 0 },
		};

		play(size, steps);
	}
}

static void numbers_up_to_the_last_one_work(void)
{
	for (int i = 0; i < SIZES; i++) {
		uint32_t size = sizes[i];
		const struct step steps[STEPS_MAX] = {
			{ BOOT, UINT32_MAX - 1, OK, 0 },
			{ BOOT, UINT32_MAX, OK, 0 },
			{ BOOT, UINT32_MAX, DUP, 0 },
			{ BOOT, UINT32_MAX - size, OLD, 0 },
			{ BOOT, UINT32_MAX - size + 1, OK, 0 },
			{ BOOT, UINT32_MAX - size + 1, DUP, 0 },
			{ BOOT, 1, OLD, 0 },
			{ BOOT + 1, 1, OK, size - 3 },
		};

		play(size, steps);
	}
}

static void jump_over_all_numbers_counts_them(void)
{
	static const struct step steps[STEPS_MAX] = {
		{ BOOT, 1, OK, 0 },
		/* 2 .. 2^32 - 1 - 64 have left: 2^32 - 1 - 64 - 1 numbers */
		{ BOOT, UINT32_MAX, OK, 4294967230 },
		{ BOOT, 1, OLD, 4294967230 },
		/* and with the life's end 63 more */
		{ BOOT + 1, 7, OK, 4294967293 },
	};

	play(64, steps);
}

static void gaps_are_lost_when_they_leave_the_window(void)
{
	static const struct step steps[STEPS_MAX] = {
		{ BOOT, 10, OK, 0 }, { BOOT, 13, OK, 0 }, /* 11, 12 missing, still in the window */
		{ BOOT, 74, OK, 0 },                      /* 10 has left */
		{ BOOT, 75, OK, 1 },                      /* 11 has */
		{ BOOT, 12, OK, 1 },                      /* came in time */
		{ BOOT, 76, OK, 1 }, { BOOT, 77, OK, 1 }, /* 13 has left */
		{ BOOT, 80, OK, 4 },                      /* 14, 15, 16 */
	};

	play(64, steps);
}

static void numbers_below_the_lowest_are_not_gaps(void)
{
	static const struct step steps[STEPS_MAX] = {
		{ BOOT, 100, OK, 0 },
		{ BOOT, 163, OK, 0 }, /* window 100 .. 163: everything before 100 has left */
		{ BOOT, 164, OK, 0 }, { BOOT, 165, OK, 1 }, /* 101 */
	};
	static const struct step lowered[STEPS_MAX] = {
		{ BOOT, 100, OK, 0 }, { BOOT, 95, OK, 0 }, /* now 96 .. 99 are gaps */
		{ BOOT, 160, OK, 1 },                      /* 96 has left */
		{ BOOT, 97, OK, 1 }, { BOOT, 163, OK, 3 }, /* 98, 99 */
	};
	static const struct step from_one[STEPS_MAX] = {
		{ BOOT, 3, OK, 0 }, { BOOT, 1, OK, 0 }, { BOOT, 64, OK, 0 }, { BOOT, 65, OK, 0 },
		{ BOOT, 66, OK, 1 }, /* 2 */
	};

	play(64, steps);
	play(64, lowered);
	play(64, from_one);
}

static void jump_beyond_the_window_loses_what_it_skips(void)
{
	static const struct step steps[STEPS_MAX] = {
		{ BOOT, 1, OK, 0 },
		{ BOOT, 5, OK, 0 },
		/* window 937 .. 1000; of 1 .. 936 two were seen */
		{ BOOT, 1000, OK, 934 },
		{ BOOT, 936, OLD, 934 },
		{ BOOT, 937, OK, 934 },
		/* a jump of exactly the window: 938 .. 999 leave, 1000 was seen, window 1001 ..
		   1064 */
		{ BOOT, 1064, OK, 996 },
		/* one more than the window: 1001 .. 1063, and 1065 which never had a bit */
		{ BOOT, 1129, OK, 1060 },
	};

	play(64, steps);
}

static void higher_boot_begins_a_new_life(void)
{
	static const struct step steps[STEPS_MAX] = {
		{ BOOT, 50, OK, 0 },
		{ BOOT, 53, OK, 0 },
		{ BOOT - 1, 54, OLD, 0 },
		{ BOOT + 1, 53, OK, 2 }, /* 51, 52 of the old life */
		{ BOOT + 1, 50, OK, 2 }, /* not seen in this one */
		{ BOOT, 54, OLD, 2 },
		{ BOOT + 1, 53, DUP, 2 },
		{ BOOT + 5, 1, OK, 4 },
		{ BOOT + 6, 900, OK, 4 },
		{ BOOT + 6, 836, OLD, 4 },
	};

	play(64, steps);
}

static void boot_is_believed_up_to_the_limit(void)
{
	static const struct step steps[STEPS_MAX] = {
		{ BOOT_LIMIT + 1, 1, OLD, 0 },
		{ UINT32_MAX, 1, OLD, 0 },
		{ BOOT, 1, OK, 0 },
		{ BOOT_LIMIT + 1, 2, OLD, 0 },
		{ BOOT, 3, OK, 0 },
		{ BOOT_LIMIT, 1, OK, 1 },
		{ BOOT_LIMIT, 1, DUP, 1 },
		{ BOOT, 4, OLD, 1 },
	};

	play(64, steps);
}

static void boot_zero_is_a_life_like_any_other(void)
{
	struct esf_dedup dedup = { 0 };
	uint64_t bitmap[1] = { 0 };

	CU_ASSERT_EQUAL(esf_dedup_accept(&dedup, bitmap, 64, 0, 9, BOOT_LIMIT), OK);
	CU_ASSERT_EQUAL(esf_dedup_accept(&dedup, bitmap, 64, 0, 9, BOOT_LIMIT), DUP);
	CU_ASSERT_EQUAL(esf_dedup_accept(&dedup, bitmap, 64, 1, 9, BOOT_LIMIT), OK);
	CU_ASSERT_EQUAL(esf_dedup_accept(&dedup, bitmap, 64, 0, 10, BOOT_LIMIT), OLD);
}

static void first_datagram_needs_no_clean_bitmap(void)
{
	struct esf_dedup dedup = { 0 };
	uint64_t bitmap[1] = { UINT64_MAX };

	CU_ASSERT_EQUAL(esf_dedup_accept(&dedup, bitmap, 64, BOOT, 9, BOOT_LIMIT), OK);
	CU_ASSERT_EQUAL(esf_dedup_accept(&dedup, bitmap, 64, BOOT, 8, BOOT_LIMIT), OK);
	CU_ASSERT_EQUAL(bitmap[0], UINT64_C(3) << 8);
}

static void refusals_change_nothing(void)
{
	static const struct {
		uint32_t boot;
		uint32_t seq;
	} refused[] = { { BOOT, 500 }, { BOOT, 436 }, { BOOT - 1, 501 }, { BOOT_LIMIT + 1, 501 } };
	struct esf_dedup dedup = { 0 };
	uint64_t bitmap[1] = { 0 };
	struct esf_dedup before;
	uint64_t bitmap_before;

	esf_dedup_accept(&dedup, bitmap, 64, BOOT, 490, BOOT_LIMIT);
	esf_dedup_accept(&dedup, bitmap, 64, BOOT, 500, BOOT_LIMIT);
	before = dedup;
	bitmap_before = bitmap[0];
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		CU_ASSERT_NOT_EQUAL(esf_dedup_accept(&dedup, bitmap, 64, refused[i].boot,
		                        refused[i].seq, BOOT_LIMIT),
		    OK);
		CU_ASSERT_EQUAL(memcmp(&dedup, &before, sizeof(before)), 0);
		CU_ASSERT_EQUAL(bitmap[0], bitmap_before);
	}
}

static void bitmap_has_a_bit_for_each_number(void)
{
	CU_ASSERT_EQUAL(esf_dedup_words(64), 1);
	CU_ASSERT_EQUAL(esf_dedup_words(1024), 16);
	CU_ASSERT_EQUAL(esf_dedup_words(8192), 128);
}

/* xorshift64*, Vigna 2016 */
static uint64_t draw(uint64_t *state)
{
	*state ^= *state >> 12;
	*state ^= *state << 25;
	*state ^= *state >> 27;
	return *state * UINT64_C(2685821657736338717);
}

/* A next sequence number around the highest: mostly in order, some repeated, late or far ahead. */
static uint32_t next_seq(uint64_t *random, uint32_t highest, uint32_t size)
{
	uint64_t kind = draw(random) % 100;
	uint64_t any = draw(random);
	int64_t seq = highest;

	if (kind < 50)
		seq += 1;
	else if (kind < 65)
		seq += (int64_t)(any % 5) - 2;
	else if (kind < 85)
		seq -= (int64_t)(any % (size + 3));
	else if (kind < 95)
		seq += (int64_t)(any % size);
	else if (kind < 98)
		seq += size - 1 + (int64_t)(any % 3);
	else
		seq += (int64_t)(any % (4 * (uint64_t)size));
	return seq < 1 ? 1 : seq > UINT32_MAX ? UINT32_MAX : (uint32_t)seq;
}

static void compare_with_model(uint32_t size, uint64_t seed, uint32_t first_seq)
{
	static struct dedup_model model;
	struct esf_dedup dedup = { 0 };
	uint64_t bitmap[WORDS_MAX] = { 0 };
	uint64_t random = seed;
	uint32_t boot = BOOT;
	uint32_t highest = first_seq;
	int different = 0;

	model.count = 0;
	model.lost_before = 0;
	for (int i = 0; i < 4000; i++) {
		uint32_t seq = i == 0 ? first_seq : next_seq(&random, highest, size);
		uint32_t sent_boot = boot + (draw(&random) % 400 == 0) - (draw(&random) % 100 == 0);
		enum esf_datagram_verdict verdict, expected;

		expected = dedup_model_accept(&model, size, sent_boot, seq, BOOT_LIMIT);
		verdict = esf_dedup_accept(&dedup, bitmap, size, sent_boot, seq, BOOT_LIMIT);
		different += verdict != expected || dedup.lost != dedup_model_lost(&model, size) ||
		             dedup.highest != dedup_model_highest(&model) ||
		             dedup.lowest != dedup_model_lowest(&model);
		boot = model.boot;
		highest = dedup.highest;
	}
	CU_ASSERT_EQUAL(different, 0);
}

static void random_streams_agree_with_the_model(void)
{
	for (int i = 0; i < SIZES; i++) {
		for (uint64_t seed = 1; seed <= 8; seed++) {
			compare_with_model(sizes[i], seed, 1);
			compare_with_model(sizes[i], seed, UINT32_MAX - 40 * sizes[i]);
		}
	}
}

/* A stream that waits after a restart; forgotten is of lost, until the caller takes it out. */
struct waited {
	uint32_t boot, seq;
	int verdict;
	uint64_t lost, forgotten;
};

static void play_waiting(uint32_t highest, uint32_t former, const struct waited *steps)
{
	struct esf_dedup dedup = { .highest = highest, .lowest = highest == 0 ? 0 : 1 };
	uint64_t bitmap[1] = { highest == 0 ? 0 : UINT64_MAX };

	esf_dedup_wait(&dedup, former, BOOT + 100);
	for (int i = 0; i < STEPS_MAX && steps[i].boot != 0; i++) {
		const struct waited *step = &steps[i];
		int verdict =
		    esf_dedup_accept(&dedup, bitmap, 64, step->boot, step->seq, BOOT_LIMIT);

		if (verdict != step->verdict || dedup.lost != step->lost ||
		    dedup.forgotten != step->forgotten)
			fprintf(stderr, "step %d: verdict %d, lost %llu, forgotten %llu\n", i,
			    verdict, (unsigned long long)dedup.lost,
			    (unsigned long long)dedup.forgotten);
		CU_ASSERT_EQUAL(verdict, step->verdict);
		CU_ASSERT_EQUAL(dedup.lost, step->lost);
		CU_ASSERT_EQUAL(dedup.forgotten, step->forgotten);
	}
}

static void restart_forgets_what_lies_before_the_first_that_comes(void)
{
	static const struct waited near[] = { { BOOT, 100, DUP, 0, 0 }, { BOOT, 36, OLD, 0, 0 },
		{ BOOT, 103, OK, 2, 2 }, { BOOT, 101, DUP, 2, 2 }, { BOOT, 102, DUP, 2, 2 },
		{ BOOT, 104, OK, 2, 2 }, { BOOT, 106, OK, 2, 2 }, { BOOT, 105 + 64, OK, 3, 2 },
		{ 0 } };
	static const struct waited next[] = { { BOOT, 101, OK, 0, 0 }, { BOOT, 103, OK, 0, 0 },
		{ BOOT, 102 + 64, OK, 1, 0 }, { 0 } };
	static const struct waited far[] = { { BOOT, 1101, OK, 1000, 1000 },
		{ BOOT, 1037, OLD, 1000, 1000 }, { BOOT, 1038, DUP, 1000, 1000 },
		{ BOOT, 1102, OK, 1000, 1000 }, { 0 } };

	play_waiting(100, BOOT, near);
	play_waiting(100, BOOT, next);
	play_waiting(100, BOOT, far);
}

static void life_that_began_meanwhile_began_with_one(void)
{
	static const struct waited began[] = { { BOOT - 1, 5, OLD, 0, 0 },
		{ BOOT + 50, 4, OK, 3, 3 }, { BOOT + 50, 2, DUP, 3, 3 }, { BOOT + 50, 6, OK, 3, 3 },
		{ BOOT + 50, 5 + 64, OK, 4, 3 }, { 0 } };
	static const struct waited first[] = { { BOOT + 50, 1, OK, 0, 0 },
		{ BOOT + 50, 2, OK, 0, 0 }, { 0 } };
	static const struct waited later[] = { { BOOT + 101, 40, OK, 0, 0 },
		{ BOOT + 101, 39, OK, 0, 0 }, { 0 } };
	static const struct waited before[] = { { BOOT, 4000, OK, 0, 0 }, { BOOT, 3999, OK, 0, 0 },
		{ 0 } };

	play_waiting(100, BOOT, began);
	play_waiting(100, BOOT, first);
	play_waiting(100, BOOT, later);
	play_waiting(0, BOOT + 49, began + 1); /* a stream that nobody knew */
	play_waiting(0, BOOT + 49, first);
	play_waiting(0, BOOT + 49, later);
	play_waiting(0, BOOT, before); /* and sent long before: who knows what */
}

static void window_of_another_size_takes_over_what_is_known(void)
{
	const struct esf_dedup dedup = { .boot = BOOT, .highest = 1000, .lowest = 1 };
	uint64_t small[1] = { UINT64_MAX }, large[4], back[1];

	small[0] &= ~(UINT64_C(1) << (990 % 64)); /* 990 was not seen */
	esf_dedup_refit(&dedup, small, 64, large, 256);
	for (uint32_t seq = 1000 - 255; seq <= 1000; seq++)
		CU_ASSERT_EQUAL(large[seq % 256 / 64] >> seq % 64 & 1, seq != 990);
	esf_dedup_refit(&dedup, large, 256, back, 64);
	CU_ASSERT_EQUAL(back[0], small[0]);
}

struct stream {
	struct esf_dedup dedup;
	uint64_t bitmap[WORDS_MAX];
};

static enum esf_datagram_verdict next_one(struct stream *stream, uint32_t size)
{
	return esf_dedup_accept(&stream->dedup, stream->bitmap, size, stream->dedup.boot,
	    stream->dedup.highest + 1, BOOT_LIMIT);
}

/* As many as there is room for, and no more, come one by one and none is lost; and to go on at once
 * leaves what coming one by one leaves. */
static void compare_going_on(const struct stream *stream, uint32_t size, uint32_t count)
{
	struct stream one_by_one = *stream, at_once = *stream;
	uint32_t room = esf_dedup_room(&stream->dedup, stream->bitmap, size, count);
	uint32_t left = UINT32_MAX - stream->dedup.highest - (stream->dedup.highest < UINT32_MAX);
	uint32_t most = count < size ? count : size;

	CU_ASSERT(room <= (most < left ? most : left));
	for (uint32_t i = 0; i < room; i++)
		CU_ASSERT_EQUAL(next_one(&one_by_one, size), OK);
	esf_dedup_go_on(&at_once.dedup, at_once.bitmap, size, stream->dedup.highest + room);
	CU_ASSERT_EQUAL(one_by_one.dedup.lost, stream->dedup.lost);
	CU_ASSERT_EQUAL(memcmp(&one_by_one, &at_once, sizeof(at_once)), 0);
	if (room == most || room == left)
		return;
	(void)next_one(&one_by_one, size);
	CU_ASSERT_EQUAL(one_by_one.dedup.lost, stream->dedup.lost + 1);
}

static void numbers_that_lose_none_may_come_at_once(void)
{
	for (uint64_t seed = 1; seed <= 60; seed++) {
		uint32_t size = sizes[seed % SIZES], from = seed % 7 == 0 ? UINT32_MAX - 3000 : 0;
		struct stream stream = { 0 };
		uint64_t state = seed;

		for (uint32_t seq = 1; seq <= 3000; seq++) {
			state = state * UINT64_C(6364136223846793005) + 1442695040888963407u;
			if ((state >> 33) % 100 != 0 || seq < 20)
				(void)esf_dedup_accept(&stream.dedup, stream.bitmap, size, BOOT,
				    from + seq, BOOT_LIMIT);
			if ((state >> 45) % 50 == 0)
				compare_going_on(&stream, size, 1 + (state >> 50) % 400);
		}
	}
}

static void stream_that_waits_or_never_spoke_has_no_room(void)
{
	struct stream stream = { 0 };

	CU_ASSERT_EQUAL(esf_dedup_room(&stream.dedup, stream.bitmap, 64, 64), 0);
	CU_ASSERT_EQUAL(
	    esf_dedup_accept(&stream.dedup, stream.bitmap, 64, BOOT, 5, BOOT_LIMIT), OK);
	CU_ASSERT_EQUAL(esf_dedup_room(&stream.dedup, stream.bitmap, 64, 64), 64);
	esf_dedup_wait(&stream.dedup, BOOT, BOOT);
	CU_ASSERT_EQUAL(esf_dedup_room(&stream.dedup, stream.bitmap, 64, 64), 0);
}

void esf_suite_dedup(void)
{
	CU_pSuite suite = CU_add_suite("dedup", NULL, NULL);

	CU_ADD_TEST(suite, window_edges_are_exact);
	CU_ADD_TEST(suite, numbers_up_to_the_last_one_work);
	CU_ADD_TEST(suite, jump_over_all_numbers_counts_them);
	CU_ADD_TEST(suite, gaps_are_lost_when_they_leave_the_window);
	CU_ADD_TEST(suite, numbers_below_the_lowest_are_not_gaps);
	CU_ADD_TEST(suite, jump_beyond_the_window_loses_what_it_skips);
	CU_ADD_TEST(suite, higher_boot_begins_a_new_life);
	CU_ADD_TEST(suite, boot_is_believed_up_to_the_limit);
	CU_ADD_TEST(suite, boot_zero_is_a_life_like_any_other);
	CU_ADD_TEST(suite, first_datagram_needs_no_clean_bitmap);
	CU_ADD_TEST(suite, refusals_change_nothing);
	CU_ADD_TEST(suite, bitmap_has_a_bit_for_each_number);
	CU_ADD_TEST(suite, random_streams_agree_with_the_model);
	CU_ADD_TEST(suite, restart_forgets_what_lies_before_the_first_that_comes);
	CU_ADD_TEST(suite, life_that_began_meanwhile_began_with_one);
	CU_ADD_TEST(suite, window_of_another_size_takes_over_what_is_known);
	CU_ADD_TEST(suite, numbers_that_lose_none_may_come_at_once);
	CU_ADD_TEST(suite, stream_that_waits_or_never_spoke_has_no_room);
}

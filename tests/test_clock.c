/* SPDX-License-Identifier: Apache-2.0 */
#include "lcores/clock.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <time.h>

#include <CUnit/CUnit.h>

#include "suites.h"

static const int64_t epoch = INT64_C(1700000000000000000);
static const int64_t second = 1000000000;

/* 1 GHz: a tick is a nanosecond, so expected values can be read off. */
static const double gigahertz = 1e9;
static const uint64_t start = UINT64_C(5000000000000);

static void clock_runs_at_the_rate_it_was_given(void)
{
	static const struct {
		double hz;
		uint64_t ticks;
		int64_t elapsed_ns;
	} rows[] = {
		{ 1e9, 0, 0 }, { 1e9, 1, 1 }, { 1e9, 123456789, 123456789 },
		{ 2e9, 2000000000, 1000000000 }, { 2.5e8, 1, 4 },
		{ 1e9, UINT64_C(86400000000000), INT64_C(86400000000000) }, /* a day unattended */
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct esf_clock clock;

		esf_clock_init(&clock, rows[i].hz, start, epoch);
		CU_ASSERT_EQUAL(
		    esf_clock_at(&clock, start + rows[i].ticks), epoch + rows[i].elapsed_ns);
	}
}

static void clock_holds_for_ticks_before_its_anchor(void)
{
	struct esf_clock clock;

	esf_clock_init(&clock, gigahertz, start, epoch);
	CU_ASSERT_EQUAL(esf_clock_at(&clock, start - 100), epoch);
}

/* The largest distance between the clock and the system's, after `settle` of `count` anchors a
 * second apart. */
static int64_t worst_error(
    struct esf_clock *clock, double true_ns_per_tick, int64_t offset, int count, int settle)
{
	int64_t worst = 0;

	for (int i = 1; i <= count; i++) {
		uint64_t ticks = start + (uint64_t)i * 1000000000U;
		int64_t unix_ns =
		    epoch + offset + (int64_t)((double)(ticks - start) * true_ns_per_tick);
		int64_t error = llabs(unix_ns - esf_clock_at(clock, ticks));

		if (i > settle && error > worst)
			worst = error;
		esf_clock_anchor(clock, ticks, unix_ns);
	}
	return worst;
}

static void clock_learns_the_true_rate(void)
{
	struct esf_clock clock;

	esf_clock_init(&clock, gigahertz, start, epoch);
	CU_ASSERT_TRUE(worst_error(&clock, 1.0 + 50e-6, 0, 60, 20) < 1000);
	esf_clock_init(&clock, gigahertz, start, epoch);
	CU_ASSERT_TRUE(worst_error(&clock, 1.0 - 50e-6, 0, 60, 20) < 1000);
}

static void clock_makes_up_a_small_difference_without_a_step(void)
{
	struct esf_clock clock;
	int64_t before, after;

	esf_clock_init(&clock, gigahertz, start, epoch);
	before = esf_clock_at(&clock, start + 1000000000);
	esf_clock_anchor(&clock, start + 1000000000, epoch + second + 50000000);
	after = esf_clock_at(&clock, start + 1000000000);
	CU_ASSERT_EQUAL(before, after);
	esf_clock_init(&clock, gigahertz, start, epoch);
	CU_ASSERT_TRUE(worst_error(&clock, 1.0, 50000000, 60, 40) < 1000);
}

static void clock_follows_a_step_ahead_at_once(void)
{
	struct esf_clock clock;

	esf_clock_init(&clock, gigahertz, start, epoch);
	esf_clock_anchor(&clock, start + 1000000000, epoch + 3600 * second);
	CU_ASSERT_EQUAL(esf_clock_at(&clock, start + 1000000000), epoch + 3600 * second);
	CU_ASSERT_EQUAL(esf_clock_at(&clock, start + 2000000000), epoch + 3601 * second);
}

static void clock_never_goes_back_and_comes_back_to_a_clock_set_back(void)
{
	struct esf_clock clock;
	int64_t last = epoch;
	bool goes_back = false;

	esf_clock_init(&clock, gigahertz, start, epoch);
	for (int i = 1; i <= 600; i++) {
		uint64_t ticks = start + (uint64_t)i * 100000000U;
		int64_t now = esf_clock_at(&clock, ticks);

		goes_back |= now < last;
		last = now;
		if (i % 10 == 0)
			esf_clock_anchor(&clock, ticks, epoch + i * (second / 10) - 10 * second);
		now = esf_clock_at(&clock, ticks);
		goes_back |= now < last;
		last = now;
	}
	CU_ASSERT_FALSE(goes_back);
	CU_ASSERT_TRUE(llabs(last - (epoch + 50 * second)) < second / 1000);
}

static void clock_set_between_readings_does_not_spoil_the_rate(void)
{
	struct esf_clock clock;

	esf_clock_init(&clock, gigahertz, start, epoch);
	esf_clock_anchor(&clock, start + 1000000000, epoch + second + 500000000);
	CU_ASSERT_EQUAL(esf_clock_at(&clock, start + 11000000000), epoch + 11 * second + 500000000);
}

struct reader {
	const struct esf_clock *clock;
	bool stop;
	uint64_t ticks;
	uint32_t wrong;
};

/* At 1 GHz and with a true clock every line gives the same answer, so a torn one shows. */
static void *read_on(void *context)
{
	struct reader *reader = context;

	while (!__atomic_load_n(&reader->stop, __ATOMIC_ACQUIRE)) {
		uint64_t ticks = UINT64_MAX / 4;
		int64_t expected = epoch + (int64_t)(ticks - start);

		reader->wrong += esf_clock_at(reader->clock, ticks) != expected;
	}
	return NULL;
}

static void clock_is_never_torn(void)
{
	struct esf_clock clock;
	struct reader reader = { .clock = &clock };
	pthread_t thread;

	esf_clock_init(&clock, gigahertz, start, epoch);
	CU_ASSERT_EQUAL_FATAL(pthread_create(&thread, NULL, read_on, &reader), 0);
	for (uint64_t i = 1; i <= 1000000; i++)
		esf_clock_anchor(&clock, start + i * 1000, epoch + (int64_t)i * 1000);
	__atomic_store_n(&reader.stop, true, __ATOMIC_RELEASE);
	pthread_join(thread, NULL);
	CU_ASSERT_EQUAL(reader.wrong, 0);
}

static void clock_agrees_with_the_systems(void)
{
	struct esf_clock clock;
	struct timespec time;
	int64_t shown;

	esf_clock_start(&clock);
	esf_clock_reanchor(&clock);
	clock_gettime(CLOCK_REALTIME, &time);
	shown = esf_clock_now(&clock);
	CU_ASSERT_TRUE(llabs(shown - (time.tv_sec * second + time.tv_nsec)) < second / 10);
}

void esf_suite_clock(void)
{
	CU_pSuite suite = CU_add_suite("clock", NULL, NULL);

	CU_ADD_TEST(suite, clock_runs_at_the_rate_it_was_given);
	CU_ADD_TEST(suite, clock_holds_for_ticks_before_its_anchor);
	CU_ADD_TEST(suite, clock_learns_the_true_rate);
	CU_ADD_TEST(suite, clock_makes_up_a_small_difference_without_a_step);
	CU_ADD_TEST(suite, clock_follows_a_step_ahead_at_once);
	CU_ADD_TEST(suite, clock_never_goes_back_and_comes_back_to_a_clock_set_back);
	CU_ADD_TEST(suite, clock_set_between_readings_does_not_spoil_the_rate);
	CU_ADD_TEST(suite, clock_is_never_torn);
	CU_ADD_TEST(suite, clock_agrees_with_the_systems);
}

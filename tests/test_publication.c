/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include <CUnit/CUnit.h>

#include "plane_fixture.h"
#include "suites.h"

/* More sites than one pass publishes. */
enum { MANY = 700, LINES_A_DATAGRAM = 50 };

static struct fixture fixture, *const f = &fixture;

static void start(void)
{
	struct esf_plane_options options = fixture_options(1);

	options.sites_count = SITES_COUNT + MANY;
	fixture_start_with(f, &options);
	f->policy->learn_sites = true;
}

static void say(int64_t now, uint32_t first, uint32_t count, int value)
{
	char lines[LINES_A_DATAGRAM * 32];
	size_t size = 0;

	for (uint32_t i = first; i < first + count; i++)
		size += (size_t)snprintf(
		    lines + size, sizeof(lines) - size, "t,site=m%u gauge=%d\n", i, value);
	fixture_lines(f, 0, now, lines);
}

static void say_all(int64_t now, int value)
{
	for (uint32_t i = 0; i < MANY; i += LINES_A_DATAGRAM)
		say(now, i, LINES_A_DATAGRAM, value);
}

static void pass(int64_t now)
{
	fixture_begin(f, 0, now);
	fixture_end(f, 0);
}

static uint32_t samples_published(void)
{
	uint32_t sum = 0;

	for (uint32_t s = 0; s < SITES_COUNT + MANY; s++) {
		const struct esf_block *block = esf_plane_block(f->plane, s, T0 / WINDOW);

		sum += block == NULL ? 0 : esf_block_acc(block, GAUGE)->good;
	}
	return sum;
}

/* Passes until all that was accepted by a time is published; at most 100. */
static uint32_t passes_until_settled(int64_t time, int64_t now)
{
	uint32_t passes = 0;

	for (; esf_plane_settled(f->plane) < time && passes < 100; passes++)
		pass(now);
	return passes;
}

/* Of 1400 windows and cards a pass takes 256 at most: the sixth ends it. */
static void publication_takes_several_passes(void)
{
	uint32_t before;

	start();
	pass(T0);
	say_all(T0, 1);
	CU_ASSERT_EQUAL(esf_plane_settled(f->plane), T0);
	pass(T0 + 2 * SECOND);
	before = samples_published();
	CU_ASSERT(before > 0 && before < MANY);
	CU_ASSERT_EQUAL(esf_plane_settled(f->plane), T0);
	CU_ASSERT_EQUAL(passes_until_settled(T0 + 2 * SECOND, T0 + 2 * SECOND), 5);
	CU_ASSERT_EQUAL(esf_plane_settled(f->plane), T0 + 2 * SECOND);
	CU_ASSERT_EQUAL(samples_published(), MANY);
	CU_ASSERT(fixture_stop(f));
}

/* What comes while a publication is under way is in it or in the next one, and never lost. */
static void what_comes_meanwhile_is_published_next(void)
{
	start();
	say_all(T0, 1);
	pass(T0 + 2 * SECOND);
	say_all(T0 + 2 * SECOND + 1, 2);
	passes_until_settled(T0 + 2 * SECOND, T0 + 2 * SECOND + 2);
	CU_ASSERT(samples_published() < 2 * MANY);
	CU_ASSERT(passes_until_settled(T0 + 4 * SECOND, T0 + 4 * SECOND) > 1);
	CU_ASSERT_EQUAL(samples_published(), 2 * MANY);
	CU_ASSERT(fixture_stop(f));
}

/* A million windows close at the same moment: they are given back in parts, too. */
static void closed_windows_are_given_back_in_parts(void)
{
	uint32_t left, passes = 0;
	int64_t now = T0 + 40 * SECOND;

	start();
	say_all(T0, 1);
	passes_until_settled(T0 + 2 * SECOND, T0 + 2 * SECOND);
	esf_plane_consume(f->plane, T0 / WINDOW);
	pass(now);
	left = samples_published();
	CU_ASSERT(left > 0 && left <= MANY);
	for (; samples_published() > 0 && passes < 100; passes++)
		pass(now);
	CU_ASSERT(passes > 1 && passes < 10);
	say(now, 0, 10, 3);
	CU_ASSERT(passes_until_settled(now + 2 * SECOND, now + 2 * SECOND) < 5);
	CU_ASSERT(fixture_stop(f));
}

void esf_suite_publication(void)
{
	CU_pSuite suite = CU_add_suite("publication", NULL, NULL);

	CU_ADD_TEST(suite, publication_takes_several_passes);
	CU_ADD_TEST(suite, what_comes_meanwhile_is_published_next);
	CU_ADD_TEST(suite, closed_windows_are_given_back_in_parts);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/ndr/waits.h"

#include <errno.h>

#include <CUnit/CUnit.h>

#include "suites.h"

static struct esf_histogram histogram;

static void histogram_is_exact_below_128_ns(void)
{
	esf_histogram_clear(&histogram);
	CU_ASSERT_EQUAL(esf_histogram_at(&histogram, 0.5), 0);
	for (uint64_t ns = 1; ns <= 100; ns++)
		esf_histogram_add(&histogram, ns, 1);
	CU_ASSERT_EQUAL(histogram.count, 100);
	CU_ASSERT_EQUAL(histogram.min, 1);
	CU_ASSERT_EQUAL(histogram.max, 100);
	CU_ASSERT_EQUAL(esf_histogram_at(&histogram, 0), 1);
	CU_ASSERT_EQUAL(esf_histogram_at(&histogram, 0.5), 50);
	CU_ASSERT_EQUAL(esf_histogram_at(&histogram, 0.9), 90);
	CU_ASSERT_EQUAL(esf_histogram_at(&histogram, 0.999), 100);
	CU_ASSERT_EQUAL(esf_histogram_at(&histogram, 1), 100);
}

/* Of two values what is read for the lower one is its bucket's end. */
static void histogram_reads_at_most_0_8_percent_too_high(void)
{
	static const uint64_t values[] = { 0, 1, 127, 128, 129, 255, 256, 257, 1000, 1023, 1024,
		65535, 65536, 1000000, 999999999, UINT64_C(1) << 39, UINT64_C(3) << 38 };

	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		uint64_t read;

		esf_histogram_clear(&histogram);
		esf_histogram_add(&histogram, values[i], 3);
		esf_histogram_add(&histogram, UINT64_MAX, 1);
		read = esf_histogram_at(&histogram, 0.75);
		CU_ASSERT(read >= values[i]);
		CU_ASSERT(read - values[i] <= values[i] / 128);
		CU_ASSERT_EQUAL(esf_histogram_at(&histogram, 1), UINT64_MAX);
	}
}

static void histogram_weighs_by_count(void)
{
	esf_histogram_clear(&histogram);
	esf_histogram_add(&histogram, 10, 899);
	esf_histogram_add(&histogram, 20, 100);
	esf_histogram_add(&histogram, 30, 1);
	CU_ASSERT_EQUAL(esf_histogram_at(&histogram, 0.5), 10);
	CU_ASSERT_EQUAL(esf_histogram_at(&histogram, 0.899), 10);
	CU_ASSERT_EQUAL(esf_histogram_at(&histogram, 0.9), 20);
	CU_ASSERT_EQUAL(esf_histogram_at(&histogram, 0.999), 20);
	CU_ASSERT_EQUAL(esf_histogram_at(&histogram, 0.9999), 30);
}

/*
 * Passes begin at 100, 200, 300 ... and are over 50 later. A datagram of the pass at 200 has
 * `after` 150; that pass's publication settles at 200.
 */
static void publication_holds_what_its_own_pass_received(void)
{
	static const struct {
		int64_t after;   /* the datagram's */
		int64_t settled; /* the first publication; the second is one pass later */
		uint64_t ns;     /* expected: sent at 1000, seen at 5000 and 6000 */
	} rows[] = {
		{ 50, 200, 4000 },  /* received a pass before */
		{ 150, 200, 4000 }, /* in the pass that published */
		{ 250, 200, 5000 }, /* a pass later */
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct esf_waits waits;

		esf_histogram_clear(&histogram);
		CU_ASSERT_EQUAL_FATAL(esf_waits_create(&waits, 4), 0);
		CU_ASSERT(esf_waits_add(&waits, 1000, rows[i].after, 7));
		CU_ASSERT(esf_waits_publish(&waits, rows[i].settled, 5000));
		CU_ASSERT(esf_waits_publish(&waits, rows[i].settled + 100, 6000));
		CU_ASSERT_EQUAL(esf_waits_retire(&waits, 100, &histogram), 0);
		CU_ASSERT_EQUAL(histogram.count, 7);
		CU_ASSERT_EQUAL(histogram.max, rows[i].ns);
		CU_ASSERT_EQUAL(waits.datagrams, 0);
		esf_waits_destroy(&waits);
	}
}

static void datagram_waits_until_a_publication_holds_it(void)
{
	struct esf_waits waits;

	esf_histogram_clear(&histogram);
	CU_ASSERT_EQUAL_FATAL(esf_waits_create(&waits, 2), 0);
	CU_ASSERT(esf_waits_add(&waits, 1000, 150, 1));
	CU_ASSERT(esf_waits_add(&waits, 1001, 250, 1));
	CU_ASSERT_FALSE(esf_waits_add(&waits, 1002, 250, 1)); /* no room */
	CU_ASSERT(esf_waits_publish(&waits, 200, 3000));
	CU_ASSERT_EQUAL(esf_waits_retire(&waits, 100, &histogram), 0);
	CU_ASSERT_EQUAL(histogram.count, 1);
	CU_ASSERT_EQUAL(waits.datagrams, 1);
	CU_ASSERT(esf_waits_add(&waits, 1002, 350, 5)); /* room again */
	CU_ASSERT_EQUAL(waits.datagrams, 6);
	CU_ASSERT(esf_waits_publish(&waits, 400, 4000));
	CU_ASSERT_EQUAL(esf_waits_retire(&waits, 100, &histogram), 0);
	CU_ASSERT_EQUAL(histogram.count, 7);
	CU_ASSERT_EQUAL(histogram.min, 2000);
	CU_ASSERT_EQUAL(waits.datagrams, 0);
	esf_waits_destroy(&waits);
}

/* So that the lcore's pass does not get long. */
static void retiring_stops_at_its_budget_and_goes_on(void)
{
	struct esf_waits waits;

	esf_histogram_clear(&histogram);
	CU_ASSERT_EQUAL_FATAL(esf_waits_create(&waits, 16), 0);
	for (int64_t i = 0; i < 10; i++)
		CU_ASSERT(esf_waits_add(&waits, 1000, i, 1));
	CU_ASSERT(esf_waits_publish(&waits, 100, 2000));
	CU_ASSERT_EQUAL(esf_waits_retire(&waits, 4, &histogram), 0);
	CU_ASSERT_EQUAL(histogram.count, 4);
	CU_ASSERT_EQUAL(esf_waits_retire(&waits, 100, &histogram), 0);
	CU_ASSERT_EQUAL(histogram.count, 10);
	esf_waits_destroy(&waits);
}

static void publication_before_the_sending_is_counted_as_such(void)
{
	struct esf_waits waits;

	esf_histogram_clear(&histogram);
	CU_ASSERT_EQUAL_FATAL(esf_waits_create(&waits, 2), 0);
	CU_ASSERT(esf_waits_add(&waits, 1000, 1, 3));
	CU_ASSERT(esf_waits_publish(&waits, 2, 999));
	CU_ASSERT_EQUAL(esf_waits_retire(&waits, 10, &histogram), 3);
	CU_ASSERT_EQUAL(histogram.count, 3);
	CU_ASSERT_EQUAL(histogram.max, 0);
	esf_waits_destroy(&waits);
}

static void publications_beyond_the_room_are_asked_again(void)
{
	struct esf_waits waits;

	CU_ASSERT_EQUAL(esf_waits_create(&waits, 3), -EINVAL);
	CU_ASSERT_EQUAL(esf_waits_create(&waits, 0), -EINVAL);
	CU_ASSERT_EQUAL_FATAL(esf_waits_create(&waits, 2), 0);
	for (int64_t i = 0; i < ESF_WAITS_PUBLICATIONS_MAX; i++)
		CU_ASSERT(esf_waits_publish(&waits, i, i));
	CU_ASSERT_FALSE(esf_waits_publish(&waits, 1000, 1000));
	CU_ASSERT_EQUAL(esf_waits_retire(&waits, 1, &histogram), 0);
	CU_ASSERT(esf_waits_publish(&waits, 1000, 1000));
	esf_waits_destroy(&waits);
}

void esf_suite_waits(void)
{
	CU_pSuite suite = CU_add_suite("waits", NULL, NULL);

	CU_ADD_TEST(suite, histogram_is_exact_below_128_ns);
	CU_ADD_TEST(suite, histogram_reads_at_most_0_8_percent_too_high);
	CU_ADD_TEST(suite, histogram_weighs_by_count);
	CU_ADD_TEST(suite, publication_holds_what_its_own_pass_received);
	CU_ADD_TEST(suite, datagram_waits_until_a_publication_holds_it);
	CU_ADD_TEST(suite, retiring_stops_at_its_budget_and_goes_on);
	CU_ADD_TEST(suite, publication_before_the_sending_is_counted_as_such);
	CU_ADD_TEST(suite, publications_beyond_the_room_are_asked_again);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "plane_fixture.h"

#include <CUnit/CUnit.h>

#include "suites.h"

/* Ingestion modes in a shard: what passes, what it is counted as, and switching while a window is
 * open. GAUGE is good in 40..60 and bad enough for a cap from 20 down and 80 up. */

static struct fixture fixture, *const f = &fixture;
static uint32_t seq;

static void start(enum esf_mode mode)
{
	static const struct esf_edges both = { { 40, 60 }, { 30, 70 }, { 20, 80 } };
	struct esf_intake *intake;

	fixture_start(f, 1);
	intake = &f->policy->intake;
	intake->mode = mode;
	intake->keep_one_in = 1000;
	intake->band = 0.01; /* of GAUGE's span of 200 */
	intake->max_silence_ns = 60 * SECOND;
	for (uint32_t k = 0; k < MEASURES_COUNT; k++)
		intake->edges[k] = both;
	seq = 1;
	for (uint32_t site = 1; site <= 2; site++) {
		struct bytes births = etd_births(site, 1);

		fixture_etd(f, 0, T0, &births);
	}
}

/* Sites 0.. are thinned where the string has a 1. */
static void thin(const char *sites)
{
	struct esf_admission *admission = calloc(1, sizeof(*admission) + SITES_COUNT);

	for (uint32_t i = 0; sites[i] != '\0'; i++)
		admission->downsampled[i] = sites[i] == '1';
	admission = esf_plane_set_admission(f->plane, admission);
	free(admission); /* the one shard is this thread's, between passes */
}

static bool stop(void)
{
	free(esf_plane_set_admission(f->plane, NULL));
	return fixture_stop(f);
}

static void send_quality(
    uint32_t site, int64_t time, unsigned alias, unsigned quality, double value)
{
	struct bytes b = etd(2, site, ++seq, time);

	etd_data(&b, alias, quality, 0, value);
	fixture_etd(f, 0, time, &b);
}

static void send(uint32_t site, int64_t time, double value)
{
	send_quality(site, time, GAUGE, 0, value);
}

static const struct esf_acc *acc_of(uint32_t site, uint16_t measure, int64_t time)
{
	fixture_publish(f);
	return esf_block_acc(esf_plane_block(f->plane, site, time / WINDOW), measure);
}

static void values_within_the_band_count_as_its_centre(void)
{
	const struct esf_acc *acc;

	start(ESF_MODE_DEVIATION);
	send(1, T0, 50);
	send(1, T0 + 1000, 52);   /* just within */
	send(1, T0 + 2000, 48);   /* and below */
	send(1, T0 + 3000, 52.5); /* new centre */
	send(1, T0 + 4000, 51);   /* within its band */
	send(1, T0 + WINDOW, 53); /* a window without a report */
	CU_ASSERT_EQUAL(records(f, 0, ESF_RECORD_ACCEPTED), 2);
	CU_ASSERT_EQUAL(records(f, 0, ESF_RECORD_WITHIN_BAND), 4);
	acc = acc_of(0, GAUGE, T0);
	CU_ASSERT_EQUAL(acc->good, 5);
	CU_ASSERT_EQUAL(acc->samples, 5);
	CU_ASSERT_DOUBLE_EQUAL(esf_acc_mean(acc), (3 * 50 + 2 * 52.5) / 5, 1e-12);
	CU_ASSERT_EQUAL(acc->min, 50);
	CU_ASSERT_EQUAL(acc->max, 52.5);
	CU_ASSERT_EQUAL(esf_acc_mean(acc_of(0, GAUGE, T0 + WINDOW)), 52.5);
	CU_ASSERT_EQUAL(esf_plane_block(f->plane, 0, (T0 + WINDOW) / WINDOW)->accepted, 1);
	CU_ASSERT(stop());
}

/* SCALED has no bounds: its band is a part of the value. */
static void band_of_an_open_range_is_relative(void)
{
	static const struct {
		double raw; /* value = 2 raw + 10 */
		enum esf_record_verdict verdict;
	} cases[] = {
		{ 500, ESF_RECORD_ACCEPTED },    /* 1010 */
		{ 504, ESF_RECORD_WITHIN_BAND }, /* 1018: band 10.1 */
		{ 506, ESF_RECORD_ACCEPTED },    /* 1022 */
		{ 502, ESF_RECORD_WITHIN_BAND }, /* 1014: band 10.14 */
		{ 500, ESF_RECORD_ACCEPTED },    /* 1010: 12 off, band 10.1 */
		{ -5, ESF_RECORD_ACCEPTED },     /* 0 */
		{ -5, ESF_RECORD_WITHIN_BAND },  /* 0 again, band 0 */
		{ -5.001, ESF_RECORD_ACCEPTED },
	};

	start(ESF_MODE_DEVIATION);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint64_t before = records(f, 0, cases[i].verdict);

		send_quality(1, T0 + (int64_t)i, SCALED, 0, cases[i].raw);
		CU_ASSERT_EQUAL(records(f, 0, cases[i].verdict), before + 1);
	}
	CU_ASSERT(stop());
}

/* In both modes: sent in turn, and what becomes of each. */
static void transitions_pass(void)
{
	static const struct {
		double value;
		unsigned quality;
		bool passes;
	} cases[] = {
		{ 50, 0, true }, /* the first */
		{ 50, 0, false },
		{ 39.9, 0, true }, /* out of good */
		{ 39.8, 0, false },
		{ 40, 0, true },  /* back, 0.2 away */
		{ 40, 2, false }, /* bad: a verdict of its own */
		{ 40, 0, true },  /* good again */
		{ 40, 1, false }, /* uncertain */
		{ 40, 0, true },
		{ 101, 0, false }, /* out of range */
		{ 40, 0, true },
		{ NAN, 0, false },
		{ 40, 0, true },
		{ 40, 0, false },
		{ 85, 0, true }, /* beyond crit */
		{ 85, 0, false },
		{ 79.9, 0, true }, /* short of it */
		{ 80, 0, true },
	};

	for (int mode = ESF_MODE_DOWNSAMPLE; mode <= ESF_MODE_DEVIATION; mode++) {
		start((enum esf_mode)mode);
		thin("1");
		for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
			uint64_t before = records(f, 0, ESF_RECORD_ACCEPTED);

			send_quality(1, T0 + (int64_t)i, GAUGE, cases[i].quality, cases[i].value);
			CU_ASSERT_EQUAL(
			    records(f, 0, ESF_RECORD_ACCEPTED) - before, cases[i].passes);
		}
		CU_ASSERT_EQUAL(records(f, 0,
		                    mode == ESF_MODE_DOWNSAMPLE ? ESF_RECORD_SAMPLED_OUT
		                                                : ESF_RECORD_WITHIN_BAND),
		    4);
		CU_ASSERT_EQUAL(records(f, 0, ESF_RECORD_BAD), 1);
		CU_ASSERT_EQUAL(records(f, 0, ESF_RECORD_UNCERTAIN), 1);
		CU_ASSERT_EQUAL(records(f, 0, ESF_RECORD_OUT_OF_RANGE), 1);
		CU_ASSERT_EQUAL(records(f, 0, ESF_RECORD_NOT_FINITE), 1);
		CU_ASSERT(stop());
	}
}

/* Counters, increments, births, deaths and events, again and again. */
static void what_is_no_sample_always_passes(void)
{
	for (int mode = ESF_MODE_DOWNSAMPLE; mode <= ESF_MODE_DEVIATION; mode++) {
		enum { ROUNDS = 50 };

		start((enum esf_mode)mode);
		thin("1111");
		for (int i = 0; i < ROUNDS; i++) {
			struct bytes births = etd_births(1, ++seq);
			struct bytes event = etd(4, 1, ++seq, T0);
			struct bytes death = etd(3, 1, ++seq, T0);

			send_quality(1, T0 + i, COUNTER, 0, 5);
			fixture_etd(f, 0, T0, &births);
			etd_event(&event, 0, "door");
			fixture_etd(f, 0, T0, &event);
			fixture_etd(f, 0, T0, &death);
			fixture_pass(f, 0, T0, STATSD_PORT, "t.count:1|c", 11);
		}
		CU_ASSERT_EQUAL(records(f, 0, ESF_RECORD_ACCEPTED), 3 * ROUNDS);
		CU_ASSERT_EQUAL(datagrams(f, 0, ESF_DATAGRAM_ACCEPTED), 2 + 5 * ROUNDS);
		CU_ASSERT(stop());
	}
}

static void each_window_of_a_thinned_site_has_its_first_record(void)
{
	start(ESF_MODE_DOWNSAMPLE);
	thin("1");
	for (int i = 0; i < 30; i++)
		send(1, T0 + i * SECOND, 50 + i % 3);
	for (int w = 0; w < 3; w++) {
		const struct esf_acc *acc = acc_of(0, GAUGE, T0 + w * WINDOW);

		CU_ASSERT_EQUAL(acc->good, 10);
		CU_ASSERT(acc->samples % 1000 == 1);
		CU_ASSERT_EQUAL(esf_plane_block(f->plane, 0, T0 / WINDOW + w)->accepted, 10);
	}
	CU_ASSERT(stop());
}

/* Within one window a site is full, thinned, and full again; another is never thinned. */
static void site_is_switched_while_a_window_is_open(void)
{
	start(ESF_MODE_DOWNSAMPLE);
	f->policy->intake.keep_one_in = 4;
	for (int phase = 0; phase < 3; phase++) {
		uint64_t before = records(f, 0, ESF_RECORD_ACCEPTED);

		thin(phase == 1 ? "10" : "00");
		for (int i = 0; i < 200; i++)
			send(1, T0 + phase * SECOND + i, 50);
		if (phase == 1)
			CU_ASSERT(records(f, 0, ESF_RECORD_ACCEPTED) - before < 100);
		if (phase != 1)
			CU_ASSERT_EQUAL(records(f, 0, ESF_RECORD_ACCEPTED) - before, 200);
		for (int i = 0; i < 10; i++)
			send(2, T0 + phase * SECOND + i, 50);
	}
	CU_ASSERT_EQUAL(acc_of(0, GAUGE, T0)->good, 600);
	CU_ASSERT_EQUAL(
	    acc_of(0, GAUGE, T0)->samples, 400 + 4 * (200 - records(f, 0, ESF_RECORD_SAMPLED_OUT)));
	CU_ASSERT_EQUAL(acc_of(1, GAUGE, T0)->samples, 30);
	CU_ASSERT_EQUAL(esf_acc_mean(acc_of(0, GAUGE, T0)), 50);
	CU_ASSERT(stop());
}

void esf_suite_modes(void)
{
	CU_pSuite suite = CU_add_suite("modes", NULL, NULL);

	CU_add_test(suite, "values_within_the_band_count_as_its_centre",
	    values_within_the_band_count_as_its_centre);
	CU_add_test(suite, "band_of_an_open_range_is_relative", band_of_an_open_range_is_relative);
	CU_add_test(suite, "transitions_pass", transitions_pass);
	CU_add_test(suite, "what_is_no_sample_always_passes", what_is_no_sample_always_passes);
	CU_add_test(suite, "each_window_of_a_thinned_site_has_its_first_record",
	    each_window_of_a_thinned_site_has_its_first_record);
	CU_add_test(suite, "site_is_switched_while_a_window_is_open",
	    site_is_switched_while_a_window_is_open);
}

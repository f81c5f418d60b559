/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/admit.h"

#include <math.h>
#include <stdlib.h>

#include <CUnit/CUnit.h>

#include "dataplane/window.h"
#include "suites.h"

#define SECOND INT64_C(1000000000)

/* KPI 0 has bands on both sides, the others none. */
static struct esf_intake *intake_new(double band, uint32_t keep_one_in)
{
	static const struct esf_edges both = { { 40, 60 }, { 30, 70 }, { 20, 80 } };
	static const struct esf_edges none = { { -INFINITY, INFINITY }, { -INFINITY, INFINITY },
		{ -INFINITY, INFINITY } };
	struct esf_intake *intake = calloc(1, sizeof(*intake));

	intake->band = band;
	intake->keep_one_in = keep_one_in;
	intake->max_silence_ns = 100 * SECOND;
	for (uint32_t k = 0; k < ESF_KPIS_MAX; k++)
		intake->edges[k] = k == 0 ? both : none;
	return intake;
}

static void zones_part_at_the_edges(void)
{
	static const struct esf_edges low = { { 40, INFINITY }, { 30, INFINITY },
		{ 20, INFINITY } };
	static const struct esf_edges high = { { -INFINITY, 60 }, { -INFINITY, 70 },
		{ -INFINITY, 80 } };
	static const struct {
		double value;
		uint8_t low, high;
	} cases[] = {
		{ 50, 4, 4 },
		{ 40, 4, 4 },
		{ 39.9, 3, 4 },
		{ 30, 3, 4 },
		{ 29.9, 2, 4 },
		{ 20.1, 2, 4 },
		{ 20, 1, 4 }, /* here a vital KPI caps health */
		{ -1e300, 1, 4 },
		{ 60, 4, 4 },
		{ 60.1, 4, 5 },
		{ 70, 4, 5 },
		{ 70.1, 4, 6 },
		{ 79.9, 4, 6 },
		{ 80, 4, 7 },
		{ 1e300, 4, 7 },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		CU_ASSERT_EQUAL(esf_admit_zone(&low, cases[i].value), cases[i].low);
		CU_ASSERT_EQUAL(esf_admit_zone(&high, cases[i].value), cases[i].high);
	}
}

/* Uniform in [0, 1). */
static double uniform(uint64_t *state)
{
	*state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (double)(*state >> 11) / 9007199254740992.0;
}

enum shape { WALK, STEPS, RAMP, NOISE, SPIKES, SHAPES_COUNT };

/* The next value of a series that keeps to [-reach, reach] and often comes near or across 0. */
static double next_value(enum shape shape, double value, double reach, int at, uint64_t *state)
{
	double random = 2 * uniform(state) - 1;

	switch (shape) {
	case WALK:
		value += 0.02 * reach * random;
		break;
	case STEPS:
		value = uniform(state) < 0.05 ? reach * random : value;
		break;
	case RAMP:
		value = reach * (fmod(0.0007 * at, 2) - 1);
		break;
	case NOISE:
		value = 0.1 * reach * random;
		break;
	default:
		value = uniform(state) < 0.01 ? reach : 1e-9 * reach * random;
	}
	return value > reach ? reach : value < -reach ? -reach : value;
}

struct series {
	uint32_t within;
	double worst; /* error as a part of the band */
};

static void play_series(const struct esf_intake *intake, enum shape shape, double span,
    double reach, uint64_t seed, struct series *out)
{
	struct esf_report report = { .zone = ESF_ZONE_NONE };
	double value = 0;

	*out = (struct series){ 0 };
	for (int i = 0; i < 5000; i++) {
		struct esf_sample sample = { .span = span, .time = i * SECOND / 10, .measure = 1 };
		double band, counted;

		value = next_value(shape, value, reach, i, &seed);
		sample.value = value;
		counted = value;
		if (esf_admit_deviation(intake, &report, &sample) == ESF_RECORD_WITHIN_BAND) {
			counted = report.value;
			out->within++;
		}
		band = intake->band * (isfinite(span) ? span : fabs(value));
		if (fabs(value - counted) > band)
			out->worst = INFINITY;
		else if (band > 0)
			out->worst = fmax(out->worst, fabs(value - counted) / band);
	}
}

/* Of all that is counted: |true value - counted value| <= band. */
static void every_error_is_within_the_band(void)
{
	static const double bands[] = { 0.0001, 0.01, 0.3, 1 };
	static const double reaches[] = { 1e-300, 0.5, 50, 1e6, 1e300 };

	for (size_t b = 0; b < sizeof(bands) / sizeof(bands[0]); b++) {
		struct esf_intake *intake = intake_new(bands[b], 1);
		uint32_t within[SHAPES_COUNT] = { 0 };

		for (size_t r = 0; r < sizeof(reaches) / sizeof(reaches[0]); r++)
			for (int shape = 0; shape < SHAPES_COUNT; shape++)
				for (uint64_t seed = 1; seed <= 6; seed++) {
					double reach = reaches[r];
					struct series series;

					play_series(intake, (enum shape)shape,
					    seed % 2 == 0 ? INFINITY : 2 * reach, reach, seed,
					    &series);
					CU_ASSERT(series.worst <= 1.0);
					within[shape] += series.within;
				}
		for (int shape = 0; shape < SHAPES_COUNT; shape++)
			CU_ASSERT(within[shape] > 0 || bands[b] < 0.01); /* something was tried */
		free(intake);
	}
}

/* Zones too: what is counted scores on the same stretch as what was sent. */
static void counted_value_is_in_the_true_values_zone(void)
{
	struct esf_intake *intake = intake_new(1, 1);
	struct esf_report report = { .zone = ESF_ZONE_NONE };
	uint64_t seed = 11;
	uint32_t within = 0;

	for (int i = 0; i < 20000; i++) {
		struct esf_sample sample = {
			.value = 100 * uniform(&seed), .span = 100, .time = i * SECOND
		};
		double counted = sample.value;

		if (esf_admit_deviation(intake, &report, &sample) == ESF_RECORD_WITHIN_BAND) {
			counted = report.value;
			within++;
		}
		CU_ASSERT_EQUAL(esf_admit_zone(&intake->edges[0], counted),
		    esf_admit_zone(&intake->edges[0], sample.value));
	}
	CU_ASSERT(within > 1000);
	free(intake);
}

static void silence_ends_after_max_silence(void)
{
	static const struct {
		int64_t time_s;
		double value;
		enum esf_record_verdict verdict;
	} cases[] = {
		{ 1000, 50, ESF_RECORD_ACCEPTED }, /* the first */
		{ 1001, 51, ESF_RECORD_WITHIN_BAND },
		{ 1099, 49, ESF_RECORD_WITHIN_BAND },
		{ 1100, 51, ESF_RECORD_ACCEPTED }, /* 100 s */
		{ 1101, 52, ESF_RECORD_WITHIN_BAND },
		{ 1000, 52, ESF_RECORD_WITHIN_BAND }, /* of before */
		{ 1102, 49.5, ESF_RECORD_ACCEPTED },
		{ 1201, 49.5, ESF_RECORD_WITHIN_BAND },
		{ 1202, 49.5, ESF_RECORD_ACCEPTED },
	};
	struct esf_intake *intake = intake_new(0.01, 1);
	struct esf_report report = { .zone = ESF_ZONE_NONE };

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct esf_sample sample = {
			.value = cases[i].value, .span = 100, .time = cases[i].time_s * SECOND
		};

		CU_ASSERT_EQUAL(esf_admit_deviation(intake, &report, &sample), cases[i].verdict);
	}
	free(intake);
}

/*
 * Counts are Horvitz and Thompson's estimate: of n samples, each kept with the chance 1/k, the sum
 * of weights has the mean n and the variance n (k - 1). The first sample is certain. Over so many
 * seeds the average strays by at most 5 of its standard deviations, as does each by 6 of its own.
 */
static void weights_add_up_to_the_samples_without_bias(void)
{
	static const uint32_t ks[] = { 2, 10, 1000 };
	enum { SEEDS = 100, SAMPLES = 20000 };

	for (size_t i = 0; i < sizeof(ks) / sizeof(ks[0]); i++) {
		struct esf_intake *intake = intake_new(0.01, ks[i]);
		double spread = sqrt((double)(SAMPLES - 1) * (ks[i] - 1)), sum = 0;

		for (uint64_t seed = 1; seed <= SEEDS; seed++) {
			struct esf_report report = { .zone = ESF_ZONE_NONE };
			struct esf_acc acc = { 0 };
			uint64_t state = seed;

			for (int s = 0; s < SAMPLES; s++) {
				struct esf_sample sample = { .value = 45 + 10 * uniform(&state),
					.time = s * SECOND / 100,
					.site = (uint32_t)seed };

				esf_acc_add_weighted(&acc, sample.value, 0,
				    esf_admit_downsample(intake, &report, &sample));
			}
			CU_ASSERT_EQUAL(acc.good, SAMPLES);
			CU_ASSERT(fabs((double)acc.samples - SAMPLES) <= 6 * spread);
			sum += acc.samples;
		}
		CU_ASSERT(fabs(sum / SEEDS - SAMPLES) <= 5 * spread / sqrt(SEEDS));
		free(intake);
	}
}

/*
 * The weighted mean of v uniform in [45, 55) is sum(w v) / sum(w): with r = v - mean its error is
 * sum(w r) / sum(w), of the variance (k - 1) sum(r^2) / n^2, whose sum(r^2) / n is 100/12.
 */
static void weighted_means_are_unbiased(void)
{
	enum { SEEDS = 200, SAMPLES = 10000, K = 10 };
	struct esf_intake *intake = intake_new(0.01, K);
	double spread = sqrt((K - 1) * (100.0 / 12) / SAMPLES), sum = 0, deviation = 0;

	for (uint64_t seed = 1; seed <= SEEDS; seed++) {
		struct esf_report report = { .zone = ESF_ZONE_NONE };
		struct esf_acc all = { 0 }, kept = { 0 };
		uint64_t state = 1000 * seed;

		for (int s = 0; s < SAMPLES; s++) {
			struct esf_sample sample = { .value = 45 + 10 * uniform(&state),
				.time = s * SECOND / 100,
				.site = 3,
				.measure = 0 };

			esf_acc_add(&all, sample.value, 0);
			esf_acc_add_weighted(
			    &kept, sample.value, 0, esf_admit_downsample(intake, &report, &sample));
		}
		CU_ASSERT(fabs(esf_acc_mean(&kept) - esf_acc_mean(&all)) <= 6 * spread);
		sum += esf_acc_mean(&kept) - esf_acc_mean(&all);
		deviation += esf_acc_stddev(&kept) / esf_acc_stddev(&all);
	}
	CU_ASSERT(fabs(sum / SEEDS) <= 5 * spread / sqrt(SEEDS));
	CU_ASSERT_DOUBLE_EQUAL(deviation / SEEDS, 1, 0.01);
	free(intake);
}

/* Neighbours in any one of site, KPI, time and value are left out independently of each other. */
static void choice_depends_on_site_kpi_time_and_value(void)
{
	enum { COUNT = 40000 };
	struct esf_intake *intake = intake_new(0.01, 2);

	for (int what = 0; what < 4; what++) {
		struct esf_report report = { .zone = ESF_ZONE_NONE };
		uint32_t kept = 0, changes = 0, before = 0;

		for (uint32_t i = 0; i < COUNT; i++) {
			struct esf_sample sample = { .value = what == 0 ? i : 7,
				.time = what == 1 ? i : 7,
				.site = what == 2 ? i : 7,
				.measure = what == 3 ? (uint16_t)(1 + i % 63) : 1 };
			uint32_t weight;

			if (what == 3)
				sample.time = i / 63;
			report.zone = 4;
			weight = esf_admit_downsample(intake, &report, &sample);
			kept += weight > 0;
			changes += weight != before;
			before = weight;
		}
		CU_ASSERT(fabs(kept - COUNT / 2.0) <= 5 * sqrt(COUNT) / 2);
		CU_ASSERT(fabs(changes - COUNT / 2.0) <= 5 * sqrt(COUNT) / 2);
	}
	free(intake);
}

/* From admit_hash.py, which was written from docs/CONTRACT.md. */
static void choice_is_the_documented_hash(void)
{
	static const struct {
		uint32_t site;
		uint16_t measure;
		int64_t time;
		double value;
		bool kept; /* one in four */
	} cases[] = {
#include "data/admit_hash.inc"
	};
	struct esf_intake *intake = intake_new(0.01, 4);

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct esf_report report = { .zone = 4 };
		struct esf_sample sample = { .value = cases[i].value,
			.time = cases[i].time,
			.site = cases[i].site,
			.measure = cases[i].measure };

		intake->edges[0] = intake->edges[1];
		CU_ASSERT_EQUAL(
		    esf_admit_downsample(intake, &report, &sample), cases[i].kept ? 4 : 0);
	}
	free(intake);
}

void esf_suite_admit(void)
{
	CU_pSuite suite = CU_add_suite("admit", NULL, NULL);

	CU_add_test(suite, "zones_part_at_the_edges", zones_part_at_the_edges);
	CU_add_test(suite, "every_error_is_within_the_band", every_error_is_within_the_band);
	CU_add_test(suite, "counted_value_is_in_the_true_values_zone",
	    counted_value_is_in_the_true_values_zone);
	CU_add_test(suite, "silence_ends_after_max_silence", silence_ends_after_max_silence);
	CU_add_test(suite, "weights_add_up_to_the_samples_without_bias",
	    weights_add_up_to_the_samples_without_bias);
	CU_add_test(suite, "weighted_means_are_unbiased", weighted_means_are_unbiased);
	CU_add_test(suite, "choice_depends_on_site_kpi_time_and_value",
	    choice_depends_on_site_kpi_time_and_value);
	CU_add_test(suite, "choice_is_the_documented_hash", choice_is_the_documented_hash);
}

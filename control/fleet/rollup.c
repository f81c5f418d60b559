/* SPDX-License-Identifier: Apache-2.0 */
#include "control/fleet/rollup.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

static int by_value(const void *a, const void *b)
{
	double left = *(const double *)a, right = *(const double *)b;

	return (left > right) - (left < right);
}

static double median_of_three(double a, double b, double c)
{
	double low = a < b ? a : b, high = a < b ? b : a;

	return c < low ? low : c > high ? high : c;
}

/*
 * Moves the values of [from, to) that are below the pivot (or equal to it, where equal is set) to
 * the front; returns where the others start. Every step swaps, so that there is no branch to
 * mispredict.
 */
static uint32_t partition(double *values, uint32_t from, uint32_t to, double pivot, bool equal)
{
	uint32_t end = from;

	for (uint32_t i = from; i < to; i++) {
		double value = values[i];

		values[i] = values[end];
		values[end] = value;
		end += equal ? value <= pivot : value < pivot;
	}
	return end;
}

/*
 * Hoare's selection. Values come from senders, who could choose them so that every pivot is a bad
 * one: after 4 log2(count) rounds what is left is sorted.
 */
double esf_rollup_rank(double *values, uint32_t count, uint32_t rank)
{
	uint32_t first = 0, end = count;
	int rounds = 4 * (32 - __builtin_clz(count));

	while (end - first > 1 && rounds-- > 0) {
		double pivot = median_of_three(
		    values[first], values[first + (end - first) / 2], values[end - 1]);
		uint32_t equals = partition(values, first, end, pivot, false);
		uint32_t greater;

		if (rank < equals) {
			end = equals;
			continue;
		}
		greater = partition(values, equals, end, pivot, true);
		if (rank < greater)
			return pivot;
		first = greater;
	}
	if (end - first > 1)
		qsort(values + first, end - first, sizeof(*values), by_value);
	return values[rank];
}

/* Nearest rank, from 0. */
static uint32_t rank_of(uint32_t count, double p)
{
	double rank = ceil(p * count / 100);

	if (rank < 1)
		return 0;
	return rank > count ? count - 1 : (uint32_t)rank - 1;
}

double esf_rollup_quantile(double *values, uint32_t count, double p)
{
	return count == 0 ? NAN : esf_rollup_rank(values, count, rank_of(count, p));
}

/* The 95th percentile is sought among those that the median left behind it. */
static void set_quantiles(double *means, struct esf_scope_kpi *out)
{
	uint32_t p50 = rank_of(out->sites, 50), p95 = rank_of(out->sites, 95);

	out->p50 = esf_rollup_rank(means, out->sites, p50);
	out->p95 = esf_rollup_rank(means + p50, out->sites - p50, p95 - p50);
}

/* Sites lie far apart in memory, so one pass: mean and squares are carried along (West 1979). */
struct moments {
	double weight;
	double mean;
	double squares; /* sum of weight * (x - mean)^2 */
};

static void add_site(struct moments *moments, double weight, double x)
{
	double distance = x - moments->mean;

	moments->weight += weight;
	moments->mean += distance * (weight / moments->weight);
	moments->squares += weight * distance * (x - moments->mean);
}

void esf_rollup_kpi(const struct esf_site_kpi *const *sites, const double *weights, uint32_t count,
    double *scratch, struct esf_scope_kpi *out)
{
	struct moments moments = { 0 };
	double min = INFINITY, max = -INFINITY;

	*out = (struct esf_scope_kpi){ .mean = NAN,
		.stddev = NAN,
		.min = NAN,
		.max = NAN,
		.p50 = NAN,
		.p95 = NAN,
		.score = NAN,
		.contribution = 0 };
	for (uint32_t i = 0; i < count; i++) {
		const struct esf_site_kpi *site = sites[i];

		if (isnan(site->mean) || site->excluded != 0)
			continue;
		add_site(&moments, weights[i], site->mean);
		min = site->min < min ? site->min : min;
		max = site->max > max ? site->max : max;
		out->samples += site->samples;
		if (!isnan(site->contribution))
			out->contribution += weights[i] * site->contribution;
		scratch[out->sites++] = site->mean;
	}
	if (out->sites == 0)
		return;
	out->mean = moments.mean;
	out->stddev = sqrt(moments.squares / moments.weight);
	out->min = min;
	out->max = max;
	set_quantiles(scratch, out);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "control/fleet/rollup.h"

#include <math.h>
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

static void swap(double *a, double *b)
{
	double kept = *a;

	*a = *b;
	*b = kept;
}

/*
 * Hoare's partition of values[first..last] around pivot, one of them: afterwards those up to *left
 * are <= it, those from *right on are >= it, and what lies between equals it.
 */
static void partition(double *values, double pivot, int64_t *left, int64_t *right)
{
	int64_t i = *left, j = *right;

	while (i <= j) {
		while (values[i] < pivot)
			i++;
		while (values[j] > pivot)
			j--;
		if (i <= j)
			swap(&values[i++], &values[j--]);
	}
	*left = j;
	*right = i;
}

/*
 * The value of the given rank (from 0), by Hoare's selection: linear in count. Values come from
 * senders, who could choose them so that every pivot is a bad one: after 4 log2(count) rounds what
 * is left is sorted.
 */
static double value_of_rank(double *values, uint32_t count, uint32_t rank)
{
	int64_t first = 0, last = (int64_t)count - 1;
	int rounds = 4 * (32 - __builtin_clz(count));

	while (first < last && rounds-- > 0) {
		int64_t left = first, right = last;

		partition(values,
		    median_of_three(values[first], values[(first + last) / 2], values[last]), &left,
		    &right);
		if (rank <= left)
			last = left;
		else if (rank >= right)
			first = right;
		else
			return values[rank];
	}
	if (first < last)
		qsort(values + first, (size_t)(last - first + 1), sizeof(*values), by_value);
	return values[rank];
}

double esf_rollup_quantile(double *values, uint32_t count, double p)
{
	double rank = ceil(p * count / 100);

	if (count == 0)
		return NAN;
	if (rank < 1)
		rank = 1;
	if (rank > count)
		rank = count;
	return value_of_rank(values, count, (uint32_t)rank - 1);
}

static double weighted_stddev(const struct esf_site_kpi *const *sites, const double *weights,
    uint32_t count, double mean, double weight)
{
	double sum = 0;

	for (uint32_t i = 0; i < count; i++) {
		double distance = sites[i]->mean - mean;

		if (!isnan(distance))
			sum += weights[i] * distance * distance;
	}
	return sqrt(sum / weight);
}

void esf_rollup_kpi(const struct esf_site_kpi *const *sites, const double *weights, uint32_t count,
    double *scratch, struct esf_scope_kpi *out)
{
	double weight = 0, sum = 0;

	*out = (struct esf_scope_kpi){ .mean = NAN,
		.stddev = NAN,
		.min = NAN,
		.max = NAN,
		.p50 = NAN,
		.p95 = NAN,
		.score = NAN };
	for (uint32_t i = 0; i < count; i++) {
		const struct esf_site_kpi *site = sites[i];

		if (isnan(site->mean))
			continue;
		weight += weights[i];
		sum += weights[i] * site->mean;
		out->min = fmin(out->min, site->min);
		out->max = fmax(out->max, site->max);
		out->samples += site->samples;
		scratch[out->sites++] = site->mean;
	}
	if (out->sites == 0)
		return;
	out->mean = sum / weight;
	out->stddev = weighted_stddev(sites, weights, count, out->mean, weight);
	out->p50 = esf_rollup_quantile(scratch, out->sites, 50);
	out->p95 = esf_rollup_quantile(scratch, out->sites, 95);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "histogram.h"

#include <math.h>
#include <string.h>

void esf_histogram_clear(struct esf_histogram *histogram)
{
	memset(histogram, 0, sizeof(*histogram));
	histogram->min = UINT64_MAX;
}

/* The first doubling holds one value a bucket; in each further one a bucket is twice as wide. */
static uint32_t bucket_of(uint64_t ns)
{
	uint32_t doubling, bucket;

	if (ns >> ESF_HISTOGRAM_BITS == 0)
		return (uint32_t)ns;
	doubling = 64 - ESF_HISTOGRAM_BITS - (uint32_t)__builtin_clzll(ns);
	bucket = (doubling << ESF_HISTOGRAM_BITS) + (uint32_t)(ns >> (doubling - 1)) -
	         (1U << ESF_HISTOGRAM_BITS);
	return bucket < ESF_HISTOGRAM_BUCKETS ? bucket : ESF_HISTOGRAM_BUCKETS - 1;
}

/* The largest value that it holds. */
static uint64_t top_of(uint32_t bucket)
{
	uint32_t doubling = bucket >> ESF_HISTOGRAM_BITS;
	uint64_t place = bucket & ((1U << ESF_HISTOGRAM_BITS) - 1);

	if (doubling == 0)
		return place;
	return (((place + (1U << ESF_HISTOGRAM_BITS)) + 1) << (doubling - 1)) - 1;
}

void esf_histogram_add(struct esf_histogram *histogram, uint64_t ns, uint64_t count)
{
	histogram->count += count;
	histogram->buckets[bucket_of(ns)] += count;
	if (ns < histogram->min)
		histogram->min = ns;
	if (ns > histogram->max)
		histogram->max = ns;
}

uint64_t esf_histogram_at(const struct esf_histogram *histogram, double share)
{
	uint64_t wanted = (uint64_t)ceil(share * (double)histogram->count), seen = 0;

	if (histogram->count == 0)
		return 0;
	if (wanted == 0)
		return histogram->min;
	for (uint32_t i = 0; i < ESF_HISTOGRAM_BUCKETS; i++) {
		seen += histogram->buckets[i];
		if (seen >= wanted)
			return i + 1 == ESF_HISTOGRAM_BUCKETS || top_of(i) > histogram->max
			           ? histogram->max
			           : top_of(i);
	}
	return histogram->max;
}

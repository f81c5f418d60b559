/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ESF_BENCH_HISTOGRAM_H
#define ESF_BENCH_HISTOGRAM_H

#include <stdint.h>

/*
 * How often which length of time occurred, in ns: 128 buckets to each doubling, so that what is
 * read is at most 0.8% too high, never too low; the smallest and the largest are exact. Nothing
 * allocates. One thread at a time.
 */
enum {
	ESF_HISTOGRAM_BITS = 7,       /* of a bucket's place within its doubling */
	ESF_HISTOGRAM_DOUBLINGS = 33, /* above 127 ns, to 18 min; what is longer counts as that */
	ESF_HISTOGRAM_BUCKETS = (ESF_HISTOGRAM_DOUBLINGS + 1) << ESF_HISTOGRAM_BITS,
};

struct esf_histogram {
	uint64_t count;
	uint64_t min, max; /* ns; while count is 0: UINT64_MAX, 0 */
	uint64_t buckets[ESF_HISTOGRAM_BUCKETS];
};

void esf_histogram_clear(struct esf_histogram *histogram);

/* Counts ns, count times. */
void esf_histogram_add(struct esf_histogram *histogram, uint64_t ns, uint64_t count);

/* ns that at least `share` (0..1) of what was counted did not exceed; 0 where there is nothing. */
uint64_t esf_histogram_at(const struct esf_histogram *histogram, double share);

#endif

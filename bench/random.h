/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ESF_BENCH_RANDOM_H
#define ESF_BENCH_RANDOM_H

#include <stdint.h>

/*
 * Numbers that look random but are pure functions of where they are used: (seed, purpose, site,
 * item, tick). Nothing has a state, so a site's numbers do not depend on what the other sites do,
 * nor on the order in which they are asked for. The mixing is the output function of SplitMix64
 * (Steele, Lea, Flood 2014: "Fast splittable pseudorandom number generators"), folded over the
 * words. Any thread.
 */
enum esf_random_purpose {
	ESF_RANDOM_NOISE = 1, /* item: KPI index, tick: sample number */
	ESF_RANDOM_SPREAD,    /* item: KPI index, tick: 0 */
	ESF_RANDOM_LOSS, /* item: fault index, tick: number of the site's datagram; also the next
	                    three */
	ESF_RANDOM_DUPLICATE,
	ESF_RANDOM_REORDER,
	ESF_RANDOM_DEPTH,
};

struct esf_random_at {
	uint64_t seed;
	uint32_t purpose; /* enum esf_random_purpose */
	uint32_t site;    /* site id */
	uint32_t item;
	uint64_t tick;
};

static inline uint64_t esf_random_mix(uint64_t z)
{
	z += 0x9e3779b97f4a7c15;
	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
	z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
	return z ^ (z >> 31);
}

/* 64 uniform bits. */
static inline uint64_t esf_random_bits(const struct esf_random_at *at)
{
	uint64_t z = esf_random_mix(at->seed);

	z = esf_random_mix(z ^ ((uint64_t)at->purpose << 32 | at->site));
	return esf_random_mix(esf_random_mix(z ^ at->item) ^ at->tick);
}

/* Uniform in [0, 1). */
static inline double esf_random_uniform(const struct esf_random_at *at)
{
	return (double)(esf_random_bits(at) >> 11) * 0x1p-53;
}

/*
 * Mean 0, standard deviation 1, within +-6: the sum of twelve uniforms less 6 (Irwin-Hall). All of
 * it is integer arithmetic up to one exact division, so that every machine gets the same bits.
 */
static inline double esf_random_gauss(const struct esf_random_at *at)
{
	uint64_t z = esf_random_bits(at);
	uint32_t sum = 6; /* twelve halves of a step: the steps' centres */

	for (unsigned word = 0; word < 3; word++, z = esf_random_mix(z))
		sum += (z & 0xffff) + (z >> 16 & 0xffff) + (z >> 32 & 0xffff) + (z >> 48);
	return (double)sum / 65536 - 6;
}

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#include "control/fleet/peers.h"

#include <math.h>

#include "control/fleet/rollup.h"

/* Halves are added, as the sum of two values may be beyond the largest double. */
static double median_of(double *values, uint32_t count)
{
	uint32_t middle = count / 2;
	double upper = esf_rollup_rank(values, count, middle), lower = -INFINITY;

	if (count % 2 == 1)
		return upper;
	for (uint32_t i = 0; i < middle; i++)
		lower = values[i] > lower ? values[i] : lower;
	return lower / 2 + upper / 2;
}

void esf_peers_measure(double *values, uint32_t count, struct esf_peers *out)
{
	double sum = 0;

	*out = (struct esf_peers){ .count = count, .median = NAN };
	if (count == 0)
		return;
	out->median = median_of(values, count);
	for (uint32_t i = 0; i < count; i++)
		values[i] = fabs(values[i] - out->median);
	out->mad = median_of(values, count);
	if (out->mad > 0)
		return;
	for (uint32_t i = 0; i < count; i++)
		sum += values[i];
	out->mean_ad = sum / count;
}

double esf_peers_score(const struct esf_peers *peers, double x)
{
	double distance = x - peers->median;

	if (peers->mad > 0)
		return 0.6745 * distance / peers->mad;
	return peers->mean_ad > 0 ? distance / (1.253314 * peers->mean_ad) : 0;
}

double esf_peers_fleetwise(uint32_t count)
{
	static const struct {
		uint32_t count;
		double threshold;
	} table[] = { { 5, 18.7 }, { 6, 9.9 }, { 8, 8.0 }, { 10, 6.9 }, { 16, 5.6 }, { 20, 5.3 },
		{ 30, 4.8 }, { 50, 4.5 }, { 100, 4.35 } };
	const uint32_t last = sizeof(table) / sizeof(table[0]) - 1;
	uint32_t at = 0;

	if (count <= table[0].count)
		return table[0].threshold;
	while (at < last && count >= table[at + 1].count)
		at++;
	if (at == last)
		return table[last].threshold;
	return table[at].threshold + (table[at + 1].threshold - table[at].threshold) *
	                                 (count - table[at].count) /
	                                 (table[at + 1].count - table[at].count);
}

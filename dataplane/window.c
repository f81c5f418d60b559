/* SPDX-License-Identifier: Apache-2.0 */
#include "window.h"

#include <math.h>

const struct esf_acc esf_acc_empty;

int64_t esf_window_index(int64_t time, int64_t window_ns)
{
	int64_t index = time / window_ns;

	return time % window_ns < 0 ? index - 1 : index;
}

int64_t esf_window_oldest_open(int64_t now, int64_t window_ns, uint32_t windows_open)
{
	return esf_window_index(now, window_ns) - (int64_t)windows_open + 1;
}

int64_t esf_window_closes_at(int64_t window, int64_t window_ns, uint32_t windows_open)
{
	return (window + (int64_t)windows_open) * window_ns;
}

static inline void add(struct esf_acc *acc, double value, uint32_t offset_us, uint32_t weight)
{
	double delta;

	acc->good++;
	if (weight == 0)
		return;
	if (acc->samples == 0) {
		acc->shift = value;
		acc->min = value;
		acc->max = value;
		acc->last = value;
		acc->last_us = offset_us;
	}
	delta = value - acc->shift;
	acc->samples += weight;
	acc->sum += weight * delta;
	acc->sumsq += weight * delta * delta;
	acc->min = value < acc->min ? value : acc->min;
	acc->max = value > acc->max ? value : acc->max;
	acc->last = offset_us >= acc->last_us ? value : acc->last;
	acc->last_us = offset_us >= acc->last_us ? offset_us : acc->last_us;
}

void esf_acc_add(struct esf_acc *acc, double value, uint32_t offset_us)
{
	add(acc, value, offset_us, 1);
}

void esf_acc_add_weighted(struct esf_acc *acc, double value, uint32_t offset_us, uint32_t weight)
{
	add(acc, value, offset_us, weight);
}

double esf_acc_mean(const struct esf_acc *acc)
{
	return acc->samples == 0 ? NAN : acc->shift + acc->sum / acc->samples;
}

double esf_acc_stddev(const struct esf_acc *acc)
{
	double squares;

	if (acc->samples < 2)
		return NAN;
	squares = acc->sumsq - acc->sum * acc->sum / acc->samples;
	return squares <= 0.0 ? 0.0 : sqrt(squares / (acc->samples - 1));
}

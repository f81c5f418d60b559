/* SPDX-License-Identifier: Apache-2.0 */
#include "window.h"

#include <math.h>

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

void esf_acc_add(struct esf_acc *acc, double value, int64_t time)
{
	double delta;

	if (acc->good == 0) {
		acc->shift = value;
		acc->min = value;
		acc->max = value;
		acc->last = value;
		acc->last_time = time;
	}
	delta = value - acc->shift;
	acc->good++;
	acc->sum += delta;
	acc->sumsq += delta * delta;
	acc->min = value < acc->min ? value : acc->min;
	acc->max = value > acc->max ? value : acc->max;
	acc->last = time >= acc->last_time ? value : acc->last;
	acc->last_time = time >= acc->last_time ? time : acc->last_time;
}

double esf_acc_mean(const struct esf_acc *acc)
{
	return acc->good == 0 ? NAN : acc->shift + acc->sum / acc->good;
}

double esf_acc_stddev(const struct esf_acc *acc)
{
	double squares;

	if (acc->good < 2)
		return NAN;
	squares = acc->sumsq - acc->sum * acc->sum / acc->good;
	return squares <= 0.0 ? 0.0 : sqrt(squares / (acc->good - 1));
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "control/cli/sparkline.h"

#include <math.h>
#include <string.h>

static const char *const bars[] = { "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█" };

enum { BARS_COUNT = 8 };

/* The mean of those there are. */
static double mean_of(const double *values, uint32_t count)
{
	double sum = 0;
	uint32_t n = 0;

	for (uint32_t i = 0; i < count; i++) {
		if (isnan(values[i]))
			continue;
		sum += values[i];
		n++;
	}
	return n > 0 ? sum / n : NAN;
}

void esf_sparkline(const double *values, uint32_t count, char *text)
{
	uint32_t columns = count < ESF_SPARKLINE_COLUMNS ? count : ESF_SPARKLINE_COLUMNS;
	double means[ESF_SPARKLINE_COLUMNS], min = INFINITY, max = -INFINITY;

	for (uint32_t c = 0; c < columns; c++) {
		uint32_t first = (uint32_t)((uint64_t)c * count / columns);
		uint32_t end = (uint32_t)((uint64_t)(c + 1) * count / columns);

		means[c] = mean_of(values + first, end - first);
		min = fmin(min, means[c]);
		max = fmax(max, means[c]);
	}
	text[0] = '\0';
	for (uint32_t c = 0; c < columns; c++) {
		double part = max > min && !isnan(means[c]) ? (means[c] - min) / (max - min) : 0.5;
		int bar = (int)(part * BARS_COUNT);

		text = stpcpy(
		    text, isnan(means[c]) ? " " : bars[bar < BARS_COUNT ? bar : BARS_COUNT - 1]);
	}
}

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ESF_SPARKLINE_H
#define ESF_SPARKLINE_H

#include <stdint.h>

/*
 * Values as a line of bars, each of them one of eight heights between the least and the greatest.
 * More than ESF_SPARKLINE_COLUMNS values share columns, each of which shows the mean of its own;
 * NaN is a gap. Of values that are all the same the bars are half high.
 */
enum { ESF_SPARKLINE_COLUMNS = 96, ESF_SPARKLINE_SIZE = 3 * ESF_SPARKLINE_COLUMNS + 1 };

/* text: ESF_SPARKLINE_SIZE bytes. */
void esf_sparkline(const double *values, uint32_t count, char *text);

#endif

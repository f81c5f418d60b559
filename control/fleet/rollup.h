/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ESF_ROLLUP_H
#define ESF_ROLLUP_H

#include <stdint.h>

#include "control/fleet/view.h"

/*
 * From sites to regions and the fleet, CONTRACT 4.4. Pure functions; any thread.
 */

/*
 * The values of one KPI over count sites, of which those with a NaN mean have no data and, as the excluded ones, are left out:
 * mean = sum(w x) / sum(w), stddev = sqrt(sum(w (x - mean)^2) / sum(w)) with x the site means; min and max over the
 * sites' min and max; p50, p95 by nearest rank over the site means. scratch holds count doubles. score is left NaN.
 * contribution = sum(w contribution) over the sites that have one: the known sites' weight has to divide it.
 */
void esf_rollup_kpi(const struct esf_site_kpi *const *sites, const double *weights, uint32_t count,
    double *scratch, struct esf_scope_kpi *out);

/* Nearest rank: the smallest value with at least p percent of the values at or below it. Reorders values. */
double esf_rollup_quantile(double *values, uint32_t count, double p);

/*
 * The value of the given rank, from 0 and below count. Reorders values: none before it is greater
 * then, none behind it smaller. Linear in count.
 */
double esf_rollup_rank(double *values, uint32_t count, uint32_t rank);

#endif

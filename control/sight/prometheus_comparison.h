/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ESF_PROMETHEUS_COMPARISON_H
#define ESF_PROMETHEUS_COMPARISON_H

#include <stdio.h>

#include "control/fleet/view.h"

/*
 * What comparison says of a closed window: its part of /metrics. Readers of the view.
 *
 * Nothing is by site. What is by region or by group of peers is left out where regions or groups,
 * times the compared KPIs, are more than ESF_PROMETHEUS_GROUPS_MAX.
 */
enum { ESF_PROMETHEUS_GROUPS_MAX = 10000 };

void esf_prometheus_put_comparison(FILE *out, const struct esf_view *view);

#endif

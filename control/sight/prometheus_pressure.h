/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ESF_PROMETHEUS_PRESSURE_H
#define ESF_PROMETHEUS_PRESSURE_H

#include <stdio.h>

#include "lcores/pressure.h"

/* Part of the metrics page: ports and their queues, hand-over rings, mempools. */
void esf_prometheus_put_pressure(FILE *out, const struct esf_pressure *pressure);

#endif

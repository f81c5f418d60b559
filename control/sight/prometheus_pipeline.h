/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ESF_PROMETHEUS_PIPELINE_H
#define ESF_PROMETHEUS_PIPELINE_H

#include <stdio.h>

#include "lcores/pipeline.h"

/* Part of the metrics page: the poll loops and their nodes. */
void esf_prometheus_put_pipeline(FILE *out, const struct esf_pipeline *pipeline);

#endif

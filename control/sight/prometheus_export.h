/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ESF_PROMETHEUS_EXPORT_H
#define ESF_PROMETHEUS_EXPORT_H

#include <stdio.h>

#include "control/export/export.h"

/* The servers that windows are pushed to: their part of /metrics. Any thread. */
void esf_prometheus_put_exports(FILE *out, const struct esf_exports_status *exports);

#endif

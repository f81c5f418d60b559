/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ESF_BENCH_LABELS_H
#define ESF_BENCH_LABELS_H

#include <stdio.h>

#include "traffic.h"

/*
 * The truth about a run, as JSON: which faults were injected where and when, and what was sent, so
 * that a test can hold an answer or a ledger against it. The document: README.md.
 */

/* To be called after esf_traffic_finish. 0, or -1 with the reason printed to errors. */
int esf_labels_write(const char *path, const struct esf_scenario *scenario,
    const struct esf_traffic_options *options, const struct esf_traffic *traffic, FILE *errors);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ESF_ABSENT_H
#define ESF_ABSENT_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/*
 * The KPIs that a table leaves out: without a record in the window and not scored, so that a row of
 * them would say nothing. A scored one stays: that it has no data costs coverage.
 */
struct esf_absent {
	uint32_t count;
	size_t size;
	char names[512]; /* "hot_side_c, oil_c", cut off where it would not be shown anyway */
};

void esf_absent_start(struct esf_absent *absent);

/* Whether the KPI is to be left out, and then notes it. weights: {KPI: weight in health}. */
bool esf_absent_takes(
    struct esf_absent *absent, const char *name, const json_t *kpi, const json_t *weights);

/* "2 KPIs without data: hot_side_c, oil_c" in one line; nothing where none is left out. */
void esf_absent_finish(const struct esf_absent *absent, FILE *out);

#endif

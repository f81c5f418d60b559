/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ESF_BENCH_FAULTMAP_H
#define ESF_BENCH_FAULTMAP_H

#include <stdint.h>

#include "scenario.h"

/* Which of a scenario's faults concern which site. Read-only once made. */
struct esf_faultmap {
	const struct esf_scenario *scenario;
	uint32_t *first; /* sites_count + 1: where a site's part of indexes begins */
	uint16_t *indexes;
};

/* 0 or -ENOMEM. */
int esf_faultmap_create(struct esf_faultmap *faults, const struct esf_scenario *scenario);
void esf_faultmap_destroy(struct esf_faultmap *faults);

static inline uint32_t esf_faultmap_begin(const struct esf_faultmap *faults, uint32_t site)
{
	return faults->first[site];
}

static inline uint32_t esf_faultmap_end(const struct esf_faultmap *faults, uint32_t site)
{
	return faults->first[site + 1];
}

static inline const struct esf_scenario_fault *esf_faultmap_at(
    const struct esf_faultmap *faults, uint32_t at)
{
	return &faults->scenario->faults[faults->indexes[at]];
}

/* The site's first fault of the kind that acts at a time since the start on the KPI (-1: on all);
 * else NULL. */
const struct esf_scenario_fault *esf_faultmap_active(
    const struct esf_faultmap *faults, uint32_t site, int kind, int kpi, int64_t at_ns);

#endif

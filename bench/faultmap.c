/* SPDX-License-Identifier: Apache-2.0 */
#include "faultmap.h"

#include <errno.h>
#include <stdlib.h>

/* Counts the pairs of site and fault, and fills the index when there is one to fill. */
static uint32_t walk(struct esf_faultmap *faults)
{
	const struct esf_scenario *scenario = faults->scenario;
	uint32_t count = 0;

	for (uint32_t site = 0; site < scenario->sites_count; site++) {
		faults->first[site] = count;
		for (uint32_t i = 0; i < scenario->faults_count; i++) {
			if (!esf_scenario_fault_hits(&scenario->faults[i], &scenario->sites[site]))
				continue;
			if (faults->indexes)
				faults->indexes[count] = (uint16_t)i;
			count++;
		}
	}
	faults->first[scenario->sites_count] = count;
	return count;
}

int esf_faultmap_create(struct esf_faultmap *faults, const struct esf_scenario *scenario)
{
	*faults = (struct esf_faultmap){ .scenario = scenario };
	faults->first = calloc((size_t)scenario->sites_count + 1, sizeof(*faults->first));
	if (!faults->first)
		return -ENOMEM;
	faults->indexes = calloc((size_t)walk(faults) + 1, sizeof(*faults->indexes));
	if (!faults->indexes) {
		free(faults->first);
		return -ENOMEM;
	}
	walk(faults);
	return 0;
}

void esf_faultmap_destroy(struct esf_faultmap *faults)
{
	free(faults->first);
	free(faults->indexes);
}

const struct esf_scenario_fault *esf_faultmap_active(
    const struct esf_faultmap *faults, uint32_t site, int kind, int kpi, int64_t at_ns)
{
	for (uint32_t i = esf_faultmap_begin(faults, site); i < esf_faultmap_end(faults, site);
	     i++) {
		const struct esf_scenario_fault *fault = esf_faultmap_at(faults, i);

		if (fault->kind == kind && (fault->kpi < 0 || fault->kpi == kpi) &&
		    esf_scenario_fault_active(fault, at_ns))
			return fault;
	}
	return NULL;
}

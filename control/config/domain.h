/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ESF_CONFIG_DOMAIN_H
#define ESF_CONFIG_DOMAIN_H

#include <stdint.h>

#include "file.h"

/*
 * The domains' presets, configs/domains/NAME.yaml, embedded in the program: KPIs with their bands
 * and weights (CONTRACT 4.7) and the name rules that give to them. custom has none.
 */
struct esf_domain {
	uint32_t kpis_count;
	struct esf_kpi_entry *kpis;
	uint32_t rules_count;
	struct esf_rule_entry *rules;
};

/* Faults of a preset's own file are added to *faults under its name. 0, -EINVAL or -ENOMEM. */
int esf_domain_load(enum esf_domain_name name, struct esf_arena *arena,
    struct esf_fault_list *faults, struct esf_domain *domain);

/* The KPI that is taken from the dataplane's own counts, in every domain that has it. */
#define ESF_COMMS_KPI "comms_quality"

#endif

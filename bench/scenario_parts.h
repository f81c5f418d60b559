/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ESF_BENCH_SCENARIO_PARTS_H
#define ESF_BENCH_SCENARIO_PARTS_H

#include "scenario.h"
#include "yamldoc.h"

/*
 * The parts of a scenario file, each read by its own .c file; what is wrong goes to the document's
 * errors. They are read in this order, since faults name KPIs and sites. Private to the scenario.
 */

/* sites: node is NULL for the default; count_override 0 leaves the count. */
void esf_scenario_sites_read(struct esf_yamldoc *doc, yaml_node_t *node, uint32_t count_override,
    struct esf_scenario *scenario);

void esf_scenario_faults_read(
    struct esf_yamldoc *doc, yaml_node_t *node, struct esf_scenario *scenario);

/* Reports that memory ran out, at node (which may be NULL). */
void esf_scenario_no_memory(struct esf_yamldoc *doc);

#endif

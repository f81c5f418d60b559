/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ESF_LCORES_PLAN_MEMORY_H
#define ESF_LCORES_PLAN_MEMORY_H

#include "plan.h"

/* Part of esf_plan_make: mempools and their sizes, and whether there is memory for them. */
int esf_plan_memory(struct esf_plan *plan, FILE *errors);

/* The NUMA node whose memory is meant for an lcore; 0 where DPDK runs without hugepages. */
int esf_plan_lcore_socket(uint32_t lcore);

#endif

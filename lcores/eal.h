/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ESF_LCORES_EAL_H
#define ESF_LCORES_EAL_H

#include <stdio.h>

#include "options.h"

/*
 * Starts DPDK's environment (EAL) with the configured arguments and what they leave open:
 *
 *   no -l, -c, --lcores           --lcores from options: one lcore a CPU, lcore id = CPU number,
 * the main lcore on a CPU of its own where there is one to spare no hugepages, no --no-huge
 * --no-huge -m 512, with a note
 *   --no-huge                     --no-shconf, so that several processes go side by side
 *   hugepages                     --in-memory, so that a killed process leaves no hugepage file
 * behind no --log-level                warnings and errors only
 *
 * The thread that calls becomes the main lcore and is bound to its CPUs, as are threads it makes.
 * Once a process.
 *
 * 0, or -errno after one line to errors. What DPDK says while it starts goes to errors too, when it
 * started.
 */
int esf_eal_start(const struct esf_launch_options *options, FILE *errors);

/* After esf_launch_free. */
void esf_eal_stop(void);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ESF_LCORES_EAL_LCORES_H
#define ESF_LCORES_EAL_LCORES_H

#include <stdio.h>

#include "options.h"

enum { ESF_EAL_LCORES_SIZE = 1024 }; /* bytes of EAL's --lcores argument */

/*
 * Which lcores run on which of the CPUs that this process may use, as EAL's --lcores argument and
 * its main lcore. 0, or -errno after one line to errors. Before the EAL; any thread.
 */
int esf_eal_lcores(const struct esf_launch_options *options, char out[ESF_EAL_LCORES_SIZE],
    uint32_t *main_lcore, FILE *errors);

#endif

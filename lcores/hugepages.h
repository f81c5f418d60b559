/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ESF_LCORES_HUGEPAGES_H
#define ESF_LCORES_HUGEPAGES_H

#include <stdint.h>

/* Free hugepages of the machine, from sysfs; any thread, no EAL needed. */

/* Bytes of free hugepages of all sizes on a NUMA node; node -1: on all of them. */
uint64_t esf_hugepages_free(int node);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ESF_CONFIG_REGIONMAP_H
#define ESF_CONFIG_REGIONMAP_H

#include <stdint.h>

#include "config.h"

/*
 * The region that takes a site: the first whose glob (fnmatch(3), no flags) matches its name, of
 * the regions before named, which is the first that lists the name itself (regions_count when none
 * does).
 */
uint32_t esf_regionmap_find(const struct esf_config *config, const char *site, uint32_t named);

#endif

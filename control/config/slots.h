/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ESF_CONFIG_SLOTS_H
#define ESF_CONFIG_SLOTS_H

#include "config.h"

/* An index that nobody has, for a site that the running configuration does not list. */
typedef uint32_t esf_slot_fn(void *context, const struct esf_site_config *site);

/*
 * Gives each site of next its index in the plane's arrays: the one that its id has in running, or
 * a fresh one. The index of a site that next does not list is not given out. 0, -ENOMEM, or
 * -ENOSPC where fresh returned ESF_NO_SITE. Not for data lcores.
 */
int esf_slots_assign(
    const struct esf_config *running, struct esf_config *next, esf_slot_fn *fresh, void *context);

#endif

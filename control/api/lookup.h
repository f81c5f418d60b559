/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ESF_LOOKUP_H
#define ESF_LOOKUP_H

#include "control/config/config.h"

/*
 * The sites of one configuration by name: among a million one is found in 20 comparisons instead of
 * a million. Immutable once made; any thread may read. Outlived by the configuration.
 */
struct esf_lookup;

/* NULL when out of memory. */
struct esf_lookup *esf_lookup_create(const struct esf_config *config);
void esf_lookup_free(struct esf_lookup *lookup);

/*
 * Index of the config's site of that name, or -1. lookup may be NULL or another configuration's:
 * then the sites are gone through one by one.
 */
int64_t esf_lookup_find(
    const struct esf_lookup *lookup, const struct esf_config *config, const char *name);

#endif

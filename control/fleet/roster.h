/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ESF_ROSTER_H
#define ESF_ROSTER_H

#include <stdint.h>

#include "control/config/config.h"
#include "dataplane/learned.h"

/*
 * Who is who: the site behind each index of the plane's arrays. The configuration's sites have
 * the indexes that it says; the others are what the data lcores learned, with the weight 1, no
 * labels, and the region that the configuration's globs give to its name. What is known by its id
 * is named "site-ID", or "etd-ID" where a listed site has that name.
 *
 * Writer: control. Any thread that holds a view may read what is below the view's sites_count:
 * entries never change or move while the roster lives, which is as long as any view that points to
 * it. Not every index holds a site.
 */
struct esf_roster;

/* capacity: indexes there may ever be. The configuration must outlive it. NULL when out of memory.
 */
struct esf_roster *esf_roster_create(const struct esf_config *config, uint32_t capacity);
void esf_roster_destroy(struct esf_roster *roster);

/* Control: takes in what was learned since the last time. */
void esf_roster_learn(struct esf_roster *roster, const struct esf_learned *learned);

/* Whose sites it has. */
const struct esf_config *esf_roster_config(const struct esf_roster *roster);

/* Control: indexes in use; a view takes this number along. */
uint32_t esf_roster_count(const struct esf_roster *roster);

/* NULL: no site has this index. index < capacity. */
const struct esf_site_config *esf_roster_at(const struct esf_roster *roster, uint32_t index);

/* Index of the site of that name, below count (of the reader's view), or -1. */
int64_t esf_roster_find(const struct esf_roster *roster, const char *name, uint32_t count);

#endif

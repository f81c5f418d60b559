/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ESF_MAINTENANCE_H
#define ESF_MAINTENANCE_H

#include <stdbool.h>
#include <stdint.h>

#include "control/config/config.h"

/*
 * Who is in maintenance: pure functions of a configuration and a span of event time, so that a
 * replay says the same. A site is in maintenance in a span that overlaps one of its scopes'
 * windows; the first one listed is told. It is wholly in maintenance where the windows of one of
 * its scopes leave none of the span out.
 *
 * Where no window overlaps the span no site need be looked at. Else a site costs a few look-ups:
 * the fleet's scope, its region's, and those that the configuration found for its name and labels.
 */
struct esf_maintenance {
	const struct esf_config *config;
	uint32_t active; /* scopes with a window that overlaps the span; 0: nobody is in it */
	uint16_t first[ESF_MAINTENANCE_MAX]; /* by scope: 1 + its first listed window; 0: none */
	bool whole[ESF_MAINTENANCE_MAX];     /* by scope */
};

/* The span [start, end), Unix ns. */
void esf_maintenance_find(
    const struct esf_config *config, int64_t start, int64_t end, struct esf_maintenance *out);

/* 1 + the index of the site's window in the configuration's list, 0: none. *whole: wholly in it. */
uint32_t esf_maintenance_of(
    const struct esf_maintenance *of, const struct esf_site_config *site, bool *whole);

/* The same at one moment, without a table: of few sites. site NULL: one that is not known yet,
 * which is in the fleet's. */
uint32_t esf_maintenance_at(
    const struct esf_config *config, const struct esf_site_config *site, int64_t time);

/* The scope that has the name of a site that was learned; ESF_NO_SCOPE: none. */
uint16_t esf_maintenance_learned(const struct esf_config *config, const char *name);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ESF_WORST_H
#define ESF_WORST_H

#include "control/cli/commands.h"

/*
 * The sites to look at, at most so many rows: those nobody can see, then those that are worst off.
 * Neither keeps the other from being shown, and good sites that cost no points are none of them.
 */

/*
 * The document of GET /api/v1/sites cut down to these sites, with "unknown", how many of the sites
 * have no health. Result as esf_client_get's.
 */
int esf_worst_fetch(const struct esf_call *call, const char *region, int rows, json_t **out);

void esf_worst_show(const struct esf_screen *screen, const json_t *document);

#endif

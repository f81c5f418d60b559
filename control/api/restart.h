/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ESF_API_RESTART_H
#define ESF_API_RESTART_H

#include <jansson.h>

#include "control/state/state.h"

/*
 * Adds {"restart": {snapshot_time, restarted_at, gap, gap_latest, sites, streams, windows, dropped:
 * {sites, parts}} | null, "snapshot": {...} | null} to a ledger. Takes it over; NULL: out of memory
 * (or it was NULL). gap: sequence numbers that restarts forgot, all of them.
 */
json_t *esf_document_with_restart(
    json_t *ledger, const struct esf_state_status *state, uint64_t gap);

/* The same for one site's: {"gap": }. */
json_t *esf_document_with_gap(json_t *site_ledger, uint64_t gap);

#endif

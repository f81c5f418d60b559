/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ESF_DOCUMENT_H
#define ESF_DOCUMENT_H

#include <jansson.h>
#include <stdint.h>

#include "control/fleet/view.h"
#include "lcores/pipeline.h"
#include "lcores/pressure.h"

/*
 * The API's JSON documents (CONTRACT section 5), built from a view or a ledger: what the HTTP API, replay and the
 * telemetry socket all print. Times are integer Unix ns, absent numbers null. Keys are in the contract's order.
 * Any thread that may read the view. Each returns a new reference, or NULL when out of memory.
 */
extern const char *const esf_document_odd[]; /* by enum esf_odd: NULL, "peers", "itself", "both" */

json_t *esf_document_fleet(const struct esf_view *view);
json_t *esf_document_scope(const struct esf_view *view, const struct esf_scope *scope);
json_t *esf_document_site(const struct esf_view *view, uint32_t site);
json_t *esf_document_site_kpi(const struct esf_view *view, uint32_t site, uint32_t kpi);
json_t *esf_document_maintenance(const struct esf_maintenance_config *window); /* NULL: null */
json_t *esf_document_window(const struct esf_view *view); /* {"start":, "end":, "closed":} */

/* pressure may be NULL: zeroes and empty lists (replay has neither ports nor rings). */
json_t *esf_document_ledger(
    const struct esf_ledger *ledger, const struct esf_pressure *pressure);
json_t *esf_document_nic(const struct esf_pressure *pressure);      /* pressure.c */
json_t *esf_document_mbufs(const struct esf_pressure *pressure);    /* pressure.c */
json_t *esf_document_rings(const struct esf_pressure *pressure);    /* pressure.c */
json_t *esf_document_mempools(const struct esf_pressure *pressure); /* pressure.c */
/* Of one lcore, or of all (-1). pipeline.c */
json_t *esf_document_pipeline(const struct esf_pipeline *pipeline, int64_t time, int64_t lcore);
json_t *esf_document_site_ledger(const struct esf_site_ledger *ledger);

/* {"window": ..., "storm": ..., "fleet": ..., "regions": ..., "sites": [...]}: one line of replay. */
json_t *esf_document_replay_window(const struct esf_view *view);

#endif

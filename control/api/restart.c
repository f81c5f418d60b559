/* SPDX-License-Identifier: Apache-2.0 */
#include "control/api/restart.h"

/* What the ledger says of restarts and snapshots (CONTRACT, section 7: warm restart). */

static json_t *restart(const struct esf_state_status *state, uint64_t gap)
{
	if (!state->warm)
		return json_null();
	return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:{s:I, s:I}}", "snapshot_time",
	    (json_int_t)state->snapshot_time, "restarted_at", (json_int_t)state->restarted_at,
	    "gap", (json_int_t)gap, "gap_latest", (json_int_t)(gap - state->gap_before), "sites",
	    (json_int_t)state->sites, "streams", (json_int_t)state->streams, "windows",
	    (json_int_t)state->windows, "dropped", "sites", (json_int_t)state->dropped_sites,
	    "parts", (json_int_t)state->dropped_parts);
}

static json_t *snapshot(const struct esf_state_status *state)
{
	if (!state->on)
		return json_null();
	return json_pack("{s:s, s:b, s:o, s:o, s:I, s:I, s:I, s:I, s:I, s:b}", "file", state->path,
	    "well", state->well, "error",
	    state->error[0] == '\0' ? json_null() : json_string(state->error), "time",
	    state->time == 0 ? json_null() : json_integer(state->time), "bytes",
	    (json_int_t)state->size, "duration_us", (json_int_t)(state->duration / 1000), "written",
	    (json_int_t)state->written, "failures", (json_int_t)state->failures, "refused",
	    (json_int_t)state->refused, "exact", state->exact);
}

json_t *esf_document_with_restart(
    json_t *ledger, const struct esf_state_status *state, uint64_t gap)
{
	if (ledger == NULL || (json_object_set_new(ledger, "restart", restart(state, gap)) == 0 &&
	                          json_object_set_new(ledger, "snapshot", snapshot(state)) == 0))
		return ledger;
	json_decref(ledger);
	return NULL;
}

json_t *esf_document_with_gap(json_t *site_ledger, uint64_t gap)
{
	if (site_ledger == NULL ||
	    json_object_set_new(site_ledger, "gap", json_integer((json_int_t)gap)) == 0)
		return site_ledger;
	json_decref(site_ledger);
	return NULL;
}

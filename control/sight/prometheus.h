/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ESF_PROMETHEUS_H
#define ESF_PROMETHEUS_H

#include <stddef.h>
#include <stdint.h>

#include "control/export/export.h"
#include "control/fleet/view.h"
#include "control/history/history.h"
#include "control/incident/event_log.h"
#include "control/reload.h"
#include "control/state/state.h"
#include "dataplane/ledger.h"
#include "lcores/pipeline.h"
#include "lcores/pressure.h"

/*
 * The metrics page in Prometheus' text exposition format 0.0.4 (CONTRACT 5.4). Absent values have
 * no sample.
 */
enum { ESF_PROMETHEUS_SITES_MAX = 10000 }; /* with more sites, no series per site */

struct esf_prometheus_input {
	const struct esf_view *view; /* the latest closed window's; NULL: none yet */
	const struct esf_ledger *ledger;
	const struct esf_event_snapshot *events;
	const struct esf_pressure *pressure; /* NULL: no lcores */
	const struct esf_pipeline *pipeline; /* NULL: no lcores */
	struct esf_reload_counts reloads;
	const struct esf_history_status *history; /* NULL: none */
	const struct esf_exports_status *exports; /* NULL: none */
	const struct esf_state_status *state;     /* NULL: none */
	int64_t started;                          /* Unix ns */
	int64_t published; /* Unix ns: all accepted until then is; INT64_MIN: nothing yet */
};

/* Any thread that may read the view. 0 with *text malloc'ed, size bytes and a terminator; or
 * -ENOMEM. */
int esf_prometheus_render(const struct esf_prometheus_input *input, char **text, size_t *size);

#endif

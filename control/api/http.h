/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ESF_HTTP_H
#define ESF_HTTP_H

#include <stdint.h>
#include <stdio.h>

#include "control/config/config.h"
#include "control/export/export.h"
#include "control/fleet/intervals.h"
#include "control/fleet/views.h"
#include "control/history/history.h"
#include "control/state/state.h"
#include "control/incident/event_log.h"
#include "control/reload.h"
#include "dataplane/plane.h"
#include "lcores/launch.h"

/*
 * The HTTP API: one thread of its own that serves all connections by polling (libmicrohttpd on
 * epoll) and reads views under RCU. It inherits the CPU affinity of the thread that starts it, so
 * that it stays off the data lcores.
 */

/* What the API, the exporter and the telemetry socket read from. All outlive them. */
struct esf_api_sources {
	const struct esf_views *views;
	struct esf_intervals *intervals;
	struct esf_history *history; /* NULL: none (tests) */
	struct esf_exports *exports; /* NULL: none (tests) */
	struct esf_state *state;     /* NULL: none (tests) */
	const struct esf_event_log *events;
	const struct esf_plane *plane;
	const struct esf_launch *launch; /* NULL: no ports, nic and mbufs are zeroes */
	struct esf_reload *reload;       /* NULL: none (tests) */
	const struct esf_config *config; /* the first one: for what no reload changes */
	int64_t started;                 /* Unix ns */
};

struct esf_http;

/*
 * Listens at config->http and serves. 0, or -errno after one line to errors that says what to do.
 * errors also takes the server's own messages while it runs, at most one a second. *sources is
 * copied.
 */
int esf_http_start(const struct esf_api_sources *sources, struct esf_http **out, FILE *errors);

/* Ends connections and the thread; answers under way are cut. NULL is allowed. Not from within
 * RCU's read lock. */
void esf_http_stop(struct esf_http *http);

#endif

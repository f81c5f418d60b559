/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ESF_EXPORT_H
#define ESF_EXPORT_H

#include "control/export/status.h"
#include "control/fleet/view.h"

/*
 * Pushes closed windows to the servers of `export`. A thread of its own makes the points, keeps
 * them and sends them; control only hands it the views, held (esf_view_hold), and never waits.
 *
 * At most ESF_EXPORTS_WINDOWS_MAX views wait for the thread, and behind the first one only as many
 * as have ESF_EXPORTS_SITES_MAX sites together, as a view of a million sites is half a gigabyte. A
 * window that finds no room is missed: no point of it is made, for any server, and it is counted.
 */
enum {
	ESF_EXPORTS_WINDOWS_MAX = 16,
	ESF_EXPORTS_SITES_MAX = 1 << 18,
	ESF_EXPORTS_STOP_S = 1, /* for what is left at the end */
};

struct esf_exports_status {
	uint64_t windows; /* taken, since there is a server */
	uint64_t missed;  /* windows that found no room */
	uint64_t waiting; /* windows whose points are not made yet */
	uint32_t count;
	struct esf_target_status targets[8];
};

struct esf_exports;

/* NULL: out of memory or of threads. */
struct esf_exports *esf_exports_start(void);
/* Sends what is left, for ESF_EXPORTS_STOP_S at most. Before the rosters and configurations go.
 * NULL is allowed. */
void esf_exports_stop(struct esf_exports *exports);

/* Control, whenever it may be another configuration. */
void esf_exports_follow(struct esf_exports *exports, const struct esf_config *config);

/* Control: a closed window's view, whole. */
void esf_exports_take(struct esf_exports *exports, struct esf_view *view);

/* Control: whether a view of that configuration is still held. */
bool esf_exports_hold(struct esf_exports *exports, const struct esf_config *config);

/* Any thread. NULL when out of memory; to be freed by free(). */
struct esf_exports_status *esf_exports_status(struct esf_exports *exports);

#endif

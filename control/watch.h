/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ESF_WATCH_H
#define ESF_WATCH_H

#include "control/config/config.h"

/*
 * Sees that the configuration's file, or its inventory, was written or replaced (inotify on their
 * folders, so that a rename over the file counts), where reload.watch asks for it. An editor's
 * several steps are one change: it is told once nothing more has come for ESF_WATCH_SETTLE_NS.
 * Control thread; no call waits.
 */
struct esf_watch;

#define ESF_WATCH_SETTLE_NS INT64_C(500000000)

/* NULL when out of memory. */
struct esf_watch *esf_watch_create(void);
void esf_watch_destroy(struct esf_watch *watch);

/* Whether there is something to reload. now_ns: of a clock that only goes forward; revision: of the
 * configuration, whose files are looked for anew where it differs from that of the last call. */
bool esf_watch_tick(
    struct esf_watch *watch, const struct esf_config *config, uint64_t revision, int64_t now_ns);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ESF_VIEWS_H
#define ESF_VIEWS_H

#include <stdint.h>

#include "control/fleet/view.h"

/*
 * The two views that readers see: the latest closed window's and the provisional one's. One writer, the control
 * thread; readers are the API's threads, the exporters and the telemetry socket:
 *
 *   rcu_thread_online();            (registered once; offline while blocked)
 *   rcu_read_lock();
 *   view = esf_views_closed(views);
 *   ... build the document ...
 *   rcu_read_unlock();
 *   rcu_thread_offline();
 */
struct esf_views;

struct esf_views *esf_views_create(void);
/* After all readers have stopped. */
void esf_views_destroy(struct esf_views *views);

/* Control: takes the view over; the former one is freed after a grace period. */
void esf_views_set_closed(struct esf_views *views, struct esf_view *view);
void esf_views_set_open(struct esf_views *views, struct esf_view *view);

/* Readers, under rcu_read_lock. NULL before the first. */
const struct esf_view *esf_views_closed(const struct esf_views *views);
const struct esf_view *esf_views_open(const struct esf_views *views);

#endif

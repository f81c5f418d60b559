/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ESF_ADMISSION_H
#define ESF_ADMISSION_H

#include "control/fleet/view.h"

/*
 * Where ingestion is downsample: tells the shards which sites to thin from now on, as a closed
 * window's view has it. Nothing is done where that is what they do already. Control thread,
 * registered with RCU and online. -ENOMEM: nothing changed.
 */
int esf_admission_follow(struct esf_plane *plane, const struct esf_view *view);

/* After all shards stopped. */
void esf_admission_end(struct esf_plane *plane);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ESF_JUDGE_H
#define ESF_JUDGE_H

#include <stdint.h>

#include <stdio.h>

#include "control/fleet/compare.h"
#include "control/fleet/view.h"

/*
 * Closes windows in their order and judges each: the one place that decides what a closed window
 * says, for the live appliance and for replay alike. Control thread, registered with RCU and
 * online.
 */
struct esf_judge;

/*
 * from_window: the first window to close even if nothing ever came for it; INT64_MIN: start with
 * the first that holds a record (replay). NULL when out of memory.
 */
struct esf_judge *esf_judge_create(const struct esf_config *config, uint64_t config_revision,
    struct esf_roster *roster, struct esf_plane *plane, int64_t from_window);
/* After the plane's shards stopped. */
void esf_judge_destroy(struct esf_judge *judge);

/*
 * From the next window on by another configuration and its roster, in which the sites have the
 * indexes they had; rollup's windows are the same.
 */
void esf_judge_use(struct esf_judge *judge, const struct esf_config *config,
    uint64_t config_revision, struct esf_roster *roster);

/* Unix ns at which the next window closes; INT64_MAX: none is known yet. */
int64_t esf_judge_next_close(const struct esf_judge *judge);

/*
 * 0 with *out the view of the next window if it is closed at `settled` (the caller's to free; the
 * window's memory is given back to its shards, which are told what mode each site is in from now
 * on), or NULL where none is. settled INT64_MAX: the end,
 * every window that holds a record is closed. -ENOMEM when out of memory; the window is then tried
 * again the next time.
 */
int esf_judge_close(struct esf_judge *judge, int64_t settled, struct esf_view **out);

/* The provisional view of the window that `settled` falls in; NULL when out of memory. */
struct esf_view *esf_judge_open(const struct esf_judge *judge, int64_t settled);

/* Index of the next window to close. */
int64_t esf_judge_next(const struct esf_judge *judge);
struct esf_compare *esf_judge_compare(struct esf_judge *judge);

/* For a snapshot: silence and statuses; and back, before the first window is closed. */
void esf_judge_write(const struct esf_judge *judge, FILE *out);
void esf_judge_read(
    struct esf_judge *judge, struct esf_image_reader *in, const struct esf_site_indexes *indexes);

/*
 * Goes on with window next, and behind the last one that was remembered (INT64_MIN: none) with the
 * window that it was created with: those between passed while nobody ran.
 */
void esf_judge_recall(struct esf_judge *judge, int64_t next, int64_t last);

#endif

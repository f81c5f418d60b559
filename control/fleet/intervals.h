/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ESF_INTERVALS_H
#define ESF_INTERVALS_H

#include <stdio.h>

#include "control/fleet/interval.h"
#include "control/fleet/view.h"
#include "control/state/stream.h"

/*
 * The running intervals of rollup.intervals, aligned to the Unix epoch, over every site, region and
 * the fleet. Control feeds each closed window; others read under the lock, which control holds
 * while it does so.
 *
 * A window is closed once and for all, so an interval's value is revised as each of its windows
 * closes, and final when the last one has. What runs when the program starts or stops holds the
 * windows that were seen: esf_interval_span.windows says how many. A reload that changes which
 * KPIs, regions or intervals there are ends the running ones as far as they came, and begins them
 * anew.
 *
 * Memory: row_size for each of the first ESF_INTERVAL_SITES_MAX sites and each region, times the
 * intervals; pages of sites that never spoke are never touched. Sites behind those have no
 * intervals, and where there are any the quantiles over sites are absent.
 */
enum { ESF_INTERVAL_SITES_MAX = 100000, ESF_INTERVALS_MAX = 8 };

enum esf_interval_level { ESF_INTERVAL_FLEET, ESF_INTERVAL_REGION, ESF_INTERVAL_SITE };

struct esf_interval_span {
	int64_t length; /* ns */
	int64_t start;  /* Unix ns */
	int64_t end;
	uint32_t windows;       /* closed so far, with data or not */
	uint32_t windows_total; /* when all of them are */
	uint32_t revision;      /* 1 with the first window, one more with each */
	bool final;
};

struct esf_intervals;

/* sites: indexes there may ever be. NULL when out of memory. */
struct esf_intervals *esf_intervals_create(const struct esf_config *config, uint32_t sites);
/* NULL is allowed. */
void esf_intervals_destroy(struct esf_intervals *intervals);

/* Is called, with the lock held, for each interval that became final, and for those that end before
 * (span.final says). Control, before the first window. */
typedef void esf_intervals_ended(void *context, struct esf_intervals *intervals, uint32_t interval);
void esf_intervals_on_end(
    struct esf_intervals *intervals, esf_intervals_ended *ended, void *context);

/* Control: a closed window, the next one. 0; -ENOMEM (after another configuration): it is left out.
 */
int esf_intervals_take(struct esf_intervals *intervals, const struct esf_view *view);

/* Control, at the end: calls ended for what has windows and is not final. */
void esf_intervals_flush(struct esf_intervals *intervals);

/* Any thread; what follows wants the lock. */
void esf_intervals_lock(struct esf_intervals *intervals);
void esf_intervals_unlock(struct esf_intervals *intervals);

uint32_t esf_intervals_count(const struct esf_intervals *intervals);
/* windows is 0 before the first window closed. */
struct esf_interval_span esf_intervals_span(
    const struct esf_intervals *intervals, uint32_t interval);

/* Places of a level: 1, regions as configured and "unassigned", sites by index. */
uint32_t esf_intervals_places(const struct esf_intervals *intervals, enum esf_interval_level level);
/* NULL: of a site, or there is none. */
const char *esf_intervals_region(const struct esf_intervals *intervals, uint32_t region);

uint32_t esf_intervals_columns(const struct esf_intervals *intervals);
const char *esf_intervals_column(const struct esf_intervals *intervals, uint32_t column);
/* Windows so far in which the site, or any of the scope's, was in maintenance. */
uint32_t esf_intervals_maintenance(const struct esf_intervals *intervals, uint32_t interval,
    enum esf_interval_level level, uint32_t place);
/* Without data all is NaN. */
void esf_intervals_value(struct esf_intervals *intervals, uint32_t interval,
    enum esf_interval_level level, uint32_t place, uint32_t column, struct esf_interval_value *out);

/*
 * Names what runs since it began with nothing, here or, with a snapshot between, in a process
 * before: what this one says of an interval holds all that it said of it before (history/pieces.h).
 */
uint64_t esf_intervals_piece(const struct esf_intervals *intervals);

/*
 * Control, for a snapshot: what runs. And back, before the first window: of the intervals that
 * there still are, or of none where KPIs are other ones. The number that went on; -1: bad.
 */
void esf_intervals_write(struct esf_intervals *intervals, FILE *out);
int esf_intervals_read(struct esf_intervals *intervals, struct esf_image_reader *in,
    const struct esf_site_indexes *indexes);

#endif

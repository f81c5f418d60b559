/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ESF_BASELINE_H
#define ESF_BASELINE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "control/state/stream.h"

/*
 * What is usual for one KPI of each site, by the hour of the week (or of the day), in UTC: the
 * second opinion beside comparison with peers. Control thread; what esf_baseline_usual gives may be
 * read by any.
 *
 * Each hour has a cell of 16 bytes for each site, made the first time that hour comes: at most 2688
 * bytes a site by the hour of the week, 384 by that of the day, and one cell more for the hour's
 * readers. A cell is a level and a spread (the mean absolute deviation from it), learned a window
 * at a time by stochastic approximation of Huber's estimator:
 *
 *   d = x - level, held within +-4 spreads once the cell has four values and a spread
 *   n = values learned so far, with this one; at most ESF_BASELINE_HOURS hours of windows
 *   level += d / n;  spread += (|d| - spread) / n
 *
 * so a bad hour moves a level by little. A cell begins anew after three such hours in a row with
 * data of which no value was within reach: what is new for good becomes usual. An hour is judged by
 * what was known before it began, and only once two such hours before it had data.
 */
enum {
	ESF_BASELINE_HOURS = 8,  /* a cell's memory */
	ESF_BASELINE_VISITS = 2, /* former hours of the kind before there is an opinion */
	ESF_BASELINE_DAY = 24,   /* slots */
	ESF_BASELINE_WEEK = 168,
};

struct esf_baseline;
struct esf_usual;

/* slots: ESF_BASELINE_DAY or _WEEK. NULL when out of memory. */
struct esf_baseline *esf_baseline_create(uint32_t sites, uint32_t slots, int64_t window_ns);
/* NULL is allowed. */
void esf_baseline_destroy(struct esf_baseline *baseline);

/* Bytes that it may come to take for each site. */
uint64_t esf_baseline_site_size(uint32_t slots);

/*
 * Before the values of a window that starts at `start` (Unix ns; never goes back). 0, or -ENOMEM:
 * nothing is learned until the next window.
 */
int esf_baseline_enter(struct esf_baseline *baseline, int64_t start);

/* Takes a site's value of the window in; one beyond +-1e30 is left out. */
void esf_baseline_learn(struct esf_baseline *baseline, uint32_t site, double x);

/*
 * What was usual before this hour began, held once more for the caller; NULL: no site has enough
 * yet.
 */
struct esf_usual *esf_baseline_usual(struct esf_baseline *baseline);
/* Any thread; NULL is allowed. */
void esf_usual_let_go(struct esf_usual *usual);

/* NaN: not known. The score is (x - level) / (1.253314 spread), 0 where the spread is. */
double esf_usual_level(const struct esf_usual *usual, uint32_t site);
double esf_usual_score(const struct esf_usual *usual, uint32_t site, double x);

/* Bytes that esf_baseline_write writes at most. */
uint64_t esf_baseline_written_size(const struct esf_baseline *baseline, uint32_t sites);

/*
 * For a snapshot, of the first `sites` indexes; and back into one that has learned nothing. Where
 * the slots are other ones nothing is taken. False: bad, or out of memory.
 */
void esf_baseline_write(const struct esf_baseline *baseline, uint32_t sites, FILE *out);
/* NULL: read and left. */
bool esf_baseline_read(struct esf_baseline *baseline, struct esf_image_reader *in,
    const struct esf_site_indexes *indexes);

#endif

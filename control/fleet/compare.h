/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ESF_COMPARE_H
#define ESF_COMPARE_H

#include <stdint.h>
#include <stdio.h>

#include "control/fleet/comparison.h"
#include "control/fleet/view.h"
#include "control/state/stream.h"

/*
 * Comparison of sites over the closed windows, CONTRACT 4.6: which are odd against their peers,
 * and, as a second opinion, which against what they usually are (baseline.h). Control thread.
 *
 * A round is far out where |score| > threshold and |x - median| (or - usual) >= min_effect. Of the
 * last rounds[1] closed windows, rounds[0] that are make a site odd, and where fewer are,
 * rounds[0] that are not end it. A window without a verdict is not far out.
 *
 * Memory: esf_compare_site_size for each site, all but the baselines' from the start; a view's own
 * is a few bytes a site.
 */
struct esf_compare;

/* Bytes that a site may come to take. */
uint64_t esf_compare_site_size(const struct esf_config *config);

/* sites: indexes there may ever be. NULL when out of memory. */
struct esf_compare *esf_compare_create(
    const struct esf_config *config, uint64_t config_revision, uint32_t sites);
/* NULL is allowed. */
void esf_compare_destroy(struct esf_compare *compare);

/*
 * Both go by the view's own configuration. Where its revision is another one, what is known of a
 * KPI stays, by the KPI's name; sites have the indexes they had.
 */

/* Compares a closed window's sites: sets view->comparison. 0; -ENOMEM: nothing changed. */
int esf_compare_close(struct esf_compare *compare, struct esf_view *view);

/* Says in a provisional view who is odd. 0 or -ENOMEM. */
int esf_compare_open(struct esf_compare *compare, struct esf_view *view);

/*
 * For a snapshot: the rounds so far of the first `sites` indexes, by the KPI's name; and baselines
 * where they take no more than ESF_COMPARE_BASELINES_MAX bytes together. False: they take more, and
 * are left out. Back, before the first window: how many KPIs went on; -1: bad.
 */
#define ESF_COMPARE_BASELINES_MAX (UINT64_C(256) << 20)
bool esf_compare_write(const struct esf_compare *compare, uint32_t sites, FILE *out);
int esf_compare_read(struct esf_compare *compare, struct esf_image_reader *in,
    const struct esf_site_indexes *indexes);

#endif

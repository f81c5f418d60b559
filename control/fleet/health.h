/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ESF_HEALTH_H
#define ESF_HEALTH_H

#include "control/config/config.h"
#include "control/fleet/view.h"

/*
 * Health, CONTRACT 4.5. Pure functions; any thread.
 */

/*
 * A KPI's score 0..100: 100 inside good, linear 100 -> 70 to the warn edge, 70 -> 40 to the crit edge, then on with
 * the slope of warn -> crit to 0. NaN for a NaN value.
 */
double esf_health_score(const struct esf_bands *bands, double value);

/*
 * A site from its KPIs (mean, good, refused set; by index of config->kpis): fills their score and contribution, and the
 * site's health, status and coverage. H = sum(weight c s) / sum(weight c), C = sum(weight c) / sum(weight) over the
 * scored KPIs, c = good / (good + refused).
 */
void esf_health_site(const struct esf_config *config, struct esf_site_kpi *kpis,
    struct esf_site_view *site);

/* A region's or the fleet's health, status and coverage: weighted mean over its known sites. */
void esf_health_scope(const struct esf_config *config, const struct esf_site_view *const *sites,
    const double *weights, uint32_t count, struct esf_scope *scope);

enum esf_status esf_health_status(const struct esf_config *config, double health);

/*
 * With health.hysteresis: a status gets worse as above, and better only that many points above the
 * edge. before: the last known one; ESF_STATUS_UNKNOWN: none.
 */
enum esf_status esf_health_held(
    const struct esf_config *config, double health, enum esf_status before);

#endif

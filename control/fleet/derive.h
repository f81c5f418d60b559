/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ESF_DERIVE_H
#define ESF_DERIVE_H

#include <stdint.h>

#include "control/fleet/view.h"

/*
 * Derived KPIs, CONTRACT 4.3: computed from the means of their inputs in the same window at each
 * level, so that ratios are pooled, never averaged. Control thread: it alone evaluates expressions.
 */

/* What the dataplane knows of a site in a window. */
enum esf_hearing {
	ESF_HEARING_NOTHING, /* it was never heard yet, left on purpose, or may yet be heard */
	ESF_HEARD,
	ESF_UNHEARD,
};

/*
 * Before esf_derive_site: the KPIs with derive: heard of which the site sent no record, good or
 * not, nor of their inputs: 1 with one good record, or 0 with none, so that it is shown and pooled,
 * and neither scored nor compared.
 */
void esf_derive_heard(
    const struct esf_config *config, struct esf_site_kpi *kpis, enum esf_hearing hearing);

/*
 * The derived KPIs of one site, in their order, from what its records gave (kpis: by index of
 * config->kpis), and which of its KPIs the window is excluded for. A value wants every input to
 * have one. Its samples, good and refused are those of the input of which the smallest part was
 * good (of equals the one with the fewest): a ratio is known no better than that.
 */
void esf_derive_site(const struct esf_config *config, struct esf_site_kpi *kpis);

/* In a window that is maintenance as a whole: excludes the KPIs that list it, unless something else
 * does. */
void esf_derive_exclude(const struct esf_config *config, struct esf_site_kpi *kpis);

/* The sites of a scope, and room for as many masks as config->derived_depth. */
struct esf_derive_scope {
	const struct esf_config *config;
	const struct esf_site_view *const *sites;
	const double *weights;
	uint32_t count;
	uint8_t *masks; /* derived_depth x count */
};

/*
 * The mean of a derived KPI over a scope. kpis: the scope's, of which the means of all inputs are
 * set. Of the sites that are not excluded those with records of their own count by 4.4, the others
 * are pooled, the two parts together by weight.
 */
double esf_derive_mean(
    const struct esf_derive_scope *scope, const struct esf_scope_kpi *kpis, uint32_t kpi);

#endif

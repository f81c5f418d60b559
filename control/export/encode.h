/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ESF_ENCODE_H
#define ESF_ENCODE_H

#include "control/export/line.h"
#include "control/fleet/view.h"

/*
 * A closed window's points, some at a time: first the sites', then the regions', the fleet's last,
 * so that what is worth most goes last where a spool pushes out its oldest. A thread that holds the
 * view.
 *
 *   estream_window_kpi,kpi=K,level=fleet|region|site[,region=R][,site=S]
 *       mean,min,max,stddev,score  p50,p95 (not of a site)  samples,sites (samples of a site)
 *   estream_window_scope,level=...[,region=R][,site=S]
 *       health,coverage  status (0 good, 1 degraded, 2 bad, 3 unknown)
 *       sites,reporting,good,degraded,bad,unknown (of a site only reporting, 0 or 1)
 *
 * The time is the window's begin. What is absent is left out; a KPI without data is no point.
 */
struct esf_encode_choice {
	bool levels[ESF_EXPORT_LEVELS];
	bool kpis[ESF_KPIS_MAX]; /* by index of the view's configuration */
};

struct esf_encode {
	const struct esf_view *view;
	struct esf_encode_choice choice;
	enum esf_export_level level; /* counts down */
	uint32_t place;              /* the next one of the level */
	bool over;
};

/* kpis_count 0: all. */
void esf_encode_start(struct esf_encode *encode, const struct esf_view *view,
    const bool levels[ESF_EXPORT_LEVELS], char *const *kpis, uint32_t kpis_count);

/* Adds the points of the next site, region or the fleet. False: there is none. */
bool esf_encode_next(struct esf_encode *encode, struct esf_lines *lines);

#endif

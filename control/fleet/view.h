/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ESF_VIEW_H
#define ESF_VIEW_H

#include <math.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <urcu-qsbr.h>

#include "control/config/config.h"
#include "control/fleet/roster.h"
#include "dataplane/plane.h"

/*
 * The fleet view: what one window says of every site, region and the fleet. Built by control, immutable once
 * built; readers get it under RCU (esf_views_*) or, in replay, as an argument. Absent numbers are NaN.
 * Memory: one allocation per view and one of its comparison, freed by esf_view_free.
 */

enum esf_status { ESF_STATUS_GOOD, ESF_STATUS_DEGRADED, ESF_STATUS_BAD, ESF_STATUS_UNKNOWN };

extern const char *const esf_mode_names[];   /* by enum esf_ingestion */
extern const char *const esf_status_names[]; /* "good", "degraded", "bad", "unknown" */

enum { ESF_EXCLUDED_MAINTENANCE = UINT8_MAX };

/* One KPI of one site in the window. */
struct esf_site_kpi {
	double mean; /* NaN: no data */
	double stddev;
	double min;
	double max;
	uint32_t samples; /* good records, by weight */
	uint32_t good;    /* good records */
	uint32_t refused; /* bad + uncertain + out_of_range + not_finite */
	uint8_t excluded; /* 1 + the index of the KPI that says that the window is no time of this one's, or
	                     ESF_EXCLUDED_MAINTENANCE: it is shown, and neither scored nor rolled up; 0: counts */
	bool derived;     /* by its expression, or heard */
	bool heard;       /* 1 or 0 by whether the site was heard; good 0: it was not */
	double score;        /* 0..100; NaN: no data or not scored */
	double contribution; /* points of health it costs; NaN: not scored or health unknown */
};

struct esf_site_view {
	double health; /* NaN: unknown */
	double capped; /* points of health that the vital cap takes on top of the contributions; NaN: unknown */
	enum esf_status status;
	double coverage; /* 0..1 */
	enum esf_ingestion mode; /* from the window's close on; of a provisional window: now */
	bool reporting;  /* an accepted record in the window */
	bool silent;     /* none in the last correlate.silent_after closed windows */
	uint32_t silent_windows; /* consecutive closed windows without an accepted record, this one included */
	int64_t last_seen; /* Unix ns, 0: never */
	int64_t clock_offset; /* ns the site's clock is ahead of ours, or ESF_SKEW_UNKNOWN */
	bool skewed;          /* by so much that its records are future or late */
	bool storms;          /* when the view was made, as are lost to shed */
	uint64_t lost;
	uint64_t duplicates;
	uint64_t unmapped; /* records that no rule takes */
	uint64_t shed[ESF_SHED_CLASSES];
	uint16_t maintenance; /* in the window: 1 + the index in config->maintenance; 0: none */
	uint16_t settling; /* the same of the other windows that compare.rounds looks at */
	const struct esf_site_kpi *kpis; /* by index of config->kpis */
};

/* One KPI of a region or the fleet (CONTRACT 4.4). */
struct esf_scope_kpi {
	double mean; /* NaN: no site has data */
	double stddev;
	double min;
	double max;
	double p50;
	double p95;
	uint32_t sites;
	uint64_t samples;
	double score; /* of the mean; NaN: no data or not scored */
	double contribution; /* points of the scope's health it costs; NaN: not scored or health unknown */
};

struct esf_scope {
	const char *name;
	double health;
	double capped; /* as a site's, by weight: the KPIs' contributions and it add up to 100 - health */
	enum esf_status status;
	double coverage;
	double known_weight; /* of the sites whose health is known */
	uint32_t total, reporting, good, degraded, bad, unknown; /* sites */
	uint32_t maintenance; /* of them in maintenance */
	const struct esf_scope_kpi *kpis; /* by index of config->kpis */
};

struct esf_comparison;

struct esf_view {
	int64_t time; /* Unix ns: when it was made */
	int64_t window;
	int64_t start; /* Unix ns */
	int64_t end;
	bool closed;
	bool fleet_storms; /* when it was made: every site's bucket is enforced */
	uint64_t config_revision;
	const struct esf_config *config;
	uint32_t regions_count; /* config's, and "unassigned" last where any site is */
	struct esf_scope fleet;
	const struct esf_scope *regions;
	const struct esf_roster *roster;
	uint32_t sites_count;              /* indexes of the roster that this view knows */
	const struct esf_site_view *sites; /* by index of the roster; meaningless where it has none */
	struct esf_comparison *comparison; /* comparison.h; NULL: none was made */
	struct rcu_head rcu; /* for esf_views: the view's last use */
	_Atomic uint32_t holders;
};

/* What the closed windows before a view's say that it goes on from. Statuses are the last known ones. */
struct esf_before {
	const uint32_t *silent; /* by site: the windows just before without an accepted record */
	const uint8_t *heard;   /* by site: an accepted record in any window before */
	const uint8_t *sites;   /* enum esf_status */
	const uint8_t *regions; /* by index of the config's, and of "unassigned" behind them */
	uint8_t fleet;
};

/*
 * Builds the view of one window from what the shards have published, without a comparison. Control thread, registered with RCU and
 * online; takes the read lock itself. NULL when out of memory.
 */
struct esf_view *esf_view_build(const struct esf_config *config, uint64_t config_revision,
    const struct esf_roster *roster, const struct esf_plane *plane, int64_t window, bool closed, int64_t time,
    const struct esf_before *before);
/* What comparison takes: what the site sent, or what follows from it. NaN: nothing. */
static inline double esf_view_compared(const struct esf_site_kpi *kpi)
{
	return kpi->excluded == 0 && !kpi->heard ? kpi->mean : NAN;
}

/* The maintenance window for which nobody is alerted about the site's oddities, those that rest on windows just
 * before included; NULL: none. */
static inline const struct esf_maintenance_config *esf_view_suppression(
    const struct esf_view *view, uint32_t site)
{
	const struct esf_site_view *of = &view->sites[site];
	uint32_t window = of->maintenance != 0 ? of->maintenance : of->settling;

	return window == 0 ? NULL : &view->config->maintenance[window - 1];
}

/* With its comparison. NULL is allowed. */
/* One more that will free it. By who holds it already; its configuration and roster have to outlive that, too. */
void esf_view_hold(struct esf_view *view);

/* With its comparison, once the last holder does. Any thread. NULL is allowed. */
void esf_view_free(struct esf_view *view);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#include "control/fleet/intervals_parts.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "control/fleet/pages.h"
#include "control/fleet/rollup.h"

static const char unassigned[] = "unassigned";

static void free_regions(char **regions, uint32_t count)
{
	for (uint32_t r = 0; regions != NULL && r < count; r++)
		free(regions[r]);
	free(regions);
}

static void free_tracks(struct esf_intervals *intervals)
{
	for (uint32_t i = 0; i < intervals->count; i++) {
		free(intervals->tracks[i].sites);
		free(intervals->tracks[i].scopes);
		intervals->tracks[i] = (struct track){ 0 };
	}
	intervals->count = 0;
}

static char **copy_regions(const struct esf_config *config)
{
	char **regions = calloc(config->regions_count + (size_t)1, sizeof(*regions));

	for (uint32_t r = 0; regions != NULL && r < config->regions_count; r++) {
		regions[r] = strdup(config->regions[r].name);
		if (regions[r] == NULL) {
			free_regions(regions, r);
			return NULL;
		}
	}
	return regions;
}

/* Empty tracks of the configuration's intervals; layout and regions_count are set. */
static int make_tracks(struct esf_intervals *intervals, const struct esf_config *config)
{
	size_t row_size = intervals->layout.row_size;

	for (uint32_t i = 0; i < config->rollup.intervals_count; i++) {
		struct track *track = &intervals->tracks[i];

		intervals->count = i + 1;
		track->span.length = config->rollup.intervals_ns[i];
		track->span.windows_total =
		    (uint32_t)(track->span.length / config->rollup.window_ns);
		track->sites = esf_pages_zeroed(intervals->sites_max * row_size + 1);
		track->scopes = calloc(intervals->regions_count + (size_t)2, row_size);
		if (track->sites == NULL || track->scopes == NULL)
			return -ENOMEM;
	}
	return 0;
}

/* Another one than before, and than those of former processes. */
static uint64_t new_piece(uint64_t former)
{
	struct timespec now;
	uint64_t piece;

	clock_gettime(CLOCK_REALTIME, &now);
	piece = (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
	return piece > former ? piece : former + 1;
}

/* Begins with nothing. */
static int start(struct esf_intervals *intervals, const struct esf_config *config)
{
	free_tracks(intervals);
	esf_interval_layout_free(&intervals->layout);
	free_regions(intervals->regions, intervals->regions_count);
	free(intervals->ends);
	intervals->regions = copy_regions(config);
	intervals->regions_count = intervals->regions == NULL ? 0 : config->regions_count;
	intervals->ends = calloc(config->regions_count + (size_t)1, sizeof(*intervals->ends));
	intervals->revision = 0;
	intervals->piece = new_piece(intervals->piece);
	if (intervals->regions == NULL || intervals->ends == NULL ||
	    esf_interval_layout_make(config, &intervals->layout) != 0 ||
	    make_tracks(intervals, config) != 0)
		return -ENOMEM;
	return 0;
}

struct esf_intervals *esf_intervals_create(const struct esf_config *config, uint32_t sites)
{
	struct esf_intervals *intervals = calloc(1, sizeof(*intervals));

	if (intervals == NULL)
		return NULL;
	pthread_mutex_init(&intervals->lock, NULL);
	intervals->sites_max = sites < ESF_INTERVAL_SITES_MAX ? sites : ESF_INTERVAL_SITES_MAX;
	intervals->order = calloc(intervals->sites_max + (size_t)1, sizeof(*intervals->order));
	intervals->means = calloc(intervals->sites_max + (size_t)1, sizeof(*intervals->means));
	if (intervals->order != NULL && intervals->means != NULL && start(intervals, config) == 0)
		return intervals;
	esf_intervals_destroy(intervals);
	return NULL;
}

void esf_intervals_destroy(struct esf_intervals *intervals)
{
	if (intervals == NULL)
		return;
	free_tracks(intervals);
	esf_interval_layout_free(&intervals->layout);
	free_regions(intervals->regions, intervals->regions_count);
	free(intervals->order);
	free(intervals->ends);
	free(intervals->means);
	pthread_mutex_destroy(&intervals->lock);
	free(intervals);
}

void esf_intervals_on_end(
    struct esf_intervals *intervals, esf_intervals_ended *ended, void *context)
{
	intervals->ended = ended;
	intervals->context = context;
}

static bool same_intervals(const struct esf_intervals *intervals, const struct esf_config *config)
{
	if (intervals->count != config->rollup.intervals_count)
		return false;
	for (uint32_t i = 0; i < intervals->count; i++)
		if (intervals->tracks[i].span.length != config->rollup.intervals_ns[i])
			return false;
	return true;
}

static bool same_regions(const struct esf_intervals *intervals, const struct esf_config *config)
{
	if (intervals->regions_count != config->regions_count)
		return false;
	for (uint32_t r = 0; r < config->regions_count; r++)
		if (strcmp(intervals->regions[r], config->regions[r].name) != 0)
			return false;
	return true;
}

/* Counting sort, as a view's. */
static void group_by_region(struct esf_intervals *intervals, const struct esf_view *view)
{
	uint32_t sites = view->sites_count, *ends = intervals->ends, at = 0;

	intervals->sites_seen = sites;
	sites = sites < intervals->sites_max ? sites : intervals->sites_max;
	memset(ends, 0, (intervals->regions_count + (size_t)1) * sizeof(*ends));
	for (uint32_t s = 0; s < sites; s++)
		if (esf_roster_at(view->roster, s) != NULL)
			ends[esf_roster_at(view->roster, s)->region]++;
	for (uint32_t r = 0; r <= intervals->regions_count; r++) {
		uint32_t count = ends[r];

		ends[r] = at;
		at += count;
	}
	for (uint32_t s = 0; s < sites; s++)
		if (esf_roster_at(view->roster, s) != NULL)
			intervals->order[ends[esf_roster_at(view->roster, s)->region]++] = s;
}

static void end_track(struct esf_intervals *intervals, uint32_t i, bool final)
{
	struct track *track = &intervals->tracks[i];

	if (track->generation == 0 || track->span.final)
		return;
	track->span.final = final;
	if (intervals->ended != NULL)
		intervals->ended(intervals->context, intervals, i);
}

/* What runs, as far as it came. */
static void end_all(struct esf_intervals *intervals)
{
	for (uint32_t i = 0; i < intervals->count; i++)
		end_track(intervals, i, false);
}

/* By the view's configuration: bands and expressions are taken from it. */
static int follow(struct esf_intervals *intervals, const struct esf_view *view)
{
	const struct esf_config *config = view->config;
	struct esf_interval_layout layout;

	if (intervals->revision == view->config_revision)
		return 0;
	if (esf_interval_layout_make(config, &layout) != 0)
		return -ENOMEM;
	if (same_intervals(intervals, config) && same_regions(intervals, config) &&
	    esf_interval_layout_equal(&layout, &intervals->layout)) {
		esf_interval_layout_free(&intervals->layout);
		intervals->layout = layout;
	} else {
		esf_interval_layout_free(&layout);
		end_all(intervals);
		if (start(intervals, config) != 0)
			return -ENOMEM;
	}
	intervals->revision = view->config_revision;
	return 0;
}

/* The interval that the window is part of runs. */
static void enter(struct esf_intervals *intervals, uint32_t i, const struct esf_view *view)
{
	struct track *track = &intervals->tracks[i];
	int64_t start = esf_window_index(view->start, track->span.length) * track->span.length;

	if (track->generation != 0 && track->span.start == start)
		return;
	end_track(intervals, i, true);
	track->generation++;
	track->span.start = start;
	track->span.end = start + track->span.length;
	track->span.windows = 0;
	track->span.revision = 0;
	track->span.final = false;
}

static void add(struct esf_intervals *intervals, struct track *track, char *rows, uint32_t place,
    const struct esf_window_value *values, bool maintenance)
{
	struct esf_interval_row *row = esf_intervals_row(intervals, rows, place);

	if (row->generation != track->generation) {
		memset(row, 0, intervals->layout.row_size);
		row->generation = track->generation;
	}
	row->maintenance += maintenance;
	esf_interval_add(&intervals->layout, row, values);
}

static struct esf_window_value health_value(double health)
{
	return (struct esf_window_value){ health, NAN, health, health, 0 };
}

static void add_site(struct esf_intervals *intervals, const struct esf_view *view, uint32_t site)
{
	const struct esf_site_view *of = &view->sites[site];
	struct esf_window_value values[ESF_INTERVAL_COLUMNS_MAX];
	uint32_t kpis = view->config->kpis_count;
	bool any = !isnan(of->health) || of->maintenance != 0;

	for (uint32_t k = 0; k < kpis; k++) {
		const struct esf_site_kpi *kpi = &of->kpis[k];
		bool counts = isfinite(kpi->mean) && kpi->excluded == 0;

		values[k] = (struct esf_window_value){ counts ? kpi->mean : NAN, kpi->stddev,
			kpi->min, kpi->max, kpi->samples };
		any = any || counts;
	}
	values[kpis] = health_value(of->health);
	for (uint32_t i = 0; any && i < intervals->count; i++)
		add(intervals, &intervals->tracks[i], intervals->tracks[i].sites, site, values,
		    of->maintenance != 0);
}

static void add_scope(struct esf_intervals *intervals, const struct esf_view *view,
    const struct esf_scope *scope, uint32_t place)
{
	struct esf_window_value values[ESF_INTERVAL_COLUMNS_MAX];
	uint32_t kpis = view->config->kpis_count;

	for (uint32_t k = 0; k < kpis; k++) {
		const struct esf_scope_kpi *kpi = &scope->kpis[k];

		values[k] = (struct esf_window_value){ kpi->mean, kpi->stddev, kpi->min, kpi->max,
			kpi->samples };
	}
	values[kpis] = health_value(scope->health);
	for (uint32_t i = 0; i < intervals->count; i++)
		add(intervals, &intervals->tracks[i], intervals->tracks[i].scopes, place, values,
		    scope->maintenance > 0);
}

static void take(struct esf_intervals *intervals, const struct esf_view *view)
{
	uint32_t sites = view->sites_count;

	sites = sites < intervals->sites_max ? sites : intervals->sites_max;
	for (uint32_t i = 0; i < intervals->count; i++)
		enter(intervals, i, view);
	group_by_region(intervals, view);
	for (uint32_t s = 0; s < sites; s++)
		if (esf_roster_at(view->roster, s) != NULL)
			add_site(intervals, view, s);
	for (uint32_t r = 0; r < view->regions_count; r++)
		add_scope(intervals, view, &view->regions[r], r);
	add_scope(intervals, view, &view->fleet, intervals->regions_count + 1);
	for (uint32_t i = 0; i < intervals->count; i++) {
		struct esf_interval_span *span = &intervals->tracks[i].span;

		span->windows++;
		span->revision++;
		if (view->end >= span->end)
			end_track(intervals, i, true);
	}
}

int esf_intervals_take(struct esf_intervals *intervals, const struct esf_view *view)
{
	int result;

	esf_intervals_lock(intervals);
	result = follow(intervals, view);
	if (result == 0)
		take(intervals, view);
	esf_intervals_unlock(intervals);
	return result;
}

void esf_intervals_flush(struct esf_intervals *intervals)
{
	esf_intervals_lock(intervals);
	end_all(intervals);
	esf_intervals_unlock(intervals);
}

void esf_intervals_lock(struct esf_intervals *intervals)
{
	pthread_mutex_lock(&intervals->lock);
}

void esf_intervals_unlock(struct esf_intervals *intervals)
{
	pthread_mutex_unlock(&intervals->lock);
}

uint32_t esf_intervals_count(const struct esf_intervals *intervals)
{
	return intervals->count;
}

struct esf_interval_span esf_intervals_span(
    const struct esf_intervals *intervals, uint32_t interval)
{
	return intervals->tracks[interval].span;
}

uint32_t esf_intervals_places(const struct esf_intervals *intervals, enum esf_interval_level level)
{
	if (level == ESF_INTERVAL_FLEET)
		return 1;
	if (level == ESF_INTERVAL_REGION)
		return intervals->regions_count + 1;
	return intervals->sites_seen < intervals->sites_max ? intervals->sites_seen
	                                                    : intervals->sites_max;
}

const char *esf_intervals_region(const struct esf_intervals *intervals, uint32_t region)
{
	return region < intervals->regions_count ? intervals->regions[region] : unassigned;
}

uint32_t esf_intervals_columns(const struct esf_intervals *intervals)
{
	return intervals->layout.columns_count;
}

const char *esf_intervals_column(const struct esf_intervals *intervals, uint32_t column)
{
	return intervals->layout.columns[column].name;
}

/* Over order[first, end): how many have data, and the quantiles of their means. */
static void set_sites(struct esf_intervals *intervals, const struct track *track, uint32_t first,
    uint32_t end, uint32_t column, struct esf_interval_value *out)
{
	for (uint32_t i = first; i < end; i++) {
		const struct esf_interval_row *row =
		    esf_intervals_row(intervals, track->sites, intervals->order[i]);
		double mean = row->generation == track->generation
		                  ? esf_interval_mean(&intervals->layout, row, column)
		                  : NAN;

		if (!isnan(mean))
			intervals->means[out->sites++] = mean;
	}
	if (intervals->sites_seen > intervals->sites_max)
		return;
	out->p50 = esf_rollup_quantile(intervals->means, out->sites, 50);
	out->p95 = esf_rollup_quantile(intervals->means, out->sites, 95);
}

static const struct esf_interval_row *find_row(const struct esf_intervals *intervals,
    const struct track *track, enum esf_interval_level level, uint32_t place)
{
	if (level == ESF_INTERVAL_SITE)
		return esf_intervals_row(intervals, track->sites, place);
	return esf_intervals_row(intervals, track->scopes,
	    level == ESF_INTERVAL_FLEET ? intervals->regions_count + 1 : place);
}

uint32_t esf_intervals_maintenance(const struct esf_intervals *intervals, uint32_t interval,
    enum esf_interval_level level, uint32_t place)
{
	const struct track *track = &intervals->tracks[interval];
	const struct esf_interval_row *row;

	if (place >= esf_intervals_places(intervals, level) || track->generation == 0)
		return 0;
	row = find_row(intervals, track, level, place);
	return row->generation == track->generation ? (uint32_t)row->maintenance : 0;
}

void esf_intervals_value(struct esf_intervals *intervals, uint32_t interval,
    enum esf_interval_level level, uint32_t place, uint32_t column, struct esf_interval_value *out)
{
	struct track *track = &intervals->tracks[interval];
	uint32_t regions = intervals->regions_count, first, end;
	const struct esf_interval_row *row;

	*out = (struct esf_interval_value){ NAN, NAN, NAN, NAN, NAN, NAN, NAN, 0, 0, 0 };
	if (place >= esf_intervals_places(intervals, level))
		return;
	row = find_row(intervals, track, level, place);
	if (track->generation == 0 || row->generation != track->generation)
		return;
	esf_interval_read(&intervals->layout, row, column, out);
	out->sites = level == ESF_INTERVAL_SITE && out->windows > 0;
	if (level == ESF_INTERVAL_SITE)
		return;
	first = level == ESF_INTERVAL_FLEET || place == 0 ? 0 : intervals->ends[place - 1];
	end = intervals->ends[level == ESF_INTERVAL_FLEET ? regions : place];
	set_sites(intervals, track, first, end, column, out);
}

uint64_t esf_intervals_piece(const struct esf_intervals *intervals)
{
	return intervals->piece;
}

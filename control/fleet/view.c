/* SPDX-License-Identifier: Apache-2.0 */
#include "control/fleet/view.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <urcu-qsbr.h>

#include "control/fleet/comparison.h"
#include "control/fleet/derive.h"
#include "control/fleet/health.h"
#include "control/fleet/maintenance.h"
#include "control/fleet/pages.h"
#include "control/fleet/rollup.h"

const char *const esf_mode_names[] = { "full", "downsample", "deviation" };
const char *const esf_status_names[] = { "good", "degraded", "bad", "unknown" };

/*
 * A view in the making. The view's parts lie in its one allocation; what only the making needs is
 * in `scratch`, where all that is per site stands grouped by region, so that a region is a slice
 * and the fleet the whole.
 */
struct build {
	const struct esf_config *config;
	const struct esf_roster *roster;
	uint32_t sites_count;   /* indexes of the roster */
	uint32_t present_count; /* of them that hold a site */
	const struct esf_before *before;
	struct esf_maintenance maintenance; /* of the window */
	struct esf_maintenance settling;    /* of the rounds before it */
	struct esf_view *view;
	struct esf_scope *regions;
	struct esf_site_view *sites;
	struct esf_site_kpi *site_kpis;   /* sites x KPIs */
	struct esf_scope_kpi *scope_kpis; /* (regions, then the fleet) x KPIs */

	void *scratch;
	const struct esf_site_view **grouped;   /* sites */
	const struct esf_site_kpi **kpi_column; /* one KPI of each of them */
	double *weights;
	double *values;
	uint32_t *order; /* site index of each of them */
	uint32_t *ends;  /* by region: where its slice ends */
	uint8_t *masks;  /* derived_depth x sites */
};

/* The next count items of base; with base NULL only their bytes are counted. */
static void *carve(char *base, size_t *used, size_t count, size_t size)
{
	void *taken = base == NULL ? NULL : base + *used;

	*used += (count * size + 15) / 16 * 16;
	return taken;
}

/* With base NULL: only how many bytes it takes. */
static size_t lay_out_view(struct build *build, char *base, uint32_t regions)
{
	size_t sites = build->sites_count, kpis = build->config->kpis_count, used = 0;

	build->view = carve(base, &used, 1, sizeof(*build->view));
	build->regions = carve(base, &used, regions, sizeof(*build->regions));
	build->scope_kpis =
	    carve(base, &used, (regions + (size_t)1) * kpis, sizeof(*build->scope_kpis));
	build->sites = carve(base, &used, sites, sizeof(*build->sites));
	build->site_kpis = carve(base, &used, sites * kpis, sizeof(*build->site_kpis));
	return used;
}

static size_t lay_out_scratch(struct build *build, char *base)
{
	size_t sites = build->sites_count, used = 0;

	build->grouped = carve(base, &used, sites, sizeof(*build->grouped));
	build->kpi_column = carve(base, &used, sites, sizeof(*build->kpi_column));
	build->weights = carve(base, &used, sites, sizeof(*build->weights));
	build->values = carve(base, &used, sites, sizeof(*build->values));
	build->order = carve(base, &used, sites, sizeof(*build->order));
	build->masks = carve(base, &used, sites * build->config->derived_depth, 1);
	build->ends =
	    carve(base, &used, build->config->regions_count + (size_t)1, sizeof(*build->ends));
	return used;
}

/* Counting sort of the sites by region, file order kept. Returns how many regions the view has. */
static uint32_t group_by_region(struct build *build)
{
	const struct esf_config *config = build->config;
	uint32_t *ends = build->ends, regions = config->regions_count, unassigned, at = 0;

	for (uint32_t r = 0; r <= regions; r++)
		ends[r] = 0;
	for (uint32_t s = 0; s < build->sites_count; s++)
		if (esf_roster_at(build->roster, s) != NULL)
			ends[esf_roster_at(build->roster, s)->region]++;
	unassigned = ends[regions];
	for (uint32_t r = 0; r <= regions; r++) {
		uint32_t count = ends[r];

		ends[r] = at;
		at += count;
	}
	build->present_count = at;
	for (uint32_t s = 0; s < build->sites_count; s++)
		if (esf_roster_at(build->roster, s) != NULL)
			build->order[ends[esf_roster_at(build->roster, s)->region]++] = s;
	return regions + (unassigned > 0);
}

static bool allocate(struct build *build)
{
	uint32_t regions;
	char *memory;

	build->scratch = esf_pages_alloc(lay_out_scratch(build, NULL));
	if (build->scratch == NULL)
		return false;
	lay_out_scratch(build, build->scratch);
	regions = group_by_region(build);
	memory = esf_pages_alloc(lay_out_view(build, NULL, regions));
	if (memory == NULL) {
		free(build->scratch);
		return false;
	}
	lay_out_view(build, memory, regions);
	build->view->regions_count = regions;
	build->view->regions = build->regions;
	build->view->sites = build->sites;
	return true;
}

/* A counter's mean is its rate over the window; the first value ever seen contributes no increase.
 */
static void read_measured(const struct esf_acc *acc, double window_s, struct esf_site_kpi *out)
{
	out->good = acc->good;
	out->samples = acc->samples;
	out->refused = acc->refused;
	if (acc->samples == 0)
		return;
	if (acc->counter) {
		out->mean = acc->sum / window_s;
		out->min = out->mean;
		out->max = out->mean;
		return;
	}
	out->mean = esf_acc_mean(acc);
	out->stddev = esf_acc_stddev(acc);
	out->min = acc->min;
	out->max = acc->max;
}

static void read_comms(const struct esf_block *block, struct esf_site_kpi *out)
{
	uint64_t sent = (uint64_t)block->comms_accepted + block->comms_lost;

	if (sent == 0)
		return;
	out->good = block->comms_accepted;
	out->samples = block->comms_accepted;
	out->mean = 1 - (double)block->comms_lost / (double)sent;
	out->min = out->mean;
	out->max = out->mean;
}

static void read_kpis(
    const struct esf_config *config, const struct esf_block *block, struct esf_site_kpi *kpis)
{
	double window_s = (double)config->rollup.window_ns / 1e9;

	for (uint32_t k = 0; k < config->kpis_count; k++) {
		const struct esf_kpi *kpi = &config->kpis[k];

		kpis[k] =
		    (struct esf_site_kpi){ .mean = NAN, .stddev = NAN, .min = NAN, .max = NAN };
		if (block == NULL)
			continue;
		if (kpi->source == ESF_KPI_COMMS)
			read_comms(block, &kpis[k]);
		else if (kpi->source == ESF_KPI_MEASURED)
			read_measured(esf_block_acc(block, kpi->measure), window_s, &kpis[k]);
	}
}

/* Ahead by more than is allowed, or so far behind that every record is late. */
static bool is_skewed(const struct esf_config *config, int64_t offset)
{
	int64_t open = (int64_t)config->rollup.windows_open * config->rollup.window_ns;

	return offset != ESF_SKEW_UNKNOWN && (offset > config->clock.max_skew_ns || offset < -open);
}

static void read_card(
    const struct esf_config *config, const struct esf_card *card, struct esf_site_view *site)
{
	site->clock_offset = card == NULL ? ESF_SKEW_UNKNOWN : card->clock_offset;
	site->skewed = is_skewed(config, site->clock_offset);
	if (card == NULL)
		return;
	site->last_seen = card->last_seen;
	site->storms = card->storms;
	site->lost = card->lost;
	memcpy(site->shed, card->ledger.shed, sizeof(site->shed));
	site->unmapped = card->ledger.records[ESF_RECORD_UNMAPPED];
	site->duplicates =
	    card->ledger.datagrams[ESF_DATAGRAM_DUPLICATE - ESF_SITE_DATAGRAM_FIRST] +
	    card->ledger.records[ESF_RECORD_DUPLICATE];
}

/* A provisional window can end a silence but not lengthen it: its records may still come. */
static void set_silence(struct build *build, struct esf_site_view *site, uint32_t before)
{
	if (site->reporting)
		site->silent_windows = 0;
	else
		site->silent_windows = before + (build->view->closed && before < UINT32_MAX);
	site->silent =
	    site->silent_windows >= build->config->correlate.silent_after && !site->reporting;
}

/* Only a site that is known to be well is thinned. */
static enum esf_ingestion mode_of(const struct build *build, const struct esf_plane *plane,
    uint32_t index, const struct esf_site_view *site)
{
	const struct esf_config *config = build->config;
	const struct esf_admission *admission;
	bool downsampled;

	if (config->ingestion != ESF_DOWNSAMPLE)
		return config->ingestion;
	admission = esf_plane_admission(plane);
	downsampled = build->view->closed ? site->health > config->downsample.healthy_above
	                                  : admission != NULL && admission->downsampled[index];
	return downsampled ? ESF_DOWNSAMPLE : ESF_FULL;
}

/* Of a window that is open still, who was not heard may be yet. */
static enum esf_hearing hearing(
    const struct build *build, const struct esf_card *card, uint32_t index)
{
	if (build->sites[index].reporting)
		return ESF_HEARD;
	if (!build->view->closed || !build->before->heard[index] || card == NULL || card->left)
		return ESF_HEARING_NOTHING;
	return ESF_UNHEARD;
}

/* Called once the derived KPIs are there. A window that is maintenance in part is judged. */
static void set_maintenance(const struct build *build, const struct esf_site_config *of,
    struct esf_site_kpi *kpis, struct esf_site_view *site)
{
	bool whole, settled;

	if (build->settling.active > 0)
		site->settling = (uint16_t)esf_maintenance_of(&build->settling, of, &settled);
	if (build->maintenance.active == 0)
		return;
	site->maintenance = (uint16_t)esf_maintenance_of(&build->maintenance, of, &whole);
	if (whole)
		esf_derive_exclude(build->config, kpis);
}

static void build_site(struct build *build, const struct esf_plane *plane, uint32_t index)
{
	const struct esf_block *block = esf_plane_block(plane, index, build->view->window);
	struct esf_site_view *site = &build->sites[index];
	struct esf_site_kpi *kpis = build->site_kpis + (size_t)index * build->config->kpis_count;

	*site = (struct esf_site_view){ .kpis = kpis };
	read_card(build->config, esf_plane_card(plane, index), site);
	read_kpis(build->config, block, kpis);
	site->reporting = block != NULL && block->accepted > 0;
	esf_derive_heard(build->config, kpis, hearing(build, esf_plane_card(plane, index), index));
	esf_derive_site(build->config, kpis);
	set_maintenance(build, esf_roster_at(build->roster, index), kpis, site);
	set_silence(build, site, build->before->silent[index]);
	esf_health_site(build->config, kpis, site);
	site->status = esf_health_held(build->config, site->health, build->before->sites[index]);
	site->mode = mode_of(build, plane, index, site);
}

static void count_sites(
    const struct esf_site_view *const *sites, uint32_t count, struct esf_scope *scope)
{
	uint32_t by_status[ESF_STATUS_UNKNOWN + 1] = { 0 };

	scope->total = count;
	scope->reporting = 0;
	scope->maintenance = 0;
	for (uint32_t i = 0; i < count; i++) {
		by_status[sites[i]->status]++;
		scope->maintenance += sites[i]->maintenance != 0;
		scope->reporting += sites[i]->reporting;
	}
	scope->good = by_status[ESF_STATUS_GOOD];
	scope->degraded = by_status[ESF_STATUS_DEGRADED];
	scope->bad = by_status[ESF_STATUS_BAD];
	scope->unknown = by_status[ESF_STATUS_UNKNOWN];
}

static struct esf_scope_kpi *kpis_of_scope(const struct build *build, uint32_t scope)
{
	return build->scope_kpis + (size_t)scope * build->config->kpis_count;
}

static void build_scope(
    struct build *build, uint32_t index, uint32_t first, uint32_t end, struct esf_scope *scope)
{
	const struct esf_config *config = build->config;
	bool is_fleet = index == build->view->regions_count;

	if (is_fleet)
		scope->name = "fleet";
	else
		scope->name =
		    index < config->regions_count ? config->regions[index].name : "unassigned";
	scope->kpis = kpis_of_scope(build, index);
	count_sites(build->grouped + first, end - first, scope);
	esf_health_scope(
	    config, build->grouped + first, build->weights + first, end - first, scope);
	scope->status = esf_health_held(
	    config, scope->health, is_fleet ? build->before->fleet : build->before->regions[index]);
}

static void build_scope_kpi(
    struct build *build, uint32_t k, uint32_t scope, uint32_t first, uint32_t end)
{
	const struct esf_kpi *kpi = &build->config->kpis[k];
	const struct esf_scope *of =
	    scope < build->view->regions_count ? &build->regions[scope] : &build->view->fleet;
	struct esf_scope_kpi *out = &kpis_of_scope(build, scope)[k];

	esf_rollup_kpi(
	    build->kpi_column + first, build->weights + first, end - first, build->values, out);
	if (kpi->weight > 0)
		out->score = esf_health_score(&kpi->bands, out->mean);
	if (kpi->weight > 0 && !isnan(of->health))
		out->contribution /= of->known_weight;
	else
		out->contribution = NAN;
}

/* The shown stddev is taken about the shown mean. */
static void derive_scope_kpi(
    struct build *build, uint32_t k, uint32_t scope, uint32_t first, uint32_t end)
{
	const struct esf_kpi *kpi = &build->config->kpis[k];
	struct esf_scope_kpi *kpis = kpis_of_scope(build, scope);
	struct esf_derive_scope of = { build->config, build->grouped + first,
		build->weights + first, end - first, build->masks };
	double mean = esf_derive_mean(&of, kpis, k);

	kpis[k].stddev = hypot(kpis[k].stddev, kpis[k].mean - mean);
	kpis[k].mean = mean;
	kpis[k].score = kpi->weight > 0 ? esf_health_score(&kpi->bands, mean) : NAN;
}

static void derive_scopes(struct build *build)
{
	uint32_t regions = build->view->regions_count;

	for (uint32_t i = 0; i < build->config->derived_count; i++) {
		uint32_t k = build->config->derived[i];

		for (uint32_t r = 0; r < regions; r++)
			derive_scope_kpi(
			    build, k, r, r == 0 ? 0 : build->ends[r - 1], build->ends[r]);
		derive_scope_kpi(build, k, regions, 0, build->present_count);
	}
}

static void build_scopes(struct build *build)
{
	const struct esf_config *config = build->config;
	uint32_t regions = build->view->regions_count, count = build->present_count;

	for (uint32_t i = 0; i < count; i++) {
		build->grouped[i] = &build->sites[build->order[i]];
		build->weights[i] = esf_roster_at(build->roster, build->order[i])->weight;
	}
	for (uint32_t r = 0; r < regions; r++)
		build_scope(
		    build, r, r == 0 ? 0 : build->ends[r - 1], build->ends[r], &build->regions[r]);
	build_scope(build, regions, 0, count, &build->view->fleet);
	for (uint32_t k = 0; k < config->kpis_count; k++) {
		for (uint32_t i = 0; i < count; i++)
			build->kpi_column[i] = &build->grouped[i]->kpis[k];
		for (uint32_t r = 0; r < regions; r++)
			build_scope_kpi(
			    build, k, r, r == 0 ? 0 : build->ends[r - 1], build->ends[r]);
		build_scope_kpi(build, k, regions, 0, count);
	}
	derive_scopes(build);
}

static void find_maintenance(struct build *build)
{
	const struct esf_config *config = build->config;
	int64_t start = build->view->start, rounds = config->compare.rounds[1];

	esf_maintenance_find(config, start, build->view->end, &build->maintenance);
	esf_maintenance_find(
	    config, start - (rounds - 1) * config->rollup.window_ns, start, &build->settling);
}

struct esf_view *esf_view_build(const struct esf_config *config, uint64_t config_revision,
    const struct esf_roster *roster, const struct esf_plane *plane, int64_t window, bool closed,
    int64_t time, const struct esf_before *before)
{
	struct build build = {
		.config = config,
		.roster = roster,
		.sites_count = esf_roster_count(roster),
		.before = before,
	};

	if (!allocate(&build))
		return NULL;
	build.view->time = time;
	build.view->window = window;
	build.view->start = window * config->rollup.window_ns;
	build.view->end = build.view->start + config->rollup.window_ns;
	build.view->closed = closed;
	build.view->fleet_storms = esf_plane_fleet_storms(plane);
	build.view->config_revision = config_revision;
	build.view->config = config;
	build.view->roster = roster;
	build.view->sites_count = build.sites_count;
	build.view->comparison = NULL;
	find_maintenance(&build);
	atomic_init(&build.view->holders, 1);
	rcu_read_lock();
	for (uint32_t i = 0; i < build.present_count; i++)
		build_site(&build, plane, build.order[i]);
	rcu_read_unlock();
	build_scopes(&build);
	free(build.scratch);
	return build.view;
}

void esf_view_hold(struct esf_view *view)
{
	atomic_fetch_add_explicit(&view->holders, 1, memory_order_relaxed);
}

/* acq_rel: who frees it comes after all that the others read. */
void esf_view_free(struct esf_view *view)
{
	if (view == NULL || atomic_fetch_sub_explicit(&view->holders, 1, memory_order_acq_rel) != 1)
		return;
	esf_comparison_free(view->comparison);
	free(view);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "control/export/encode.h"

#include <math.h>
#include <string.h>

#define KPI_MEASUREMENT "estream_window_kpi"
#define SCOPE_MEASUREMENT "estream_window_scope"

/* Whose points they are. */
struct owner {
	const char *level;
	const char *region; /* NULL: the fleet */
	const char *site;   /* NULL: no site */
};

void esf_encode_start(struct esf_encode *encode, const struct esf_view *view,
    const bool levels[ESF_EXPORT_LEVELS], char *const *kpis, uint32_t kpis_count)
{
	*encode = (struct esf_encode){ .view = view, .level = ESF_EXPORT_SITE };
	memcpy(encode->choice.levels, levels, sizeof(encode->choice.levels));
	for (uint32_t k = 0; k < view->config->kpis_count; k++) {
		encode->choice.kpis[k] = kpis_count == 0;
		for (uint32_t i = 0; i < kpis_count; i++)
			encode->choice.kpis[k] |= strcmp(kpis[i], view->config->kpis[k].name) == 0;
	}
}

static void begin(
    struct esf_lines *lines, const char *measurement, const char *kpi, const struct owner *owner)
{
	esf_line_begin(lines, measurement);
	if (kpi != NULL)
		esf_line_tag(lines, "kpi", kpi);
	esf_line_tag(lines, "level", owner->level);
	if (owner->region != NULL)
		esf_line_tag(lines, "region", owner->region);
	if (owner->site != NULL)
		esf_line_tag(lines, "site", owner->site);
}

static void put_scope_kpi(struct esf_lines *lines, const struct esf_scope_kpi *kpi)
{
	esf_line_real(lines, "mean", kpi->mean);
	esf_line_real(lines, "min", kpi->min);
	esf_line_real(lines, "max", kpi->max);
	esf_line_real(lines, "stddev", kpi->stddev);
	esf_line_real(lines, "p50", kpi->p50);
	esf_line_real(lines, "p95", kpi->p95);
	esf_line_real(lines, "score", kpi->score);
	esf_line_count(lines, "samples", kpi->samples);
	esf_line_count(lines, "sites", kpi->sites);
}

static void put_site_kpi(struct esf_lines *lines, const struct esf_site_kpi *kpi)
{
	esf_line_real(lines, "mean", kpi->mean);
	esf_line_real(lines, "min", kpi->min);
	esf_line_real(lines, "max", kpi->max);
	esf_line_real(lines, "stddev", kpi->stddev);
	esf_line_real(lines, "score", kpi->score);
	esf_line_count(lines, "samples", kpi->samples);
}

static void encode_scope(const struct esf_encode *encode, const struct esf_scope *scope,
    const struct owner *owner, struct esf_lines *lines)
{
	const struct esf_view *view = encode->view;

	for (uint32_t k = 0; k < view->config->kpis_count; k++) {
		if (!encode->choice.kpis[k] || isnan(scope->kpis[k].mean))
			continue;
		begin(lines, KPI_MEASUREMENT, view->config->kpis[k].name, owner);
		put_scope_kpi(lines, &scope->kpis[k]);
		esf_line_end(lines, view->start);
	}
	begin(lines, SCOPE_MEASUREMENT, NULL, owner);
	esf_line_real(lines, "health", scope->health);
	esf_line_real(lines, "coverage", scope->coverage);
	esf_line_count(lines, "status", scope->status);
	esf_line_count(lines, "sites", scope->total);
	esf_line_count(lines, "reporting", scope->reporting);
	esf_line_count(lines, "good", scope->good);
	esf_line_count(lines, "degraded", scope->degraded);
	esf_line_count(lines, "bad", scope->bad);
	esf_line_count(lines, "unknown", scope->unknown);
	esf_line_end(lines, view->start);
}

static const char *region_name(const struct esf_view *view, uint32_t region)
{
	return region < view->config->regions_count ? view->config->regions[region].name
	                                            : "unassigned";
}

static void encode_site(const struct esf_encode *encode, uint32_t index, struct esf_lines *lines)
{
	const struct esf_view *view = encode->view;
	const struct esf_site_config *config = esf_roster_at(view->roster, index);
	const struct esf_site_view *site = &view->sites[index];
	struct owner owner = { "site", NULL, NULL };

	if (config == NULL)
		return;
	owner.region = region_name(view, config->region);
	owner.site = config->name;
	for (uint32_t k = 0; k < view->config->kpis_count; k++) {
		if (!encode->choice.kpis[k] || isnan(site->kpis[k].mean))
			continue;
		begin(lines, KPI_MEASUREMENT, view->config->kpis[k].name, &owner);
		put_site_kpi(lines, &site->kpis[k]);
		esf_line_end(lines, view->start);
	}
	begin(lines, SCOPE_MEASUREMENT, NULL, &owner);
	esf_line_real(lines, "health", site->health);
	esf_line_real(lines, "coverage", site->coverage);
	esf_line_count(lines, "status", site->status);
	esf_line_count(lines, "reporting", site->reporting);
	esf_line_end(lines, view->start);
}

static uint32_t places_of(const struct esf_encode *encode)
{
	const struct esf_view *view = encode->view;

	if (!encode->choice.levels[encode->level])
		return 0;
	if (encode->level == ESF_EXPORT_SITE)
		return view->sites_count;
	return encode->level == ESF_EXPORT_REGION ? view->regions_count : 1;
}

bool esf_encode_next(struct esf_encode *encode, struct esf_lines *lines)
{
	while (!encode->over && encode->place >= places_of(encode)) {
		encode->place = 0;
		encode->over = encode->level == ESF_EXPORT_FLEET;
		if (!encode->over)
			encode->level--;
	}
	if (encode->over)
		return false;
	if (encode->level == ESF_EXPORT_SITE) {
		encode_site(encode, encode->place, lines);
	} else if (encode->level == ESF_EXPORT_REGION) {
		const struct esf_scope *region = &encode->view->regions[encode->place];
		const struct owner owner = { "region", region->name, NULL };

		encode_scope(encode, region, &owner, lines);
	} else {
		const struct owner owner = { "fleet", NULL, NULL };

		encode_scope(encode, &encode->view->fleet, &owner, lines);
	}
	encode->place++;
	return true;
}

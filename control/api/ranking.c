/* SPDX-License-Identifier: Apache-2.0 */
#include "control/api/answers.h"

#include <math.h>
#include <string.h>

#include "control/api/document.h"
#include "control/api/listing.h"
#include "control/api/podium.h"
#include "control/fleet/comparison.h"

/* GET /api/v1/ranking: the best and the worst sites, by health or by one KPI. */

enum { RANKING_DEFAULT = 10, RANKING_MAX = 1000 };

static const char by_health[] = "health";

struct choice {
	const char *by;
	int64_t kpi;    /* -1: health */
	int64_t region; /* -1: all */
	uint32_t limit;
};

static int choose(const struct esf_answer *answer, struct choice *choice)
{
	const struct esf_request *request = answer->request;
	const char *by = esf_request_param(request, "by");
	const char *region = esf_request_param(request, "region");

	*choice =
	    (struct choice){ .by = by_health, .kpi = -1, .region = -1, .limit = RANKING_DEFAULT };
	if (esf_listing_number(request, "limit", 1, RANKING_MAX, &choice->limit, answer->reply) !=
	    0)
		return -1;
	if (by != NULL && strcmp(by, by_health) != 0) {
		choice->kpi = esf_listing_find_kpi(answer->view, by, answer->reply);
		choice->by = by;
		if (choice->kpi < 0)
			return -1;
	}
	if (region != NULL)
		choice->region = esf_listing_find_region(answer->view, region, answer->reply);
	return region != NULL && choice->region < 0 ? -1 : 0;
}

/*
 * How bad a value is among values of the same score: the bands say which way, and where they are
 * open to both sides or to none, what is far from the fleet's median is worse.
 */
static double badness(const struct esf_view *view, uint32_t kpi, double x)
{
	const struct esf_bands *bands = &view->config->kpis[kpi].bands;
	bool low = isfinite(bands->good[0]), high = isfinite(bands->good[1]);

	if (low == high)
		return fabs(x - view->fleet.kpis[kpi].p50);
	return low ? -x : x;
}

/* The worst first; false: there is nothing to rank it by. */
static bool rank(const struct esf_view *view, const struct choice *choice, uint32_t site,
    struct esf_podium_row *row)
{
	const struct esf_site_kpi *kpi;

	*row = (struct esf_podium_row){ .id = esf_roster_at(view->roster, site)->id, .site = site };
	if (choice->kpi < 0) {
		row->key = -view->sites[site].health;
		return !isnan(row->key);
	}
	kpi = &view->sites[site].kpis[choice->kpi];
	row->key = isnan(kpi->score) ? 0 : -kpi->score;
	row->tie = badness(view, (uint32_t)choice->kpi, kpi->mean);
	return !isnan(kpi->mean) && !isnan(row->tie);
}

struct ranking {
	struct esf_podium worst, best;
	uint64_t unranked;
};

static void rank_sites(
    const struct esf_view *view, const struct choice *choice, struct ranking *ranking)
{
	for (uint32_t s = 0; s < view->sites_count; s++) {
		const struct esf_site_config *config = esf_roster_at(view->roster, s);
		struct esf_podium_row row;

		if (config == NULL || (choice->region >= 0 && config->region != choice->region))
			continue;
		if (!rank(view, choice, s, &row)) {
			ranking->unranked++;
			continue;
		}
		esf_podium_offer(&ranking->worst, &row);
		row.key = -row.key;
		row.tie = -row.tie;
		esf_podium_offer(&ranking->best, &row);
	}
	esf_podium_end(&ranking->worst);
	esf_podium_end(&ranking->best);
}

static json_t *ranked_site(const struct esf_view *view, const struct choice *choice, uint32_t site)
{
	const struct esf_site_config *config = esf_roster_at(view->roster, site);
	const struct esf_site_view *of = &view->sites[site];
	json_t *document = choice->kpi < 0
	                       ? json_object()
	                       : esf_document_site_kpi(view, site, (uint32_t)choice->kpi);

	if (document == NULL)
		return NULL;
	json_object_set_new(document, "site", json_string(config->name));
	json_object_set_new(document, "region", json_string(view->regions[config->region].name));
	json_object_set_new(
	    document, "health", isnan(of->health) ? json_null() : json_real(of->health));
	json_object_set_new(document, "status", json_string(esf_status_names[of->status]));
	json_object_set_new(document, "coverage", json_real(of->coverage));
	json_object_set_new(document, "maintenance",
	    esf_document_maintenance(
	        of->maintenance == 0 ? NULL : &view->config->maintenance[of->maintenance - 1]));
	return document;
}

static json_t *ranked_sites(
    const struct esf_view *view, const struct choice *choice, const struct esf_podium *podium)
{
	json_t *sites = json_array();

	for (uint32_t i = 0; i < podium->count; i++)
		json_array_append_new(sites, ranked_site(view, choice, podium->rows[i].site));
	return sites;
}

json_t *esf_answer_ranking(const struct esf_answer *answer)
{
	const struct esf_view *view = answer->view;
	struct ranking ranking = { 0 };
	struct choice choice;
	json_t *document = NULL;

	if (choose(answer, &choice) != 0)
		return NULL;
	if (esf_podium_start(&ranking.worst, choice.limit) == 0 &&
	    esf_podium_start(&ranking.best, choice.limit) == 0) {
		rank_sites(view, &choice, &ranking);
		document = json_pack("{s:I, s:o, s:s, s:s?, s:I, s:I, s:o, s:o}", "time",
		    (json_int_t)view->time, "window", esf_document_window(view), "by", choice.by,
		    "unit", choice.kpi < 0 ? NULL : view->config->kpis[choice.kpi].unit, "ranked",
		    (json_int_t)ranking.worst.offered, "unranked", (json_int_t)ranking.unranked,
		    "worst", ranked_sites(view, &choice, &ranking.worst), "best",
		    ranked_sites(view, &choice, &ranking.best));
	}
	esf_podium_free(&ranking.worst);
	esf_podium_free(&ranking.best);
	return document;
}

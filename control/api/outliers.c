/* SPDX-License-Identifier: Apache-2.0 */
#include "control/api/answers.h"

#include <math.h>
#include <string.h>

#include "control/api/document.h"
#include "control/api/listing.h"
#include "control/api/podium.h"
#include "control/fleet/comparison.h"

/* GET /api/v1/outliers: which sites are odd on which KPI, the farthest out first. */

enum { OUTLIERS_DEFAULT = 100, OUTLIERS_MAX = 1000 };

struct choice {
	int64_t region; /* -1: all */
	int64_t kpi;    /* -1: all */
	uint32_t odd;   /* 0: any, else exactly so */
	uint32_t limit;
	bool with, without;  /* sites in maintenance; the others */
	uint64_t suppressed; /* rows left out as nobody is alerted about them */
};

static int choose_maintenance(const struct esf_answer *answer, struct choice *choice)
{
	const char *text = esf_request_param(answer->request, "maintenance");

	choice->with = text != NULL && strcmp(text, "without") != 0;
	choice->without = text == NULL || strcmp(text, "only") != 0;
	if (text == NULL || strcmp(text, "without") == 0 || strcmp(text, "with") == 0 ||
	    strcmp(text, "only") == 0)
		return 0;
	esf_reply_error(
	    answer->reply, 400, "maintenance: got \"%.100s\", want without, with or only", text);
	return -1;
}

static int choose_odd(const struct esf_answer *answer, struct choice *choice)
{
	const char *text = esf_request_param(answer->request, "odd");

	if (text == NULL)
		return 0;
	for (uint32_t odd = ESF_ODD_PEERS; odd <= (ESF_ODD_PEERS | ESF_ODD_ITSELF); odd++) {
		if (strcmp(esf_document_odd[odd], text) == 0) {
			choice->odd = odd;
			return 0;
		}
	}
	esf_reply_error(
	    answer->reply, 400, "odd: got \"%.100s\", want peers, itself or both", text);
	return -1;
}

static int choose(const struct esf_answer *answer, struct choice *choice)
{
	const struct esf_request *request = answer->request;
	const char *region = esf_request_param(request, "region");
	const char *kpi = esf_request_param(request, "kpi");

	*choice = (struct choice){ .region = -1, .kpi = -1, .limit = OUTLIERS_DEFAULT };
	if (esf_listing_number(request, "limit", 1, OUTLIERS_MAX, &choice->limit, answer->reply) !=
	        0 ||
	    choose_odd(answer, choice) != 0 || choose_maintenance(answer, choice) != 0)
		return -1;
	if (region != NULL)
		choice->region = esf_listing_find_region(answer->view, region, answer->reply);
	if (region != NULL && choice->region < 0)
		return -1;
	if (kpi != NULL)
		choice->kpi = esf_listing_find_kpi(answer->view, kpi, answer->reply);
	return kpi != NULL && choice->kpi < 0 ? -1 : 0;
}

/* How far out it is, in any way. */
static double distance_of(const struct esf_oddity *of)
{
	return fmax(isnan(of->z) ? 0 : fabs(of->z), isnan(of->self_z) ? 0 : fabs(of->self_z));
}

static void offer_site(
    const struct esf_view *view, struct choice *choice, uint32_t site, struct esf_podium *podium)
{
	uint32_t first = choice->kpi < 0 ? 0 : (uint32_t)choice->kpi;
	uint32_t end = choice->kpi < 0 ? view->config->kpis_count : first + 1;
	bool suppressed = esf_view_suppression(view, site) != NULL;

	for (uint32_t k = first; k < end; k++) {
		struct esf_podium_row row = {
			.id = esf_roster_at(view->roster, site)->id,
			.site = site,
			.kpi = k,
		};
		struct esf_oddity oddity;
		uint32_t odd = esf_comparison_odd(view, site, k);

		if (odd == 0 || (choice->odd != 0 && odd != choice->odd))
			continue;
		if (suppressed ? !choice->with : !choice->without) {
			choice->suppressed += suppressed;
			continue;
		}
		esf_comparison_read(view, site, k, &oddity);
		row.key = distance_of(&oddity);
		esf_podium_offer(podium, &row);
	}
}

static void offer_sites(
    const struct esf_view *view, struct choice *choice, struct esf_podium *podium)
{
	for (uint32_t s = 0; s < view->sites_count; s++) {
		const struct esf_site_config *config = esf_roster_at(view->roster, s);

		if (config != NULL && (choice->region < 0 || config->region == choice->region))
			offer_site(view, choice, s, podium);
	}
}

static json_t *outlier(const struct esf_view *view, const struct esf_podium_row *row)
{
	const struct esf_site_config *site = esf_roster_at(view->roster, row->site);
	json_t *document = esf_document_site_kpi(view, row->site, row->kpi);

	if (document == NULL)
		return NULL;
	json_object_set_new(document, "site", json_string(site->name));
	json_object_set_new(document, "region", json_string(view->regions[site->region].name));
	json_object_set_new(document, "kpi", json_string(view->config->kpis[row->kpi].name));
	json_object_set_new(document, "maintenance",
	    esf_document_maintenance(esf_view_suppression(view, row->site)));
	return document;
}

/* By compared KPI: how many sites of the fleet are odd, and how, those in maintenance left out. */
static json_t *counts(const struct esf_view *view)
{
	json_t *document = json_object();

	for (uint32_t k = 0; k < view->config->kpis_count; k++) {
		json_t *of = json_object();

		if (!view->config->kpis[k].compare) {
			json_decref(of);
			continue;
		}
		for (uint32_t odd = ESF_ODD_PEERS; odd <= (ESF_ODD_PEERS | ESF_ODD_ITSELF); odd++)
			json_object_set_new(of, esf_document_odd[odd],
			    json_integer(esf_comparison_count(view, k, odd)));
		json_object_set_new(document, view->config->kpis[k].name, of);
	}
	return document;
}

json_t *esf_answer_outliers(const struct esf_answer *answer)
{
	const struct esf_view *view = answer->view;
	json_t *outliers = json_array();
	struct esf_podium podium;
	struct choice choice;
	uint64_t total;

	if (choose(answer, &choice) != 0 || esf_podium_start(&podium, choice.limit) != 0) {
		json_decref(outliers);
		return NULL;
	}
	offer_sites(view, &choice, &podium);
	esf_podium_end(&podium);
	total = podium.offered;
	for (uint32_t i = 0; i < podium.count; i++)
		json_array_append_new(outliers, outlier(view, &podium.rows[i]));
	esf_podium_free(&podium);
	return json_pack("{s:I, s:o, s:I, s:I, s:o, s:o}", "time", (json_int_t)view->time, "window",
	    esf_document_window(view), "total", (json_int_t)total, "suppressed",
	    (json_int_t)choice.suppressed, "kpis", counts(view), "outliers", outliers);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "control/api/answers.h"

#include <stdlib.h>
#include <time.h>

#include "control/api/document.h"
#include "control/api/listing.h"
#include "control/api/restart.h"
#include "control/sight/prometheus.h"

#define NS_PER_S INT64_C(1000000000)

enum { STALE_AFTER_EPOCHS = 5 };

static int64_t wall_clock(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return now.tv_sec * NS_PER_S + now.tv_nsec;
}

static json_t *units(const struct esf_view *view)
{
	json_t *document = json_object();

	for (uint32_t k = 0; k < view->config->kpis_count; k++) {
		const struct esf_kpi *kpi = &view->config->kpis[k];

		if (kpi->unit != NULL)
			json_object_set_new(document, kpi->name, json_string(kpi->unit));
	}
	return document;
}

static json_t *weights(const struct esf_view *view)
{
	json_t *document = json_object();

	for (uint32_t k = 0; k < view->config->kpis_count; k++) {
		const struct esf_kpi *kpi = &view->config->kpis[k];

		json_object_set_new(document, kpi->name, json_real(kpi->weight));
	}
	return document;
}

/* Adds what a reader needs to know of the KPIs. */
static json_t *explained(const struct esf_view *view, json_t *document)
{
	json_object_set_new(document, "units", units(view));
	json_object_set_new(document, "weights", weights(view));
	return document;
}

/* Adds what a reader needs to place the document, too: its window and when it was made. */
static json_t *placed(const struct esf_view *view, json_t *document)
{
	json_object_set_new(document, "time", json_integer(view->time));
	json_object_set_new(document, "window", esf_document_window(view));
	return explained(view, document);
}

json_t *esf_answer_fleet(const struct esf_answer *answer)
{
	return explained(answer->view, esf_document_fleet(answer->view));
}

json_t *esf_answer_regions(const struct esf_answer *answer)
{
	const struct esf_view *view = answer->view;
	json_t *regions = json_array();

	for (uint32_t r = 0; r < view->regions_count; r++)
		json_array_append_new(regions, esf_document_scope(view, &view->regions[r]));
	return placed(view, json_pack("{s:o}", "regions", regions));
}

json_t *esf_answer_region(const struct esf_answer *answer)
{
	const struct esf_view *view = answer->view;
	int64_t region = esf_listing_find_region(
	    view, answer->request->segments[ESF_ANSWER_NAME], answer->reply);

	if (region < 0)
		return NULL;
	return placed(view, esf_document_scope(view, &view->regions[region]));
}

json_t *esf_answer_sites(const struct esf_answer *answer)
{
	json_t *document = esf_listing_document(answer->view, answer->request, answer->reply);

	return document != NULL ? explained(answer->view, document) : NULL;
}

json_t *esf_answer_site(const struct esf_answer *answer)
{
	const struct esf_view *view = answer->view;
	int64_t site =
	    esf_listing_find_site(view, answer->request->segments[ESF_ANSWER_NAME], answer->reply);

	return site < 0 ? NULL : placed(view, esf_document_site(view, (uint32_t)site));
}

const struct esf_view *esf_answer_latest_view(const struct esf_api_sources *sources)
{
	const struct esf_view *view = esf_views_open(sources->views);

	return view != NULL ? view : esf_views_closed(sources->views);
}

static json_t *build_site_ledger(const struct esf_answer *answer, const char *name)
{
	static const struct esf_site_ledger nothing;
	const struct esf_view *view = esf_answer_latest_view(answer->sources);
	const struct esf_card *card;
	int64_t site;

	if (view == NULL) {
		esf_reply_error(answer->reply, 503, "no window has been built yet");
		return NULL;
	}
	site = esf_listing_find_site(view, name, answer->reply);
	if (site < 0)
		return NULL;
	card = esf_plane_card(answer->sources->plane, (uint32_t)site);
	return esf_document_with_gap(
	    esf_document_site_ledger(card == NULL ? &nothing : &card->ledger),
	    card == NULL ? 0 : card->forgotten);
}

/* NULL: there are no lcores (or no memory). */
static struct esf_pressure *read_pressure(const struct esf_api_sources *sources)
{
	return sources->launch != NULL ? esf_launch_pressure(sources->launch) : NULL;
}

static void read_state(const struct esf_api_sources *sources, struct esf_state_status *out)
{
	*out = (struct esf_state_status){ 0 };
	if (sources->state != NULL)
		esf_state_status(sources->state, out);
}

json_t *esf_answer_ledger(const struct esf_answer *answer)
{
	const char *site = esf_request_param(answer->request, "site");
	struct esf_pressure *pressure;
	struct esf_state_status state;
	struct esf_ledger ledger;
	json_t *document;

	if (site != NULL)
		return build_site_ledger(answer, site);
	pressure = read_pressure(answer->sources);
	esf_plane_ledger(answer->sources->plane, &ledger);
	document = esf_document_ledger(&ledger, pressure);
	free(pressure);
	read_state(answer->sources, &state);
	return esf_document_with_restart(document, &state, ledger.forgotten);
}

/* Alive: the control thread has made a view within the last few epochs (at least two seconds). */
void esf_answer_health(const struct esf_answer *answer)
{
	const struct esf_view *view = esf_answer_latest_view(answer->sources);
	int64_t allowed = STALE_AFTER_EPOCHS * answer->sources->config->rollup.epoch_ns;
	int64_t age;
	bool alive;

	if (view == NULL) {
		esf_reply_error(answer->reply, 503, "no window has been built yet");
		return;
	}
	if (allowed < 2 * NS_PER_S)
		allowed = 2 * NS_PER_S;
	age = wall_clock() - view->time;
	alive = age <= allowed;
	esf_reply_json(answer->reply, alive ? 200 : 503,
	    json_pack("{s:s, s:I, s:I, s:I, s:I}", "status", alive ? "ok" : "stalled", "time",
	        (json_int_t)view->time, "age_ms", (json_int_t)(age / 1000000), "config_revision",
	        (json_int_t)view->config_revision, "started",
	        (json_int_t)answer->sources->started));
}

void esf_answer_metrics(const struct esf_answer *answer)
{
	const struct esf_launch *launch = answer->sources->launch;
	struct esf_pressure *pressure = read_pressure(answer->sources);
	struct esf_pipeline *pipeline = launch != NULL ? esf_launch_pipeline(launch) : NULL;
	struct esf_exports_status *exports =
	    answer->sources->exports == NULL ? NULL : esf_exports_status(answer->sources->exports);
	struct esf_history_status history = { 0 };
	struct esf_state_status state;
	struct esf_ledger ledger;
	struct esf_prometheus_input input = {
		.view = esf_views_closed(answer->sources->views),
		.ledger = &ledger,
		.pressure = pressure,
		.pipeline = pipeline,
		.events = esf_event_log_latest(answer->sources->events),
		.reloads = esf_reload_count(answer->sources->reload),
		.history = &history,
		.exports = exports,
		.state = &state,
		.started = answer->sources->started,
		.published = esf_plane_settled(answer->sources->plane),
	};

	read_state(answer->sources, &state);
	if (answer->sources->history != NULL)
		esf_history_status(answer->sources->history, &history);
	esf_plane_ledger(answer->sources->plane, &ledger);
	answer->reply->status = 200;
	answer->reply->type = "text/plain; version=0.0.4; charset=utf-8";
	if (esf_prometheus_render(&input, &answer->reply->body, &answer->reply->size) != 0)
		esf_reply_json(answer->reply, 500, NULL);
	free(pipeline);
	free(exports);
	free(pressure);
}

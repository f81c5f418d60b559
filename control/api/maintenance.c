/* SPDX-License-Identifier: Apache-2.0 */
#include "control/api/answers.h"

#include <stdlib.h>
#include <string.h>

#include "control/api/document.h"
#include "control/fleet/maintenance.h"

/* GET /api/v1/maintenance: the maintenance windows, past, active and future. */

enum state { PAST, ACTIVE, FUTURE, STATES_COUNT };

static const char *const state_names[STATES_COUNT] = { "past", "active", "future" };

static enum state state_of(const struct esf_maintenance_config *window, int64_t time)
{
	if (time >= window->to_ns)
		return PAST;
	return time >= window->from_ns ? ACTIVE : FUTURE;
}

/* STATES_COUNT: all; -1 with the reply set: none of the names. */
static int choose_state(const struct esf_answer *answer)
{
	const char *text = esf_request_param(answer->request, "state");
	int state = 0;

	if (text == NULL)
		return STATES_COUNT;
	while (state < STATES_COUNT && strcmp(state_names[state], text) != 0)
		state++;
	if (state < STATES_COUNT)
		return state;
	esf_reply_error(
	    answer->reply, 400, "state: got \"%.100s\", want past, active or future", text);
	return -1;
}

/* By scope: the sites that it takes. Returns how many sites are in maintenance at that moment. */
static uint32_t count_sites(const struct esf_view *view, int64_t time, uint32_t *by_scope)
{
	const struct esf_config *config = view->config;
	struct esf_maintenance now;
	uint32_t count = 0;
	bool whole;

	esf_maintenance_find(config, time, time + 1, &now);
	for (uint32_t s = 0; s < view->sites_count; s++) {
		const struct esf_site_config *site = esf_roster_at(view->roster, s);

		if (site == NULL)
			continue;
		count += esf_maintenance_of(&now, site, &whole) != 0;
		if (config->maintenance_fleet != ESF_NO_SCOPE)
			by_scope[config->maintenance_fleet]++;
		if (config->maintenance_regions != NULL &&
		    config->maintenance_regions[site->region] != ESF_NO_SCOPE)
			by_scope[config->maintenance_regions[site->region]]++;
		for (uint32_t i = 0; i < site->maintenance_count; i++)
			by_scope[site->maintenance[i]]++;
	}
	return count;
}

static json_t *window_document(
    const struct esf_maintenance_config *window, enum state state, uint32_t sites)
{
	json_t *document = esf_document_maintenance(window);

	if (document == NULL)
		return NULL;
	json_object_set_new(document, "state", json_string(state_names[state]));
	json_object_set_new(document, "sites", json_integer(sites));
	return document;
}

/* As of the younger view: what is active does not wait for a window to close. */
json_t *esf_answer_maintenance(const struct esf_answer *answer)
{
	const struct esf_view *view = esf_answer_latest_view(answer->sources);
	uint32_t counts[STATES_COUNT] = { 0 }, sites, by_scope[ESF_MAINTENANCE_MAX] = { 0 };
	int chosen = choose_state(answer);
	json_t *windows;

	if (chosen < 0)
		return NULL;
	if (view == NULL) {
		esf_reply_error(answer->reply, 503, "no window has been built yet");
		return NULL;
	}
	sites = count_sites(view, view->time, by_scope);
	windows = json_array();
	for (uint32_t i = 0; i < view->config->maintenance_count; i++) {
		const struct esf_maintenance_config *window = &view->config->maintenance[i];
		enum state state = state_of(window, view->time);

		counts[state]++;
		if (chosen == STATES_COUNT || chosen == (int)state)
			json_array_append_new(
			    windows, window_document(window, state, by_scope[window->place]));
	}
	return json_pack("{s:I, s:I, s:{s:I, s:I, s:I}, s:I, s:o}", "time", (json_int_t)view->time,
	    "config_revision", (json_int_t)view->config_revision, "counts", state_names[PAST],
	    (json_int_t)counts[PAST], state_names[ACTIVE], (json_int_t)counts[ACTIVE],
	    state_names[FUTURE], (json_int_t)counts[FUTURE], "sites", (json_int_t)sites, "windows",
	    windows);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "control/api/routes.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <urcu-qsbr.h>

#include "control/api/answers.h"

enum method_set { READ, POST };

static const char *const method_names[] = { [READ] = "GET, HEAD", [POST] = "POST" };

/*
 * A route either builds a document (NULL with a reply set: refused; NULL without: out of memory) or
 * writes the reply itself. A route with neither is for a later release.
 */
struct route {
	const char *path;
	enum method_set methods;
	const char *params; /* names it takes, each followed by a space; NULL: any, ignored */
	json_t *(*build)(const struct esf_answer *answer);
	void (*write)(const struct esf_answer *answer);
	void (*act)(const struct esf_answer *answer); /* instead of both: offline, may wait */
	bool of_window;                               /* needs a view; takes window= */
	const char *help;
};

static void answer_index(const struct esf_answer *answer);

static const struct route routes[] = {
	{ "/", READ, NULL, NULL, answer_index, NULL, false, "this page" },
	{ "/api/v1/fleet", READ, "window ", esf_answer_fleet, NULL, NULL, true,
	    "the fleet and its regions in the latest closed window" },
	{ "/api/v1/regions", READ, "window ", esf_answer_regions, NULL, NULL, true, "all regions" },
	{ "/api/v1/regions/NAME", READ, "window ", esf_answer_region, NULL, NULL, true,
	    "one region" },
	{ "/api/v1/sites", READ, "window region status sort limit offset ", esf_answer_sites, NULL,
	    NULL, true, "sites, by region, status, worst first" },
	{ "/api/v1/sites/NAME", READ, "window ", esf_answer_site, NULL, NULL, true, "one site" },
	{ "/api/v1/sites/NAME/unmapped", READ, "", esf_answer_unmapped, NULL, NULL, false,
	    "one site's signals that no rule takes" },
	{ "/api/v1/names", READ, "limit ", esf_answer_names, NULL, NULL, false,
	    "the raw names met so far, and the KPI that takes each" },
	{ "/api/v1/ledger", READ, "site ", esf_answer_ledger, NULL, NULL, false,
	    "what became of every datagram and record" },
	{ "/api/v1/pipeline", READ, "lcore ", esf_answer_pipeline, NULL, NULL, false,
	    "what the poll loops do, and how many cycles that costs" },
	{ "/api/v1/events", READ, "site code limit ", esf_answer_events, NULL, NULL, false,
	    "what the sites said in words: the latest events, and counts of all" },
	{ "/api/v1/maintenance", READ, "state ", esf_answer_maintenance, NULL, NULL, false,
	    "the maintenance windows, and how many sites they take" },
	{ "/api/v1/outliers", READ, "window region kpi odd limit maintenance ", esf_answer_outliers,
	    NULL, NULL, true, "sites that are odd against their peers or against themselves" },
	{ "/api/v1/ranking", READ, "window by region limit ", esf_answer_ranking, NULL, NULL, true,
	    "the best and the worst sites, by health or by a KPI" },
	{ "/api/v1/intervals", READ, "scope interval ", .act = esf_answer_intervals,
	    .help = "the running intervals of a site, a region or the fleet" },
	{ "/api/v1/history", READ, "scope kpi interval from to ", .act = esf_answer_history,
	    .help = "what intervals said of a KPI; want scope= and kpi=" },
	{ "/api/v1/history/events", READ, "scope from to limit ", .act = esf_answer_past_events,
	    .help = "what sites said, from the history" },
	{ "/api/v1/exports", READ, "", esf_answer_exports, NULL, NULL, false,
	    "the servers that windows are pushed to, and what became of their points" },
	{ "/healthz", READ, NULL, NULL, esf_answer_health, NULL, false,
	    "whether the appliance ticks" },
	{ "/metrics", READ, NULL, NULL, esf_answer_metrics, NULL, false, "Prometheus' exposition" },
	{ "/api/v1/incidents", READ, NULL, NULL, NULL, NULL, false, NULL },
	{ "/api/v1/incidents/ID", READ, NULL, NULL, NULL, NULL, false, NULL },
	{ "/api/v1/incidents/ID/ack", POST, NULL, NULL, NULL, NULL, false, NULL },
	{ "/api/v1/reload", POST, "diff ", .act = esf_answer_reload,
	    .help = "POST: takes up the configuration's file as it stands now" },
	{ "/api/v1/slots", READ, NULL, NULL, NULL, NULL, false, NULL },
	{ "/api/v1/stream", READ, NULL, NULL, NULL, NULL, false, NULL },
};

enum { ROUTES_COUNT = sizeof(routes) / sizeof(routes[0]) };

static void answer_index(const struct esf_answer *answer)
{
	size_t size;
	char *text = NULL;
	FILE *out = open_memstream(&text, &size);

	if (out == NULL) {
		esf_reply_json(answer->reply, 500, NULL);
		return;
	}
	fputs(
	    "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n"
	    "<meta name=\"viewport\" content=\"width=device-width\">\n"
	    "<title>eStream Fleet Aggregation</title>\n<h1>eStream Fleet Aggregation</h1>\n"
	    "<p>This is the API of <code>estream-fleetd</code>: how healthy the fleet, its regions "
	    "and its sites are, and what became of every datagram. <code>fleetctl status</code> "
	    "shows the same in a terminal.</p>\n<ul>\n",
	    out);
	for (uint32_t i = 0; i < ROUTES_COUNT; i++) {
		if (routes[i].help == NULL)
			continue;
		if (strstr(routes[i].path, "NAME") == NULL && routes[i].methods == READ)
			fprintf(out, "<li><a href=\"%s\">%s</a>: %s</li>\n", routes[i].path,
			    routes[i].path, routes[i].help);
		else
			fprintf(out, "<li>%s: %s</li>\n", routes[i].path, routes[i].help);
	}
	fputs("</ul>\n</html>\n", out);
	if (fclose(out) != 0) {
		free(text);
		esf_reply_json(answer->reply, 500, NULL);
		return;
	}
	*answer->reply = (struct esf_reply){ 200, "text/html; charset=utf-8", NULL, text, size };
}

static const struct route *find_route(const struct esf_request *request)
{
	for (uint32_t i = 0; i < ROUTES_COUNT; i++) {
		if (esf_request_is(request, routes[i].path))
			return &routes[i];
	}
	return NULL;
}

static bool takes_method(const struct route *route, const char *method)
{
	if (route->methods == POST)
		return strcmp(method, "POST") == 0;
	return strcmp(method, "GET") == 0 || strcmp(method, "HEAD") == 0;
}

static void answer_unknown(struct esf_reply *reply)
{
	json_t *paths = json_array();

	for (uint32_t i = 0; i < ROUTES_COUNT; i++) {
		if (routes[i].help != NULL)
			json_array_append_new(paths, json_string(routes[i].path));
	}
	esf_reply_json(
	    reply, 404, json_pack("{s:s, s:o}", "error", "no such path", "paths", paths));
}

/* Whether the space-ended list of names holds this one. */
static bool is_listed(const char *list, const char *name)
{
	for (size_t size; *list != '\0'; list += size + 1) {
		size = strcspn(list, " ");
		if (strlen(name) == size && memcmp(list, name, size) == 0)
			return true;
	}
	return false;
}

static bool takes_params(
    const struct route *route, const struct esf_request *request, struct esf_reply *reply)
{
	if (route->params == NULL)
		return true;
	for (uint32_t i = 0; i < request->params_count; i++) {
		if (is_listed(route->params, request->params[i].name))
			continue;
		esf_reply_error(reply, 400, "unknown parameter: got \"%.100s\", want one of: %.*s",
		    request->params[i].name, (int)strlen(route->params) - 1, route->params);
		return false;
	}
	return true;
}

/* NULL with the reply set where window= is wrong or there is no such view yet. */
static const struct esf_view *choose_view(const struct esf_answer *answer)
{
	const struct esf_views *views = answer->sources->views;
	const char *window = esf_request_param(answer->request, "window");
	const struct esf_view *open = esf_views_open(views), *closed = esf_views_closed(views);
	bool wants_open = window != NULL && strcmp(window, "open") == 0;

	if (window != NULL && !wants_open && strcmp(window, "closed") != 0) {
		esf_reply_error(
		    answer->reply, 400, "window: got \"%.100s\", want open or closed", window);
		return NULL;
	}
	if (wants_open ? open != NULL : closed != NULL)
		return wants_open ? open : closed;
	if (open == NULL)
		esf_reply_error(answer->reply, 503, "no window has been built yet");
	else
		esf_reply_error(answer->reply, 503,
		    "no window has closed yet: ask for the provisional one with ?window=open");
	return NULL;
}

static void run_route(const struct route *route, struct esf_answer *answer)
{
	json_t *document = NULL;

	if (route->act != NULL) {
		route->act(answer);
		return;
	}
	rcu_thread_online();
	rcu_read_lock();
	if (route->of_window)
		answer->view = choose_view(answer);
	if (route->write != NULL)
		route->write(answer);
	else if (answer->reply->status == 0)
		document = route->build(answer);
	rcu_read_unlock();
	rcu_thread_offline();
	/* The text is made offline: it takes longer than the document, and frees no view meanwhile.
	 */
	if (answer->reply->status == 0)
		esf_reply_json(answer->reply, 200, document);
}

void esf_routes_answer(const struct esf_api_sources *sources, const struct esf_request *request,
    struct esf_reply *reply)
{
	const struct route *route = find_route(request);
	struct esf_answer answer = { .sources = sources, .request = request, .reply = reply };

	if (route == NULL) {
		answer_unknown(reply);
	} else if (!takes_method(route, request->method)) {
		esf_reply_error(reply, 405, "method: got %.20s, want %s", request->method,
		    method_names[route->methods]);
		reply->allow = method_names[route->methods];
	} else if (route->build == NULL && route->write == NULL && route->act == NULL) {
		esf_reply_error(reply, 501, "%s is not built yet", route->path);
	} else if (takes_params(route, request, reply)) {
		run_route(route, &answer);
	}
}

void esf_routes_refuse(const struct esf_request *request, int error, struct esf_reply *reply)
{
	esf_reply_error(reply, error == -E2BIG ? 414 : 400, "%s", request->error);
}

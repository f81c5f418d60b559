/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <urcu-qsbr.h>

#include "control/api/answers.h"
#include "control/api/intervals.h"
#include "control/api/listing.h"
#include "control/config/nearest.h"
#include "control/history/history.h"

/* GET /api/v1/history: what an interval said of a KPI, point by point; /events: what sites said. */

#define NS_PER_S INT64_C(1000000000)

enum { POINTS_MAX = 10000, EVENTS_DEFAULT = 100, EVENTS_MAX = 10000, DEFAULT_S = 86400 };

struct question {
	struct esf_api_scope scope;
	char key[ESF_HISTORY_KEY_SIZE];
	struct esf_history_query query;
	struct esf_history_status status;
};

static int64_t wall_clock(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return now.tv_sec * NS_PER_S + now.tv_nsec;
}

static json_t *store_document(const struct esf_history_status *status)
{
	return json_pack("{s:s, s:b, s:s?, s:I, s:I, s:I, s:I, s:I}", "file", status->path, "well",
	    status->well, "error", status->error[0] == '\0' ? NULL : status->error, "written",
	    (json_int_t)status->written, "queued", (json_int_t)status->queued, "dropped",
	    (json_int_t)status->dropped, "failures", (json_int_t)status->failures, "set_aside",
	    (json_int_t)status->set_aside);
}

/* A time in Unix ns, left alone where it is not given. */
static int read_time(const struct esf_answer *answer, const char *name, int64_t *out)
{
	const char *text = esf_request_param(answer->request, name);
	char *end;
	long long value;

	if (text == NULL)
		return 0;
	errno = 0;
	value = strtoll(text, &end, 10);
	if (errno == 0 && text[0] >= '0' && text[0] <= '9' && *end == '\0') {
		*out = value;
		return 0;
	}
	esf_reply_error(
	    answer->reply, 400, "%s: got \"%.100s\", want Unix nanoseconds", name, text);
	return -1;
}

/* The last day, or as much of it as may be asked for. */
static int read_times(const struct esf_answer *answer, struct esf_history_query *query)
{
	int64_t before = DEFAULT_S * NS_PER_S;

	if (query->interval > 0 && before > query->interval * POINTS_MAX)
		before = query->interval * POINTS_MAX;
	query->to = wall_clock();
	if (read_time(answer, "to", &query->to) != 0)
		return -1;
	query->from = query->to < before ? 0 : query->to - before;
	if (read_time(answer, "from", &query->from) != 0)
		return -1;
	if (query->from < query->to)
		return 0;
	esf_reply_error(answer->reply, 400,
	    "from: got %" PRId64 ", want a time before to (%" PRId64 ")", query->from, query->to);
	return -1;
}

/* The site's key is by its id, or by its name, which the scope has behind "site:". */
static void set_key(struct question *question)
{
	const char *text = question->scope.text;

	if (question->scope.level == ESF_INTERVAL_SITE)
		esf_history_site_key(question->scope.site_id, text + 5, question->key);
	else
		snprintf(question->key, sizeof(question->key), "%s", text);
	question->query.scope = question->key;
}

static int check_kpi(const struct esf_answer *answer, const char *kpi)
{
	const struct esf_intervals *intervals = answer->sources->intervals;
	struct esf_nearest nearest;
	char hint[128];

	if (kpi == NULL) {
		esf_reply_error(answer->reply, 400, "kpi: want health or the name of a KPI");
		return -1;
	}
	esf_nearest_start(&nearest, kpi);
	for (uint32_t c = 0; c < esf_intervals_columns(intervals); c++) {
		if (strcmp(esf_intervals_column(intervals, c), kpi) == 0)
			return 0;
		esf_nearest_offer(&nearest, esf_intervals_column(intervals, c));
	}
	esf_reply_error(answer->reply, 404, "no KPI \"%.100s\"%s", kpi,
	    esf_nearest_hint(&nearest, hint, sizeof(hint)));
	return -1;
}

static int choose_points(const struct esf_answer *answer, struct question *question)
{
	struct esf_intervals *intervals = answer->sources->intervals;
	struct esf_history_query *query = &question->query;
	uint32_t interval;
	int result;

	query->kpi = esf_request_param(answer->request, "kpi");
	esf_intervals_lock(intervals);
	result = check_kpi(answer, query->kpi);
	if (result == 0)
		result = esf_api_interval_find(answer, &interval);
	if (result == 0)
		query->interval = esf_intervals_span(intervals, interval).length;
	esf_intervals_unlock(intervals);
	if (result != 0 || read_times(answer, query) != 0)
		return -1;
	if ((query->to - query->from) / query->interval <= POINTS_MAX)
		return 0;
	esf_reply_error(answer->reply, 400,
	    "from, to: got %" PRId64
	    " intervals, want at most %d: ask for a longer interval or less "
	    "time",
	    (query->to - query->from) / query->interval, POINTS_MAX);
	return -1;
}

/* Whether there is a history. */
static bool is_on(const struct esf_answer *answer, struct question *question)
{
	if (answer->sources->history != NULL)
		esf_history_status(answer->sources->history, &question->status);
	if (question->status.on)
		return true;
	esf_reply_error(answer->reply, 404,
	    "no history is kept: set history: {file: FILE} in the configuration");
	return false;
}

static void add_point(void *context, const struct esf_history_point *point)
{
	const struct esf_interval_value *value = &point->value;
	json_t *document = json_pack("{s:I, s:o, s:o, s:o, s:o, s:o, s:o, s:I, s:I, s:I, s:I, s:b}",
	    "start", (json_int_t)point->start, "mean", esf_api_number(value->mean), "stddev",
	    esf_api_number(value->stddev), "min", esf_api_number(value->min), "max",
	    esf_api_number(value->max), "p50", esf_api_number(value->p50), "p95",
	    esf_api_number(value->p95), "sites", (json_int_t)value->sites, "samples",
	    (json_int_t)value->samples, "windows", (json_int_t)value->windows, "revision",
	    (json_int_t)point->revision, "final", point->final);

	json_array_append_new(context, document);
}

/* Takes points over. */
static void reply_with(const struct esf_answer *answer, const struct question *question,
    enum esf_store_result result, const char *error, json_t *document)
{
	if (result == ESF_STORE_OK) {
		json_object_set_new(document, "store", store_document(&question->status));
		esf_reply_json(answer->reply, 200, document);
		return;
	}
	json_decref(document);
	esf_reply_error(answer->reply, 503, "history: %s", error);
}

void esf_answer_history(const struct esf_answer *answer)
{
	struct question question = { 0 };
	char error[ESF_STORE_ERROR_SIZE], interval[ESF_API_DURATION_SIZE];
	enum esf_store_result result;
	json_t *points;

	if (!is_on(answer, &question) || esf_api_scope_find(answer, &question.scope) != 0 ||
	    choose_points(answer, &question) != 0)
		return;
	set_key(&question);
	points = json_array();
	result = esf_store_read(question.status.path, &question.query, add_point, points, error);
	reply_with(answer, &question, result, error,
	    json_pack("{s:s, s:s, s:s, s:I, s:I, s:I, s:o}", "scope", question.scope.text, "kpi",
	        question.query.kpi, "interval", esf_api_duration(question.query.interval, interval),
	        "length", (json_int_t)question.query.interval, "from",
	        (json_int_t)question.query.from, "to", (json_int_t)question.query.to, "points",
	        points));
}

/* The name of the site that has the id now. */
static const char *site_name(const struct esf_view *view, const char *key)
{
	unsigned long id = strncmp(key, "site:", 5) == 0 ? strtoul(key + 5, NULL, 10) : 0;

	for (uint32_t s = 0; id != 0 && view != NULL && s < view->sites_count; s++) {
		const struct esf_site_config *site = esf_roster_at(view->roster, s);

		if (site != NULL && site->id == id)
			return site->name;
	}
	return strncmp(key, "site=", 5) == 0 ? key + 5 : key;
}

static void add_event(void *context, const struct esf_history_heard *event)
{
	json_array_append_new(context,
	    json_pack("{s:I, s:s, s:s?, s:i, s:s, s:s, s:s}", "time", (json_int_t)event->time,
	        "site", event->scope, "code", event->code, "severity", event->severity, "state",
	        event->state, "source", event->source, "text", event->text));
}

/* In place of keys. */
static void put_names(const struct esf_answer *answer, json_t *events)
{
	json_t *event;
	size_t i;

	rcu_thread_online();
	rcu_read_lock();
	json_array_foreach (events, i, event) {
		const char *key = json_string_value(json_object_get(event, "site"));
		const struct esf_view *view = esf_answer_latest_view(answer->sources);

		if (key != NULL)
			json_object_set_new(event, "site", json_string(site_name(view, key)));
	}
	rcu_read_unlock();
	rcu_thread_offline();
}

void esf_answer_past_events(const struct esf_answer *answer)
{
	struct question question = { 0 };
	uint32_t limit = EVENTS_DEFAULT;
	char error[ESF_STORE_ERROR_SIZE];
	enum esf_store_result result;
	json_t *events;

	if (!is_on(answer, &question) || esf_api_scope_find(answer, &question.scope) != 0 ||
	    esf_listing_number(answer->request, "limit", 1, EVENTS_MAX, &limit, answer->reply) !=
	        0 ||
	    read_times(answer, &question.query) != 0)
		return;
	if (question.scope.level == ESF_INTERVAL_REGION) {
		esf_reply_error(answer->reply, 400,
		    "scope: got \"%.100s\", want fleet or site:NAME: events are kept by site",
		    question.scope.text);
		return;
	}
	if (question.scope.level == ESF_INTERVAL_SITE)
		set_key(&question);
	events = json_array();
	result = esf_store_read_events(
	    question.status.path, &question.query, limit, add_event, events, error);
	put_names(answer, events);
	reply_with(answer, &question, result, error,
	    json_pack("{s:s, s:I, s:I, s:o}", "scope", question.scope.text, "from",
	        (json_int_t)question.query.from, "to", (json_int_t)question.query.to, "events",
	        events));
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "control/api/intervals.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <urcu-qsbr.h>

#include "control/api/listing.h"

#define NS_PER_S INT64_C(1000000000)

/* The view that names are sought in; NULL with the reply set. */
static const struct esf_view *named_view(const struct esf_answer *answer)
{
	const struct esf_view *view = esf_answer_latest_view(answer->sources);

	if (view == NULL)
		esf_reply_error(answer->reply, 503, "no window has been built yet");
	return view;
}

static int find_site(const struct esf_answer *answer, const char *name, struct esf_api_scope *out)
{
	const struct esf_view *view = named_view(answer);
	const struct esf_site_config *site;
	int64_t index;

	if (view == NULL)
		return -1;
	index = esf_listing_find_site(view, name, answer->reply);
	if (index < 0)
		return -1;
	site = esf_roster_at(view->roster, (uint32_t)index);
	out->level = ESF_INTERVAL_SITE;
	out->place = (uint32_t)index;
	out->site_id = site->id;
	return 0;
}

static int find_region(const struct esf_answer *answer, const char *name, struct esf_api_scope *out)
{
	const struct esf_view *view = named_view(answer);
	int64_t index;

	if (view == NULL)
		return -1;
	index = esf_listing_find_region(view, name, answer->reply);
	if (index < 0)
		return -1;
	out->level = ESF_INTERVAL_REGION;
	out->place = (uint32_t)index;
	return 0;
}

static int find_scope(const struct esf_answer *answer, struct esf_api_scope *out)
{
	const char *text = esf_request_param(answer->request, "scope");

	*out = (struct esf_api_scope){ .level = ESF_INTERVAL_FLEET, .text = "fleet" };
	if (text == NULL || strcmp(text, "fleet") == 0)
		return 0;
	out->text = text;
	if (strncmp(text, "site:", 5) == 0)
		return find_site(answer, text + 5, out);
	if (strncmp(text, "region:", 7) == 0)
		return find_region(answer, text + 7, out);
	esf_reply_error(answer->reply, 400,
	    "scope: got \"%.100s\", want fleet, region:NAME or site:NAME", text);
	return -1;
}

int esf_api_scope_find(const struct esf_answer *answer, struct esf_api_scope *out)
{
	int result;

	rcu_thread_online();
	rcu_read_lock();
	result = find_scope(answer, out);
	rcu_read_unlock();
	rcu_thread_offline();
	return result;
}

const char *esf_api_duration(int64_t ns, char *buffer)
{
	static const struct {
		int64_t ns;
		const char *unit;
	} units[] = { { 86400 * NS_PER_S, "d" }, { 3600 * NS_PER_S, "h" }, { 60 * NS_PER_S, "m" },
		{ NS_PER_S, "s" }, { NS_PER_S / 1000, "ms" } };
	size_t i = 0;

	while (i < 4 && ns % units[i].ns != 0)
		i++;
	snprintf(buffer, ESF_API_DURATION_SIZE, "%" PRId64 "%s", ns / units[i].ns, units[i].unit);
	return buffer;
}

/* Lists those there are, as "1m, 15m, 1h". */
static void list_intervals(const struct esf_intervals *intervals, char *buffer, size_t size)
{
	size_t used = 0;

	buffer[0] = '\0';
	for (uint32_t i = 0; i < esf_intervals_count(intervals) && used < size; i++) {
		char text[ESF_API_DURATION_SIZE];

		used += (size_t)snprintf(buffer + used, size - used, "%s%s", i == 0 ? "" : ", ",
		    esf_api_duration(esf_intervals_span(intervals, i).length, text));
	}
}

int esf_api_interval_find(const struct esf_answer *answer, uint32_t *out)
{
	const struct esf_intervals *intervals = answer->sources->intervals;
	const char *text = esf_request_param(answer->request, "interval");
	char buffer[ESF_API_DURATION_SIZE], all[ESF_INTERVALS_MAX * ESF_API_DURATION_SIZE];

	if (esf_intervals_count(intervals) == 0) {
		esf_reply_error(answer->reply, 404, "rollup.intervals: the configuration has none");
		return -1;
	}
	*out = 0;
	if (text == NULL)
		return 0;
	for (uint32_t i = 0; i < esf_intervals_count(intervals); i++) {
		*out = i;
		if (strcmp(esf_api_duration(esf_intervals_span(intervals, i).length, buffer),
		        text) == 0)
			return 0;
	}
	list_intervals(intervals, all, sizeof(all));
	esf_reply_error(answer->reply, 404, "interval: got \"%.100s\", want one of: %s", text, all);
	return -1;
}

json_t *esf_api_number(double value)
{
	return isfinite(value) ? json_real(value) : json_null();
}

static json_t *value_document(enum esf_interval_level level, const struct esf_interval_value *value)
{
	json_t *document =
	    json_pack("{s:o, s:o, s:o, s:o, s:I, s:i, s:o}", "mean", esf_api_number(value->mean),
	        "stddev", esf_api_number(value->stddev), "min", esf_api_number(value->min), "max",
	        esf_api_number(value->max), "samples", (json_int_t)value->samples, "windows",
	        (int)value->windows, "score", esf_api_number(value->score));

	if (level == ESF_INTERVAL_SITE)
		return document;
	json_object_set_new(document, "p50", esf_api_number(value->p50));
	json_object_set_new(document, "p95", esf_api_number(value->p95));
	json_object_set_new(document, "sites", json_integer(value->sites));
	return document;
}

static json_t *interval_document(
    struct esf_intervals *intervals, uint32_t interval, const struct esf_api_scope *scope)
{
	struct esf_interval_span span = esf_intervals_span(intervals, interval);
	char text[ESF_API_DURATION_SIZE];
	json_t *kpis = json_object();

	for (uint32_t c = 0; c < esf_intervals_columns(intervals); c++) {
		struct esf_interval_value value;

		esf_intervals_value(intervals, interval, scope->level, scope->place, c, &value);
		json_object_set_new(
		    kpis, esf_intervals_column(intervals, c), value_document(scope->level, &value));
	}
	return json_pack("{s:s, s:I, s:I, s:b, s:I, s:I, s:I, s:I, s:o}", "interval",
	    esf_api_duration(span.length, text), "start", (json_int_t)span.start, "end",
	    (json_int_t)span.end, "final", span.final, "revision", (json_int_t)span.revision,
	    "windows", (json_int_t)span.windows, "windows_total", (json_int_t)span.windows_total,
	    "maintenance",
	    (json_int_t)esf_intervals_maintenance(intervals, interval, scope->level, scope->place),
	    "kpis", kpis);
}

/* All of them, or the one asked for; those of which no window closed yet are left out. */
static json_t *list(const struct esf_answer *answer, const struct esf_api_scope *scope)
{
	struct esf_intervals *intervals = answer->sources->intervals;
	bool one = esf_request_param(answer->request, "interval") != NULL;
	uint32_t first = 0, end = esf_intervals_count(intervals);
	json_t *array;

	if (one && esf_api_interval_find(answer, &first) != 0)
		return NULL;
	if (one)
		end = first + 1;
	array = json_array();
	for (uint32_t i = first; i < end; i++)
		if (esf_intervals_span(intervals, i).windows > 0)
			json_array_append_new(array, interval_document(intervals, i, scope));
	return array;
}

void esf_answer_intervals(const struct esf_answer *answer)
{
	struct esf_intervals *intervals = answer->sources->intervals;
	struct esf_api_scope scope;
	json_t *array;

	if (esf_api_scope_find(answer, &scope) != 0)
		return;
	esf_intervals_lock(intervals);
	array = list(answer, &scope);
	esf_intervals_unlock(intervals);
	if (array != NULL || answer->reply->status == 0)
		esf_reply_json(answer->reply, array == NULL ? 500 : 200,
		    array == NULL
		        ? NULL
		        : json_pack("{s:s, s:o}", "scope", scope.text, "intervals", array));
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "control/history/gather.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* One scope's points; kpis: where the columns' names are in the batch's text. */
static void add_scope(struct esf_history_batch *batch, struct esf_intervals *intervals,
    uint32_t interval, enum esf_interval_level level, uint32_t place, const char *key,
    const uint32_t *kpis)
{
	uint32_t scope = ESF_NO_TEXT;

	for (uint32_t c = 0; c < esf_intervals_columns(intervals); c++) {
		struct esf_interval_value value;
		struct esf_history_row *row;

		esf_intervals_value(intervals, interval, level, place, c, &value);
		if (isnan(value.mean))
			continue;
		if (scope == ESF_NO_TEXT)
			scope = esf_history_batch_text(batch, key, strlen(key));
		row = esf_history_batch_row(batch);
		if (row != NULL)
			*row = (struct esf_history_row){ scope, kpis[c], value };
	}
}

static void add_sites(const struct esf_roster *roster, struct esf_history_batch *batch,
    struct esf_intervals *intervals, uint32_t interval, const uint32_t *kpis)
{
	uint32_t sites = esf_intervals_places(intervals, ESF_INTERVAL_SITE);
	char key[ESF_HISTORY_KEY_SIZE];

	for (uint32_t s = 0; s < sites && s < ESF_HISTORY_SITES_MAX; s++) {
		const struct esf_site_config *site = esf_roster_at(roster, s);

		if (site != NULL)
			add_scope(batch, intervals, interval, ESF_INTERVAL_SITE, s,
			    esf_history_site_key(site->id, site->name, key), kpis);
	}
}

struct esf_history_batch *esf_history_gather_interval(
    const struct esf_roster *roster, struct esf_intervals *intervals, uint32_t interval)
{
	struct esf_interval_span span = esf_intervals_span(intervals, interval);
	uint32_t regions = esf_intervals_places(intervals, ESF_INTERVAL_REGION);
	struct esf_history_batch *batch = esf_history_batch_create();
	uint32_t kpis[ESF_INTERVAL_COLUMNS_MAX];
	char key[ESF_HISTORY_KEY_SIZE];

	if (batch == NULL)
		return NULL;
	batch->interval = span.length;
	batch->start = span.start;
	batch->final = span.final;
	for (uint32_t c = 0; c < esf_intervals_columns(intervals); c++) {
		const char *name = esf_intervals_column(intervals, c);

		kpis[c] = esf_history_batch_text(batch, name, strlen(name));
	}
	add_scope(batch, intervals, interval, ESF_INTERVAL_FLEET, 0, "fleet", kpis);
	for (uint32_t r = 0; r < regions; r++) {
		snprintf(key, sizeof(key), "region:%s", esf_intervals_region(intervals, r));
		add_scope(batch, intervals, interval, ESF_INTERVAL_REGION, r, key, kpis);
	}
	add_sites(roster, batch, intervals, interval, kpis);
	return batch;
}

static void add_event(const struct esf_roster *roster, struct esf_history_batch *batch,
    const struct esf_event_snapshot *events, const struct esf_event *event)
{
	static const char *const states[] = {
		[ESF_ETD_MESSAGE] = "message", [ESF_ETD_RAISE] = "raise", [ESF_ETD_CLEAR] = "clear"
	};
	const struct esf_site_config *site = esf_roster_at(roster, event->site);
	const char *code = esf_event_code(events, event);
	struct esf_history_event *row;
	char key[ESF_HISTORY_KEY_SIZE];

	if (site == NULL)
		return;
	row = esf_history_batch_event(batch);
	if (row == NULL)
		return;
	esf_history_site_key(site->id, site->name, key);
	row->time = event->time;
	row->scope = esf_history_batch_text(batch, key, strlen(key));
	row->code = code == NULL ? ESF_NO_TEXT : esf_history_batch_text(batch, code, strlen(code));
	row->text = esf_history_batch_text(batch, event->text, event->text_length);
	row->severity = event->severity;
	row->state = states[event->state];
	row->source = event->source == ESF_EVENT_ETD ? "etd" : "syslog";
}

struct esf_history_batch *esf_history_gather_events(
    const struct esf_roster *roster, const struct esf_event_snapshot *events, uint32_t count)
{
	struct esf_history_batch *batch = esf_history_batch_create();

	for (uint32_t i = count; batch != NULL && i > 0; i--)
		add_event(roster, batch, events, &events->events[i - 1]);
	return batch;
}

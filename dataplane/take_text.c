/* SPDX-License-Identifier: Apache-2.0 */
#include "shard_state.h"

/*
 * Text lines of sites that this shard owns. A datagram is accepted when any of its lines is; only
 * then do its refused lines count as records, so they are tallied until the last line is seen.
 */

enum line_fate { LINE_TAKEN, LINE_MALFORMED, LINE_UNKNOWN, LINE_DUPLICATE, LINE_SHED };

struct text_tally {
	uint32_t taken;
	uint32_t malformed;
	uint32_t unknown;
	uint32_t duplicates; /* their sites, and those of the shed, are in shard->refused_sites */
	uint32_t shed;
};

static void count_records(struct esf_shard *shard, enum esf_record_verdict verdict, uint32_t count)
{
	shard->ledger.records_received += count;
	shard->ledger.records[verdict] += count;
}

static void count_site_datagram(
    struct esf_shard *shard, uint32_t site_index, enum esf_datagram_verdict verdict)
{
	struct esf_site *site = &shard->plane->sites[site_index];

	if (site->datagram == shard->text_datagrams)
		return;
	site->datagram = shard->text_datagrams;
	site->ledger.datagrams_received++;
	site->ledger.datagrams[verdict - ESF_SITE_DATAGRAM_FIRST]++;
	esf_shard_touch(shard, site);
}

static void count_site_line(
    struct esf_shard *shard, uint32_t site_index, enum esf_record_verdict verdict)
{
	struct esf_site *site = &shard->plane->sites[site_index];

	site->ledger.records_received++;
	site->ledger.records[verdict]++;
	esf_shard_touch(shard, site);
}

static void count_value(
    struct esf_shard *shard, struct esf_site *site, enum esf_record_verdict verdict)
{
	count_records(shard, verdict, 1);
	site->ledger.records_received++;
	site->ledger.records[verdict]++;
}

/* What has a value but no rule; id: its name's. */
static enum esf_record_verdict refuse_unmapped(
    struct esf_shard *shard, struct esf_site *site, uint32_t id)
{
	esf_site_count_unmapped(site, &shard->site_pools, id, 0);
	return ESF_RECORD_UNMAPPED;
}

static enum esf_record_verdict take_field(struct esf_shard *shard, struct esf_site *site,
    const struct esf_influx_field *field, int64_t time)
{
	const struct esf_record record = {
		.time = time, .value = field->value, .kind = ESF_KIND_GAUGE
	};
	bool is_text = field->type == ESF_INFLUX_STRING;
	uint32_t id;
	uint16_t rule = esf_names_intern(shard->names, field->name.at, field->name.length, &id);

	if (rule == ESF_RULE_NONE)
		return is_text ? ESF_RECORD_UNMAPPED : refuse_unmapped(shard, site, id);
	if (is_text)
		return ESF_RECORD_NOT_NUMERIC;
	return esf_shard_record(shard, site, rule, &record);
}

static void take_influx(struct esf_shard *shard, struct esf_site *site,
    const struct esf_influx_line *line, int64_t time)
{
	for (uint32_t i = 0; i < line->fields_count; i++)
		count_value(shard, site, take_field(shard, site, &line->fields[i], time));
}

static enum esf_record_kind statsd_kind(const struct esf_statsd_value *value)
{
	if (value->type == ESF_STATSD_COUNTER)
		return ESF_KIND_INCREMENT;
	if (value->type == ESF_STATSD_TIMER)
		return ESF_KIND_GAUGE;
	return value->delta ? ESF_KIND_DELTA : ESF_KIND_LEVEL;
}

static void take_statsd(struct esf_shard *shard, struct esf_site *site,
    const struct esf_statsd_line *line, int64_t time)
{
	/* Events and checks have no name that a rule could take. */
	bool named = line->name.length > 0;
	uint32_t id = 0;
	uint16_t rule = named
	                    ? esf_names_intern(shard->names, line->name.at, line->name.length, &id)
	                    : ESF_RULE_NONE;

	for (uint32_t i = 0; i < line->values_count; i++) {
		const struct esf_statsd_value *value = &line->values[i];
		struct esf_record record = {
			.time = time,
			.value = value->type == ESF_STATSD_COUNTER ? value->value / value->rate
			                                           : value->value,
			.kind = statsd_kind(value),
		};
		enum esf_record_verdict verdict = ESF_RECORD_NOT_NUMERIC;

		if (named && rule == ESF_RULE_NONE)
			verdict = value->is_number ? refuse_unmapped(shard, site, id)
			                           : ESF_RECORD_UNMAPPED;
		else if (value->is_number)
			verdict = esf_shard_record(shard, site, rule, &record);
		count_value(shard, site, verdict);
	}
}

/* A message is one record: what it says, and that its site speaks. */
static void take_syslog(
    struct esf_shard *shard, struct esf_site *site, const struct esf_syslog *syslog, int64_t time)
{
	const struct esf_message message = {
		.time = time,
		.source = ESF_EVENT_SYSLOG,
		.severity = syslog->severity,
		.text = syslog->message.at,
		.text_length = syslog->message.length,
	};

	count_value(shard, site, esf_shard_message(shard, site, &message));
}

static void take_values(
    struct esf_shard *shard, struct esf_site *site, const struct esf_text_line *line)
{
	int64_t time = line->has_time ? line->time : shard->arrival;

	site->last_seen = shard->arrival;
	if (line->has_time && line->format != ESF_LISTENER_STATSD)
		esf_skew_learn(&site->skew, line->time, shard->arrival);
	site->left = false;
	if (line->format == ESF_LISTENER_STATSD)
		take_statsd(shard, site, &line->statsd, time);
	else if (line->format == ESF_LISTENER_SYSLOG)
		take_syslog(shard, site, &line->syslog, time);
	else
		take_influx(shard, site, &line->influx, time);
	esf_shard_touch(shard, site);
}

/* Seen before: only lines that carry their own time can be told from a repeated reading. */
static bool is_duplicate(
    struct esf_shard *shard, uint32_t site_index, const struct esf_text_line *line)
{
	return line->format == ESF_LISTENER_INFLUX && line->has_time &&
	       esf_lines_seen(shard->lines, site_index, line->raw.at, line->raw.length, shard->now,
	           shard->policy->line_window_ns);
}

/* To the storm a datagram is one of the site's, whatever number of its lines it holds. */
static bool is_shed(struct esf_shard *shard, uint32_t site_index, const struct esf_text_line *line)
{
	struct esf_site *site = &shard->plane->sites[site_index];

	if (site->asked != shard->text_datagrams) {
		site->asked = shard->text_datagrams;
		site->shed = !esf_shard_admit(
		    shard, site, line->format, line->format == ESF_LISTENER_SYSLOG);
	}
	return site->shed;
}

static enum line_fate take_line(struct esf_shard *shard, const struct esf_text_line *line,
    uint32_t sender_site, uint32_t *site_index)
{
	if (line->malformed)
		return LINE_MALFORMED;
	*site_index = esf_shard_line_site(shard, line, sender_site);
	if (*site_index == ESF_NO_SITE)
		return LINE_UNKNOWN;
	if (is_duplicate(shard, *site_index, line))
		return LINE_DUPLICATE;
	if (is_shed(shard, *site_index, line))
		return LINE_SHED;
	take_values(shard, &shard->plane->sites[*site_index], line);
	return LINE_TAKEN;
}

/* A host's name need not be a site's; a tag is there for nothing else. */
uint32_t esf_shard_line_site(
    struct esf_shard *shard, const struct esf_text_line *line, uint32_t sender_site)
{
	bool is_syslog = line->format == ESF_LISTENER_SYSLOG;
	uint32_t site = ESF_NO_SITE;

	if (line->has_site)
		site = esf_shard_site_by_name(shard, line->site.at, line->site.length, !is_syslog);
	if (site != ESF_NO_SITE || (line->has_site && !is_syslog))
		return site;
	if (sender_site == ESF_ASK_SENDER)
		sender_site = esf_shard_sender_site(shard);
	return sender_site != ESF_NO_SITE ? sender_site : esf_shard_learn_sender(shard);
}

static void tally_line(
    struct esf_shard *shard, struct text_tally *tally, enum line_fate fate, uint32_t site_index)
{
	switch (fate) {
	case LINE_TAKEN:
		tally->taken++;
		count_site_datagram(shard, site_index, ESF_DATAGRAM_ACCEPTED);
		break;
	case LINE_MALFORMED:
		tally->malformed++;
		break;
	case LINE_UNKNOWN:
		tally->unknown++;
		break;
	case LINE_DUPLICATE:
		shard->refused_sites[tally->duplicates++] = site_index;
		break;
	case LINE_SHED:
		shard->refused_sites[ESF_LINES_MAX - ++tally->shed] = site_index;
		break;
	}
}

/* The first verdict that applies to a datagram of which no line was taken. */
static enum esf_datagram_verdict refused_verdict(const struct text_tally *tally)
{
	if (tally->unknown > 0)
		return ESF_DATAGRAM_UNKNOWN_SITE;
	if (tally->duplicates > 0)
		return ESF_DATAGRAM_DUPLICATE;
	return tally->shed > 0 ? ESF_DATAGRAM_SHED : ESF_DATAGRAM_MALFORMED;
}

/* The refused lines of an accepted datagram are records. */
static void count_refused_lines(struct esf_shard *shard, const struct text_tally *tally)
{
	count_records(shard, ESF_RECORD_MALFORMED, tally->malformed);
	count_records(shard, ESF_RECORD_UNKNOWN_SITE, tally->unknown);
	count_records(shard, ESF_RECORD_DUPLICATE, tally->duplicates);
	count_records(shard, ESF_RECORD_SHED, tally->shed);
	for (uint32_t i = 0; i < tally->duplicates; i++)
		count_site_line(shard, shard->refused_sites[i], ESF_RECORD_DUPLICATE);
	for (uint32_t i = 1; i <= tally->shed; i++)
		count_site_line(shard, shard->refused_sites[ESF_LINES_MAX - i], ESF_RECORD_SHED);
}

static void count_text_datagram(struct esf_shard *shard, const struct text_tally *tally)
{
	enum esf_datagram_verdict verdict;

	if (tally->taken > 0) {
		esf_shard_count_datagram(shard, ESF_DATAGRAM_ACCEPTED);
		count_refused_lines(shard, tally);
		return;
	}
	verdict = refused_verdict(tally);
	esf_shard_count_datagram(shard, verdict);
	for (uint32_t i = 0; verdict == ESF_DATAGRAM_DUPLICATE && i < tally->duplicates; i++)
		count_site_datagram(shard, shard->refused_sites[i], verdict);
	for (uint32_t i = 1; verdict == ESF_DATAGRAM_SHED && i <= tally->shed; i++)
		count_site_datagram(shard, shard->refused_sites[ESF_LINES_MAX - i], verdict);
}

void esf_shard_take_text(struct esf_shard *shard, const struct esf_listener *listener,
    const uint8_t *data, uint32_t size, uint32_t sender_site)
{
	struct text_tally tally = { 0 };
	struct esf_text_line line;

	shard->text_datagrams++;
	esf_text_start(shard->text, listener, data, size);
	while (esf_text_next(shard->text, &line)) {
		uint32_t site_index = ESF_NO_SITE;
		enum line_fate fate = take_line(shard, &line, sender_site, &site_index);

		tally_line(shard, &tally, fate, site_index);
	}
	count_text_datagram(shard, &tally);
}

/* One line of a datagram that another shard has judged: its records only. */
void esf_shard_take_text_line(struct esf_shard *shard, const struct esf_listener *listener,
    const uint8_t *data, uint32_t size, uint32_t sender_site)
{
	struct esf_text_line line;

	esf_text_start(shard->text, listener, data, size);
	while (esf_text_next(shard->text, &line))
		esf_shard_count_line(shard, &line, sender_site);
}

void esf_shard_count_line(
    struct esf_shard *shard, const struct esf_text_line *line, uint32_t sender_site)
{
	uint32_t site_index = ESF_NO_SITE;

	switch (take_line(shard, line, sender_site, &site_index)) {
	case LINE_TAKEN:
		count_site_datagram(shard, site_index, ESF_DATAGRAM_ACCEPTED);
		break;
	case LINE_MALFORMED:
		count_records(shard, ESF_RECORD_MALFORMED, 1);
		break;
	case LINE_UNKNOWN:
		count_records(shard, ESF_RECORD_UNKNOWN_SITE, 1);
		break;
	case LINE_DUPLICATE:
		count_records(shard, ESF_RECORD_DUPLICATE, 1);
		count_site_line(shard, site_index, ESF_RECORD_DUPLICATE);
		break;
	case LINE_SHED:
		count_records(shard, ESF_RECORD_SHED, 1);
		count_site_line(shard, site_index, ESF_RECORD_SHED);
		break;
	}
	shard->counted = true;
}

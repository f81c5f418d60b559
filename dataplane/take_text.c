/* SPDX-License-Identifier: Apache-2.0 */
#include "usual.h"

/*
 * Text lines of sites that this shard owns. A datagram is accepted when any of its lines is; only
 * then do its refused lines count as records, so they are tallied until the last line is seen.
 */

enum line_fate { LINE_TAKEN, LINE_MALFORMED, LINE_UNKNOWN, LINE_DUPLICATE, LINE_SHED };

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

uint64_t esf_shard_seek_meaning(
    struct esf_shard *shard, const struct esf_span *name, uint64_t *memory)
{
	uint32_t id;
	uint16_t rule = esf_names_intern(shard->names, name->at, name->length, &id);
	uint64_t meaning = (uint64_t)shard->rules_generation << ESF_MEANING_GENERATION_SHIFT |
	                   (uint64_t)id << ESF_MEANING_ID_SHIFT | rule;

	if (memory != NULL)
		*memory = meaning;
	return meaning;
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

	esf_shard_count_values(shard, site, esf_shard_message(shard, site, &message), 1);
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
		esf_shard_take_statsd(shard, site, &line->statsd, time);
	else if (line->format == ESF_LISTENER_SYSLOG)
		take_syslog(shard, site, &line->syslog, time);
	else
		esf_shard_take_influx(shard, site, &line->influx, time);
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
static inline bool is_shed(
    struct esf_shard *shard, uint32_t site_index, const struct esf_text_line *line)
{
	struct esf_site *site = &shard->plane->sites[site_index];

	if (site->asked != shard->text_datagrams) {
		site->asked = shard->text_datagrams;
		site->shed = !esf_shard_admit(
		    shard, site, line->format, line->format == ESF_LISTENER_SYSLOG);
	}
	return site->shed;
}

/* A host's name need not be a site's; a tag is there for nothing else. */
static __attribute__((noinline)) uint32_t seek_line_site(
    struct esf_shard *shard, const struct esf_text_line *line, uint32_t sender_site)
{
	bool is_syslog = line->format == ESF_LISTENER_SYSLOG;
	uint32_t site = ESF_NO_SITE;

	if (line->has_site)
		site = esf_shard_site_by_name(shard, line->site.at, line->site.length, !is_syslog);
	if (line->site_memory != NULL && esf_directory_is_named(shard->policy->directory, site,
	                                     line->site.at, line->site.length))
		*line->site_memory = (uint64_t)site << 32 | (uint32_t)shard->policy->revision;
	if (site != ESF_NO_SITE || (line->has_site && !is_syslog))
		return site;
	if (sender_site == ESF_ASK_SENDER)
		sender_site = esf_shard_sender_site(shard);
	return sender_site != ESF_NO_SITE ? sender_site : esf_shard_learn_sender(shard);
}

/* The name of a listed site means the same as long as the policy does. */
static inline uint32_t line_site(
    struct esf_shard *shard, const struct esf_text_line *line, uint32_t sender_site)
{
	if (line->has_site && line->site_memory != NULL &&
	    (uint32_t)*line->site_memory == (uint32_t)shard->policy->revision)
		return (uint32_t)(*line->site_memory >> 32);
	return seek_line_site(shard, line, sender_site);
}

uint32_t esf_shard_line_site(
    struct esf_shard *shard, const struct esf_text_line *line, uint32_t sender_site)
{
	return line_site(shard, line, sender_site);
}

/* A line that is no duplicate, of a known site. */
static inline enum line_fate take_new(
    struct esf_shard *shard, const struct esf_text_line *line, uint32_t site_index)
{
	if (is_shed(shard, site_index, line))
		return LINE_SHED;
	take_values(shard, &shard->plane->sites[site_index], line);
	return LINE_TAKEN;
}

static enum line_fate take_line(struct esf_shard *shard, const struct esf_text_line *line,
    uint32_t sender_site, uint32_t *site_index)
{
	if (line->malformed)
		return LINE_MALFORMED;
	*site_index = line_site(shard, line, sender_site);
	if (*site_index == ESF_NO_SITE)
		return LINE_UNKNOWN;
	if (is_duplicate(shard, *site_index, line))
		return LINE_DUPLICATE;
	return take_new(shard, line, *site_index);
}

static void tally_line(
    struct esf_shard *shard, struct esf_text_tally *tally, enum line_fate fate, uint32_t site_index)
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
static enum esf_datagram_verdict refused_verdict(const struct esf_text_tally *tally)
{
	if (tally->unknown > 0)
		return ESF_DATAGRAM_UNKNOWN_SITE;
	if (tally->duplicates > 0)
		return ESF_DATAGRAM_DUPLICATE;
	return tally->shed > 0 ? ESF_DATAGRAM_SHED : ESF_DATAGRAM_MALFORMED;
}

/* The refused lines of an accepted datagram are records. */
static void count_refused_lines(struct esf_shard *shard, const struct esf_text_tally *tally)
{
	esf_shard_count_records(shard, ESF_RECORD_MALFORMED, tally->malformed);
	esf_shard_count_records(shard, ESF_RECORD_UNKNOWN_SITE, tally->unknown);
	esf_shard_count_records(shard, ESF_RECORD_DUPLICATE, tally->duplicates);
	esf_shard_count_records(shard, ESF_RECORD_SHED, tally->shed);
	for (uint32_t i = 0; i < tally->duplicates; i++)
		count_site_line(shard, shard->refused_sites[i], ESF_RECORD_DUPLICATE);
	for (uint32_t i = 1; i <= tally->shed; i++)
		count_site_line(shard, shard->refused_sites[ESF_LINES_MAX - i], ESF_RECORD_SHED);
}

static void count_text_datagram(struct esf_shard *shard, const struct esf_text_tally *tally)
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

static void open_datagram(struct esf_shard *shard)
{
	if (shard->text_is_open)
		count_text_datagram(shard, &shard->tally);
	shard->text_is_open = true;
	shard->text_datagrams++;
	shard->tally = (struct esf_text_tally){ 0 };
}

static void take_ahead(struct esf_shard *shard)
{
	struct esf_text_ahead *ahead = &shard->ahead;

	for (uint32_t i = 0; i < ahead->lines_count; i++) {
		const struct esf_text_line *line = &ahead->lines[i].line;
		uint32_t site = ahead->lines[i].site;
		enum line_fate fate;

		if (ahead->lines[i].is_first)
			open_datagram(shard);
		if (site == ESF_NO_SITE)
			fate = LINE_UNKNOWN;
		else if (line->has_time &&
		         esf_lines_has_seen(shard->lines, ahead->lines[i].fingerprint, shard->now,
		             shard->policy->line_window_ns))
			fate = LINE_DUPLICATE;
		else
			fate = take_new(shard, line, site);
		tally_line(shard, &shard->tally, fate, site);
	}
	ahead->lines_count = 0;
	ahead->fields_count = 0;
}

/* Finds the line's site, and has fetched what its taking will ask for. */
static void prepare_line(struct esf_shard *shard, uint32_t index, uint32_t sender_site)
{
	const struct esf_text_line *line = &shard->ahead.lines[index].line;
	uint32_t site = line_site(shard, line, sender_site);

	shard->ahead.lines[index].site = site;
	if (site == ESF_NO_SITE)
		return;
	__builtin_prefetch(&shard->plane->sites[site]);
	__builtin_prefetch(&shard->plane->sites[site].storm);
	if (line->has_time)
		shard->ahead.lines[index].fingerprint =
		    esf_lines_prepare(shard->lines, site, line->raw.at, line->raw.length);
}

/* Reads ahead the lines that can be; whether the datagram's first is among them. */
static bool read_ahead(struct esf_shard *shard, uint32_t sender_site, bool is_first)
{
	struct esf_text_ahead *ahead = &shard->ahead;

	for (;; is_first = false) {
		uint32_t index = ahead->lines_count;
		struct esf_text_line *line = &ahead->lines[index].line;

		if (!esf_text_next_known(shard->text, ahead->fields + ahead->fields_count,
		        ESF_AHEAD_FIELDS - ahead->fields_count, line))
			return !is_first;
		ahead->fields_count += line->influx.fields_count;
		ahead->lines[index].is_first = is_first;
		prepare_line(shard, index, sender_site);
		if (++ahead->lines_count == ESF_AHEAD_LINES)
			take_ahead(shard);
	}
}

void esf_shard_read_text(struct esf_shard *shard, const struct esf_listener *listener,
    const uint8_t *data, uint32_t size, uint32_t sender_site)
{
	bool is_influx = listener->format == ESF_LISTENER_INFLUX, is_open = false;
	struct esf_text_line line;

	esf_text_start(shard->text, listener, data, size);
	for (;;) {
		uint32_t site_index = ESF_NO_SITE;
		enum line_fate fate;

		is_open = (is_influx && read_ahead(shard, sender_site, !is_open)) || is_open;
		if (is_open && esf_text_is_over(shard->text))
			return;
		take_ahead(shard);
		if (!is_open)
			open_datagram(shard);
		is_open = true;
		if (!esf_text_next(shard->text, &line))
			return;
		fate = take_line(shard, &line, sender_site, &site_index);
		tally_line(shard, &shard->tally, fate, site_index);
	}
}

void esf_shard_take_left(struct esf_shard *shard)
{
	take_ahead(shard);
	if (shard->text_is_open)
		count_text_datagram(shard, &shard->tally);
	shard->text_is_open = false;
}

void esf_shard_take_text(struct esf_shard *shard, const struct esf_listener *listener,
    const uint8_t *data, uint32_t size, uint32_t sender_site)
{
	esf_shard_read_text(shard, listener, data, size, sender_site);
	esf_shard_end_text(shard);
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
		esf_shard_count_records(shard, ESF_RECORD_MALFORMED, 1);
		break;
	case LINE_UNKNOWN:
		esf_shard_count_records(shard, ESF_RECORD_UNKNOWN_SITE, 1);
		break;
	case LINE_DUPLICATE:
		esf_shard_count_records(shard, ESF_RECORD_DUPLICATE, 1);
		count_site_line(shard, site_index, ESF_RECORD_DUPLICATE);
		break;
	case LINE_SHED:
		esf_shard_count_records(shard, ESF_RECORD_SHED, 1);
		count_site_line(shard, site_index, ESF_RECORD_SHED);
		break;
	}
	shard->counted = true;
}

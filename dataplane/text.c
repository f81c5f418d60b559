/* SPDX-License-Identifier: Apache-2.0 */
#include "text.h"

#include <stdlib.h>

struct esf_text {
	struct esf_influx *influx;
	struct esf_statsd *statsd;
	uint8_t format;          /* of the datagram at hand */
	struct esf_span message; /* syslog: the datagram, until it was given */
	bool given;
};

struct esf_text *esf_text_create(void)
{
	struct esf_text *text = calloc(1, sizeof(*text));

	if (text == NULL)
		return NULL;
	text->influx = esf_influx_create();
	text->statsd = esf_statsd_create();
	if (text->influx == NULL || text->statsd == NULL) {
		esf_text_destroy(text);
		return NULL;
	}
	return text;
}

void esf_text_destroy(struct esf_text *text)
{
	if (text == NULL)
		return;
	esf_influx_destroy(text->influx);
	esf_statsd_destroy(text->statsd);
	free(text);
}

void esf_text_start(
    struct esf_text *text, const struct esf_listener *listener, const uint8_t *data, uint32_t size)
{
	text->format = listener->format;
	text->message = (struct esf_span){ (const char *)data, size };
	text->given = false;
	if (listener->format == ESF_LISTENER_STATSD)
		esf_statsd_start(text->statsd, (const char *)data, size, listener->site_tag);
	else if (listener->format == ESF_LISTENER_INFLUX)
		esf_influx_start(text->influx, (const char *)data, size, listener->site_tag,
		    listener->precision_ns);
}

/* Part by part, as it was stored just now: a load of both together would wait until both stores are
 * done. */
static inline void copy_span(struct esf_span *to, const struct esf_span *from)
{
	to->at = from->at;
	to->length = from->length;
}

static inline void describe_influx(struct esf_text_line *line)
{
	line->malformed = line->influx.malformed;
	copy_span(&line->raw, &line->influx.raw);
	line->has_site = line->influx.has_site;
	copy_span(&line->site, &line->influx.site);
	line->site_memory = line->influx.site_memory;
	line->has_time = line->influx.has_time;
	line->time = line->influx.time;
}

static bool next_influx(struct esf_influx *parser, struct esf_text_line *line)
{
	if (!esf_influx_next(parser, &line->influx))
		return false;
	describe_influx(line);
	return true;
}

static bool next_statsd(struct esf_statsd *parser, struct esf_text_line *line)
{
	if (!esf_statsd_next(parser, &line->statsd))
		return false;
	line->malformed = line->statsd.malformed;
	copy_span(&line->raw, &line->statsd.raw);
	line->has_site = line->statsd.has_site;
	copy_span(&line->site, &line->statsd.site);
	line->site_memory = line->statsd.site_memory;
	line->has_time = line->statsd.has_time;
	line->time = line->statsd.time;
	return true;
}

static bool next_syslog(struct esf_text *text, struct esf_text_line *line)
{
	if (text->given)
		return false;
	text->given = true;
	esf_syslog_parse(text->message.at, text->message.length, &line->syslog);
	line->malformed = line->syslog.malformed;
	line->raw = text->message;
	line->has_site = line->syslog.hostname.length > 0;
	line->site = line->syslog.hostname;
	line->site_memory = NULL;
	line->has_time = line->syslog.has_time;
	line->time = line->syslog.time;
	return true;
}

bool esf_text_next(struct esf_text *text, struct esf_text_line *line)
{
	line->format = text->format;
	if (text->format == ESF_LISTENER_SYSLOG)
		return next_syslog(text, line);
	return text->format == ESF_LISTENER_STATSD ? next_statsd(text->statsd, line)
	                                           : next_influx(text->influx, line);
}

bool esf_text_next_known(struct esf_text *text, struct esf_influx_field *fields, uint32_t room,
    struct esf_text_line *line)
{
	if (!esf_influx_next_known(text->influx, fields, room, &line->influx))
		return false;
	line->format = ESF_LISTENER_INFLUX;
	describe_influx(line);
	return true;
}

bool esf_text_is_over(const struct esf_text *text)
{
	return text->format == ESF_LISTENER_INFLUX && esf_influx_is_over(text->influx);
}

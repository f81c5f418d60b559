/* SPDX-License-Identifier: Apache-2.0 */
#include "statsd.h"

#include <assert.h>
#include <locale.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "influx_number.h"
#include "statsd_known.h"

/*
 * What the DogStatsD agent accepts is accepted, and so is statsd's line of several groups, with
 * these differences, all on purpose:
 * - a rate beyond (0, 1] is refused; the agent takes any number, statsd any that is not negative
 * - numbers are decimal; the agent also reads hexadecimal ones, statsd blanks around them
 * - an unknown type is refused; statsd counts it
 * - names are left as sent and bounded by ESF_RAW_NAME_MAX; statsd rewrites blanks and slashes
 * - one bad value refuses its line; statsd refuses that value alone
 * - a metric's name may begin with `_sc`; the agent takes all of these for service checks
 *
 * Each byte is looked at a fixed number of times, so the work is linear in the datagram's size.
 */
struct esf_statsd {
	const char *at;
	const char *end;
	const char *site_tag;
	uint32_t site_tag_length;
	uint32_t values_count;
	struct esf_statsd_known *known;
	locale_t c_locale;
	struct esf_statsd_value values[ESF_STATSD_VALUES_MAX];
};

/* The shortest line of most values is `n:1:1:...:1|c`. */
static_assert((ESF_DATAGRAM_MAX - 3) / 2 <= ESF_STATSD_VALUES_MAX, "a line's values fit");

struct esf_statsd *esf_statsd_create(void)
{
	struct esf_statsd *parser = calloc(1, sizeof(*parser));

	if (parser == NULL)
		return NULL;
	parser->c_locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);
	parser->known = esf_statsd_known_create();
	if (parser->c_locale == (locale_t)0 || parser->known == NULL) {
		esf_statsd_destroy(parser);
		return NULL;
	}
	return parser;
}

void esf_statsd_destroy(struct esf_statsd *parser)
{
	if (parser == NULL)
		return;
	if (parser->c_locale != (locale_t)0)
		freelocale(parser->c_locale);
	esf_statsd_known_destroy(parser->known);
	free(parser);
}

void esf_statsd_start(
    struct esf_statsd *parser, const char *data, uint32_t size, const char *site_tag)
{
	assert(size <= ESF_DATAGRAM_MAX);
	parser->at = data;
	parser->end = data + size;
	parser->site_tag = site_tag;
	parser->site_tag_length = (uint32_t)strlen(site_tag);
	esf_statsd_known_start(parser->known, data, size, site_tag, parser->site_tag_length);
}

static const char *find(const char *at, const char *end, char byte)
{
	const char *found = memchr(at, byte, (size_t)(end - at));

	return found != NULL ? found : end;
}

/* Behind the byte at `at`, or end. */
static const char *skip(const char *at, const char *end)
{
	return at < end ? at + 1 : end;
}

static bool begins(const char *at, const char *end, const char *prefix)
{
	size_t length = strlen(prefix);

	return (size_t)(end - at) >= length && memcmp(at, prefix, length) == 0;
}

static bool equals(const char *at, const char *end, const char *text)
{
	return (size_t)(end - at) == strlen(text) && begins(at, end, text);
}

/* Where the digits at `at` end; NULL when there are none or they overflow. */
static const char *read_digits(const char *at, const char *end, int64_t *value)
{
	const char *start = at;
	int64_t sum = 0;

	for (; at < end && *at >= '0' && *at <= '9'; at++) {
		if (__builtin_mul_overflow(sum, 10, &sum) ||
		    __builtin_add_overflow(sum, *at - '0', &sum))
			return NULL;
	}
	*value = sum;
	return at > start ? at : NULL;
}

/* A decimal without a sign that fills the span; the line protocol's integer suffixes are none. */
static bool read_decimal(
    const struct esf_statsd *parser, const char *at, const char *end, double *value)
{
	if (at == end || *at == '-' || end[-1] == 'i' || end[-1] == 'u')
		return false;
	return esf_influx_number_parse(at, end, parser->c_locale, value) == end;
}

/* The spellings of what is not finite, which the caller is to refuse by that name. */
static bool read_word(
    const struct esf_statsd *parser, const char *at, const char *end, double *value)
{
	static const struct {
		const char *text;
		double value;
	} words[] = { { "nan", NAN }, { "inf", INFINITY }, { "infinity", INFINITY } };
	size_t size = (size_t)(end - at);

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (strlen(words[i].text) == size &&
		    strncasecmp_l(at, words[i].text, size, parser->c_locale) == 0) {
			*value = words[i].value;
			return true;
		}
	}
	return false;
}

static bool read_value(const struct esf_statsd *parser, const char *at, const char *end,
    struct esf_statsd_value *value)
{
	bool negative = *at == '-';
	bool is_signed = negative || *at == '+';

	at += is_signed;
	if (!read_decimal(parser, at, end, &value->value) &&
	    !read_word(parser, at, end, &value->value))
		return false;
	if (negative)
		value->value = -value->value;
	value->is_number = true;
	value->delta = is_signed && value->type == ESF_STATSD_GAUGE;
	return true;
}

static struct esf_statsd_value *add_value(struct esf_statsd *parser, enum esf_statsd_type type)
{
	struct esf_statsd_value *value = &parser->values[parser->values_count++];

	assert(parser->values_count <= ESF_STATSD_VALUES_MAX);
	*value = (struct esf_statsd_value){ .type = type, .rate = 1 };
	return value;
}

/* value[:value...] that fills the span; a set's member may hold colons. */
static bool read_values(
    struct esf_statsd *parser, const char *at, const char *end, enum esf_statsd_type type)
{
	uint32_t before = parser->values_count;

	if (type == ESF_STATSD_SET && at < end) {
		add_value(parser, type);
		return true;
	}
	while (at < end) {
		const char *stop = find(at, end, ':');

		if (stop > at && !read_value(parser, at, stop, add_value(parser, type)))
			return false;
		at = skip(stop, end);
	}
	return parser->values_count > before;
}

static bool read_type(const char *at, const char *end, enum esf_statsd_type *type)
{
	static const struct {
		const char *text;
		enum esf_statsd_type type;
	} types[] = { { "c", ESF_STATSD_COUNTER }, { "g", ESF_STATSD_GAUGE },
		{ "ms", ESF_STATSD_TIMER }, { "h", ESF_STATSD_TIMER }, { "d", ESF_STATSD_TIMER },
		{ "s", ESF_STATSD_SET } };

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		if (equals(at, end, types[i].text)) {
			*type = types[i].type;
			return true;
		}
	}
	return false;
}

static bool read_rate(
    const struct esf_statsd *parser, const char *at, const char *end, double *rate)
{
	return read_decimal(parser, at, end, rate) && *rate > 0 && *rate <= 1;
}

static bool read_time(const char *at, const char *end, struct esf_statsd_line *line)
{
	int64_t seconds = 0;

	if (read_digits(at, end, &seconds) != end || seconds == 0)
		return false;
	line->has_time = true;
	return !__builtin_mul_overflow(seconds, INT64_C(1000000000), &line->time);
}

static bool read_tags(
    const struct esf_statsd *parser, const char *at, const char *end, struct esf_statsd_line *line)
{
	while (at < end && !line->has_site) {
		const char *stop = find(at, end, ',');
		const char *colon = find(at, stop, ':');

		if (colon < stop && equals(at, colon, parser->site_tag)) {
			line->has_site = true;
			line->site.at = colon + 1;
			line->site.length = (uint32_t)(stop - line->site.at);
			return line->site.length > 0;
		}
		at = skip(stop, end);
	}
	return true;
}

/* One section of a group; where it ends (end, a bar, or a colon behind a rate), NULL when
 * malformed. */
static const char *read_section(const struct esf_statsd *parser, const char *at, const char *end,
    struct esf_statsd_line *line, double *rate)
{
	const char *stop = find(at, end, '|');

	if (begins(at, stop, "@")) {
		stop = find(at, stop, ':');
		return read_rate(parser, at + 1, stop, rate) ? stop : NULL;
	}
	if (begins(at, stop, "#"))
		return read_tags(parser, at + 1, stop, line) ? stop : NULL;
	if (begins(at, stop, "T"))
		return read_time(at + 1, stop, line) ? stop : NULL;
	return stop;
}

/* One group; where it ends (end or the colon before the next), NULL when malformed. */
static const char *read_group(
    struct esf_statsd *parser, const char *values, const char *end, struct esf_statsd_line *line)
{
	const char *bar = find(values, end, '|');
	const char *at = skip(bar, end);
	uint32_t first = parser->values_count;
	enum esf_statsd_type type;
	double rate = 1;

	while (at < end && *at != '|' && *at != ':')
		at++;
	if (!read_type(skip(bar, end), at, &type) || !read_values(parser, values, bar, type))
		return NULL;
	while (at != NULL && at < end && *at == '|')
		at = read_section(parser, at + 1, end, line, &rate);
	for (uint32_t i = first; i < parser->values_count; i++)
		parser->values[i].rate = rate;
	return at;
}

static bool read_metric(
    struct esf_statsd *parser, const char *at, const char *end, struct esf_statsd_line *line)
{
	const char *colon = find(at, end, ':');

	line->name.at = at;
	line->name.length = (uint32_t)(colon - at);
	if (colon == end || colon == at || line->name.length > ESF_RAW_NAME_MAX ||
	    find(at, colon, '|') < colon)
		return false;
	at = colon;
	while (at != NULL && at < end)
		at = read_group(parser, at + 1, end, line);
	return at != NULL;
}

/* What follows an event's text and a check's status: |d:seconds, |#tags and others. */
static bool read_details(
    const struct esf_statsd *parser, const char *at, const char *end, struct esf_statsd_line *line)
{
	while (at < end) {
		const char *stop;

		if (*at++ != '|')
			return false;
		stop = find(at, end, '|');
		if (begins(at, stop, "#") && !read_tags(parser, at + 1, stop, line))
			return false;
		if (begins(at, stop, "d:") && !read_time(at + 2, stop, line))
			return false;
		at = stop;
	}
	return true;
}

/* Behind `_e{`. The sizes are bytes; a title and a text may hold bars. */
static bool read_event(
    struct esf_statsd *parser, const char *at, const char *end, struct esf_statsd_line *line)
{
	int64_t title_size;
	int64_t text_size;

	add_value(parser, ESF_STATSD_EVENT);
	at = read_digits(at, end, &title_size);
	if (at == NULL || !begins(at, end, ","))
		return false;
	at = read_digits(at + 1, end, &text_size);
	if (at == NULL || !begins(at, end, "}:"))
		return false;
	at += 2;
	if (title_size == 0 || title_size >= end - at || at[title_size] != '|' ||
	    text_size > end - at - title_size - 1)
		return false;
	return read_details(parser, at + title_size + 1 + text_size, end, line);
}

/* Behind `_sc|`. */
static bool read_check(
    struct esf_statsd *parser, const char *at, const char *end, struct esf_statsd_line *line)
{
	const char *bar = find(at, end, '|');
	const char *status = skip(bar, end);

	add_value(parser, ESF_STATSD_CHECK);
	if (bar == at || status == end || *status < '0' || *status > '3')
		return false;
	return read_details(parser, status + 1, end, line);
}

static bool read_line(
    struct esf_statsd *parser, const char *at, const char *end, struct esf_statsd_line *line)
{
	if (begins(at, end, "_e{"))
		return read_event(parser, at + 3, end, line);
	if (begins(at, end, "_sc|"))
		return read_check(parser, at + 4, end, line);
	return read_metric(parser, at, end, line);
}

static __attribute__((noinline)) bool read_any(
    struct esf_statsd *parser, struct esf_statsd_line *line)
{
	while (parser->at < parser->end) {
		const char *at = parser->at;
		const char *end = find(at, parser->end, '\n');

		parser->at = skip(end, parser->end);
		while (end > at && end[-1] == '\r')
			end--;
		if (end == at)
			continue;
		parser->values_count = 0;
		*line = (struct esf_statsd_line){ .raw = { at, (uint32_t)(end - at) } };
		line->malformed = !read_line(parser, at, end, line);
		line->values_count = parser->values_count;
		line->values = parser->values;
		if (!line->malformed)
			esf_statsd_known_learn(parser->known, line);
		return true;
	}
	return false;
}

bool esf_statsd_next(struct esf_statsd *parser, struct esf_statsd_line *line)
{
	const char *next = esf_statsd_known_read(parser->known, parser->at, parser->values, line);

	if (next == NULL)
		return read_any(parser, line);
	parser->at = next;
	return true;
}

void esf_statsd_forget(struct esf_statsd *parser)
{
	esf_statsd_known_forget(parser->known);
}

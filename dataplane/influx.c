/* SPDX-License-Identifier: Apache-2.0 */
#include "influx.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "digits.h"
#include "influx_fields.h"
#include "influx_known.h"
#include "influx_tags.h"
#include "influx_text.h"

/*
 * What is accepted and refused is what InfluxDB 1.x's models.ParsePoints accepts and refuses,
 * quirks included, with these differences, all on purpose:
 * - a \r before the newline belongs to the end of the line; InfluxDB refuses such a line
 * - a comment ends at its newline, as published; InfluxDB lets a quote or a backslash carry it on
 * - a quote that never closes costs its line; InfluxDB gives up the rest of the datagram
 * - unsigned integers are taken; InfluxDB 1.x takes them only when built to
 * - a field with an empty key, which InfluxDB accepts behind a tab and then skips, is malformed
 * - names are bounded by ESF_RAW_NAME_MAX
 * - `time` is a field or a tag as any other; InfluxDB keeps the name for itself
 * - each field of each line counts; of one name, series and time InfluxDB keeps the last
 * tests/e2e/influx_peer.py holds this against a real one.
 *
 * The work is linear in the size of the datagram. A newline ends the line unless a backslash or a
 * quote stands before it, and where the next of each stands is remembered from line to line. A
 * quote that never closes is searched for to the end of the datagram once: behind it no unescaped
 * quote is left to open another.
 */
struct esf_influx {
	const char *at;
	const char *end;
	const char *quote; /* first one at or behind the line's start; end when none is; NULL: not
	                      looked for */
	const char *backslash; /* likewise */
	const char *site_tag;
	uint32_t site_tag_length;
	int64_t precision_ns;
	struct esf_influx_known *known;
	struct esf_influx_fields fields;
	struct esf_influx_tags tags;
	char site[ESF_DATAGRAM_MAX]; /* where a site's name is unescaped to */
};

struct esf_influx *esf_influx_create(void)
{
	struct esf_influx *parser = calloc(1, sizeof(*parser));

	if (parser == NULL)
		return NULL;
	if (esf_influx_fields_init(&parser->fields) == 0)
		parser->known = esf_influx_known_create(parser->fields.c_locale);
	if (parser->known == NULL) {
		esf_influx_destroy(parser);
		return NULL;
	}
	return parser;
}

void esf_influx_destroy(struct esf_influx *parser)
{
	if (parser == NULL)
		return;
	esf_influx_known_destroy(parser->known);
	esf_influx_fields_fini(&parser->fields);
	free(parser);
}

void esf_influx_start(struct esf_influx *parser, const char *data, uint32_t size,
    const char *site_tag, int64_t precision_ns)
{
	assert(size <= ESF_DATAGRAM_MAX);
	parser->at = data;
	parser->end = data + size;
	parser->quote = NULL;
	parser->backslash = NULL;
	parser->site_tag = site_tag;
	parser->site_tag_length = (uint32_t)strlen(site_tag);
	parser->precision_ns = precision_ns;
	esf_influx_known_start(parser->known, data, size, site_tag, parser->site_tag_length);
}

/* First newline that no backslash escapes; end when there is none. */
static const char *find_unescaped_newline(const char *at, const char *end)
{
	while (at < end && *at != '\n')
		at += *at == '\\' && at + 1 < end ? 2 : 1;
	return at;
}

/*
 * End of a line that holds a backslash or a quote. A quote counts only behind the line's first
 * space and in a value, that is behind more equals signs than commas.
 */
static const char *find_quoted_end(const char *at, const char *end)
{
	const char *opened = NULL;
	uint32_t equals_count = 0;
	uint32_t commas_count = 0;
	bool spaced = false;

	for (; at < end; at++) {
		if (*at == '\\' && at + 1 < end)
			at++;
		else if (*at == '"' && spaced && equals_count > commas_count)
			opened = opened == NULL ? at : NULL;
		else if (opened != NULL)
			continue;
		else if (*at == '\n')
			break;
		else if (*at == ' ')
			spaced = true;
		else if (spaced) {
			equals_count += *at == '=';
			commas_count += *at == ',';
		}
	}
	return opened != NULL ? find_unescaped_newline(opened, end) : at;
}

/* Takes the next line off the datagram; false at the end. */
static bool take_line(struct esf_influx *parser, struct esf_span *raw)
{
	const char *start = parser->at;
	const char *end;
	const char *next;

	if (start == parser->end)
		return false;
	if (parser->quote == NULL || parser->quote < start)
		parser->quote = esf_influx_find(start, parser->end, '"');
	if (parser->backslash == NULL || parser->backslash < start)
		parser->backslash = esf_influx_find(start, parser->end, '\\');
	end = esf_influx_find(start, parser->end, '\n');
	next = esf_influx_skip_blanks(start, end);
	if ((parser->quote < end || parser->backslash < end) && *next != '#')
		end = find_quoted_end(start, parser->end);
	next = end;
	if (end < parser->end) {
		next = end + 1;
		if (end > start && end[-1] == '\r')
			end--;
	}
	/* Escaped, or it would have ended the line; at the very end it is the line's all the same.
	 */
	if (end > start && end[-1] == '\n')
		end--;
	parser->at = next;
	raw->at = start;
	raw->length = (uint32_t)(end - start);
	return true;
}

/*
 * First byte behind start of one of the classes that no backslash stands before, or end. What is
 * escaped in turn does not matter: in `\\,` the comma is escaped.
 */
static const char *find_delimiter(const char *start, const char *end, unsigned classes)
{
	const char *at = esf_influx_find_delimiter(start + 1, end);

	while (at < end && (!esf_influx_is(*at, classes) || at[-1] == '\\'))
		at = esf_influx_find_delimiter(at + 1, end);
	return at < end ? at : end;
}

/* Whether a backslash stands in the line at hand before `at`. */
static bool escaped_before(const struct esf_influx *parser, const char *at)
{
	return parser->backslash < at;
}

/* Reads the measurement into the prefix of the raw names; where it ends, NULL when malformed. */
static const char *read_measurement(struct esf_influx *parser, const char *at, const char *end)
{
	struct esf_influx_fields *fields = &parser->fields;
	const char *start = at;
	uint32_t room = ESF_RAW_NAME_MAX - 1;
	uint32_t length;

	if (*at == ',')
		return NULL;
	at = find_delimiter(at, end, ESF_INFLUX_SEPARATOR);
	if (at == end)
		return NULL;
	length = (uint32_t)(at - start);
	if (escaped_before(parser, at))
		length = esf_influx_unescape(
		    fields->prefix, room, start, length, ESF_INFLUX_MEASUREMENT_ESCAPE);
	else if (length <= room)
		memcpy(fields->prefix, start, length);
	if (length > room)
		return NULL;
	fields->prefix[length] = '.';
	fields->prefix_length = length + 1;
	return at;
}

static bool is_site_tag(const struct esf_influx *parser, struct esf_span key)
{
	const char *name = parser->site_tag;
	uint32_t length = parser->site_tag_length;
	uint32_t matched = 0;

	if (!escaped_before(parser, key.at + key.length))
		return key.length == length && memcmp(key.at, name, length) == 0;
	for (uint32_t i = 0; i < key.length; i++, matched++) {
		if (key.at[i] == '\\' && i + 1 < key.length &&
		    esf_influx_is(key.at[i + 1], ESF_INFLUX_TAG_ESCAPE))
			i++;
		if (matched == length || key.at[i] != name[matched])
			return false;
	}
	return matched == length;
}

static void set_site(struct esf_influx *parser, struct esf_span value, struct esf_influx_line *line)
{
	line->has_site = true;
	line->site = value;
	if (!escaped_before(parser, value.at + value.length))
		return;
	line->site.at = parser->site;
	line->site.length = esf_influx_unescape(
	    parser->site, sizeof(parser->site), value.at, value.length, ESF_INFLUX_TAG_ESCAPE);
}

/* One tag; where it ends (a comma or a space), NULL when malformed. */
static const char *read_tag(
    struct esf_influx *parser, const char *at, const char *end, struct esf_influx_line *line)
{
	const unsigned delimiters = ESF_INFLUX_SEPARATOR | ESF_INFLUX_EQUALS;
	struct esf_span key = { .at = at };
	struct esf_span value;

	if (at == end || esf_influx_is(*at, delimiters))
		return NULL;
	at = find_delimiter(at, end, delimiters);
	if (at == end || *at != '=')
		return NULL;
	key.length = (uint32_t)(at - key.at);
	value.at = ++at;
	if (at == end || esf_influx_is(*at, ESF_INFLUX_SEPARATOR))
		return NULL;
	at = find_delimiter(at, end, delimiters);
	if (at == end || *at == '=')
		return NULL;
	value.length = (uint32_t)(at - value.at);
	if (!line->has_site && is_site_tag(parser, key))
		set_site(parser, value, line);
	return esf_influx_tags_add(&parser->tags, key) ? at : NULL;
}

static const char *read_tags(
    struct esf_influx *parser, const char *at, const char *end, struct esf_influx_line *line)
{
	esf_influx_tags_clear(&parser->tags);
	while (at != NULL && *at == ',')
		at = read_tag(parser, at + 1, end, line);
	return at != NULL && esf_influx_tags_differ(&parser->tags) ? at : NULL;
}

/* [-]digits at `at`, then nothing but spaces. */
static bool read_integer(const char *at, const char *end, int64_t *value)
{
	bool negative = *at == '-';
	const char *start = at + negative, *digits;
	uint64_t sum = 0;

	at = start;
	/* Zeros before a number that fits can make it too long. */
	while (end - at > ESF_DIGITS_FIT && *at == '0')
		at++;
	digits = at;
	at = esf_digits_read(digits, end, &sum);
	if (at == start || at - digits > ESF_DIGITS_FIT || sum > INT64_MAX)
		return false;
	while (at < end && *at == ' ')
		at++;
	*value = negative ? -(int64_t)sum : (int64_t)sum;
	return at == end;
}

static bool read_time(
    const struct esf_influx *parser, const char *at, const char *end, struct esf_influx_line *line)
{
	int64_t time;

	at = esf_influx_skip_blanks(at, end);
	/* InfluxDB looks no further when a newline, which only an escape can bring here, comes
	 * first. */
	if (at == end || *at == '\n')
		return true;
	if (!read_integer(at, end, &time) ||
	    __builtin_mul_overflow(time, parser->precision_ns, &time))
		return false;
	/* InfluxDB keeps the outermost values for itself. */
	if (time < INT64_MIN + 2 || time > INT64_MAX - 1)
		return false;
	line->has_time = true;
	line->time = time;
	return true;
}

static bool read_line(
    struct esf_influx *parser, const char *at, const char *end, struct esf_influx_line *line)
{
	bool escaped = escaped_before(parser, end);

	at = read_measurement(parser, at, end);
	if (at != NULL)
		at = read_tags(parser, at, end, line);
	if (at == NULL)
		return false;
	at = esf_influx_skip_blanks(at, end);
	at = esf_influx_fields_parse(&parser->fields, at, end, escaped);
	if (at == NULL)
		return false;
	line->fields_count = parser->fields.count;
	line->fields = parser->fields.entries;
	return read_time(parser, at, end, line);
}

/* A line that begins with its measurement and holds no escape and no string. */
static bool is_plain(const struct esf_influx *parser, const struct esf_influx_line *line)
{
	const char *end = line->raw.at + line->raw.length;

	return !line->malformed && parser->quote >= end && parser->backslash >= end &&
	       !esf_influx_is(*line->raw.at, ESF_INFLUX_BLANK);
}

static __attribute__((noinline)) bool read_any(
    struct esf_influx *parser, struct esf_influx_line *line)
{
	struct esf_span raw;

	while (take_line(parser, &raw)) {
		const char *end = raw.at + raw.length;
		const char *at = esf_influx_skip_blanks(raw.at, end);

		if (at == end || *at == '#')
			continue;
		*line = (struct esf_influx_line){ .raw = raw };
		line->malformed = !read_line(parser, at, end, line);
		if (is_plain(parser, line))
			esf_influx_known_learn(
			    parser->known, line, parser->fields.prefix_length - 1);
		return true;
	}
	return false;
}

bool esf_influx_next_known(struct esf_influx *parser, struct esf_influx_field *fields,
    uint32_t room, struct esf_influx_line *line)
{
	const char *next = esf_influx_known_read(
	    parser->known, parser->at, parser->precision_ns, fields, room, line);

	if (next == NULL)
		return false;
	parser->at = next;
	return true;
}

bool esf_influx_next(struct esf_influx *parser, struct esf_influx_line *line)
{
	return esf_influx_next_known(parser, parser->fields.entries, ESF_INFLUX_FIELDS_MAX, line) ||
	       read_any(parser, line);
}

bool esf_influx_is_over(const struct esf_influx *parser)
{
	return parser->at == parser->end;
}

void esf_influx_forget(struct esf_influx *parser)
{
	esf_influx_known_forget(parser->known);
}

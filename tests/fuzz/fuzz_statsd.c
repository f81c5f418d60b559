/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/statsd.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What must hold for any bytes; a breach aborts. */
static void require(bool holds)
{
	if (!holds)
		abort();
}

static bool within(struct esf_span inner, struct esf_span outer)
{
	return inner.at >= outer.at && inner.at + inner.length <= outer.at + outer.length;
}

static void check_value(const struct esf_statsd_line *line, const struct esf_statsd_value *value)
{
	bool is_metric = value->type != ESF_STATSD_EVENT && value->type != ESF_STATSD_CHECK;

	require(value->type <= ESF_STATSD_CHECK);
	require(is_metric == (line->name.length > 0));
	require(is_metric || line->values_count == 1);
	require(value->is_number == (value->type < ESF_STATSD_SET));
	require(value->is_number || value->value == 0);
	require(!value->delta || value->type == ESF_STATSD_GAUGE);
	require(value->type != ESF_STATSD_GAUGE || value->delta || !(value->value < 0));
	require(value->rate > 0 && value->rate <= 1);
}

static void check_line(const struct esf_statsd_line *line, struct esf_span datagram)
{
	require(line->raw.length > 0 && within(line->raw, datagram));
	require(memchr(line->raw.at, '\n', line->raw.length) == NULL);
	if (line->malformed)
		return;
	require(line->values_count > 0 && line->values_count <= ESF_STATSD_VALUES_MAX);
	for (uint32_t i = 0; i < line->values_count; i++)
		check_value(line, &line->values[i]);
	if (line->name.length > 0) {
		require(line->name.at == line->raw.at && line->name.length <= ESF_RAW_NAME_MAX);
		require(line->name.at[line->name.length] == ':');
		require(memchr(line->name.at, ':', line->name.length) == NULL);
		require(memchr(line->name.at, '|', line->name.length) == NULL);
	}
	if (line->has_site) {
		require(line->site.length > 0 && within(line->site, line->raw));
		require(memcmp(line->site.at - 5, "site:", 5) == 0);
		require(memchr(line->site.at, ',', line->site.length) == NULL);
		require(memchr(line->site.at, '|', line->site.length) == NULL);
	}
	require(!line->has_time || (line->time > 0 && line->time % 1000000000 == 0));
}

static bool spans_equal(struct esf_span a, struct esf_span b)
{
	return a.length == b.length && (a.length == 0 || memcmp(a.at, b.at, a.length) == 0);
}

static void check_equal(const struct esf_statsd_line *a, const struct esf_statsd_line *b)
{
	require(spans_equal(a->raw, b->raw) && a->malformed == b->malformed);
	if (a->malformed)
		return;
	require(spans_equal(a->name, b->name));
	require(a->has_site == b->has_site && spans_equal(a->site, b->site));
	require(a->has_time == b->has_time && a->time == b->time);
	require(a->values_count == b->values_count);
	for (uint32_t i = 0; i < a->values_count; i++) {
		require(a->values[i].type == b->values[i].type);
		require(a->values[i].delta == b->values[i].delta);
		require(a->values[i].rate == b->values[i].rate);
		require(memcmp(&a->values[i].value, &b->values[i].value, sizeof(double)) == 0);
	}
}

/* A line by itself reads as it did in its datagram, whatever was read before. */
static void check_alone(struct esf_statsd *parser, const struct esf_statsd_line *line)
{
	char *copy = malloc(line->raw.length);
	struct esf_statsd_line alone;

	require(copy != NULL);
	memcpy(copy, line->raw.at, line->raw.length);
	esf_statsd_forget(parser);
	esf_statsd_start(parser, copy, line->raw.length, "site");
	require(esf_statsd_next(parser, &alone));
	check_equal(line, &alone);
	require(!esf_statsd_next(parser, &alone));
	free(copy);
}

/* As one that has read it just now does, too. */
static void check_datagram(struct esf_statsd *const *parsers, struct esf_span left)
{
	struct esf_statsd_line line;

	esf_statsd_start(parsers[0], left.at, left.length, "site");
	while (esf_statsd_next(parsers[0], &line)) {
		check_line(&line, left);
		left.length -= (uint32_t)(line.raw.at + line.raw.length - left.at);
		left.at = line.raw.at + line.raw.length;
		check_alone(parsers[1], &line);
	}
	for (; left.length > 0; left.at++, left.length--)
		require(*left.at == '\n' || *left.at == '\r');
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct esf_statsd *parsers[2];
	struct esf_span datagram = { (const char *)data, (uint32_t)size };

	for (int i = 0; i < 2 && parsers[i] == NULL; i++)
		parsers[i] = esf_statsd_create();
	if (size > ESF_DATAGRAM_MAX)
		return 0;
	check_datagram(parsers, datagram);
	check_datagram(parsers, datagram);
	return 0;
}

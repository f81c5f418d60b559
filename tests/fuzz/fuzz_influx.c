/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/influx.h"

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

static void check_line(const struct esf_influx_line *line)
{
	if (line->malformed)
		return;
	require(line->fields_count > 0 && line->fields_count <= ESF_INFLUX_FIELDS_MAX);
	require(!line->has_site || line->site.length > 0);
	for (uint32_t i = 0; i < line->fields_count; i++) {
		const struct esf_influx_field *field = &line->fields[i];

		require(field->name.length >= 3 && field->name.length <= ESF_RAW_NAME_MAX);
		require(memchr(field->name.at, '.', field->name.length) != NULL);
		require(isfinite(field->value));
	}
}

static bool spans_equal(struct esf_span a, struct esf_span b)
{
	return a.length == b.length && (a.length == 0 || memcmp(a.at, b.at, a.length) == 0);
}

static void check_equal(const struct esf_influx_line *a, const struct esf_influx_line *b)
{
	require(spans_equal(a->raw, b->raw) && a->malformed == b->malformed);
	if (a->malformed)
		return;
	require(a->has_site == b->has_site && spans_equal(a->site, b->site));
	require(a->has_time == b->has_time && a->time == b->time);
	require(a->fields_count == b->fields_count);
	for (uint32_t i = 0; i < a->fields_count; i++) {
		require(spans_equal(a->fields[i].name, b->fields[i].name));
		require(a->fields[i].type == b->fields[i].type);
		require(memcmp(&a->fields[i].value, &b->fields[i].value, sizeof(double)) == 0);
	}
}

/* A line by itself reads as it did in its datagram, whatever was read before. */
static void check_alone(struct esf_influx *parser, const struct esf_influx_line *line)
{
	char *copy = malloc(line->raw.length);
	struct esf_influx_line alone;

	require(copy != NULL);
	memcpy(copy, line->raw.at, line->raw.length);
	esf_influx_forget(parser);
	esf_influx_start(parser, copy, line->raw.length, "site", 1);
	require(esf_influx_next(parser, &alone));
	check_equal(line, &alone);
	require(!esf_influx_next(parser, &alone));
	free(copy);
}

/* As the one that read it, one that has read it just now, and one that knows nothing. */
static void check_datagram(struct esf_influx *const *parsers, const char *data, uint32_t size)
{
	const char *behind = data;
	struct esf_influx_line line;
	struct esf_influx_line again;

	esf_influx_start(parsers[0], data, size, "site", 1);
	esf_influx_start(parsers[1], data, size, "site", 1);
	while (esf_influx_next(parsers[0], &line)) {
		require(line.raw.length > 0 && line.raw.at >= behind);
		behind = line.raw.at + line.raw.length;
		require(behind <= data + size);
		check_line(&line);
		require(esf_influx_next(parsers[1], &again) && again.raw.at == line.raw.at);
		check_equal(&line, &again);
		check_alone(parsers[2], &line);
	}
	require(!esf_influx_next(parsers[1], &again));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct esf_influx *parsers[3];

	for (int i = 0; i < 3 && parsers[i] == NULL; i++)
		parsers[i] = esf_influx_create();
	if (size > ESF_DATAGRAM_MAX)
		return 0;
	check_datagram(parsers, (const char *)data, (uint32_t)size);
	check_datagram(parsers, (const char *)data, (uint32_t)size);
	return 0;
}

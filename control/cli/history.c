/* SPDX-License-Identifier: Apache-2.0 */
#include "control/cli/commands.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "control/cli/field.h"
#include "control/cli/sparkline.h"
#include "control/cli/text.h"

/* fleetctl history SCOPE KPI: what was, as a line and as a table. */

enum { WORD_SCOPE, WORD_KPI, ROWS_DEFAULT = 20, ROWS_MAX = 10000, PATH_SIZE = 1024 };

#define NS_PER_S INT64_C(1000000000)

/* "90m" in ns; 0 after saying what is wrong. */
static int64_t read_last(const char *text)
{
	static const struct {
		char unit;
		int64_t s;
	} units[] = { { 's', 1 }, { 'm', 60 }, { 'h', 3600 }, { 'd', 86400 } };
	char *end;
	long value;

	errno = 0;
	value = strtol(text, &end, 10);
	for (size_t i = 0; i < 4; i++)
		if (errno == 0 && text[0] >= '0' && text[0] <= '9' && value > 0 &&
		    value <= 100000 && end[0] == units[i].unit && end[1] == '\0')
			return value * units[i].s * NS_PER_S;
	fprintf(stderr, "fleetctl: --last: got \"%s\", want a time as 90m, 24h or 7d\n", text);
	return 0;
}

static int read_rows(const char *text, size_t *out)
{
	char *end;
	unsigned long value;

	*out = ROWS_DEFAULT;
	if (text == NULL)
		return 0;
	errno = 0;
	value = strtoul(text, &end, 10);
	if (errno == 0 && text[0] >= '0' && text[0] <= '9' && *end == '\0' && value >= 1 &&
	    value <= ROWS_MAX) {
		*out = value;
		return 0;
	}
	fprintf(stderr, "fleetctl: --limit: got \"%s\", want 1..%d\n", text, ROWS_MAX);
	return -EINVAL;
}

/* From the first point to the last, each interval is a place in values; those without one are NaN.
 */
static void put_sparkline(const struct esf_screen *screen, const json_t *document)
{
	const json_t *points = json_object_get(document, "points"), *point;
	int64_t length = esf_field_count(document, "length");
	size_t points_count = json_array_size(points);
	int64_t from = esf_field_count(json_array_get(points, 0), "start");
	int64_t to = esf_field_count(json_array_get(points, points_count - 1), "start");
	int64_t first, count;
	char text[ESF_SPARKLINE_SIZE], low[ESF_TEXT_NUMBER_SIZE], high[ESF_TEXT_NUMBER_SIZE];
	double *values, min = INFINITY, max = -INFINITY;
	size_t i;

	first = length > 0 ? from / length : 0;
	count = length > 0 ? to / length + 1 - first : 0;
	if (count <= 0 || count > 20000)
		return;
	values = malloc((size_t)count * sizeof(*values));
	if (values == NULL)
		return;
	for (i = 0; i < (size_t)count; i++)
		values[i] = NAN;
	json_array_foreach (points, i, point) {
		int64_t place = esf_field_count(point, "start") / length - first;
		double mean = esf_field_real(point, "mean");

		if (place < 0 || place >= count)
			continue;
		values[place] = mean;
		min = fmin(min, mean);
		max = fmax(max, mean);
	}
	esf_sparkline(values, (uint32_t)count, text);
	free(values);
	fprintf(screen->out, "%s\n%s .. %s\n\n", text, esf_text_value(min, low),
	    esf_text_value(max, high));
}

static void add_point(struct esf_table *table, const json_t *point)
{
	static const char *const values[] = { "mean", "stddev", "min", "max", "p50", "p95" };
	static const char *const counts[] = { "sites", "samples", "windows" };
	char text[ESF_TEXT_NUMBER_SIZE];

	esf_table_add(table, ESF_PLAIN, esf_text_time(esf_field_count(point, "start"), text));
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++)
		esf_table_add(
		    table, ESF_PLAIN, esf_text_value(esf_field_real(point, values[i]), text));
	for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++)
		esf_table_add(table, ESF_PLAIN,
		    esf_text_count((uint64_t)esf_field_count(point, counts[i]), text));
	esf_table_add(table, esf_field_bool(point, "final") ? ESF_PLAIN : ESF_YELLOW,
	    esf_field_bool(point, "final") ? "" : "partial");
}

static void put_table(const struct esf_screen *screen, const json_t *points, size_t rows)
{
	static const struct esf_column columns[] = {
		{ .title = "FROM (UTC)" },
		{ "MEAN", .right = true },
		{ "STDDEV", .right = true, .dispensable = 1 },
		{ "MIN", .right = true },
		{ "MAX", .right = true },
		{ "P50", .right = true, .dispensable = 3 },
		{ "P95", .right = true, .dispensable = 2 },
		{ "SITES", .right = true, .dispensable = 4 },
		{ "SAMPLES", .right = true, .dispensable = 5 },
		{ "WINDOWS", .right = true, .dispensable = 6 },
		{ .title = "" },
	};
	size_t count = json_array_size(points);
	struct esf_table table;

	esf_table_start(&table, columns, sizeof(columns) / sizeof(columns[0]));
	for (size_t i = count > rows ? count - rows : 0; i < count; i++)
		add_point(&table, json_array_get(points, i));
	esf_table_finish(&table, screen->out, screen->colour);
	if (count > rows)
		fprintf(screen->out, "the latest %zu of %zu; --limit shows more\n", rows, count);
}

static void show(const struct esf_call *call, const json_t *document, size_t rows)
{
	const json_t *points = json_object_get(document, "points");
	const json_t *store = json_object_get(document, "store");
	const struct esf_screen *screen = &call->screen;

	esf_text_put(screen->out, esf_field_text(document, "scope"), 40);
	fputc(' ', screen->out);
	esf_text_put(screen->out, esf_field_text(document, "kpi"), 32);
	fprintf(screen->out, ", intervals of %s\n", esf_field_text(document, "interval"));
	if (store != NULL && !esf_field_bool(store, "well")) {
		esf_style_begin(screen->out, screen->colour, ESF_RED);
		fputs("not written now: ", screen->out);
		esf_text_put(screen->out, esf_field_text(store, "error"), 82);
		esf_style_end(screen->out, screen->colour, ESF_RED);
		fputc('\n', screen->out);
	}
	if (json_array_size(points) == 0) {
		fputs("nothing is stored of that time; --last asks for more\n", screen->out);
		return;
	}
	put_sparkline(screen, document);
	put_table(screen, points, rows);
}

/* last: ns, 0: as the server thinks fit. NULL where it is too long, or out of memory. */
static char *path_of(const struct esf_call *call, int64_t last, char *path)
{
	const struct esf_options *options = call->options;
	char *scope = esf_client_name(call->client, options->words[WORD_SCOPE]);
	char *kpi = esf_client_name(call->client, options->words[WORD_KPI]);
	char *interval =
	    esf_client_name(call->client, options->interval != NULL ? options->interval : "");
	char from[64] = "";
	struct timespec now;
	int size = PATH_SIZE;

	clock_gettime(CLOCK_REALTIME, &now);
	if (last > 0)
		snprintf(from, sizeof(from), "&from=%jd",
		    (intmax_t)(now.tv_sec * NS_PER_S + now.tv_nsec - last));
	if (scope != NULL && kpi != NULL && interval != NULL)
		size = snprintf(path, PATH_SIZE, "/api/v1/history?scope=%s&kpi=%s%s%s%s", scope,
		    kpi, from, interval[0] != '\0' ? "&interval=" : "", interval);
	esf_client_free_name(scope);
	esf_client_free_name(kpi);
	esf_client_free_name(interval);
	return size < PATH_SIZE ? path : NULL;
}

enum esf_exit esf_command_history(const struct esf_call *call)
{
	const struct esf_options *options = call->options;
	int64_t last = options->last != NULL ? read_last(options->last) : 0;
	char path[PATH_SIZE];
	json_t *document;
	size_t rows;
	int result;

	if ((options->last != NULL && last == 0) || read_rows(options->limit, &rows) != 0)
		return ESF_EXIT_USAGE;
	if (path_of(call, last, path) == NULL) {
		fputs("fleetctl: history: SCOPE and KPI are too long\n", stderr);
		return ESF_EXIT_USAGE;
	}
	result = esf_client_get(call->client, path, "points", &document);
	if (result != 0)
		return esf_command_fail(call, result);
	if (options->json) {
		json_dumpf(document, call->screen.out, JSON_INDENT(2));
		fputc('\n', call->screen.out);
	} else {
		show(call, document, rows);
	}
	json_decref(document);
	return ESF_EXIT_OK;
}

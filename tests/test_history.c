/* SPDX-License-Identifier: Apache-2.0 */
#include "control/history/store.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <CUnit/CUnit.h>

#include "control/cli/sparkline.h"
#include "suites.h"

#define MINUTE INT64_C(60000000000)

static char folder[64], path[128], error[ESF_STORE_ERROR_SIZE];

static void set_up(void)
{
	strcpy(folder, "/tmp/esf-history-XXXXXX");
	CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/h.db", folder);
}

static void tear_down(void)
{
	char command[128];

	snprintf(command, sizeof(command), "rm -r '%s'", folder);
	CU_ASSERT_EQUAL(system(command), 0);
}

static struct esf_store *open_store(void)
{
	struct esf_store *store;

	CU_ASSERT_EQUAL_FATAL(esf_store_open(path, &store, error), ESF_STORE_OK);
	return store;
}

static struct esf_history_batch *batch_of(int64_t start, bool final)
{
	struct esf_history_batch *batch = esf_history_batch_create();

	CU_ASSERT_PTR_NOT_NULL_FATAL(batch);
	batch->interval = MINUTE;
	batch->start = start;
	batch->final = final;
	return batch;
}

static void add(struct esf_history_batch *batch, const char *scope, const char *kpi,
    const struct esf_interval_value *value)
{
	struct esf_history_row *row = esf_history_batch_row(batch);

	CU_ASSERT_PTR_NOT_NULL_FATAL(row);
	row->scope = esf_history_batch_text(batch, scope, strlen(scope));
	row->kpi = esf_history_batch_text(batch, kpi, strlen(kpi));
	row->value = *value;
}

static void write_batch(struct esf_store *store, struct esf_history_batch *batch)
{
	CU_ASSERT_EQUAL(esf_store_write(store, batch, error), ESF_STORE_OK);
	esf_history_batch_free(batch);
}

struct points {
	uint32_t count;
	struct esf_history_point last;
};

static void take(void *context, const struct esf_history_point *point)
{
	struct points *points = context;

	points->count++;
	points->last = *point;
}

static struct points read_points(const char *scope, const char *kpi, int64_t from, int64_t to)
{
	const struct esf_history_query query = { scope, kpi, MINUTE, from, to };
	struct points points = { 0 };

	CU_ASSERT_EQUAL(esf_store_read(path, &query, take, &points, error), ESF_STORE_OK);
	return points;
}

static const struct esf_interval_value some = { .mean = 4,
	.stddev = 2,
	.min = 1,
	.max = 6,
	.score = NAN,
	.p50 = 4,
	.p95 = NAN,
	.samples = 20,
	.windows = 2,
	.sites = 3 };

static void points_come_back_as_they_went(void)
{
	struct esf_history_batch *batch = batch_of(10 * MINUTE, true);
	struct esf_store *store;
	struct points got;

	set_up();
	store = open_store();
	add(batch, "fleet", "a", &some);
	add(batch, "site:7", "a", &some);
	write_batch(store, batch);
	got = read_points("fleet", "a", 0, 11 * MINUTE);
	CU_ASSERT_EQUAL(got.count, 1);
	CU_ASSERT_EQUAL(got.last.start, 10 * MINUTE);
	CU_ASSERT_EQUAL(got.last.value.mean, 4);
	CU_ASSERT_EQUAL(got.last.value.stddev, 2);
	CU_ASSERT_EQUAL(got.last.value.min, 1);
	CU_ASSERT_EQUAL(got.last.value.max, 6);
	CU_ASSERT_EQUAL(got.last.value.p50, 4);
	CU_ASSERT(isnan(got.last.value.p95));
	CU_ASSERT_EQUAL(got.last.value.samples, 20);
	CU_ASSERT_EQUAL(got.last.value.windows, 2);
	CU_ASSERT_EQUAL(got.last.value.sites, 3);
	CU_ASSERT_EQUAL(got.last.revision, 1);
	CU_ASSERT(got.last.final);
	CU_ASSERT_EQUAL(read_points("site:7", "a", 10 * MINUTE, 10 * MINUTE + 1).count, 1);
	CU_ASSERT_EQUAL(read_points("site:7", "a", 10 * MINUTE + 1, 20 * MINUTE).count, 0);
	CU_ASSERT_EQUAL(read_points("site:7", "a", 0, 10 * MINUTE).count, 0);
	CU_ASSERT_EQUAL(read_points("site:7", "b", 0, 20 * MINUTE).count, 0);
	esf_store_close(store);
	tear_down();
}

/* Windows of means {2, 6} without deviations, then {10}: mean 6, variance (16 + 0 + 16) / 3. */
static void parts_of_an_interval_are_put_together(void)
{
	struct esf_interval_value later = { .mean = 10,
		.stddev = 0,
		.min = 9,
		.max = 11,
		.p50 = 10,
		.p95 = 10,
		.samples = 5,
		.windows = 1,
		.sites = 2 };
	struct esf_store *store;
	struct points got;

	set_up();
	for (int part = 0; part < 2; part++) {
		struct esf_history_batch *batch = batch_of(10 * MINUTE, part == 1);

		store = open_store();
		add(batch, "fleet", "a", part == 0 ? &some : &later);
		write_batch(store, batch);
		esf_store_close(store);
	}
	got = read_points("fleet", "a", 0, 11 * MINUTE);
	CU_ASSERT_EQUAL(got.count, 1);
	CU_ASSERT_EQUAL(got.last.value.mean, 6);
	CU_ASSERT_DOUBLE_EQUAL(got.last.value.stddev, sqrt(32 / 3.0), 1e-12);
	CU_ASSERT_EQUAL(got.last.value.min, 1);
	CU_ASSERT_EQUAL(got.last.value.max, 11);
	CU_ASSERT(isnan(got.last.value.p50));
	CU_ASSERT_EQUAL(got.last.value.samples, 25);
	CU_ASSERT_EQUAL(got.last.value.windows, 3);
	CU_ASSERT_EQUAL(got.last.value.sites, 3);
	CU_ASSERT_EQUAL(got.last.revision, 2);
	CU_ASSERT(got.last.final);
	tear_down();
}

static void what_is_old_is_deleted(void)
{
	struct esf_store *store;

	set_up();
	store = open_store();
	for (int64_t i = 0; i < 10; i++) {
		struct esf_history_batch *batch = batch_of(i * MINUTE, true);

		if (i % 2 == 1) {
			batch->interval = 2 * MINUTE;
			batch->start = (i - 1) * MINUTE;
		}
		add(batch, "fleet", "a", &some);
		write_batch(store, batch);
	}
	CU_ASSERT_EQUAL(read_points("fleet", "a", 0, 10 * MINUTE).count, 5);
	CU_ASSERT_EQUAL(esf_store_prune(store, 4 * MINUTE, error), ESF_STORE_OK);
	CU_ASSERT_EQUAL(read_points("fleet", "a", 0, 10 * MINUTE).count, 3);
	CU_ASSERT_EQUAL(read_points("fleet", "a", 0, 4 * MINUTE).count, 0);
	esf_store_close(store);
	tear_down();
}

struct heard {
	uint32_t count;
	int64_t times[8];
	char text[64];
	bool coded;
};

static void hear(void *context, const struct esf_history_heard *event)
{
	struct heard *heard = context;

	heard->times[heard->count++] = event->time;
	snprintf(heard->text, sizeof(heard->text), "%s %s", event->scope, event->text);
	heard->coded = event->code != NULL;
}

static void events_come_back_newest_first(void)
{
	struct esf_history_batch *batch = batch_of(0, true);
	struct esf_history_query query = { .from = 2, .to = 9 };
	struct heard heard = { 0 };
	struct esf_store *store;

	set_up();
	store = open_store();
	for (int64_t i = 1; i < 5; i++) {
		struct esf_history_event *event = esf_history_batch_event(batch);

		CU_ASSERT_PTR_NOT_NULL_FATAL(event);
		*event = (struct esf_history_event){ .time = i,
			.code = ESF_NO_TEXT,
			.severity = 3,
			.state = "raise",
			.source = "etd" };
		event->scope = esf_history_batch_text(batch, i == 3 ? "site:1" : "site:2", 6);
		event->text = esf_history_batch_text(batch, "hot", 3);
	}
	write_batch(store, batch);
	CU_ASSERT_EQUAL(esf_store_read_events(path, &query, 8, hear, &heard, error), ESF_STORE_OK);
	CU_ASSERT_EQUAL(heard.count, 3);
	CU_ASSERT_EQUAL(heard.times[0], 4);
	CU_ASSERT_EQUAL(heard.times[2], 2);
	heard.count = 0;
	query.scope = "site:1";
	CU_ASSERT_EQUAL(esf_store_read_events(path, &query, 8, hear, &heard, error), ESF_STORE_OK);
	CU_ASSERT_EQUAL(heard.count, 1);
	CU_ASSERT_STRING_EQUAL(heard.text, "site:1 hot");
	CU_ASSERT_FALSE(heard.coded);
	esf_store_close(store);
	tear_down();
}

static void put_file(const char *text, uint32_t times)
{
	FILE *out = fopen(path, "wb");

	CU_ASSERT_PTR_NOT_NULL_FATAL(out);
	for (uint32_t i = 0; i < times; i++)
		fputs(text, out);
	fclose(out);
}

static void corrupt_files_are_told_and_set_aside(void)
{
	struct esf_store *store;
	char into[4200];

	set_up();
	put_file("this is not what it should be. ", 200);
	CU_ASSERT_EQUAL(esf_store_open(path, &store, error), ESF_STORE_CORRUPT);
	CU_ASSERT_PTR_NULL(store);
	CU_ASSERT_PTR_NOT_NULL(strstr(error, "corrupt"));
	CU_ASSERT_EQUAL(esf_store_set_aside(path, into), 0);
	CU_ASSERT_EQUAL(access(into, F_OK), 0);
	CU_ASSERT_NOT_EQUAL(access(path, F_OK), 0);
	esf_store_close(open_store());
	tear_down();
}

static void files_that_cannot_be_had_say_how_to_mend_it(void)
{
	struct esf_store *store;

	set_up();
	snprintf(path, sizeof(path), "%s/nowhere/h.db", folder);
	CU_ASSERT_EQUAL(esf_store_open(path, &store, error), ESF_STORE_FAILED);
	CU_ASSERT_PTR_NOT_NULL(strstr(error, "want a folder that exists"));
	tear_down();
}

static void sites_are_known_by_id_or_else_by_name(void)
{
	char key[ESF_HISTORY_KEY_SIZE];

	CU_ASSERT_STRING_EQUAL(esf_history_site_key(12, "n-1", key), "site:12");
	CU_ASSERT_STRING_EQUAL(esf_history_site_key(0, "12", key), "site=12");
}

static void bars_show_values_between_the_least_and_the_greatest(void)
{
	static double many[1000];
	const double values[] = { 0, 1, NAN, 7, 8, 4 };
	const double same[] = { 3, 3 };
	char text[ESF_SPARKLINE_SIZE];

	esf_sparkline(values, 6, text);
	CU_ASSERT_STRING_EQUAL(text, "▁▂ ██▅");
	esf_sparkline(same, 2, text);
	CU_ASSERT_STRING_EQUAL(text, "▅▅");
	esf_sparkline(NULL, 0, text);
	CU_ASSERT_STRING_EQUAL(text, "");
	for (int i = 0; i < 1000; i++)
		many[i] = i;
	esf_sparkline(many, 1000, text);
	CU_ASSERT_EQUAL(strlen(text), ESF_SPARKLINE_SIZE - 1);
}

static void write_piece(
    struct esf_store *store, uint64_t piece, int64_t start, const char *scope, uint64_t samples)
{
	struct esf_history_batch *batch = batch_of(start, true);
	struct esf_interval_value value = some;

	value.samples = samples;
	batch->piece = piece;
	if (scope != NULL)
		add(batch, scope, "a", &value);
	write_batch(store, batch);
}

static uint64_t samples_of(const char *scope, int64_t start)
{
	struct points points = read_points(scope, "a", start, start + 1);

	return points.count == 0 ? 0 : points.last.value.samples;
}

/* After a restart from a snapshot the same interval ends once more. */
static void piece_replaces_what_it_wrote_and_nothing_else(void)
{
	struct esf_store *store;

	set_up();
	store = open_store();
	write_piece(store, 1, 10 * MINUTE, "fleet", 100);
	write_piece(store, 2, 10 * MINUTE, "fleet", 20); /* another start with nothing */
	CU_ASSERT_EQUAL(samples_of("fleet", 10 * MINUTE), 120);
	write_piece(store, 2, 10 * MINUTE, "fleet", 30);
	CU_ASSERT_EQUAL(samples_of("fleet", 10 * MINUTE), 130);
	write_piece(store, 2, 10 * MINUTE, "site:1", 5);
	CU_ASSERT_EQUAL(samples_of("fleet", 10 * MINUTE), 100); /* it has nothing to say of it */
	CU_ASSERT_EQUAL(samples_of("site:1", 10 * MINUTE), 5);
	write_piece(store, 2, 10 * MINUTE, NULL, 0);
	CU_ASSERT_EQUAL(samples_of("site:1", 10 * MINUTE), 0);
	esf_store_close(store);
	tear_down();
}

static void take_back(struct esf_store *store, uint64_t piece, int64_t since, bool running)
{
	struct esf_history_batch *batch = esf_history_batch_create();

	CU_ASSERT_PTR_NOT_NULL_FATAL(batch);
	batch->takes_back = true;
	batch->takes_running = running;
	batch->piece = piece;
	batch->since = since;
	write_batch(store, batch);
}

static void what_was_written_after_the_snapshot_is_taken_back(void)
{
	struct esf_store *store;

	set_up();
	store = open_store();
	take_back(store, 1, 0, true); /* of a file that knows of no piece */
	write_piece(store, 1, 10 * MINUTE, "fleet", 100);
	write_piece(store, 2, 10 * MINUTE, "fleet", 1);
	write_piece(store, 2, 11 * MINUTE, "fleet", 2);
	write_piece(store, 2, 12 * MINUTE, "fleet", 3);
	write_piece(store, 3, 12 * MINUTE, "site:1", 4);
	take_back(store, 2, 12 * MINUTE, false);
	CU_ASSERT_EQUAL(samples_of("fleet", 10 * MINUTE), 101);
	CU_ASSERT_EQUAL(samples_of("fleet", 11 * MINUTE), 2);
	take_back(store, 2, 10 * MINUTE + 1, true); /* with what ran then */
	CU_ASSERT_EQUAL(samples_of("fleet", 10 * MINUTE), 100);
	CU_ASSERT_EQUAL(samples_of("fleet", 11 * MINUTE), 0);
	esf_store_close(store);
	tear_down();
}

void esf_suite_history(void)
{
	CU_pSuite suite = CU_add_suite("history", NULL, NULL);

	CU_ADD_TEST(suite, points_come_back_as_they_went);
	CU_ADD_TEST(suite, parts_of_an_interval_are_put_together);
	CU_ADD_TEST(suite, piece_replaces_what_it_wrote_and_nothing_else);
	CU_ADD_TEST(suite, what_was_written_after_the_snapshot_is_taken_back);
	CU_ADD_TEST(suite, what_is_old_is_deleted);
	CU_ADD_TEST(suite, events_come_back_newest_first);
	CU_ADD_TEST(suite, corrupt_files_are_told_and_set_aside);
	CU_ADD_TEST(suite, files_that_cannot_be_had_say_how_to_mend_it);
	CU_ADD_TEST(suite, sites_are_known_by_id_or_else_by_name);
	CU_ADD_TEST(suite, bars_show_values_between_the_least_and_the_greatest);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "control/history/store.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <sqlite3.h>

#include "control/history/failure.h"
#include "control/history/pieces.h"

enum { FORMAT = 1 };

struct esf_store {
	sqlite3 *db;
	sqlite3_stmt *find_series, *add_series, *add_point, *add_event, *prune_points,
	    *prune_events;
};

static const char schema[] =
    "BEGIN;"
    "CREATE TABLE series(id INTEGER PRIMARY KEY, scope TEXT NOT NULL, kpi TEXT NOT NULL,"
    "  UNIQUE(scope, kpi));"
    "CREATE TABLE points(interval INTEGER, start INTEGER, series INTEGER, mean REAL, variance REAL,"
    "  min REAL, max REAL, p50 REAL, p95 REAL, samples INTEGER, windows INTEGER, sites INTEGER,"
    "  revision INTEGER, final INTEGER, PRIMARY KEY(interval, start, series)) WITHOUT ROWID;"
    "CREATE TABLE events(id INTEGER PRIMARY KEY, time INTEGER, scope TEXT, code TEXT,"
    "  severity INTEGER, state TEXT, source TEXT, text TEXT);"
    "CREATE INDEX events_by_time ON events(time);"
    "PRAGMA user_version = 1;"
    "COMMIT;";

/* Two parts of an interval: n windows with mean m and variance v each. */
static const char add_point_sql[] =
    "INSERT INTO points VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, 1, ?13)"
    " ON CONFLICT(interval, start, series) DO UPDATE SET"
    " mean = (mean * windows + excluded.mean * excluded.windows) / (windows + excluded.windows),"
    " variance = (variance * windows + excluded.variance * excluded.windows)"
    "  / (windows + excluded.windows)"
    "  + 1.0 * windows * excluded.windows * (mean - excluded.mean) * (mean - excluded.mean)"
    "  / (windows + excluded.windows) / (windows + excluded.windows),"
    " min = min(min, excluded.min), max = max(max, excluded.max), p50 = NULL, p95 = NULL,"
    " samples = samples + excluded.samples, windows = windows + excluded.windows,"
    " sites = max(sites, excluded.sites), revision = revision + 1, final = excluded.final";

static bool prepare(struct esf_store *store, const char *sql, sqlite3_stmt **out)
{
	return sqlite3_prepare_v3(store->db, sql, -1, SQLITE_PREPARE_PERSISTENT, out, NULL) ==
	       SQLITE_OK;
}

static bool prepare_all(struct esf_store *store)
{
	return prepare(store, "SELECT id FROM series WHERE scope = ?1 AND kpi = ?2",
	           &store->find_series) &&
	       prepare(
	           store, "INSERT INTO series(scope, kpi) VALUES(?1, ?2)", &store->add_series) &&
	       prepare(store, add_point_sql, &store->add_point) &&
	       prepare(store,
	           "INSERT INTO events(time, scope, code, severity, state, source, text)"
	           " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7)",
	           &store->add_event) &&
	       prepare(store,
	           "WITH RECURSIVE lengths(i) AS (SELECT min(interval) FROM points UNION ALL"
	           " SELECT (SELECT min(interval) FROM points WHERE interval > i) FROM lengths"
	           " WHERE i IS NOT NULL)"
	           " DELETE FROM points WHERE start < ?1 AND interval IN (SELECT i FROM lengths)",
	           &store->prune_points) &&
	       prepare(store, "DELETE FROM events WHERE time < ?1", &store->prune_events);
}

/* The first column of the first row; NULL: none. The caller frees it by sqlite3_free. */
static int ask(sqlite3 *db, const char *sql, char **out)
{
	sqlite3_stmt *statement = NULL;
	int result = sqlite3_prepare_v2(db, sql, -1, &statement, NULL);

	*out = NULL;
	if (result != SQLITE_OK)
		return result;
	result = sqlite3_step(statement);
	if (result == SQLITE_ROW) {
		const unsigned char *text = sqlite3_column_text(statement, 0);

		*out = text == NULL ? NULL : sqlite3_mprintf("%s", text);
		result = SQLITE_OK;
	}
	sqlite3_finalize(statement);
	return result;
}

/* A file of ours, checked; an empty one gets its tables. */
static enum esf_store_result check(sqlite3 *db, const char *path, char *error)
{
	char *text;
	long version;
	bool sound;

	if (ask(db, "PRAGMA quick_check(1)", &text) != SQLITE_OK)
		return esf_failure_of(db, path, error);
	sound = text != NULL && strcmp(text, "ok") == 0;
	if (!sound)
		snprintf(error, ESF_STORE_ERROR_SIZE, "%.150s: corrupt: %.80s", path,
		    text == NULL ? "no answer" : text);
	sqlite3_free(text);
	if (!sound)
		return ESF_STORE_CORRUPT;
	if (ask(db, "PRAGMA user_version", &text) != SQLITE_OK)
		return esf_failure_of(db, path, error);
	version = text == NULL ? 0 : strtol(text, NULL, 10);
	sqlite3_free(text);
	if (version == FORMAT)
		return ESF_STORE_OK;
	if (version == 0) {
		if (sqlite3_exec(db, schema, NULL, NULL, NULL) == SQLITE_OK)
			return ESF_STORE_OK;
		return esf_failure_of(db, path, error);
	}
	snprintf(error, ESF_STORE_ERROR_SIZE,
	    "%.150s: got format %ld, want %d: give history.file another name", path, version,
	    FORMAT);
	return ESF_STORE_FAILED;
}

enum esf_store_result esf_store_open(const char *path, struct esf_store **out, char *error)
{
	struct esf_store *store = calloc(1, sizeof(*store));
	enum esf_store_result result;

	*out = NULL;
	if (store == NULL || sqlite3_open_v2(path, &store->db,
	                         SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, NULL) != SQLITE_OK) {
		result = esf_failure_of(store == NULL ? NULL : store->db, path, error);
		esf_store_close(store);
		return result;
	}
	sqlite3_busy_timeout(store->db, ESF_STORE_WAIT_MS);
	if (sqlite3_exec(store->db,
	        "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;"
	        "PRAGMA journal_size_limit = 16777216;",
	        NULL, NULL, NULL) != SQLITE_OK)
		result = esf_failure_of(store->db, path, error);
	else
		result = check(store->db, path, error);
	if (result == ESF_STORE_OK && !prepare_all(store))
		result = esf_failure_of(store->db, path, error);
	if (result != ESF_STORE_OK) {
		esf_store_close(store);
		return result;
	}
	*out = store;
	return ESF_STORE_OK;
}

void esf_store_close(struct esf_store *store)
{
	if (store == NULL)
		return;
	sqlite3_finalize(store->find_series);
	sqlite3_finalize(store->add_series);
	sqlite3_finalize(store->add_point);
	sqlite3_finalize(store->add_event);
	sqlite3_finalize(store->prune_points);
	sqlite3_finalize(store->prune_events);
	sqlite3_close(store->db);
	free(store);
}

int esf_store_set_aside(const char *path, char *into)
{
	static const char *const ends[] = { "-wal", "-shm", "" };
	time_t now = time(NULL);
	char stamp[32], from[4200], to[4200];
	struct tm utc;
	int result = 0;

	gmtime_r(&now, &utc);
	strftime(stamp, sizeof(stamp), "%Y%m%dT%H%M%SZ", &utc);
	for (size_t i = 0; i < 3; i++) {
		snprintf(from, sizeof(from), "%.4095s%s", path, ends[i]);
		snprintf(to, sizeof(to), "%.4095s.corrupt-%s%s", path, stamp, ends[i]);
		if (rename(from, to) != 0 && errno != ENOENT)
			result = -errno;
	}
	snprintf(into, sizeof(to), "%.4095s.corrupt-%s", path, stamp);
	return result;
}

static void bind_number(sqlite3_stmt *statement, int place, double value)
{
	if (isfinite(value))
		sqlite3_bind_double(statement, place, value);
	else
		sqlite3_bind_null(statement, place);
}

/* Steps a statement that has no rows, and makes it ready for the next time. */
static bool run(sqlite3_stmt *statement)
{
	bool done = sqlite3_step(statement) == SQLITE_DONE;

	sqlite3_reset(statement);
	return done;
}

/* 0: could not be had. */
static sqlite3_int64 series_of(struct esf_store *store, const char *scope, const char *kpi)
{
	sqlite3_stmt *find = store->find_series, *add = store->add_series;
	sqlite3_int64 id = 0;
	int found;

	sqlite3_bind_text(find, 1, scope, -1, SQLITE_STATIC);
	sqlite3_bind_text(find, 2, kpi, -1, SQLITE_STATIC);
	found = sqlite3_step(find);
	if (found == SQLITE_ROW)
		id = sqlite3_column_int64(find, 0);
	sqlite3_reset(find);
	if (found != SQLITE_DONE)
		return id;
	sqlite3_bind_text(add, 1, scope, -1, SQLITE_STATIC);
	sqlite3_bind_text(add, 2, kpi, -1, SQLITE_STATIC);
	return run(add) ? sqlite3_last_insert_rowid(store->db) : 0;
}

static bool write_row(struct esf_store *store, const struct esf_history_batch *batch,
    const struct esf_history_row *row)
{
	sqlite3_int64 series = series_of(store, batch->text + row->scope, batch->text + row->kpi);
	const struct esf_interval_value *value = &row->value;
	sqlite3_stmt *add = store->add_point;
	const double numbers[] = { value->mean, value->stddev * value->stddev, value->min,
		value->max, value->p50, value->p95 };

	if (series == 0)
		return false;
	sqlite3_bind_int64(add, 1, batch->interval);
	sqlite3_bind_int64(add, 2, batch->start);
	sqlite3_bind_int64(add, 3, series);
	for (int i = 0; i < 6; i++)
		bind_number(add, 4 + i, numbers[i]);
	sqlite3_bind_int64(add, 10, (sqlite3_int64)value->samples);
	sqlite3_bind_int64(add, 11, value->windows);
	sqlite3_bind_int64(add, 12, value->sites);
	sqlite3_bind_int(add, 13, batch->final);
	return run(add);
}

static bool write_event(struct esf_store *store, const struct esf_history_batch *batch,
    const struct esf_history_event *event)
{
	sqlite3_stmt *add = store->add_event;
	const char *code = event->code == ESF_NO_TEXT ? NULL : batch->text + event->code;

	sqlite3_bind_int64(add, 1, event->time);
	sqlite3_bind_text(add, 2, batch->text + event->scope, -1, SQLITE_STATIC);
	sqlite3_bind_text(add, 3, code, -1, SQLITE_STATIC);
	sqlite3_bind_int(add, 4, event->severity);
	sqlite3_bind_text(add, 5, event->state, -1, SQLITE_STATIC);
	sqlite3_bind_text(add, 6, event->source, -1, SQLITE_STATIC);
	sqlite3_bind_text(add, 7, batch->text + event->text, -1, SQLITE_STATIC);
	return run(add);
}

enum esf_store_result esf_store_write(
    struct esf_store *store, const struct esf_history_batch *batch, char *error)
{
	const char *path = sqlite3_db_filename(store->db, "main");
	bool written = sqlite3_exec(store->db, "BEGIN IMMEDIATE", NULL, NULL, NULL) == SQLITE_OK;
	enum esf_store_result result;

	if (written && batch->takes_back)
		written = esf_pieces_take_back(
		    store->db, batch->piece, batch->since, batch->takes_running);
	else if (written && batch->piece != 0)
		written =
		    esf_pieces_enter(store->db, batch->interval, batch->start, batch->piece);
	for (uint32_t i = 0; written && i < batch->rows_count; i++)
		written = write_row(store, batch, &batch->rows[i]);
	for (uint32_t i = 0; written && i < batch->events_count; i++)
		written = write_event(store, batch, &batch->events[i]);
	if (written && sqlite3_exec(store->db, "COMMIT", NULL, NULL, NULL) == SQLITE_OK)
		return ESF_STORE_OK;
	result = esf_failure_of(store->db, path, error);
	sqlite3_exec(store->db, "ROLLBACK", NULL, NULL, NULL);
	return result;
}

enum esf_store_result esf_store_prune(struct esf_store *store, int64_t before, char *error)
{
	sqlite3_bind_int64(store->prune_points, 1, before);
	sqlite3_bind_int64(store->prune_events, 1, before);
	if (run(store->prune_points) && run(store->prune_events))
		return ESF_STORE_OK;
	return esf_failure_of(store->db, sqlite3_db_filename(store->db, "main"), error);
}

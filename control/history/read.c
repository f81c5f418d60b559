/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <string.h>

#include "control/history/failure.h"
#include "control/history/store.h"

/* Reading: a connection for each question, as there are few of them and the file may be another. */

static const char points_sql[] =
    "SELECT mean, variance, min, max, p50, p95, samples, windows, sites, revision, final"
    " FROM points WHERE interval = ?1 AND start = ?2 AND series ="
    " (SELECT id FROM series WHERE scope = ?3 AND kpi = ?4)";
static const char events_sql[] =
    "SELECT time, scope, code, severity, state, source, text FROM events"
    " WHERE time >= ?1 AND time < ?2 AND (?3 IS NULL OR scope = ?3) ORDER BY time DESC LIMIT ?4";

static enum esf_store_result begin(
    const char *path, const char *sql, sqlite3 **db, sqlite3_stmt **statement, char *error)
{
	*statement = NULL;
	if (sqlite3_open_v2(path, db, SQLITE_OPEN_READWRITE, NULL) != SQLITE_OK)
		return esf_failure_of(*db, path, error);
	sqlite3_busy_timeout(*db, ESF_STORE_WAIT_MS);
	if (sqlite3_exec(*db, "PRAGMA query_only = 1; BEGIN", NULL, NULL, NULL) != SQLITE_OK ||
	    sqlite3_prepare_v2(*db, sql, -1, statement, NULL) != SQLITE_OK)
		return esf_failure_of(*db, path, error);
	return ESF_STORE_OK;
}

static void end(sqlite3 *db, sqlite3_stmt *statement)
{
	sqlite3_finalize(statement);
	sqlite3_close(db);
}

static double number(sqlite3_stmt *statement, int column)
{
	return sqlite3_column_type(statement, column) == SQLITE_NULL
	           ? NAN
	           : sqlite3_column_double(statement, column);
}

static void read_point(sqlite3_stmt *statement, struct esf_history_point *out)
{
	struct esf_interval_value *value = &out->value;

	value->mean = number(statement, 0);
	value->stddev = sqrt(number(statement, 1));
	value->min = number(statement, 2);
	value->max = number(statement, 3);
	value->p50 = number(statement, 4);
	value->p95 = number(statement, 5);
	value->score = NAN;
	value->samples = (uint64_t)sqlite3_column_int64(statement, 6);
	value->windows = (uint32_t)sqlite3_column_int64(statement, 7);
	value->sites = (uint32_t)sqlite3_column_int64(statement, 8);
	out->revision = (uint32_t)sqlite3_column_int64(statement, 9);
	out->final = sqlite3_column_int(statement, 10) != 0;
}

/* The first multiple at or after from. */
static int64_t first_start(const struct esf_history_query *query)
{
	int64_t past = query->from % query->interval;

	return past == 0 ? query->from : query->from - past + (past > 0 ? query->interval : 0);
}

/* Points lie by time, so that writing appends; each is found by its whole key. */
enum esf_store_result esf_store_read(const char *path, const struct esf_history_query *query,
    void (*take)(void *context, const struct esf_history_point *point), void *context, char *error)
{
	sqlite3 *db;
	sqlite3_stmt *statement;
	enum esf_store_result result = begin(path, points_sql, &db, &statement, error);

	for (int64_t start = first_start(query); result == ESF_STORE_OK && start < query->to;
	     start += query->interval) {
		struct esf_history_point point = { .start = start };
		int step;

		sqlite3_bind_int64(statement, 1, query->interval);
		sqlite3_bind_int64(statement, 2, start);
		sqlite3_bind_text(statement, 3, query->scope, -1, SQLITE_STATIC);
		sqlite3_bind_text(statement, 4, query->kpi, -1, SQLITE_STATIC);
		step = sqlite3_step(statement);
		if (step == SQLITE_ROW) {
			read_point(statement, &point);
			take(context, &point);
		} else if (step != SQLITE_DONE) {
			result = esf_failure_of(db, path, error);
		}
		sqlite3_reset(statement);
	}
	end(db, statement);
	return result;
}

enum esf_store_result esf_store_read_events(const char *path, const struct esf_history_query *query,
    uint32_t limit, void (*take)(void *context, const struct esf_history_heard *event),
    void *context, char *error)
{
	sqlite3 *db;
	sqlite3_stmt *statement;
	enum esf_store_result result = begin(path, events_sql, &db, &statement, error);
	int step = SQLITE_DONE;

	if (result == ESF_STORE_OK) {
		sqlite3_bind_int64(statement, 1, query->from);
		sqlite3_bind_int64(statement, 2, query->to);
		sqlite3_bind_text(statement, 3, query->scope, -1, SQLITE_STATIC);
		sqlite3_bind_int64(statement, 4, limit);
		while ((step = sqlite3_step(statement)) == SQLITE_ROW) {
			struct esf_history_heard event = {
				.time = sqlite3_column_int64(statement, 0),
				.scope = (const char *)sqlite3_column_text(statement, 1),
				.code = (const char *)sqlite3_column_text(statement, 2),
				.severity = sqlite3_column_int(statement, 3),
				.state = (const char *)sqlite3_column_text(statement, 4),
				.source = (const char *)sqlite3_column_text(statement, 5),
				.text = (const char *)sqlite3_column_text(statement, 6),
			};

			take(context, &event);
		}
		if (step != SQLITE_DONE)
			result = esf_failure_of(db, path, error);
	}
	end(db, statement);
	return result;
}

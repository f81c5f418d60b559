/* SPDX-License-Identifier: Apache-2.0 */
#include "control/history/pieces.h"

#include <stdarg.h>
#include <stddef.h>

#define KEPT_NS INT64_C(86400000000000) /* behind an interval's end; a snapshot is far younger */

static bool run(sqlite3 *db, const char *format, ...)
{
	va_list arguments;
	char *sql;
	bool done;

	va_start(arguments, format);
	sql = sqlite3_vmprintf(format, arguments);
	va_end(arguments);
	done = sql != NULL && sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK;
	sqlite3_free(sql);
	return done;
}

static bool make_tables(sqlite3 *db)
{
	return run(db,
	    "CREATE TABLE IF NOT EXISTS pieces(interval INTEGER, start INTEGER, piece INTEGER,"
	    "  PRIMARY KEY(interval, start, piece)) WITHOUT ROWID;"
	    "CREATE TABLE IF NOT EXISTS points_before(interval INTEGER, start INTEGER,"
	    "  series INTEGER, mean REAL, variance REAL, min REAL, max REAL, p50 REAL, p95 REAL,"
	    "  samples INTEGER, windows INTEGER, sites INTEGER, revision INTEGER, final INTEGER,"
	    "  PRIMARY KEY(interval, start, series)) WITHOUT ROWID");
}

static bool has_written(sqlite3 *db, int64_t interval, int64_t start, uint64_t piece, bool *written)
{
	sqlite3_stmt *statement = NULL;
	int result;

	*written = false;
	if (sqlite3_prepare_v2(db,
	        "SELECT 1 FROM pieces WHERE interval = ?1 AND start = ?2 AND piece = ?3", -1,
	        &statement, NULL) != SQLITE_OK)
		return false;
	sqlite3_bind_int64(statement, 1, interval);
	sqlite3_bind_int64(statement, 2, start);
	sqlite3_bind_int64(statement, 3, (sqlite3_int64)piece);
	result = sqlite3_step(statement);
	*written = result == SQLITE_ROW;
	sqlite3_finalize(statement);
	return result == SQLITE_ROW || result == SQLITE_DONE;
}

/* The interval's points as they were before the piece that wrote last. */
static bool put_back(sqlite3 *db, int64_t interval, int64_t start)
{
	return run(db,
	    "DELETE FROM points WHERE interval = %lld AND start = %lld;"
	    "INSERT INTO points SELECT * FROM points_before WHERE interval = %lld AND start = %lld",
	    (long long)interval, (long long)start, (long long)interval, (long long)start);
}

static bool keep_before(sqlite3 *db, int64_t interval, int64_t start, uint64_t piece)
{
	return run(db,
	    "DELETE FROM points_before WHERE interval = %lld AND start = %lld;"
	    "INSERT INTO points_before SELECT * FROM points"
	    " WHERE interval = %lld AND start = %lld;"
	    "INSERT INTO pieces VALUES(%lld, %lld, %lld);"
	    "DELETE FROM pieces WHERE start + interval < %lld;"
	    "DELETE FROM points_before WHERE start + interval < %lld",
	    (long long)interval, (long long)start, (long long)interval, (long long)start,
	    (long long)interval, (long long)start, (long long)piece, (long long)(start - KEPT_NS),
	    (long long)(start - KEPT_NS));
}

bool esf_pieces_enter(sqlite3 *db, int64_t interval, int64_t start, uint64_t piece)
{
	bool written;

	if (!make_tables(db) || !has_written(db, interval, start, piece, &written))
		return false;
	return written ? put_back(db, interval, start) : keep_before(db, interval, start, piece);
}

/* Statement by statement, as each changes what the select would see. */
static bool next_of(sqlite3 *db, uint64_t piece, int64_t from, bool running, bool *found,
    int64_t *interval, int64_t *start)
{
	sqlite3_stmt *statement = NULL;
	int result;

	*found = false;
	if (sqlite3_prepare_v2(db,
	        "SELECT interval, start FROM pieces WHERE piece = ?1 AND"
	        " (start >= ?2 OR (?3 AND start + interval > ?2)) LIMIT 1",
	        -1, &statement, NULL) != SQLITE_OK)
		return false;
	sqlite3_bind_int64(statement, 1, (sqlite3_int64)piece);
	sqlite3_bind_int64(statement, 2, from);
	sqlite3_bind_int(statement, 3, running);
	result = sqlite3_step(statement);
	if (result == SQLITE_ROW) {
		*found = true;
		*interval = sqlite3_column_int64(statement, 0);
		*start = sqlite3_column_int64(statement, 1);
	}
	sqlite3_finalize(statement);
	return result == SQLITE_ROW || result == SQLITE_DONE;
}

bool esf_pieces_take_back(sqlite3 *db, uint64_t piece, int64_t from, bool running)
{
	int64_t interval, start;
	bool found;

	if (!make_tables(db))
		return false;
	for (;;) {
		if (!next_of(db, piece, from, running, &found, &interval, &start))
			return false;
		if (!found)
			return true;
		if (!put_back(db, interval, start) ||
		    !run(db,
		        "DELETE FROM pieces WHERE interval = %lld AND start = %lld AND piece = "
		        "%lld",
		        (long long)interval, (long long)start, (long long)piece))
			return false;
	}
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "control/history/failure.h"

#include <stdio.h>

enum esf_store_result esf_failure_of(sqlite3 *db, const char *path, char *error)
{
	int code = db == NULL ? SQLITE_NOMEM : sqlite3_errcode(db) & 0xff;
	const char *why;

	switch (code) {
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
		why = "corrupt, or no SQLite file";
		break;
	case SQLITE_FULL:
		why = "the disk is full: make room, or shorten history.keep";
		break;
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		why = "locked by another program: end it";
		break;
	case SQLITE_CANTOPEN:
		why = "can't be opened: want a folder that exists and may be written to";
		break;
	case SQLITE_READONLY:
	case SQLITE_PERM:
		why = "may not be written to: change its owner or its rights";
		break;
	default:
		why = db == NULL ? "out of memory" : sqlite3_errmsg(db);
	}
	snprintf(error, ESF_STORE_ERROR_SIZE, "%.150s: %.100s", path, why);
	return code == SQLITE_CORRUPT || code == SQLITE_NOTADB ? ESF_STORE_CORRUPT
	                                                       : ESF_STORE_FAILED;
}

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ESF_STORE_H
#define ESF_STORE_H

#include "control/history/batch.h"

/*
 * The history's file: SQLite with a write-ahead log, so that readers and the one writer don't wait
 * for each other. Every call may wait for the disk; a lock is waited for ESF_STORE_WAIT_MS at most.
 *
 * A point is what an interval says of one KPI of one scope. Where one is stored already, of windows
 * that were before a restart, the two are put together: all windows with equal weight; quantiles
 * over sites can't be, and become absent.
 */
enum { ESF_STORE_WAIT_MS = 250, ESF_STORE_ERROR_SIZE = 256 };

enum esf_store_result {
	ESF_STORE_OK,
	ESF_STORE_FAILED,  /* error says why: worth another try later */
	ESF_STORE_CORRUPT, /* error says so: set it aside */
};

struct esf_store;

/*
 * Opens the file, which is made where there is none, and checks it from end to end (sqlite's
 * quick_check). *out is NULL unless OK. error: ESF_STORE_ERROR_SIZE bytes.
 */
enum esf_store_result esf_store_open(const char *path, struct esf_store **out, char *error);
/* NULL is allowed. */
void esf_store_close(struct esf_store *store);

/* Renames a closed store's file and its logs to FILE.corrupt-TIME; into is that name, 4200 bytes. 0
 * or -errno. */
int esf_store_set_aside(const char *path, char *into);

/* All of the batch in one transaction, or nothing. */
enum esf_store_result esf_store_write(
    struct esf_store *store, const struct esf_history_batch *batch, char *error);

/* Deletes what began before the time (Unix ns). */
enum esf_store_result esf_store_prune(struct esf_store *store, int64_t before, char *error);

struct esf_history_point {
	int64_t start;
	struct esf_interval_value value; /* score is NaN */
	uint32_t revision;               /* times it was written */
	bool final;
};

struct esf_history_query {
	const char *scope; /* a key, see batch.h */
	const char *kpi;
	int64_t interval;
	int64_t from; /* Unix ns: of the first and behind the last start */
	int64_t to;
};

/* Any thread, by a connection of its own: calls take for each point there is, in order of time. */
enum esf_store_result esf_store_read(const char *path, const struct esf_history_query *query,
    void (*take)(void *context, const struct esf_history_point *point), void *context, char *error);

/* The same for events of a scope (NULL: all), the newest first, at most limit. */
struct esf_history_heard {
	int64_t time;
	const char *scope;
	const char *code; /* NULL: none */
	int severity;
	const char *state;
	const char *source;
	const char *text;
};

enum esf_store_result esf_store_read_events(const char *path, const struct esf_history_query *query,
    uint32_t limit, void (*take)(void *context, const struct esf_history_heard *event),
    void *context, char *error);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#include "control/history/history.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "control/history/gather.h"

#define NS_PER_S INT64_C(1000000000)

enum { RETRY_S = 2, PRUNE_EVERY_S = 600 };

struct esf_history {
	pthread_t thread;
	pthread_mutex_t lock; /* of what follows up to the next blank line */
	pthread_cond_t changed;
	bool stopping;
	int64_t keep_ns;
	uint64_t path_revision; /* counts other paths */
	struct esf_history_batch *first, *last;
	struct esf_history_status status;

	/* control */
	bool remembers; /* there are snapshots */
	const struct esf_roster *roster;
	uint64_t heard; /* events */

	/* the thread */
	struct esf_store *store;
	char path[4096];
	uint64_t opened_revision;
	int64_t retry_at, prune_at; /* of time(2) */
};

static uint32_t items_of(const struct esf_history_batch *batch)
{
	return batch->rows_count + batch->events_count;
}

/* Says a failure once, when it begins or is another one, and its end. */
static void note(struct esf_history *history, enum esf_store_result result, const char *error)
{
	struct esf_history_status *status = &history->status;

	pthread_mutex_lock(&history->lock);
	if (result == ESF_STORE_OK && !status->well)
		fprintf(stderr, "estream-fleetd: history: %s is written again\n", history->path);
	if (result != ESF_STORE_OK && (status->well || strcmp(status->error, error) != 0))
		fprintf(stderr, "estream-fleetd: history: %s; tried again every %d s\n", error,
		    RETRY_S);
	status->well = result == ESF_STORE_OK;
	status->failures += result != ESF_STORE_OK;
	snprintf(status->error, sizeof(status->error), "%s", result == ESF_STORE_OK ? "" : error);
	pthread_mutex_unlock(&history->lock);
}

static void set_aside(struct esf_history *history)
{
	char into[4200];
	int result;

	esf_store_close(history->store);
	history->store = NULL;
	result = esf_store_set_aside(history->path, into);
	if (result != 0) {
		fprintf(stderr, "estream-fleetd: history: %s can't be set aside: %s\n",
		    history->path, strerror(-result));
		return;
	}
	fprintf(stderr,
	    "estream-fleetd: history: the corrupt file is now %s, and another one is begun; "
	    "sqlite3 FILE .recover may save what it held\n",
	    into);
	pthread_mutex_lock(&history->lock);
	history->status.set_aside++;
	pthread_mutex_unlock(&history->lock);
}

static enum esf_store_result open_store(struct esf_history *history, char *error)
{
	enum esf_store_result result = ESF_STORE_OK;

	for (int attempt = 0; attempt < 2 && history->store == NULL; attempt++) {
		result = esf_store_open(history->path, &history->store, error);
		if (result != ESF_STORE_CORRUPT || attempt > 0)
			return result;
		note(history, result, error);
		set_aside(history);
	}
	return result;
}

static enum esf_store_result prune(struct esf_history *history, char *error)
{
	int64_t now = time(NULL);

	int64_t keep_ns;

	if (now < history->prune_at)
		return ESF_STORE_OK;
	history->prune_at = now + PRUNE_EVERY_S;
	pthread_mutex_lock(&history->lock);
	keep_ns = history->keep_ns;
	pthread_mutex_unlock(&history->lock);
	return esf_store_prune(history->store, now * NS_PER_S - keep_ns, error);
}

/* Whether the batch (NULL: none, only the file is opened) was written. */
static bool attempt(struct esf_history *history, const struct esf_history_batch *batch)
{
	char error[ESF_STORE_ERROR_SIZE] = "";
	enum esf_store_result result = open_store(history, error);
	bool written;

	if (result == ESF_STORE_OK && batch != NULL)
		result = esf_store_write(history->store, batch, error);
	written = result == ESF_STORE_OK;
	if (written)
		result = prune(history, error);
	note(history, result, error);
	if (result == ESF_STORE_CORRUPT && history->store != NULL)
		set_aside(history);
	if (result == ESF_STORE_FAILED) {
		esf_store_close(history->store); /* what is wrong with it may be of the file */
		history->store = NULL;
	}
	if (result != ESF_STORE_OK)
		history->retry_at = time(NULL) + RETRY_S;
	return written;
}

/* With the lock: takes up another path. */
static void follow_path(struct esf_history *history)
{
	if (history->opened_revision == history->path_revision)
		return;
	history->opened_revision = history->path_revision;
	memcpy(history->path, history->status.path, sizeof(history->path));
	history->retry_at = history->prune_at = 0;
	history->status.well = true;
	history->status.error[0] = '\0';
	pthread_mutex_unlock(&history->lock);
	esf_store_close(history->store);
	history->store = NULL;
	if (history->path[0] != '\0')
		attempt(history, NULL);
	pthread_mutex_lock(&history->lock);
}

static void drop_first(struct esf_history *history, bool written)
{
	struct esf_history_batch *batch = history->first;
	uint32_t items = items_of(batch);

	history->first = batch->next;
	if (history->first == NULL)
		history->last = NULL;
	history->status.queued -= items;
	history->status.batches_over++;
	if (written) {
		history->status.written += items;
		history->status.last_written = time(NULL) * NS_PER_S;
	} else {
		history->status.dropped += items;
	}
	esf_history_batch_free(batch);
}

/* With the lock: until there is something to do. */
static void wait_for_work(struct esf_history *history)
{
	struct timespec until = { .tv_sec = time(NULL) + 1 };

	if (history->first == NULL || time(NULL) < history->retry_at)
		pthread_cond_timedwait(&history->changed, &history->lock, &until);
}

/* Only this thread takes batches from the queue, so the first one stays while it is written. */
static void *write_history(void *argument)
{
	struct esf_history *history = argument;

	pthread_mutex_lock(&history->lock);
	while (!history->stopping) {
		follow_path(history);
		if (history->first != NULL && history->path[0] == '\0') {
			drop_first(history, false);
		} else if (history->first != NULL && time(NULL) >= history->retry_at) {
			struct esf_history_batch *batch = history->first;
			bool written;

			pthread_mutex_unlock(&history->lock);
			written = attempt(history, batch);
			pthread_mutex_lock(&history->lock);
			if (written)
				drop_first(history, true);
		} else {
			wait_for_work(history);
		}
	}
	for (bool well = history->path[0] != '\0'; history->first != NULL;) {
		struct esf_history_batch *batch = history->first;

		pthread_mutex_unlock(&history->lock);
		well = well && attempt(history, batch);
		pthread_mutex_lock(&history->lock);
		drop_first(history, well);
	}
	pthread_mutex_unlock(&history->lock);
	return NULL;
}

struct esf_history *esf_history_start(void)
{
	struct esf_history *history = calloc(1, sizeof(*history));

	if (history == NULL)
		return NULL;
	history->status.well = true;
	pthread_mutex_init(&history->lock, NULL);
	pthread_cond_init(&history->changed, NULL);
	if (pthread_create(&history->thread, NULL, write_history, history) == 0)
		return history;
	pthread_cond_destroy(&history->changed);
	pthread_mutex_destroy(&history->lock);
	free(history);
	return NULL;
}

void esf_history_stop(struct esf_history *history)
{
	if (history == NULL)
		return;
	pthread_mutex_lock(&history->lock);
	history->stopping = true;
	pthread_cond_signal(&history->changed);
	pthread_mutex_unlock(&history->lock);
	pthread_join(history->thread, NULL);
	if (history->status.dropped > 0)
		fprintf(stderr, "estream-fleetd: history: %llu points and events were not kept\n",
		    (unsigned long long)history->status.dropped);
	esf_store_close(history->store);
	pthread_cond_destroy(&history->changed);
	pthread_mutex_destroy(&history->lock);
	free(history);
}

void esf_history_follow(
    struct esf_history *history, const struct esf_config *config, const struct esf_roster *roster)
{
	const char *file = config->history.file == NULL ? "" : config->history.file;

	history->roster = roster;
	history->remembers = config->state.file != NULL;
	pthread_mutex_lock(&history->lock);
	history->keep_ns = config->history.keep_ns;
	if (strcmp(history->status.path, file) != 0) {
		snprintf(history->status.path, sizeof(history->status.path), "%s", file);
		history->status.on = file[0] != '\0';
		history->path_revision++;
		pthread_cond_signal(&history->changed);
	}
	pthread_mutex_unlock(&history->lock);
}

static void drop(struct esf_history *history, uint64_t items)
{
	pthread_mutex_lock(&history->lock);
	history->status.dropped += items;
	pthread_mutex_unlock(&history->lock);
}

/* Takes the batch over. */
static void queue(struct esf_history *history, struct esf_history_batch *batch)
{
	uint32_t items = items_of(batch);
	bool takes;

	pthread_mutex_lock(&history->lock);
	takes = (items > 0 || batch->piece != 0) && !batch->short_of_memory &&
	        history->status.queued + items <= ESF_HISTORY_QUEUE_MAX;
	if (takes) {
		if (history->last == NULL)
			history->first = batch;
		else
			history->last->next = batch;
		history->last = batch;
		history->status.batches++;
		history->status.queued += items;
		pthread_cond_signal(&history->changed);
	} else {
		history->status.dropped += items;
	}
	pthread_mutex_unlock(&history->lock);
	if (!takes)
		esf_history_batch_free(batch);
}

void esf_history_take(void *context, struct esf_intervals *intervals, uint32_t interval)
{
	struct esf_history *history = context;
	struct esf_history_batch *batch;

	if (history->status.path[0] == '\0') /* only control writes it */
		return;
	batch = esf_history_gather_interval(history->roster, intervals, interval);
	if (batch == NULL)
		return;
	if (history->remembers)
		batch->piece = esf_intervals_piece(intervals);
	queue(history, batch);
}

void esf_history_take_back(
    struct esf_history *history, uint64_t piece, int64_t since, bool running)
{
	struct esf_history_batch *batch;

	if (history->status.path[0] == '\0')
		return;
	batch = esf_history_batch_create();
	if (batch == NULL)
		return;
	batch->takes_back = true;
	batch->piece = piece;
	batch->since = since;
	batch->takes_running = running;
	queue(history, batch);
}

/* More of them in a tick than the log remembers are dropped. */
void esf_history_hear(struct esf_history *history, const struct esf_event_snapshot *events)
{
	uint64_t fresh = events->taken - history->heard;
	uint64_t held = fresh < events->events_count ? fresh : events->events_count;
	struct esf_history_batch *batch;

	history->heard = events->taken;
	if (fresh == 0 || history->status.path[0] == '\0')
		return;
	batch = esf_history_gather_events(history->roster, events, (uint32_t)held);
	drop(history, batch == NULL ? fresh : fresh - held);
	if (batch != NULL)
		queue(history, batch);
}

void esf_history_status(struct esf_history *history, struct esf_history_status *out)
{
	pthread_mutex_lock(&history->lock);
	*out = history->status;
	pthread_mutex_unlock(&history->lock);
}

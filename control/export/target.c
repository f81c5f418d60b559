/* SPDX-License-Identifier: Apache-2.0 */
#include "control/export/target.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "control/export/outcome.h"
#include "control/export/push.h"
#include "control/export/spool.h"

#define NS_PER_S INT64_C(1000000000)
#define RETRY_MIN_NS (NS_PER_S / 2)
#define RETRY_MAX_NS (30 * NS_PER_S)
#define REFUSALS_SAID_EVERY_NS (600 * NS_PER_S)

enum { SINGLES_MAX = 16 };

struct esf_target {
	struct esf_target_settings *settings;
	struct esf_push *push;
	struct esf_spool *spool; /* NULL: its file can't be opened */
	int64_t open_at;         /* when it is tried again */

	bool busy;
	uint32_t points;  /* of the request under way */
	uint32_t limit;   /* points of the next one: less than a batch while a bad one is sought */
	uint32_t singles; /* points refused in a row */
	int64_t began;    /* the last request */
	int64_t wait_ns;  /* before the next try; 0: the server answers */
	int64_t retry_at;
	int64_t say_refusal_at;

	struct esf_target_status status; /* queued and the spool's are read from it */
};

static void say(const struct esf_target *target, const char *what, const char *detail)
{
	fprintf(stderr, "estream-fleetd: export %s: %s%s\n", target->settings->name, what, detail);
}

/* Says a failure once, when it begins or is another one. */
static void note_failure(struct esf_target *target, const char *error)
{
	struct esf_target_status *status = &target->status;

	if (status->well || strcmp(status->error, error) != 0)
		say(target, error, "; what waits is kept as far as the spool has room");
	status->well = false;
	snprintf(status->error, sizeof(status->error), "%s", error);
}

static void note_success(struct esf_target *target)
{
	if (!target->status.well)
		say(target, "goes on", "");
	target->status.well = true;
	target->status.error[0] = '\0';
	target->wait_ns = 0;
}

/* Each may be refused in words of its own. */
static void note_refusal(struct esf_target *target, const char *why, int64_t now)
{
	struct esf_target_status *status = &target->status;

	if (now >= target->say_refusal_at) {
		say(target, "points are refused for good: ", why);
		target->say_refusal_at = now + REFUSALS_SAID_EVERY_NS;
	}
	snprintf(status->refusal, sizeof(status->refusal), "%s", why);
}

static void open_spool(struct esf_target *target, int64_t now)
{
	const struct esf_target_settings *settings = target->settings;
	char error[ESF_SPOOL_ERROR_SIZE] = "out of memory";

	if (target->spool != NULL || now < target->open_at)
		return;
	target->open_at = now + 2 * NS_PER_S;
	if (esf_spool_open(settings->spool_size, settings->spool_file, &target->spool, error) !=
	    0) {
		note_failure(target, error);
		return;
	}
	target->status.recovered += esf_spool_points(target->spool);
	if (target->status.error[0] != '\0')
		note_success(target);
}

struct esf_target *esf_target_create(struct esf_target_settings *settings, CURLM *multi)
{
	struct esf_target *target = calloc(1, sizeof(*target));

	if (target != NULL)
		target->push = esf_push_create(multi, target);
	if (target == NULL || target->push == NULL) {
		free(target);
		esf_target_settings_free(settings);
		return NULL;
	}
	target->settings = settings;
	target->limit = settings->batch;
	target->status.well = true;
	target->open_at = INT64_MIN;
	target->say_refusal_at = INT64_MIN;
	return target;
}

void esf_target_destroy(struct esf_target *target)
{
	uint64_t queued = target->spool == NULL ? 0 : esf_spool_points(target->spool);
	char text[64];

	snprintf(text, sizeof(text), "%" PRIu64 " points were not sent", queued);
	if (queued > 0)
		say(target, text,
		    target->settings->spool_file == NULL ? " and are lost"
		                                         : "; they stay in the spool's file");
	esf_push_destroy(target->push);
	esf_spool_close(target->spool);
	esf_target_settings_free(target->settings);
	free(target);
}

static bool same_text(const char *a, const char *b)
{
	return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

/* The records of one spool, put to another or counted as lost. */
static void move_spool(struct esf_target *target, struct esf_spool *from)
{
	char *lines = malloc(ESF_SPOOL_RECORD_MAX);
	uint64_t lost = 0, pushed = 0;
	int64_t points = 0;
	size_t size;

	while (lines != NULL && target->spool != NULL &&
	       (points = esf_spool_take(
	            from, UINT32_MAX, lines, ESF_SPOOL_RECORD_MAX, &size, &lost)) > 0) {
		if (esf_spool_add(
		        target->spool, lines, (uint32_t)size, (uint32_t)points, &pushed) != 0)
			target->status.lost += (uint64_t)points;
		target->status.no_room += pushed;
		esf_spool_done(from);
	}
	target->status.lost += lost + esf_spool_points(from);
	esf_spool_close(from);
	free(lines);
}

/* The same file with another size: its points were counted when they came. */
static void resize_spool(struct esf_target *target)
{
	struct esf_target_status *status = &target->status;
	uint64_t before = target->spool == NULL ? 0 : esf_spool_points(target->spool), after;

	esf_spool_close(target->spool);
	target->spool = NULL;
	target->open_at = INT64_MIN;
	open_spool(target, 0);
	if (target->spool == NULL) {
		status->lost += before; /* found again when it can be opened */
		return;
	}
	after = esf_spool_points(target->spool);
	if (after > before)
		return;
	status->recovered -= after;
	status->no_room += before - after;
}

/* Another spool. What a file holds stays in it, and is no longer of this account. */
static void change_spool(struct esf_target *target, bool was_file)
{
	struct esf_spool *former = target->spool;

	target->spool = NULL;
	target->open_at = INT64_MIN;
	if (former != NULL && was_file) {
		target->status.lost += esf_spool_points(former);
		esf_spool_close(former);
		former = NULL;
	}
	open_spool(target, 0);
	if (former != NULL)
		move_spool(target, former);
}

static void give_up(struct esf_target *target);

void esf_target_use(struct esf_target *target, struct esf_target_settings *settings)
{
	struct esf_target_settings *former = target->settings;
	bool same_place = same_text(former->spool_file, settings->spool_file);
	bool same_size = former->spool_size == settings->spool_size;

	give_up(target);
	target->settings = settings;
	target->limit = settings->batch;
	target->retry_at = 0;
	if (same_place && !same_size && former->spool_file != NULL)
		resize_spool(target);
	else if (!same_place || !same_size)
		change_spool(target, former->spool_file != NULL);
	esf_target_settings_free(former);
}

const struct esf_target_settings *esf_target_settings(const struct esf_target *target)
{
	return target->settings;
}

/* The size of as many whole lines as a record takes, and how many they are. */
static size_t cut_record(const char *text, size_t size, uint32_t *points)
{
	size_t end = 0;

	*points = 0;
	while (end < size) {
		const char *next = memchr(text + end, '\n', size - end);
		size_t behind = (size_t)(next - text) + 1;

		if (behind > ESF_SPOOL_RECORD_MAX)
			break;
		end = behind;
		(*points)++;
	}
	return end;
}

void esf_target_add(struct esf_target *target, struct esf_lines *lines)
{
	struct esf_target_status *status = &target->status;
	uint64_t pushed;
	uint32_t points;
	size_t size;

	status->produced += lines->points + lines->lost;
	status->lost += lines->lost;
	for (size_t at = 0; at < lines->size; at += size) {
		size = cut_record(lines->text + at, lines->size - at, &points);
		pushed = 0;
		if (target->spool == NULL) {
			status->lost += points;
			continue;
		}
		if (esf_spool_add(
		        target->spool, lines->text + at, (uint32_t)size, points, &pushed) != 0) {
			status->lost += points;
			note_failure(target, "the spool can't be written");
		}
		status->no_room += pushed;
	}
	esf_lines_clear(lines);
}

/* What was taken waits again. */
static void put_back(struct esf_target *target)
{
	target->busy = false;
	target->status.no_room += esf_spool_undo(target->spool);
}

/* wait_ns: 0: as long as it takes. */
static void wait_more(struct esf_target *target, const char *error, int64_t now, int64_t wait_ns)
{
	target->status.failures++;
	note_failure(target, error);
	target->wait_ns = target->wait_ns == 0 ? RETRY_MIN_NS : 2 * target->wait_ns;
	if (target->wait_ns > RETRY_MAX_NS)
		target->wait_ns = RETRY_MAX_NS;
	target->retry_at = now + (wait_ns > 0 ? wait_ns : target->wait_ns);
}

static void try_later(struct esf_target *target, const char *error, int64_t now, int64_t wait_ns)
{
	put_back(target);
	wait_more(target, error, now, wait_ns);
}

/* Ends the request under way, as if it had not been made. */
static void give_up(struct esf_target *target)
{
	struct esf_push_result result;

	if (!target->busy)
		return;
	esf_push_end(target->push, CURLE_ABORTED_BY_CALLBACK, &result);
	put_back(target);
}

static void begin(struct esf_target *target, int64_t now)
{
	char error[ESF_TARGET_ERROR_SIZE];
	uint64_t lost;
	size_t size;
	int64_t points = esf_spool_take(target->spool, target->limit, esf_push_body(target->push),
	    ESF_TARGET_BODY_MAX, &size, &lost);

	if (points <= 0) {
		target->status.lost += lost;
		if (points < 0)
			note_failure(target, "the spool can't be read");
		return;
	}
	target->points = (uint32_t)points;
	target->began = now;
	target->status.requests++;
	target->busy = true;
	if (esf_push_begin(target->push, target->settings, size, error) != 0)
		try_later(target, error, now, 0);
}

static int64_t due_at(const struct esf_target *target)
{
	if (target->busy || target->spool == NULL || esf_spool_points(target->spool) == 0)
		return INT64_MAX;
	if (target->wait_ns > 0)
		return target->retry_at;
	if (esf_spool_points(target->spool) >= target->limit)
		return 0;
	return target->began + target->settings->every_ns;
}

int64_t esf_target_work(struct esf_target *target, int64_t now, bool hurry)
{
	int64_t due;

	open_spool(target, now);
	due = due_at(target);
	if (due < INT64_MAX && hurry && target->wait_ns == 0)
		due = 0;
	if (due > now)
		return target->spool == NULL ? target->open_at : due;
	begin(target, now);
	return due_at(target);
}

static void take_success(struct esf_target *target, uint32_t refused)
{
	struct timespec now;

	esf_spool_done(target->spool);
	target->busy = false;
	target->status.sent += target->points - refused;
	target->status.refused += refused;
	clock_gettime(CLOCK_REALTIME, &now);
	target->status.last_sent = now.tv_sec * NS_PER_S + now.tv_nsec;
	target->singles = 0;
	target->limit = target->limit < target->settings->batch / 2 ? 2 * target->limit
	                                                            : target->settings->batch;
}

/* Halves what can't be taken, until it is one point; that one is dropped. Where one after the other
 * is, it may well be no fault of theirs: from then on it is one point a try, with waits as after a
 * failure. */
static void take_refusal(struct esf_target *target, const char *error, int64_t now)
{
	if (target->points > 1) {
		put_back(target);
		target->limit = target->points / 2;
		return;
	}
	esf_spool_done(target->spool);
	target->busy = false;
	target->status.refused++;
	target->limit = 1;
	note_refusal(target, error, now);
	if (++target->singles >= SINGLES_MAX)
		wait_more(target, error, now, 0);
}

void esf_target_answered(CURL *handle, CURLcode code, int64_t now)
{
	struct esf_target *target = esf_push_owner(handle);
	char said[300], error[ESF_TARGET_ERROR_SIZE];
	struct esf_push_result result;
	enum esf_outcome_kind kind;
	uint32_t refused;

	esf_push_end(target->push, code, &result);
	kind = esf_outcome_judge(result.status, result.text, target->points, &refused);
	esf_outcome_said(result.text, said, sizeof(said));
	if (result.status == 0)
		snprintf(error, sizeof(error), "%s", said);
	else
		snprintf(error, sizeof(error), "HTTP %ld%s%s", result.status,
		    said[0] == '\0' ? "" : ": ", said);
	if (kind == ESF_OUTCOME_LATER) {
		try_later(target, error, now, result.retry_after_ns);
		return;
	}
	if (kind == ESF_OUTCOME_REFUSED) {
		take_refusal(target, error, now);
		return;
	}
	note_success(target);
	if (kind == ESF_OUTCOME_PARTLY)
		note_refusal(target, error, now);
	take_success(target, refused);
}

bool esf_target_is_done(const struct esf_target *target)
{
	if (target->busy)
		return false;
	return target->spool == NULL || esf_spool_points(target->spool) == 0 || target->wait_ns > 0;
}

void esf_target_status(const struct esf_target *target, struct esf_target_status *out)
{
	const struct esf_target_settings *settings = target->settings;

	*out = target->status;
	snprintf(out->name, sizeof(out->name), "%s", settings->name);
	snprintf(out->url, sizeof(out->url), "%s", settings->url);
	snprintf(out->spool_file, sizeof(out->spool_file), "%s",
	    settings->spool_file == NULL ? "" : settings->spool_file);
	memcpy(out->levels, settings->levels, sizeof(out->levels));
	out->spool_size = settings->spool_size;
	if (target->spool == NULL)
		return;
	out->queued = esf_spool_points(target->spool);
	out->spool_used = esf_spool_used(target->spool);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include <urcu-qsbr.h>

#include "control/state/parts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "dataplane/remember.h"

/* The thread that writes snapshots: control's part, the shards' as they come, then what can be said
 * only once those are whole. It alone waits for the disk. */

enum { NAP_NS = 1000000, HISTORY_WAIT_MS = 2000 };

static void nap(void)
{
	const struct timespec time = { .tv_nsec = NAP_NS };

	nanosleep(&time, NULL);
}

static bool is_given_up(struct esf_state *state)
{
	bool given_up;

	pthread_mutex_lock(&state->lock);
	given_up = state->given_up;
	pthread_mutex_unlock(&state->lock);
	return given_up;
}

static void put_control(const struct esf_state_job *job, struct esf_state_writer *writer)
{
	struct esf_image_reader in = esf_image_reader(job->control, job->control_size);
	struct esf_image_reader section;
	enum esf_state_kind kind;

	while (in.at < in.end && esf_state_next(&in, &kind, &section))
		esf_state_section(writer, kind, section.at, (uint64_t)(section.end - section.at));
}

/* Whether a shard's ledger in these records says that it is of another instant than its sites. */
static bool holds_inexact(const uint8_t *bytes, uint32_t size)
{
	struct esf_image_reader in = esf_image_reader(bytes, size);

	while (in.at < in.end && !in.bad) {
		uint32_t kind = esf_image_u32(&in), length = esf_image_u32(&in);
		const uint8_t *record = esf_image_take(&in, length);
		struct esf_remembered_ledger ledger;

		if (record == NULL || kind != ESF_REMEMBERED_LEDGER || length != sizeof(ledger))
			continue;
		memcpy(&ledger, record, sizeof(ledger));
		if (!ledger.exact)
			return true;
	}
	return false;
}

/* False: given up. */
static bool put_shards(struct esf_state *state, const struct esf_state_job *job,
    struct esf_state_writer *writer, bool *exact)
{
	uint32_t ordinals[ESF_SHARDS_MAX] = { 0 }, left = job->shards;
	bool over[ESF_SHARDS_MAX] = { false };

	while (left > 0) {
		bool found = false;

		for (uint32_t s = 0; s < job->shards; s++) {
			uint32_t size;
			bool last;
			const uint8_t *bytes = over[s]
			                           ? NULL
			                           : esf_remember_take(state->plane, s,
			                                 job->sequence, ordinals[s], &size, &last);

			if (bytes == NULL)
				continue;
			found = true;
			*exact = *exact && !holds_inexact(bytes, size);
			esf_state_section(writer, ESF_STATE_SHARD, bytes, size);
			esf_remember_give(state->plane, s, &ordinals[s]);
			over[s] = last;
			left -= last;
		}
		if (is_given_up(state))
			return false;
		if (!found)
			nap();
	}
	return true;
}

/* Sites that were learned since control told who is who. */
static void write_learned(const struct esf_learned *learned, uint32_t from, FILE *out)
{
	uint32_t count = esf_learned_count(learned);

	for (uint32_t s = from; s < count; s++) {
		const struct esf_learned_site *site = esf_learned_at(learned, s);

		if (site == NULL)
			continue;
		esf_stream_u32(out, s);
		esf_stream_u32(out, site->id);
		esf_stream_u8(out, site->name_length);
		esf_stream_put(out, site->name, site->name_length);
	}
}

static void write_names(const struct esf_plane *plane, uint32_t shard, FILE *out)
{
	uint32_t count = esf_plane_names_count(plane, shard);

	esf_stream_u32(out, shard);
	esf_stream_u32(out, count);
	for (uint32_t id = 1; id <= count; id++) {
		uint32_t length;
		const char *text = esf_plane_name(plane, shard, id, &length);

		esf_stream_u8(out, (uint8_t)length);
		esf_stream_put(out, text, length);
	}
}

/* Ids in the images are below the counts read now, as the images were made before. */
static bool put_meanings(
    struct esf_state *state, const struct esf_state_job *job, struct esf_state_writer *writer)
{
	for (uint32_t s = 0; s <= job->shards; s++) {
		char *bytes = NULL;
		size_t size = 0;
		FILE *out = open_memstream(&bytes, &size);

		if (out == NULL)
			return false;
		if (s < job->shards)
			write_names(state->plane, s, out);
		else
			write_learned(esf_plane_learned(state->plane), job->told_sites, out);
		if (fclose(out) != 0) {
			free(bytes);
			return false;
		}
		esf_state_section(
		    writer, s < job->shards ? ESF_STATE_NAMES : ESF_STATE_LEARNED, bytes, size);
		free(bytes);
	}
	return true;
}

/* See state.h, step 2. While the history's file can't be written there is nothing to wait for: its
 * queue goes with the process either way. */
static void wait_for_history(struct esf_state *state, uint64_t batches)
{
	struct esf_history_status history;

	for (int ms = 0; ms < HISTORY_WAIT_MS; ms++) {
		esf_history_status(state->history, &history);
		if (!history.on || !history.well || history.batches_over >= batches)
			return;
		nap();
	}
}

static void set_phase(struct esf_state *state, enum esf_state_phase phase)
{
	pthread_mutex_lock(&state->lock);
	state->phase = phase;
	pthread_cond_broadcast(&state->changed);
	pthread_mutex_unlock(&state->lock);
}

static int write_job(
    struct esf_state *state, const struct esf_state_job *job, uint64_t *size, bool *exact)
{
	struct esf_state_writer *writer;
	int error = esf_state_writer_open(job->path, &writer);

	if (error != 0)
		return error;
	*exact = true;
	put_control(job, writer);
	if (!put_shards(state, job, writer, exact)) {
		esf_state_abandon(writer);
		return -ETIMEDOUT;
	}
	set_phase(state, ESF_STATE_STORES);
	if (!put_meanings(state, job, writer)) {
		esf_state_abandon(writer);
		return -ENOMEM;
	}
	wait_for_history(state, job->history_batches);
	return esf_state_commit(writer, job->configuration, job->time, size);
}

/* With the lock: a failure is said once, when it begins or is another one, and its end. */
static void note(struct esf_state *state, const struct esf_state_job *job, int error)
{
	struct esf_state_status *status = &state->status;
	char said[ESF_STATE_ERROR_SIZE] = "";

	if (error == -ETIMEDOUT)
		snprintf(said, sizeof(said), "%.200s: the lcores did not tell their state in time",
		    job->path);
	else if (error != 0)
		snprintf(said, sizeof(said), "%.200s: %s", job->path, strerror(-error));
	if (error == 0 && !status->well)
		fprintf(stderr, "estream-fleetd: snapshot: %s is written again\n", job->path);
	if (error != 0 && (status->well || strcmp(status->error, said) != 0))
		fprintf(stderr, "estream-fleetd: snapshot: %s; tried again\n", said);
	status->well = error == 0;
	status->failures += error != 0;
	memcpy(status->error, said, sizeof(said));
}

static void run_job(struct esf_state *state)
{
	const struct esf_state_job job = state->job;
	uint64_t size = 0;
	bool exact = false;
	int error;

	pthread_mutex_unlock(&state->lock);
	error = write_job(state, &job, &size, &exact);
	pthread_mutex_lock(&state->lock);
	note(state, &job, error);
	if (error == 0) {
		state->status.written++;
		state->status.time = job.time;
		state->status.size = size;
		state->status.exact = exact;
		state->status.duration = esf_state_monotonic() - job.began;
	}
	free(state->job.control);
	state->job.control = NULL;
	state->phase = ESF_STATE_RESTS;
	pthread_cond_broadcast(&state->changed);
}

void *esf_state_store(void *context)
{
	struct esf_state *state = context;

	pthread_setname_np(pthread_self(), "esf-state");
	(void)nice(10); /* of this thread alone */
	rcu_register_thread();
	rcu_thread_offline();
	pthread_mutex_lock(&state->lock);
	while (!state->stopping || state->phase == ESF_STATE_COLLECTS) {
		if (state->phase == ESF_STATE_COLLECTS)
			run_job(state);
		else
			pthread_cond_wait(&state->changed, &state->lock);
	}
	pthread_mutex_unlock(&state->lock);
	rcu_unregister_thread();
	return NULL;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include <urcu-qsbr.h>

#include "control/state/parts.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <sodium.h>

#include "dataplane/remember.h"

#define NS_PER_S INT64_C(1000000000)
#define STOP_NS (60 * NS_PER_S)

enum { STEPS = 64 }; /* at a stop, without a look at the reader */

/* Control holds windows back no longer than three of them, and at least 5 s. */
static int64_t collect_ns(const struct esf_plane *plane)
{
	int64_t ns = 3 * esf_plane_options(plane)->window_ns;

	return ns < 5 * NS_PER_S ? 5 * NS_PER_S : ns < 30 * NS_PER_S ? ns : 30 * NS_PER_S;
}

int64_t esf_state_monotonic(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * NS_PER_S + now.tv_nsec;
}

static int64_t real_time(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return now.tv_sec * NS_PER_S + now.tv_nsec;
}

void esf_state_refuse(struct esf_state *state, const char *why)
{
	char into[4200];
	int error = esf_state_set_aside(state->status.path, into);

	fprintf(stderr, "estream-fleetd: %s: snapshot refused: %s; starting cold%s%s%s\n",
	    state->status.path, why, error == 0 ? "; it is now " : "; it can't be set aside: ",
	    error == 0 ? into : strerror(-error), "");
	state->status.refused++;
}

static void load(struct esf_state *state)
{
	char error[ESF_STATE_ERROR_SIZE];

	if (esf_state_load(state->status.path, &state->image, error) == ESF_STATE_REFUSED)
		esf_state_refuse(state, error);
}

struct esf_state *esf_state_create(const struct esf_config *config)
{
	struct esf_state *state = calloc(1, sizeof(*state));

	if (state == NULL)
		return NULL;
	pthread_mutex_init(&state->lock, NULL);
	pthread_cond_init(&state->changed, NULL);
	state->status.well = true;
	if (config->state.file != NULL) {
		snprintf(state->status.path, sizeof(state->status.path), "%s", config->state.file);
		state->status.on = true;
		load(state);
	}
	return state;
}

static void stop_thread(struct esf_state *state)
{
	if (!state->threaded)
		return;
	pthread_mutex_lock(&state->lock);
	state->stopping = true;
	state->given_up = state->phase == ESF_STATE_COLLECTS;
	pthread_cond_broadcast(&state->changed);
	pthread_mutex_unlock(&state->lock);
	pthread_join(state->thread, NULL);
	state->threaded = false;
}

void esf_state_destroy(struct esf_state *state)
{
	if (state == NULL)
		return;
	stop_thread(state);
	esf_state_image_free(&state->image);
	pthread_cond_destroy(&state->changed);
	pthread_mutex_destroy(&state->lock);
	sodium_memzero(state->hash_key, sizeof(state->hash_key));
	free(state);
}

/* The snapshot's first section begins with it. */
void esf_state_hash_key(struct esf_state *state, uint8_t key[16])
{
	struct esf_image_reader in = esf_image_reader(
	    state->image.bytes, state->image.bytes == NULL ? 0 : state->image.bytes_size);
	struct esf_image_reader meta;
	enum esf_state_kind kind;

	if (!state->has_key) {
		if (state->image.bytes != NULL && esf_state_next(&in, &kind, &meta) &&
		    kind == ESF_STATE_META)
			esf_image_get(&meta, state->hash_key, sizeof(state->hash_key));
		else
			randombytes_buf(state->hash_key, sizeof(state->hash_key));
		state->has_key = true;
	}
	memcpy(key, state->hash_key, sizeof(state->hash_key));
}

/* Signals are the main thread's to take. */
static bool start_thread(struct esf_state *state)
{
	sigset_t all, former;

	if (state->threaded)
		return true;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &former);
	state->threaded = pthread_create(&state->thread, NULL, esf_state_store, state) == 0;
	pthread_sigmask(SIG_SETMASK, &former, NULL);
	return state->threaded;
}

/* With the lock. */
static void fail(struct esf_state *state, const char *why)
{
	if (state->status.well)
		fprintf(stderr, "estream-fleetd: snapshot: %s; tried again\n", why);
	state->status.well = false;
	state->status.failures++;
	snprintf(state->status.error, sizeof(state->status.error), "%s", why);
}

static bool enable(struct esf_state *state, struct esf_plane *plane)
{
	if (!state->enabled)
		state->enabled = esf_remember_enable(plane) == 0;
	return state->enabled && start_thread(state);
}

/* With the lock: asks the shards, and takes down control's own part at once. */
static bool begin(struct esf_state *state, const struct esf_state_subjects *subjects)
{
	struct esf_state_job *job = &state->job;
	struct esf_history_status history;
	int64_t now = real_time();

	esf_history_status(subjects->history, &history);
	*job = (struct esf_state_job){
		.sequence = state->sequence + 1,
		.shards = esf_plane_options(subjects->plane)->shards_count,
		.time = now,
		.began = esf_state_monotonic(),
		.configuration = esf_state_configuration(subjects->config),
		.history_batches = history.batches,
		.told_sites = esf_roster_count(subjects->roster),
	};
	memcpy(job->path, state->status.path, sizeof(job->path));
	if (!enable(state, subjects->plane) || !esf_state_gather(state, subjects, job)) {
		free(job->control);
		job->control = NULL;
		return false;
	}
	state->sequence++;
	state->plane = subjects->plane;
	state->history = subjects->history;
	state->given_up = false;
	state->holds = true;
	esf_plane_hold(subjects->plane);
	esf_remember_ask(
	    subjects->plane, &(struct esf_remember_wish){
	                         .sequence = state->sequence,
	                         .first_window = esf_judge_next(subjects->judge),
	                         .lines_since = now - subjects->config->dedup.line_window_ns,
	                     });
	state->phase = ESF_STATE_COLLECTS;
	pthread_cond_broadcast(&state->changed);
	return true;
}

static void let_go(struct esf_state *state, struct esf_plane *plane)
{
	if (!state->holds)
		return;
	state->holds = false;
	esf_remember_ask(plane, &(struct esf_remember_wish){ .sequence = 0 });
	esf_plane_release(plane);
}

/* With the lock: another path, or none. */
static void follow(struct esf_state *state, const struct esf_config *config)
{
	const char *file = config->state.file == NULL ? "" : config->state.file;

	if (strcmp(state->status.path, file) == 0)
		return;
	snprintf(state->status.path, sizeof(state->status.path), "%s", file);
	state->status.on = file[0] != '\0';
	state->status.well = true;
	state->status.error[0] = '\0';
	state->next = 0;
}

void esf_state_tick(struct esf_state *state, const struct esf_state_subjects *subjects)
{
	int64_t now = esf_state_monotonic();

	pthread_mutex_lock(&state->lock);
	follow(state, subjects->config);
	if (state->phase != ESF_STATE_COLLECTS)
		let_go(state, subjects->plane);
	else if (now - state->job.began > collect_ns(subjects->plane))
		state->given_up = true;
	if (state->next == 0)
		state->next = now + subjects->config->state.every_ns;
	if (state->phase == ESF_STATE_RESTS && state->status.on && now >= state->next) {
		state->next = now + subjects->config->state.every_ns;
		if (!begin(state, subjects))
			fail(state, "out of memory");
	}
	pthread_mutex_unlock(&state->lock);
}

/* With the lock, which it gives up meanwhile. */
static void await_rest(struct esf_state *state)
{
	while (state->phase != ESF_STATE_RESTS)
		pthread_cond_wait(&state->changed, &state->lock);
}

static void run_steps(struct esf_plane *plane)
{
	for (uint32_t s = 0; s < esf_plane_options(plane)->shards_count; s++)
		for (int step = 0; step < STEPS; step++)
			esf_remember_step(esf_plane_shard(plane, s), ESF_REMEMBER_LEISURE);
}

/* No lcore runs the shards any more: this thread does what is left of their part, and nothing waits
 * for windows. */
static void run_shards(struct esf_state *state, struct esf_plane *plane)
{
	const struct timespec nap = { .tv_nsec = 100000 };
	enum esf_state_phase phase;

	do {
		run_steps(plane);
		nanosleep(&nap, NULL);
		pthread_mutex_lock(&state->lock);
		state->given_up = esf_state_monotonic() - state->job.began > STOP_NS;
		phase = state->phase;
		pthread_mutex_unlock(&state->lock);
	} while (phase == ESF_STATE_COLLECTS);
}

static bool is_collecting(struct esf_state *state)
{
	bool collects;

	pthread_mutex_lock(&state->lock);
	collects = state->phase == ESF_STATE_COLLECTS;
	pthread_mutex_unlock(&state->lock);
	return collects;
}

void esf_state_finish(struct esf_state *state, const struct esf_state_subjects *subjects)
{
	bool begun = false;

	rcu_thread_offline();
	if (is_collecting(state))
		run_shards(state, subjects->plane);
	pthread_mutex_lock(&state->lock);
	await_rest(state);
	let_go(state, subjects->plane);
	if (state->status.on) {
		begun = begin(state, subjects);
		if (!begun)
			fail(state, "out of memory");
	}
	pthread_mutex_unlock(&state->lock);
	if (begun) {
		run_shards(state, subjects->plane);
		pthread_mutex_lock(&state->lock);
		await_rest(state);
		let_go(state, subjects->plane);
		pthread_mutex_unlock(&state->lock);
	}
	stop_thread(state);
	rcu_thread_online();
}

void esf_state_status(struct esf_state *state, struct esf_state_status *out)
{
	pthread_mutex_lock(&state->lock);
	*out = state->status;
	pthread_mutex_unlock(&state->lock);
}

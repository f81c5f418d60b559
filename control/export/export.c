/* SPDX-License-Identifier: Apache-2.0 */
#include "control/export/export.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "control/config/export.h"
#include "control/export/encode.h"
#include "control/export/target.h"

#define NS_PER_S INT64_C(1000000000)
#define NS_PER_MS INT64_C(1000000)

enum { STEP_SIZE = 1 << 18 /* bytes of points made between two looks at the network */, NICE = 10 };

static_assert(
    sizeof(((struct esf_exports_status *)0)->targets) / sizeof(struct esf_target_status) ==
        ESF_EXPORTS_MAX,
    "a status for each target");

/* What the configuration wants, for the thread to take up. */
struct wish {
	uint32_t count;
	struct esf_target_settings *settings[ESF_EXPORTS_MAX];
};

struct esf_exports {
	pthread_t thread;
	CURLM *multi;
	pthread_mutex_t lock; /* of what follows up to the next blank line */
	bool stopping;
	struct wish *wish; /* NULL: none that is new */
	uint32_t first, count;
	struct esf_view *views[ESF_EXPORTS_WINDOWS_MAX]; /* those that wait, a ring */
	uint64_t sites;                                  /* of all that wait */
	const struct esf_view *in_hand;
	struct esf_exports_status status;

	/* control */
	const struct esf_config *followed;
	bool has_targets;

	/* the thread */
	uint32_t targets_count;
	struct esf_target *targets[ESF_EXPORTS_MAX];
	struct esf_view *view; /* in hand */
	uint32_t encoded;      /* targets whose points of it are made */
	bool encoding;
	struct esf_encode encode;
	struct esf_lines lines;
};

static int64_t monotonic_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * NS_PER_S + now.tv_nsec;
}

static void wish_free(struct wish *wish)
{
	for (uint32_t i = 0; wish != NULL && i < wish->count; i++)
		esf_target_settings_free(wish->settings[i]);
	free(wish);
}

static struct esf_target *find_target(struct esf_exports *exports, const char *name)
{
	for (uint32_t t = 0; t < exports->targets_count; t++) {
		struct esf_target *target = exports->targets[t];

		if (target != NULL && strcmp(esf_target_settings(target)->name, name) == 0) {
			exports->targets[t] = NULL;
			return target;
		}
	}
	return NULL;
}

/* Targets go on under their name. */
static void fulfil(struct esf_exports *exports, struct wish *wish)
{
	struct esf_target *targets[ESF_EXPORTS_MAX];
	uint32_t count = 0;

	for (uint32_t i = 0; i < wish->count; i++) {
		struct esf_target *target = find_target(exports, wish->settings[i]->name);

		if (target != NULL)
			esf_target_use(target, wish->settings[i]);
		else
			target = esf_target_create(wish->settings[i], exports->multi);
		if (target == NULL)
			fprintf(stderr, "estream-fleetd: export: out of memory for a target\n");
		else
			targets[count++] = target;
	}
	for (uint32_t t = 0; t < exports->targets_count; t++) {
		if (exports->targets[t] != NULL)
			esf_target_destroy(exports->targets[t]);
	}
	memcpy(exports->targets, targets, count * sizeof(targets[0]));
	exports->targets_count = count;
	free(wish);
}

/* Takes up what is new, unless a view is in hand: its points are made for the targets there are. */
static bool take_up(struct esf_exports *exports)
{
	struct wish *wish = NULL;
	bool stopping;

	pthread_mutex_lock(&exports->lock);
	if (exports->view == NULL) {
		wish = exports->wish;
		exports->wish = NULL;
	}
	if (exports->view == NULL && wish == NULL && exports->count > 0) {
		exports->view = exports->views[exports->first];
		exports->in_hand = exports->view;
		exports->first = (exports->first + 1) % ESF_EXPORTS_WINDOWS_MAX;
		exports->count--;
		exports->sites -= exports->view->sites_count;
		exports->encoded = 0;
	}
	stopping = exports->stopping;
	pthread_mutex_unlock(&exports->lock);
	if (wish != NULL)
		fulfil(exports, wish);
	return stopping;
}

/* With the lock. */
static void show(struct esf_exports *exports)
{
	struct esf_exports_status *status = &exports->status;

	status->count = exports->targets_count;
	for (uint32_t t = 0; t < exports->targets_count; t++)
		esf_target_status(exports->targets[t], &status->targets[t]);
}

static void publish(struct esf_exports *exports)
{
	pthread_mutex_lock(&exports->lock);
	show(exports);
	pthread_mutex_unlock(&exports->lock);
}

static void let_view_go(struct esf_exports *exports)
{
	pthread_mutex_lock(&exports->lock);
	show(exports); /* no window stops waiting before its points are shown */
	exports->in_hand = NULL;
	pthread_mutex_unlock(&exports->lock);
	esf_view_free(exports->view);
	exports->view = NULL;
}

/* Some more points of the view in hand. */
static void encode_some(struct esf_exports *exports)
{
	struct esf_target *target;
	bool more = true;

	if (exports->view == NULL)
		return;
	if (exports->encoded == exports->targets_count) {
		let_view_go(exports);
		return;
	}
	target = exports->targets[exports->encoded];
	if (!exports->encoding) {
		const struct esf_target_settings *settings = esf_target_settings(target);

		esf_encode_start(&exports->encode, exports->view, settings->levels, settings->kpis,
		    settings->kpis_count);
		exports->encoding = true;
	}
	while (more && exports->lines.size < STEP_SIZE)
		more = esf_encode_next(&exports->encode, &exports->lines);
	esf_target_add(target, &exports->lines);
	if (more)
		return;
	exports->encoding = false;
	exports->encoded++;
}

/* The network, and the requests that end. */
static void attend(struct esf_exports *exports)
{
	int running, left;
	CURLMsg *message;

	curl_multi_perform(exports->multi, &running);
	while ((message = curl_multi_info_read(exports->multi, &left)) != NULL) {
		if (message->msg == CURLMSG_DONE)
			esf_target_answered(
			    message->easy_handle, message->data.result, monotonic_ns());
	}
}

/* When there is something to do next; hurry: nobody waits for a full batch. */
static int64_t work(struct esf_exports *exports, bool hurry)
{
	int64_t next = INT64_MAX;

	for (uint32_t t = 0; t < exports->targets_count; t++) {
		int64_t due = esf_target_work(exports->targets[t], monotonic_ns(), hurry);

		if (due < next)
			next = due;
	}
	return next;
}

static bool has_windows(struct esf_exports *exports)
{
	bool has;

	pthread_mutex_lock(&exports->lock);
	has = exports->count > 0 || exports->wish != NULL;
	pthread_mutex_unlock(&exports->lock);
	return has || exports->view != NULL;
}

static void wait_until(struct esf_exports *exports, int64_t next)
{
	int64_t wait_ms = 1000, now = monotonic_ns();

	if (has_windows(exports) || next <= now)
		wait_ms = 0;
	else if (next < now + wait_ms * NS_PER_MS)
		wait_ms = (next - now) / NS_PER_MS + 1;
	curl_multi_poll(exports->multi, NULL, 0, (int)wait_ms, NULL);
}

static bool is_done(struct esf_exports *exports)
{
	for (uint32_t t = 0; t < exports->targets_count; t++) {
		if (!esf_target_is_done(exports->targets[t]))
			return false;
	}
	return !has_windows(exports);
}

/* What is left, as far as the time goes. */
static void finish(struct esf_exports *exports)
{
	int64_t until = monotonic_ns() + ESF_EXPORTS_STOP_S * NS_PER_S;

	while (monotonic_ns() < until && !is_done(exports)) {
		take_up(exports);
		encode_some(exports);
		work(exports, true);
		attend(exports);
		wait_until(exports, monotonic_ns() + 20 * NS_PER_MS);
	}
}

static void *run(void *context)
{
	struct esf_exports *exports = context;

	pthread_setname_np(pthread_self(), "esf-export");
	setpriority(
	    PRIO_PROCESS, (id_t)gettid(), NICE); /* of this thread: control shares the core */
	while (!take_up(exports)) {
		int64_t next;

		encode_some(exports);
		next = work(exports, false);
		attend(exports);
		publish(exports);
		wait_until(exports, next);
	}
	finish(exports);
	return NULL;
}

/* Signals are the main thread's to take. */
static int start_thread(struct esf_exports *exports)
{
	sigset_t all, former;
	int error;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &former);
	error = pthread_create(&exports->thread, NULL, run, exports);
	pthread_sigmask(SIG_SETMASK, &former, NULL);
	return error;
}

struct esf_exports *esf_exports_start(void)
{
	struct esf_exports *exports = calloc(1, sizeof(*exports));

	if (exports == NULL)
		return NULL;
	curl_global_init(CURL_GLOBAL_DEFAULT);
	exports->multi = curl_multi_init();
	pthread_mutex_init(&exports->lock, NULL);
	if (exports->multi != NULL && start_thread(exports) == 0)
		return exports;
	curl_multi_cleanup(exports->multi);
	pthread_mutex_destroy(&exports->lock);
	free(exports);
	return NULL;
}

void esf_exports_stop(struct esf_exports *exports)
{
	if (exports == NULL)
		return;
	pthread_mutex_lock(&exports->lock);
	exports->stopping = true;
	pthread_mutex_unlock(&exports->lock);
	curl_multi_wakeup(exports->multi);
	pthread_join(exports->thread, NULL);
	if (exports->view != NULL)
		esf_view_free(exports->view);
	for (; exports->count > 0; exports->count--) {
		esf_view_free(exports->views[exports->first]);
		exports->first = (exports->first + 1) % ESF_EXPORTS_WINDOWS_MAX;
	}
	for (uint32_t t = 0; t < exports->targets_count; t++)
		esf_target_destroy(exports->targets[t]);
	wish_free(exports->wish);
	esf_lines_free(&exports->lines);
	curl_multi_cleanup(exports->multi);
	pthread_mutex_destroy(&exports->lock);
	free(exports);
}

static struct wish *wish_of(const struct esf_config *config)
{
	struct wish *wish = calloc(1, sizeof(*wish));

	for (uint32_t i = 0; wish != NULL && i < config->export_count; i++) {
		wish->settings[i] = esf_target_settings_create(&config->export[i]);
		if (wish->settings[i] == NULL) {
			wish_free(wish);
			return NULL;
		}
		wish->count++;
	}
	return wish;
}

/* Out of memory it is tried again the next time. */
void esf_exports_follow(struct esf_exports *exports, const struct esf_config *config)
{
	struct wish *wish, *former;

	if (config == exports->followed)
		return;
	wish = wish_of(config);
	if (wish == NULL)
		return;
	exports->followed = config;
	exports->has_targets = wish->count > 0;
	pthread_mutex_lock(&exports->lock);
	former = exports->wish;
	exports->wish = wish;
	pthread_mutex_unlock(&exports->lock);
	wish_free(former);
	curl_multi_wakeup(exports->multi);
}

static bool has_room(const struct esf_exports *exports, const struct esf_view *view)
{
	return exports->count < ESF_EXPORTS_WINDOWS_MAX &&
	       (exports->count == 0 || exports->sites + view->sites_count <= ESF_EXPORTS_SITES_MAX);
}

void esf_exports_take(struct esf_exports *exports, struct esf_view *view)
{
	bool takes;

	if (!exports->has_targets)
		return;
	pthread_mutex_lock(&exports->lock);
	takes = has_room(exports, view);
	if (takes) {
		esf_view_hold(view);
		exports->views[(exports->first + exports->count) % ESF_EXPORTS_WINDOWS_MAX] = view;
		exports->count++;
		exports->sites += view->sites_count;
		exports->status.windows++;
	} else {
		exports->status.missed++;
	}
	pthread_mutex_unlock(&exports->lock);
	if (takes)
		curl_multi_wakeup(exports->multi);
}

bool esf_exports_hold(struct esf_exports *exports, const struct esf_config *config)
{
	bool holds;

	if (exports == NULL)
		return false;
	pthread_mutex_lock(&exports->lock);
	holds = exports->in_hand != NULL && exports->in_hand->config == config;
	for (uint32_t i = 0; i < exports->count; i++)
		holds |= exports->views[(exports->first + i) % ESF_EXPORTS_WINDOWS_MAX]->config ==
		         config;
	pthread_mutex_unlock(&exports->lock);
	return holds;
}

struct esf_exports_status *esf_exports_status(struct esf_exports *exports)
{
	struct esf_exports_status *status = malloc(sizeof(*status));

	if (status == NULL)
		return NULL;
	pthread_mutex_lock(&exports->lock);
	*status = exports->status;
	status->waiting = exports->count + (exports->in_hand != NULL);
	pthread_mutex_unlock(&exports->lock);
	return status;
}

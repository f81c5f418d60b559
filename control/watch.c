/* SPDX-License-Identifier: Apache-2.0 */
#include "control/watch.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

enum { FILES_MAX = 2, EVENTS_SIZE = 4096 };

struct watched {
	int folder; /* inotify's number, -1: none */
	char name[NAME_MAX + 1];
};

struct esf_watch {
	int queue; /* -1: nothing is watched */
	uint64_t revision;
	struct watched files[FILES_MAX];
	int64_t due_ns; /* INT64_MAX: nothing has changed */
};

struct esf_watch *esf_watch_create(void)
{
	struct esf_watch *watch = calloc(1, sizeof(*watch));

	if (watch == NULL)
		return NULL;
	watch->queue = -1;
	watch->due_ns = INT64_MAX;
	return watch;
}

static void stop(struct esf_watch *watch)
{
	if (watch->queue >= 0)
		close(watch->queue);
	watch->queue = -1;
}

void esf_watch_destroy(struct esf_watch *watch)
{
	if (watch == NULL)
		return;
	stop(watch);
	free(watch);
}

static void follow(struct esf_watch *watch, struct watched *file, const char *path)
{
	const char *slash = strrchr(path, '/');
	char folder[PATH_MAX] = ".";

	if (slash != NULL)
		snprintf(folder, sizeof(folder), "%.*s", (int)(slash - path) + 1, path);
	snprintf(file->name, sizeof(file->name), "%s", slash == NULL ? path : slash + 1);
	file->folder = inotify_add_watch(watch->queue, folder, IN_CLOSE_WRITE | IN_MOVED_TO);
	if (file->folder < 0)
		fprintf(stderr, "estream-fleetd: %s: can't be watched: %s: reload by hand\n", path,
		    strerror(errno));
}

static void start(struct esf_watch *watch, const struct esf_config *config)
{
	stop(watch);
	for (int i = 0; i < FILES_MAX; i++)
		watch->files[i].folder = -1;
	if (!config->reload.watch)
		return;
	watch->queue = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	if (watch->queue < 0) {
		fprintf(
		    stderr, "estream-fleetd: reload.watch: %s: reload by hand\n", strerror(errno));
		return;
	}
	follow(watch, &watch->files[0], config->path);
	if (config->inventory != NULL)
		follow(watch, &watch->files[1], config->inventory);
}

static bool is_followed(const struct esf_watch *watch, const struct inotify_event *event)
{
	if (event->mask & IN_Q_OVERFLOW)
		return true;
	for (int i = 0; i < FILES_MAX; i++)
		if (watch->files[i].folder == event->wd && event->len > 0 &&
		    strcmp(watch->files[i].name, event->name) == 0)
			return true;
	return false;
}

/* Whether any of what has come concerns the files. */
static bool has_changed(const struct esf_watch *watch)
{
	_Alignas(struct inotify_event) char events[EVENTS_SIZE];
	bool changed = false;
	ssize_t size;

	while (watch->queue >= 0 && (size = read(watch->queue, events, sizeof(events))) > 0) {
		for (ssize_t at = 0; at < size;) {
			const struct inotify_event *event = (const void *)(events + at);

			changed |= is_followed(watch, event);
			at += (ssize_t)(sizeof(*event) + event->len);
		}
	}
	return changed;
}

bool esf_watch_tick(
    struct esf_watch *watch, const struct esf_config *config, uint64_t revision, int64_t now_ns)
{
	if (has_changed(watch))
		watch->due_ns = now_ns + ESF_WATCH_SETTLE_NS;
	if (revision != watch->revision)
		start(watch, config);
	watch->revision = revision;
	if (now_ns < watch->due_ns)
		return false;
	watch->due_ns = INT64_MAX;
	return true;
}

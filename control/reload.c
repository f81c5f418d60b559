/* SPDX-License-Identifier: Apache-2.0 */
#include <urcu-qsbr.h>

#include "control/reload.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "control/fleet/roster.h"
#include "control/listing.h"
#include "control/policy.h"

/* What was in force once and views may still point to. */
struct retired {
	struct retired *next;
	const struct esf_config *seen; /* what such a view has */
	struct esf_config *config;     /* to free; NULL: the first one, which is the caller's */
	struct esf_roster *roster;
	struct rcu_head rcu;
};

/* What is to come into force; the reload's thread makes it, control takes it. */
struct candidate {
	struct esf_config *config;
	struct esf_roster *roster;
	struct esf_policy *policy;
	struct retired *retired; /* for what is in force now */
};

struct esf_reload {
	struct esf_reload_targets targets;
	const struct esf_config *first;
	uint64_t revision; /* written by control while the thread waits for it */
	struct retired *retired;
	pthread_t thread;
	struct esf_listing *listing;    /* the thread's */
	_Atomic uint64_t done, refused; /* the thread's; relaxed, read for show */

	pthread_mutex_t lock; /* of all below, and of none that control does while it waits */
	pthread_cond_t changed;
	bool stopping;
	bool asked;
	bool called, call_compares, answered;
	uint64_t call; /* number of the latest */
	struct esf_reload_result answer;
	struct candidate *ready; /* for control */
	int committed;           /* 1: not yet; else 0 or -errno */
};

void esf_reload_result_free(struct esf_reload_result *result)
{
	free(result->faults);
	esf_difference_free(&result->difference);
}

static void put_faults(FILE *out, const char *path, const struct esf_faults *faults, int result)
{
	for (uint32_t i = 0; i < faults->count; i++)
		fprintf(out, "%s\n", faults->lines[i]);
	if (faults->count == 0)
		fprintf(out, "%s: %s\n", path, strerror(-result));
}

static void candidate_free(struct candidate *candidate, const struct esf_policy *sharer)
{
	esf_policy_destroy(candidate->policy, sharer);
	esf_roster_destroy(candidate->roster);
	esf_config_free(candidate->config);
	free(candidate->retired);
}

static enum esf_reload_outcome list_sites(
    const struct esf_reload *reload, bool compare, struct candidate *candidate, FILE *out)
{
	const char *path = reload->targets.path;
	int error = esf_listing_assign(
	    reload->listing, *reload->targets.config, candidate->config, compare);

	if (error == 0)
		return ESF_RELOAD_DONE;
	if (error != -ENOSPC) {
		fprintf(out, "%s: %s\n", path, strerror(-error));
		return ESF_RELOAD_FAULTY;
	}
	fprintf(out,
	    "%s: sites: got more than %u sites since the start, those removed and learned too: "
	    "list fewer new ones, or restart estream-fleetd\n",
	    path, esf_plane_options(reload->targets.plane)->sites_count);
	return ESF_RELOAD_FIXED;
}

/* The file as it stands, as far as a running plane can take it. */
static enum esf_reload_outcome load(const struct esf_reload *reload, bool compare,
    struct candidate *candidate, struct esf_reload_result *result, FILE *out)
{
	const struct esf_reload_targets *targets = &reload->targets;
	int64_t max_skew_ns = esf_plane_options(targets->plane)->max_skew_ns;
	struct esf_faults faults;
	int error = esf_config_load(targets->path, &candidate->config, &faults);

	for (uint32_t i = 0; i < faults.warnings_count; i++)
		fprintf(stderr, "warning: %s\n", faults.warnings[i]);
	if (error != 0)
		put_faults(out, targets->path, &faults, error);
	esf_faults_free(&faults);
	if (error != 0)
		return ESF_RELOAD_FAULTY;
	result->changed_count =
	    esf_config_changes(*targets->config, candidate->config, result->changed);
	if (compare &&
	    esf_difference_find(*targets->config, candidate->config, &result->difference) != 0)
		fprintf(out, "%s: %s\n", targets->path, strerror(ENOMEM));
	if (esf_config_fixed(*targets->config, candidate->config, max_skew_ns, out) > 0)
		return ESF_RELOAD_FIXED;
	return list_sites(reload, compare, candidate, out);
}

static enum esf_reload_outcome compile(
    const struct esf_reload *reload, struct candidate *candidate, FILE *out)
{
	const struct esf_reload_targets *targets = &reload->targets;
	const struct esf_plane_options *options = esf_plane_options(targets->plane);
	const struct esf_policy_former former = { *targets->config, *targets->policy };
	int error = esf_policy_create(candidate->config, &former, options->shards_count,
	    targets->hash_key, &candidate->policy, out);

	if (error == 0) {
		candidate->roster = esf_roster_create(candidate->config, options->sites_count);
		candidate->retired = calloc(1, sizeof(*candidate->retired));
		if (candidate->roster != NULL && candidate->retired != NULL)
			return ESF_RELOAD_DONE;
		error = -ENOMEM;
	}
	if (error != -EINVAL) /* which has said why */
		fprintf(out, "%s: %s\n", targets->path, strerror(-error));
	return ESF_RELOAD_FAULTY;
}

/* Hands it to control and waits until it is in force. */
static enum esf_reload_outcome commit(
    struct esf_reload *reload, struct candidate *candidate, FILE *out)
{
	int committed;

	pthread_mutex_lock(&reload->lock);
	reload->ready = candidate;
	reload->committed = 1;
	while (reload->committed == 1 && !(reload->stopping && reload->ready != NULL))
		pthread_cond_wait(&reload->changed, &reload->lock);
	reload->ready = NULL;
	committed = reload->committed;
	pthread_mutex_unlock(&reload->lock);
	if (committed == 0)
		return ESF_RELOAD_DONE;
	if (committed == 1)
		return ESF_RELOAD_LATE;
	if (committed == -E2BIG)
		fprintf(out,
		    "%s: signatures: got more than %d distinct codes since the start: restart\n",
		    reload->targets.path, ESF_EVENT_CODES_MAX);
	else
		fprintf(out, "%s: %s\n", reload->targets.path, strerror(-committed));
	return ESF_RELOAD_FAULTY;
}

static void run(struct esf_reload *reload, bool compare, struct esf_reload_result *result)
{
	struct candidate candidate = { 0 };
	size_t size;
	FILE *out;

	*result = (struct esf_reload_result){ .outcome = ESF_RELOAD_FAULTY };
	out = open_memstream(&result->faults, &size);
	if (out != NULL) {
		result->outcome = load(reload, compare, &candidate, result, out);
		if (result->outcome == ESF_RELOAD_DONE)
			result->outcome = compile(reload, &candidate, out);
		if (result->outcome == ESF_RELOAD_DONE)
			result->outcome =
			    compare ? ESF_RELOAD_COMPARED : commit(reload, &candidate, out);
		fclose(out);
	}
	result->revision = reload->revision;
	if (result->outcome == ESF_RELOAD_DONE)
		esf_listing_commit(reload->listing);
	else
		candidate_free(&candidate, *reload->targets.policy);
}

/* The whole of it in one write, as other threads print too. */
static void report(const struct esf_reload_result *result)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (out == NULL)
		return;
	if (result->outcome == ESF_RELOAD_DONE) {
		fprintf(out, "estream-fleetd: reloaded: revision %" PRIu64 "%s", result->revision,
		    result->changed_count == 0 ? ", nothing changed but perhaps keys"
		                               : ", changed:");
		for (uint32_t i = 0; i < result->changed_count; i++)
			fprintf(out, "%s %s", i == 0 ? "" : ",", result->changed[i]);
		fputc('\n', out);
	} else {
		fprintf(out, "%sestream-fleetd: not reloaded: revision %" PRIu64 " goes on\n",
		    result->faults == NULL ? "" : result->faults, result->revision);
	}
	fclose(out);
	fputs(text, stderr);
	free(text);
}

static void count(struct esf_reload *reload, const struct esf_reload_result *result)
{
	_Atomic uint64_t *counter =
	    result->outcome == ESF_RELOAD_DONE ? &reload->done : &reload->refused;

	atomic_fetch_add_explicit(counter, 1, memory_order_relaxed);
}

static void serve_one(struct esf_reload *reload, uint64_t call, bool compare)
{
	struct esf_reload_result result;

	run(reload, compare, &result);
	if (!compare && result.outcome != ESF_RELOAD_LATE) {
		report(&result);
		count(reload, &result);
	}
	pthread_mutex_lock(&reload->lock);
	if (reload->called && reload->call == call) { /* and not one that gave up */
		reload->answer = result;
		reload->answered = true;
		result = (struct esf_reload_result){ .outcome = ESF_RELOAD_LATE };
	}
	pthread_cond_broadcast(&reload->changed);
	pthread_mutex_unlock(&reload->lock);
	esf_reload_result_free(&result);
}

static void *serve(void *context)
{
	struct esf_reload *reload = context;

	pthread_setname_np(pthread_self(), "esf-reload");
	for (;;) {
		bool called, compare;
		uint64_t call;

		pthread_mutex_lock(&reload->lock);
		while (
		    !reload->stopping && !reload->asked && !(reload->called && !reload->answered))
			pthread_cond_wait(&reload->changed, &reload->lock);
		if (reload->stopping) {
			pthread_mutex_unlock(&reload->lock);
			return NULL;
		}
		called = reload->called && !reload->answered;
		compare = called && reload->call_compares;
		call = called ? reload->call : 0;
		if (!called)
			reload->asked = false;
		pthread_mutex_unlock(&reload->lock);
		serve_one(reload, call, compare);
	}
}

/* Signals are the main thread's to take. */
static int start_thread(struct esf_reload *reload)
{
	sigset_t all, former;
	int error;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &former);
	error = pthread_create(&reload->thread, NULL, serve, reload);
	pthread_sigmask(SIG_SETMASK, &former, NULL);
	return error;
}

struct esf_reload *esf_reload_start(const struct esf_reload_targets *targets)
{
	struct esf_reload *reload = calloc(1, sizeof(*reload));

	if (reload == NULL)
		return NULL;
	reload->targets = *targets;
	reload->first = *targets->config;
	reload->revision = (*targets->policy)->revision;
	pthread_mutex_init(&reload->lock, NULL);
	pthread_cond_init(&reload->changed, NULL);
	reload->listing = esf_listing_create(esf_plane_learned(targets->plane));
	if (reload->listing != NULL && start_thread(reload) == 0)
		return reload;
	esf_listing_destroy(reload->listing);
	free(reload);
	return NULL;
}

void esf_reload_stop(struct esf_reload *reload)
{
	if (reload == NULL)
		return;
	pthread_mutex_lock(&reload->lock);
	reload->stopping = true;
	pthread_cond_broadcast(&reload->changed);
	pthread_mutex_unlock(&reload->lock);
	pthread_join(reload->thread, NULL);
}

static void retired_free(struct retired *retired)
{
	esf_roster_destroy(retired->roster);
	esf_config_free(retired->config);
	free(retired);
}

static void free_later(struct rcu_head *head)
{
	retired_free(caa_container_of(head, struct retired, rcu));
}

void esf_reload_destroy(struct esf_reload *reload)
{
	if (reload == NULL)
		return;
	rcu_barrier();
	while (reload->retired != NULL) {
		struct retired *retired = reload->retired;

		reload->retired = retired->next;
		retired_free(retired);
	}
	if (*reload->targets.config != reload->first)
		esf_config_free(*reload->targets.config);
	*reload->targets.config = (struct esf_config *)reload->first;
	esf_listing_destroy(reload->listing);
	pthread_cond_destroy(&reload->changed);
	pthread_mutex_destroy(&reload->lock);
	free(reload);
}

void esf_reload_ask(struct esf_reload *reload)
{
	pthread_mutex_lock(&reload->lock);
	reload->asked = true;
	pthread_cond_broadcast(&reload->changed);
	pthread_mutex_unlock(&reload->lock);
}

void esf_reload_call(struct esf_reload *reload, bool compare, struct esf_reload_result *result)
{
	struct timespec until;
	int error = 0;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += ESF_RELOAD_WAIT_S;
	pthread_mutex_lock(&reload->lock);
	reload->called = true;
	reload->call++;
	reload->call_compares = compare;
	reload->answered = false;
	pthread_cond_broadcast(&reload->changed);
	while (!reload->answered && !reload->stopping && error == 0)
		error = pthread_cond_timedwait(&reload->changed, &reload->lock, &until);
	*result = reload->answered ? reload->answer
	                           : (struct esf_reload_result){ .outcome = ESF_RELOAD_LATE };
	reload->called = false;
	reload->answered = false;
	pthread_mutex_unlock(&reload->lock);
}

/* No event of the former policy can come after the grace period, and one drain takes all that a
 * shard holds. */
static void put_in_force(struct esf_reload *reload, struct candidate *candidate)
{
	struct esf_reload_targets *targets = &reload->targets;
	struct esf_policy *former = esf_plane_set_policy(targets->plane, candidate->policy);
	struct retired *retired = candidate->retired;

	rcu_thread_offline();
	synchronize_rcu();
	rcu_thread_online();
	esf_event_log_drain(targets->events, targets->plane, *targets->roster);
	esf_event_log_commit(targets->events);
	reload->revision = candidate->policy->revision;
	esf_judge_use(targets->judge, candidate->config, reload->revision, candidate->roster);
	retired->seen = *targets->config;
	retired->config = retired->seen == reload->first ? NULL : *targets->config;
	retired->roster = *targets->roster;
	retired->next = reload->retired;
	reload->retired = retired;
	*targets->policy = candidate->policy;
	*targets->config = candidate->config;
	*targets->roster = candidate->roster;
	esf_policy_destroy(former, candidate->policy);
}

static bool is_seen(const struct esf_reload *reload, const struct esf_config *config)
{
	const struct esf_view *open = esf_views_open(reload->targets.views);
	const struct esf_view *closed = esf_views_closed(reload->targets.views);

	return (open != NULL && open->config == config) ||
	       (closed != NULL && closed->config == config) ||
	       esf_exports_hold(reload->targets.exports, config);
}

/* By call_rcu: a reader may still hold a view that is no longer shown. */
static void let_go(struct esf_reload *reload)
{
	struct retired **link = &reload->retired;

	while (*link != NULL) {
		struct retired *retired = *link;

		if (is_seen(reload, retired->seen)) {
			link = &retired->next;
			continue;
		}
		*link = retired->next;
		call_rcu(&retired->rcu, free_later);
	}
}

void esf_reload_tick(struct esf_reload *reload)
{
	struct candidate *candidate;
	int committed;

	let_go(reload);
	pthread_mutex_lock(&reload->lock);
	candidate = reload->ready;
	reload->ready = NULL;
	pthread_mutex_unlock(&reload->lock);
	if (candidate == NULL)
		return;
	committed = esf_event_log_prepare(
	    reload->targets.events, candidate->config, candidate->policy->revision);
	if (committed == 0)
		put_in_force(reload, candidate);
	pthread_mutex_lock(&reload->lock);
	reload->committed = committed;
	pthread_cond_broadcast(&reload->changed);
	pthread_mutex_unlock(&reload->lock);
}

struct esf_reload_counts esf_reload_count(const struct esf_reload *reload)
{
	return (struct esf_reload_counts){
		.done = atomic_load_explicit(&reload->done, memory_order_relaxed),
		.refused = atomic_load_explicit(&reload->refused, memory_order_relaxed),
	};
}

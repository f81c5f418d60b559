/* SPDX-License-Identifier: Apache-2.0 */
#include <urcu-qsbr.h>

#include "control/commands.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "control/api/http.h"
#include "control/export/export.h"
#include "control/fleet/compare.h"
#include "control/fleet/intervals.h"
#include "control/fleet/judge.h"
#include "control/fleet/roster.h"
#include "control/fleet/views.h"
#include "control/history/history.h"
#include "control/incident/event_log.h"
#include "control/policy.h"
#include "control/reload.h"
#include "control/watch.h"
#include "control/sight/telemetry.h"
#include "control/state/state.h"
#include "lcores/launch.h"

/*
 * run: the appliance. Stages are started in the order of struct appliance's members and undone in
 * reverse; the control thread (this one) then ticks once an epoch: clock, watchdog, closed windows,
 * the provisional view.
 */
struct appliance {
	const char *path;
	struct esf_config *config;
	uint8_t hash_key[16];
	uint32_t eal_count;
	char **eal; /* the configuration's, then the command line's */
	struct esf_launch_port *ports;
	struct esf_launch_options options;
	bool eal_started;
	struct esf_plan plan;
	struct esf_policy *policy;
	struct esf_plane *plane;
	struct esf_views *views;
	struct esf_roster *roster;
	struct esf_judge *judge;
	struct esf_intervals *intervals;
	struct esf_history *history;
	struct esf_exports *exports;
	struct esf_state *state;
	struct esf_event_log *events;
	struct esf_launch *launch;
	struct esf_reload *reload;
	struct esf_watch *watch;
	struct esf_http *http;
	bool telemetry_started;
	bool launched;  /* the lcores ran, and have stopped */
	uint64_t stuck; /* lcores reported as stuck */
};

static int fail(const char *what)
{
	fprintf(stderr, "estream-fleetd: %s\n", what);
	return ESF_EXIT_FAILED;
}

static int64_t real_time_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static int gather_options(struct appliance *a, uint32_t eal_count, char *const *eal)
{
	const struct esf_config *config = a->config;

	a->eal_count = config->eal_count + eal_count;
	a->eal = calloc(a->eal_count + 1, sizeof(*a->eal));
	a->ports = calloc(config->ports_count + 1, sizeof(*a->ports));
	if (a->eal == NULL || a->ports == NULL)
		return fail("out of memory");
	for (uint32_t i = 0; i < config->eal_count; i++)
		a->eal[i] = config->eal[i];
	for (uint32_t i = 0; i < eal_count; i++)
		a->eal[config->eal_count + i] = eal[i];
	for (uint32_t i = 0; i < config->ports_count; i++) {
		const struct esf_port_config *port = &config->ports[i];

		a->ports[i].port = port->port;
		a->ports[i].addresses.count = port->addresses_count;
		for (uint32_t j = 0; j < port->addresses_count; j++)
			a->ports[i].addresses.address[j] = port->addresses[j].address;
	}
	a->options = (struct esf_launch_options){
		.program = "estream-fleetd",
		.eal_count = a->eal_count,
		.eal = a->eal,
		.lcores_auto = config->lcores_auto,
		.lcores_count = config->lcores_count,
		.lcores = config->lcores,
		.receive_only_count = config->receive_only_count,
		.receive_only = config->receive_only,
		.ports_count = config->ports_count,
		.ports = a->ports,
		.idle = config->idle.policy,
		.max_sleep_us = config->idle.max_sleep_us,
		.epoch_ns = config->rollup.epoch_ns,
	};
	return ESF_EXIT_OK;
}

static struct esf_state_subjects state_subjects(const struct appliance *a)
{
	return (struct esf_state_subjects){ a->plane, a->judge, a->intervals, a->history, a->roster,
		a->config };
}

static void undo_plane(struct appliance *a)
{
	rcu_barrier();
	esf_event_log_destroy(a->events);
	esf_exports_stop(a->exports);
	esf_history_stop(a->history);
	esf_intervals_destroy(a->intervals);
	esf_judge_destroy(a->judge);
	esf_views_destroy(a->views);
	esf_roster_destroy(a->roster);
	esf_plane_destroy(a->plane);
	esf_policy_destroy(a->policy, NULL);
	a->events = NULL;
	a->exports = NULL;
	a->history = NULL;
	a->intervals = NULL;
	a->judge = NULL;
	a->views = NULL;
	a->roster = NULL;
	a->plane = NULL;
	a->policy = NULL;
}

static int start_plane(struct appliance *a);

/* A snapshot that turns out to be bad has left its traces: all begins anew, with nothing. */
static int recall(struct appliance *a)
{
	const struct esf_state_subjects subjects = state_subjects(a);

	if (esf_state_recall(a->state, &subjects))
		return ESF_EXIT_OK;
	undo_plane(a);
	return start_plane(a);
}

static int start_plane(struct appliance *a)
{
	struct esf_plane_options options = esf_policy_plane_options(a->config, a->hash_key);

	options.shards_count = a->plan.shards_count;
	options.owners = a->plan.owners;
	options.owner_is_receiver = a->plan.owner_is_receiver;
	printf("sites: %u listed, room for %u; %zu bytes each while it sends, %.1f MiB for all\n",
	    options.listed_count, options.sites_count, esf_plane_site_size(&options),
	    (double)(esf_plane_site_size(&options) * options.sites_count) / (1 << 20));
	printf("comparison: at most %" PRIu64 " bytes for each site, %.1f MiB for all\n",
	    esf_compare_site_size(a->config),
	    (double)(esf_compare_site_size(a->config) * options.sites_count) / (1 << 20));
	if (esf_policy_create(
	        a->config, NULL, options.shards_count, a->hash_key, &a->policy, stderr) != 0)
		return fail("the configuration's rules can't be compiled");
	if (esf_plane_create(&options, &a->plane) != 0)
		return fail("out of memory for the sites' state");
	esf_plane_set_policy(a->plane, a->policy);
	a->views = esf_views_create();
	a->roster = esf_roster_create(a->config, options.sites_count);
	if (a->views == NULL || a->roster == NULL)
		return fail("out of memory");
	a->judge = esf_judge_create(a->config, 1, a->roster, a->plane,
	    esf_window_oldest_open(real_time_ns(), options.window_ns, options.windows_open));
	a->events = esf_event_log_create(a->config, 1);
	a->intervals = esf_intervals_create(a->config, options.sites_count);
	a->history = esf_history_start();
	a->exports = esf_exports_start();
	if (a->judge == NULL || a->events == NULL || a->intervals == NULL || a->history == NULL ||
	    a->exports == NULL)
		return fail("out of memory");
	esf_exports_follow(a->exports, a->config);
	esf_history_follow(a->history, a->config, a->roster);
	esf_intervals_on_end(a->intervals, esf_history_take, a->history);
	return recall(a);
}

static int start_reload(struct appliance *a)
{
	const struct esf_reload_targets targets = {
		.path = a->path,
		.hash_key = a->hash_key,
		.plane = a->plane,
		.views = a->views,
		.judge = a->judge,
		.events = a->events,
		.exports = a->exports,
		.config = &a->config,
		.roster = &a->roster,
		.policy = &a->policy,
	};

	a->reload = esf_reload_start(&targets);
	a->watch = esf_watch_create();
	return a->reload == NULL || a->watch == NULL ? fail("out of memory") : ESF_EXIT_OK;
}

static int start_api(struct appliance *a)
{
	struct esf_api_sources sources = {
		.views = a->views,
		.intervals = a->intervals,
		.history = a->history,
		.exports = a->exports,
		.state = a->state,
		.events = a->events,
		.plane = a->plane,
		.launch = a->launch,
		.reload = a->reload,
		.config = a->config,
		.started = real_time_ns(),
	};

	if (esf_http_start(&sources, &a->http, stderr) != 0)
		return ESF_EXIT_FAILED;
	if (esf_telemetry_start(&sources) != 0)
		return fail("DPDK's telemetry commands could not be registered");
	a->telemetry_started = true;
	return ESF_EXIT_OK;
}

static int start(struct appliance *a)
{
	if (a->config->ports_count == 0)
		return fail("ports: got none, want at least one to receive on, "
		            "e.g. ports: [{port: 0, addresses: [10.9.0.2/24]}]");
	a->state = esf_state_create(a->config);
	if (a->state == NULL)
		return fail("out of memory");
	esf_state_hash_key(a->state, a->hash_key);
	if (esf_eal_start(&a->options, stderr) != 0)
		return ESF_EXIT_FAILED;
	a->eal_started = true;
	if (esf_plan_make(&a->options, &a->plan, stderr) != 0)
		return ESF_EXIT_FAILED;
	esf_plan_print(&a->plan, stdout);
	if (start_plane(a) != ESF_EXIT_OK)
		return ESF_EXIT_FAILED;
	if (esf_launch_start(&a->plan, a->plane, &a->launch, stderr) != 0)
		return ESF_EXIT_FAILED;
	if (start_reload(a) != ESF_EXIT_OK)
		return ESF_EXIT_FAILED;
	return start_api(a);
}

/* What was counted, said once more at the end; whether all of it is accounted for. */
static int report(const struct appliance *a)
{
	struct esf_ledger ledger;
	struct esf_mbuf_counts mbufs;
	bool balanced;

	esf_plane_ledger(a->plane, &ledger);
	esf_launch_mbufs(a->launch, &mbufs);
	balanced =
	    esf_ledger_balances(&ledger) && ledger.datagrams_handed == ledger.datagrams_taken;
	printf("stopped: %" PRIu64 " datagrams received, %" PRIu64 " accepted, %" PRIu64
	       " records accepted, ledger %s, %" PRIu64 " of %" PRIu64 " mbufs out\n",
	    ledger.datagrams_received, ledger.datagrams[ESF_DATAGRAM_ACCEPTED],
	    ledger.records[ESF_RECORD_ACCEPTED], balanced ? "balanced" : "NOT balanced",
	    mbufs.in_use, mbufs.total);
	return balanced && mbufs.in_use == 0 ? ESF_EXIT_OK : ESF_EXIT_FAILED;
}

static int stop(struct appliance *a, int result)
{
	esf_reload_stop(a->reload);
	esf_http_stop(a->http);
	if (a->telemetry_started)
		esf_telemetry_stop();
	if (a->launch != NULL) {
		int reported;

		rcu_thread_offline();
		esf_launch_stop(a->launch);
		esf_exports_stop(a->exports);
		a->exports = NULL;
		rcu_thread_online();
		reported = report(a);
		result = result == ESF_EXIT_OK ? reported : result;
		esf_launch_free(a->launch);
		a->launched = true;
	}
	rcu_barrier();
	if (a->launched) {
		const struct esf_state_subjects subjects = state_subjects(a);

		esf_state_finish(a->state, &subjects);
	}
	esf_event_log_destroy(a->events);
	if (a->intervals != NULL && a->history != NULL)
		esf_intervals_flush(a->intervals);
	esf_history_stop(a->history);
	esf_exports_stop(a->exports);
	esf_intervals_destroy(a->intervals);
	esf_judge_destroy(a->judge);
	esf_views_destroy(a->views);
	esf_roster_destroy(a->roster);
	esf_watch_destroy(a->watch);
	esf_reload_destroy(a->reload);
	esf_plane_destroy(a->plane);
	esf_policy_destroy(a->policy, NULL);
	esf_state_destroy(a->state);
	if (a->eal_started)
		esf_eal_stop();
	free(a->ports);
	free(a->eal);
	return result;
}

static int64_t monotonic_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

/* With so many sites that the closing took most of an epoch, the provisional view has its turn in
 * the next one. */
static void close_windows(struct appliance *a, int64_t settled)
{
	int64_t began = monotonic_ns();
	struct esf_view *view;

	while (esf_judge_close(a->judge, settled, &view) == 0 && view != NULL) {
		esf_intervals_take(a->intervals, view);
		esf_exports_take(a->exports, view);
		esf_views_set_closed(a->views, view);
	}
	if (monotonic_ns() - began > a->config->rollup.epoch_ns / 2 &&
	    esf_views_open(a->views) != NULL)
		return;
	view = esf_judge_open(a->judge, settled);
	if (view != NULL)
		esf_views_set_open(a->views, view);
}

static void watch(struct appliance *a)
{
	uint64_t stuck;

	esf_launch_tick(a->launch, &stuck);
	if ((stuck & ~a->stuck) != 0)
		fprintf(stderr,
		    "estream-fleetd: lcores with bits %#" PRIx64
		    " have not finished a pass for two "
		    "epochs: their sites stand still\n",
		    stuck);
	a->stuck = stuck;
}

static bool has_new_file(struct appliance *a)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return esf_watch_tick(a->watch, a->config, a->policy->revision,
	    (int64_t)now.tv_sec * 1000000000 + now.tv_nsec);
}

static void tick_state(struct appliance *a)
{
	const struct esf_state_subjects subjects = state_subjects(a);

	esf_state_tick(a->state, &subjects);
}

/* Ticks until SIGTERM or SIGINT. */
static void tick_until_stopped(struct appliance *a, const sigset_t *signals)
{
	int64_t epoch_ns = a->config->rollup.epoch_ns;
	struct timespec wait = { epoch_ns / 1000000000, epoch_ns % 1000000000 };

	for (;;) {
		int signal_number;
		int64_t settled;

		rcu_thread_offline();
		signal_number = sigtimedwait(signals, NULL, &wait);
		rcu_thread_online();
		if (signal_number == SIGTERM || signal_number == SIGINT)
			return;
		if (signal_number == SIGHUP || has_new_file(a))
			esf_reload_ask(a->reload);
		watch(a);
		esf_reload_tick(a->reload);
		esf_event_log_drain(a->events, a->plane, a->roster);
		esf_history_follow(a->history, a->config, a->roster);
		esf_exports_follow(a->exports, a->config);
		esf_history_hear(a->history, esf_event_log_latest(a->events));
		settled = esf_plane_settled(a->plane);
		if (settled != INT64_MIN)
			close_windows(a, settled);
		if (settled != INT64_MIN)
			tick_state(a);
	}
}

int esf_command_run(const char *config_path, uint32_t eal_count, char *const *eal)
{
	struct appliance a = { 0 };
	sigset_t signals;
	int result;

	/* Blocked before any thread starts, so that only the control thread's sigtimedwait takes
	 * them. */
	sigemptyset(&signals);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGHUP);
	pthread_sigmask(SIG_BLOCK, &signals, NULL);
	signal(SIGPIPE, SIG_IGN);
	setvbuf(stdout, NULL, _IOLBF, 0);

	a.path = config_path;
	a.config = esf_command_load(config_path, &result);
	if (a.config == NULL)
		return result;
	rcu_register_thread();
	result = gather_options(&a, eal_count, eal);
	if (result == ESF_EXIT_OK)
		result = start(&a);
	if (result == ESF_EXIT_OK) {
		printf("ready: http://%s:%u/\n", a.config->http.address, a.config->http.port);
		tick_until_stopped(&a, &signals);
	}
	result = stop(&a, result);
	rcu_unregister_thread();
	esf_config_free(a.config);
	return result;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include <urcu-qsbr.h>

#include "bench.h"

#include <errno.h>

#include "control/fleet/judge.h"
#include "control/fleet/roster.h"
#include "control/incident/event_log.h"
#include "control/policy.h"
#include "lcores/launch.h"

/* The appliance without its API: what control/run.c starts, ticks and stops. */
struct appliance {
	const struct esf_config *config;
	struct esf_policy *policy;
	struct esf_plane *plane;
	struct esf_roster *roster;
	struct esf_judge *judge;
	struct esf_event_log *events;
	struct esf_launch *launch;
};

static const uint8_t hash_key[16] = "estream bench";

static int fail(const struct esf_bench *bench, const char *what, int error)
{
	fprintf(stderr, "%s: %s\n", bench->program, what);
	return error;
}

static int start_plane(struct esf_bench *bench, struct appliance *a)
{
	struct esf_plane_options options = esf_policy_plane_options(a->config, hash_key);

	options.shards_count = bench->plan.shards_count;
	options.owners = bench->plan.owners;
	options.owner_is_receiver = bench->plan.owner_is_receiver;
	if (esf_policy_create(
	        a->config, NULL, options.shards_count, hash_key, &a->policy, stderr) != 0)
		return fail(bench, "the configuration's rules can't be compiled", -EINVAL);
	if (esf_plane_create(&options, &a->plane) != 0)
		return fail(bench, "out of memory for the sites' state", -ENOMEM);
	esf_plane_set_policy(a->plane, a->policy);
	a->roster = esf_roster_create(a->config, options.sites_count);
	if (a->roster == NULL)
		return fail(bench, "out of memory", -ENOMEM);
	a->judge = esf_judge_create(a->config, 1, a->roster, a->plane,
	    esf_window_oldest_open(
	        esf_clock_now(&bench->clock), options.window_ns, options.windows_open));
	a->events = esf_event_log_create(a->config, 1);
	return a->judge == NULL || a->events == NULL ? fail(bench, "out of memory", -ENOMEM) : 0;
}

/* Judges as control does each epoch; nobody reads the views. */
static void tick(void *context)
{
	struct appliance *a = context;
	struct esf_view *view;
	int64_t settled;

	esf_launch_tick(a->launch, NULL);
	esf_event_log_drain(a->events, a->plane, a->roster);
	settled = esf_plane_settled(a->plane);
	if (settled == INT64_MIN)
		return;
	while (esf_judge_close(a->judge, settled, &view) == 0 && view != NULL)
		esf_view_free(view);
	view = esf_judge_open(a->judge, settled);
	if (view != NULL)
		esf_view_free(view);
}

static void read_ledger(void *context, struct esf_ledger *ledger)
{
	const struct appliance *a = context;

	esf_plane_ledger(a->plane, ledger);
}

static void stop_launch(struct esf_bench *bench, struct appliance *a)
{
	struct esf_events_counts events;
	struct esf_mbuf_counts mbufs;

	if (a->launch == NULL)
		return;
	esf_launch_stop(a->launch);
	esf_plane_ledger(a->plane, &bench->total);
	esf_plane_event_counts(a->plane, &events);
	bench->events_dropped = events.dropped;
	esf_launch_mbufs(a->launch, &mbufs);
	bench->mbufs_in_use = mbufs.in_use;
	esf_launch_free(a->launch);
}

static void free_all(struct appliance *a)
{
	rcu_barrier();
	esf_event_log_destroy(a->events);
	esf_judge_destroy(a->judge);
	esf_roster_destroy(a->roster);
	esf_plane_destroy(a->plane);
	esf_policy_destroy(a->policy, NULL);
}

int esf_bench_run_plane(struct esf_bench *bench)
{
	struct appliance a = { .config = bench->config };
	struct esf_bench_engine engine = { .context = &a, .tick = tick, .ledger = read_ledger };
	int result = start_plane(bench, &a);

	if (result == 0)
		result = esf_launch_start(&bench->plan, a.plane, &a.launch, stderr);
	engine.plane = a.plane;
	engine.launch = a.launch;
	if (result == 0)
		result = bench->measure(bench, &engine);
	stop_launch(bench, &a);
	free_all(&a);
	return result;
}

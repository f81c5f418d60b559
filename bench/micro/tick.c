/* SPDX-License-Identifier: Apache-2.0 */
#include "fleet.h"
#include "micro.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/fleet/compare.h"
#include "control/fleet/health.h"
#include "control/fleet/rollup.h"

/*
 * What control does each epoch: the provisional view of all sites, its rollup and health in it;
 * then those two alone, over the same numbers. A part of the tick gets a row by a run function over
 * struct tick and a line in tick_rows.
 */

enum { LARGE_SAMPLES = 11, SITES_LARGE = 10000 };

struct tick {
	struct fleet fleet;
	struct esf_view *view; /* what the parts read */
	struct esf_site_kpi *kpis;
	struct esf_site_view *sites;
	const struct esf_site_kpi **column;
	double *weights, *scratch;
	struct esf_compare *compare;
};

static struct esf_view *open_view(const struct fleet *fleet)
{
	struct esf_view *view = esf_judge_open(fleet->judge, fleet->now);

	if (view == NULL)
		micro_fail("no view");
	return view;
}

static void run_tick(void *context, uint64_t rounds)
{
	const struct tick *tick = context;

	for (uint64_t i = 0; i < rounds; i++) {
		struct esf_view *view = open_view(&tick->fleet);

		micro_use(view->fleet.reporting);
		esf_view_free(view);
	}
}

static void run_health(void *context, uint64_t rounds)
{
	struct tick *tick = context;
	uint32_t kpis = tick->fleet.config->kpis_count;

	for (uint64_t i = 0; i < rounds; i++)
		for (uint32_t s = 0; s < tick->view->sites_count; s++)
			esf_health_site(
			    tick->fleet.config, tick->kpis + (size_t)s * kpis, &tick->sites[s]);
	micro_use((uintptr_t)tick->sites);
}

/* Of the fleet, all KPIs. */
static void run_rollup(void *context, uint64_t rounds)
{
	struct tick *tick = context;
	uint32_t kpis = tick->fleet.config->kpis_count, sites = tick->view->sites_count;
	struct esf_scope_kpi out;

	for (uint64_t i = 0; i < rounds; i++)
		for (uint32_t k = 0; k < kpis; k++) {
			for (uint32_t s = 0; s < sites; s++)
				tick->column[s] = &tick->kpis[(size_t)s * kpis + k];
			esf_rollup_kpi(tick->column, tick->weights, sites, tick->scratch, &out);
			micro_use(out.samples);
		}
}

/* Windows that close, one after the other, among regions and with baselines. */
static void run_comparison(void *context, uint64_t rounds)
{
	struct tick *tick = context;
	struct esf_view *view = tick->view;

	for (uint64_t i = 0; i < rounds; i++) {
		esf_comparison_free(view->comparison);
		view->comparison = NULL;
		view->start += tick->fleet.config->rollup.window_ns;
		if (esf_compare_close(tick->compare, view) != 0)
			micro_fail("no comparison");
	}
	micro_use((uintptr_t)view->comparison);
}

static void start(struct tick *tick, uint32_t sites, uint32_t kpis)
{
	size_t kpis_all;

	fleet_create(&tick->fleet, sites, kpis);
	tick->view = open_view(&tick->fleet);
	if (tick->view->fleet.reporting != sites)
		micro_fail("not all sites are in the view");
	sites = tick->view->sites_count;
	kpis_all = (size_t)sites * tick->fleet.config->kpis_count;
	tick->kpis = micro_allocate(kpis_all, sizeof(*tick->kpis));
	memcpy(tick->kpis, tick->view->sites[0].kpis, kpis_all * sizeof(*tick->kpis));
	tick->sites = micro_allocate(sites, sizeof(*tick->sites));
	tick->column = micro_allocate(sites, sizeof(struct esf_site_kpi *));
	tick->weights = micro_allocate(sites, sizeof(*tick->weights));
	tick->scratch = micro_allocate(sites, sizeof(*tick->scratch));
	for (uint32_t s = 0; s < sites; s++)
		tick->weights[s] = 1;
	tick->compare = esf_compare_create(tick->fleet.config, tick->view->config_revision, sites);
	if (tick->compare == NULL)
		micro_fail("no memory for comparison");
}

static void stop(struct tick *tick)
{
	esf_compare_destroy(tick->compare);
	esf_view_free(tick->view);
	free(tick->kpis);
	free(tick->sites);
	free((void *)tick->column);
	free(tick->weights);
	free(tick->scratch);
	fleet_destroy(&tick->fleet);
}

/* The floor: the blocks' bytes copied once, from one end to the other. */
static void tick_rows(struct micro *bench, uint32_t sites, uint32_t kpis, double goal_ns)
{
	static const struct {
		const char *name;
		void (*run)(void *context, uint64_t rounds);
	} parts[] = { { "health alone", run_health },
		{ "the fleet's rollup alone", run_rollup },
		{ "comparison alone", run_comparison } };
	const struct micro_goal goal = { .ns = goal_ns };
	struct tick tick;
	char name[48];
	size_t size = (size_t)sites * (kpis + 1) * sizeof(struct esf_acc);
	struct micro_copy copy = { micro_allocate(1, size), micro_allocate(1, size), size };
	struct micro_case ours = { .name = name,
		.operations = 1,
		.single = true,
		.samples_max = sites > SITES_LARGE ? LARGE_SAMPLES : 0,
		.run = run_tick,
		.context = &tick };
	struct micro_case floor = ours;

	floor.name = "memcpy of the blocks";
	floor.run = micro_copy_run;
	floor.context = &copy;
	start(&tick, sites, kpis);
	ours.state = size +
	             (size_t)sites * (sizeof(struct esf_site_view) + sizeof(struct esf_card)) +
	             (size_t)sites * tick.fleet.config->kpis_count * sizeof(struct esf_site_kpi);
	snprintf(name, sizeof(name), "whole, %u x %u", sites, kpis);
	micro_row(bench, "tick", &ours, &floor, &goal);
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		ours.run = parts[i].run;
		snprintf(name, sizeof(name), "%s, %u x %u", parts[i].name, sites, kpis);
		micro_row(bench, "tick", &ours, NULL, NULL);
	}
	stop(&tick);
	free(copy.to);
	free((void *)copy.from);
}

void micro_tick(struct micro *bench)
{
	if (!micro_wants(bench, "tick"))
		return;
	tick_rows(bench, 1000, 16, 1e6);
	if (micro_options(bench)->sites > 1000)
		tick_rows(bench, micro_options(bench)->sites, 6, 1e9);
}

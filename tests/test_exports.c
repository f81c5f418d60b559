/* SPDX-License-Identifier: Apache-2.0 */
#include "control/export/export.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <CUnit/CUnit.h>

#include "control/config/load.h"
#include "control/fleet/pages.h"
#include "suites.h"

/* From control's views to the spools, with no server to be had: what is counted adds up, and a view
 * goes when its last holder does. tests/e2e/export.py has the servers. */
enum { SITES = 3 };

static struct esf_scope_kpi scope_kpis[ESF_KPIS_MAX];
static struct esf_site_kpi site_kpis[ESF_KPIS_MAX];
static struct esf_site_view site_views[SITES];

struct made {
	struct esf_config *config;
	struct esf_roster *roster;
	struct esf_exports *exports;
};

static void set_up(struct made *made, const char *more)
{
	struct esf_faults faults;
	char text[1024];

	snprintf(text, sizeof(text),
	    "domain: custom\nkpis: [{name: heat, weight: 0}]\n"
	    "sites: [{id: 1, name: a}, {id: 2, name: b}, {id: 3, name: c}]\nexport:\n%s",
	    more);
	CU_ASSERT_EQUAL_FATAL(
	    esf_config_load_memory("t", text, strlen(text), &made->config, &faults), 0);
	esf_faults_free(&faults);
	for (uint32_t k = 0; k < made->config->kpis_count; k++) {
		scope_kpis[k] = (struct esf_scope_kpi){ .mean = 1 };
		site_kpis[k] = (struct esf_site_kpi){ .mean = 1 };
	}
	for (uint32_t s = 0; s < SITES; s++)
		site_views[s] = (struct esf_site_view){ .health = NAN, .kpis = site_kpis };
	made->roster = esf_roster_create(made->config, SITES);
	made->exports = esf_exports_start();
	CU_ASSERT_FATAL(made->roster != NULL && made->exports != NULL);
	esf_exports_follow(made->exports, made->config);
}

static void tear_down(struct made *made)
{
	esf_exports_stop(made->exports);
	esf_roster_destroy(made->roster);
	esf_config_free(made->config);
}

/* As control does: its own hold ends at once. */
static void close_window(struct made *made, int64_t window)
{
	struct esf_view *view = esf_pages_zeroed(sizeof(*view));

	CU_ASSERT_PTR_NOT_NULL_FATAL(view);
	*view = (struct esf_view){ .closed = true,
		.start = window * 1000,
		.config = made->config,
		.roster = made->roster,
		.fleet = { .name = "fleet", .kpis = scope_kpis },
		.sites_count = SITES,
		.sites = site_views };
	atomic_init(&view->holders, 1);
	esf_exports_take(made->exports, view);
	esf_view_free(view);
}

/* Once all that was taken is made, and shown. */
static struct esf_exports_status *status_when(struct made *made, uint32_t target, uint64_t produced)
{
	for (int i = 0; i < 2000; i++) {
		struct esf_exports_status *status = esf_exports_status(made->exports);

		CU_ASSERT_PTR_NOT_NULL_FATAL(status);
		if (status->waiting == 0 && status->count > target &&
		    status->targets[target].produced >= produced)
			return status;
		free(status);
		usleep(5000);
	}
	return esf_exports_status(made->exports);
}

static bool adds_up(const struct esf_target_status *target)
{
	return target->produced + target->recovered ==
	       target->sent + target->queued + target->no_room + target->refused + target->lost;
}

/* Of a window: heat of the fleet, and the fleet; heat of each site, and each site. comms_quality
 * stands for itself among the KPIs. */
static void windows_become_points_and_wait(void)
{
	struct esf_exports_status *status;
	uint64_t kpis, per_window;
	struct made made;

	set_up(&made, "  - {name: x, url: 'http://127.0.0.1:1/write', levels: [fleet]}\n"
	              "  - {name: y, url: 'http://127.0.0.1:1/write', levels: [site, fleet]}\n");
	kpis = made.config->kpis_count;
	per_window = (kpis + 1) * (SITES + 1);
	for (int64_t w = 0; w < 10; w++)
		close_window(&made, w);
	status = status_when(&made, 1, 10 * per_window);
	CU_ASSERT_EQUAL(status->windows, 10);
	CU_ASSERT_EQUAL(status->missed, 0);
	CU_ASSERT_EQUAL(status->targets[0].produced, 10 * (kpis + 1));
	CU_ASSERT_EQUAL(status->targets[0].queued, 10 * (kpis + 1));
	CU_ASSERT_EQUAL(status->targets[1].produced, 10 * per_window);
	CU_ASSERT_EQUAL(status->targets[1].queued, 10 * per_window);
	CU_ASSERT(adds_up(&status->targets[1]));
	free(status);
	CU_ASSERT_FALSE(esf_exports_hold(made.exports, made.config));
	tear_down(&made);
}

static void a_full_spool_drops_the_oldest_and_counts(void)
{
	struct esf_exports_status *status;
	uint64_t per_window;
	struct made made;

	set_up(&made,
	    "  - {name: x, url: 'http://127.0.0.1:1/write', levels: [site], spool: 64KiB}\n");
	per_window = (made.config->kpis_count + 1) * (uint64_t)SITES;
	for (int64_t w = 0; w < 400; w++) {
		close_window(&made, w);
		if (w % 10 == 9)
			free(status_when(&made, 0, (uint64_t)(w + 1) * per_window));
	}
	status = status_when(&made, 0, 400 * per_window);
	CU_ASSERT_EQUAL(status->targets[0].produced, 400 * per_window);
	CU_ASSERT(status->targets[0].no_room > 0 && status->targets[0].queued > 0);
	CU_ASSERT(status->targets[0].spool_used <= 65536);
	CU_ASSERT(adds_up(&status->targets[0]));
	CU_ASSERT_FALSE(status->targets[0].well);
	free(status);
	tear_down(&made);
}

/* However fast they come, control is not kept: each is taken or missed. */
static void windows_that_find_no_room_are_missed_and_counted(void)
{
	struct esf_exports_status *status;
	struct made made;

	set_up(&made, "  - {name: x, url: 'http://127.0.0.1:1/write', levels: [site]}\n");
	for (int64_t w = 0; w < 20000; w++)
		close_window(&made, w);
	status = status_when(&made, 0, 0);
	CU_ASSERT_EQUAL(status->windows + status->missed, 20000);
	CU_ASSERT_EQUAL(
	    status->targets[0].produced, status->windows * (made.config->kpis_count + 1) * SITES);
	CU_ASSERT(adds_up(&status->targets[0]));
	free(status);
	tear_down(&made);
}

static void without_targets_nothing_is_held(void)
{
	struct esf_exports_status *status;
	struct made made;

	set_up(&made, "  []\n");
	close_window(&made, 1);
	CU_ASSERT_FALSE(esf_exports_hold(made.exports, made.config));
	status = esf_exports_status(made.exports);
	CU_ASSERT_EQUAL(status->windows + status->missed + status->count, 0);
	free(status);
	tear_down(&made);
}

void esf_suite_exports(void)
{
	CU_pSuite suite = CU_add_suite("exports", NULL, NULL);

	CU_ADD_TEST(suite, windows_become_points_and_wait);
	CU_ADD_TEST(suite, a_full_spool_drops_the_oldest_and_counts);
	CU_ADD_TEST(suite, windows_that_find_no_room_are_missed_and_counted);
	CU_ADD_TEST(suite, without_targets_nothing_is_held);
}

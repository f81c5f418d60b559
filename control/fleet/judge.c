/* SPDX-License-Identifier: Apache-2.0 */
#include "control/fleet/judge.h"

#include <errno.h>
#include <stdlib.h>

#include "control/fleet/admission.h"
#include "control/fleet/compare.h"

struct esf_judge {
	const struct esf_config *config;
	uint64_t config_revision;
	struct esf_roster *roster;
	struct esf_plane *plane;
	int64_t next; /* window index */
	struct esf_compare *compare;
	uint32_t *silent; /* by site: closed windows in a row without an accepted record */
};

struct esf_judge *esf_judge_create(const struct esf_config *config, uint64_t config_revision,
    struct esf_roster *roster, struct esf_plane *plane, int64_t from_window)
{
	struct esf_judge *judge = calloc(1, sizeof(*judge));

	if (judge == NULL)
		return NULL;
	judge->config = config;
	judge->config_revision = config_revision;
	judge->roster = roster;
	judge->plane = plane;
	judge->next = from_window;
	judge->silent =
	    calloc(esf_plane_options(plane)->sites_count + (size_t)1, sizeof(*judge->silent));
	judge->compare =
	    esf_compare_create(config, config_revision, esf_plane_options(plane)->sites_count);
	if (judge->silent != NULL && judge->compare != NULL)
		return judge;
	esf_judge_destroy(judge);
	return NULL;
}

void esf_judge_destroy(struct esf_judge *judge)
{
	if (judge == NULL)
		return;
	esf_admission_end(judge->plane);
	esf_compare_destroy(judge->compare);
	free(judge->silent);
	free(judge);
}

void esf_judge_use(struct esf_judge *judge, const struct esf_config *config,
    uint64_t config_revision, struct esf_roster *roster)
{
	judge->config = config;
	judge->config_revision = config_revision;
	judge->roster = roster;
}

/* INT64_MAX where no window is known. */
static int64_t next_window(const struct esf_judge *judge)
{
	return judge->next == INT64_MIN ? esf_plane_first_window(judge->plane) : judge->next;
}

int64_t esf_judge_next_close(const struct esf_judge *judge)
{
	int64_t window = next_window(judge);

	if (window == INT64_MAX)
		return INT64_MAX;
	return esf_window_closes_at(
	    window, judge->config->rollup.window_ns, judge->config->rollup.windows_open);
}

static bool is_closed(const struct esf_judge *judge, int64_t window, int64_t settled)
{
	if (window == INT64_MAX)
		return false;
	if (settled == INT64_MAX)
		return window <= esf_plane_latest_window(judge->plane);
	return esf_judge_next_close(judge) <= settled;
}

int esf_judge_close(struct esf_judge *judge, int64_t settled, struct esf_view **out)
{
	int64_t window = next_window(judge);
	int64_t time = esf_judge_next_close(judge);
	struct esf_view *view;

	*out = NULL;
	esf_roster_learn(judge->roster, esf_plane_learned(judge->plane));
	if (!is_closed(judge, window, settled))
		return 0;
	view = esf_view_build(judge->config, judge->config_revision, judge->roster, judge->plane,
	    window, true, time, judge->silent);
	if (view == NULL || esf_admission_follow(judge->plane, view) != 0 ||
	    esf_compare_close(judge->compare, view) != 0) {
		esf_view_free(view);
		return -ENOMEM;
	}
	for (uint32_t i = 0; i < view->sites_count; i++)
		judge->silent[i] = view->sites[i].silent_windows;
	esf_plane_consume(judge->plane, window);
	judge->next = window + 1;
	*out = view;
	return 0;
}

struct esf_view *esf_judge_open(const struct esf_judge *judge, int64_t settled)
{
	struct esf_view *view;

	esf_roster_learn(judge->roster, esf_plane_learned(judge->plane));
	view = esf_view_build(judge->config, judge->config_revision, judge->roster, judge->plane,
	    esf_window_index(settled, judge->config->rollup.window_ns), false, settled,
	    judge->silent);
	if (view == NULL || esf_compare_open(judge->compare, view) == 0)
		return view;
	esf_view_free(view);
	return NULL;
}

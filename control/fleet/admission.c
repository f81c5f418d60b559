/* SPDX-License-Identifier: Apache-2.0 */
#include <urcu-qsbr.h>

#include "control/fleet/admission.h"

#include <errno.h>
#include <stdlib.h>

static void admission_free(struct rcu_head *head)
{
	free(caa_container_of(head, struct esf_admission, rcu));
}

static bool is_downsampled(const struct esf_view *view, uint32_t site)
{
	return esf_roster_at(view->roster, site) != NULL &&
	       view->sites[site].mode == ESF_DOWNSAMPLE;
}

static bool is_in_force(const struct esf_admission *admission, const struct esf_view *view)
{
	for (uint32_t i = 0; i < view->sites_count; i++) {
		bool downsampled = admission != NULL && admission->downsampled[i];

		if (downsampled != is_downsampled(view, i))
			return false;
	}
	return true;
}

int esf_admission_follow(struct esf_plane *plane, const struct esf_view *view)
{
	uint32_t count = esf_plane_options(plane)->sites_count;
	struct esf_admission *admission, *former;

	if (is_in_force(esf_plane_admission(plane), view))
		return 0;
	admission = calloc(1, sizeof(*admission) + count);
	if (admission == NULL)
		return -ENOMEM;
	for (uint32_t i = 0; i < view->sites_count; i++)
		admission->downsampled[i] = is_downsampled(view, i);
	former = esf_plane_set_admission(plane, admission);
	if (former != NULL)
		call_rcu(&former->rcu, admission_free);
	return 0;
}

void esf_admission_end(struct esf_plane *plane)
{
	free(esf_plane_set_admission(plane, NULL));
}

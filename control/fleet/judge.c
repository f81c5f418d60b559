/* SPDX-License-Identifier: Apache-2.0 */
#include "control/fleet/judge.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "control/fleet/admission.h"
#include "control/fleet/compare.h"
#include "control/state/stream.h"

struct esf_judge {
	const struct esf_config *config;
	uint64_t config_revision;
	struct esf_roster *roster;
	struct esf_plane *plane;
	int64_t next; /* window index */
	struct esf_compare *compare;
	uint32_t *silent;  /* by site: closed windows in a row without an accepted record */
	uint8_t *heard;    /* by site: an accepted record in a closed window */
	uint8_t *statuses; /* by site: enum esf_status, the last known one */
	uint8_t regions[ESF_REGIONS_MAX + 1]; /* the same; "unassigned" behind the config's */
	uint8_t fleet;
	int64_t skip_after, skip_to; /* windows that nobody saw, see esf_judge_recall */
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
	judge->skip_to = INT64_MIN;
	judge->silent =
	    calloc(esf_plane_options(plane)->sites_count + (size_t)1, sizeof(*judge->silent));
	judge->heard = calloc(esf_plane_options(plane)->sites_count + (size_t)1, 1);
	judge->statuses = malloc(esf_plane_options(plane)->sites_count + (size_t)1);
	judge->fleet = ESF_STATUS_UNKNOWN;
	memset(judge->regions, ESF_STATUS_UNKNOWN, sizeof(judge->regions));
	judge->compare =
	    esf_compare_create(config, config_revision, esf_plane_options(plane)->sites_count);
	if (judge->silent != NULL && judge->heard != NULL && judge->statuses != NULL &&
	    judge->compare != NULL) {
		memset(judge->statuses, ESF_STATUS_UNKNOWN,
		    esf_plane_options(plane)->sites_count + (size_t)1);
		return judge;
	}
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
	free(judge->heard);
	free(judge->statuses);
	free(judge);
}

/* A region goes on from its status under its name. */
static void move_regions(struct esf_judge *judge, const struct esf_config *config)
{
	const struct esf_config *old = judge->config;
	uint8_t before[ESF_REGIONS_MAX + 1];

	memcpy(before, judge->regions, sizeof(before));
	memset(judge->regions, ESF_STATUS_UNKNOWN, sizeof(judge->regions));
	for (uint32_t r = 0; r < config->regions_count; r++) {
		for (uint32_t o = 0; o < old->regions_count; o++) {
			if (strcmp(config->regions[r].name, old->regions[o].name) == 0)
				judge->regions[r] = before[o];
		}
	}
	judge->regions[config->regions_count] = before[old->regions_count];
}

void esf_judge_use(struct esf_judge *judge, const struct esf_config *config,
    uint64_t config_revision, struct esf_roster *roster)
{
	move_regions(judge, config);
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

static struct esf_before before_of(const struct esf_judge *judge)
{
	return (struct esf_before){ judge->silent, judge->heard, judge->statuses, judge->regions,
		judge->fleet };
}

/* What is unknown for a while goes on from what it was. */
static void hold(uint8_t *status, enum esf_status now)
{
	if (now != ESF_STATUS_UNKNOWN)
		*status = (uint8_t)now;
}

static void remember(struct esf_judge *judge, const struct esf_view *view)
{
	for (uint32_t i = 0; i < view->sites_count; i++) {
		if (esf_roster_at(view->roster, i) == NULL)
			continue;
		judge->silent[i] = view->sites[i].silent_windows;
		judge->heard[i] |= view->sites[i].reporting;
		hold(&judge->statuses[i], view->sites[i].status);
	}
	for (uint32_t r = 0; r < view->regions_count; r++)
		hold(&judge->regions[r], view->regions[r].status);
	hold(&judge->fleet, view->fleet.status);
}

static void skip(struct esf_judge *judge)
{
	if (judge->next > judge->skip_after && judge->next < judge->skip_to)
		judge->next = judge->skip_to;
}

int esf_judge_close(struct esf_judge *judge, int64_t settled, struct esf_view **out)
{
	int64_t window = next_window(judge);
	int64_t time = esf_judge_next_close(judge);
	struct esf_before before = before_of(judge);
	struct esf_view *view;

	*out = NULL;
	esf_roster_learn(judge->roster, esf_plane_learned(judge->plane));
	if (!is_closed(judge, window, settled))
		return 0;
	view = esf_view_build(judge->config, judge->config_revision, judge->roster, judge->plane,
	    window, true, time, &before);
	if (view == NULL || esf_admission_follow(judge->plane, view) != 0 ||
	    esf_compare_close(judge->compare, view) != 0) {
		esf_view_free(view);
		return -ENOMEM;
	}
	remember(judge, view);
	esf_plane_consume(judge->plane, window);
	judge->next = window + 1;
	skip(judge);
	*out = view;
	return 0;
}

struct esf_view *esf_judge_open(const struct esf_judge *judge, int64_t settled)
{
	struct esf_before before = before_of(judge);
	struct esf_view *view;

	esf_roster_learn(judge->roster, esf_plane_learned(judge->plane));
	view = esf_view_build(judge->config, judge->config_revision, judge->roster, judge->plane,
	    esf_window_index(settled, judge->config->rollup.window_ns), false, settled, &before);
	if (view == NULL || esf_compare_open(judge->compare, view) == 0)
		return view;
	esf_view_free(view);
	return NULL;
}

int64_t esf_judge_next(const struct esf_judge *judge)
{
	return judge->next;
}

struct esf_compare *esf_judge_compare(struct esf_judge *judge)
{
	return judge->compare;
}

void esf_judge_write(const struct esf_judge *judge, FILE *out)
{
	uint32_t sites = esf_roster_count(judge->roster), regions = judge->config->regions_count;

	esf_stream_u8(out, judge->fleet);
	esf_stream_u8(out, judge->regions[regions]);
	esf_stream_u32(out, regions);
	for (uint32_t r = 0; r < regions; r++) {
		esf_stream_text(out, judge->config->regions[r].name);
		esf_stream_u8(out, judge->regions[r]);
	}
	esf_stream_u32(out, sites);
	for (uint32_t s = 0; s < sites; s++) {
		esf_stream_u32(out, judge->silent[s]);
		esf_stream_u8(out, judge->statuses[s]);
	}
}

static uint8_t read_status(struct esf_image_reader *in)
{
	uint8_t status = esf_image_u8(in);

	return status <= ESF_STATUS_UNKNOWN ? status : ESF_STATUS_UNKNOWN;
}

static void read_regions(struct esf_judge *judge, struct esf_image_reader *in)
{
	uint32_t count = esf_image_count(in, ESF_REGIONS_MAX);

	for (uint32_t i = 0; i < count && !in->bad; i++) {
		char name[ESF_STREAM_TEXT_SIZE];
		uint8_t status;

		esf_stream_read_text(in, name);
		status = read_status(in);
		for (uint32_t r = 0; r < judge->config->regions_count; r++)
			if (strcmp(judge->config->regions[r].name, name) == 0)
				judge->regions[r] = status;
	}
}

void esf_judge_read(
    struct esf_judge *judge, struct esf_image_reader *in, const struct esf_site_indexes *indexes)
{
	uint32_t count;

	judge->fleet = read_status(in);
	judge->regions[judge->config->regions_count] = read_status(in);
	read_regions(judge, in);
	count = esf_image_count(in, ESF_SITES_MAX);
	for (uint32_t i = 0; i < count && !in->bad; i++) {
		uint32_t silent = esf_image_u32(in);
		uint8_t status = read_status(in);
		uint32_t site = esf_site_index_now(indexes, i);

		if (site == ESF_NO_SITE)
			continue;
		judge->silent[site] = silent;
		judge->statuses[site] = status;
	}
}

void esf_judge_recall(struct esf_judge *judge, int64_t next, int64_t last)
{
	judge->skip_to = judge->next;
	judge->skip_after = last;
	judge->next = next;
	skip(judge);
}

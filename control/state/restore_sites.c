/* SPDX-License-Identifier: Apache-2.0 */
#include "control/state/restore_parts.h"

#include <stdlib.h>
#include <string.h>

#include "dataplane/learned.h"

/* Who was who, and who that is now: sites by id or name, KPIs and signals by name. */

bool esf_restore_meta(struct restore *r, struct esf_image_reader *in)
{
	const struct esf_config *config = r->subjects->config;
	uint8_t key[16];

	esf_image_get(in, key, sizeof(key));
	r->time = esf_image_i64(in);
	r->window_ns = esf_image_i64(in);
	r->map.sequence_window = esf_image_u32(in);
	r->shards_then = esf_image_count(in, ESF_SHARDS_MAX);
	r->first_window = esf_image_i64(in);
	r->measures_count = esf_image_count(in, ESF_KPIS_MAX);
	for (uint32_t m = 0; m < r->measures_count && !in->bad; m++) {
		char name[ESF_STREAM_TEXT_SIZE];

		esf_stream_read_text(in, name);
		r->measures[m] = -1;
		for (uint32_t k = 0; k < config->kpis_count; k++)
			if (config->kpis[k].measure < config->measures_count &&
			    strcmp(config->kpis[k].name, name) == 0)
				r->measures[m] = (int32_t)config->kpis[k].measure;
	}
	return !in->bad && r->window_ns > 0 && r->shards_then > 0 && r->time > 0 &&
	       r->map.sequence_window >= 64 && r->map.sequence_window <= ESF_SEQUENCE_WINDOW_MAX &&
	       (r->map.sequence_window & (r->map.sequence_window - 1)) == 0 &&
	       r->first_window >= 0 && r->first_window < INT64_MAX / r->window_ns / 2;
}

static bool set_then(struct restore *r, uint32_t index, const struct site_then *site)
{
	if (index >= ESF_SITES_MAX)
		return false;
	if (index >= r->then_room) {
		uint32_t room = index < 512 ? 1024 : 2 * index;
		struct site_then *grown = realloc(r->then, room * sizeof(*grown));

		if (grown == NULL)
			return false;
		memset(grown + r->then_room, 0, (room - r->then_room) * sizeof(*grown));
		r->then = grown;
		r->then_room = room;
	}
	r->then[index] = *site;
	r->then_count = index < r->then_count ? r->then_count : index + 1;
	return true;
}

static struct site_then read_site(struct esf_image_reader *in)
{
	struct site_then site = { .known = true, .id = esf_image_u32(in) };

	site.length = esf_image_u8(in);
	site.name = (const char *)esf_image_take(in, site.length);
	return site;
}

bool esf_restore_sites(struct restore *r, struct esf_image_reader *in)
{
	uint32_t count = esf_image_count(in, ESF_SITES_MAX);

	for (uint32_t i = 0; i < count && !in->bad; i++) {
		struct site_then site;

		if (esf_image_u8(in) == 0)
			continue;
		site = read_site(in);
		if (in->bad || !set_then(r, i, &site))
			return false;
	}
	return !in->bad;
}

bool esf_restore_learned(struct restore *r, struct esf_image_reader *in)
{
	while (in->at < in->end && !in->bad) {
		uint32_t index = esf_image_u32(in);
		struct site_then site = read_site(in);

		if (in->bad || !set_then(r, index, &site))
			return false;
	}
	return !in->bad;
}

bool esf_restore_names(struct restore *r, struct esf_image_reader *in)
{
	uint32_t shard = esf_image_u32(in), count = esf_image_count(in, NAMES_MAX);

	if (in->bad || shard >= ESF_SHARDS_MAX || r->names[shard] != NULL)
		return false;
	r->names[shard] = calloc(count + (size_t)1, sizeof(*r->names[shard]));
	if (r->names[shard] == NULL)
		return false;
	r->names_count[shard] = count;
	for (uint32_t id = 1; id <= count && !in->bad; id++) {
		struct name *name = &r->names[shard][id];

		name->length = esf_image_u8(in);
		name->text = (const char *)esf_image_take(in, name->length);
	}
	return !in->bad;
}

uint32_t esf_restore_name(
    void *context, struct esf_shard *shard, uint32_t shard_then, uint32_t name_then)
{
	struct restore *r = context;
	struct name *name;

	if (shard_then >= ESF_SHARDS_MAX || name_then == 0 ||
	    name_then > r->names_count[shard_then])
		return 0;
	name = &r->names[shard_then][name_then];
	if (shard_then >= esf_plane_options(r->subjects->plane)->shards_count ||
	    shard != esf_plane_shard(r->subjects->plane, shard_then))
		return esf_recall_name(shard, name->text, name->length);
	if (name->now == 0)
		name->now = esf_recall_name(shard, name->text, name->length);
	return name->now;
}

static uint32_t listed_now(const struct esf_directory *directory, const struct site_then *site)
{
	uint32_t now = site->id == 0 ? ESF_NO_SITE : esf_directory_by_id(directory, site->id);

	if (now == ESF_NO_SITE && site->length > 0)
		now = esf_directory_by_name(directory, site->name, site->length);
	return now;
}

/* Sites by their id, else by their name; else learned, where unknown ones are. */
static uint32_t find_now(struct restore *r, const struct site_then *site, uint32_t *spare)
{
	const struct esf_policy *policy = esf_plane_policy(r->subjects->plane);
	struct esf_learned *learned = esf_plane_learned(r->subjects->plane);
	uint32_t now = listed_now(policy->directory, site);

	if (now != ESF_NO_SITE || !policy->learn_sites)
		return now;
	if (site->id != 0)
		return esf_learned_add_id(learned, spare, site->id);
	if (!esf_learned_name_is_sound(site->name, site->length))
		return ESF_NO_SITE;
	return esf_learned_add_name(learned, spare, site->name, site->length);
}

bool esf_restore_indexes(struct restore *r)
{
	uint32_t capacity = esf_plane_options(r->subjects->plane)->sites_count;
	bool *taken = calloc(capacity + (size_t)1, sizeof(*taken));
	uint32_t spare = ESF_SPARE_NONE;

	r->now = calloc(r->then_count + (size_t)1, sizeof(*r->now));
	r->images = calloc(capacity + (size_t)1, sizeof(*r->images));
	r->same_indexes = true;
	for (uint32_t i = 0; taken != NULL && r->now != NULL && i < r->then_count; i++) {
		uint32_t now = r->then[i].known ? find_now(r, &r->then[i], &spare) : ESF_NO_SITE;

		if (now != ESF_NO_SITE && (now >= capacity || taken[now]))
			now = ESF_NO_SITE;
		if (now != ESF_NO_SITE)
			taken[now] = true;
		r->state->status.dropped_sites += r->then[i].known && now == ESF_NO_SITE;
		r->same_indexes = r->same_indexes && (now == i || now == ESF_NO_SITE);
		r->now[i] = now;
	}
	free(taken);
	return taken != NULL && r->now != NULL && r->images != NULL;
}

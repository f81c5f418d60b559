/* SPDX-License-Identifier: Apache-2.0 */
#include "control/fleet/peer_groups.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "control/config/index.h"
#include "control/fleet/comparison.h"

static const char label_prefix[] = "label:";

int esf_peer_groups_create(struct esf_peer_groups *groups, uint32_t capacity)
{
	*groups = (struct esf_peer_groups){
		.capacity = capacity,
		.group = malloc((capacity + (size_t)1) * sizeof(*groups->group)),
		.order = malloc((capacity + (size_t)1) * sizeof(*groups->order)),
		.ends = malloc((capacity + (size_t)1) * sizeof(*groups->ends)),
	};
	if (groups->group != NULL && groups->order != NULL && groups->ends != NULL)
		return 0;
	esf_peer_groups_destroy(groups);
	return -ENOMEM;
}

void esf_peer_groups_destroy(struct esf_peer_groups *groups)
{
	free(groups->group);
	free(groups->order);
	free(groups->ends);
	*groups = (struct esf_peer_groups){ 0 };
}

/* Of a site's labels that of the name; NULL: it has none. */
static const char *label_of(const struct esf_site_config *site, const char *name)
{
	for (uint32_t i = 0; i < site->labels_count; i++) {
		if (strcmp(site->labels[i].name, name) == 0)
			return site->labels[i].value;
	}
	return NULL;
}

/* A group for each value of the label, numbered as they are met. */
static int group_by_label(
    struct esf_peer_groups *groups, const struct esf_roster *roster, const char *name)
{
	uint32_t count = esf_roster_count(roster), next = 0;
	struct esf_arena arena = { 0 };
	struct esf_index values;

	esf_index_create(&values, &arena, count);
	if (arena.exhausted) {
		esf_arena_free(&arena);
		return -ENOMEM;
	}
	for (uint32_t s = 0; s < count; s++) {
		const struct esf_site_config *site = esf_roster_at(roster, s);
		const char *value = site == NULL ? NULL : label_of(site, name);
		uint32_t known;

		groups->group[s] = ESF_NO_PEERS;
		if (value == NULL)
			continue;
		known = esf_index_add(&values, value, strlen(value), next);
		groups->group[s] = known == ESF_INDEX_NONE ? next++ : known;
	}
	groups->groups_count = next;
	esf_arena_free(&arena);
	return 0;
}

static void group_by_region(struct esf_peer_groups *groups, const struct esf_config *config,
    const struct esf_roster *roster)
{
	bool whole = strcmp(config->compare.peers, "fleet") == 0;

	for (uint32_t s = 0; s < esf_roster_count(roster); s++) {
		const struct esf_site_config *site = esf_roster_at(roster, s);

		groups->group[s] = site == NULL ? ESF_NO_PEERS : whole ? 0 : site->region;
	}
	groups->groups_count = whole ? 1 : config->regions_count + 1;
}

/* Counting sort; those without peers come last. */
static void put_in_order(struct esf_peer_groups *groups, const struct esf_roster *roster)
{
	uint32_t sites = esf_roster_count(roster), at = 0;

	memset(groups->ends, 0, groups->groups_count * sizeof(*groups->ends));
	for (uint32_t s = 0; s < sites; s++)
		if (groups->group[s] != ESF_NO_PEERS)
			groups->ends[groups->group[s]]++;
	for (uint32_t g = 0; g < groups->groups_count; g++) {
		uint32_t count = groups->ends[g];

		groups->ends[g] = at;
		at += count;
	}
	for (uint32_t s = 0; s < sites; s++) {
		if (groups->group[s] != ESF_NO_PEERS)
			groups->order[groups->ends[groups->group[s]]++] = s;
		else if (esf_roster_at(roster, s) != NULL)
			groups->order[at++] = s;
	}
	groups->places_count = at;
}

/* ends has room for a group for each site; there may be more regions than sites. */
static int make_room(struct esf_peer_groups *groups, const struct esf_config *config)
{
	uint32_t room =
	    groups->capacity > config->regions_count ? groups->capacity : config->regions_count;
	uint32_t *ends = realloc(groups->ends, (room + (size_t)1) * sizeof(*ends));

	if (ends == NULL)
		return -ENOMEM;
	groups->ends = ends;
	return 0;
}

int esf_peer_groups_fill(struct esf_peer_groups *groups, const struct esf_config *config,
    const struct esf_roster *roster)
{
	const char *peers = config->compare.peers;
	size_t prefix = sizeof(label_prefix) - 1;
	int error = make_room(groups, config);

	if (error == 0 && strncmp(peers, label_prefix, prefix) == 0)
		error = group_by_label(groups, roster, peers + prefix);
	else if (error == 0)
		group_by_region(groups, config, roster);
	if (error == 0)
		put_in_order(groups, roster);
	return error;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "control/fleet/roster.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "control/config/regionmap.h"
#include "control/fleet/maintenance.h"

enum { CHUNK_SITES = 1024 };

struct learned_site {
	struct esf_site_config config;
	char name[ESF_SITE_NAME_MAX + 1];
	uint16_t maintenance;
};

/* Sites made here; they never move. */
struct chunk {
	struct chunk *next;
	uint32_t used;
	struct learned_site sites[CHUNK_SITES];
};

struct esf_roster {
	const struct esf_config *config;
	uint32_t capacity;
	uint32_t count;
	uint32_t known; /* all indexes below it are known; of those above, some may be */
	struct chunk *chunks;
	const struct esf_site_config **sites;
	/*
	 * By name: index + 1, open addressing, at most half full. Stored with release once the site
	 * it leads to is whole; partner: the loads with acquire in find_slot.
	 */
	_Atomic uint32_t *slots;
	uint32_t slots_mask;
	uint8_t key[crypto_shorthash_KEYBYTES]; /* names may be a sender's choice */
};

static uint32_t hash(const struct esf_roster *roster, const char *name)
{
	uint64_t value;

	crypto_shorthash((uint8_t *)&value, (const uint8_t *)name, strlen(name), roster->key);
	return (uint32_t)value;
}

/* The slot that holds the name, or the free one where it would go. */
static _Atomic uint32_t *find_slot(const struct esf_roster *roster, const char *name)
{
	for (uint32_t at = hash(roster, name);; at++) {
		_Atomic uint32_t *slot = &roster->slots[at & roster->slots_mask];
		uint32_t index = atomic_load_explicit(slot, memory_order_acquire);

		if (index == 0 || strcmp(roster->sites[index - 1]->name, name) == 0)
			return slot;
	}
}

static void add(struct esf_roster *roster, uint32_t index, const struct esf_site_config *site)
{
	roster->sites[index] = site;
	atomic_store_explicit(find_slot(roster, site->name), index + 1, memory_order_release);
}

struct esf_roster *esf_roster_create(const struct esf_config *config, uint32_t capacity)
{
	struct esf_roster *roster = calloc(1, sizeof(*roster));
	uint32_t slots = 16;

	if (roster == NULL)
		return NULL;
	while (slots < 2 * (uint64_t)capacity)
		slots *= 2;
	roster->config = config;
	roster->capacity = capacity;
	roster->slots_mask = slots - 1;
	roster->sites = calloc(capacity + (size_t)1, sizeof(struct esf_site_config *));
	roster->slots = calloc(slots, sizeof(*roster->slots));
	if (roster->sites == NULL || roster->slots == NULL) {
		esf_roster_destroy(roster);
		return NULL;
	}
	randombytes_buf(roster->key, sizeof(roster->key));
	for (uint32_t i = 0; i < config->sites_count; i++)
		add(roster, esf_config_slot(config, i), &config->sites[i]);
	roster->count = esf_config_slots_count(config);
	return roster;
}

void esf_roster_destroy(struct esf_roster *roster)
{
	if (roster == NULL)
		return;
	while (roster->chunks != NULL) {
		struct chunk *next = roster->chunks->next;

		free(roster->chunks);
		roster->chunks = next;
	}
	free(roster->sites);
	free((void *)roster->slots);
	free(roster);
}

static struct learned_site *new_site(struct esf_roster *roster)
{
	if (roster->chunks == NULL || roster->chunks->used == CHUNK_SITES) {
		struct chunk *chunk = calloc(1, sizeof(*chunk));

		if (chunk == NULL)
			return NULL;
		chunk->next = roster->chunks;
		roster->chunks = chunk;
	}
	return &roster->chunks->sites[roster->chunks->used++];
}

static void name_site(
    const struct esf_roster *roster, const struct esf_learned_site *from, struct learned_site *site)
{
	if (from->name_length > 0) {
		memcpy(site->name, from->name, from->name_length);
		return;
	}
	snprintf(site->name, sizeof(site->name), "site-%u", from->id);
	if (esf_roster_find(roster, site->name, roster->count) >= 0)
		snprintf(site->name, sizeof(site->name), "etd-%u", from->id);
}

/* A reload may list by name whom it lists elsewhere by id: that one goes by the name. */
static bool is_listed(const struct esf_roster *roster, const struct esf_learned_site *from)
{
	char name[ESF_SITE_NAME_MAX + 1] = "";
	int64_t found;

	memcpy(name, from->name, from->name_length);
	found = from->name_length == 0 ? -1 : esf_roster_find(roster, name, roster->capacity);
	return found >= 0 && !roster->sites[found]->learned;
}

static bool learn(struct esf_roster *roster, uint32_t index, const struct esf_learned_site *from)
{
	struct learned_site *site;

	if (from == NULL || is_listed(roster, from))
		return false;
	site = new_site(roster);
	if (site == NULL)
		return false;
	name_site(roster, from, site);
	site->config = (struct esf_site_config){
		.id = from->id,
		.name = site->name,
		.weight = 1,
		.region =
		    esf_regionmap_find(roster->config, site->name, roster->config->regions_count),
		.learned = true,
		.maintenance = &site->maintenance,
	};
	site->maintenance = esf_maintenance_learned(roster->config, site->name);
	site->config.maintenance_count = site->maintenance != ESF_NO_SCOPE;
	add(roster, index, &site->config);
	return true;
}

void esf_roster_learn(struct esf_roster *roster, const struct esf_learned *learned)
{
	uint32_t count = esf_learned_count(learned);
	bool whole = true;

	for (uint32_t i = roster->known; i < count; i++) {
		if (roster->sites[i] == NULL)
			whole = learn(roster, i, esf_learned_at(learned, i)) && whole;
		if (whole)
			roster->known = i + 1;
	}
	roster->count = count > roster->count ? count : roster->count;
}

const struct esf_config *esf_roster_config(const struct esf_roster *roster)
{
	return roster->config;
}

uint32_t esf_roster_count(const struct esf_roster *roster)
{
	return roster->count;
}

const struct esf_site_config *esf_roster_at(const struct esf_roster *roster, uint32_t index)
{
	return roster->sites[index];
}

int64_t esf_roster_find(const struct esf_roster *roster, const char *name, uint32_t count)
{
	uint32_t index = atomic_load_explicit(find_slot(roster, name), memory_order_acquire);

	return index == 0 || index > count ? -1 : (int64_t)index - 1;
}

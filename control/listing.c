/* SPDX-License-Identifier: Apache-2.0 */
#include "control/listing.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "control/config/slots.h"
#include "dataplane/directory.h"

struct esf_listing {
	struct esf_learned *learned;
	uint32_t spare; /* of esf_learned_add_id */
	/* Reserved, and in no configuration that is in force: the first `used` are in the one
	 * assigned last. */
	uint32_t *reserved;
	uint32_t reserved_count, capacity, used;
	bool learns, compare;
	uint32_t imagined; /* taken by a comparison */
};

struct esf_listing *esf_listing_create(struct esf_learned *learned)
{
	struct esf_listing *listing = calloc(1, sizeof(*listing));

	if (listing == NULL)
		return NULL;
	listing->learned = learned;
	listing->spare = ESF_SPARE_NONE;
	return listing;
}

void esf_listing_destroy(struct esf_listing *listing)
{
	if (listing == NULL)
		return;
	free(listing->reserved);
	free(listing);
}

static uint32_t imagine(struct esf_listing *listing)
{
	uint32_t count = esf_learned_count(listing->learned) + listing->imagined;

	if (count >= esf_learned_capacity(listing->learned))
		return ESF_NO_SITE;
	listing->imagined++;
	return count;
}

static uint32_t reserve(struct esf_listing *listing)
{
	uint32_t slot;

	if (listing->used < listing->reserved_count)
		return listing->reserved[listing->used++];
	if (listing->compare)
		return imagine(listing);
	if (listing->reserved_count == listing->capacity) {
		uint32_t capacity = listing->capacity == 0 ? 64 : 2 * listing->capacity;
		uint32_t *grown = realloc(listing->reserved, capacity * sizeof(*grown));

		if (grown == NULL)
			return ESF_NO_SITE;
		listing->reserved = grown;
		listing->capacity = capacity;
	}
	slot = esf_learned_reserve(listing->learned);
	if (slot != ESF_NO_SITE)
		listing->reserved[listing->reserved_count++] = slot;
	listing->used = listing->reserved_count;
	return slot;
}

static uint32_t learn(struct esf_listing *listing, const struct esf_site_config *site)
{
	uint32_t slot = esf_learned_by_id(listing->learned, site->id);

	if (slot == ESF_NO_SITE)
		slot =
		    esf_learned_by_name(listing->learned, site->name, (uint32_t)strlen(site->name));
	if (slot != ESF_NO_SITE)
		return slot;
	return listing->compare ? imagine(listing)
	                        : esf_learned_add_id(listing->learned, &listing->spare, site->id);
}

static uint32_t fresh(void *context, const struct esf_site_config *site)
{
	struct esf_listing *listing = context;

	return listing->learns ? learn(listing, site) : reserve(listing);
}

int esf_listing_assign(struct esf_listing *listing, const struct esf_config *running,
    struct esf_config *next, bool compare)
{
	listing->learns = next->learn_sites;
	listing->compare = compare;
	listing->imagined = 0;
	listing->used = 0;
	return esf_slots_assign(running, next, fresh, listing);
}

void esf_listing_commit(struct esf_listing *listing)
{
	if (listing->used == 0)
		return;
	listing->reserved_count -= listing->used;
	memmove(listing->reserved, listing->reserved + listing->used,
	    listing->reserved_count * sizeof(*listing->reserved));
	listing->used = 0;
}

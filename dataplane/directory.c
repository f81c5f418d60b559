/* SPDX-License-Identifier: Apache-2.0 */
#include "directory.h"

#include <assert.h>

#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "recent.h"
#include "reserve.h"

/*
 * Three open-addressing tables of site indexes, at most half full, linear probing. A slot keeps the
 * upper half of the key's hash beside the site, so that a probe rarely looks at a site that isn't
 * the one. Ids of a small range are looked up in a plain array instead.
 */
struct directory_slot {
	uint32_t site_plus_1;
	uint32_t tag;
};

struct directory_table {
	struct directory_slot *slots;
	uint32_t mask;
};

struct directory_name {
	uint8_t length;
	char text[ESF_SITE_NAME_MAX];
};

struct esf_directory {
	uint8_t key[16];
	struct esf_directory_ids small_ids;
	uint32_t *by_small_id; /* site + 1 */
	uint64_t *in_row;
	struct directory_table ids, names, addresses;
	uint32_t count;
	struct directory_name *site_names;
	uint32_t *site_ids;
	struct esf_address *address_bytes; /* of entry i of the address table's count */
	uint32_t *address_sites;
};

static uint64_t hash(const struct esf_directory *directory, const void *data, size_t size)
{
	uint64_t value;

	static_assert(crypto_shorthash_BYTES == sizeof(value), "SipHash-2-4 gives 64 bits");
	crypto_shorthash((uint8_t *)&value, data, size, directory->key);
	return value;
}

static int table_init(struct directory_table *table, uint32_t entries)
{
	uint32_t size = 16;

	while (size < 2 * (uint64_t)entries)
		size *= 2;
	table->mask = size - 1;
	table->slots = calloc(size, sizeof(*table->slots));
	return table->slots == NULL ? -1 : 0;
}

static void table_add(struct directory_table *table, uint64_t hashed, uint32_t entry)
{
	uint32_t at = (uint32_t)hashed & table->mask;

	while (table->slots[at].site_plus_1 != 0)
		at = (at + 1) & table->mask;
	table->slots[at] = (struct directory_slot){ entry + 1, (uint32_t)(hashed >> 32) };
}

/* Walks the entries whose tag fits; ESF_NO_SITE behind the last. *at starts as the hash. */
static uint32_t table_next(const struct directory_table *table, uint64_t hashed, uint32_t *at)
{
	for (;; ++*at) {
		const struct directory_slot *slot = &table->slots[*at & table->mask];

		if (slot->site_plus_1 == 0)
			return ESF_NO_SITE;
		if (slot->tag == (uint32_t)(hashed >> 32)) {
			++*at;
			return slot->site_plus_1 - 1;
		}
	}
}

/* The first one listed says where the row would begin. */
static void add_small_id(struct esf_directory *directory, uint32_t id, uint32_t site)
{
	struct esf_directory_ids *ids = &directory->small_ids;

	if (ids->first == 0 && id > site)
		ids->first = id - site;
	if (ids->first != 0 && id - ids->first == site)
		directory->in_row[id / 64] |= UINT64_C(1) << (id % 64);
	directory->by_small_id[id] = site + 1;
}

static void directory_fill(
    struct esf_directory *directory, const struct esf_directory_site *sites, uint32_t count)
{
	uint32_t addresses = 0;

	for (uint32_t i = 0; i < count; i++) {
		const struct esf_directory_site *site = &sites[i];
		struct directory_name *name = &directory->site_names[i];

		if (site->id == 0)
			continue;
		directory->site_ids[i] = site->id;
		if (site->id < directory->small_ids.count)
			add_small_id(directory, site->id, i);
		table_add(&directory->ids, hash(directory, &site->id, sizeof(site->id)), i);
		name->length = (uint8_t)strnlen(site->name, ESF_SITE_NAME_MAX);
		memcpy(name->text, site->name, name->length);
		table_add(&directory->names, hash(directory, name->text, name->length), i);
		for (uint32_t j = 0; j < site->addresses_count; j++, addresses++) {
			directory->address_bytes[addresses] = site->addresses[j];
			directory->address_sites[addresses] = i;
			table_add(&directory->addresses,
			    hash(directory, &site->addresses[j], sizeof(site->addresses[j])),
			    addresses);
		}
	}
}

static size_t small_ids_size(const struct esf_directory *directory)
{
	return directory->small_ids.count * sizeof(uint32_t);
}

struct esf_directory *esf_directory_create(
    const struct esf_directory_site *sites, uint32_t count, const uint8_t key[16])
{
	struct esf_directory *directory = calloc(1, sizeof(*directory));
	uint32_t addresses = 0;

	if (directory == NULL)
		return NULL;
	for (uint32_t i = 0; i < count; i++)
		addresses += sites[i].addresses_count;
	memcpy(directory->key, key, sizeof(directory->key));
	directory->small_ids.count = 4 * count + 1024;
	directory->by_small_id = esf_reserve(small_ids_size(directory));
	directory->in_row = calloc(directory->small_ids.count / 64 + 1, sizeof(uint64_t));
	directory->site_names = calloc(count + 1, sizeof(*directory->site_names));
	directory->site_ids = calloc(count + 1, sizeof(uint32_t));
	directory->address_bytes = calloc(addresses + 1, sizeof(struct esf_address));
	directory->address_sites = calloc(addresses + 1, sizeof(uint32_t));
	if (directory->by_small_id == NULL || directory->in_row == NULL ||
	    directory->site_names == NULL || directory->site_ids == NULL ||
	    directory->address_bytes == NULL || directory->address_sites == NULL ||
	    table_init(&directory->ids, count) != 0 || table_init(&directory->names, count) != 0 ||
	    table_init(&directory->addresses, addresses) != 0) {
		esf_directory_destroy(directory);
		return NULL;
	}
	directory->small_ids.sites_plus_1 = directory->by_small_id;
	directory->small_ids.in_row = directory->in_row;
	directory->count = count;
	directory_fill(directory, sites, count);
	return directory;
}

void esf_directory_destroy(struct esf_directory *directory)
{
	if (directory == NULL)
		return;
	esf_reserve_free(directory->by_small_id, small_ids_size(directory));
	free(directory->in_row);
	free(directory->ids.slots);
	free(directory->names.slots);
	free(directory->addresses.slots);
	free(directory->site_names);
	free(directory->site_ids);
	free(directory->address_bytes);
	free(directory->address_sites);
	free(directory);
}

static __attribute__((noinline)) uint32_t by_large_id(
    const struct esf_directory *directory, uint32_t id)
{
	uint64_t hashed = hash(directory, &id, sizeof(id));
	uint32_t at = (uint32_t)hashed;
	uint32_t site;

	while ((site = table_next(&directory->ids, hashed, &at)) != ESF_NO_SITE)
		if (directory->site_ids[site] == id)
			return site;
	return ESF_NO_SITE;
}

inline struct esf_directory_ids esf_directory_small_ids(const struct esf_directory *directory)
{
	return directory->small_ids;
}

inline uint32_t esf_directory_by_id(const struct esf_directory *directory, uint32_t id)
{
	return id < directory->small_ids.count ? esf_directory_small_id(&directory->small_ids, id)
	                                       : by_large_id(directory, id);
}

uint32_t esf_directory_by_name(
    const struct esf_directory *directory, const char *name, uint32_t length)
{
	uint64_t hashed;
	uint32_t site, at;

	if (length > ESF_SITE_NAME_MAX)
		return ESF_NO_SITE;
	hashed = hash(directory, name, length);
	at = (uint32_t)hashed;
	while ((site = table_next(&directory->names, hashed, &at)) != ESF_NO_SITE) {
		const struct directory_name *known = &directory->site_names[site];

		if (known->length == length && memcmp(known->text, name, length) == 0)
			return site;
	}
	return ESF_NO_SITE;
}

bool esf_directory_is_named(
    const struct esf_directory *directory, uint32_t site, const char *name, uint32_t length)
{
	const struct directory_name *known;

	if (site >= directory->count)
		return false;
	known = &directory->site_names[site];
	return known->length == length && esf_recent_equal(known->text, name, length);
}

uint32_t esf_directory_by_address(
    const struct esf_directory *directory, const struct esf_address *address)
{
	uint64_t hashed = hash(directory, address, sizeof(*address));
	uint32_t at = (uint32_t)hashed;
	uint32_t entry;

	while ((entry = table_next(&directory->addresses, hashed, &at)) != ESF_NO_SITE)
		if (esf_address_equal(&directory->address_bytes[entry], address))
			return directory->address_sites[entry];
	return ESF_NO_SITE;
}

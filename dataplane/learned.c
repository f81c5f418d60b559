/* SPDX-License-Identifier: Apache-2.0 */
#include "learned.h"

#include <arpa/inet.h>
#include <assert.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "reserve.h"
#include "utf8.h"

/* What a slot of the table leads by; 0 is a free slot. */
enum learned_kind { BY_ID = 1, BY_NAME, BY_ADDRESS };

struct learned_entry {
	_Atomic bool whole; /* stored with release by the adder, loaded with acquire by readers */
	struct esf_learned_site site;
	struct esf_address address;
};

/* Ids below small_ids stand in a plain array, all other keys in the table. */
struct esf_learned {
	uint8_t key[16];
	uint32_t first;
	uint32_t capacity;
	uint32_t small_ids;
	uint32_t slots_mask;
	_Atomic uint32_t *by_small_id; /* index + 1 */
	_Atomic uint64_t *slots;       /* tag (30 bits), kind (2), index + 1 (32) */
	struct learned_entry *entries; /* by index - first */
	_Alignas(ESF_CACHE_LINE) _Atomic uint32_t count;
};

/* A key on its way into the table. */
struct learned_key {
	enum learned_kind kind;
	const void *bytes;
	uint32_t size;
};

static size_t slots_size(const struct esf_learned *learned)
{
	return (learned->slots_mask + (size_t)1) * sizeof(*learned->slots);
}

static size_t entries_size(const struct esf_learned *learned)
{
	return (learned->capacity - learned->first + (size_t)1) * sizeof(*learned->entries);
}

static size_t ids_size(const struct esf_learned *learned)
{
	return learned->small_ids * sizeof(*learned->by_small_id);
}

struct esf_learned *esf_learned_create(uint32_t first, uint32_t capacity, const uint8_t key[16])
{
	struct esf_learned *learned = aligned_alloc(ESF_CACHE_LINE, sizeof(*learned));
	uint32_t slots = 64;

	if (learned == NULL)
		return NULL;
	memset(learned, 0, sizeof(*learned));
	memcpy(learned->key, key, sizeof(learned->key));
	learned->first = first;
	learned->capacity = capacity;
	learned->small_ids = 4 * capacity + 1024;
	while (slots < 4 * (uint64_t)(capacity - first)) /* two keys a site, at most half full */
		slots *= 2;
	learned->slots_mask = slots - 1;
	learned->by_small_id = esf_reserve(ids_size(learned));
	learned->slots = esf_reserve(slots_size(learned));
	learned->entries = esf_reserve(entries_size(learned));
	atomic_init(&learned->count, first);
	if (learned->by_small_id != NULL && learned->slots != NULL && learned->entries != NULL)
		return learned;
	esf_learned_destroy(learned);
	return NULL;
}

void esf_learned_destroy(struct esf_learned *learned)
{
	if (learned == NULL)
		return;
	esf_reserve_free((void *)learned->by_small_id, ids_size(learned));
	esf_reserve_free((void *)learned->slots, slots_size(learned));
	esf_reserve_free(learned->entries, entries_size(learned));
	free(learned);
}

static uint64_t hash(const struct esf_learned *learned, const struct learned_key *key)
{
	uint64_t value;

	static_assert(crypto_shorthash_BYTES == sizeof(value), "SipHash-2-4 gives 64 bits");
	crypto_shorthash((uint8_t *)&value, key->bytes, key->size, learned->key);
	return value;
}

static uint64_t slot_value(uint64_t hashed, enum learned_kind kind, uint32_t site)
{
	return (hashed & ~UINT64_C(0x3ffffffff)) | (uint64_t)kind << 32 | (site + 1);
}

static uint32_t slot_site(uint64_t slot)
{
	return (uint32_t)slot - 1;
}

static bool entry_has(const struct learned_entry *entry, const struct learned_key *key)
{
	switch (key->kind) {
	case BY_ID:
		return memcmp(&entry->site.id, key->bytes, key->size) == 0;
	case BY_NAME:
		return entry->site.name_length == key->size &&
		       memcmp(entry->site.name, key->bytes, key->size) == 0;
	case BY_ADDRESS:
		return memcmp(&entry->address, key->bytes, key->size) == 0;
	}
	return false;
}

static bool slot_leads_by(const struct esf_learned *learned, uint64_t slot, uint64_t hashed,
    const struct learned_key *key)
{
	return (slot ^ slot_value(hashed, key->kind, slot_site(slot))) == 0 &&
	       entry_has(&learned->entries[slot_site(slot) - learned->first], key);
}

static uint32_t find(const struct esf_learned *learned, const struct learned_key *key)
{
	uint64_t hashed = hash(learned, key);

	for (uint32_t at = (uint32_t)hashed;; at++) {
		uint64_t slot = atomic_load_explicit(
		    &learned->slots[at & learned->slots_mask], memory_order_acquire);

		if (slot == 0)
			return ESF_NO_SITE;
		if (slot_leads_by(learned, slot, hashed, key))
			return slot_site(slot);
	}
}

/* The site that the key leads to from now on: the given one, or whose adder was faster. */
static uint32_t insert(struct esf_learned *learned, const struct learned_key *key, uint32_t site)
{
	uint64_t hashed = hash(learned, key);

	for (uint32_t at = (uint32_t)hashed;; at++) {
		_Atomic uint64_t *slot = &learned->slots[at & learned->slots_mask];
		uint64_t found = 0;

		if (atomic_compare_exchange_strong_explicit(slot, &found,
		        slot_value(hashed, key->kind, site), memory_order_release,
		        memory_order_acquire))
			return site;
		if (slot_leads_by(learned, found, hashed, key))
			return slot_site(found);
	}
}

uint32_t esf_learned_by_id(const struct esf_learned *learned, uint32_t id)
{
	const struct learned_key key = { BY_ID, &id, sizeof(id) };

	if (id < learned->small_ids)
		return atomic_load_explicit(&learned->by_small_id[id], memory_order_acquire) - 1;
	return find(learned, &key);
}

uint32_t esf_learned_by_name(const struct esf_learned *learned, const char *name, uint32_t length)
{
	const struct learned_key key = { BY_NAME, name, length };

	return length == 0 || length > ESF_SITE_NAME_MAX ? ESF_NO_SITE : find(learned, &key);
}

uint32_t esf_learned_by_address(
    const struct esf_learned *learned, const struct esf_address *address)
{
	const struct learned_key key = { BY_ADDRESS, address, sizeof(*address) };

	return find(learned, &key);
}

uint32_t esf_learned_reserve(struct esf_learned *learned)
{
	uint32_t count = atomic_load_explicit(&learned->count, memory_order_relaxed);

	/* Relaxed: what an index stands for is ordered by its entry and its slots. */
	while (count < learned->capacity)
		if (atomic_compare_exchange_weak_explicit(&learned->count, &count, count + 1,
		        memory_order_relaxed, memory_order_relaxed))
			return count;
	return ESF_NO_SITE;
}

/* An index that is the caller's alone until it is given a key. */
static uint32_t take_index(struct esf_learned *learned, uint32_t *spare)
{
	if (*spare == ESF_SPARE_NONE)
		*spare = esf_learned_reserve(learned);
	return *spare;
}

/* After the key was inserted: the index is used up where it was the one that got it. */
static uint32_t settle(struct esf_learned *learned, uint32_t *spare, uint32_t site)
{
	if (site == *spare) {
		atomic_store_explicit(
		    &learned->entries[site - learned->first].whole, true, memory_order_release);
		*spare = ESF_SPARE_NONE;
	}
	return site;
}

static uint32_t insert_small_id(struct esf_learned *learned, uint32_t id, uint32_t site)
{
	uint32_t found = 0;

	if (atomic_compare_exchange_strong_explicit(&learned->by_small_id[id], &found, site + 1,
	        memory_order_release, memory_order_acquire))
		return site;
	return found - 1;
}

uint32_t esf_learned_add_id(struct esf_learned *learned, uint32_t *spare, uint32_t id)
{
	const struct learned_key key = { BY_ID, &id, sizeof(id) };
	uint32_t site = esf_learned_by_id(learned, id);

	if (site != ESF_NO_SITE)
		return site;
	site = take_index(learned, spare);
	if (site == ESF_NO_SITE)
		return ESF_NO_SITE;
	learned->entries[site - learned->first].site = (struct esf_learned_site){ .id = id };
	site = id < learned->small_ids ? insert_small_id(learned, id, site)
	                               : insert(learned, &key, site);
	return settle(learned, spare, site);
}

static uint32_t add_name(struct esf_learned *learned, uint32_t *spare, const char *name,
    uint32_t length, const struct esf_address *address)
{
	const struct learned_key by_name = { BY_NAME, name, length };
	const struct learned_key by_address = { BY_ADDRESS, address, sizeof(*address) };
	uint32_t site = take_index(learned, spare), winner;
	struct learned_entry *entry;

	if (site == ESF_NO_SITE)
		return ESF_NO_SITE;
	entry = &learned->entries[site - learned->first];
	entry->site = (struct esf_learned_site){ .name_length = (uint8_t)length };
	memcpy(entry->site.name, name, length);
	if (address != NULL)
		entry->address = *address;
	winner = insert(learned, &by_name, site);
	if (winner == site && address != NULL)
		insert(learned, &by_address, site);
	return settle(learned, spare, winner);
}

uint32_t esf_learned_add_name(
    struct esf_learned *learned, uint32_t *spare, const char *name, uint32_t length)
{
	uint32_t site = esf_learned_by_name(learned, name, length);

	return site != ESF_NO_SITE ? site : add_name(learned, spare, name, length, NULL);
}

uint32_t esf_learned_add_address(
    struct esf_learned *learned, uint32_t *spare, const struct esf_address *address)
{
	char name[INET6_ADDRSTRLEN];
	bool is_ipv4 = esf_address_is_ipv4(address);
	uint32_t site = esf_learned_by_address(learned, address);

	if (site != ESF_NO_SITE)
		return site;
	inet_ntop(
	    is_ipv4 ? AF_INET : AF_INET6, address->bytes + (is_ipv4 ? 12 : 0), name, sizeof(name));
	site = esf_learned_by_name(learned, name, (uint32_t)strlen(name));
	return site != ESF_NO_SITE
	           ? site
	           : add_name(learned, spare, name, (uint32_t)strlen(name), address);
}

uint32_t esf_learned_count(const struct esf_learned *learned)
{
	return atomic_load_explicit(&learned->count, memory_order_relaxed);
}

uint32_t esf_learned_capacity(const struct esf_learned *learned)
{
	return learned->capacity;
}

const struct esf_learned_site *esf_learned_at(const struct esf_learned *learned, uint32_t site)
{
	const struct learned_entry *entry;

	if (site < learned->first)
		return NULL;
	entry = &learned->entries[site - learned->first];
	return atomic_load_explicit(&entry->whole, memory_order_acquire) ? &entry->site : NULL;
}

/* U+0080..U+009F are control characters too. */
static bool is_sound_sequence(const uint8_t *at, uint32_t size)
{
	return size > 0 && !(at[0] == 0xc2 && at[1] < 0xa0);
}

bool esf_learned_name_is_sound(const char *name, uint32_t length)
{
	const uint8_t *at = (const uint8_t *)name;
	uint32_t size;

	if (length == 0 || length > ESF_SITE_NAME_MAX)
		return false;
	for (uint32_t i = 0; i < length; i += size) {
		if (at[i] <= ' ' || at[i] == 0x7f || at[i] == '/')
			return false;
		size = at[i] < 0x80 ? 1 : esf_utf8_sequence_size(at + i, length - i);
		if (size != 1 && !is_sound_sequence(at + i, size))
			return false;
	}
	return true;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "names.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "recent.h"

/*
 * Interned names: an open-addressing table, at most half full, whose entries are name ids. Texts
 * are kept in one block of fixed cells, so that an id finds its text without a pointer.
 */
enum { NAMES_TABLE_SIZE = 2 * ESF_INTERNED_NAMES_MAX };

struct names_slot {
	uint32_t id;  /* 0: empty */
	uint32_t tag; /* upper half of the hash */
};

struct names_entry {
	uint32_t generation; /* of the set that gave `rule` */
	uint16_t rule;
	uint8_t length;
	char text[ESF_RAW_NAME_MAX];
};

struct esf_names {
	const struct esf_ruleset *set;
	uint32_t generation;
	uint32_t scratch;
	_Atomic uint32_t count; /* ids 1..count are in use */
	uint8_t key[16];
	struct names_slot *slots;
	struct names_entry *entries;        /* by id */
	uint32_t recent[ESF_RECENT_PLACES]; /* ids; 0: none */
};

struct esf_names *esf_names_create(uint32_t scratch, const uint8_t key[16])
{
	struct esf_names *names = calloc(1, sizeof(*names));

	if (names == NULL)
		return NULL;
	names->scratch = scratch;
	memcpy(names->key, key, sizeof(names->key));
	names->slots = calloc(NAMES_TABLE_SIZE, sizeof(*names->slots));
	names->entries = calloc(ESF_INTERNED_NAMES_MAX + 1, sizeof(*names->entries));
	if (names->slots == NULL || names->entries == NULL) {
		esf_names_destroy(names);
		return NULL;
	}
	return names;
}

void esf_names_destroy(struct esf_names *names)
{
	if (names == NULL)
		return;
	free(names->slots);
	free(names->entries);
	free(names);
}

void esf_names_use(struct esf_names *names, const struct esf_ruleset *set, uint32_t generation)
{
	names->set = set;
	names->generation = generation;
}

static __attribute__((cold)) void entry_match(struct esf_names *names, struct names_entry *entry)
{
	entry->rule = esf_ruleset_match(names->set, names->scratch, entry->text, entry->length);
	entry->generation = names->generation;
}

static uint16_t entry_rule(struct esf_names *names, uint32_t id)
{
	struct names_entry *entry = &names->entries[id];

	if (entry->generation != names->generation)
		entry_match(names, entry);
	return entry->rule;
}

static uint64_t name_hash(const struct esf_names *names, const char *name, uint32_t length)
{
	uint64_t hash;

	static_assert(crypto_shorthash_BYTES == sizeof(hash), "SipHash-2-4 gives 64 bits");
	crypto_shorthash((uint8_t *)&hash, (const uint8_t *)name, length, names->key);
	return hash;
}

/* The slot that holds the name, or the empty one where it would go. */
static struct names_slot *names_slot(
    const struct esf_names *names, uint64_t hash, const char *name, uint32_t length)
{
	uint32_t at = (uint32_t)hash & (NAMES_TABLE_SIZE - 1);

	for (;; at = (at + 1) & (NAMES_TABLE_SIZE - 1)) {
		struct names_slot *slot = &names->slots[at];
		const struct names_entry *entry = &names->entries[slot->id];

		if (slot->id == 0)
			return slot;
		if (slot->tag == (uint32_t)(hash >> 32) && entry->length == length &&
		    memcmp(entry->text, name, length) == 0)
			return slot;
	}
}

static __attribute__((cold)) uint16_t names_add(struct esf_names *names, struct names_slot *slot,
    uint64_t hash, const char *name, uint32_t length, uint32_t *id)
{
	uint16_t rule = esf_ruleset_match(names->set, names->scratch, name, length);
	uint32_t count = atomic_load_explicit(&names->count, memory_order_relaxed);
	struct names_entry *entry;

	*id = 0;
	if (count == ESF_INTERNED_NAMES_MAX)
		return rule;
	*id = count + 1;
	*slot = (struct names_slot){ *id, (uint32_t)(hash >> 32) };
	entry = &names->entries[*id];
	entry->rule = rule;
	entry->generation = names->generation;
	entry->length = (uint8_t)length;
	memcpy(entry->text, name, length);
	/* After the text, which is never changed again; partner: esf_names_count. */
	atomic_store_explicit(&names->count, *id, memory_order_release);
	return rule;
}

static __attribute__((noinline)) uint16_t names_find(
    struct esf_names *names, const char *name, uint32_t length, uint32_t *id)
{
	uint64_t hash;
	struct names_slot *slot;

	hash = name_hash(names, name, length);
	slot = names_slot(names, hash, name, length);
	if (slot->id == 0)
		return names_add(names, slot, hash, name, length, id);
	*id = slot->id;
	return entry_rule(names, slot->id);
}

uint16_t esf_names_intern(struct esf_names *names, const char *name, uint32_t length, uint32_t *id)
{
	uint32_t *recent = &names->recent[esf_recent_place(name, length)];
	const struct names_entry *entry = &names->entries[*recent];
	uint16_t rule;

	assert(length <= ESF_RAW_NAME_MAX);
	if (*recent != 0 && entry->length == length &&
	    esf_recent_equal(entry->text, name, length)) {
		*id = *recent;
		return entry_rule(names, *recent);
	}
	rule = names_find(names, name, length, id);
	if (*id != 0)
		*recent = *id;
	return rule;
}

uint16_t esf_names_rule(struct esf_names *names, uint32_t id)
{
	return entry_rule(names, id);
}

uint32_t esf_names_count(const struct esf_names *names)
{
	/* Partner: names_add. */
	return atomic_load_explicit(&names->count, memory_order_acquire);
}

const char *esf_names_text(const struct esf_names *names, uint32_t id, uint32_t *length)
{
	*length = names->entries[id].length;
	return names->entries[id].text;
}

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ESF_LEARNED_H
#define ESF_LEARNED_H

#include <stdbool.h>
#include <stdint.h>

#include "address.h"
#include "directory.h"
#include "limits.h"

/*
 * Sites that nobody listed: whoever first hears of one gives it the next free index of the plane's
 * arrays, up to a bound. A site is known by its ETD id, or by a name (a tag's, or its source
 * address written out); an address is a second way to one with a name.
 *
 * Any number of data lcores look up and add at the same time, and control reads along: tables are
 * open-addressing and only ever gain entries, each by one compare-and-swap of a free slot. Hashes
 * are keyed (SipHash-2-4), since ids and names are a sender's choice. Nothing is allocated after
 * creation; memory is taken by the kernel as sites come.
 *
 * Why it is safe: an adder fills the entry of an index that is its alone, then swaps the slot from
 * 0 to that index (release). Who loads the slot (acquire) sees the entry whole. Slots never change
 * again, so who loses a race finds the winner in that very slot: either it is the same site, and
 * the index that was not needed is kept for the next (spare), or the search goes on behind it.
 */
struct esf_learned;

enum { ESF_SPARE_NONE = UINT32_MAX };

struct esf_learned_site {
	uint32_t id;         /* 0: known by its name only */
	uint8_t name_length; /* 0: known by its id only */
	char name[ESF_SITE_NAME_MAX];
};

/* Indexes first..capacity-1 are given out. NULL when out of memory. */
struct esf_learned *esf_learned_create(uint32_t first, uint32_t capacity, const uint8_t key[16]);
void esf_learned_destroy(struct esf_learned *learned);

/* Any thread. The site's index or ESF_NO_SITE. */
uint32_t esf_learned_by_id(const struct esf_learned *learned, uint32_t id);
uint32_t esf_learned_by_name(const struct esf_learned *learned, const char *name, uint32_t length);
uint32_t esf_learned_by_address(
    const struct esf_learned *learned, const struct esf_address *address);

/*
 * A data lcore: as above, and adds what is not known yet; ESF_NO_SITE when all indexes are given
 * out. spare: the caller's own, ESF_SPARE_NONE at first. id >= 1; name: 1..ESF_SITE_NAME_MAX bytes.
 */
uint32_t esf_learned_add_id(struct esf_learned *learned, uint32_t *spare, uint32_t id);
uint32_t esf_learned_add_name(
    struct esf_learned *learned, uint32_t *spare, const char *name, uint32_t length);
/* The site is named as the address is written. */
uint32_t esf_learned_add_address(
    struct esf_learned *learned, uint32_t *spare, const struct esf_address *address);

/* Control: the next free index for a site that a reload lists, or ESF_NO_SITE. */
uint32_t esf_learned_reserve(struct esf_learned *learned);

/* Any thread: indexes given out, those below first included. */
uint32_t esf_learned_count(const struct esf_learned *learned);

/* Any thread: indexes there can ever be. */
uint32_t esf_learned_capacity(const struct esf_learned *learned);

/* Any thread: what was learned at an index; NULL where nothing was (yet). */
const struct esf_learned_site *esf_learned_at(const struct esf_learned *learned, uint32_t site);

/* Whether a name can be a site's: 1..ESF_SITE_NAME_MAX bytes of UTF-8 without blanks, control
 * characters or '/'. */
bool esf_learned_name_is_sound(const char *name, uint32_t length);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ESF_DIRECTORY_H
#define ESF_DIRECTORY_H

#include <stdbool.h>
#include <stdint.h>

#include "address.h"
#include "limits.h"

/*
 * Which site is meant: by ETD id, by name, by source address. Built by control, immutable
 * afterwards, so that any number of threads may look up. A site is an index 0..count-1 into the
 * plane's arrays.
 */
enum { ESF_NO_SITE = UINT32_MAX };

struct esf_directory_site {
	uint32_t id; /* 1..; 0: no site has this index, and nothing leads to it */
	const char *name;
	uint32_t addresses_count;
	const struct esf_address *addresses;
};

struct esf_directory;

/* Copies what it needs. key: for the tables' hash (SipHash-2-4). NULL when out of memory. */
struct esf_directory *esf_directory_create(
    const struct esf_directory_site *sites, uint32_t count, const uint8_t key[16]);
void esf_directory_destroy(struct esf_directory *directory);

/* Each returns the site's index or ESF_NO_SITE. */
uint32_t esf_directory_by_id(const struct esf_directory *directory, uint32_t id);
uint32_t esf_directory_by_name(
    const struct esf_directory *directory, const char *name, uint32_t length);
uint32_t esf_directory_by_address(
    const struct esf_directory *directory, const struct esf_address *address);

/*
 * Ids of a small range, to be looked up in place; one that leads to no site here may do so by id
 * all the same. Where sites were listed in the order of their ids, which most are, a bit says all:
 * those of a million sites lie in a core's cache, where the array does not.
 */
struct esf_directory_ids {
	const uint64_t *in_row;       /* bit id: the site is id - first */
	const uint32_t *sites_plus_1; /* by id; 0: none */
	uint32_t first;
	uint32_t count;
};

struct esf_directory_ids esf_directory_small_ids(const struct esf_directory *directory);

static inline bool esf_directory_is_in_row(const struct esf_directory_ids *ids, uint32_t id)
{
	return (ids->in_row[id / 64] >> (id % 64) & 1) != 0;
}

/* ESF_NO_SITE: not by these. */
static inline uint32_t esf_directory_small_id(const struct esf_directory_ids *ids, uint32_t id)
{
	if (id >= ids->count)
		return ESF_NO_SITE;
	return esf_directory_is_in_row(ids, id) ? id - ids->first : ids->sites_plus_1[id] - 1;
}

/* Whether the site, any number, is one of the directory's and has this name. */
bool esf_directory_is_named(
    const struct esf_directory *directory, uint32_t site, const char *name, uint32_t length);

#endif

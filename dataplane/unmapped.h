/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ESF_UNMAPPED_H
#define ESF_UNMAPPED_H

#include <stdbool.h>
#include <stdint.h>

#include "limits.h"

/*
 * The signals of one site that no rule takes, by name, so that the operator can write the rule.
 * Bounded: the first ESF_UNMAPPED_NAMES_MAX names are counted each, the rest together, so a sender
 * that invents names costs no more than one that doesn't. A count is history: a rule that takes the
 * name later leaves it as it stands.
 */
struct esf_unmapped_counts {
	uint64_t more;  /* records of names beyond these, or too many to be remembered (names.h) */
	uint32_t count; /* of names */
	uint32_t names[ESF_UNMAPPED_NAMES_MAX]; /* ids of the owner's struct esf_names */
	uint64_t records[ESF_UNMAPPED_NAMES_MAX];
};

/* Live. Owner: the shard that owns the site. */
struct esf_unmapped {
	struct esf_unmapped_counts counts;
	bool changed; /* since it was last published */
};

/* Published: written once by the owner, read by control under RCU. */
struct esf_unmapped_list {
	struct esf_unmapped_counts counts;
	uint32_t shard; /* whose names they are */
};

enum { ESF_UNMAPPED_MORE = ESF_UNMAPPED_NAMES_MAX }; /* the place of a name beyond the bound */

/*
 * Counts one record of the name (0: not remembered) and returns its place in the table, as a hint
 * for the next record of that name: then nothing is searched. Any other hint of a place is right,
 * too, but ESF_UNMAPPED_MORE is taken at its word. Owner thread.
 */
uint8_t esf_unmapped_count(struct esf_unmapped *table, uint32_t name, uint8_t hint);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ESF_LISTING_H
#define ESF_LISTING_H

#include "control/config/config.h"
#include "dataplane/learned.h"

/*
 * The indexes of sites that reloads list. Where unknown sites are learned, a site that is listed
 * keeps the index it was learned at, and one that is not heard of yet is learned here, so that a
 * datagram of it that comes before the reload is in force leads to the same index; elsewhere an
 * index is reserved. What a reload took that did not come into force serves the next one.
 *
 * One thread, beside any number of data lcores.
 */
struct esf_listing;

/* NULL when out of memory. learned outlives it. */
struct esf_listing *esf_listing_create(struct esf_learned *learned);
void esf_listing_destroy(struct esf_listing *listing);

/* Gives next its slots as esf_slots_assign does. compare: takes nothing, as next will not come
 * into force. */
int esf_listing_assign(struct esf_listing *listing, const struct esf_config *running,
    struct esf_config *next, bool compare);

/* What was assigned last is in force. */
void esf_listing_commit(struct esf_listing *listing);

#endif

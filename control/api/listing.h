/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ESF_LISTING_H
#define ESF_LISTING_H

#include "control/api/reply.h"
#include "control/api/request.h"
#include "control/fleet/view.h"

/*
 * Which sites GET /api/v1/sites lists, and in which order; and finding one by its name. Readers of
 * a view, under RCU.
 */
enum {
	ESF_LISTING_DEFAULT = 1000, /* sites in one answer */
	ESF_LISTING_MAX = 10000,
};

/*
 * {time, window, total, sites: [...]} for region=, status=, sort=health|name|id|coverage, limit=,
 * offset=; by health the unknown ones (what we can't see) come first, then the worst. On a bad
 * parameter the reply is set to a 400 (an unknown region: 404) and NULL returned; NULL with no
 * status set: out of memory.
 */
json_t *esf_listing_document(
    const struct esf_view *view, const struct esf_request *request, struct esf_reply *reply);

/*
 * A whole number of the query, left alone where it is not given. 0, or -EINVAL with the reply set
 * to a 400 for what is none of min..max.
 */
int esf_listing_number(const struct esf_request *request, const char *name, uint32_t min,
    uint32_t max, uint32_t *out, struct esf_reply *reply);

/* Index of the site, region or KPI of that name; -1 with the reply set to a 404 that names the nearest.
 */
int64_t esf_listing_find_site(
    const struct esf_view *view, const char *name, struct esf_reply *reply);
int64_t esf_listing_find_region(
    const struct esf_view *view, const char *name, struct esf_reply *reply);
int64_t esf_listing_find_kpi(
    const struct esf_view *view, const char *name, struct esf_reply *reply);

#endif

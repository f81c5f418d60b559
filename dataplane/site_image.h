/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ESF_SITE_IMAGE_H
#define ESF_SITE_IMAGE_H

#include "image.h"
#include "plane.h"

/*
 * A site's live state as bytes of a snapshot: streams (dedup windows, births), counters, levels,
 * reports, unmapped names, storm, skew, ledger, windows. All of it at one instant.
 *
 * The image begins with the site's index (u32) and its shard's (u32); names are the shard's ids,
 * measures the configuration's indexes, of the time of writing.
 */
struct esf_shard;

/* Whether there is anything to say of the site. Owner. */
bool esf_site_image_wanted(const struct esf_shard *shard, uint32_t site);

/* Windows from first_window on; the others are control's. Owner. */
void esf_site_image_write(const struct esf_shard *shard, uint32_t site, int64_t first_window,
    struct esf_image_writer *out);

/* What an image's numbers mean now. */
struct esf_site_image_map {
	uint32_t sequence_window; /* of the time of writing */
	uint32_t measures_count;
	const int32_t *measures; /* now's; -1: none */
	bool keeps_windows;      /* rollup.window is what it was */
	int64_t first_window;
	uint32_t former, until; /* see struct esf_site_pools */
	void *context;
	/* The id that the shard now has for a name that another one had then; 0: none. */
	uint32_t (*name)(
	    void *context, struct esf_shard *shard, uint32_t shard_then, uint32_t name_then);
};

struct esf_site_image_counts {
	uint64_t windows;
	uint64_t streams;
	uint64_t dropped; /* parts that had no place */
};

/*
 * Before the shards run: the state of a site that has none yet, in the shard that will own it. The
 * reader is behind the two indexes. False: the image is bad, and the site's state as far as it was
 * read.
 */
bool esf_site_image_read(struct esf_shard *shard, uint32_t site, uint32_t shard_then,
    const struct esf_site_image_map *map, struct esf_image_reader *in,
    struct esf_site_image_counts *counts);

#endif

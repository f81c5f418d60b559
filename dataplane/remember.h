/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ESF_REMEMBER_H
#define ESF_REMEMBER_H

#include "plane.h"
#include "site_image.h"

/*
 * Copies of a shard's state for a snapshot, made by its lcore, a bounded part in each pass, and
 * handed to one reader (the snapshot's thread) in buffers that go back and forth. Where nobody
 * enabled it, a pass looks at one pointer; a datagram never costs more.
 *
 *   control                                    lcore, at each pass's end     reader
 *     esf_plane_hold(plane, next window)
 *     esf_remember_ask(plane, wish)              writes sites                  esf_remember_take
 *                                                the cut                       ... keeps the bytes
 *                                                lines                         esf_remember_give
 *     esf_plane_release(plane)                                                 until the last one
 *
 * Why a shard's part is of one instant: a site that is not in the shard's list of touched ones has
 * not changed since it was last published, and any change puts it there. So a site is written where
 * it is not in the list, or when it is published (which takes it out); what is left in the end is
 * what is in the list. Publications shorten it, and once it holds few enough sites for one pass,
 * they and the shard's ledger are written together: that is the cut, the end of a pass. Of a site
 * that was written more than once the last image counts. Where the list does not get short within
 * ESF_REMEMBER_PATIENCE_NS or some rounds (half a million sites a second), each site is still of
 * one instant, but the ledger is of another one than they are, and says so (`exact`).
 *
 * Why it goes together with what control remembers: control asks when it has closed every window
 * before first_window, and no shard adds to a window that is closed. It holds back the later ones,
 * which so are in the images whole. A datagram that a site has counted is therefore in what control
 * made of the closed windows by then, or in the image's windows, and in nothing else.
 */
#define ESF_REMEMBER_PATIENCE_NS INT64_C(2000000000)

struct esf_remember_wish {
	uint64_t sequence;    /* 1.., another with each; 0: none, stop what is under way */
	int64_t first_window; /* control has closed those before */
	int64_t lines_since;  /* Unix ns: fingerprints of lines from then on */
};

/* What a buffer holds: records, each kind u32, size u32, and so many bytes. */
enum esf_remembered {
	ESF_REMEMBERED_SITE = 1, /* site_image.h */
	ESF_REMEMBERED_LEDGER,   /* struct esf_remembered_ledger */
	ESF_REMEMBERED_LINES,    /* shard u32; fingerprint u64, first seen i64, again and again */
	ESF_REMEMBERED_TOO_LARGE /* site u32, which has no room in a buffer */
};

struct esf_remembered_ledger {
	uint32_t shard;
	uint32_t exact; /* of the instant that its sites are of */
	struct esf_ledger ledger;
	int64_t fleet_above_until;
	uint64_t fleet_storms;
};

/* Control, at any time, also again. 0 or -ENOMEM. */
int esf_remember_enable(struct esf_plane *plane);

/* Control. */
void esf_remember_ask(struct esf_plane *plane, const struct esf_remember_wish *wish);

/*
 * The reader: the next bytes of the shard for that sequence, or NULL where there are none yet.
 * They are the reader's until it gives them back. ordinal: 0 at first, counted by give.
 */
const uint8_t *esf_remember_take(struct esf_plane *plane, uint32_t shard, uint64_t sequence,
    uint32_t ordinal, uint32_t *size, bool *last);
void esf_remember_give(struct esf_plane *plane, uint32_t shard, uint32_t *ordinal);

/*
 * The owner at a pass's end; or control, once no lcore runs the shard any more. budget: of windows
 * and cards that this pass may publish; an image is worth eight of them.
 */
enum { ESF_REMEMBER_LEISURE = 256 };
void esf_remember_step(struct esf_shard *shard, uint32_t budget);

/* publish.c: the site has just been published. */
void esf_remember_published(struct esf_shard *shard, uint32_t site);

/*
 * Before the shards run: the other way. The shard has its policy's rules from then on, and waits
 * (dedup.h) for streams that are new.
 */
void esf_recall_begin(struct esf_shard *shard, uint32_t former, uint32_t until);
/* Takes over a site, with its owner; see esf_site_image_read. */
bool esf_recall_site(struct esf_shard *shard, uint32_t site, uint32_t shard_then,
    const struct esf_site_image_map *map, struct esf_image_reader *in,
    struct esf_site_image_counts *counts);
/* Which shard a site that was the then-th's goes to. */
uint32_t esf_recall_shard(const struct esf_plane *plane, uint32_t site, uint32_t then);
/* The whole ledger so far, balanced, nothing under way. */
void esf_recall_ledger(struct esf_plane *plane, const struct esf_ledger *ledger);
void esf_recall_fleet_storm(struct esf_shard *shard, int64_t above_until);
void esf_recall_line(struct esf_shard *shard, uint64_t fingerprint, int64_t seen);
uint32_t esf_recall_name(struct esf_shard *shard, const char *name, uint32_t length);

void esf_remember_destroy(struct esf_shard *shard);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ESF_STATE_RESTORE_PARTS_H
#define ESF_STATE_RESTORE_PARTS_H

#include "control/state/parts.h"
#include "dataplane/remember.h"

/* What the files of the way back share, and nobody else includes. */

enum { NAMES_MAX = ESF_INTERNED_NAMES_MAX };

struct name {
	const char *text;
	uint32_t length;
	uint32_t now; /* the id of the shard of that index, once asked; 0: not yet */
};

struct site_then {
	bool known;
	uint32_t id;
	uint8_t length; /* of the name; 0: none */
	const char *name;
};

struct last_image {
	const uint8_t *bytes;
	uint32_t size;
	uint32_t shard;
};

struct restore {
	struct esf_state *state;
	const struct esf_state_subjects *subjects;
	struct esf_image_reader sections[ESF_STATE_KINDS]; /* the one of each kind */
	bool ended;

	int64_t time;
	int64_t window_ns;
	uint32_t shards_then;
	int64_t first_window;
	uint32_t measures_count;
	int32_t measures[ESF_KPIS_MAX];
	struct esf_site_image_map map;

	uint32_t names_count[ESF_SHARDS_MAX];
	struct name *names[ESF_SHARDS_MAX];

	uint32_t then_count, then_room;
	struct site_then *then;
	uint32_t *now;             /* by index then */
	bool same_indexes;         /* nobody moved */
	struct last_image *images; /* by index now */
	struct esf_site_image_counts counts;

	struct esf_ledger ledgers[ESF_SHARDS_MAX];
	uint64_t fleet_storms;
	int64_t fleet_above_until;
};

/* restore_sites.c: what the numbers in the images mean. False: bad, or out of memory. */
bool esf_restore_meta(struct restore *r, struct esf_image_reader *in);
bool esf_restore_sites(struct restore *r, struct esf_image_reader *in);
bool esf_restore_learned(struct restore *r, struct esf_image_reader *in);
bool esf_restore_names(struct restore *r, struct esf_image_reader *in);
/* Once these were read: the id that a shard has for a name now, 0: none. */
uint32_t esf_restore_name(
    void *context, struct esf_shard *shard, uint32_t shard_then, uint32_t name_then);
/* And where each site is now. */
bool esf_restore_indexes(struct restore *r);

#endif

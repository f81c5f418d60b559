/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ESF_PEER_GROUPS_H
#define ESF_PEER_GROUPS_H

#include <stdint.h>

#include "control/config/config.h"
#include "control/fleet/roster.h"

/*
 * Who is compared with whom: the sites of a region, of the fleet, or with the same value of a
 * label. A site without the label has no peers. Control thread.
 */
struct esf_peer_groups {
	uint32_t capacity;
	uint32_t groups_count;
	uint32_t places_count; /* sites; first those in a group */
	uint32_t *group;       /* by site index; ESF_NO_PEERS: none */
	uint32_t *order;       /* by place: site index. Grouped, the roster's order kept in each */
	uint32_t *ends;        /* by group: the place behind its last */
};

/* 0, or -ENOMEM. capacity: site indexes there may ever be. */
int esf_peer_groups_create(struct esf_peer_groups *groups, uint32_t capacity);
void esf_peer_groups_destroy(struct esf_peer_groups *groups);

/* Groups all sites of the roster anew, by config->compare.peers. 0; -ENOMEM: unchanged. */
int esf_peer_groups_fill(struct esf_peer_groups *groups, const struct esf_config *config,
    const struct esf_roster *roster);

#endif

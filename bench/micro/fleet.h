/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ESF_MICRO_FLEET_H
#define ESF_MICRO_FLEET_H

#include <stdint.h>

#include "control/fleet/judge.h"
#include "control/fleet/roster.h"
#include "dataplane/shard.h"

/*
 * One shard with so many learned sites of so many KPIs, of which each was born and spoke once; the
 * time stands still inside a window. What a shard does is asked for by its public calls. It fails
 * where a datagram was not accepted.
 */
enum { FLEET_RECORDS_MAX = 84 };

struct fleet {
	struct esf_config *config;
	struct esf_policy *policy;
	struct esf_plane *plane;
	struct esf_shard *shard;
	struct esf_roster *roster;
	struct esf_judge *judge;
	uint32_t sites, kpis, seq;
	int64_t now;
};

void fleet_create(struct fleet *fleet, uint32_t sites, uint32_t kpis);
void fleet_destroy(struct fleet *fleet);

/* A data datagram of site 1..sites, of the KPIs in turn; stride 0: all of one KPI. */
struct fleet_datagram {
	struct esf_parcel parcel;
	uint8_t data[32 + 16 * FLEET_RECORDS_MAX];
};
void fleet_datagram(const struct fleet *fleet, uint32_t site, uint32_t records, uint32_t stride,
    struct fleet_datagram *out);
/* Takes it with the next sequence number of them all. */
void fleet_take(struct fleet *fleet, struct fleet_datagram *datagram);

/* One datagram of each site, a record of each KPI: every site has something to publish. */
void fleet_speak(struct fleet *fleet);
/* Between samples: begins a pass, takes back what RCU held. */
void fleet_rest(struct fleet *fleet);
/* All that was taken was accepted, and is accounted for. */
void fleet_check(const struct fleet *fleet);

#endif

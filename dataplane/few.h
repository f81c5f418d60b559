/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ESF_FEW_H
#define ESF_FEW_H

#include "frame.h"
#include "frame_short.h"
#include "shard_state.h"

/*
 * A few packets on their way through a shard: judge.c finds out what they are, receive.c takes what
 * is wanted of them. Nobody else includes this.
 */

/*
 * Datagrams judged before the first of them is taken: enough for what is fetched ahead to arrive,
 * and so few that what the checksum has just read of long ones is still near (16 x 1.4 kB in 32
 * kB).
 */
enum { ESF_FEW = ESF_PARCELS_MAX };

/* What is left of the packets once their frames are judged: payloads for listeners. */
struct esf_few {
	struct esf_frame frames[ESF_FEW];
	uint32_t etd_sites[ESF_FEW]; /* that an ETD datagram names, if it is known by now */
	uint8_t listeners[ESF_FEW];
	uint8_t from[ESF_FEW]; /* whose packet it is */
	uint32_t wanted;
	uint32_t own; /* bit i: number i may go the short way: ETD, of a site of this shard */
	uint64_t neighbours; /* bit i: packet i is for the neighbour */
};
static_assert((int)ESF_FEW <= 32, "a bit for each");

static inline bool esf_shard_is_own(const struct esf_shard *shard, uint32_t site)
{
	return shard->hand_over == NULL || atomic_load_explicit(&shard->plane->owner[site],
	                                       memory_order_relaxed) == shard->index;
}

/* What the usual datagram touches of its site. */
static inline void esf_site_prefetch(const struct esf_site *site)
{
	__builtin_prefetch(site, 1);
	__builtin_prefetch(&site->last_seen, 1);
}

/* judge.c. At most ESF_FEW packets. */
void esf_shard_judge(struct esf_shard *shard, const struct esf_frame_addresses *ours,
    const struct esf_frame_usual *usual, const struct esf_packet *packets, uint32_t count,
    struct esf_few *few);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ESF_NEIGHBOUR_H
#define ESF_NEIGHBOUR_H

#include <stdint.h>

#include "frame.h"

/*
 * What an ordinary host needs from us before it can send telemetry: ARP replies (RFC 826),
 * Neighbour Advertisements (RFC 4861) and echo replies (RFC 792, RFC 4443) for the port's
 * configured addresses. Telemetry itself is never answered.
 *
 * Any thread; pure.
 */

enum { ESF_NEIGHBOUR_REPLY_MAX = 2048 }; /* bytes; a longer ping is counted but not answered */

/*
 * Builds the answer to a frame that esf_frame_parse called NEIGHBOUR, with mac as our link address.
 * VLAN tags of the request are kept. Returns the answer's size in bytes in reply (which holds
 * reply_size bytes and is apart from data), or 0 where none is due: not for us (the frame's link
 * address included), malformed, a wrong checksum, or not a request. Where ours is empty none is
 * due. NDP solicitations are checked as RFC 4861 section 7.1.1 asks (hop limit 255, code 0,
 * lengths).
 */
uint32_t esf_neighbour_reply(const uint8_t *data, uint32_t size,
    const struct esf_frame_addresses *ours, const uint8_t mac[6], uint8_t *reply,
    uint32_t reply_size);

#endif

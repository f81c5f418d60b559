/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ESF_FRAME_H
#define ESF_FRAME_H

#include <stdint.h>

#include "address.h"
#include "limits.h"
#include "verdict.h"

/*
 * From an Ethernet frame to a UDP payload: Ethernet II, up to two VLAN tags (802.1Q, 802.1ad), IPv4
 * (options allowed), IPv6 (extension headers refused by name), UDP.
 *
 * Any thread; pure functions of their arguments. Nothing is copied: out points into the frame.
 */

/* What the port already knows about a frame's checksums (from the NIC, or from the kind of port).
 */
enum esf_frame_flags {
	ESF_FRAME_IP_CHECKSUM_GOOD = 1 << 0, /* the NIC verified it */
	ESF_FRAME_IP_CHECKSUM_BAD = 1 << 1,  /* the NIC found it wrong */
	ESF_FRAME_UDP_CHECKSUM_GOOD = 1 << 2,
	ESF_FRAME_UDP_CHECKSUM_BAD = 1 << 3,
	/*
	 * The sender may be a local kernel that left the UDP checksum to hardware which a veth
	 * pair, a tap or a capture taken on the sending host does not have: the field then holds
	 * the folded, uncomplemented sum of the pseudo header, and is taken as good.
	 */
	ESF_FRAME_CHECKSUM_UNFINISHED_OK = 1 << 4,
};

/* The addresses that a port answers for and takes datagrams for; count 0: any address is ours. */
struct esf_frame_addresses {
	struct esf_address address[ESF_PORT_ADDRESSES_MAX];
	uint32_t count;
};

/* Whether address is in the list; count 0 holds none. An IPv4-mapped entry means the IPv4 address.
 */
static inline bool esf_frame_addresses_hold(
    const struct esf_frame_addresses *list, const struct esf_address *address)
{
	for (uint32_t i = 0; i < list->count; i++)
		if (esf_address_equal(&list->address[i], address))
			return true;
	return false;
}

struct esf_frame {
	const uint8_t *payload; /* UDP payload */
	uint32_t payload_size;  /* bytes */
	uint16_t l3_offset;     /* of the IP or ARP header from the frame's first byte; set also for
	                           ESF_DATAGRAM_NEIGHBOUR */
	uint16_t ether_type;    /* host order, after VLAN tags */
};

/* The ports of a frame that was accepted, in host order, and its sender; few ask for the latter. */
uint16_t esf_frame_source_port(const struct esf_frame *frame);
uint16_t esf_frame_destination_port(const struct esf_frame *frame);
struct esf_address esf_frame_source(const uint8_t *data, const struct esf_frame *frame);

/*
 * Parses size bytes at data. Returns ESF_DATAGRAM_ACCEPTED with *out filled, or the first verdict
 * that applies of NEIGHBOUR, NOT_IP, FRAGMENT, EXTENSION_HEADER, NOT_UDP, NOT_OURS, BAD_CHECKSUM,
 * MALFORMED (a header or payload cut short, lengths that contradict each other). Padding after the
 * IP packet is allowed (short frames have it).
 */
enum esf_datagram_verdict esf_frame_parse(const uint8_t *data, uint32_t size, unsigned flags,
    const struct esf_frame_addresses *ours, struct esf_frame *out);

#endif

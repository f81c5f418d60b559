/* SPDX-License-Identifier: Apache-2.0 */
#include "frame.h"

#include <endian.h>

#include "checksum.h"
#include "inet_wire.h"

#define LIKELY(condition) __builtin_expect(!!(condition), 1)
#define ALWAYS_INLINE inline __attribute__((always_inline))

/* What esf_frame_parse was given, as one thing to hand down. */
struct input {
	const uint8_t *data;
	uint32_t size;
	unsigned flags;
	const struct esf_frame_addresses *ours;
};

/* A checksum that a local kernel left to hardware: of the pseudo header alone. */
static __attribute__((cold, noinline)) bool is_unfinished(uint16_t field, uint64_t pseudo)
{
	return field == esf_checksum_fold(pseudo);
}

/* addresses: their sum, both sides'. optional: IPv4's may be none (RFC 8200, 8.1, demands one). */
static ALWAYS_INLINE bool udp_checksum_good(
    const uint8_t *udp, uint32_t size, uint64_t addresses, bool optional, unsigned flags)
{
	uint16_t field;
	uint64_t pseudo;

	memcpy(&field, udp + 6, sizeof(field));
	if (field == 0)
		return optional;
	if (flags & ESF_FRAME_UDP_CHECKSUM_GOOD)
		return true;
	pseudo = esf_checksum_add_word(
	    addresses, htobe16(ESF_IP_UDP) + (uint64_t)htobe16((uint16_t)size));
	if (LIKELY(esf_checksum_is_right(esf_checksum_add(pseudo, udp, size))))
		return true;
	return (flags & ESF_FRAME_CHECKSUM_UNFINISHED_OK) && is_unfinished(field, pseudo);
}

/* size: of the IP payload, which lies inside the frame and holds at least a UDP header. */
static ALWAYS_INLINE enum esf_datagram_verdict parse_udp(const struct input *in, const uint8_t *udp,
    uint32_t size, uint64_t addresses, bool optional, struct esf_frame *out)
{
	if (esf_inet_load16(udp + 4) != size)
		return ESF_DATAGRAM_MALFORMED;
	if (!udp_checksum_good(udp, size, addresses, optional, in->flags))
		return ESF_DATAGRAM_BAD_CHECKSUM;
	out->payload = udp + ESF_UDP_SIZE;
	out->payload_size = size - ESF_UDP_SIZE;
	return ESF_DATAGRAM_ACCEPTED;
}

static __attribute__((cold, noinline)) enum esf_datagram_verdict judge_icmp(
    const struct input *in, uint32_t offset)
{
	bool echo;

	if (offset >= in->size)
		return ESF_DATAGRAM_NOT_UDP;
	echo = in->data[offset] == ESF_ICMP_ECHO || in->data[offset] == ESF_ICMP_ECHO_REPLY;
	return echo ? ESF_DATAGRAM_NEIGHBOUR : ESF_DATAGRAM_NOT_UDP;
}

static __attribute__((cold, noinline)) enum esf_datagram_verdict judge_icmpv6(
    const struct input *in, uint32_t offset)
{
	uint8_t type;
	bool echo, ndp;

	if (offset >= in->size)
		return ESF_DATAGRAM_NOT_UDP;
	type = in->data[offset];
	echo = type == ESF_ICMPV6_ECHO || type == ESF_ICMPV6_ECHO_REPLY;
	ndp = type >= ESF_NDP_FIRST && type <= ESF_NDP_LAST;
	return echo || ndp ? ESF_DATAGRAM_NEIGHBOUR : ESF_DATAGRAM_NOT_UDP;
}

/* esf_frame_addresses_hold of ::ffff:ipv4, whose halves are made without going through memory. */
static ALWAYS_INLINE bool holds_ipv4(const struct esf_frame_addresses *ours, const uint8_t *ipv4)
{
	uint32_t address;
	uint64_t half;

	memcpy(&address, ipv4, sizeof(address));
	half = UINT64_C(0xffff0000) | (uint64_t)address << 32;
	for (uint32_t i = 0; i < ours->count; i++) {
		const uint8_t *entry = ours->address[i].bytes;

		if (esf_checksum_load(entry + 8) == half && esf_checksum_load(entry) == 0)
			return true;
	}
	return false;
}

static ALWAYS_INLINE bool header_checksum_good(const uint8_t *ip, uint32_t header_size)
{
	return esf_checksum_is_right(esf_checksum_add(0, ip, header_size));
}

/* header_size: bytes of the IPv4 header with its options, all inside the frame. */
static ALWAYS_INLINE enum esf_datagram_verdict parse_ipv4_body(
    const struct input *in, uint32_t l3, uint32_t header_size, struct esf_frame *out)
{
	const uint8_t *ip = in->data + l3;
	uint32_t total_size = esf_inet_load16(ip + 2);

	if (esf_inet_load16(ip + 6) & 0x3fff) /* more fragments, offset */
		return ESF_DATAGRAM_FRAGMENT;
	if (ip[9] == ESF_IP_ICMP)
		return judge_icmp(in, l3 + header_size);
	if (ip[9] != ESF_IP_UDP)
		return ESF_DATAGRAM_NOT_UDP;
	if (in->ours->count > 0 && !holds_ipv4(in->ours, ip + 16))
		return ESF_DATAGRAM_NOT_OURS;
	if (in->flags & (ESF_FRAME_IP_CHECKSUM_BAD | ESF_FRAME_UDP_CHECKSUM_BAD))
		return ESF_DATAGRAM_BAD_CHECKSUM;
	if (!(in->flags & ESF_FRAME_IP_CHECKSUM_GOOD) && !header_checksum_good(ip, header_size))
		return ESF_DATAGRAM_BAD_CHECKSUM;
	if (total_size > in->size - l3 || total_size < header_size + ESF_UDP_SIZE)
		return ESF_DATAGRAM_MALFORMED;
	return parse_udp(
	    in, ip + header_size, total_size - header_size, esf_checksum_load(ip + 12), true, out);
}

static enum esf_datagram_verdict parse_ipv4(
    const struct input *in, uint32_t l3, struct esf_frame *out)
{
	uint32_t header_size;

	if (in->size - l3 < ESF_IPV4_SIZE || in->data[l3] >> 4 != 4)
		return ESF_DATAGRAM_MALFORMED;
	header_size = (in->data[l3] & 0xfu) * 4;
	if (header_size < ESF_IPV4_SIZE || header_size > in->size - l3)
		return ESF_DATAGRAM_MALFORMED;
	return parse_ipv4_body(in, l3, header_size, out);
}

/* ACCEPTED where what follows the IPv6 header is UDP. */
static enum esf_datagram_verdict judge_next_header(const struct input *in, uint32_t l3)
{
	switch (in->data[l3 + 6]) {
	case ESF_IP_UDP:
		return ESF_DATAGRAM_ACCEPTED;
	case ESF_IP_ICMPV6:
		return judge_icmpv6(in, l3 + ESF_IPV6_SIZE);
	case ESF_IP_FRAGMENT:
		return ESF_DATAGRAM_FRAGMENT;
	case 0:   /* hop by hop */
	case 43:  /* routing */
	case 50:  /* ESP */
	case 51:  /* AH */
	case 60:  /* destination options */
	case 135: /* mobility */
	case 139: /* HIP */
	case 140: /* shim6 */
		return ESF_DATAGRAM_EXTENSION_HEADER;
	default:
		return ESF_DATAGRAM_NOT_UDP;
	}
}

/* No port is reached by an IPv4-mapped address on the wire: that form means IPv4 in the list. */
static bool ipv6_is_ours(
    const struct esf_frame_addresses *ours, const struct esf_address *destination)
{
	return ours->count == 0 ||
	       (!esf_address_is_ipv4(destination) && esf_frame_addresses_hold(ours, destination));
}

static enum esf_datagram_verdict parse_ipv6(
    const struct input *in, uint32_t l3, struct esf_frame *out)
{
	const uint8_t *ip = in->data + l3;
	struct esf_address destination;
	enum esf_datagram_verdict verdict;
	uint32_t payload_size;

	if (in->size - l3 < ESF_IPV6_SIZE || ip[0] >> 4 != 6)
		return ESF_DATAGRAM_MALFORMED;
	verdict = judge_next_header(in, l3);
	if (verdict != ESF_DATAGRAM_ACCEPTED)
		return verdict;
	memcpy(destination.bytes, ip + 24, 16);
	if (!ipv6_is_ours(in->ours, &destination))
		return ESF_DATAGRAM_NOT_OURS;
	if (in->flags & ESF_FRAME_UDP_CHECKSUM_BAD)
		return ESF_DATAGRAM_BAD_CHECKSUM;
	payload_size = esf_inet_load16(ip + 4);
	if (payload_size > in->size - l3 - ESF_IPV6_SIZE || payload_size < ESF_UDP_SIZE)
		return ESF_DATAGRAM_MALFORMED;
	return parse_udp(
	    in, ip + ESF_IPV6_SIZE, payload_size, esf_checksum_add(0, ip + 8, 32), false, out);
}

/* Steps over the VLAN tags; false where the frame ends inside its Ethernet header. */
static bool parse_ether(const struct input *in, struct esf_frame *out)
{
	uint32_t l3 = ESF_ETHER_SIZE;
	uint16_t type;

	if (in->size < l3)
		return false;
	type = esf_inet_load16(in->data + 12);
	for (int tags = 0; tags < ESF_VLAN_TAGS_MAX; tags++) {
		if (type != ESF_ETHER_VLAN && type != ESF_ETHER_QINQ)
			break;
		if (in->size - l3 < ESF_VLAN_TAG_SIZE)
			return false;
		type = esf_inet_load16(in->data + l3 + 2);
		l3 += ESF_VLAN_TAG_SIZE;
	}
	out->l3_offset = (uint16_t)l3;
	out->ether_type = type;
	return true;
}

static __attribute__((noinline)) enum esf_datagram_verdict parse_any(
    const struct input *in, struct esf_frame *out)
{
	if (!parse_ether(in, out))
		return ESF_DATAGRAM_MALFORMED;
	switch (out->ether_type) {
	case ESF_ETHER_IPV4:
		return parse_ipv4(in, out->l3_offset, out);
	case ESF_ETHER_IPV6:
		return parse_ipv6(in, out->l3_offset, out);
	case ESF_ETHER_ARP:
		return ESF_DATAGRAM_NEIGHBOUR;
	default:
		return ESF_DATAGRAM_NOT_IP;
	}
}

__attribute__((noinline)) enum esf_datagram_verdict esf_frame_parse(const uint8_t *data,
    uint32_t size, unsigned flags, const struct esf_frame_addresses *ours, struct esf_frame *out)
{
	const struct input in = { data, size, flags, ours };

	/* Untagged IPv4 without options: the same code, with offsets the compiler knows. */
	if (LIKELY(size >= ESF_ETHER_SIZE + ESF_IPV4_SIZE &&
	           esf_inet_load16(data + 12) == ESF_ETHER_IPV4 && data[ESF_ETHER_SIZE] == 0x45)) {
		out->l3_offset = ESF_ETHER_SIZE;
		out->ether_type = ESF_ETHER_IPV4;
		return parse_ipv4_body(&in, ESF_ETHER_SIZE, ESF_IPV4_SIZE, out);
	}
	return parse_any(&in, out);
}

struct esf_address esf_frame_source(const uint8_t *data, const struct esf_frame *frame)
{
	const uint8_t *ip = data + frame->l3_offset;
	struct esf_address source;

	if (frame->ether_type == ESF_ETHER_IPV4)
		return esf_address_from_ipv4(ip + 12);
	memcpy(source.bytes, ip + 8, sizeof(source.bytes));
	return source;
}

uint16_t esf_frame_source_port(const struct esf_frame *frame)
{
	return esf_inet_load16(frame->payload - ESF_UDP_SIZE);
}

inline uint16_t esf_frame_destination_port(const struct esf_frame *frame)
{
	uint16_t port;

	memcpy(&port, frame->payload - ESF_UDP_SIZE + 2, sizeof(port));
	return be16toh(port);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "frame.h"

#include <endian.h>

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

/* The source and destination addresses, side by side in the IP header: the pseudo header's start.
 */
struct addresses {
	const uint8_t *bytes;
	uint32_t size; /* 8 or 32 */
};

/*
 * Sums 32-bit words in the host's byte order into 64 bits, where 2^30 of them cannot overflow.
 * Words of either order and width give the same folded sum up to a swap of its two bytes (RFC 1071
 * section 2).
 */
static ALWAYS_INLINE uint64_t sum_words(const uint8_t *data, uint32_t size)
{
	uint64_t sum = 0;
	uint32_t word;
	uint16_t half;

	for (; size >= sizeof(word); size -= sizeof(word), data += sizeof(word)) {
		memcpy(&word, data, sizeof(word));
		sum += word;
	}
	if (size >= sizeof(half)) {
		memcpy(&half, data, sizeof(half));
		sum += half;
		size -= sizeof(half);
		data += sizeof(half);
	}
	if (size > 0)
		sum += htobe16((uint16_t)(data[0] << 8));
	return sum;
}

static ALWAYS_INLINE uint16_t fold(uint64_t sum)
{
	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)sum;
}

uint16_t esf_frame_sum(const uint8_t *data, uint32_t size, uint32_t seed)
{
	return fold((uint64_t)be16toh(fold(sum_words(data, size))) + seed);
}

static ALWAYS_INLINE bool udp_checksum_good(
    const uint8_t *udp, uint32_t size, struct addresses addresses, unsigned flags)
{
	uint16_t field;
	uint64_t pseudo;

	memcpy(&field, udp + 6, sizeof(field));
	if (field == 0)
		return addresses.size == 8; /* none was made; IPv6 demands one (RFC 8200, 8.1) */
	if (flags & ESF_FRAME_UDP_CHECKSUM_GOOD)
		return true;
	pseudo = sum_words(addresses.bytes, addresses.size) + htobe16(ESF_IP_UDP) +
	         htobe16((uint16_t)size);
	if (fold(pseudo + sum_words(udp, size)) == 0xffff)
		return true;
	return (flags & ESF_FRAME_CHECKSUM_UNFINISHED_OK) && field == fold(pseudo);
}

/* size: of the IP payload, which lies inside the frame and holds at least a UDP header. */
static ALWAYS_INLINE enum esf_datagram_verdict parse_udp(const struct input *in, const uint8_t *udp,
    uint32_t size, struct addresses addresses, struct esf_frame *out)
{
	if (esf_inet_load16(udp + 4) != size)
		return ESF_DATAGRAM_MALFORMED;
	if (!udp_checksum_good(udp, size, addresses, in->flags))
		return ESF_DATAGRAM_BAD_CHECKSUM;
	out->source_port = esf_inet_load16(udp);
	out->destination_port = esf_inet_load16(udp + 2);
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
	out->source = esf_address_from_ipv4(ip + 12);
	out->destination = esf_address_from_ipv4(ip + 16);
	if (in->ours->count > 0 && !esf_frame_addresses_hold(in->ours, &out->destination))
		return ESF_DATAGRAM_NOT_OURS;
	if (in->flags & (ESF_FRAME_IP_CHECKSUM_BAD | ESF_FRAME_UDP_CHECKSUM_BAD))
		return ESF_DATAGRAM_BAD_CHECKSUM;
	if (!(in->flags & ESF_FRAME_IP_CHECKSUM_GOOD) && fold(sum_words(ip, header_size)) != 0xffff)
		return ESF_DATAGRAM_BAD_CHECKSUM;
	if (total_size > in->size - l3 || total_size < header_size + ESF_UDP_SIZE)
		return ESF_DATAGRAM_MALFORMED;
	return parse_udp(
	    in, ip + header_size, total_size - header_size, (struct addresses){ ip + 12, 8 }, out);
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
	enum esf_datagram_verdict verdict;
	uint32_t payload_size;

	if (in->size - l3 < ESF_IPV6_SIZE || ip[0] >> 4 != 6)
		return ESF_DATAGRAM_MALFORMED;
	verdict = judge_next_header(in, l3);
	if (verdict != ESF_DATAGRAM_ACCEPTED)
		return verdict;
	memcpy(out->source.bytes, ip + 8, 16);
	memcpy(out->destination.bytes, ip + 24, 16);
	if (!ipv6_is_ours(in->ours, &out->destination))
		return ESF_DATAGRAM_NOT_OURS;
	if (in->flags & ESF_FRAME_UDP_CHECKSUM_BAD)
		return ESF_DATAGRAM_BAD_CHECKSUM;
	payload_size = esf_inet_load16(ip + 4);
	if (payload_size > in->size - l3 - ESF_IPV6_SIZE || payload_size < ESF_UDP_SIZE)
		return ESF_DATAGRAM_MALFORMED;
	return parse_udp(
	    in, ip + ESF_IPV6_SIZE, payload_size, (struct addresses){ ip + 8, 32 }, out);
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

enum esf_datagram_verdict esf_frame_parse(const uint8_t *data, uint32_t size, unsigned flags,
    const struct esf_frame_addresses *ours, struct esf_frame *out)
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

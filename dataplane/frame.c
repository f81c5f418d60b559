/* SPDX-License-Identifier: Apache-2.0 */
#include "frame.h"

#include <endian.h>
#ifdef __x86_64__
#include <immintrin.h>
#endif

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

/* Beyond it vectors of 32-bit words are faster than the carry chain of 64-bit ones. */
enum { LONG = 256 };

/*
 * All sum words in the host's byte order. Words of either order and width give the same folded sum
 * up to a swap of its two bytes (RFC 1071 section 2). This one has 64 bits for 32-bit words, 2^30
 * of which cannot overflow them.
 */
static __attribute__((noinline)) uint64_t sum_long(const uint8_t *data, uint32_t words)
{
	uint64_t sum = 0;
	uint32_t word;

	for (uint32_t i = 0; i < words; i++) {
		memcpy(&word, data + (size_t)i * sizeof(word), sizeof(word));
		sum += word;
	}
	return sum;
}

static ALWAYS_INLINE unsigned long long load64(const uint8_t *at)
{
	unsigned long long word;

	memcpy(&word, at, sizeof(word));
	return word;
}

/* The carry comes back in at the bottom. */
static ALWAYS_INLINE unsigned long long add_word(unsigned long long sum, unsigned long long word)
{
	bool carry = __builtin_add_overflow(sum, word, &sum);

	return sum + carry;
}

/* Of 32 bytes. As intrinsics, since compilers make no chain of anything else. */
static ALWAYS_INLINE unsigned long long add_block(unsigned long long sum, const uint8_t *data)
{
#ifdef __x86_64__
	unsigned char carry = _addcarry_u64(0, sum, load64(data), &sum);

	carry = _addcarry_u64(carry, sum, load64(data + 8), &sum);
	carry = _addcarry_u64(carry, sum, load64(data + 16), &sum);
	carry = _addcarry_u64(carry, sum, load64(data + 24), &sum);
	_addcarry_u64(carry, sum, 0, &sum);
#else
	for (uint32_t i = 0; i < 4; i++)
		sum = add_word(sum, load64(data + (size_t)i * 8));
#endif
	return sum;
}

static ALWAYS_INLINE unsigned long long add_words(
    unsigned long long sum, const uint8_t *data, uint32_t size)
{
	uint32_t word;
	uint16_t half;

	if (size >= LONG) {
		sum = add_word(sum, sum_long(data, size / 4));
		data += size / 4 * 4;
		size %= 4;
	}
	for (; size >= 32; size -= 32, data += 32)
		sum = add_block(sum, data);
	for (; size >= 8; size -= 8, data += 8)
		sum = add_word(sum, load64(data));
	if (size & 4) {
		memcpy(&word, data, sizeof(word));
		sum = add_word(sum, word);
		data += 4;
	}
	if (size & 2) {
		memcpy(&half, data, sizeof(half));
		sum = add_word(sum, half);
		data += 2;
	}
	return size & 1 ? add_word(sum, htobe16((uint16_t)(data[0] << 8))) : sum;
}

/* Turning by half and adding leaves the sum of both halves, with its carry, in the upper one. */
static ALWAYS_INLINE uint16_t fold(uint64_t sum)
{
	uint32_t half;

	sum += sum >> 32 | sum << 32;
	half = (uint32_t)(sum >> 32);
	half += half >> 16 | half << 16;
	return (uint16_t)(half >> 16);
}

uint16_t esf_frame_sum(const uint8_t *data, uint32_t size, uint32_t seed)
{
	return fold((uint64_t)be16toh(fold(add_words(0, data, size))) + seed);
}

/* A checksum that a local kernel left to hardware: of the pseudo header alone. */
static __attribute__((cold, noinline)) bool is_unfinished(uint16_t field, uint64_t pseudo)
{
	return field == fold(pseudo);
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
	pseudo = add_word(addresses, htobe16(ESF_IP_UDP) + (uint64_t)htobe16((uint16_t)size));
	if (LIKELY(fold(add_words(pseudo, udp, size)) == 0xffff))
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

static ALWAYS_INLINE bool holds_ipv4(const struct esf_frame_addresses *ours, const uint8_t *ipv4)
{
	const struct esf_address address = esf_address_from_ipv4(ipv4);

	return esf_frame_addresses_hold(ours, &address);
}

static ALWAYS_INLINE bool header_checksum_good(const uint8_t *ip, uint32_t header_size)
{
	return fold(add_words(0, ip, header_size)) == 0xffff;
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
	out->source = esf_address_from_ipv4(ip + 12);
	return parse_udp(
	    in, ip + header_size, total_size - header_size, load64(ip + 12), true, out);
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
	memcpy(out->source.bytes, ip + 8, 16);
	return parse_udp(
	    in, ip + ESF_IPV6_SIZE, payload_size, add_words(0, ip + 8, 32), false, out);
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

inline enum esf_datagram_verdict esf_frame_parse(const uint8_t *data, uint32_t size, unsigned flags,
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

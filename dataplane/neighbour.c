/* SPDX-License-Identifier: Apache-2.0 */
#include "neighbour.h"

#include "checksum.h"
#include "inet_wire.h"

enum {
	HOP_LIMIT = 64,
	NDP_HOP_LIMIT = 255,
	NDP_MESSAGE_SIZE = 24, /* up to the options, of solicitation and advertisement alike */
	NDP_LINK_OPTION_SIZE = 8,
	NDP_OPTION_SOURCE_LINK = 1,
	NDP_OPTION_TARGET_LINK = 2,
	NDP_SOLICITED = 0x40,
	NDP_OVERRIDE = 0x20,
	ARP_REQUEST = 1,
	ARP_REPLY = 2,
	MAC_SIZE = 6,
};

/* A request, its Ethernet header and VLAN tags taken off, and where its answer goes. */
struct exchange {
	const uint8_t *data;
	const uint8_t *l3;
	uint32_t l3_offset; /* the same in the answer */
	uint32_t l3_size;   /* bytes from l3 to the frame's end */
	const struct esf_frame_addresses *ours;
	const uint8_t *mac;
	uint8_t *reply;
	uint32_t reply_size;
};

static bool fits(const struct exchange *x, uint32_t l3_size)
{
	uint32_t size = x->l3_offset + l3_size;

	return size <= x->reply_size && size <= ESF_NEIGHBOUR_REPLY_MAX;
}

static void put_ether(const struct exchange *x, const uint8_t *to)
{
	memcpy(x->reply, x->data, x->l3_offset);
	memcpy(x->reply, to, MAC_SIZE);
	memcpy(x->reply + MAC_SIZE, x->mac, MAC_SIZE);
}

static const uint8_t *sender_of(const struct exchange *x)
{
	return x->data + MAC_SIZE;
}

static bool is_group_mac(const uint8_t *mac)
{
	return mac[0] & 1;
}

static void put_checksum(uint8_t *at, uint16_t sum)
{
	esf_inet_store16(at, (uint16_t)~sum);
}

/* ARP (RFC 826) */

static bool arp_is_request(const struct exchange *x)
{
	static const uint8_t head[8] = { 0, 1, 0x08, 0x00, MAC_SIZE, 4, 0, ARP_REQUEST };

	return x->l3_size >= ESF_ARP_SIZE && memcmp(x->l3, head, sizeof(head)) == 0 &&
	       !is_group_mac(x->l3 + 8);
}

static uint32_t reply_arp(const struct exchange *x)
{
	struct esf_address target;
	uint8_t *arp = x->reply + x->l3_offset;

	if (!arp_is_request(x) || !fits(x, ESF_ARP_SIZE))
		return 0;
	target = esf_address_from_ipv4(x->l3 + 24);
	if (!esf_frame_addresses_hold(x->ours, &target))
		return 0;
	put_ether(x, x->l3 + 8);
	memcpy(arp, x->l3, 6);
	esf_inet_store16(arp + 6, ARP_REPLY);
	memcpy(arp + 8, x->mac, MAC_SIZE);
	memcpy(arp + 14, x->l3 + 24, 4);
	memcpy(arp + 18, x->l3 + 8, MAC_SIZE + 4);
	return x->l3_offset + ESF_ARP_SIZE;
}

/* ICMP echo (RFC 792) */

/* An address that one host may have: neither unspecified, nor multicast, nor broadcast. */
static bool ipv4_is_host(const uint8_t *ipv4)
{
	return ipv4[0] != 0 && ipv4[0] < 224;
}

static bool ipv4_is_for_us(const struct exchange *x)
{
	struct esf_address destination = esf_address_from_ipv4(x->l3 + 16);

	return ipv4_is_host(x->l3 + 12) && ipv4_is_host(x->l3 + 16) &&
	       esf_frame_addresses_hold(x->ours, &destination);
}

static void put_ipv4(const struct exchange *x, uint32_t message_size)
{
	uint8_t *ip = x->reply + x->l3_offset;

	memset(ip, 0, ESF_IPV4_SIZE);
	ip[0] = 0x45;
	ip[1] = x->l3[1];
	esf_inet_store16(ip + 2, (uint16_t)(ESF_IPV4_SIZE + message_size));
	ip[6] = 0x40; /* don't fragment, so that the identification may stay 0 (RFC 6864) */
	ip[8] = HOP_LIMIT;
	ip[9] = ESF_IP_ICMP;
	memcpy(ip + 12, x->l3 + 16, 4);
	memcpy(ip + 16, x->l3 + 12, 4);
	put_checksum(ip + 10, esf_checksum(ip, ESF_IPV4_SIZE, 0));
}

/* Options of the request are checked with its header and left out of the answer. */
static uint32_t reply_echo(const struct exchange *x)
{
	uint32_t header_size = (x->l3[0] & 0xfu) * 4;
	uint32_t total_size = esf_inet_load16(x->l3 + 2);
	const uint8_t *message = x->l3 + header_size;
	uint8_t *answer = x->reply + x->l3_offset + ESF_IPV4_SIZE;
	uint32_t message_size;

	if (total_size > x->l3_size || total_size < header_size + ESF_ICMP_SIZE)
		return 0;
	message_size = total_size - header_size;
	if (message[0] != ESF_ICMP_ECHO || message[1] != 0 || !ipv4_is_for_us(x) ||
	    esf_checksum(x->l3, header_size, 0) != 0xffff ||
	    esf_checksum(message, message_size, 0) != 0xffff ||
	    !fits(x, ESF_IPV4_SIZE + message_size))
		return 0;
	put_ether(x, sender_of(x));
	put_ipv4(x, message_size);
	memcpy(answer, message, message_size);
	memset(answer, 0, 4); /* type 0 is the reply's */
	put_checksum(answer + 2, esf_checksum(answer, message_size, 0));
	return x->l3_offset + ESF_IPV4_SIZE + message_size;
}

/* ICMPv6: neighbour discovery (RFC 4861) and echo (RFC 4443) */

/* The sum over the pseudo header (RFC 8200 section 8.1) and an ICMPv6 message behind its IPv6
 * header. */
static uint16_t icmpv6_sum(const uint8_t *ip, uint32_t message_size)
{
	uint16_t sum = esf_checksum(ip + 8, 32, message_size + ESF_IP_ICMPV6);

	return esf_checksum(ip + ESF_IPV6_SIZE, message_size, sum);
}

static struct esf_address load_ipv6(const uint8_t *at)
{
	struct esf_address address;

	memcpy(address.bytes, at, sizeof(address.bytes));
	return address;
}

static bool ipv6_is_unspecified(const uint8_t *ipv6)
{
	static const uint8_t unspecified[16];

	return memcmp(ipv6, unspecified, sizeof(unspecified)) == 0;
}

static bool ipv6_is_multicast(const uint8_t *ipv6)
{
	return ipv6[0] == 0xff;
}

static bool ipv6_is_solicited_node(const uint8_t *ipv6, const uint8_t *target)
{
	static const uint8_t prefix[13] = { 0xff, 0x02, [11] = 0x01, [12] = 0xff };

	return memcmp(ipv6, prefix, sizeof(prefix)) == 0 && memcmp(ipv6 + 13, target + 13, 3) == 0;
}

/* One of ours that can be the source of an answer. An IPv4-mapped form is IPv4's, not the wire's.
 */
static bool ipv6_is_our_host(const struct exchange *x, const uint8_t *ipv6)
{
	struct esf_address address = load_ipv6(ipv6);

	return !ipv6_is_multicast(ipv6) && !esf_address_is_ipv4(&address) &&
	       esf_frame_addresses_hold(x->ours, &address);
}

static void put_ipv6(const struct exchange *x, const uint8_t *source, const uint8_t *destination,
    uint32_t message_size, uint8_t hop_limit)
{
	uint8_t *ip = x->reply + x->l3_offset;

	memcpy(ip, x->l3, 4); /* version, traffic class, flow label */
	esf_inet_store16(ip + 4, (uint16_t)message_size);
	ip[6] = ESF_IP_ICMPV6;
	ip[7] = hop_limit;
	memcpy(ip + 8, source, 16);
	memcpy(ip + 24, destination, 16);
}

/* Puts the checksum over what follows the answer's IPv6 header; returns the answer's size. */
static uint32_t finish_icmpv6(const struct exchange *x, uint32_t message_size)
{
	uint8_t *ip = x->reply + x->l3_offset;

	memset(ip + ESF_IPV6_SIZE + 2, 0, 2);
	put_checksum(ip + ESF_IPV6_SIZE + 2, icmpv6_sum(ip, message_size));
	return x->l3_offset + ESF_IPV6_SIZE + message_size;
}

static uint32_t reply_echo6(const struct exchange *x, uint32_t message_size)
{
	uint8_t *answer = x->reply + x->l3_offset + ESF_IPV6_SIZE;

	if (!ipv6_is_our_host(x, x->l3 + 24) || ipv6_is_unspecified(x->l3 + 8) ||
	    !fits(x, ESF_IPV6_SIZE + message_size))
		return 0;
	put_ether(x, sender_of(x));
	put_ipv6(x, x->l3 + 24, x->l3 + 8, message_size, HOP_LIMIT);
	memcpy(answer, x->l3 + ESF_IPV6_SIZE, message_size);
	answer[0] = ESF_ICMPV6_ECHO_REPLY;
	return finish_icmpv6(x, message_size);
}

/* Every option whole and none of size 0; none with the source's link address where it has no IP
 * one. */
static bool ndp_options_valid(const uint8_t *options, uint32_t size, bool unspecified)
{
	uint32_t option_size;

	while (size > 0) {
		if (size < NDP_LINK_OPTION_SIZE)
			return false;
		option_size = options[1] * 8u;
		if (option_size == 0 || option_size > size)
			return false;
		if (unspecified && options[0] == NDP_OPTION_SOURCE_LINK)
			return false;
		options += option_size;
		size -= option_size;
	}
	return true;
}

static bool solicitation_is_valid(const struct exchange *x, uint32_t message_size)
{
	const uint8_t *message = x->l3 + ESF_IPV6_SIZE;
	const uint8_t *destination = x->l3 + 24;
	bool unspecified = ipv6_is_unspecified(x->l3 + 8);

	if (x->l3[7] != NDP_HOP_LIMIT || message_size < NDP_MESSAGE_SIZE)
		return false;
	if (!ipv6_is_our_host(x, message + 8))
		return false;
	if (!ipv6_is_solicited_node(destination, message + 8) &&
	    (unspecified || !ipv6_is_our_host(x, destination)))
		return false;
	return ndp_options_valid(
	    message + NDP_MESSAGE_SIZE, message_size - NDP_MESSAGE_SIZE, unspecified);
}

static void put_advertisement(const struct exchange *x, const uint8_t *target, uint8_t flags)
{
	uint8_t *answer = x->reply + x->l3_offset + ESF_IPV6_SIZE;
	uint8_t *option = answer + NDP_MESSAGE_SIZE;

	memset(answer, 0, NDP_MESSAGE_SIZE);
	answer[0] = ESF_NDP_ADVERTISEMENT;
	answer[4] = flags;
	memcpy(answer + 8, target, 16);
	option[0] = NDP_OPTION_TARGET_LINK;
	option[1] = NDP_LINK_OPTION_SIZE / 8;
	memcpy(option + 2, x->mac, MAC_SIZE);
}

/* RFC 4861 section 7.2.4: who has no address yet (duplicate address detection) is told with all
 * nodes. */
static uint32_t reply_solicitation(const struct exchange *x, uint32_t message_size)
{
	static const uint8_t all_nodes[16] = { 0xff, 0x02, [15] = 1 };
	static const uint8_t all_nodes_mac[MAC_SIZE] = { 0x33, 0x33, 0, 0, 0, 1 };
	const uint32_t answer_size = NDP_MESSAGE_SIZE + NDP_LINK_OPTION_SIZE;
	const uint8_t *target = x->l3 + ESF_IPV6_SIZE + 8;
	bool unspecified = ipv6_is_unspecified(x->l3 + 8);

	if (!solicitation_is_valid(x, message_size) || !fits(x, ESF_IPV6_SIZE + answer_size))
		return 0;
	put_ether(x, unspecified ? all_nodes_mac : sender_of(x));
	put_ipv6(x, target, unspecified ? all_nodes : x->l3 + 8, answer_size, NDP_HOP_LIMIT);
	put_advertisement(x, target, unspecified ? NDP_OVERRIDE : NDP_OVERRIDE | NDP_SOLICITED);
	return finish_icmpv6(x, answer_size);
}

static uint32_t reply_icmpv6(const struct exchange *x)
{
	uint32_t message_size = esf_inet_load16(x->l3 + 4);
	const uint8_t *message = x->l3 + ESF_IPV6_SIZE;

	if (message_size > x->l3_size - ESF_IPV6_SIZE || message_size < ESF_ICMP_SIZE)
		return 0;
	if (message[1] != 0 || ipv6_is_multicast(x->l3 + 8) ||
	    icmpv6_sum(x->l3, message_size) != 0xffff)
		return 0;
	if (message[0] == ESF_ICMPV6_ECHO)
		return reply_echo6(x, message_size);
	if (message[0] == ESF_NDP_SOLICITATION)
		return reply_solicitation(x, message_size);
	return 0;
}

static bool ether_is_for_us(const uint8_t *data, const uint8_t *mac)
{
	return (is_group_mac(data) || memcmp(data, mac, MAC_SIZE) == 0) &&
	       !is_group_mac(data + MAC_SIZE);
}

uint32_t esf_neighbour_reply(const uint8_t *data, uint32_t size,
    const struct esf_frame_addresses *ours, const uint8_t mac[6], uint8_t *reply,
    uint32_t reply_size)
{
	struct esf_frame frame;
	struct exchange x;

	if (esf_frame_parse(data, size, 0, ours, &frame) != ESF_DATAGRAM_NEIGHBOUR ||
	    !ether_is_for_us(data, mac))
		return 0;
	x = (struct exchange){ data, data + frame.l3_offset, frame.l3_offset,
		size - frame.l3_offset, ours, mac, reply, reply_size };
	switch (frame.ether_type) {
	case ESF_ETHER_ARP:
		return reply_arp(&x);
	case ESF_ETHER_IPV4:
		return reply_echo(&x);
	default:
		return reply_icmpv6(&x);
	}
}

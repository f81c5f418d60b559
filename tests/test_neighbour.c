/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/neighbour.h"

#include <stdio.h>
#include <stdlib.h>

#include <CUnit/CUnit.h>

#include "frame_bytes.h"
#include "suites.h"

static const uint8_t unspecified[16];
static const uint8_t solicited_node[16] = { 0xff, 0x02, [11] = 1, [12] = 0xff, 0xa1, 0xb2, 0xc3 };
static const uint8_t all_nodes[16] = { 0xff, 0x02, [15] = 1 };
static const uint8_t all_nodes_mac[6] = { 0x33, 0x33, 0, 0, 0, 1 };
static const uint8_t other_mac[6] = { 0x02, 0, 0, 0, 0, 0x55 };

static struct esf_frame_addresses ours(void)
{
	struct esf_frame_addresses list = { .count = 2 };

	memcpy(list.address[0].bytes, our_ipv6, 16);
	list.address[1] = esf_address_from_ipv4(our_ipv4);
	return list;
}

/* Both request and reply stand in allocations of exactly their sizes. */
static struct bytes reply_into(
    const struct bytes *b, const struct esf_frame_addresses *list, uint32_t reply_size)
{
	uint8_t *copy = malloc(b->size + 1);
	uint8_t *reply = malloc(reply_size + 1);
	struct bytes out = { .size = 0 };

	memcpy(copy + 1, b->data, b->size);
	out.size = esf_neighbour_reply(copy + 1, b->size, list, our_mac, reply + 1, reply_size);
	CU_ASSERT_FATAL(out.size <= reply_size);
	memcpy(out.data, reply + 1, out.size);
	free(copy);
	free(reply);
	return out;
}

static struct bytes reply_to(const struct bytes *b)
{
	const struct esf_frame_addresses list = ours();

	return reply_into(b, &list, ESF_NEIGHBOUR_REPLY_MAX);
}

static void expect_silence(const char *what, const struct bytes *b)
{
	struct bytes r = reply_to(b);

	CU_ASSERT_EQUAL(r.size, 0);
	if (r.size != 0)
		printf("\n  %s: answered with %u bytes", what, r.size);
}

/* A good frame with one byte replaced; for those whose checksum then matters, sealed again. */
static struct bytes with_byte(const struct bytes *b, uint32_t at, unsigned value)
{
	struct bytes changed = *b;

	changed.data[at] = (uint8_t)value;
	return changed;
}

static void expect_ether(const struct bytes *request, const struct bytes *reply, unsigned tags,
    const uint8_t *destination)
{
	CU_ASSERT_EQUAL(memcmp(reply->data, destination, 6), 0);
	CU_ASSERT_EQUAL(memcmp(reply->data + 6, our_mac, 6), 0);
	CU_ASSERT_EQUAL(memcmp(reply->data + 12, request->data + 12, 2 + 4 * tags), 0);
}

/* ARP */

static struct bytes make_arp(unsigned tags)
{
	struct bytes b = { .size = 0 };

	put_ether(&b, tags, 0x0806);
	memset(b.data, 0xff, 6);
	put16(&b, 1);
	put16(&b, 0x0800);
	put16(&b, 0x0604);
	put16(&b, 1);
	put(&b, peer_mac, 6);
	put(&b, peer_ipv4, 4);
	put(&b, unspecified, 6);
	put(&b, our_ipv4, 4);
	put(&b, unspecified, 16); /* Ethernet padding, more or less */
	return b;
}

static void arp_request_for_our_address_is_answered(void)
{
	for (unsigned tags = 0; tags <= 2; tags++) {
		struct bytes b = make_arp(tags), r = reply_to(&b);
		struct bytes want = { .size = 0 };
		unsigned l3 = 14 + 4 * tags;

		put16(&want, 1);
		put16(&want, 0x0800);
		put16(&want, 0x0604);
		put16(&want, 2);
		put(&want, our_mac, 6);
		put(&want, our_ipv4, 4);
		put(&want, peer_mac, 6);
		put(&want, peer_ipv4, 4);
		CU_ASSERT_EQUAL(r.size, l3 + 28);
		expect_ether(&b, &r, tags, peer_mac);
		CU_ASSERT_EQUAL(memcmp(r.data + l3, want.data, 28), 0);
	}
}

static void arp_that_asks_nothing_of_us_is_not_answered(void)
{
	static const struct {
		const char *what;
		uint32_t at;
		unsigned value;
	} cases[] = {
		{ "hardware type", 15, 6 },
		{ "protocol type", 16, 0x86 },
		{ "hardware size", 18, 8 },
		{ "protocol size", 19, 16 },
		{ "reply", 21, 2 },
		{ "multicast sender", 22, 0x03 },
		{ "multicast Ethernet source", 6, 0x03 },
		{ "target", 41, 2 },
		{ "ether type", 13, 0x35 },
	};
	struct bytes good = make_arp(0);

	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct bytes b = with_byte(&good, cases[i].at, cases[i].value);

		expect_silence(cases[i].what, &b);
	}
}

/* Echo */

static void seal_icmp(struct bytes *b, uint32_t l4)
{
	set16(b->data + l4 + 2, 0);
	set16(b->data + l4 + 2, 0xffff - reference_sum(b->data + l4, b->size - l4, 0));
}

static void seal_icmpv6(struct bytes *b, uint32_t l3)
{
	uint32_t l4 = l3 + 40;
	unsigned sum = pseudo_sum(b->data + l3, 58, b->size - l4);

	set16(b->data + l4 + 2, 0);
	set16(b->data + l4 + 2, 0xffff - reference_sum(b->data + l4, b->size - l4, sum));
}

static void put_echo(struct bytes *b, unsigned type, unsigned payload)
{
	put16(b, type * 256);
	put16(b, 0);
	put16(b, 0xbeef);
	put16(b, 42);
	for (unsigned i = 0; i < payload; i++)
		put8(b, i * 31 + 3);
}

static struct bytes make_echo(unsigned tags, unsigned options, unsigned payload)
{
	struct bytes b = { .size = 0 };

	put_ether(&b, tags, 0x0800);
	put_ipv4(&b, options, 1, 8 + payload);
	put_echo(&b, 8, payload);
	seal_icmp(&b, 14 + 4 * tags + 20 + options);
	return b;
}

static struct bytes make_echo6(unsigned tags, unsigned payload)
{
	struct bytes b = { .size = 0 };

	put_ether(&b, tags, 0x86dd);
	put_ipv6(&b, 58, 64, 8 + payload);
	put_echo(&b, 128, payload);
	seal_icmpv6(&b, 14 + 4 * tags);
	return b;
}

static void check_echo_reply(unsigned tags, unsigned options, unsigned payload)
{
	struct bytes b = make_echo(tags, options, payload), r = reply_to(&b);
	const uint8_t *ip = r.data + 14 + 4 * tags;
	const uint8_t *asked = b.data + 14 + 4 * tags + 20 + options;

	CU_ASSERT_EQUAL_FATAL(r.size, 14 + 4 * tags + 20 + 8 + payload);
	expect_ether(&b, &r, tags, peer_mac);
	CU_ASSERT_EQUAL(ip[0], 0x45);
	CU_ASSERT_EQUAL(get16(ip + 2), 28 + payload);
	CU_ASSERT_EQUAL(get16(ip + 6) & 0x3fff, 0);
	CU_ASSERT_EQUAL(ip[8], 64);
	CU_ASSERT_EQUAL(ip[9], 1);
	CU_ASSERT_EQUAL(memcmp(ip + 12, our_ipv4, 4), 0);
	CU_ASSERT_EQUAL(memcmp(ip + 16, peer_ipv4, 4), 0);
	CU_ASSERT_EQUAL(reference_sum(ip, 20, 0), 0xffff);
	CU_ASSERT_EQUAL(get16(ip + 20), 0);
	CU_ASSERT_EQUAL(memcmp(ip + 24, asked + 4, 4 + payload), 0);
	CU_ASSERT_EQUAL(reference_sum(ip + 20, 8 + payload, 0), 0xffff);
}

static void ping_is_answered_with_its_payload(void)
{
	check_echo_reply(0, 0, 56);
	check_echo_reply(0, 0, 0);
	check_echo_reply(0, 0, 1);
	check_echo_reply(0, 12, 33);
	check_echo_reply(1, 0, 56);
	check_echo_reply(2, 4, 1400);
}

static void check_echo6_reply(unsigned tags, unsigned payload)
{
	struct bytes b = make_echo6(tags, payload), r = reply_to(&b);
	const uint8_t *ip = r.data + 14 + 4 * tags;

	CU_ASSERT_EQUAL_FATAL(r.size, b.size);
	expect_ether(&b, &r, tags, peer_mac);
	CU_ASSERT_EQUAL(ip[0] / 16, 6);
	CU_ASSERT_EQUAL(get16(ip + 4), 8 + payload);
	CU_ASSERT_EQUAL(ip[6], 58);
	CU_ASSERT_EQUAL(ip[7], 64);
	CU_ASSERT_EQUAL(memcmp(ip + 8, our_ipv6, 16), 0);
	CU_ASSERT_EQUAL(memcmp(ip + 24, peer_ipv6, 16), 0);
	CU_ASSERT_EQUAL(get16(ip + 40), 129 * 256);
	CU_ASSERT_EQUAL(memcmp(ip + 44, b.data + 14 + 4 * tags + 44, 4 + payload), 0);
	CU_ASSERT_EQUAL(
	    reference_sum(ip + 40, 8 + payload, pseudo_sum(ip, 58, 8 + payload)), 0xffff);
}

static void ping6_is_answered_with_its_payload(void)
{
	check_echo6_reply(0, 56);
	check_echo6_reply(0, 0);
	check_echo6_reply(0, 1);
	check_echo6_reply(1, 57);
	check_echo6_reply(2, 1400);
}

static void answer_leaves_ethernet_padding_out(void)
{
	struct bytes b = make_echo(0, 0, 4), r;

	put(&b, unspecified, 14);
	r = reply_to(&b);
	CU_ASSERT_EQUAL(r.size, 14 + 28 + 4);
}

static void ping_that_is_not_for_us_or_not_sound_is_not_answered(void)
{
	static const struct {
		const char *what;
		uint32_t at; /* IPv4 header starts at 14, ICMP at 34 */
		unsigned value;
	} cases[] = {
		{ "to another host", 33, 2 },
		{ "to broadcast", 30, 255 },
		{ "from multicast", 26, 224 },
		{ "from nowhere", 26, 0 },
		{ "to another link address", 5, 0x55 },
		{ "from a multicast link address", 6, 0x03 },
		{ "total size beyond the frame", 17, 200 },
		{ "total size less than headers", 17, 27 },
		{ "reply", 34, 0 },
		{ "unreachable", 34, 3 },
		{ "code", 35, 1 },
		{ "UDP", 23, 17 },
		{ "fragment", 20, 0x20 },
	};
	struct bytes good = make_echo(0, 0, 56), b;

	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		b = with_byte(&good, cases[i].at, cases[i].value);
		seal_ipv4(b.data + 14);
		seal_icmp(&b, 34);
		expect_silence(cases[i].what, &b);
	}
	b = with_byte(&good, 24, good.data[24] ^ 1);
	expect_silence("wrong header checksum", &b);
	b = with_byte(&good, 60, good.data[60] ^ 1);
	expect_silence("wrong checksum", &b);
}

static void ping6_that_is_not_for_us_or_not_sound_is_not_answered(void)
{
	static const struct {
		const char *what;
		uint32_t at; /* IPv6 header starts at 14, ICMPv6 at 54 */
		unsigned value;
	} cases[] = {
		{ "to another host", 53, 2 },
		{ "to multicast", 38, 0xff },
		{ "from multicast", 22, 0xff },
		{ "to another link address", 5, 0x55 },
		{ "reply", 54, 129 },
		{ "code", 55, 1 },
		{ "router solicitation", 54, 133 },
		{ "advertisement", 54, 136 },
	};
	struct bytes good = make_echo6(0, 56), b;

	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		b = with_byte(&good, cases[i].at, cases[i].value);
		seal_icmpv6(&b, 14);
		expect_silence(cases[i].what, &b);
	}
	b = good;
	memset(b.data + 22, 0, 16);
	seal_icmpv6(&b, 14);
	expect_silence("from nowhere", &b);
	b = with_byte(&good, 60, good.data[60] ^ 1);
	expect_silence("wrong checksum", &b);
	b = with_byte(&good, 19, good.data[19] + 1);
	expect_silence("payload size beyond the frame", &b);
	b = with_byte(&good, 19, 7);
	expect_silence("payload size less than a header", &b);
}

/* A port may take datagrams for a group; no answer can have the group as its source. */
static void ping_to_a_configured_group_is_not_answered(void)
{
	struct esf_frame_addresses list = { .count = 2 };
	struct bytes b = make_echo(0, 0, 8), b6 = make_echo6(0, 8);

	memcpy(b.data + 30, (uint8_t[]){ 239, 1, 1, 1 }, 4);
	seal_ipv4(b.data + 14);
	list.address[0] = esf_address_from_ipv4(b.data + 30);
	b6.data[38] = 0xff;
	b6.data[39] = 0x05;
	seal_icmpv6(&b6, 14);
	memcpy(list.address[1].bytes, b6.data + 38, 16);
	CU_ASSERT_EQUAL(reply_into(&b, &list, 2000).size, 0);
	CU_ASSERT_EQUAL(reply_into(&b6, &list, 2000).size, 0);
}

static void ping6_to_an_ipv4_mapped_address_is_not_answered(void)
{
	struct bytes b = make_echo6(0, 8);
	struct esf_address mapped = esf_address_from_ipv4(our_ipv4);

	memcpy(b.data + 38, mapped.bytes, 16);
	seal_icmpv6(&b, 14);
	expect_silence("mapped", &b);
}

/* NDP */

/* option: the link-layer option's type, 0 for none */
static struct bytes make_solicitation(
    unsigned tags, const uint8_t *source, const uint8_t *destination, unsigned option)
{
	struct bytes b = { .size = 0 };
	unsigned l3 = 14 + 4 * tags;

	put_ether(&b, tags, 0x86dd);
	put_ipv6(&b, 58, 255, option != 0 ? 32 : 24);
	memcpy(b.data + l3 + 8, source, 16);
	memcpy(b.data + l3 + 24, destination, 16);
	if (destination[0] == 0xff)
		memcpy(b.data, (uint8_t[]){ 0x33, 0x33, 0xff, 0xa1, 0xb2, 0xc3 }, 6);
	put16(&b, 135 * 256);
	put16(&b, 0);
	put(&b, unspecified, 4);
	put(&b, our_ipv6, 16);
	if (option != 0) {
		put16(&b, option * 256 + 1);
		put(&b, peer_mac, 6);
	}
	seal_icmpv6(&b, l3);
	return b;
}

static void check_advertisement(
    const struct bytes *b, unsigned tags, const uint8_t *to_mac, const uint8_t *to, unsigned flags)
{
	struct bytes r = reply_to(b);
	const uint8_t *ip = r.data + 14 + 4 * tags;

	CU_ASSERT_EQUAL_FATAL(r.size, 14 + 4 * tags + 40 + 32);
	expect_ether(b, &r, tags, to_mac);
	CU_ASSERT_EQUAL(get16(ip + 4), 32);
	CU_ASSERT_EQUAL(get16(ip + 6), 58 * 256 + 255);
	CU_ASSERT_EQUAL(memcmp(ip + 8, our_ipv6, 16), 0);
	CU_ASSERT_EQUAL(memcmp(ip + 24, to, 16), 0);
	CU_ASSERT_EQUAL(get16(ip + 40), 136 * 256);
	CU_ASSERT_EQUAL(get16(ip + 44), flags * 256);
	CU_ASSERT_EQUAL(get16(ip + 46), 0);
	CU_ASSERT_EQUAL(memcmp(ip + 48, our_ipv6, 16), 0);
	CU_ASSERT_EQUAL(get16(ip + 64), 0x0201);
	CU_ASSERT_EQUAL(memcmp(ip + 66, our_mac, 6), 0);
	CU_ASSERT_EQUAL(reference_sum(ip + 40, 32, pseudo_sum(ip, 58, 32)), 0xffff);
}

static void solicitation_is_answered_to_its_sender(void)
{
	for (unsigned tags = 0; tags <= 2; tags++) {
		struct bytes b = make_solicitation(tags, peer_ipv6, solicited_node, 1);

		check_advertisement(&b, tags, peer_mac, peer_ipv6, 0x60);
		b = make_solicitation(tags, peer_ipv6, our_ipv6, 1);
		check_advertisement(&b, tags, peer_mac, peer_ipv6, 0x60);
		b = make_solicitation(tags, peer_ipv6, our_ipv6, 0);
		check_advertisement(&b, tags, peer_mac, peer_ipv6, 0x60);
	}
}

static void duplicate_address_detection_is_answered_to_all_nodes(void)
{
	struct bytes b = make_solicitation(0, unspecified, solicited_node, 0);

	check_advertisement(&b, 0, all_nodes_mac, all_nodes, 0x20);
	b = make_solicitation(1, unspecified, solicited_node, 14); /* a nonce, RFC 7527 */
	check_advertisement(&b, 1, all_nodes_mac, all_nodes, 0x20);
}

static void unsound_solicitation_is_not_answered(void)
{
	static const struct {
		const char *what;
		uint32_t
		    at; /* IPv6 header starts at 14, ICMPv6 at 54, target at 62, option at 78 */
		unsigned value;
	} cases[] = {
		{ "hop limit 254", 21, 254 },
		{ "code", 55, 1 },
		{ "multicast target", 62, 0xff },
		{ "another's target", 77, 1 },
		{ "option of size 0", 79, 0 },
		{ "option beyond the message", 79, 2 },
		{ "another's solicited-node address", 53, 1 },
		{ "from multicast", 22, 0xff },
	};
	struct bytes good = make_solicitation(0, peer_ipv6, solicited_node, 1), b;

	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		b = with_byte(&good, cases[i].at, cases[i].value);
		seal_icmpv6(&b, 14);
		expect_silence(cases[i].what, &b);
	}
	b = with_byte(&good, 80, good.data[80] ^ 1);
	expect_silence("wrong checksum", &b);
	b = make_solicitation(0, unspecified, solicited_node, 1);
	expect_silence("unspecified source with its link address", &b);
	b = make_solicitation(0, unspecified, our_ipv6, 0);
	expect_silence("unspecified source to unicast", &b);
	b = make_solicitation(0, peer_ipv6, all_nodes, 1);
	expect_silence("to all nodes", &b);
	b = make_solicitation(0, peer_ipv6, our_ipv6, 1);
	memcpy(b.data, other_mac, 6);
	expect_silence("to another link address", &b);
}

static void solicitation_of_less_than_its_header_is_not_answered(void)
{
	struct bytes good = make_solicitation(0, peer_ipv6, our_ipv6, 1);

	for (unsigned size = 0; size < 32; size++) {
		struct bytes b = good;

		b.size = 54 + size;
		set16(b.data + 18, size);
		if (size >= 4)
			seal_icmpv6(&b, 14);
		if (size != 24)
			expect_silence("short", &b);
	}
}

/* All */

static unsigned make_requests(struct bytes *requests)
{
	unsigned count = 0;

	for (unsigned tags = 0; tags <= 2; tags++) {
		requests[count] = make_arp(tags);
		requests[count++].size = 14 + 4 * tags + 28;
		requests[count++] = make_echo(tags, 0, 56);
		requests[count++] = make_echo(tags, 8, 56);
		requests[count++] = make_echo6(tags, 56);
		requests[count++] = make_solicitation(tags, peer_ipv6, solicited_node, 1);
	}
	return count;
}

static void truncated_request_is_never_answered(void)
{
	static struct bytes requests[16];
	unsigned count = make_requests(requests);

	for (unsigned i = 0; i < count; i++) {
		uint32_t whole = requests[i].size;

		CU_ASSERT_NOT_EQUAL(reply_to(&requests[i]).size, 0);
		for (requests[i].size = 0; requests[i].size < whole; requests[i].size++)
			expect_silence("cut", &requests[i]);
	}
}

static void reply_without_room_is_not_given(void)
{
	static struct bytes requests[16];
	const struct esf_frame_addresses list = ours();
	unsigned count = make_requests(requests);

	for (unsigned i = 0; i < count; i++) {
		uint32_t full = reply_to(&requests[i]).size;

		for (uint32_t room = 0; room < full; room++)
			CU_ASSERT_EQUAL(reply_into(&requests[i], &list, room).size, 0);
		CU_ASSERT_EQUAL(reply_into(&requests[i], &list, full).size, full);
	}
}

static void ping_longer_than_the_bound_is_not_answered(void)
{
	const struct esf_frame_addresses list = ours();
	struct bytes fits = make_echo(0, 0, ESF_NEIGHBOUR_REPLY_MAX - 42);
	struct bytes longer = make_echo(0, 0, ESF_NEIGHBOUR_REPLY_MAX - 41);

	CU_ASSERT_EQUAL(reply_into(&fits, &list, 4000).size, ESF_NEIGHBOUR_REPLY_MAX);
	CU_ASSERT_EQUAL(reply_into(&longer, &list, 4000).size, 0);
}

/* Listening to any address is no reason to claim any. */
static void nothing_is_answered_where_no_address_is_configured(void)
{
	static struct bytes requests[16];
	const struct esf_frame_addresses none = { .count = 0 };
	unsigned count = make_requests(requests);

	for (unsigned i = 0; i < count; i++)
		CU_ASSERT_EQUAL(reply_into(&requests[i], &none, 2000).size, 0);
}

static void answer_is_itself_never_answered(void)
{
	static struct bytes requests[16];
	unsigned count = make_requests(requests);

	for (unsigned i = 0; i < count; i++) {
		struct bytes r = reply_to(&requests[i]);

		memcpy(r.data, our_mac, 6);
		expect_silence("answer", &r);
	}
}

#define ADD(suite, test) CU_add_test(suite, #test, test)

void esf_suite_neighbour(void)
{
	CU_pSuite suite = CU_add_suite("neighbour", NULL, NULL);

	ADD(suite, arp_request_for_our_address_is_answered);
	ADD(suite, arp_that_asks_nothing_of_us_is_not_answered);
	ADD(suite, ping_is_answered_with_its_payload);
	ADD(suite, ping6_is_answered_with_its_payload);
	ADD(suite, answer_leaves_ethernet_padding_out);
	ADD(suite, ping_that_is_not_for_us_or_not_sound_is_not_answered);
	ADD(suite, ping6_that_is_not_for_us_or_not_sound_is_not_answered);
	ADD(suite, ping_to_a_configured_group_is_not_answered);
	ADD(suite, ping6_to_an_ipv4_mapped_address_is_not_answered);
	ADD(suite, solicitation_is_answered_to_its_sender);
	ADD(suite, duplicate_address_detection_is_answered_to_all_nodes);
	ADD(suite, unsound_solicitation_is_not_answered);
	ADD(suite, solicitation_of_less_than_its_header_is_not_answered);
	ADD(suite, truncated_request_is_never_answered);
	ADD(suite, reply_without_room_is_not_given);
	ADD(suite, ping_longer_than_the_bound_is_not_answered);
	ADD(suite, nothing_is_answered_where_no_address_is_configured);
	ADD(suite, answer_is_itself_never_answered);
}

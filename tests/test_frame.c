/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/frame.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <CUnit/CUnit.h>

#include "dataplane/frame_short.h"
#include "dataplane/ledger.h"
#include "frame_bytes.h"
#include "suites.h"

enum { SOURCE_PORT = 40001, DESTINATION_PORT = 8686, NIC_GOOD = 0x5 };

/* A UDP datagram's frame. */
struct shape {
	unsigned tags;
	bool ipv6;
	unsigned options; /* bytes, IPv4 */
	unsigned payload; /* bytes */
	unsigned padding; /* bytes behind the IP packet */
};

static unsigned l3_of(const struct shape *shape)
{
	return 14 + 4 * shape->tags;
}

static unsigned l4_of(const struct shape *shape)
{
	return l3_of(shape) + (shape->ipv6 ? 40 : 20 + shape->options);
}

static void seal_udp(struct bytes *b, const struct shape *shape)
{
	uint8_t *udp = b->data + l4_of(shape);
	unsigned size = 8 + shape->payload;
	unsigned sum = pseudo_sum(b->data + l3_of(shape), 17, size);

	set16(udp + 6, 0);
	sum = reference_sum(udp, size, sum);
	set16(udp + 6, sum == 0xffff ? 0xffff : 0xffff - sum);
}

static struct bytes make(const struct shape *shape)
{
	struct bytes b = { .size = 0 };

	put_ether(&b, shape->tags, shape->ipv6 ? 0x86dd : 0x0800);
	if (shape->ipv6)
		put_ipv6(&b, 17, 64, 8 + shape->payload);
	else
		put_ipv4(&b, shape->options, 17, 8 + shape->payload);
	put16(&b, SOURCE_PORT);
	put16(&b, DESTINATION_PORT);
	put16(&b, 8 + shape->payload);
	put16(&b, 0);
	for (unsigned i = 0; i < shape->payload; i++)
		put8(&b, 0x9d * i + 7);
	seal_udp(&b, shape);
	for (unsigned i = 0; i < shape->padding; i++)
		put8(&b, 0xee);
	return b;
}

static struct esf_frame_addresses ours(void)
{
	struct esf_frame_addresses list = { .count = 2 };

	list.address[0] = esf_address_from_ipv4(our_ipv4);
	memcpy(list.address[1].bytes, our_ipv6, 16);
	return list;
}

static uint32_t short_ways; /* frames that the short way took */

/* Parses a copy that ends where its allocation ends, and by the short way too, which may not say
 * otherwise; *payload_offset is of an accepted payload. */
static enum esf_datagram_verdict parse_with(const struct bytes *b, unsigned flags,
    const struct esf_frame_addresses *list, struct esf_frame *out, long *payload_offset)
{
	uint8_t *copy = malloc(b->size > 0 ? b->size : 1);
	enum esf_datagram_verdict verdict;
	const struct esf_frame_usual usual = esf_frame_usual(list);
	struct esf_frame short_out;

	memcpy(copy, b->data, b->size);
	verdict = esf_frame_parse(b->size > 0 ? copy : copy + 1, b->size, flags, list, out);
	if (esf_frame_short(b->size > 0 ? copy : copy + 1, b->size, flags, &usual, &short_out)) {
		CU_ASSERT_EQUAL(verdict, ESF_DATAGRAM_ACCEPTED);
		CU_ASSERT(short_out.payload == out->payload &&
		          short_out.payload_size == out->payload_size &&
		          short_out.l3_offset == out->l3_offset &&
		          short_out.ether_type == out->ether_type);
		short_ways++;
	}
	if (verdict == ESF_DATAGRAM_ACCEPTED)
		*payload_offset = out->payload - copy;
	free(copy);
	return verdict;
}

static enum esf_datagram_verdict parse(const struct bytes *b, unsigned flags)
{
	const struct esf_frame_addresses list = ours();
	struct esf_frame out;
	long payload_offset;

	return parse_with(b, flags, &list, &out, &payload_offset);
}

static void expect(const char *what, enum esf_datagram_verdict got, enum esf_datagram_verdict want)
{
	CU_ASSERT_EQUAL(got, want);
	if (got != want)
		printf("\n  %s: got %s, want %s", what, esf_datagram_verdict_names[got],
		    esf_datagram_verdict_names[want]);
}

static const struct shape good_shapes[] = {
	{ .payload = 48 },
	{ .payload = 0 },
	{ .payload = 1 },
	{ .payload = 4, .padding = 14 },
	{ .payload = 18 },
	{ .payload = 1471 },
	{ .payload = 33, .options = 4 },
	{ .payload = 33, .options = 40 },
	{ .payload = 33, .tags = 1 },
	{ .payload = 33, .tags = 2, .options = 8, .padding = 3 },
	{ .payload = 48, .ipv6 = true },
	{ .payload = 0, .ipv6 = true },
	{ .payload = 17, .ipv6 = true, .tags = 1 },
	{ .payload = 18, .ipv6 = true, .tags = 2, .padding = 5 },
};

enum { GOOD_SHAPES = sizeof(good_shapes) / sizeof(good_shapes[0]) };

static void check_fields(
    const struct shape *shape, const struct bytes *b, const struct esf_frame *out, long offset)
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };
	struct esf_frame there = *out; /* the copy that was parsed is gone */
	struct esf_address source;

	CU_ASSERT_EQUAL(offset, (long)l4_of(shape) + 8);
	CU_ASSERT_EQUAL(out->payload_size, shape->payload);
	CU_ASSERT_EQUAL(out->l3_offset, l3_of(shape));
	CU_ASSERT_EQUAL(out->ether_type, shape->ipv6 ? 0x86dd : 0x0800);
	there.payload = b->data + offset;
	CU_ASSERT_EQUAL(esf_frame_source_port(&there), SOURCE_PORT);
	CU_ASSERT_EQUAL(esf_frame_destination_port(&there), DESTINATION_PORT);
	source = esf_frame_source(b->data, &there);
	if (shape->ipv6) {
		CU_ASSERT_EQUAL(memcmp(source.bytes, peer_ipv6, 16), 0);
		return;
	}
	CU_ASSERT_EQUAL(memcmp(source.bytes, mapped, 12), 0);
	CU_ASSERT_EQUAL(memcmp(source.bytes + 12, peer_ipv4, 4), 0);
}

static void good_frame_gives_its_payload_ports_and_addresses(void)
{
	const struct esf_frame_addresses list = ours();

	for (unsigned i = 0; i < GOOD_SHAPES; i++) {
		struct bytes b = make(&good_shapes[i]);
		struct esf_frame out;
		long offset = -1;

		expect("good", parse_with(&b, 0, &list, &out, &offset), ESF_DATAGRAM_ACCEPTED);
		check_fields(&good_shapes[i], &b, &out, offset);
	}
	/* Those of good_shapes with neither options, tags, IPv6 nor padding, and no shorter than
	 * Ethernet's frames. */
	CU_ASSERT_EQUAL(short_ways, 3);
}

/* A cut into padding alone leaves the packet whole; any other must be refused. */
static void truncated_frame_is_never_accepted(void)
{
	for (unsigned i = 0; i < GOOD_SHAPES; i++) {
		struct bytes b = make(&good_shapes[i]);
		uint32_t whole = b.size - good_shapes[i].padding;

		for (b.size = 0; b.size < whole; b.size++) {
			expect("cut", parse(&b, 0), ESF_DATAGRAM_MALFORMED);
			expect("cut, NIC good", parse(&b, NIC_GOOD), ESF_DATAGRAM_MALFORMED);
		}
	}
}

static void flipped_bit_is_never_accepted_unnoticed(void)
{
	const struct shape shapes[] = { { .payload = 21 }, { .payload = 20, .ipv6 = true } };

	for (unsigned i = 0; i < 2; i++) {
		struct bytes b = make(&shapes[i]);

		/* IPv6 has no header checksum: traffic class, flow label and hop limit are free. */
		for (uint32_t at = shapes[i].ipv6 ? 22 : 14; at < b.size; at++)
			for (unsigned bit = 0; bit < 8; bit++) {
				b.data[at] ^= (uint8_t)(1 << bit);
				CU_ASSERT_NOT_EQUAL(parse(&b, 0), ESF_DATAGRAM_ACCEPTED);
				b.data[at] ^= (uint8_t)(1 << bit);
			}
	}
}

enum base { L2, L3, L4 };

enum reseal { AS_IS, IP, UDP, BOTH };

/* A good frame with count bytes written over, checksums made right again (or not), and its verdict.
 */
struct mutation {
	const char *what;
	struct shape shape;
	enum base base;
	unsigned offset;
	unsigned count;
	uint8_t bytes[4];
	enum reseal reseal;
	unsigned flags;
	enum esf_datagram_verdict want;
};

#define V4                    \
	{                     \
		.payload = 24 \
	}
#define V6                                  \
	{                                   \
		.payload = 24, .ipv6 = true \
	}
#define TAGGED                           \
	{                                \
		.payload = 24, .tags = 1 \
	}

static struct bytes make_case(const struct mutation *c)
{
	struct bytes b = make(&c->shape);
	unsigned base = c->base == L2 ? 0 : c->base == L3 ? l3_of(&c->shape) : l4_of(&c->shape);

	memcpy(b.data + base + c->offset, c->bytes, c->count);
	if (c->reseal == IP || c->reseal == BOTH)
		seal_ipv4(b.data + l3_of(&c->shape));
	if (c->reseal == UDP || c->reseal == BOTH)
		seal_udp(&b, &c->shape);
	return b;
}

static void check_cases(const struct mutation *cases, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct bytes b = make_case(&cases[i]);

		expect(cases[i].what, parse(&b, cases[i].flags), cases[i].want);
	}
}

#define CHECK_CASES(cases) check_cases(cases, sizeof(cases) / sizeof((cases)[0]))

static void ether_type_decides_between_neighbour_ip_and_not_ip(void)
{
	static const struct mutation cases[] = {
		{ "arp", V4, L2, 12, 2, { 0x08, 0x06 }, AS_IS, 0, ESF_DATAGRAM_NEIGHBOUR },
		{ "tagged arp", TAGGED, L2, 16, 2, { 0x08, 0x06 }, AS_IS, 0,
		    ESF_DATAGRAM_NEIGHBOUR },
		{ "lldp", V4, L2, 12, 2, { 0x88, 0xcc }, AS_IS, 0, ESF_DATAGRAM_NOT_IP },
		{ "802.3 length", V4, L2, 12, 2, { 0x00, 0x26 }, AS_IS, 0, ESF_DATAGRAM_NOT_IP },
		{ "tagged lldp", TAGGED, L2, 16, 2, { 0x88, 0xcc }, AS_IS, 0, ESF_DATAGRAM_NOT_IP },
		{ "three tags", { .payload = 24, .tags = 2 }, L2, 20, 2, { 0x81, 0x00 }, AS_IS, 0,
		    ESF_DATAGRAM_NOT_IP },
		{ "IPv6 said to be IPv4", V6, L2, 12, 2, { 0x08, 0x00 }, AS_IS, 0,
		    ESF_DATAGRAM_MALFORMED },
		{ "IPv4 said to be IPv6", V4, L2, 12, 2, { 0x86, 0xdd }, AS_IS, 0,
		    ESF_DATAGRAM_MALFORMED },
	};

	CHECK_CASES(cases);
}

static void ipv4_header_is_judged_in_the_order_of_the_verdicts(void)
{
	static const struct mutation cases[] = {
		{ "version 5", V4, L3, 0, 1, { 0x55 }, BOTH, 0, ESF_DATAGRAM_MALFORMED },
		{ "header of 16", V4, L3, 0, 1, { 0x44 }, AS_IS, 0, ESF_DATAGRAM_MALFORMED },
		{ "header beyond the frame", V4, L3, 0, 1, { 0x4f }, AS_IS, 0,
		    ESF_DATAGRAM_MALFORMED },
		{ "may fragment", V4, L3, 6, 2, { 0, 0 }, IP, 0, ESF_DATAGRAM_ACCEPTED },
		{ "reserved flag", V4, L3, 6, 2, { 0x80, 0 }, IP, 0, ESF_DATAGRAM_ACCEPTED },
		{ "first fragment", V4, L3, 6, 2, { 0x20, 0 }, IP, 0, ESF_DATAGRAM_FRAGMENT },
		{ "last fragment", V4, L3, 6, 2, { 0, 0xb9 }, IP, 0, ESF_DATAGRAM_FRAGMENT },
		{ "offset's high bit", V4, L3, 6, 2, { 0x10, 0 }, AS_IS, 0, ESF_DATAGRAM_FRAGMENT },
		{ "tagged fragment", TAGGED, L3, 6, 2, { 0x20, 0 }, IP, 0, ESF_DATAGRAM_FRAGMENT },
		{ "fragment of TCP", V4, L3, 6, 4, { 0x20, 0, 64, 6 }, IP, 0,
		    ESF_DATAGRAM_FRAGMENT },
		{ "fragment of a ping", V4, L3, 6, 4, { 0x20, 0, 64, 1 }, IP, 0,
		    ESF_DATAGRAM_FRAGMENT },
		{ "TCP", V4, L3, 9, 1, { 6 }, IP, 0, ESF_DATAGRAM_NOT_UDP },
		{ "TCP, bad checksum", V4, L3, 9, 1, { 6 }, AS_IS, 0, ESF_DATAGRAM_NOT_UDP },
		{ "not ours", V4, L3, 16, 4, { 10, 0, 0, 2 }, BOTH, 0, ESF_DATAGRAM_NOT_OURS },
		{ "not ours, bad checksums", V4, L3, 16, 4, { 10, 0, 0, 2 }, AS_IS, 0,
		    ESF_DATAGRAM_NOT_OURS },
		{ "broadcast", V4, L3, 16, 4, { 255, 255, 255, 255 }, BOTH, 0,
		    ESF_DATAGRAM_NOT_OURS },
		{ "bad header checksum", V4, L3, 10, 2, { 0x12, 0x34 }, AS_IS, 0,
		    ESF_DATAGRAM_BAD_CHECKSUM },
		{ "total size beyond the frame, bad checksum", V4, L3, 2, 2, { 0, 53 }, AS_IS, 0,
		    ESF_DATAGRAM_BAD_CHECKSUM },
		{ "total size beyond the frame", V4, L3, 2, 2, { 0, 53 }, IP, 0,
		    ESF_DATAGRAM_MALFORMED },
		{ "total size less than headers", V4, L3, 2, 2, { 0, 27 }, IP, 0,
		    ESF_DATAGRAM_MALFORMED },
		{ "total size 0", V4, L3, 2, 2, { 0, 0 }, IP, 0, ESF_DATAGRAM_MALFORMED },
		{ "total size less than UDP's", V4, L3, 2, 2, { 0, 51 }, IP, 0,
		    ESF_DATAGRAM_MALFORMED },
	};

	CHECK_CASES(cases);
}

static void ipv6_header_is_judged_in_the_order_of_the_verdicts(void)
{
	static const struct mutation cases[] = {
		{ "version 4", V6, L3, 0, 1, { 0x41 }, AS_IS, 0, ESF_DATAGRAM_MALFORMED },
		{ "fragment header", V6, L3, 6, 1, { 44 }, AS_IS, 0, ESF_DATAGRAM_FRAGMENT },
		{ "hop by hop", V6, L3, 6, 1, { 0 }, AS_IS, 0, ESF_DATAGRAM_EXTENSION_HEADER },
		{ "routing", V6, L3, 6, 1, { 43 }, AS_IS, 0, ESF_DATAGRAM_EXTENSION_HEADER },
		{ "ESP", V6, L3, 6, 1, { 50 }, AS_IS, 0, ESF_DATAGRAM_EXTENSION_HEADER },
		{ "AH", V6, L3, 6, 1, { 51 }, AS_IS, 0, ESF_DATAGRAM_EXTENSION_HEADER },
		{ "destination", V6, L3, 6, 1, { 60 }, AS_IS, 0, ESF_DATAGRAM_EXTENSION_HEADER },
		{ "mobility", V6, L3, 6, 1, { 135 }, AS_IS, 0, ESF_DATAGRAM_EXTENSION_HEADER },
		{ "HIP", V6, L3, 6, 1, { 139 }, AS_IS, 0, ESF_DATAGRAM_EXTENSION_HEADER },
		{ "shim6", V6, L3, 6, 1, { 140 }, AS_IS, 0, ESF_DATAGRAM_EXTENSION_HEADER },
		{ "TCP", V6, L3, 6, 1, { 6 }, AS_IS, 0, ESF_DATAGRAM_NOT_UDP },
		{ "IPv4's ICMP", V6, L3, 6, 1, { 1 }, AS_IS, 0, ESF_DATAGRAM_NOT_UDP },
		{ "no next header", V6, L3, 6, 1, { 59 }, AS_IS, 0, ESF_DATAGRAM_NOT_UDP },
		{ "not ours", V6, L3, 39, 1, { 9 }, UDP, 0, ESF_DATAGRAM_NOT_OURS },
		{ "not ours, bad checksum", V6, L3, 39, 1, { 9 }, AS_IS, 0, ESF_DATAGRAM_NOT_OURS },
		{ "payload size beyond the frame", V6, L3, 4, 2, { 0, 33 }, AS_IS, 0,
		    ESF_DATAGRAM_MALFORMED },
		{ "payload size less than UDP's", V6, L3, 4, 2, { 0, 31 }, AS_IS, 0,
		    ESF_DATAGRAM_MALFORMED },
		{ "payload size less than a header", V6, L3, 4, 2, { 0, 7 }, AS_IS, 0,
		    ESF_DATAGRAM_MALFORMED },
		{ "jumbogram", V6, L3, 4, 2, { 0, 0 }, AS_IS, 0, ESF_DATAGRAM_MALFORMED },
		{ "hop limit 1", V6, L3, 7, 1, { 1 }, AS_IS, 0, ESF_DATAGRAM_ACCEPTED },
	};

	CHECK_CASES(cases);
}

static void udp_size_must_be_the_ip_payloads(void)
{
	static const struct mutation cases[] = {
		{ "v4 one more", V4, L4, 4, 2, { 0, 33 }, UDP, 0, ESF_DATAGRAM_MALFORMED },
		{ "v4 one less", V4, L4, 4, 2, { 0, 31 }, UDP, 0, ESF_DATAGRAM_MALFORMED },
		{ "v4 less than a header", V4, L4, 4, 2, { 0, 7 }, UDP, 0, ESF_DATAGRAM_MALFORMED },
		{ "v4 zero", V4, L4, 4, 2, { 0, 0 }, UDP, 0, ESF_DATAGRAM_MALFORMED },
		{ "v6 one more", V6, L4, 4, 2, { 0, 33 }, UDP, 0, ESF_DATAGRAM_MALFORMED },
		{ "v6 one less", V6, L4, 4, 2, { 0, 31 }, UDP, 0, ESF_DATAGRAM_MALFORMED },
		{ "v6 zero", V6, L4, 4, 2, { 0, 0 }, UDP, 0, ESF_DATAGRAM_MALFORMED },
	};

	CHECK_CASES(cases);
}

/* Sizes that agree with each other, and checksums that hold, are no excuse. */
static void datagram_less_than_its_header_is_malformed(void)
{
	for (unsigned size = 0; size < 8; size++)
		for (unsigned ipv6 = 0; ipv6 <= 1; ipv6++) {
			const struct shape shape = { .payload = 24, .ipv6 = ipv6 };
			struct bytes b = make(&shape);

			set16(b.data + 14 + (ipv6 ? 4 : 2), ipv6 ? size : 20 + size);
			set16(b.data + l4_of(&shape) + 4, size);
			if (!ipv6)
				seal_ipv4(b.data + 14);
			expect("short", parse(&b, ESF_FRAME_UDP_CHECKSUM_GOOD),
			    ESF_DATAGRAM_MALFORMED);
		}
}

static void checksum_is_verified_unless_the_nic_did(void)
{
	static const struct mutation cases[] = {
		{ "v4 wrong", V4, L4, 6, 2, { 0x12, 0x34 }, AS_IS, 0, ESF_DATAGRAM_BAD_CHECKSUM },
		{ "v6 wrong", V6, L4, 6, 2, { 0x12, 0x34 }, AS_IS, 0, ESF_DATAGRAM_BAD_CHECKSUM },
		{ "v4 none", V4, L4, 6, 2, { 0, 0 }, AS_IS, 0, ESF_DATAGRAM_ACCEPTED },
		{ "v6 none", V6, L4, 6, 2, { 0, 0 }, AS_IS, 0, ESF_DATAGRAM_BAD_CHECKSUM },
		{ "v6 none, NIC good", V6, L4, 6, 2, { 0, 0 }, AS_IS, ESF_FRAME_UDP_CHECKSUM_GOOD,
		    ESF_DATAGRAM_BAD_CHECKSUM },
		{ "v4 wrong, NIC good", V4, L4, 6, 2, { 0x12, 0x34 }, AS_IS,
		    ESF_FRAME_UDP_CHECKSUM_GOOD, ESF_DATAGRAM_ACCEPTED },
		{ "v6 wrong, NIC good", V6, L4, 6, 2, { 0x12, 0x34 }, AS_IS,
		    ESF_FRAME_UDP_CHECKSUM_GOOD, ESF_DATAGRAM_ACCEPTED },
		{ "v4 header wrong, NIC good", V4, L3, 10, 2, { 0x12, 0x34 }, AS_IS,
		    ESF_FRAME_IP_CHECKSUM_GOOD, ESF_DATAGRAM_ACCEPTED },
		{ "v4 header wrong, NIC good of UDP", V4, L3, 10, 2, { 0x12, 0x34 }, AS_IS,
		    ESF_FRAME_UDP_CHECKSUM_GOOD, ESF_DATAGRAM_BAD_CHECKSUM },
		{ "v4 right, NIC bad of IP", V4, L2, 0, 0, { 0 }, AS_IS, ESF_FRAME_IP_CHECKSUM_BAD,
		    ESF_DATAGRAM_BAD_CHECKSUM },
		{ "v4 right, NIC bad of UDP", V4, L2, 0, 0, { 0 }, AS_IS,
		    ESF_FRAME_UDP_CHECKSUM_BAD, ESF_DATAGRAM_BAD_CHECKSUM },
		{ "v6 right, NIC bad of UDP", V6, L2, 0, 0, { 0 }, AS_IS,
		    ESF_FRAME_UDP_CHECKSUM_BAD, ESF_DATAGRAM_BAD_CHECKSUM },
		{ "not ours, NIC bad", V4, L3, 16, 4, { 10, 0, 0, 2 }, AS_IS,
		    ESF_FRAME_UDP_CHECKSUM_BAD, ESF_DATAGRAM_NOT_OURS },
		{ "v4 wrong, unfinished allowed", V4, L4, 6, 2, { 0x12, 0x34 }, AS_IS,
		    ESF_FRAME_CHECKSUM_UNFINISHED_OK, ESF_DATAGRAM_BAD_CHECKSUM },
		{ "v4 right, unfinished allowed", V4, L2, 0, 0, { 0 }, AS_IS,
		    ESF_FRAME_CHECKSUM_UNFINISHED_OK, ESF_DATAGRAM_ACCEPTED },
	};

	CHECK_CASES(cases);
}

static void unfinished_checksum_is_taken_only_where_allowed(void)
{
	for (unsigned i = 0; i < GOOD_SHAPES; i++) {
		const struct shape *shape = &good_shapes[i];
		struct bytes b = make(shape);
		unsigned pseudo = pseudo_sum(b.data + l3_of(shape), 17, 8 + shape->payload);

		set16(b.data + l4_of(shape) + 6, pseudo);
		expect("unfinished", parse(&b, 0), ESF_DATAGRAM_BAD_CHECKSUM);
		expect("unfinished, allowed", parse(&b, ESF_FRAME_CHECKSUM_UNFINISHED_OK),
		    ESF_DATAGRAM_ACCEPTED);
		set16(b.data + l4_of(shape) + 6, 0xffff - pseudo);
		expect("complemented", parse(&b, ESF_FRAME_CHECKSUM_UNFINISHED_OK),
		    ESF_DATAGRAM_BAD_CHECKSUM);
	}
}

static bool icmp_is_neighbour(bool ipv6, unsigned type)
{
	if (ipv6)
		return type == 128 || type == 129 || (type >= 133 && type <= 137);
	return type == 8 || type == 0;
}

/* Whoever it is for, and wherever it is cut behind its type. */
static void icmp_is_neighbour_for_ping_and_ndp_only(void)
{
	for (unsigned i = 0; i < 512; i++) {
		struct shape shape = { .ipv6 = i >= 256, .payload = 16, .tags = i % 3 };
		struct bytes b = make(&shape);
		enum esf_datagram_verdict want = icmp_is_neighbour(i >= 256, i % 256)
		                                     ? ESF_DATAGRAM_NEIGHBOUR
		                                     : ESF_DATAGRAM_NOT_UDP;

		b.data[l3_of(&shape) + (shape.ipv6 ? 6 : 9)] = shape.ipv6 ? 58 : 1;
		b.data[l4_of(&shape)] = (uint8_t)i;
		expect("icmp", parse(&b, 0), want);
		b.data[l4_of(&shape) - 1] ^= 0x55;
		expect("icmp to another", parse(&b, 0), want);
		b.size = l4_of(&shape) + 1;
		expect("icmp's type alone", parse(&b, 0), want);
		b.size--;
		expect("icmp without type", parse(&b, 0), ESF_DATAGRAM_NOT_UDP);
	}
}

static void any_address_is_ours_where_none_is_configured(void)
{
	const struct esf_frame_addresses none = { .count = 0 };

	for (unsigned i = 0; i < GOOD_SHAPES; i++) {
		struct bytes b = make(&good_shapes[i]);
		struct esf_frame out;
		long offset = -1;

		expect("any", parse_with(&b, 0, &none, &out, &offset), ESF_DATAGRAM_ACCEPTED);
		check_fields(&good_shapes[i], &b, &out, offset);
	}
}

static void ipv4_mapped_address_on_the_wire_is_not_ours(void)
{
	const struct shape shape = { .payload = 12, .ipv6 = true };
	struct bytes b = make(&shape);
	struct esf_address mapped = esf_address_from_ipv4(our_ipv4);

	memcpy(b.data + 14 + 24, mapped.bytes, 16);
	seal_udp(&b, &shape);
	expect("mapped", parse(&b, 0), ESF_DATAGRAM_NOT_OURS);
}

static void every_address_of_a_full_list_is_ours(void)
{
	struct esf_frame_addresses list = { .count = ESF_PORT_ADDRESSES_MAX };
	const struct shape shape = V4;
	struct bytes b = make(&shape);
	struct esf_frame out;
	long offset;

	for (unsigned i = 0; i < ESF_PORT_ADDRESSES_MAX; i++)
		list.address[i] = esf_address_from_ipv4((uint8_t[]){ 10, 9, 9, (uint8_t)i });
	for (unsigned i = 0; i <= ESF_PORT_ADDRESSES_MAX; i++) {
		memcpy(b.data + 14 + 16, (uint8_t[]){ 10, 9, 9, (uint8_t)i }, 4);
		seal_ipv4(b.data + 14);
		seal_udp(&b, &shape);
		expect("listed", parse_with(&b, 0, &list, &out, &offset),
		    i < ESF_PORT_ADDRESSES_MAX ? ESF_DATAGRAM_ACCEPTED : ESF_DATAGRAM_NOT_OURS);
	}
}

static void largest_datagram_is_accepted(void)
{
	const uint32_t size = 14 + 65535;
	const struct esf_frame_addresses list = ours();
	uint8_t *data = calloc(1, size);
	struct bytes head = { .size = 0 };
	struct esf_frame out;
	unsigned sum;

	put_ether(&head, 0, 0x0800);
	put_ipv4(&head, 0, 17, 65515);
	put16(&head, 1);
	put16(&head, 2);
	put16(&head, 65515);
	memcpy(data, head.data, head.size);
	memset(data + 42, 0xff, size - 42);
	sum = reference_sum(data + 34, 65515, pseudo_sum(data + 14, 17, 65515));
	set16(data + 40, 0xffff - sum);
	expect("largest", esf_frame_parse(data, size, 0, &list, &out), ESF_DATAGRAM_ACCEPTED);
	CU_ASSERT_EQUAL(out.payload_size, ESF_DATAGRAM_MAX);
	free(data);
}

static struct esf_ledger numbered_ledger(uint64_t step)
{
	struct esf_ledger ledger = { .datagrams_handed = 3 * step, .datagrams_taken = step };

	for (unsigned i = 0; i < ESF_DATAGRAM_VERDICTS_COUNT; i++) {
		ledger.datagrams[i] = step * (i + 1);
		ledger.datagrams_received += step * (i + 1);
	}
	ledger.datagrams_received += 2 * step;
	for (unsigned i = 0; i < ESF_RECORD_VERDICTS_COUNT; i++) {
		ledger.records[i] = step * (i + 2);
		ledger.records_received += step * (i + 2);
	}
	return ledger;
}

static void ledger_sum_holds_each_field_and_still_balances(void)
{
	struct esf_ledger a = numbered_ledger(1), b = numbered_ledger(1000);
	struct esf_ledger want = numbered_ledger(1001);

	esf_ledger_add(&a, &b);
	CU_ASSERT_EQUAL(memcmp(&a, &want, sizeof(a)), 0);
	CU_ASSERT_TRUE(esf_ledger_balances(&a));
}

/* Every field is in one of the two equations, so one too many anywhere is noticed; but for what was
 * shed, which is counted beside its verdict. */
static void ledger_with_any_field_off_by_one_does_not_balance(void)
{
	struct esf_ledger ledger = numbered_ledger(7);
	uint64_t *fields = (uint64_t *)&ledger;

	CU_ASSERT_TRUE(esf_ledger_balances(&ledger));
	for (size_t i = 0; i < offsetof(struct esf_ledger, shed) / sizeof(*fields); i++) {
		fields[i]++;
		CU_ASSERT_FALSE(esf_ledger_balances(&ledger));
		fields[i]--;
	}
}

static void empty_ledger_balances(void)
{
	const struct esf_ledger ledger = { 0 };

	CU_ASSERT_TRUE(esf_ledger_balances(&ledger));
}

#define ADD(suite, test) CU_add_test(suite, #test, test)

static void add_ledger(void)
{
	CU_pSuite suite = CU_add_suite("ledger", NULL, NULL);

	ADD(suite, empty_ledger_balances);
	ADD(suite, ledger_sum_holds_each_field_and_still_balances);
	ADD(suite, ledger_with_any_field_off_by_one_does_not_balance);
}

void esf_suite_frame(void)
{
	CU_pSuite suite = CU_add_suite("frame", NULL, NULL);

	ADD(suite, good_frame_gives_its_payload_ports_and_addresses);
	ADD(suite, truncated_frame_is_never_accepted);
	ADD(suite, flipped_bit_is_never_accepted_unnoticed);
	ADD(suite, ether_type_decides_between_neighbour_ip_and_not_ip);
	ADD(suite, ipv4_header_is_judged_in_the_order_of_the_verdicts);
	ADD(suite, ipv6_header_is_judged_in_the_order_of_the_verdicts);
	ADD(suite, udp_size_must_be_the_ip_payloads);
	ADD(suite, datagram_less_than_its_header_is_malformed);
	ADD(suite, checksum_is_verified_unless_the_nic_did);
	ADD(suite, unfinished_checksum_is_taken_only_where_allowed);
	ADD(suite, icmp_is_neighbour_for_ping_and_ndp_only);
	ADD(suite, any_address_is_ours_where_none_is_configured);
	ADD(suite, ipv4_mapped_address_on_the_wire_is_not_ours);
	ADD(suite, every_address_of_a_full_list_is_ours);
	ADD(suite, largest_datagram_is_accepted);
	add_ledger();
}

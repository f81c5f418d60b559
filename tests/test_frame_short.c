/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/frame_short.h"

#include <stdlib.h>

#include <CUnit/CUnit.h>

#include "frame_bytes.h"
#include "suites.h"

/* The short way beside the long one: it takes what is usual, and of that it says the same. */

enum { ROUNDS = 400000, NIC_GOOD = 0x5 };

static uint64_t state = 88172645463325252;

static uint32_t below(uint32_t limit)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (uint32_t)(state >> 32) % limit;
}

static void seal_udp(struct bytes *b)
{
	uint8_t *udp = b->data + 34;
	unsigned size = get16(udp + 4), sum;

	if (34 + size > b->size)
		return;
	set16(udp + 6, 0);
	sum = reference_sum(udp, size, pseudo_sum(b->data + 14, 17, size));
	set16(udp + 6, sum == 0xffff ? 0xffff : 0xffff - sum);
}

static struct bytes make(uint32_t payload, uint32_t padding)
{
	struct bytes b = { .size = 0 };

	put_ether(&b, 0, 0x0800);
	put_ipv4(&b, 0, 17, 8 + payload);
	put16(&b, 40001);
	put16(&b, 8686);
	put16(&b, 8 + payload);
	put16(&b, 0);
	for (uint32_t i = 0; i < payload; i++)
		put8(&b, below(256));
	seal_udp(&b);
	for (uint32_t i = 0; i < padding; i++)
		put8(&b, below(256));
	return b;
}

/* At a place where every other offset matters: the headers, and now and then a byte anywhere. */
static void change(struct bytes *b)
{
	uint32_t at = below(4) == 0 ? below(b->size + 1) : 12 + below(30);

	if (at >= b->size)
		return;
	if (below(2) == 0)
		b->data[at] ^= (uint8_t)(1 << below(8));
	else
		b->data[at] = (uint8_t)below(256);
	if (below(2) == 0)
		seal_ipv4(b->data + 14);
	if (below(2) == 0)
		seal_udp(b);
	if (below(8) == 0)
		b->size = below(b->size + 1);
}

static uint32_t some_size(void)
{
	return below(8) == 0 ? below(1473) : below(3) == 0 ? 40 + 8 * below(30) : below(260);
}

static struct esf_frame_addresses some_list(void)
{
	struct esf_frame_addresses list = { .count = below(4) };

	for (uint32_t i = 0; i < list.count; i++)
		list.address[i] = esf_address_from_ipv4(
		    below(2) == 0 ? our_ipv4 : (const uint8_t[]){ 10, 0, 0, (uint8_t)below(3) });
	if (list.count > 0 && below(2) == 0)
		memcpy(list.address[0].bytes, our_ipv6, 16);
	return list;
}

/* What the long way took is usual: the port knows both checksums or none, for where it knows one
 * the short way verifies that one too. */
static bool is_usual(const struct bytes *b, unsigned flags, const struct esf_frame_addresses *list)
{
	uint32_t first = 0;

	while (first < list->count && !esf_address_is_ipv4(&list->address[first]))
		first++;
	if (list->count > 0 &&
	    (first == list->count || memcmp(list->address[first].bytes + 12, b->data + 30, 4) != 0))
		return false;
	return b->size >= 60 && get16(b->data + 12) == 0x0800 && b->data[14] == 0x45 &&
	       get16(b->data + 16) == b->size - 14 && get16(b->data + 40) != 0 &&
	       (flags == 0 || flags == NIC_GOOD);
}

/* Returns whether the short way took it. */
static bool compare(const struct bytes *b, unsigned flags, const struct esf_frame_addresses *list)
{
	const struct esf_frame_usual usual = esf_frame_usual(list);
	uint8_t *copy = malloc(b->size + 1);
	struct esf_frame want, got = { 0 };
	enum esf_datagram_verdict verdict;
	bool taken;

	memcpy(copy + 1, b->data, b->size);
	verdict = esf_frame_parse(copy + 1, b->size, flags, list, &want);
	taken = esf_frame_short(copy + 1, b->size, flags, &usual, &got);
	if (taken) {
		CU_ASSERT_EQUAL_FATAL(verdict, ESF_DATAGRAM_ACCEPTED);
		CU_ASSERT(got.payload == want.payload && got.payload_size == want.payload_size &&
		          got.l3_offset == want.l3_offset && got.ether_type == want.ether_type);
		CU_ASSERT_EQUAL(
		    esf_frame_destination_port(&got), get16(got.payload - ESF_UDP_SIZE + 2));
	} else if (verdict == ESF_DATAGRAM_ACCEPTED) {
		CU_ASSERT_FALSE(is_usual(b, flags, list));
	}
	free(copy);
	return taken;
}

static unsigned some_flags(void)
{
	return below(3) == 0 ? below(32) : below(4) == 0 ? NIC_GOOD : 0;
}

static void random_frames_are_judged_alike(void)
{
	uint32_t taken = 0;

	for (uint32_t i = 0; i < ROUNDS; i++) {
		struct bytes b = make(some_size(), below(4) == 0 ? below(20) : 0);
		const struct esf_frame_addresses list = some_list();

		for (uint32_t changes = below(4); changes > 0; changes--)
			change(&b);
		taken += compare(&b, some_flags(), &list);
	}
	CU_ASSERT(taken > ROUNDS / 10 && taken < ROUNDS / 2);
}

static void every_size_has_its_way(void)
{
	const struct esf_frame_addresses any = { .count = 0 };

	for (uint32_t payload = 0; payload <= 1472; payload++) {
		struct bytes b = make(payload, 0);

		CU_ASSERT_EQUAL(compare(&b, 0, &any), b.size >= 60);
		CU_ASSERT_EQUAL(compare(&b, NIC_GOOD, &any), b.size >= 60);
		CU_ASSERT_EQUAL(compare(&b, ESF_FRAME_IP_CHECKSUM_GOOD, &any), b.size >= 60);
		b.data[b.size - 1] ^= 0x40;
		CU_ASSERT_FALSE(compare(&b, 0, &any));
		CU_ASSERT_FALSE(compare(&b, ESF_FRAME_IP_CHECKSUM_GOOD, &any));
	}
}

/* 16 bits of a size in the headers can't tell such a frame from one of 65536 bytes less. */
static void frame_beyond_what_sizes_can_say_goes_the_long_way(void)
{
	const struct esf_frame_addresses any = { .count = 0 };
	const struct esf_frame_usual usual = esf_frame_usual(&any);
	struct bytes b = make(48, 0);
	uint32_t size = b.size + 65536;
	uint8_t *data = calloc(1, size);
	struct esf_frame frame;

	memcpy(data, b.data, b.size);
	CU_ASSERT_FALSE(esf_frame_short(data, size, NIC_GOOD, &usual, &frame));
	CU_ASSERT_EQUAL(esf_frame_parse(data, size, NIC_GOOD, &any, &frame), ESF_DATAGRAM_ACCEPTED);
	CU_ASSERT_EQUAL(frame.payload_size, 48);
	free(data);
}

static void list_without_ipv4_has_no_usual_frame(void)
{
	struct esf_frame_addresses list = { .count = 1 };
	struct bytes b = make(48, 0);

	memcpy(list.address[0].bytes, our_ipv6, 16);
	CU_ASSERT_FALSE(compare(&b, 0, &list));
	list.address[list.count++] = esf_address_from_ipv4(our_ipv4);
	CU_ASSERT_TRUE(compare(&b, 0, &list));
}

void esf_suite_frame_short(void)
{
	CU_pSuite suite = CU_add_suite("frame_short", NULL, NULL);

#define ADD(test) CU_add_test(suite, #test, test)
	ADD(random_frames_are_judged_alike);
	ADD(every_size_has_its_way);
	ADD(frame_beyond_what_sizes_can_say_goes_the_long_way);
	ADD(list_without_ipv4_has_no_usual_frame);
#undef ADD
}

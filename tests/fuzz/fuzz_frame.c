/* SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>
#include <stdlib.h>

#include "dataplane/frame_short.h"
#include "dataplane/neighbour.h"
#include "dataplane/inet_wire.h"
#include "frame_bytes.h"

/*
 * Any bytes as a frame, and as a request to answer. The input's first byte holds the port's flags
 * (bits 0 to 4), whether addresses are configured (bit 5) and how much room an answer has (bits 6
 * and 7).
 */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct esf_address destination_of(const uint8_t *data, const struct esf_frame *frame)
{
	const uint8_t *l3 = data + frame->l3_offset;
	struct esf_address address;

	if (frame->ether_type == ESF_ETHER_IPV4)
		return esf_address_from_ipv4(l3 + 16);
	memcpy(address.bytes, l3 + 24, sizeof(address.bytes));
	return address;
}

static void check_accepted(const uint8_t *data, uint32_t size, const struct esf_frame *frame,
    const struct esf_frame_addresses *list)
{
	assert(frame->payload >= data + 42 && frame->payload <= data + size);
	assert(frame->payload_size <= (size_t)(data + size - frame->payload));
	assert(frame->payload_size <= ESF_DATAGRAM_MAX + 20);
	if (list->count > 0) {
		struct esf_address destination = destination_of(data, frame);

		assert(esf_frame_addresses_hold(list, &destination));
	}
}

/* The address that an answer speaks for: the ARP or IP source. */
static struct esf_address answer_source(const uint8_t *reply, const struct esf_frame *frame)
{
	const uint8_t *l3 = reply + frame->l3_offset;
	struct esf_address address;

	if (frame->ether_type == 0x0806)
		return esf_address_from_ipv4(l3 + 14);
	if (frame->ether_type == 0x0800)
		return esf_address_from_ipv4(l3 + 12);
	memcpy(address.bytes, l3 + 8, 16);
	return address;
}

static void check_checksums(const uint8_t *ip, uint32_t size)
{
	if (ip[0] / 16 == 6) {
		assert(reference_sum(ip + 40, size - 40, pseudo_sum(ip, 58, size - 40)) == 0xffff);
		return;
	}
	assert(reference_sum(ip, 20, 0) == 0xffff);
	assert(reference_sum(ip + 20, size - 20, 0) == 0xffff);
}

static void check_answer(const uint8_t *reply, uint32_t size, const struct esf_frame *asked,
    const struct esf_frame_addresses *list)
{
	struct esf_address source = answer_source(reply, asked);
	struct esf_frame frame;

	assert(size <= ESF_NEIGHBOUR_REPLY_MAX);
	assert(esf_frame_addresses_hold(list, &source));
	assert(memcmp(reply + 6, our_mac, 6) == 0);
	assert(esf_frame_parse(reply, size, 0, list, &frame) == ESF_DATAGRAM_NEIGHBOUR);
	assert(frame.l3_offset == asked->l3_offset && frame.ether_type == asked->ether_type);
	if (frame.ether_type != 0x0806)
		check_checksums(reply + frame.l3_offset, size - frame.l3_offset);
}

static void answer(const uint8_t *data, uint32_t size, const struct esf_frame *frame,
    const struct esf_frame_addresses *list, uint32_t room)
{
	uint8_t *reply = malloc(room);
	uint32_t reply_size = esf_neighbour_reply(data, size, list, our_mac, reply, room);

	assert(reply_size <= room);
	if (reply_size > 0)
		check_answer(reply, reply_size, frame, list);
	free(reply);
}

/* What the short way takes, the long one takes alike. */
static void check_short(const uint8_t *data, uint32_t size, unsigned flags,
    const struct esf_frame_addresses *list, enum esf_datagram_verdict verdict,
    const struct esf_frame *frame)
{
	const struct esf_frame_usual usual = esf_frame_usual(list);
	struct esf_frame out;

	if (!esf_frame_short(data, size, flags, &usual, &out))
		return;
	assert(verdict == ESF_DATAGRAM_ACCEPTED);
	assert(out.payload == frame->payload && out.payload_size == frame->payload_size);
	assert(out.l3_offset == frame->l3_offset && out.ether_type == frame->ether_type);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint32_t rooms[4] = { ESF_NEIGHBOUR_REPLY_MAX, 42, 60, 128 };
	struct esf_frame_addresses list = { .count = 0 };
	struct esf_frame frame;
	enum esf_datagram_verdict verdict;
	unsigned control;
	uint8_t *copy;

	if (size < 2)
		return 0;
	control = data[0];
	list.address[0] = esf_address_from_ipv4(our_ipv4);
	memcpy(list.address[1].bytes, our_ipv6, 16);
	list.count = control & 0x20 ? 2 : 0;
	copy = malloc(size - 1);
	memcpy(copy, data + 1, size - 1);
	verdict = esf_frame_parse(copy, (uint32_t)size - 1, control & 0x1f, &list, &frame);
	assert(verdict <= ESF_DATAGRAM_BAD_CHECKSUM || verdict == ESF_DATAGRAM_MALFORMED ||
	       verdict == ESF_DATAGRAM_ACCEPTED);
	if (verdict == ESF_DATAGRAM_ACCEPTED)
		check_accepted(copy, (uint32_t)size - 1, &frame, &list);
	check_short(copy, (uint32_t)size - 1, control & 0x1f, &list, verdict, &frame);
	if (verdict == ESF_DATAGRAM_NEIGHBOUR)
		answer(copy, (uint32_t)size - 1, &frame, &list, rooms[control >> 6]);
	free(copy);
	return 0;
}

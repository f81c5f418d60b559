/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ESF_TESTS_FRAME_BYTES_H
#define ESF_TESTS_FRAME_BYTES_H

/*
 * Frames put together byte by byte for tests, with offsets and a checksum of their own: nothing
 * here is shared with what it tests.
 */

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define BYTES_UNUSED __attribute__((unused))

struct bytes {
	uint8_t data[4096];
	uint32_t size;
};

static const uint8_t our_mac[6] BYTES_UNUSED = { 0x02, 0, 0, 0, 0, 0x01 };
static const uint8_t peer_mac[6] BYTES_UNUSED = { 0x02, 0, 0, 0, 0, 0x99 };
static const uint8_t our_ipv4[4] BYTES_UNUSED = { 10, 0, 0, 1 };
static const uint8_t peer_ipv4[4] BYTES_UNUSED = { 10, 0, 3, 7 };
static const uint8_t our_ipv6[16] BYTES_UNUSED = { 0xfd,
	0x11, [13] = 0xa1, [14] = 0xb2, [15] = 0xc3 };
static const uint8_t peer_ipv6[16] BYTES_UNUSED = { 0xfd, 0x11, [15] = 0x77 };

static inline void put(struct bytes *b, const void *from, uint32_t size)
{
	memcpy(b->data + b->size, from, size);
	b->size += size;
}

static inline void put8(struct bytes *b, unsigned value)
{
	b->data[b->size++] = (uint8_t)value;
}

static inline void put16(struct bytes *b, unsigned value)
{
	put8(b, value >> 8);
	put8(b, value & 0xff);
}

static inline unsigned get16(const uint8_t *at)
{
	return at[0] * 256u + at[1];
}

static inline void set16(uint8_t *at, unsigned value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
}

/* RFC 1071, as it is worded: 16-bit words, end-around carry, an odd last byte padded with zero. */
static inline unsigned reference_sum(const uint8_t *at, uint32_t size, unsigned sum)
{
	for (uint32_t i = 0; i < size; i += 2) {
		sum += at[i] * 256u + (i + 1 < size ? at[i + 1] : 0);
		if (sum > 0xffff)
			sum -= 0xffff;
	}
	return sum;
}

static inline unsigned add_carry(unsigned a, unsigned b)
{
	return a + b > 0xffff ? a + b - 0xffff : a + b;
}

/* Of the pseudo header before an upper-layer packet of size bytes; ip: the IP header. */
static inline unsigned pseudo_sum(const uint8_t *ip, unsigned protocol, unsigned size)
{
	bool v4 = ip[0] / 16 == 4;
	unsigned sum = reference_sum(v4 ? ip + 12 : ip + 8, v4 ? 8 : 32, 0);

	return add_carry(add_carry(sum, protocol), size);
}

/* tags: 0, 1 (802.1Q) or 2 (802.1ad, then 802.1Q) */
static inline void put_ether(struct bytes *b, unsigned tags, unsigned ether_type)
{
	put(b, our_mac, 6);
	put(b, peer_mac, 6);
	if (tags == 2) {
		put16(b, 0x88a8);
		put16(b, 0x2064);
	}
	if (tags >= 1) {
		put16(b, 0x8100);
		put16(b, 0x6005);
	}
	put16(b, ether_type);
}

static inline void seal_ipv4(uint8_t *ip)
{
	set16(ip + 10, 0);
	set16(ip + 10, 0xffff - reference_sum(ip, (ip[0] % 16u) * 4, 0));
}

/* options: bytes of them, a multiple of 4 */
static inline void put_ipv4(struct bytes *b, unsigned options, unsigned protocol, unsigned payload)
{
	uint8_t *ip = b->data + b->size;

	put8(b, 0x45 + options / 4);
	put8(b, 0x28);
	put16(b, 20 + options + payload);
	put16(b, 0x1234);
	put16(b, 0x4000);
	put8(b, 61);
	put8(b, protocol);
	put16(b, 0);
	put(b, peer_ipv4, 4);
	put(b, our_ipv4, 4);
	for (unsigned i = 0; i < options; i++)
		put8(b, 1);
	seal_ipv4(ip);
}

static inline void put_ipv6(struct bytes *b, unsigned next, unsigned hop_limit, unsigned payload)
{
	put16(b, 0x6123);
	put16(b, 0x4567);
	put16(b, payload);
	put8(b, next);
	put8(b, hop_limit);
	put(b, peer_ipv6, 16);
	put(b, our_ipv6, 16);
}

#endif

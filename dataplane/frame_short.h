/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ESF_FRAME_SHORT_H
#define ESF_FRAME_SHORT_H

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include "checksum.h"
#include "frame.h"
#include "inet_wire.h"

/*
 * The short way of a frame: untagged Ethernet, IPv4 without options, UDP with a checksum, for one
 * of our addresses, nothing behind the datagram, all as it should be. What it doesn't take is
 * esf_frame_parse's to judge, which says the same of what it does take. Little-endian machines
 * only, as ETD's decoder is.
 */
enum {
	ESF_SHORT_L3 = ESF_ETHER_SIZE,
	ESF_SHORT_ADDRESSES = ESF_SHORT_L3 + 12,
	ESF_SHORT_L4 = ESF_SHORT_L3 + ESF_IPV4_SIZE,
	ESF_SHORT_PAYLOAD = ESF_SHORT_L4 + ESF_UDP_SIZE,

	/* Ethernet sends none that are shorter, so those are padded most often. */
	ESF_SHORT_SIZE_MIN = 60,
	ESF_SHORT_SIZE_MAX = ESF_SHORT_L3 + UINT16_MAX,
	/* What is there of any payload taken. */
	ESF_SHORT_PAYLOAD_MIN = ESF_SHORT_SIZE_MIN - ESF_SHORT_PAYLOAD,

	ESF_SHORT_CHECKSUMS_GOOD = ESF_FRAME_IP_CHECKSUM_GOOD | ESF_FRAME_UDP_CHECKSUM_GOOD,
	ESF_SHORT_CHECKSUMS_BAD = ESF_FRAME_IP_CHECKSUM_BAD | ESF_FRAME_UDP_CHECKSUM_BAD,
};

/*
 * What the headers hold is compared at once: the sixteen bytes from the frame's byte 18 on, and
 * those from byte 6 on laid over them where the former are of no interest.
 */
#define ESF_USUALLY(condition) __builtin_expect(!!(condition), 1)

enum { ESF_SHORT_UPPER = 6, ESF_SHORT_LOWER = 18 };

struct esf_frame_usual {
	_Alignas(16) uint8_t upper[16]; /* bits that matter */
	_Alignas(16) uint8_t lower[16];
	_Alignas(16) uint8_t want[16];
};

/* Of all our addresses it is the first of IPv4 that the short way is for. */
static inline struct esf_frame_usual esf_frame_usual(const struct esf_frame_addresses *ours)
{
	struct esf_frame_usual usual = {
		.upper = { [12 - ESF_SHORT_UPPER] = 0xff, 0xff, 0xff },
		.lower = { [20 - ESF_SHORT_LOWER] = 0x3f, 0xff, 0, 0xff },
		.want = { [12 - ESF_SHORT_UPPER] = ESF_ETHER_IPV4 >> 8,
		    ESF_ETHER_IPV4 & 0xff,
		    0x45,
		    [23 - ESF_SHORT_LOWER] = ESF_IP_UDP },
	};

	if (ours->count == 0)
		return usual;
	memset(usual.lower + 12, 0xff, 4);
	for (uint32_t i = 0; i < ours->count; i++)
		if (esf_address_is_ipv4(&ours->address[i])) {
			memcpy(usual.want + 12, ours->address[i].bytes + 12, 4);
			return usual;
		}
	usual.want[0] = 1; /* where nothing matters, so no frame has it */
	return usual;
}

static ESF_ALWAYS_INLINE bool esf_frame_short_is_usual(
    const struct esf_frame_usual *usual, const uint8_t *data)
{
#ifdef __SSE2__
	__m128i upper = _mm_and_si128(_mm_loadu_si128((const __m128i *)(data + ESF_SHORT_UPPER)),
	    _mm_load_si128((const __m128i *)usual->upper));
	__m128i lower = _mm_and_si128(_mm_loadu_si128((const __m128i *)(data + ESF_SHORT_LOWER)),
	    _mm_load_si128((const __m128i *)usual->lower));

	return _mm_movemask_epi8(_mm_cmpeq_epi8(_mm_or_si128(upper, lower),
	           _mm_load_si128((const __m128i *)usual->want))) == 0xffff;
#else
	unsigned long long others = 0;

	for (uint32_t i = 0; i < 16; i += 8)
		others |= ((esf_checksum_load(data + ESF_SHORT_UPPER + i) &
		               esf_checksum_load(usual->upper + i)) |
		              (esf_checksum_load(data + ESF_SHORT_LOWER + i) &
		                  esf_checksum_load(usual->lower + i))) ^
		          esf_checksum_load(usual->want + i);
	return others == 0;
#endif
}

/* The bits that a size may have which is a multiple of 8, as that of ETD's data is, and not long.
 */
enum { ESF_SHORT_WORDS = ESF_CHECKSUM_LONG - 8 };

/* Of UDP's pseudo header the addresses stand before its own: they are summed as one. */
static ESF_ALWAYS_INLINE bool esf_frame_short_sums_are_right(const uint8_t *data, uint64_t size)
{
	const uint8_t *addresses = data + ESF_SHORT_ADDRESSES;
	uint64_t bytes = size - ESF_SHORT_ADDRESSES;
	unsigned long long ip, udp;
	uint16_t udp_size;

	memcpy(&udp_size, data + ESF_SHORT_L4 + 4, sizeof(udp_size));
	ip = esf_checksum_add_two(esf_checksum_load(data + ESF_SHORT_L3 + 8) & UINT32_MAX,
	    esf_checksum_load(data + ESF_SHORT_L3), esf_checksum_load(addresses));
	if (!ESF_USUALLY(esf_checksum_is_right(ip)))
		return false;
	udp = (unsigned long long)(ESF_IP_UDP << 8) + udp_size;
	if (ESF_USUALLY((bytes & ~(uint64_t)ESF_SHORT_WORDS) == 0))
		udp = esf_checksum_add_words(udp, data, size, bytes);
	else
		udp = esf_checksum_add(udp, addresses, (uint32_t)bytes);
	return esf_checksum_is_right(udp);
}

/* Where the port knows of one of the checksums only. */
static __attribute__((cold, noinline)) bool esf_frame_short_sums_are_right_too(
    const uint8_t *data, uint32_t size)
{
	return esf_frame_short_sums_are_right(data, size);
}

static ESF_ALWAYS_INLINE bool esf_frame_short_is_sound(
    const uint8_t *data, uint32_t size, unsigned flags)
{
	flags &= ESF_SHORT_CHECKSUMS_GOOD | ESF_SHORT_CHECKSUMS_BAD;
	if (ESF_USUALLY(flags == 0))
		return esf_frame_short_sums_are_right(data, size);
	return flags == ESF_SHORT_CHECKSUMS_GOOD ||
	       ((flags & ESF_SHORT_CHECKSUMS_BAD) == 0 &&
	           esf_frame_short_sums_are_right_too(data, size));
}

/* True: *out is filled. */
static ESF_ALWAYS_INLINE bool esf_frame_short(const uint8_t *data, uint32_t size, unsigned flags,
    const struct esf_frame_usual *usual, struct esf_frame *out)
{
	uint16_t ip_size, udp_size, checksum;

	if (size - ESF_SHORT_SIZE_MIN > (uint32_t)ESF_SHORT_SIZE_MAX - ESF_SHORT_SIZE_MIN ||
	    !esf_frame_short_is_usual(usual, data))
		return false;
	memcpy(&ip_size, data + ESF_SHORT_L3 + 2, sizeof(ip_size));
	memcpy(&udp_size, data + ESF_SHORT_L4 + 4, sizeof(udp_size));
	memcpy(&checksum, data + ESF_SHORT_L4 + 6, sizeof(checksum));
	if (ip_size != __builtin_bswap16((uint16_t)(size - ESF_SHORT_L3)) ||
	    udp_size != __builtin_bswap16((uint16_t)(size - ESF_SHORT_L4)) || checksum == 0 ||
	    !esf_frame_short_is_sound(data, size, flags))
		return false;
	out->payload = data + ESF_SHORT_PAYLOAD;
	out->payload_size = size - ESF_SHORT_PAYLOAD;
	out->l3_offset = ESF_SHORT_L3;
	out->ether_type = ESF_ETHER_IPV4;
	return true;
}

#endif

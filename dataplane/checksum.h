/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ESF_CHECKSUM_H
#define ESF_CHECKSUM_H

#include <endian.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#ifdef __x86_64__
#include <immintrin.h>
#endif

/*
 * The Internet checksum (RFC 1071): a sum of 16-bit words with the carry added back in. Here words
 * are summed as they stand, in the host's byte order and as wide as is fast: words of either order
 * and of any multiple of that width give the same folded sum up to a swap of its two bytes (section
 * 2 there). Any thread.
 */

#define ESF_ALWAYS_INLINE inline __attribute__((always_inline))

/* From this many bytes on vectors are faster than the carry chain of 64-bit words. */
enum { ESF_CHECKSUM_LONG = 256 };

/* Of count times 16 bytes, at most 2^15 of them: less than 2^48. */
uint64_t esf_checksum_sum_long(const uint8_t *data, uint32_t count);

static ESF_ALWAYS_INLINE unsigned long long esf_checksum_load(const uint8_t *at)
{
	unsigned long long word;

	memcpy(&word, at, sizeof(word));
	return word;
}

/* The carry comes back in at the bottom. */
static ESF_ALWAYS_INLINE unsigned long long esf_checksum_add_word(
    unsigned long long sum, unsigned long long word)
{
	bool carry = __builtin_add_overflow(sum, word, &sum);

	return sum + carry;
}

/* Of 32 bytes. As intrinsics, since compilers make no chain of anything else. */
static ESF_ALWAYS_INLINE unsigned long long esf_checksum_add_block(
    unsigned long long sum, const uint8_t *data)
{
#ifdef __x86_64__
	unsigned char carry = _addcarry_u64(0, sum, esf_checksum_load(data), &sum);

	carry = _addcarry_u64(carry, sum, esf_checksum_load(data + 8), &sum);
	carry = _addcarry_u64(carry, sum, esf_checksum_load(data + 16), &sum);
	carry = _addcarry_u64(carry, sum, esf_checksum_load(data + 24), &sum);
	_addcarry_u64(carry, sum, 0, &sum);
#else
	for (uint32_t i = 0; i < 4; i++)
		sum = esf_checksum_add_word(sum, esf_checksum_load(data + (size_t)i * 8));
#endif
	return sum;
}

/* Adds size bytes to sum. */
static ESF_ALWAYS_INLINE unsigned long long esf_checksum_add(
    unsigned long long sum, const uint8_t *data, uint32_t size)
{
	uint32_t word;
	uint16_t half;

	if (size >= ESF_CHECKSUM_LONG) {
		sum = esf_checksum_add_word(sum, esf_checksum_sum_long(data, size / 16));
		data += size / 16 * 16;
		size %= 16;
	}
	for (; size >= 32; size -= 32, data += 32)
		sum = esf_checksum_add_block(sum, data);
	for (; size >= 8; size -= 8, data += 8)
		sum = esf_checksum_add_word(sum, esf_checksum_load(data));
	if (size & 4) {
		memcpy(&word, data, sizeof(word));
		sum = esf_checksum_add_word(sum, word);
		data += 4;
	}
	if (size & 2) {
		memcpy(&half, data, sizeof(half));
		sum = esf_checksum_add_word(sum, half);
		data += 2;
	}
	return size & 1 ? esf_checksum_add_word(sum, htobe16((uint16_t)(data[0] << 8))) : sum;
}

/* Turning by half and adding leaves the sum of both halves, with its carry, in the upper one. */
static ESF_ALWAYS_INLINE uint16_t esf_checksum_fold(uint64_t sum)
{
	uint32_t half;

	sum += sum >> 32 | sum << 32;
	half = (uint32_t)(sum >> 32);
	half += half >> 16 | half << 16;
	return (uint16_t)(half >> 16);
}

/*
 * The folded sum of size bytes, not complemented, started from seed: the sum of what went before,
 * whose size was even. Host order: as if of big-endian 16-bit words.
 */
uint16_t esf_checksum(const uint8_t *data, uint32_t size, uint32_t seed);

#endif

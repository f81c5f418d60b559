/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ESF_CHECKSUM_H
#define ESF_CHECKSUM_H

#include <endian.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/*
 * The Internet checksum (RFC 1071): a sum of 16-bit words with the carry added back in. Here words
 * are summed as they stand, in the host's byte order and as wide as is fast: words of either order
 * and of any multiple of that width give the same folded sum up to a swap of its two bytes (section
 * 2 there). Any thread.
 */

#define ESF_ALWAYS_INLINE inline __attribute__((always_inline))

/* From this many bytes on vectors are faster than the carry chain of 64-bit words. */
enum { ESF_CHECKSUM_LONG = 256 };

/* Adds size bytes to sum, at most 2^19. */
unsigned long long esf_checksum_add(unsigned long long sum, const uint8_t *data, uint32_t size);

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

/* As one carry chain, which compilers don't make of the same said twice. */
static ESF_ALWAYS_INLINE unsigned long long esf_checksum_add_two(
    unsigned long long sum, unsigned long long first, unsigned long long second)
{
#ifdef __x86_64__
	__asm__("addq %[first], %[sum]\n\tadcq %[second], %[sum]\n\tadcq $0, %[sum]"
	        : [sum] "+&r"(sum)
	        : [first] "rm"(first), [second] "rm"(second)
	        : "cc");
	return sum;
#else
	return esf_checksum_add_word(esf_checksum_add_word(sum, first), second);
#endif
}

/*
 * Adds the size bytes that end before data[end], a multiple of 8 below ESF_CHECKSUM_LONG. Compilers
 * make no carry chain of anything that they are told, so it is one as it stands: a row of additions
 * of 8 bytes of code each, entered as many bytes before its end as there are to add. Subtracting
 * from an address leaves no carry.
 */
static ESF_ALWAYS_INLINE unsigned long long esf_checksum_add_words(
    unsigned long long sum, const uint8_t *data, uint64_t end, uint64_t size)
{
#ifdef __x86_64__
	uint64_t entry;

	__asm__("lea 1f(%%rip), %[entry]\n\t"
	        "sub %[size], %[entry]\n\t"
	        "notrack jmp *%[entry]\n\t"
	        ".set .Lat, -248\n\t"
	        ".rept 31\n\t"
	        "%{disp32%} adcq .Lat(%[data],%[end]), %[sum]\n\t"
	        ".set .Lat, .Lat + 8\n\t"
	        ".endr\n"
	        "1:\tadcq $0, %[sum]"
	        : [sum] "+&r"(sum), [entry] "=&r"(entry)
	        : [data] "r"(data), [end] "r"(end), [size] "r"(size),
	        "m"(*(const uint8_t(*)[2 * ESF_CHECKSUM_LONG])data)
	        : "cc");
#else
	for (; size > 0; size -= 8)
		sum = esf_checksum_add_word(sum, esf_checksum_load(data + end - size));
#endif
	return sum;
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
 * Whether a sum folds to 0xffff, which is to say that it is a multiple k of 65535, but not 0. The
 * factor's product with 65535 is 2^64 - 1, so it makes -k of such a sum, where k is no more than
 * the factor itself; and of all others something else, as it is odd.
 */
static ESF_ALWAYS_INLINE bool esf_checksum_is_right(uint64_t sum)
{
	uint64_t factor = UINT64_MAX / 0xffff, product;

#ifdef __x86_64__
	__asm__("" : "+r"(factor)); /* else it is taken apart into shifts and additions */
#endif
	product = sum * factor;
	return __builtin_add_overflow(product, factor, &product);
}

/*
 * The folded sum of size bytes, not complemented, started from seed: the sum of what went before,
 * whose size was even. Host order: as if of big-endian 16-bit words.
 */
uint16_t esf_checksum(const uint8_t *data, uint32_t size, uint32_t seed);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ESF_SIXTEEN_H
#define ESF_SIXTEEN_H

#include <stdbool.h>
#include <stdint.h>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

/* Sixteen bytes at a time; bit i of a result is byte i's. All sixteen are read, whatever of them is
 * asked for. */
enum { ESF_SIXTEEN_ALL = 0xffff };

#ifdef __SSE2__

static inline __m128i esf_sixteen_load(const char *at)
{
	return _mm_loadu_si128((const __m128i *)at);
}

/* Bytes that are alike. */
static inline uint32_t esf_sixteen_equal(const char *a, const char *b)
{
	return (uint32_t)_mm_movemask_epi8(
	    _mm_cmpeq_epi8(esf_sixteen_load(a), esf_sixteen_load(b)));
}

static inline uint32_t esf_sixteen_are(const char *at, char byte)
{
	return (uint32_t)_mm_movemask_epi8(
	    _mm_cmpeq_epi8(esf_sixteen_load(at), _mm_set1_epi8(byte)));
}

/* Bytes that are none of 0-9. */
static inline uint32_t esf_sixteen_others(const char *at)
{
	__m128i digits = _mm_xor_si128(esf_sixteen_load(at), _mm_set1_epi8('0'));
	__m128i small = _mm_cmpeq_epi8(_mm_min_epu8(digits, _mm_set1_epi8(9)), digits);

	return (uint32_t)_mm_movemask_epi8(small) ^ ESF_SIXTEEN_ALL;
}

#else

static inline uint32_t esf_sixteen_equal(const char *a, const char *b)
{
	uint32_t bits = 0;

	for (uint32_t i = 0; i < 16; i++)
		bits |= (uint32_t)(a[i] == b[i]) << i;
	return bits;
}

static inline uint32_t esf_sixteen_are(const char *at, char byte)
{
	uint32_t bits = 0;

	for (uint32_t i = 0; i < 16; i++)
		bits |= (uint32_t)(at[i] == byte) << i;
	return bits;
}

static inline uint32_t esf_sixteen_others(const char *at)
{
	uint32_t bits = 0;

	for (uint32_t i = 0; i < 16; i++)
		bits |= (uint32_t)((uint8_t)(at[i] ^ '0') > 9) << i;
	return bits;
}

#endif

/* Whether the first size bytes, 1.., are alike; of both as many are read as size rounded up to 16.
 */
static inline bool esf_sixteen_begins(const char *at, const char *text, uint32_t size)
{
	for (; size > 16; size -= 16, at += 16, text += 16) {
		if (esf_sixteen_equal(at, text) != ESF_SIXTEEN_ALL)
			return false;
	}
	return (~esf_sixteen_equal(at, text) & ((UINT32_C(1) << size) - 1)) == 0;
}

#endif

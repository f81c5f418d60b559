/* SPDX-License-Identifier: Apache-2.0 */
#include "checksum.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

/* Of count times 16 bytes, at most 2^15 of them: less than 2^48. */
#ifdef __SSE2__
/*
 * There is an instruction that multiplies signed 16-bit words and adds the products by pairs. With
 * the top bit turned, word w reads as w - 32768: what was taken is given back at the end. A lane
 * loses or gains at most 2^16 a step.
 */
static inline __m128i add_sixteen(__m128i sums, const uint8_t *data)
{
	__m128i words =
	    _mm_xor_si128(_mm_loadu_si128((const __m128i *)data), _mm_set1_epi16((short)0x8000));

	return _mm_add_epi32(sums, _mm_madd_epi16(words, _mm_set1_epi16(1)));
}

static uint64_t sum_long(const uint8_t *data, uint32_t count)
{
	__m128i sums = _mm_setzero_si128();
	int32_t lanes[4];
	int64_t sum = (int64_t)count * 8 * 32768;

	for (; count >= 4; count -= 4, data += 64)
		for (uint32_t i = 0; i < 4; i++)
			sums = add_sixteen(sums, data + (size_t)i * 16);
	for (; count > 0; count--, data += 16)
		sums = add_sixteen(sums, data);
	memcpy(lanes, &sums, sizeof(lanes));
	for (uint32_t i = 0; i < 4; i++)
		sum += lanes[i];
	return (uint64_t)sum;
}
#else
static uint64_t sum_long(const uint8_t *data, uint32_t count)
{
	uint64_t sum = 0;
	uint32_t word;

	for (uint32_t i = 0; i < count * 4; i++) {
		memcpy(&word, data + (size_t)i * sizeof(word), sizeof(word));
		sum += word;
	}
	return sum;
}
#endif

__attribute__((noinline)) unsigned long long esf_checksum_add(
    unsigned long long sum, const uint8_t *data, uint32_t size)
{
	uint32_t word;
	uint16_t half;

	if (size >= ESF_CHECKSUM_LONG) {
		sum = esf_checksum_add_word(sum, sum_long(data, size / 16));
		data += size / 16 * 16;
		size %= 16;
	}
	sum = esf_checksum_add_words(sum, data, size & ~7U, size & ~7U);
	data += size & ~7U;
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

uint16_t esf_checksum(const uint8_t *data, uint32_t size, uint32_t seed)
{
	uint16_t sum = be16toh(esf_checksum_fold(esf_checksum_add(0, data, size)));

	return esf_checksum_fold((uint64_t)sum + seed);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "checksum.h"

#ifdef __SSE2__
/*
 * There is an instruction that multiplies signed 16-bit words and adds the products by pairs. With
 * the top bit turned, word w reads as w - 32768: what was taken is given back at the end. A lane
 * loses or gains at most 2^16 a step.
 */
uint64_t esf_checksum_sum_long(const uint8_t *data, uint32_t count)
{
	const __m128i turn = _mm_set1_epi16((short)0x8000), one = _mm_set1_epi16(1);
	__m128i sums = _mm_setzero_si128();
	int32_t lanes[4];
	int64_t sum = (int64_t)count * 8 * 32768;

#pragma GCC unroll 4
	for (uint32_t i = 0; i < count; i++) {
		__m128i words = _mm_loadu_si128((const __m128i *)(data + (size_t)i * 16));

		sums = _mm_add_epi32(sums, _mm_madd_epi16(_mm_xor_si128(words, turn), one));
	}
	memcpy(lanes, &sums, sizeof(lanes));
	for (uint32_t i = 0; i < 4; i++)
		sum += lanes[i];
	return (uint64_t)sum;
}
#else
uint64_t esf_checksum_sum_long(const uint8_t *data, uint32_t count)
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

uint16_t esf_checksum(const uint8_t *data, uint32_t size, uint32_t seed)
{
	uint16_t sum = be16toh(esf_checksum_fold(esf_checksum_add(0, data, size)));

	return esf_checksum_fold((uint64_t)sum + seed);
}

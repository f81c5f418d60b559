/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ESF_DIGITS_H
#define ESF_DIGITS_H

#include <assert.h>
#include <stdint.h>
#include <string.h>

/*
 * Runs of decimal digits, eight bytes at a time (D. Lemire, "Quickly parsing eight digits", 2018):
 * neighbours are joined to twos by one multiplication, these to the eight by two side by side.
 */
static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the first digit is the lowest byte");

enum { ESF_DIGITS_FIT = 19 }; /* any so many fit 64 bits */

/* Eight digits, of 0 to 9 each, the first one lowest. */
static inline uint64_t esf_digits_join(uint64_t word)
{
	const uint64_t twos = UINT64_C(0x000000ff000000ff);

	/* Twos in bytes 0, 2, 4, 6; the first and the third by 1e6 and 1e2, the others by 1e4
	 * and 1. */
	word = word * 10 + (word >> 8);
	return ((word & twos) * UINT64_C(0x000f424000000064) +
	           (word >> 16 & twos) * UINT64_C(0x0000271000000001)) >>
	       32;
}

/*
 * Where the digits at `at` end; they are appended to *value, which wraps where all of its digits
 * are more than ESF_DIGITS_FIT. Reads nothing from end on.
 */
static inline const char *esf_digits_read(const char *at, const char *end, uint64_t *value)
{
	static const uint32_t powers[9] = { 1, 10, 100, 1000, 10000, 100000, 1000000, 10000000,
		100000000 };

	while (end - at >= 8) {
		uint64_t word, others;
		uint32_t count = 8;

		memcpy(&word, at, sizeof(word));
		word ^= UINT64_C(0x3030303030303030);
		/* The high bit of each byte above 9, exact up to the first; carries go upwards. */
		others =
		    ((word + UINT64_C(0x7676767676767676)) | word) & UINT64_C(0x8080808080808080);
		if (others != 0) {
			count = (uint32_t)__builtin_ctzll(others) / 8;
			if (count == 0)
				return at;
			word <<= 64 - 8 * count;
		}
		*value = *value * powers[count] + esf_digits_join(word);
		at += count;
		if (count < 8)
			return at;
	}
	for (; at < end && (uint8_t)(*at - '0') < 10; at++)
		*value = *value * 10 + (uint64_t)(*at - '0');
	return at;
}

#endif

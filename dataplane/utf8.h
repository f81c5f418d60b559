/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ESF_UTF8_H
#define ESF_UTF8_H

#include <stdint.h>

/*
 * Size of the UTF-8 sequence of two to four bytes at the start, 0 where there is none: the
 * well-formed ones of Unicode's table 3-7, in which only the second byte's bounds depend on the
 * first. room >= 1: bytes there are.
 */
static inline uint32_t esf_utf8_sequence_size(const uint8_t *at, uint32_t room)
{
	uint8_t lead = at[0];
	uint32_t size = lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
	uint8_t low = lead == 0xe0 ? 0xa0 : lead == 0xf0 ? 0x90 : 0x80;
	uint8_t high = lead == 0xed ? 0x9f : lead == 0xf4 ? 0x8f : 0xbf;

	if (lead < 0xc2 || lead > 0xf4 || size > room || at[1] < low || at[1] > high)
		return 0;
	for (uint32_t i = 2; i < size; i++)
		if ((at[i] & 0xc0) != 0x80)
			return 0;
	return size;
}

#endif

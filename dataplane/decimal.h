/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ESF_DECIMAL_H
#define ESF_DECIMAL_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "digits.h"
#include "sixteen.h"

/*
 * Short ways for the decimals that senders write, in text that may be read from 8 bytes before the
 * number to 24 behind its begin. They say what the long ways say, or nothing.
 */
enum { ESF_DECIMAL_BEFORE = 8, ESF_DECIMAL_BEHIND = 24 };

/* The last `count` digits, 0..8, before `end`. */
static inline uint64_t esf_decimal_last(const char *end, uint32_t count)
{
	static const uint64_t masks[9] = { 0, UINT64_C(0xff) << 56, UINT64_C(0xffff) << 48,
		UINT64_C(0xffffff) << 40, UINT64_C(0xffffffff) << 32, UINT64_C(0xffffffffff) << 24,
		UINT64_C(0xffffffffffff) << 16, UINT64_C(0xffffffffffffff) << 8, UINT64_MAX };
	uint64_t word;

	memcpy(&word, end - sizeof(word), sizeof(word));
	return esf_digits_join((word ^ UINT64_C(0x3030303030303030)) & masks[count]);
}

/*
 * [-]digits[.digits], up to 8 of each, one at least and 14 in all: where it ends, with *value the
 * nearest double. NULL where it is otherwise: nothing was set.
 */
static inline const char *esf_decimal_read(const char *at, double *value)
{
	static const uint64_t wholes[9] = { 1, 10, 100, 1000, 10000, 100000, 1000000, 10000000,
		100000000 };
	static const double powers[9] = { 1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8 };
	bool negative = *at == '-';
	uint32_t others, whole_count, count, fraction_count = 0;
	uint64_t mantissa;
	double magnitude;

	at += negative;
	others = esf_sixteen_others(at) | UINT32_C(3) << 16;
	whole_count = (uint32_t)__builtin_ctz(others);
	if (whole_count > 8)
		return NULL;
	at += whole_count;
	mantissa = esf_decimal_last(at, whole_count);
	if (*at == '.') {
		count = (uint32_t)__builtin_ctz(others & (others - 1));
		fraction_count = count - whole_count - 1;
		if (fraction_count > 8 || count == 16)
			return NULL;
		at += 1 + fraction_count;
		mantissa = mantissa * wholes[fraction_count] + esf_decimal_last(at, fraction_count);
	}
	if (whole_count + fraction_count == 0)
		return NULL;
	/* Two exact operands and one operation: rounded once. */
	magnitude = (double)(int64_t)mantissa / powers[fraction_count];
	*value = negative ? -magnitude : magnitude;
	return at;
}

/* 1 to 19 digits: where they end; NULL where they are fewer or more, or leave int64: nothing was
 * set. */
static inline const char *esf_decimal_read_integer(const char *at, int64_t *value)
{
	static const uint64_t powers[] = { 1, 10, 100, 1000 };
	uint32_t count = (uint32_t)__builtin_ctz(esf_sixteen_others(at) | UINT32_C(1) << 16);
	uint32_t more = 0;
	uint64_t sum;

	if (count <= 8) {
		if (count == 0)
			return NULL;
		*value = (int64_t)esf_decimal_last(at + count, count);
		return at + count;
	}
	sum = esf_decimal_last(at + 8, 8);
	if (count < 16) {
		uint64_t power = 1;

		for (uint32_t i = 8; i < count; i++)
			power *= 10;
		*value = (int64_t)(sum * power + esf_decimal_last(at + count, count - 8));
		return at + count;
	}
	sum = sum * 100000000 + esf_decimal_last(at + 16, 8);
	while (more < 4 && (uint8_t)(at[16 + more] ^ '0') <= 9)
		more++;
	if (more > 3)
		return NULL;
	sum = sum * powers[more] + esf_decimal_last(at + 16 + more, more);
	if (sum > INT64_MAX)
		return NULL;
	*value = (int64_t)sum;
	return at + 16 + more;
}

#endif

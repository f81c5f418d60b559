/* SPDX-License-Identifier: Apache-2.0 */
#include "influx_number.h"

#include <math.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "digits.h"

enum {
	MANTISSA_DIGITS_MAX = ESF_DIGITS_FIT,
	EXACT_POWER_MAX = 22,   /* 1e22 is the last power of ten that a double holds exactly */
	DIVISOR_POWER_MAX = 19, /* 1e19 is the last one that 64 bits hold */
	/* 768 digits decide any rounding between two doubles; of those behind, only whether one is
	   not 0. */
	TEXT_DIGITS_MAX = 768,
	EXPONENT_MAX = 1000000, /* beyond what the longest datagram of zeros could make up for */
};

static const double powers[EXACT_POWER_MAX + 1] = { 1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8,
	1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22 };

/* A decimal as written: its digits, the ones before and behind the dot, and the exponent. */
struct decimal {
	const char *whole;
	const char *fraction;
	uint32_t whole_count;
	uint32_t fraction_count;
	uint64_t mantissa; /* of all digits; wrong when they are more than MANTISSA_DIGITS_MAX */
	int32_t exponent;
	bool negative;
};

static bool is_digit(char byte)
{
	return (uint8_t)(byte - '0') < 10;
}

static const char *read_exponent(const char *at, const char *end, int32_t *exponent)
{
	bool negative = at < end && *at == '-';
	int32_t value = 0;

	if (at < end && (*at == '-' || *at == '+'))
		at++;
	if (at == end || !is_digit(*at))
		return NULL;
	for (; at < end && is_digit(*at); at++) {
		if (value < EXPONENT_MAX)
			value = value * 10 + (*at - '0');
	}
	*exponent = negative ? -value : value;
	return at;
}

static bool integer_value(const struct decimal *decimal, uint64_t max, uint64_t *value)
{
	const char *at = decimal->whole;
	uint64_t sum = decimal->mantissa;

	if (decimal->whole_count > MANTISSA_DIGITS_MAX) {
		sum = 0;
		for (uint32_t i = 0; i < decimal->whole_count; i++) {
			if (__builtin_mul_overflow(sum, 10, &sum) ||
			    __builtin_add_overflow(sum, (uint64_t)(at[i] - '0'), &sum))
				return false;
		}
	}
	*value = sum;
	return sum <= max;
}

static bool signed_value(const struct decimal *decimal, double *value)
{
	uint64_t magnitude;

	if (!integer_value(decimal, (uint64_t)INT64_MAX + decimal->negative, &magnitude))
		return false;
	*value = (double)(int64_t)(decimal->negative ? 0 - magnitude : magnitude);
	return true;
}

static bool unsigned_value(const struct decimal *decimal, double *value)
{
	uint64_t magnitude;

	if (decimal->negative || !integer_value(decimal, UINT64_MAX, &magnitude))
		return false;
	*value = (double)magnitude;
	return true;
}

/*
 * mantissa / 10^power, rounded once. Both are shifted to fill 64 bits; the quotient then has 63 or
 * 64, of which the lowest also says whether anything remained, so the conversion to double sees
 * enough to round.
 */
static double divided(uint64_t mantissa, uint32_t power)
{
	static const uint64_t divisors[DIVISOR_POWER_MAX + 1] = { 1u, 10u, 100u, 1000u, 10000u,
		100000u, 1000000u, 10000000u, 100000000u, 1000000000u, 10000000000u, 100000000000u,
		1000000000000u, 10000000000000u, 100000000000000u, 1000000000000000u,
		10000000000000000u, 100000000000000000u, 1000000000000000000u,
		10000000000000000000u };
	int mantissa_shift = __builtin_clzll(mantissa);
	int divisor_shift = __builtin_clzll(divisors[power]);
	uint64_t divisor = divisors[power] << divisor_shift;
	unsigned __int128 numerator = (unsigned __int128)(mantissa << mantissa_shift) << 63;
	uint64_t quotient = (uint64_t)(numerator / divisor);

	if ((unsigned __int128)quotient * divisor != numerator)
		quotient |= 1;
	return ldexp((double)quotient, divisor_shift - mantissa_shift - 63);
}

/* A decimal's significant digits, sign left out, as an integer with an exponent that strtod can
 * read. */
struct text {
	char bytes[TEXT_DIGITS_MAX + 1 + sizeof("e-2000000")];
	uint32_t digits_count;
	int32_t dropped_count;
	bool dropped_nonzero;
};

static void text_add(struct text *text, const char *digits, uint32_t count)
{
	uint32_t i = 0;

	while (text->digits_count == 0 && i < count && digits[i] == '0')
		i++;
	for (; i < count && text->digits_count < TEXT_DIGITS_MAX; i++)
		text->bytes[text->digits_count++] = digits[i];
	for (; i < count; i++) {
		text->dropped_count++;
		text->dropped_nonzero |= digits[i] != '0';
	}
}

static void text_finish(struct text *text, int32_t exponent)
{
	char *to = text->bytes + text->digits_count;
	uint32_t magnitude;
	uint32_t divisor = 1;

	exponent += text->dropped_count;
	if (text->dropped_nonzero) {
		*to++ = '1';
		exponent--;
	}
	magnitude = (uint32_t)(exponent < 0 ? -exponent : exponent);
	*to++ = 'e';
	*to++ = exponent < 0 ? '-' : '+';
	while (magnitude / divisor >= 10)
		divisor *= 10;
	for (; divisor > 0; divisor /= 10)
		*to++ = (char)('0' + magnitude / divisor % 10);
	*to = '\0';
}

__attribute__((cold, noinline)) static double text_value(
    const struct decimal *decimal, locale_t c_locale)
{
	struct text text;

	text.digits_count = 0;
	text.dropped_count = 0;
	text.dropped_nonzero = false;
	text_add(&text, decimal->whole, decimal->whole_count);
	text_add(&text, decimal->fraction, decimal->fraction_count);
	if (text.digits_count == 0)
		return 0;
	text_finish(&text, decimal->exponent - (int32_t)decimal->fraction_count);
	return strtod_l(text.bytes, NULL, c_locale);
}

static double magnitude(const struct decimal *decimal, locale_t c_locale)
{
	int32_t exponent = decimal->exponent - (int32_t)decimal->fraction_count;

	if (decimal->whole_count + decimal->fraction_count > MANTISSA_DIGITS_MAX)
		return text_value(decimal, c_locale);
	if (decimal->mantissa == 0)
		return 0;
	/* Two exact operands and one operation: rounded once. */
	if (decimal->mantissa < UINT64_C(1) << 53) {
		if (exponent < 0 && exponent >= -EXACT_POWER_MAX)
			return (double)decimal->mantissa / powers[-exponent];
		if (exponent >= 0 && exponent <= EXACT_POWER_MAX)
			return (double)decimal->mantissa * powers[exponent];
	}
	if (exponent <= 0 && exponent >= -DIVISOR_POWER_MAX)
		return divided(decimal->mantissa, (uint32_t)-exponent);
	return text_value(decimal, c_locale);
}

static __attribute__((noinline)) const char *parse_any(
    const char *at, const char *end, locale_t c_locale, double *value)
{
	struct decimal decimal = { .negative = at < end && *at == '-' };

	decimal.whole = at + decimal.negative;
	at = esf_digits_read(decimal.whole, end, &decimal.mantissa);
	decimal.whole_count = (uint32_t)(at - decimal.whole);
	if (decimal.whole_count > 0 && at < end && *at == 'i')
		return signed_value(&decimal, value) ? at + 1 : NULL;
	if (decimal.whole_count > 0 && at < end && *at == 'u')
		return unsigned_value(&decimal, value) ? at + 1 : NULL;
	decimal.fraction = at;
	if (at < end && *at == '.') {
		decimal.fraction = at + 1;
		at = esf_digits_read(decimal.fraction, end, &decimal.mantissa);
		decimal.fraction_count = (uint32_t)(at - decimal.fraction);
	}
	if (decimal.whole_count + decimal.fraction_count == 0)
		return NULL;
	if (at < end && (*at == 'e' || *at == 'E'))
		at = read_exponent(at + 1, end, &decimal.exponent);
	if (at == NULL)
		return NULL;
	*value = magnitude(&decimal, c_locale);
	if (decimal.negative)
		*value = -*value;
	return isfinite(*value) ? at : NULL;
}

/* Most numbers are a few digits with or without a dot, and a separator or the end behind them. */
const char *esf_influx_number_parse(
    const char *start, const char *end, locale_t c_locale, double *value)
{
	bool negative = start < end && *start == '-';
	const char *digits = start + negative;
	const char *at = digits;
	uint64_t mantissa = 0;
	ptrdiff_t dot_size = 0, fraction_count = 0;
	double magnitude;

	/* The whole part is rarely long. */
	for (; at < end && is_digit(*at); at++)
		mantissa = mantissa * 10 + (uint64_t)(*at - '0');
	if (at < end && *at == '.') {
		const char *fraction = at + 1;

		at = esf_digits_read(fraction, end, &mantissa);
		fraction_count = at - fraction;
		dot_size = 1;
	}
	if (at - digits - dot_size > MANTISSA_DIGITS_MAX || at - digits == dot_size ||
	    mantissa >= UINT64_C(1) << 53 || (at<end && * at> ','))
		return parse_any(start, end, c_locale, value);
	/* Two exact operands and one operation: rounded once. */
	magnitude = (double)mantissa / powers[fraction_count];
	*value = negative ? -magnitude : magnitude;
	return at;
}

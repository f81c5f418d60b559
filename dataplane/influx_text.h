/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ESF_INFLUX_TEXT_H
#define ESF_INFLUX_TEXT_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include "influx.h"

/* What the files of the line protocol share; nobody else includes it. */

enum {
	ESF_INFLUX_BLANK = 1,     /* before a line, between its sections: space, tab, NUL */
	ESF_INFLUX_SEPARATOR = 2, /* comma, space: ends a measurement, a number, a boolean */
	ESF_INFLUX_EQUALS = 4,    /* with the separators: ends a tag key and a tag value */
	ESF_INFLUX_MEASUREMENT_ESCAPE = 8,
	ESF_INFLUX_TAG_ESCAPE = 16,
	ESF_INFLUX_FIELD_ESCAPE = 32,
};

static const uint8_t esf_influx_classes[256] = {
	['\0'] = ESF_INFLUX_BLANK,
	['\t'] = ESF_INFLUX_BLANK,
	[' '] = ESF_INFLUX_BLANK | ESF_INFLUX_SEPARATOR | ESF_INFLUX_MEASUREMENT_ESCAPE |
	        ESF_INFLUX_TAG_ESCAPE | ESF_INFLUX_FIELD_ESCAPE,
	[','] = ESF_INFLUX_SEPARATOR | ESF_INFLUX_MEASUREMENT_ESCAPE | ESF_INFLUX_TAG_ESCAPE |
	        ESF_INFLUX_FIELD_ESCAPE,
	['='] = ESF_INFLUX_EQUALS | ESF_INFLUX_MEASUREMENT_ESCAPE | ESF_INFLUX_TAG_ESCAPE |
	        ESF_INFLUX_FIELD_ESCAPE,
	['"'] = ESF_INFLUX_MEASUREMENT_ESCAPE | ESF_INFLUX_FIELD_ESCAPE,
};

static inline bool esf_influx_is(char byte, unsigned classes)
{
	return (esf_influx_classes[(uint8_t)byte] & classes) != 0;
}

/* First comma, space or equals sign at or behind `at`, or end; reads nothing from end on. */
static inline const char *esf_influx_find_delimiter(const char *at, const char *end)
{
#ifdef __SSE2__
	for (; end - at >= 16; at += 16) {
		__m128i bytes = _mm_loadu_si128((const __m128i *)at);
		__m128i found = _mm_or_si128(_mm_cmpeq_epi8(bytes, _mm_set1_epi8(',')),
		    _mm_or_si128(_mm_cmpeq_epi8(bytes, _mm_set1_epi8(' ')),
		        _mm_cmpeq_epi8(bytes, _mm_set1_epi8('='))));
		uint32_t bits = (uint32_t)_mm_movemask_epi8(found);

		if (bits != 0)
			return at + __builtin_ctz(bits);
	}
#endif
	while (at < end && !esf_influx_is(*at, ESF_INFLUX_SEPARATOR | ESF_INFLUX_EQUALS))
		at++;
	return at;
}

static inline const char *esf_influx_skip_blanks(const char *at, const char *end)
{
	while (at < end && esf_influx_is(*at, ESF_INFLUX_BLANK))
		at++;
	return at;
}

static inline const char *esf_influx_find(const char *at, const char *end, char byte)
{
	const char *found = memchr(at, byte, (size_t)(end - at));

	return found != NULL ? found : end;
}

/*
 * Copies size bytes without the backslashes that stand before a byte of class escapes; a backslash
 * that escapes nothing is kept. Returns the bytes written, or room + 1 where they are more than
 * room.
 */
static inline uint32_t esf_influx_unescape(
    char *to, uint32_t room, const char *from, uint32_t size, unsigned escapes)
{
	uint32_t length = 0;

	for (uint32_t i = 0; i < size; i++) {
		if (from[i] == '\\' && i + 1 < size && esf_influx_is(from[i + 1], escapes))
			i++;
		if (length == room)
			return room + 1;
		to[length++] = from[i];
	}
	return length;
}

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ESF_LCORES_HANDOVER_CELL_H
#define ESF_LCORES_HANDOVER_CELL_H

#include <stdint.h>
#include <string.h>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include "handover.h"

/* How a parcel gets into a cell of a ring, for handover.c and nobody else. */

/*
 * Each field by a load of its own. The giver has only just stored them, one by one, and a load that
 * spans two of them (compilers join neighbours) waits until both stores have left the store buffer:
 * behind those to the cells before, whose lines then come one after the other.
 */
static inline struct esf_parcel read_parcel(const struct esf_parcel *parcel)
{
	const volatile struct esf_parcel *from = parcel;

	return (struct esf_parcel){
		.size = from->size,
		.kind = from->kind,
		.listener = from->listener,
		.site = from->site,
		.arrival = from->arrival,
	};
}

/*
 * A parcel goes to memory past the cache. Nobody reads its old
 * bytes, but an ordinary store would first get them from the taker's cache, where they were read,
 * and on x86 it keeps all later stores waiting meanwhile. The taker asks ahead of reading, so that
 * it minds little how far its cells are.
 */
#ifdef __SSE2__
static inline __m128i head_of(const struct esf_parcel *parcel)
{
	uint64_t what = parcel->size | (uint64_t)parcel->kind << 16 |
	                (uint64_t)parcel->listener << 24 | (uint64_t)parcel->site << 32;

	return _mm_set_epi64x(parcel->arrival, (int64_t)what);
}

static inline void fill_cell(uint8_t *cell, const struct esf_parcel *parcel, const uint8_t *payload)
{
	__m128i *to = (__m128i *)cell;
	const __m128i *from = (const __m128i *)payload;
	__m128i first = _mm_loadu_si128(from);
	__m128i second = _mm_loadu_si128(from + 1);
	__m128i third = _mm_loadu_si128(from + 2);

	_mm_stream_si128(to, head_of(parcel));
	_mm_stream_si128(to + 1, first);
	_mm_stream_si128(to + 2, second);
	_mm_stream_si128(to + 3, third);
}

/* The same for a parcel of any size, whose cells lie in one piece: each line of them is written
 * whole, as half a line that passes the cache costs more than one. */
static inline void fill_cells(
    uint8_t *cell, const struct esf_parcel *parcel, const uint8_t *payload)
{
	enum { PIECE = sizeof(__m128i), PIECES = ESF_HANDOVER_CELL / PIECE };
	const uint32_t whole = parcel->size / PIECE, rest = parcel->size % PIECE;
	const uint32_t count = (1 + whole + (rest > 0) + PIECES - 1) / PIECES * PIECES;
	uint8_t last[PIECE] = { 0 };
	__m128i *to = (__m128i *)cell;

	_mm_stream_si128(to, head_of(parcel));
	for (uint32_t i = 0; i < whole; i++)
		_mm_stream_si128(to + 1 + i, _mm_loadu_si128((const __m128i *)payload + i));
	memcpy(last, payload + (size_t)whole * PIECE, rest);
	for (uint32_t i = 1 + whole; i < count; i++) {
		_mm_stream_si128(to + i, _mm_loadu_si128((const __m128i *)last));
		memset(last, 0, PIECE);
	}
}

/* Release alone doesn't order such stores. */
static inline void settle_cells(void)
{
	_mm_sfence();
}
#else
static inline void fill_cell(uint8_t *cell, const struct esf_parcel *parcel, const uint8_t *payload)
{
	memcpy(cell, parcel, sizeof(*parcel));
	memcpy(cell + sizeof(*parcel), payload, ESF_HANDOVER_CELL - sizeof(*parcel));
}

static inline void fill_cells(
    uint8_t *cell, const struct esf_parcel *parcel, const uint8_t *payload)
{
	memcpy(cell, parcel, sizeof(*parcel));
	memcpy(cell + sizeof(*parcel), payload, parcel->size);
}

static inline void settle_cells(void)
{
}
#endif

#endif

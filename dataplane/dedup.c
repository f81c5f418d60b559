/* SPDX-License-Identifier: Apache-2.0 */
#include "dedup.h"

#include <stdbool.h>
#include <string.h>

/*
 * Number n lives in bit n mod size, and the bitmap has exactly size bits. Two numbers share a bit
 * only when they are a multiple of size apart, and the window (highest - size, highest] holds no
 * two such numbers, so size bits represent it exactly, whatever its position. The invariant that
 * makes it true: a set bit always stands for a number of this life that was seen and is inside the
 * window. It holds because numbers lose their bits, one by one and not by the word, in leave()
 * before highest moves; numbers below lowest were never seen and have no bit to lose.
 *
 * Sequence numbers are u32 and are not meant to wrap; all sums are made in 64 bits, so none here
 * does.
 */
enum { WORD_BITS = 64 };

uint32_t esf_dedup_words(uint32_t size)
{
	return size / WORD_BITS;
}

static uint64_t *word_of(uint64_t *bitmap, uint32_t size, uint64_t seq)
{
	return &bitmap[(seq & (size - 1)) / WORD_BITS];
}

static uint64_t bit_of(uint64_t seq)
{
	return UINT64_C(1) << (seq % WORD_BITS);
}

/*
 * All numbers up to last leave the window: their bits are cleared, and those from lowest on that
 * were never seen are lost. Numbers above highest never had a bit; the ones that leave with the
 * rest were skipped.
 */
static void leave(struct esf_dedup *dedup, uint64_t *bitmap, uint32_t size, int64_t last)
{
	int64_t highest = dedup->highest;
	int64_t bottom = highest - size + 1;
	int64_t from = bottom > dedup->lowest ? bottom : dedup->lowest;
	int64_t to = last < highest ? last : highest;

	while (from <= to) {
		uint64_t *word = word_of(bitmap, size, (uint64_t)from);
		uint32_t first_bit = (uint64_t)from % WORD_BITS;
		uint32_t room = WORD_BITS - first_bit;
		uint32_t count = to - from + 1 < room ? (uint32_t)(to - from + 1) : room;
		uint64_t mask = (UINT64_MAX >> (WORD_BITS - count)) << first_bit;

		dedup->lost += (uint64_t)__builtin_popcountll(~*word & mask);
		*word &= ~mask;
		from += count;
	}
	if (last > highest)
		dedup->lost += (uint64_t)(last - highest);
}

static __attribute__((cold)) void begin_life(
    struct esf_dedup *dedup, uint64_t *bitmap, uint32_t size, uint32_t boot, uint32_t seq)
{
	if (dedup->highest == 0)
		memset(bitmap, 0, size / 8);
	else
		leave(dedup, bitmap, size, dedup->highest);
	dedup->boot = boot;
	dedup->highest = seq;
	dedup->lowest = seq;
}

static void record(struct esf_dedup *dedup, uint64_t *bitmap, uint32_t size, uint32_t seq)
{
	if (seq > dedup->highest) {
		leave(dedup, bitmap, size, (int64_t)seq - size);
		dedup->highest = seq;
	} else if (seq < dedup->lowest) {
		dedup->lowest = seq;
	}
	*word_of(bitmap, size, seq) |= bit_of(seq);
}

/* The numbers up to last, from highest on, are forgotten: they count as seen. */
static void skip(struct esf_dedup *dedup, uint64_t *bitmap, uint32_t size, uint32_t last)
{
	uint64_t skipped = last - dedup->highest,
	         gone = (int64_t)last - size > dedup->highest ? last - size - dedup->highest : 0;
	uint64_t from = dedup->highest + UINT64_C(1) + gone;

	leave(dedup, bitmap, size, (int64_t)last - size);
	dedup->lost += skipped - gone;
	dedup->forgotten += skipped;
	for (uint64_t seq = from; seq <= last; seq++)
		*word_of(bitmap, size, seq) |= bit_of(seq);
	dedup->highest = last;
}

static enum esf_datagram_verdict accept_any(
    struct esf_dedup *dedup, uint64_t *bitmap, uint32_t size, uint32_t boot, uint32_t seq);

/* Of a stream that waits. What is not beyond what is remembered of it leaves it waiting. */
static __attribute__((cold)) enum esf_datagram_verdict accept_waited_for(
    struct esf_dedup *dedup, uint64_t *bitmap, uint32_t size, uint32_t boot, uint32_t seq)
{
	bool known = dedup->highest != 0, begins = boot > dedup->former;
	enum esf_datagram_verdict verdict;

	dedup->boot = known ? dedup->former : 0;
	if (begins && boot <= dedup->until) {
		begin_life(dedup, bitmap, size, boot, 0);
		dedup->lowest = 1;
		skip(dedup, bitmap, size, seq - 1);
	} else if (known && boot == dedup->former && seq > dedup->highest) {
		skip(dedup, bitmap, size, seq - 1);
	} else if (known && !begins) {
		verdict = accept_any(dedup, bitmap, size, boot, seq);
		dedup->boot = ESF_DEDUP_WAITS;
		return verdict;
	}
	return accept_any(dedup, bitmap, size, boot, seq);
}

/* Any but the next one of the life: a verdict, and where that is ACCEPTED, recorded. */
static __attribute__((noinline)) enum esf_datagram_verdict accept_any(
    struct esf_dedup *dedup, uint64_t *bitmap, uint32_t size, uint32_t boot, uint32_t seq)
{
	if (dedup->boot == ESF_DEDUP_WAITS)
		return accept_waited_for(dedup, bitmap, size, boot, seq);
	if (dedup->highest == 0 || boot > dedup->boot)
		begin_life(dedup, bitmap, size, boot, seq);
	else if (boot < dedup->boot || (uint64_t)seq + size <= dedup->highest)
		return ESF_DATAGRAM_STALE;
	else if (seq <= dedup->highest && (*word_of(bitmap, size, seq) & bit_of(seq)) != 0)
		return ESF_DATAGRAM_DUPLICATE;
	record(dedup, bitmap, size, seq);
	return ESF_DATAGRAM_ACCEPTED;
}

/* highest + 1: the only number that leaves the window is the one that it shares its bit with. */
static inline void record_next(
    struct esf_dedup *dedup, uint64_t *bitmap, uint32_t size, uint32_t seq)
{
	uint64_t *word = word_of(bitmap, size, seq);
	uint64_t bit = bit_of(seq);

	if ((int64_t)seq - size >= dedup->lowest)
		dedup->lost += (*word & bit) == 0;
	dedup->highest = seq;
	*word |= bit;
}

inline enum esf_datagram_verdict esf_dedup_accept(struct esf_dedup *dedup, uint64_t *bitmap,
    uint32_t size, uint32_t boot, uint32_t seq, uint32_t boot_limit)
{
	if (boot > boot_limit)
		return ESF_DATAGRAM_STALE;
	if (boot != dedup->boot || seq - 1 != dedup->highest || seq == 1)
		return accept_any(dedup, bitmap, size, boot, seq);
	record_next(dedup, bitmap, size, seq);
	return ESF_DATAGRAM_ACCEPTED;
}

void esf_dedup_wait(struct esf_dedup *dedup, uint32_t former, uint32_t until)
{
	dedup->boot = ESF_DEDUP_WAITS;
	dedup->former = former;
	dedup->until = until;
}

void esf_dedup_refit(const struct esf_dedup *dedup, const uint64_t *from, uint32_t from_size,
    uint64_t *bitmap, uint32_t size)
{
	uint64_t seq = dedup->highest < size ? 1 : dedup->highest - size + UINT64_C(1);

	memset(bitmap, 0, size / 8);
	for (seq = seq < dedup->lowest ? dedup->lowest : seq; seq <= dedup->highest; seq++) {
		bool told = seq + from_size > dedup->highest;

		if (!told || (from[(seq & (from_size - 1)) / WORD_BITS] & bit_of(seq)) != 0)
			*word_of(bitmap, size, seq) |= bit_of(seq);
	}
}

uint32_t esf_dedup_room(
    const struct esf_dedup *dedup, const uint64_t *bitmap, uint32_t size, uint32_t count)
{
	uint32_t left = UINT32_MAX - dedup->highest, room = 0;

	left -= left > 0; /* so that one behind the last of them is a number too */

	if (dedup->boot == ESF_DEDUP_WAITS || dedup->highest == 0)
		return 0;
	count = count < size ? count : size;
	count = count < left ? count : left;
	while (room < count) {
		uint64_t seq = (uint64_t)dedup->highest + 1 + room;
		uint64_t gaps = ~bitmap[(seq & (size - 1)) / WORD_BITS] >> (seq % WORD_BITS);
		uint32_t run = gaps == 0 ? WORD_BITS : (uint32_t)__builtin_ctzll(gaps);

		run = run < WORD_BITS - seq % WORD_BITS ? run : WORD_BITS - seq % WORD_BITS;
		if (run == 0 && (int64_t)seq - size >= dedup->lowest)
			break;
		room += run == 0 ? 1 : run;
	}
	return room < count ? room : count;
}

void esf_dedup_go_on(struct esf_dedup *dedup, uint64_t *bitmap, uint32_t size, uint32_t last)
{
	for (uint64_t seq = dedup->highest + UINT64_C(1); seq <= last;) {
		uint32_t first_bit = seq % WORD_BITS, room = WORD_BITS - first_bit;
		uint32_t count = last - seq + 1 < room ? (uint32_t)(last - seq + 1) : room;

		*word_of(bitmap, size, seq) |= UINT64_MAX >> (WORD_BITS - count) << first_bit;
		seq += count;
	}
	dedup->highest = last;
}

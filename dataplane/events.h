/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ESF_EVENTS_H
#define ESF_EVENTS_H

#include <stdbool.h>
#include <stdint.h>

#include "event.h"

/*
 * Events on their way from one shard to control: a bounded single-producer single-consumer ring of
 * struct esf_event, and what the shard counts beside it. One for each shard.
 *
 *   the shard's lcore                        control
 *     esf_events_put(events, &event);          n = esf_events_take(events, batch, count);
 *
 * Why it is right. Positions are free-running 32-bit counts of events, taken modulo the ring's
 * size, a power of two not above 2^31; `head` is how many were put, `tail` how many were taken, and
 * 0 <= head - tail <= size always.
 *
 *   1. Who writes what. head is stored by the producer only, tail by the consumer only. Slots
 *      [tail, head) are the consumer's, all others the producer's: at the start both are 0 and all
 *      slots are the producer's.
 *   2. No slot is read before it is written. The producer stores head with release after the last
 *      byte of the event; the consumer loads head with acquire before it looks at slots below it.
 *   3. No slot is overwritten before it is read. The consumer stores tail with release after the
 *      last byte was copied out; the producer loads tail with acquire, and writes slot head only
 *      where head - tail < size.
 *   4. Each side may use an older value of the other's position that it remembers: positions only
 *      grow, so an older tail shows less room, an older head fewer events. Both are looked up again
 *      before put answers false and before take answers 0; so nothing is refused while there is
 *      room.
 *   5. Order is that of the puts, as both sides go up one by one.
 *   6. Progress. Neither side waits for the other: put is a bounded number of steps, take is
 *      bounded by what it sees.
 *
 * Counters have one writer, the producer, which stores them relaxed: control may see them a moment
 * late and apart from each other, never torn.
 */
enum {
	ESF_EVENTS_SIZE_MIN = 64,
	ESF_EVENTS_SIZE_MAX = 65536,
};

struct esf_events;

/* size: events it holds, a power of two within the bounds above. NULL when it is not, or when out
 * of memory. */
struct esf_events *esf_events_create(uint32_t size);

/* When neither side uses it any more. */
void esf_events_destroy(struct esf_events *events);

/* The producer: false, and counted as dropped, where there is no room. Never blocks. */
bool esf_events_put(struct esf_events *events, const struct esf_event *event);

/* The producer: an event that it does not put. */
void esf_events_count_dropped(struct esf_events *events);

/* The producer: a message that no signature takes, whether it is worth an event or not. */
void esf_events_count_unmatched(struct esf_events *events, uint8_t severity);

/* The consumer: copies out up to count events, oldest first, and returns how many. */
uint32_t esf_events_take(struct esf_events *events, struct esf_event *out, uint32_t count);

struct esf_events_counts {
	uint64_t put;
	uint64_t dropped;
	uint64_t unmatched[ESF_SEVERITIES];
};

/* Any thread; exact where the producer is not running. */
void esf_events_read_counts(const struct esf_events *events, struct esf_events_counts *out);

#endif

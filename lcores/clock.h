/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ESF_LCORES_CLOCK_H
#define ESF_LCORES_CLOCK_H

#include <stdint.h>

/*
 * Unix time for the lcores, without a system call: the processor's cycle counter on a straight line
 * that the control thread re-anchors to the system's clock, about once a second.
 *
 * Time never goes back. A system clock found ahead by more than 100 ms is followed at once; one
 * that is ahead by less, or behind, is approached by running faster (by at most a tenth) or
 * slower (down to half) until both agree.
 */

/* One straight line: unix_ns + (ticks - its ticks) * scale / 2^32. */
struct esf_clock_line {
	uint64_t ticks;
	int64_t unix_ns;
	uint64_t scale; /* ns a tick, times 2^32 */
};

struct esf_clock {
	/*
	 * Writer: the control thread. Readers: all. lines[sequence % 2] is in force; the writer
	 * fills the other and then stores sequence with release. A reader loads sequence with
	 * acquire, reads the line, and takes it if sequence is still the same: a line is rewritten
	 * only after the sequence went on.
	 */
	struct esf_clock_line lines[2];
	uint32_t sequence;

	/* Control thread only: the last reading of both clocks, and the rate between readings. */
	uint64_t seen_ticks;
	int64_t seen_unix_ns;
	double ns_per_tick;
} __attribute__((aligned(64)));

/* Starts a clock of tick_hz that shows unix_ns at ticks; before any reader. */
void esf_clock_init(struct esf_clock *clock, double tick_hz, uint64_t ticks, int64_t unix_ns);

/* Control thread: the system's clock showed unix_ns at ticks. */
void esf_clock_anchor(struct esf_clock *clock, uint64_t ticks, int64_t unix_ns);

/* Any thread. Unix ns at ticks. */
int64_t esf_clock_at(const struct esf_clock *clock, uint64_t ticks);

/* Measures the cycle counter's rate for 20 ms and starts; before any reader. */
void esf_clock_start(struct esf_clock *clock);

/* Control thread: anchors to the system's clock as it is now. */
void esf_clock_reanchor(struct esf_clock *clock);

/* Any thread. Unix ns now. */
int64_t esf_clock_now(const struct esf_clock *clock);

#endif

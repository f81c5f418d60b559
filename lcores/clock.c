/* SPDX-License-Identifier: Apache-2.0 */
#include "clock.h"

#include <time.h>

#include <rte_cycles.h>

enum {
	CALIBRATION_NS = 20000000,
	STEP_NS = 100000000,        /* further ahead than this: follow at once */
	SLEW_NS_MIN = 2 * NS_PER_S, /* time in which a difference is made up */
	RATE_NS_MIN = 50000000,     /* readings closer together say nothing about the rate */
	READING_TRIES = 5,
};

static const double scale_one = 4294967296.0;
static const double rate_tolerance = 0.01; /* readings that differ by more saw the clock set */
static const double rate_min = 0.5, rate_max = 1.1;

static int64_t line_at(const struct esf_clock_line *line, uint64_t ticks)
{
	int64_t elapsed = (int64_t)(ticks - line->ticks);

	if (elapsed <= 0)
		return line->unix_ns;
	return line->unix_ns +
	       (int64_t)(uint64_t)(((unsigned __int128)(uint64_t)elapsed * line->scale) >> 32);
}

/* The partner of the loads in esf_clock_at. */
static void publish(struct esf_clock *clock, uint64_t ticks, int64_t unix_ns, double ns_per_tick)
{
	uint32_t sequence = clock->sequence + 1;
	struct esf_clock_line *line = &clock->lines[sequence % 2];

	/* Release: a reader that sees one of these sees also that its line's sequence is over. */
	__atomic_store_n(&line->ticks, ticks, __ATOMIC_RELEASE);
	__atomic_store_n(&line->unix_ns, unix_ns, __ATOMIC_RELEASE);
	__atomic_store_n(&line->scale, (uint64_t)(ns_per_tick * scale_one), __ATOMIC_RELEASE);
	__atomic_store_n(&clock->sequence, sequence, __ATOMIC_RELEASE);
}

int64_t esf_clock_at(const struct esf_clock *clock, uint64_t ticks)
{
	uint32_t sequence = __atomic_load_n(&clock->sequence, __ATOMIC_ACQUIRE);

	for (;;) {
		const struct esf_clock_line *line = &clock->lines[sequence % 2];
		struct esf_clock_line copy = {
			.ticks = __atomic_load_n(&line->ticks, __ATOMIC_ACQUIRE),
			.unix_ns = __atomic_load_n(&line->unix_ns, __ATOMIC_ACQUIRE),
			.scale = __atomic_load_n(&line->scale, __ATOMIC_ACQUIRE),
		};
		uint32_t again = __atomic_load_n(&clock->sequence, __ATOMIC_ACQUIRE);

		if (again == sequence)
			return line_at(&copy, ticks);
		sequence = again;
	}
}

void esf_clock_init(struct esf_clock *clock, double tick_hz, uint64_t ticks, int64_t unix_ns)
{
	*clock = (struct esf_clock){
		.seen_ticks = ticks,
		.seen_unix_ns = unix_ns,
		.ns_per_tick = NS_PER_S / tick_hz,
	};
	publish(clock, ticks, unix_ns, clock->ns_per_tick);
}

/* Takes up the rate since the last reading, unless the system's clock was set in between. */
static void measure_rate(struct esf_clock *clock, uint64_t ticks, int64_t unix_ns)
{
	double elapsed_ticks = (double)(ticks - clock->seen_ticks);
	double expected_ns = elapsed_ticks * clock->ns_per_tick;
	double elapsed_ns = (double)(unix_ns - clock->seen_unix_ns);
	double difference = elapsed_ns - expected_ns;

	if (expected_ns >= RATE_NS_MIN && difference <= expected_ns * rate_tolerance &&
	    difference >= -expected_ns * rate_tolerance)
		clock->ns_per_tick = elapsed_ns / elapsed_ticks;
}

/* Twice the interval at least, or a small difference would be overshot by the next anchor. */
static double slew_factor(double error_ns, double interval_ns)
{
	double slew_ns = 2 * interval_ns > SLEW_NS_MIN ? 2 * interval_ns : SLEW_NS_MIN;
	double factor = 1 + error_ns / slew_ns;

	return factor < rate_min ? rate_min : factor > rate_max ? rate_max : factor;
}

void esf_clock_anchor(struct esf_clock *clock, uint64_t ticks, int64_t unix_ns)
{
	int64_t shown_ns = esf_clock_at(clock, ticks);
	double interval_ns = (double)(ticks - clock->seen_ticks) * clock->ns_per_tick;
	int64_t error_ns = unix_ns - shown_ns;

	measure_rate(clock, ticks, unix_ns);
	clock->seen_ticks = ticks;
	clock->seen_unix_ns = unix_ns;
	if (error_ns > STEP_NS)
		publish(clock, ticks, unix_ns, clock->ns_per_tick);
	else
		publish(clock, ticks, shown_ns,
		    clock->ns_per_tick * slew_factor((double)error_ns, interval_ns));
}

/* Both clocks at one moment: of a few tries the one that the scheduler disturbed least. */
static void read_both(clockid_t id, uint64_t *ticks, int64_t *ns)
{
	uint64_t best = UINT64_MAX;

	for (int i = 0; i < READING_TRIES; i++) {
		struct timespec time;
		uint64_t before = rte_rdtsc_precise(), after;

		clock_gettime(id, &time);
		after = rte_rdtsc_precise();
		if (after - before < best) {
			best = after - before;
			*ticks = before + best / 2;
			*ns = (int64_t)time.tv_sec * NS_PER_S + time.tv_nsec;
		}
	}
}

void esf_clock_start(struct esf_clock *clock)
{
	const struct timespec pause = { .tv_nsec = CALIBRATION_NS };
	uint64_t start_ticks = 0, end_ticks = 0, ticks = 0;
	int64_t start_ns = 0, end_ns = 0, unix_ns = 0;

	read_both(CLOCK_MONOTONIC_RAW, &start_ticks, &start_ns);
	do {
		nanosleep(&pause, NULL);
		read_both(CLOCK_MONOTONIC_RAW, &end_ticks, &end_ns);
	} while (end_ns - start_ns < CALIBRATION_NS);
	read_both(CLOCK_REALTIME, &ticks, &unix_ns);
	esf_clock_init(clock,
	    (double)(end_ticks - start_ticks) * NS_PER_S / (double)(end_ns - start_ns), ticks,
	    unix_ns);
}

void esf_clock_reanchor(struct esf_clock *clock)
{
	uint64_t ticks = 0;
	int64_t unix_ns = 0;

	read_both(CLOCK_REALTIME, &ticks, &unix_ns);
	esf_clock_anchor(clock, ticks, unix_ns);
}

int64_t esf_clock_now(const struct esf_clock *clock)
{
	return esf_clock_at(clock, rte_rdtsc());
}

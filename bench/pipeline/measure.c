/* SPDX-License-Identifier: Apache-2.0 */
#include <urcu-qsbr.h>

#include "bench.h"

#include <errno.h>
#include <math.h>
#include <time.h>

#include <rte_cycles.h>

enum { PRIME_S_MAX = 120 }; /* for the births and one round of all sites */

static void count_stamps(const struct esf_bench *bench, struct esf_stamp_counts *sum)
{
	*sum = (struct esf_stamp_counts){ 0 };
	for (uint32_t i = 0; i < bench->stamps_count; i++) {
		struct esf_stamp_counts counts;

		esf_stamp_counts(bench->stamps[i], &counts);
		sum->datagrams += counts.datagrams;
		sum->cycles += counts.cycles;
		sum->births += counts.births;
	}
}

static void take_sample(const struct esf_bench *bench, const struct esf_bench_engine *engine,
    struct esf_bench_sample *sample)
{
	sample->ticks = rte_rdtsc();
	count_stamps(bench, &sample->stamped);
	sample->ledger = (struct esf_ledger){ 0 };
	if (engine->ledger != NULL)
		engine->ledger(engine->context, &sample->ledger);
}

static void sleep_offline(double seconds)
{
	double whole = floor(seconds);
	struct timespec pause = { (time_t)whole, (long)((seconds - whole) * 1e9) };

	rcu_thread_offline();
	nanosleep(&pause, NULL);
	rcu_thread_online();
}

/* Seconds since some time. */
static double clock_s(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

/* Ticks for that long: an epoch apart, the last one cut short. A tick of many sites takes longer
 * than an epoch, and is part of the time. */
static void pace(struct esf_bench *bench, const struct esf_bench_engine *engine, double seconds)
{
	double epoch_s = (double)bench->config->rollup.epoch_ns / 1e9, end = clock_s() + seconds;

	for (double left = seconds; left > 0; left = end - clock_s()) {
		sleep_offline(left < epoch_s ? left : epoch_s);
		esf_clock_reanchor(&bench->clock);
		if (engine->tick != NULL)
			engine->tick(engine->context);
	}
}

static bool is_primed(const struct esf_bench *bench)
{
	uint64_t births = bench->births.count > 0 ? bench->config->sites_count : 0;
	struct esf_stamp_counts counts;

	count_stamps(bench, &counts);
	return counts.births == births && counts.datagrams >= 2 * births;
}

int esf_bench_measure(struct esf_bench *bench, const struct esf_bench_engine *engine)
{
	for (uint32_t i = 0; !is_primed(bench); i++) {
		if (i == PRIME_S_MAX) {
			fputs("pipeline-bench: the sites' births took too long\n", stderr);
			return -ETIMEDOUT;
		}
		pace(bench, engine, 0.25);
	}
	pace(bench, engine, bench->options.warm_up_s);
	take_sample(bench, engine, &bench->begin);
	pace(bench, engine, bench->options.seconds);
	take_sample(bench, engine, &bench->end);
	return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "micro.h"

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <urcu-qsbr.h>

enum { ROWS_MAX = 64, SAMPLES_MAX = 1000 };

/* Of one operation, ns. */
struct figure {
	double median, p99, low, high;
	uint32_t samples;
};

struct row {
	char stage[24], input[48], floor[40];
	size_t state;
	struct figure ours, floored; /* floored.samples 0: none */
	struct micro_goal goal;
};

struct micro {
	struct micro_options options;
	struct row rows[ROWS_MAX];
	uint32_t rows_count;
};

void micro_fail(const char *what)
{
	fprintf(stderr, "micro-bench: %s\n", what);
	exit(1);
}

void *micro_allocate(size_t count, size_t size)
{
	size_t bytes = (count * size + 63) / 64 * 64;
	void *memory = aligned_alloc(64, bytes == 0 ? 64 : bytes);

	if (memory == NULL)
		micro_fail("out of memory");
	return memset(memory, 0, bytes);
}

uint32_t *micro_shuffle(uint32_t count)
{
	uint32_t *order = micro_allocate(count, sizeof(*order));
	uint64_t random = 88172645463325252;

	for (uint32_t i = 0; i < count; i++)
		order[i] = i;
	for (uint32_t i = count; i > 1; i--) {
		uint32_t other, kept = order[i - 1];

		random = random * 6364136223846793005 + 1442695040888963407;
		other = (uint32_t)((random >> 33) % i);
		order[i - 1] = order[other];
		order[other] = kept;
	}
	return order;
}

void micro_pin(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET((size_t)cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set) != 0)
		micro_fail("can't pin to that CPU");
}

void micro_copy_run(void *context, uint64_t rounds)
{
	const struct micro_copy *copy = context;

	for (uint64_t i = 0; i < rounds; i++) {
		const volatile size_t *size = &copy->size;

		memcpy(copy->to, micro_hide(copy->from), *size);
		micro_use((uintptr_t)copy->to);
	}
}

void micro_touch_run(void *context, uint64_t rounds)
{
	struct micro_touch *touch = context;

	for (uint64_t i = 0; i < rounds; i++) {
		micro_use(touch->memory[(size_t)touch->order[touch->at] * touch->stride]);
		touch->at = touch->at + 1 == touch->count ? 0 : touch->at + 1;
	}
}

static uint64_t clock_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static uint64_t time_rounds(const struct micro_case *timed, uint64_t rounds)
{
	uint64_t begin;

	if (timed->prepare != NULL)
		timed->prepare(timed->context);
	rcu_quiescent_state();
	begin = clock_ns();
	timed->run(timed->context, rounds);
	return clock_ns() - begin;
}

/* Enough of them for a sample; finding out is the warm-up, and all state is walked through once. */
static uint64_t count_rounds(const struct micro *bench, const struct micro_case *timed)
{
	uint64_t rounds = 1, sample_ns = bench->options.sample_ns;

	if (timed->single) {
		time_rounds(timed, 1);
		return 1;
	}
	while (time_rounds(timed, rounds) < sample_ns)
		rounds *= 2;
	for (int i = 0; i < 5; i++)
		time_rounds(timed, rounds);
	return rounds;
}

static int by_value(const void *a, const void *b)
{
	double left = *(const double *)a, right = *(const double *)b;

	return (left > right) - (left < right);
}

static struct figure measure(const struct micro *bench, const struct micro_case *timed)
{
	static double samples[SAMPLES_MAX];
	uint32_t count = bench->options.samples;
	uint64_t rounds = count_rounds(bench, timed);

	if (timed->samples_max > 0 && count > timed->samples_max)
		count = timed->samples_max;
	if (count > SAMPLES_MAX)
		count = SAMPLES_MAX;
	for (uint32_t i = 0; i < count; i++)
		samples[i] =
		    (double)time_rounds(timed, rounds) / ((double)rounds * timed->operations);
	qsort(samples, count, sizeof(samples[0]), by_value);
	return (struct figure){
		.median = samples[count / 2],
		.p99 = samples[(count * 99 + 99) / 100 - 1],
		.low = samples[0],
		.high = samples[count - 1],
		.samples = count,
	};
}

bool micro_wants(const struct micro *bench, const char *stage)
{
	const char *only = bench->options.only;

	return only == NULL || strncmp(stage, only, strlen(only)) == 0;
}

const struct micro_options *micro_options(const struct micro *bench)
{
	return &bench->options;
}

void micro_row(struct micro *bench, const char *stage, const struct micro_case *ours,
    const struct micro_case *floor, const struct micro_goal *goal)
{
	struct row *row = &bench->rows[bench->rows_count];

	if (bench->rows_count == ROWS_MAX)
		micro_fail("more rows than there is room for");
	bench->rows_count++;
	snprintf(row->stage, sizeof(row->stage), "%s", stage);
	snprintf(row->input, sizeof(row->input), "%s", ours->name);
	row->state = ours->state;
	row->ours = measure(bench, ours);
	if (floor != NULL) {
		snprintf(row->floor, sizeof(row->floor), "%s", floor->name);
		row->floored = measure(bench, floor);
	}
	if (goal != NULL)
		row->goal = *goal;
}

struct micro *micro_create(const struct micro_options *options)
{
	struct micro *bench = micro_allocate(1, sizeof(*bench));

	bench->options = *options;
	return bench;
}

void micro_destroy(struct micro *bench)
{
	free(bench);
}

/* Bytes of the CPU's data cache of that level; 0: unknown. */
static size_t cache_size(uint32_t level)
{
	char path[80];
	unsigned long size = 0;
	FILE *file;

	/* index1 holds the first level's instructions */
	snprintf(path, sizeof(path), "/sys/devices/system/cpu/cpu0/cache/index%u/size",
	    level == 1 ? 0 : level);
	file = fopen(path, "r");
	if (file == NULL)
		return 0;
	if (fscanf(file, "%luK", &size) != 1)
		size = 0;
	fclose(file);
	return size * 1024;
}

/* Where so many bytes lie once they were walked through. */
static const char *cache_of(size_t state)
{
	static const char *const names[] = { "L1", "L2", "L3" };

	for (uint32_t level = 1; level <= 3; level++)
		if (state <= cache_size(level))
			return names[level - 1];
	return "memory";
}

static bool is_met(const struct row *row)
{
	if (row->goal.ns > 0)
		return row->ours.median <= row->goal.ns;
	return row->floored.median >= row->goal.speed * row->ours.median;
}

static const char *time_text(double ns, char text[16])
{
	const char *unit = ns < 1e4 ? "ns" : ns < 1e7 ? "us" : "ms";
	double scaled = ns < 1e4 ? ns : ns < 1e7 ? ns / 1e3 : ns / 1e6;

	snprintf(text, 16, "%.*f %s", scaled < 100 ? 1 : 0, scaled, unit);
	return text;
}

static void goal_text(const struct row *row, char *text, size_t size)
{
	char time[16];

	if (row->goal.ns > 0)
		snprintf(text, size, "<= %s: %s", time_text(row->goal.ns, time),
		    is_met(row) ? "met" : "missed");
	else if (row->goal.speed > 0)
		snprintf(text, size, ">= %.2f x floor's speed: %s", row->goal.speed,
		    is_met(row) ? "met" : "missed");
	else
		text[0] = 0;
}

static void print_row(const struct row *row)
{
	char median[16], p99[16], low[16], high[16], spread[40], floor[64] = "", goal[64];
	char times[16] = "";

	snprintf(spread, sizeof(spread), "%s-%s", time_text(row->ours.low, low),
	    time_text(row->ours.high, high));
	if (row->floored.samples > 0) {
		snprintf(
		    floor, sizeof(floor), "%s %s", row->floor, time_text(row->floored.median, low));
		snprintf(times, sizeof(times), "%.2f", row->ours.median / row->floored.median);
	}
	goal_text(row, goal, sizeof(goal));
	printf("%-11s | %-38s | %9.1f | %-6s | %9s | %9s | %-21s | %-34s | %6s | %s\n", row->stage,
	    row->input, (double)row->state / 1024, cache_of(row->state),
	    time_text(row->ours.median, median), time_text(row->ours.p99, p99), spread, floor,
	    times, goal);
}

static void print_json(const struct row *row, bool last)
{
	printf("  {\"stage\": \"%s\", \"input\": \"%s\", \"state_bytes\": %zu, \"cache\": \"%s\", "
	       "\"samples\": %u, \"median_ns\": %.3f, \"p99_ns\": %.3f, \"lowest_ns\": %.3f, "
	       "\"highest_ns\": %.3f",
	    row->stage, row->input, row->state, cache_of(row->state), row->ours.samples,
	    row->ours.median, row->ours.p99, row->ours.low, row->ours.high);
	if (row->floored.samples > 0)
		printf(", \"floor\": \"%s\", \"floor_ns\": %.3f", row->floor, row->floored.median);
	if (row->goal.ns > 0)
		printf(", \"goal_ns\": %.3f", row->goal.ns);
	if (row->goal.speed > 0)
		printf(", \"goal_speed\": %.2f", row->goal.speed);
	if (row->goal.ns > 0 || row->goal.speed > 0)
		printf(", \"met\": %s", is_met(row) ? "true" : "false");
	printf("}%s\n", last ? "" : ",");
}

void micro_report(const struct micro *bench)
{
	if (bench->options.json) {
		puts("[");
		for (uint32_t i = 0; i < bench->rows_count; i++)
			print_json(&bench->rows[i], i + 1 == bench->rows_count);
		puts("]");
		return;
	}
	printf("%-11s | %-38s | %9s | %-6s | %9s | %9s | %-21s | %-34s | %6s | %s\n", "stage",
	    "input", "state KiB", "cache", "median", "p99", "lowest-highest", "floor", "x", "goal");
	for (uint32_t i = 0; i < bench->rows_count; i++)
		print_row(&bench->rows[i]);
}

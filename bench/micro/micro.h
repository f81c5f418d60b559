/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ESF_MICRO_H
#define ESF_MICRO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * One stage at a time, beside the floor that the machine sets for the same bytes. All is called by
 * the main thread, which is pinned and registered with RCU.
 */

struct micro_options {
	uint32_t samples;   /* of a row */
	uint64_t sample_ns; /* how long one lasts at least, where a row may repeat itself */
	uint32_t sites;     /* of the rows of many sites */
	int cpu, peer_cpu;
	const char *only; /* a stage's name begins so; NULL: all */
	bool json;
};

/* What is timed. run does what it times `rounds` times; its results go to micro_use. */
struct micro_case {
	const char *name;               /* of the input; of a floor: what it is */
	uint32_t operations;            /* of a round; times are of one of them */
	size_t state;                   /* bytes that all rounds walk through */
	bool single;                    /* a round a sample, whatever it takes */
	uint32_t samples_max;           /* 0: no bound */
	void (*prepare)(void *context); /* before each sample, not timed; NULL: nothing */
	void (*run)(void *context, uint64_t rounds);
	void *context;
};

/* What a row is asked for; 0: nothing. */
struct micro_goal {
	double ns;    /* of an operation, at most */
	double speed; /* floor / ours, at least */
};

struct micro;

bool micro_wants(const struct micro *bench, const char *stage);
const struct micro_options *micro_options(const struct micro *bench);

/* Measures and keeps a row; floor NULL: none is known, goal NULL: nothing is asked. */
void micro_row(struct micro *bench, const char *stage, const struct micro_case *ours,
    const struct micro_case *floor, const struct micro_goal *goal);

struct micro *micro_create(const struct micro_options *options);
/* Prints all rows. */
void micro_report(const struct micro *bench);
void micro_destroy(struct micro *bench);

/* The compiler can't know what is behind the pointer, nor leave out what was computed. */
static inline const void *micro_hide(const void *pointer)
{
	__asm__ volatile("" : "+r"(pointer) : : "memory");
	return pointer;
}

static inline void micro_use(uint64_t value)
{
	__asm__ volatile("" : : "r"(value) : "memory");
}

__attribute__((noreturn)) void micro_fail(const char *what);
/* Zeroed and touched, aligned to a cache line; fails where there is none. */
void *micro_allocate(size_t count, size_t size);
/* 0..count-1 in an order that no prefetcher guesses; the caller's to free. */
uint32_t *micro_shuffle(uint32_t count);
void micro_pin(int cpu);

/* Floors: a copy of the same bytes; a read of one cache line of as much state. */
struct micro_copy {
	void *to;
	const void *from;
	size_t size;
};
struct micro_touch {
	const uint8_t *memory;
	const uint32_t *order;
	uint32_t count, stride;
	uint32_t at;
};
void micro_copy_run(void *context, uint64_t rounds);
void micro_touch_run(void *context, uint64_t rounds);

/* The stages, in the order data meets them. */
void micro_decode(struct micro *bench);
void micro_sites(struct micro *bench);
void micro_names(struct micro *bench);
void micro_seal(struct micro *bench);
void micro_accumulate(struct micro *bench);
void micro_handover(struct micro *bench);
void micro_publish(struct micro *bench);
void micro_tick(struct micro *bench);

#endif

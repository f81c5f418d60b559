/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ESF_BENCH_BENCH_H
#define ESF_BENCH_BENCH_H

#include <stdbool.h>
#include <stdint.h>

#include "control/config/config.h"
#include "dataplane/ledger.h"
#include "lcores/clock.h"
#include "lcores/launch.h"
#include "lcores/options.h"
#include "lcores/plan.h"
#include "slots.h"
#include "stamp.h"

/*
 * One measurement: the ports of a configuration, their queues stamped, and what polls them: the
 * appliance's lcores (plane.c), or a loop that frees what it gets (drain.c). Main thread.
 */
enum { ESF_BENCH_QUEUES_MAX = 16 };

struct esf_bench_options {
	const char *config;
	const char *capture; /* that each queue plays */
	const char *births;  /* NULL: none */
	double seconds;
	double warm_up_s;
	uint32_t duplicate_every;
	bool drain;
};

/* Counts at one moment. */
struct esf_bench_sample {
	uint64_t ticks; /* of the time stamp counter */
	struct esf_stamp_counts stamped;
	struct esf_ledger ledger; /* drain: all 0 */
};

/* What is polled with, started; `measure` is called with it. tick each epoch, ledger at any time,
 * both by the main thread with the context. */
struct esf_bench_engine {
	void *context;
	void (*tick)(void *context);
	void (*ledger)(void *context, struct esf_ledger *ledger);
	const struct esf_plane *plane;   /* drain: NULL */
	const struct esf_launch *launch; /* drain: NULL */
};

struct esf_bench;

/* 0, or -errno with the reason on stderr. */
typedef int (*esf_bench_measure_fn)(struct esf_bench *bench, const struct esf_bench_engine *engine);

struct esf_bench {
	const char *program; /* its name, for messages */
	esf_bench_measure_fn measure;
	struct esf_bench_options options;
	struct esf_config *config;
	struct esf_launch_port *ports;
	struct esf_launch_options launch;
	bool eal_started;
	struct esf_plan plan;
	struct esf_clock clock; /* the stamps' */
	struct esf_slots slots, births;
	uint32_t stamps_count;
	struct esf_stamp *stamps[ESF_BENCH_QUEUES_MAX];

	/* results */
	struct esf_bench_sample begin, end; /* of the measured time */
	struct esf_ledger total;            /* once stopped */
	uint64_t mbufs_in_use;              /* once stopped: lost, if any */
	uint64_t events_dropped;
};

/*
 * setup.c: from the configuration, which is loaded, to a plan: the EAL runs then. 0, or -errno with
 * the reason on stderr. Undone by esf_bench_clean_up, which frees the configuration too.
 */
int esf_bench_set_up(struct esf_bench *bench);
void esf_bench_clean_up(struct esf_bench *bench);

/* Of all ports; after the set-up. */
uint32_t esf_bench_queues(const struct esf_bench *bench);

/* Calls `watch` for each queue, to add an RX callback; before the ports are started. */
typedef int (*esf_bench_watch_fn)(
    struct esf_bench *bench, const struct esf_plan_port *port, uint16_t queue);
int esf_bench_watch_queues(struct esf_bench *bench, esf_bench_watch_fn watch);

/* pipeline-bench's: warms up (until each site has spoken, and warm_up_s longer), then fills
 * bench->begin and ->end. 0, or -ETIMEDOUT where the births do not get through. */
int esf_bench_measure(struct esf_bench *bench, const struct esf_bench_engine *engine);

/* plane.c, drain.c. 0, or -errno with the reason on stderr. The EAL runs, the plan is made and the
 * callbacks wait on the ports. */
int esf_bench_run_plane(struct esf_bench *bench);
int esf_bench_run_drain(struct esf_bench *bench);

/* report.c: one JSON object on stdout. 0, or -errno. */
int esf_bench_report(const struct esf_bench *bench);

#endif

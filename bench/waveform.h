/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ESF_BENCH_WAVEFORM_H
#define ESF_BENCH_WAVEFORM_H

#include <stdbool.h>
#include <stdint.h>

#include "faultmap.h"
#include "scenario.h"

/*
 * Values over time. A signal is base + the site's share of spread + the daily cosine + noise, held
 * within min and max, then bent by the faults of kind drift, step and stuck. A gauge sends that; a
 * counter adds it up as a rate (never below 0) and sends the total. Values are multiples of a
 * millionth. One thread.
 */
struct esf_waveform_point {
	double sent;   /* the last value */
	double total;  /* of a counter */
	double told;   /* what of it was sent by the sample before; 0 once started anew */
	int64_t at_ns; /* of the last sample, since the start; -1 before the first */
};

struct esf_waveform {
	const struct esf_scenario *scenario;
	const struct esf_faultmap *faults;
	uint64_t seed;
	int64_t start_ns;                  /* Unix */
	struct esf_waveform_point *points; /* site x KPI */
};

struct esf_waveform_sample {
	bool present; /* false: dropped out */
	uint8_t quality;
	double value;    /* of a counter, the total */
	double increase; /* of a counter, since the sample before that was not dropped out */
};

/* 0 or -ENOMEM. */
int esf_waveform_create(struct esf_waveform *waveform, const struct esf_faultmap *faults,
    uint64_t seed, int64_t start_ns);
void esf_waveform_destroy(struct esf_waveform *waveform);

/* Sample number tick of a site's KPI, at_ns since the start; ticks and times rise from call to
 * call. */
void esf_waveform_sample(struct esf_waveform *waveform, uint32_t site, uint32_t kpi, uint64_t tick,
    int64_t at_ns, struct esf_waveform_sample *out);

/* The sender was started anew: its counters begin at 0. */
void esf_waveform_restart(struct esf_waveform *waveform, uint32_t site);

#endif

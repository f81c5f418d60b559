/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ESF_BENCH_SCENARIO_H
#define ESF_BENCH_SCENARIO_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/*
 * What a simulated fleet is: its sites, the signals they send, and what goes wrong when. Read from
 * a YAML file (reference: README.md), or the default fleet. Read-only once made, so any thread.
 *
 * Durations and times in ns; a fault's from and to count from the start of the run.
 */
enum {
	ESF_SCENARIO_SITES_MAX = 1000000,
	ESF_SCENARIO_SITES_DEFAULT = 10,
	ESF_SCENARIO_KPIS_MAX = 64,
	ESF_SCENARIO_REGIONS_MAX = 1024,
	ESF_SCENARIO_FAULTS_MAX = 256,
	ESF_SCENARIO_GLOBS_MAX = 16,
	ESF_SCENARIO_NAME_MAX = 63, /* bytes, without the terminator; the next three too */
	ESF_SCENARIO_UNIT_MAX = 15,
	ESF_SCENARIO_TEXT_MAX = 255,
	ESF_SCENARIO_ADDRESS_MAX = 45,
	ESF_SCENARIO_RATE_FACTOR_MAX = 10000,
	ESF_SCENARIO_DEPTH_MAX = 64,
	ESF_SCENARIO_FILE_SIZE_MAX = 16 << 20, /* bytes */
};

enum esf_fault_kind {
	ESF_FAULT_DRIFT,
	ESF_FAULT_STEP,
	ESF_FAULT_STUCK,
	ESF_FAULT_DROPOUT,
	ESF_FAULT_QUALITY,
	ESF_FAULT_SKEW,
	ESF_FAULT_STORM,
	ESF_FAULT_DUPLICATE,
	ESF_FAULT_REORDER,
	ESF_FAULT_LOSS,
	ESF_FAULT_RESTART,
	ESF_FAULT_LEAVE,
	ESF_FAULT_ALARM,
};

/* Names of the kinds as scenarios and labels write them, NULL-terminated. */
extern const char *const esf_fault_kind_names[];
extern const char *const esf_fault_quality_names[]; /* by enum esf_etd_quality */

struct esf_scenario_kpi {
	char name[ESF_SCENARIO_NAME_MAX + 1];
	char unit[ESF_SCENARIO_UNIT_MAX + 1]; /* may be empty */
	int type;                             /* enum esf_etd_type */
	double base;                          /* gauge: value; counter: increase a second */
	double spread;                        /* standard deviation of base among sites */
	double noise;                         /* standard deviation from sample to sample */
	double min, max;                      /* of the healthy signal; faults may leave them */
	double daily_amplitude;
	double daily_peak_hour; /* UTC, 0..24 */
};

struct esf_scenario_site {
	uint32_t id;
	uint32_t region;     /* index into regions, or ESF_SCENARIO_NO_REGION */
	int64_t interval_ns; /* between its data datagrams */
	char name[ESF_SCENARIO_NAME_MAX + 1];
};

#define ESF_SCENARIO_NO_REGION UINT32_MAX

/* Members that the kind does not use are 0. */
struct esf_scenario_fault {
	int kind; /* enum esf_fault_kind */
	int kpi;  /* index, -1: all of the site's */
	int64_t from_ns;
	int64_t to_ns; /* INT64_MAX: never ends */
	uint32_t globs_count;
	char globs[ESF_SCENARIO_GLOBS_MAX][ESF_SCENARIO_NAME_MAX + 1];
	double slope_per_s;
	double by;
	double to_value;
	bool sets_value; /* step: to_value, not by */
	uint64_t rate_factor;
	double probability;
	int64_t delay_ns;
	char path[ESF_SCENARIO_ADDRESS_MAX + 1]; /* duplicate: source address, may be empty */
	uint64_t depth;
	int64_t shift_ns;
	int quality; /* enum esf_etd_quality */
	uint64_t severity;
	char text[ESF_SCENARIO_TEXT_MAX + 1];
};

struct esf_scenario {
	uint64_t seed;
	int64_t start_ns; /* Unix */
	int64_t interval_ns;
	char measurement[ESF_SCENARIO_NAME_MAX + 1]; /* Influx */
	uint32_t sites_count;
	uint32_t kpis_count;
	uint32_t faults_count;
	uint32_t regions_count;
	struct esf_scenario_site *sites;
	struct esf_scenario_fault *faults;
	char (*regions)[ESF_SCENARIO_NAME_MAX + 1];
	struct esf_scenario_kpi kpis[ESF_SCENARIO_KPIS_MAX];
};

/*
 * The scenario in the file, or the default fleet for path NULL. sites_count replaces the number of
 * generated sites, 0 leaves it. NULL with every fault printed to errors, one a line.
 */
struct esf_scenario *esf_scenario_load(const char *path, uint32_t sites_count, FILE *errors);

/* The same from memory; name stands for the file in messages. */
struct esf_scenario *esf_scenario_parse(
    const char *text, size_t size, const char *name, uint32_t sites_count, FILE *errors);

void esf_scenario_destroy(struct esf_scenario *scenario);

/* Whether one of the fault's globs takes the site. */
bool esf_scenario_fault_hits(
    const struct esf_scenario_fault *fault, const struct esf_scenario_site *site);

/* Whether the fault acts at a time since the start. */
static inline bool esf_scenario_fault_active(const struct esf_scenario_fault *fault, int64_t at_ns)
{
	return at_ns >= fault->from_ns && at_ns < fault->to_ns;
}

#endif

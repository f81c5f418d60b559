/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ESF_ADMIT_H
#define ESF_ADMIT_H

#include <stdbool.h>
#include <stdint.h>

#include "limits.h"
#include "verdict.h"

/*
 * Ingestion modes: which good gauge samples are taken as they come, which are left out for others
 * that weigh more (downsample), and which are counted at the last reported value (deviation).
 *
 * A sample always passes, with weight 1, where it is a transition: the first of its KPI, the first
 * good one after a refused one, or one whose zone is not the zone of the good one before it.
 * Counters, increments, events and births are never asked about.
 *
 * Everything here is a pure function of its arguments; the shard that owns the site holds the
 * reports.
 */
enum esf_mode { ESF_MODE_FULL, ESF_MODE_DOWNSAMPLE, ESF_MODE_DEVIATION };

/* Where a KPI's score changes its slope, in the KPI's unit; infinite where a side is open. */
struct esf_edges {
	double good[2]; /* low, high */
	double warn[2];
	double crit[2];
};

/* Part of the policy. */
struct esf_intake {
	enum esf_mode mode;   /* what is configured; of downsample's sites some are in full */
	uint32_t keep_one_in; /* 1.. */
	double band;          /* above 0, at most 1: part of the span, else of the value */
	int64_t max_silence_ns;
	struct esf_edges edges[ESF_KPIS_MAX]; /* by measured KPI */
};

enum { ESF_ZONE_NONE = 0 }; /* zones are 1..7 */

/* What was last reported of one KPI of one site. All zero: nothing yet. */
struct esf_report {
	double value; /* the band's centre */
	int64_t time; /* its Unix ns */
	uint8_t zone; /* of the last good sample; NONE: the next good one passes */
};

/* A good, finite sample in its rule's range. */
struct esf_sample {
	double value; /* in the KPI's unit */
	double span;  /* its rule's max - min, infinite where open */
	int64_t time; /* Unix ns */
	uint32_t site;
	uint16_t measure;
	bool first; /* of its KPI in its window */
};

/*
 * The zone of a value: 4 within good, 3 5 up to the warn edge, 2 6 short of the crit edge, 1 7 from
 * there on.
 */
uint8_t esf_admit_zone(const struct esf_edges *edges, double value);

/*
 * Weight of the sample: keep_one_in, 1 where it passes whatever the hash says, 0 where it is left
 * out. A sample is left out or not by a hash of site, KPI, time and value (docs/CONTRACT.md,
 * section 7), so that sums of weights and of weighted values are unbiased and a replay takes the
 * same samples.
 */
uint32_t esf_admit_downsample(
    const struct esf_intake *intake, struct esf_report *report, const struct esf_sample *sample);

/*
 * WITHIN_BAND where the sample counts as report->value, from which it differs by no more than the
 * band; else ACCEPTED, and it is the new centre.
 */
enum esf_record_verdict esf_admit_deviation(
    const struct esf_intake *intake, struct esf_report *report, const struct esf_sample *sample);

/* Follows a sample that is taken as it comes. */
void esf_admit_full(
    const struct esf_intake *intake, struct esf_report *report, const struct esf_sample *sample);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#include "admit.h"

#include <math.h>
#include <string.h>

/* A crit edge belongs to what is beyond it: there a vital KPI begins to cap health. */
uint8_t esf_admit_zone(const struct esf_edges *edges, double value)
{
	int low = (value < edges->good[0]) + (value < edges->warn[0]) + (value <= edges->crit[0]);
	int high = (value > edges->good[1]) + (value > edges->warn[1]) + (value >= edges->crit[1]);

	return (uint8_t)(4 + high - low);
}

/* Whether the zone changed; what is known of the measure follows. */
static bool enter_zone(
    const struct esf_intake *intake, struct esf_report *report, const struct esf_sample *sample)
{
	uint8_t zone = esf_admit_zone(&intake->edges[sample->measure], sample->value);
	bool changed = zone != report->zone;

	report->zone = zone;
	return changed;
}

/* The finalizer of SplitMix64 (Steele, Lea, Flood 2014): each bit in changes half of those out. */
static uint64_t mix(uint64_t x)
{
	x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
	return x ^ x >> 31;
}

static uint32_t hash(const struct esf_sample *sample)
{
	uint64_t place = (uint64_t)sample->site * ESF_KPIS_MAX + sample->measure + 1, value;

	memcpy(&value, &sample->value, sizeof(value));
	return (uint32_t)(mix(mix(place * UINT64_C(0x9e3779b97f4a7c15) + value) ^
	                      (uint64_t)sample->time) >>
	                  32);
}

uint32_t esf_admit_downsample(
    const struct esf_intake *intake, struct esf_report *report, const struct esf_sample *sample)
{
	if (enter_zone(intake, report, sample) || sample->first)
		return 1;
	return (uint64_t)hash(sample) * intake->keep_one_in >> 32 == 0 ? intake->keep_one_in : 0;
}

static double band_of(
    const struct esf_intake *intake, double centre, const struct esf_sample *sample)
{
	double value = fabs(sample->value), last = fabs(centre);

	if (isfinite(sample->span))
		return intake->band * sample->span;
	return intake->band * (value < last ? value : last);
}

enum esf_record_verdict esf_admit_deviation(
    const struct esf_intake *intake, struct esf_report *report, const struct esf_sample *sample)
{
	bool transition = enter_zone(intake, report, sample);

	if (!transition && sample->time - report->time < intake->max_silence_ns &&
	    fabs(sample->value - report->value) <= band_of(intake, report->value, sample))
		return ESF_RECORD_WITHIN_BAND;
	report->value = sample->value;
	report->time = sample->time;
	return ESF_RECORD_ACCEPTED;
}

void esf_admit_full(
    const struct esf_intake *intake, struct esf_report *report, const struct esf_sample *sample)
{
	enter_zone(intake, report, sample);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "waveform.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "dataplane/etd_wire.h"
#include "random.h"

static const double two_pi = 6.283185307179586;
static const double hours_per_day = 24;
static const double ns_per_hour = 3600e9;
static const double ns_per_s = 1e9;

int esf_waveform_create(struct esf_waveform *waveform, const struct esf_faultmap *faults,
    uint64_t seed, int64_t start_ns)
{
	const struct esf_scenario *scenario = faults->scenario;
	size_t count = (size_t)scenario->sites_count * scenario->kpis_count;

	*waveform = (struct esf_waveform){
		.scenario = scenario,
		.faults = faults,
		.seed = seed,
		.start_ns = start_ns,
		.points = calloc(count, sizeof(*waveform->points)),
	};
	if (!waveform->points)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++)
		waveform->points[i].at_ns = -1;
	return 0;
}

void esf_waveform_destroy(struct esf_waveform *waveform)
{
	free(waveform->points);
}

static struct esf_waveform_point *point_of(
    struct esf_waveform *waveform, uint32_t site, uint32_t kpi)
{
	return &waveform->points[(size_t)site * waveform->scenario->kpis_count + kpi];
}

static double daily(const struct esf_scenario_kpi *kpi, int64_t unix_ns)
{
	double hour;

	if (kpi->daily_amplitude == 0)
		return 0;
	hour = fmod((double)unix_ns / ns_per_hour, hours_per_day);
	return kpi->daily_amplitude * cos(two_pi * (hour - kpi->daily_peak_hour) / hours_per_day);
}

static double healthy(const struct esf_waveform *waveform, uint32_t site, uint32_t index,
    uint64_t tick, int64_t at_ns)
{
	const struct esf_scenario_kpi *kpi = &waveform->scenario->kpis[index];
	struct esf_random_at at = {
		.seed = waveform->seed,
		.purpose = ESF_RANDOM_SPREAD,
		.site = waveform->scenario->sites[site].id,
		.item = index,
	};
	double value = kpi->base + daily(kpi, waveform->start_ns + at_ns);

	if (kpi->spread > 0)
		value += kpi->spread * esf_random_gauss(&at);
	at.purpose = ESF_RANDOM_NOISE;
	at.tick = tick;
	if (kpi->noise > 0)
		value += kpi->noise * esf_random_gauss(&at);
	return fmin(fmax(value, kpi->min), kpi->max);
}

/* The value with drifts and steps, in the order the scenario has them. */
static double bent(
    const struct esf_waveform *waveform, uint32_t site, uint32_t kpi, int64_t at_ns, double value)
{
	const struct esf_faultmap *faults = waveform->faults;

	for (uint32_t i = esf_faultmap_begin(faults, site); i < esf_faultmap_end(faults, site);
	     i++) {
		const struct esf_scenario_fault *fault = esf_faultmap_at(faults, i);

		if (fault->kpi != (int)kpi || !esf_scenario_fault_active(fault, at_ns))
			continue;
		if (fault->kind == ESF_FAULT_DRIFT)
			value += fault->slope_per_s * (double)(at_ns - fault->from_ns) / ns_per_s;
		else if (fault->kind == ESF_FAULT_STEP)
			value = fault->sets_value ? fault->to_value : value + fault->by;
	}
	return value;
}

static double rounded(double value)
{
	return round(value * 1e6) / 1e6;
}

void esf_waveform_sample(struct esf_waveform *waveform, uint32_t site, uint32_t kpi, uint64_t tick,
    int64_t at_ns, struct esf_waveform_sample *out)
{
	const struct esf_faultmap *faults = waveform->faults;
	struct esf_waveform_point *point = point_of(waveform, site, kpi);
	const struct esf_scenario_fault *quality =
	    esf_faultmap_active(faults, site, ESF_FAULT_QUALITY, (int)kpi, at_ns);
	double value = bent(waveform, site, kpi, at_ns, healthy(waveform, site, kpi, tick, at_ns));

	out->quality = quality ? (uint8_t)quality->quality : ESF_ETD_GOOD;
	out->present = !esf_faultmap_active(faults, site, ESF_FAULT_DROPOUT, (int)kpi, at_ns);
	if (waveform->scenario->kpis[kpi].type == ESF_ETD_COUNTER) {
		if (point->at_ns >= 0)
			point->total += fmax(value, 0) * (double)(at_ns - point->at_ns) / ns_per_s;
		value = point->total;
	}
	if (point->at_ns < 0 ||
	    !esf_faultmap_active(faults, site, ESF_FAULT_STUCK, (int)kpi, at_ns))
		point->sent = rounded(value);
	point->at_ns = at_ns;
	out->value = point->sent;
	out->increase = rounded(point->sent - point->told);
	if (out->present)
		point->told = point->sent;
}

void esf_waveform_restart(struct esf_waveform *waveform, uint32_t site)
{
	for (uint32_t kpi = 0; kpi < waveform->scenario->kpis_count; kpi++)
		point_of(waveform, site, kpi)->total = point_of(waveform, site, kpi)->told = 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "traffic_parts.h"

#include <string.h>

#include "dataplane/etd_wire.h"

static const int64_t ns_per_s = 1000000000;
static const int64_t ns_per_us = 1000;
static const int64_t birth_every_ns = 60 * INT64_C(1000000000);

static int64_t max_of(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

int64_t esf_speaker_clock(const struct esf_traffic *traffic, uint32_t site, int64_t at_ns)
{
	const struct esf_scenario_fault *skew =
	    esf_faultmap_active(&traffic->faults, site, ESF_FAULT_SKEW, -1, at_ns);

	return traffic->options.start_ns + at_ns + (skew ? skew->shift_ns : 0);
}

static void reboot(struct esf_traffic *traffic, uint32_t index, int64_t at_ns)
{
	struct esf_traffic_site *site = &traffic->sites[index];

	site->boot = (uint32_t)max_of(
	    site->boot + INT64_C(1), (traffic->options.start_ns + at_ns) / ns_per_s);
	site->boot_ns = at_ns;
	site->birth_ns = -1;
	site->birth_next = 0;
	site->seq = 0;
	site->left = false;
	esf_waveform_restart(&traffic->waveform, index);
}

void esf_speaker_reboot_if_due(struct esf_traffic *traffic, uint32_t index, int64_t at_ns)
{
	const struct esf_faultmap *faults = &traffic->faults;
	int64_t last_ns = -1;

	for (uint32_t i = esf_faultmap_begin(faults, index); i < esf_faultmap_end(faults, index);
	     i++) {
		const struct esf_scenario_fault *fault = esf_faultmap_at(faults, i);
		int64_t when_ns = -1;

		if (fault->kind == ESF_FAULT_RESTART)
			when_ns = fault->from_ns;
		else if (fault->kind == ESF_FAULT_LEAVE)
			when_ns = fault->to_ns;
		if (when_ns <= at_ns)
			last_ns = max_of(last_ns, when_ns);
	}
	if (last_ns > traffic->sites[index].boot_ns)
		reboot(traffic, index, at_ns);
}

static void begin(struct esf_traffic *traffic, uint32_t index, uint8_t kind, int64_t at_ns,
    struct esf_encode *out)
{
	struct esf_traffic_site *site = &traffic->sites[index];
	struct esf_encode_header header = {
		.kind = kind,
		.site = traffic->scenario->sites[index].id,
		.boot = site->boot,
		.seq = ++site->seq,
		.time_ns = esf_speaker_clock(traffic, index, at_ns),
	};

	*out = (struct esf_encode){
		.data = traffic->payload,
		.capacity =
		    ESF_TRAFFIC_PAYLOAD_MAX - (traffic->options.sealing ? ESF_ETD_TAG_SIZE : 0),
	};
	esf_encode_etd(out, &header);
}

static void finish(const struct esf_encode *encoded, uint32_t kind, uint32_t records,
    struct esf_traffic_datagram *out)
{
	out->data = encoded->data;
	out->size = encoded->size;
	out->kind = kind;
	out->records = records;
}

static void say_birth(
    struct esf_traffic *traffic, uint32_t index, int64_t at_ns, struct esf_traffic_datagram *out)
{
	const struct esf_scenario *scenario = traffic->scenario;
	struct esf_traffic_site *site = &traffic->sites[index];
	struct esf_encode encoded;

	begin(traffic, index, ESF_ETD_BIRTH, at_ns, &encoded);
	for (; site->birth_next < scenario->kpis_count; site->birth_next++) {
		const struct esf_scenario_kpi *kpi = &scenario->kpis[site->birth_next];

		if (!esf_encode_etd_birth(
		        &encoded, site->birth_next, (uint8_t)kpi->type, kpi->name, kpi->unit))
			break;
	}
	if (site->birth_next == scenario->kpis_count) {
		site->birth_next = 0;
		site->birth_ns = at_ns;
	}
	finish(&encoded, ESF_ETD_BIRTH, 0, out);
}

struct alarm {
	const struct esf_scenario_fault *fault; /* NULL: none */
	int64_t when_ns;
	uint32_t index; /* orders what happens at the same time */
};

static void alarm_consider(
    const struct esf_traffic_site *site, int64_t at_ns, struct alarm candidate, struct alarm *best)
{
	bool told = candidate.when_ns < site->event_ns ||
	            (candidate.when_ns == site->event_ns && candidate.index < site->event_index);

	if (!told && candidate.when_ns <= at_ns &&
	    (!best->fault || candidate.when_ns < best->when_ns))
		*best = candidate;
}

/* The first alarm raised or cleared that the site has not told yet. */
static struct alarm alarm_next(const struct esf_traffic *traffic, uint32_t index, int64_t at_ns)
{
	const struct esf_faultmap *faults = &traffic->faults;
	struct alarm best = { .fault = NULL };

	for (uint32_t i = esf_faultmap_begin(faults, index); i < esf_faultmap_end(faults, index);
	     i++) {
		const struct esf_scenario_fault *fault = esf_faultmap_at(faults, i);
		uint32_t order = 2 * (i - esf_faultmap_begin(faults, index));

		if (fault->kind != ESF_FAULT_ALARM)
			continue;
		alarm_consider(&traffic->sites[index], at_ns,
		    (struct alarm){ .fault = fault, .when_ns = fault->from_ns, .index = order },
		    &best);
		alarm_consider(&traffic->sites[index], at_ns,
		    (struct alarm){ .fault = fault, .when_ns = fault->to_ns, .index = order + 1 },
		    &best);
	}
	return best;
}

static void say_alarm(struct esf_traffic *traffic, uint32_t index, const struct alarm *alarm,
    int64_t at_ns, struct esf_traffic_datagram *out)
{
	bool raise = !(alarm->index & 1);
	int64_t offset_us = max_of((alarm->when_ns - at_ns) / ns_per_us, INT32_MIN);
	struct esf_encode encoded;

	traffic->sites[index].event_ns = alarm->when_ns;
	traffic->sites[index].event_index = alarm->index + 1;
	begin(traffic, index, ESF_ETD_EVENT, at_ns, &encoded);
	esf_encode_etd_event(&encoded, (int32_t)offset_us, (uint8_t)alarm->fault->severity,
	    raise ? ESF_ETD_RAISE : ESF_ETD_CLEAR, alarm->fault->text);
	finish(&encoded, ESF_ETD_EVENT, 1, out);
}

/* ns from one regular turn of the site to the next. */
static int64_t site_period(const struct esf_traffic *traffic, uint32_t index)
{
	if (traffic->options.rate)
		return ns_per_s * traffic->scenario->sites_count / (int64_t)traffic->options.rate;
	return traffic->scenario->sites[index].interval_ns;
}

/*
 * Record i of a datagram. With more records than KPIs a datagram brings several samples, spread
 * over the time since the one before.
 */
static bool say_record(struct esf_traffic *traffic, uint32_t index, uint32_t i, int64_t at_ns,
    struct esf_encode *encoded)
{
	uint32_t kpis = traffic->scenario->kpis_count;
	uint32_t rounds = (traffic->options.records + kpis - 1) / kpis;
	int64_t back_ns = site_period(traffic, index) / traffic->sites[index].factor *
	                  (rounds - 1 - i / kpis) / rounds;
	uint64_t sampled = traffic->sites[index].sampled++;
	int64_t offset_us = -(back_ns < at_ns ? back_ns : at_ns) / ns_per_us;
	struct esf_waveform_sample sample;

	offset_us = max_of(offset_us, INT32_MIN);
	esf_waveform_sample(&traffic->waveform, index, (uint32_t)(sampled % kpis), sampled / kpis,
	    at_ns + offset_us * ns_per_us, &sample);
	return sample.present && esf_encode_etd_data(encoded, (uint16_t)(sampled % kpis),
	                             sample.quality, (int32_t)offset_us, sample.value);
}

static enum esf_traffic_said say_values(
    struct esf_traffic *traffic, uint32_t index, int64_t at_ns, struct esf_traffic_datagram *out)
{
	struct esf_encode encoded;
	uint32_t records = 0;

	begin(traffic, index, ESF_ETD_DATA, at_ns, &encoded);
	for (uint32_t i = 0; i < traffic->options.records; i++)
		records += say_record(traffic, index, i, at_ns, &encoded);
	finish(&encoded, ESF_ETD_DATA, records, out);
	if (records)
		return ESF_TRAFFIC_VALUES;
	traffic->sites[index].seq--; /* not made after all */
	return ESF_TRAFFIC_NOTHING;
}

bool esf_speaker_is_silent(const struct esf_traffic *traffic, uint32_t index, int64_t at_ns)
{
	return esf_faultmap_active(&traffic->faults, index, ESF_FAULT_DROPOUT, -1, at_ns) != NULL;
}

bool esf_speaker_has_left(const struct esf_traffic *traffic, uint32_t index, int64_t at_ns)
{
	return esf_faultmap_active(&traffic->faults, index, ESF_FAULT_LEAVE, -1, at_ns) != NULL;
}

enum esf_traffic_said esf_speaker_etd(
    struct esf_traffic *traffic, uint32_t index, int64_t at_ns, struct esf_traffic_datagram *out)
{
	struct esf_traffic_site *site = &traffic->sites[index];
	struct esf_encode encoded;
	struct alarm alarm;

	esf_speaker_reboot_if_due(traffic, index, at_ns);
	if (esf_speaker_is_silent(traffic, index, at_ns) || site->left)
		return ESF_TRAFFIC_NOTHING;
	if (esf_speaker_has_left(traffic, index, at_ns)) {
		site->left = true;
		begin(traffic, index, ESF_ETD_DEATH, at_ns, &encoded);
		finish(&encoded, ESF_ETD_DEATH, 0, out);
		return ESF_TRAFFIC_ASIDE;
	}
	if (site->birth_ns < 0 || site->birth_next || at_ns - site->birth_ns >= birth_every_ns) {
		say_birth(traffic, index, at_ns, out);
		return ESF_TRAFFIC_ASIDE;
	}
	alarm = alarm_next(traffic, index, at_ns);
	if (alarm.fault) {
		say_alarm(traffic, index, &alarm, at_ns, out);
		return ESF_TRAFFIC_ASIDE;
	}
	return say_values(traffic, index, at_ns, out);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "traffic_parts.h"

#include "dataplane/etd_wire.h"

/* What a site says in Influx, StatsD and syslog: no births, no deaths, no sequence numbers. */

static bool is_absent(struct esf_traffic *traffic, uint32_t index, int64_t at_ns)
{
	esf_speaker_reboot_if_due(traffic, index, at_ns);
	return esf_speaker_is_silent(traffic, index, at_ns) ||
	       esf_speaker_has_left(traffic, index, at_ns);
}

enum esf_traffic_said esf_speaker_influx(struct esf_traffic *traffic, uint32_t index, int64_t at_ns)
{
	const struct esf_scenario *scenario = traffic->scenario;
	struct esf_encode encoded = { .data = traffic->line, .capacity = ESF_TRAFFIC_PAYLOAD_MAX };
	uint64_t tick = traffic->sites[index].sampled++;

	traffic->line_records = 0;
	if (is_absent(traffic, index, at_ns))
		return ESF_TRAFFIC_NOTHING;
	esf_encode_influx(&encoded, scenario->measurement, scenario->sites[index].name);
	for (uint32_t kpi = 0; kpi < scenario->kpis_count; kpi++) {
		struct esf_waveform_sample sample;

		esf_waveform_sample(&traffic->waveform, index, kpi, tick, at_ns, &sample);
		if (sample.present && esf_encode_influx_field(&encoded, traffic->line_records == 0,
		                          scenario->kpis[kpi].name, sample.value))
			traffic->line_records++;
	}
	esf_encode_influx_end(&encoded, esf_speaker_clock(traffic, index, at_ns));
	traffic->line_size = encoded.size;
	return traffic->line_records ? ESF_TRAFFIC_VALUES : ESF_TRAFFIC_NOTHING;
}

static bool say_metric(struct esf_traffic *traffic, uint32_t index, uint32_t kpi_index,
    uint64_t tick, int64_t at_ns, struct esf_encode *encoded)
{
	const struct esf_scenario_kpi *kpi = &traffic->scenario->kpis[kpi_index];
	const char *site = traffic->options.untagged ? NULL : traffic->scenario->sites[index].name;
	struct esf_waveform_sample sample;

	esf_waveform_sample(&traffic->waveform, index, kpi_index, tick, at_ns, &sample);
	if (!sample.present)
		return false;
	return kpi->type == ESF_ETD_COUNTER
	           ? esf_encode_statsd_counter(encoded, kpi->name, sample.increase, site)
	           : esf_encode_statsd_gauge(encoded, kpi->name, sample.value, site);
}

enum esf_traffic_said esf_speaker_statsd(
    struct esf_traffic *traffic, uint32_t index, int64_t at_ns, struct esf_traffic_datagram *out)
{
	struct esf_encode encoded = { .data = traffic->payload,
		.capacity = ESF_TRAFFIC_PAYLOAD_MAX };
	uint64_t tick = traffic->sites[index].sampled++;

	if (is_absent(traffic, index, at_ns))
		return ESF_TRAFFIC_NOTHING;
	for (uint32_t kpi = 0; kpi < traffic->scenario->kpis_count; kpi++)
		out->records += say_metric(traffic, index, kpi, tick, at_ns, &encoded);
	out->data = encoded.data;
	out->size = encoded.size;
	out->kind = ESF_ETD_DATA;
	return out->records ? ESF_TRAFFIC_VALUES : ESF_TRAFFIC_NOTHING;
}

enum esf_traffic_said esf_speaker_syslog(
    struct esf_traffic *traffic, uint32_t index, int64_t at_ns, struct esf_traffic_datagram *out)
{
	enum { INFORMATIONAL = 6 };
	const struct esf_scenario_fault *alarm =
	    esf_faultmap_active(&traffic->faults, index, ESF_FAULT_ALARM, -1, at_ns);
	struct esf_encode encoded = { .data = traffic->payload,
		.capacity = ESF_TRAFFIC_PAYLOAD_MAX };
	bool absent = is_absent(traffic, index, at_ns);
	struct esf_encode_message message = {
		.severity = alarm ? (uint8_t)alarm->severity : INFORMATIONAL,
		.time_ns = esf_speaker_clock(traffic, index, at_ns),
		.host = traffic->scenario->sites[index].name,
		.app = "fleetgen",
		.process = traffic->sites[index].boot,
		.id = alarm ? "ALARM" : "STATUS",
		.text = alarm ? alarm->text : "normal operation",
	};

	if (absent || !esf_encode_syslog(&encoded, &message))
		return ESF_TRAFFIC_NOTHING;
	out->data = encoded.data;
	out->size = encoded.size;
	out->kind = ESF_ETD_EVENT;
	out->records = 1;
	return ESF_TRAFFIC_VALUES;
}

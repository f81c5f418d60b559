/* SPDX-License-Identifier: Apache-2.0 */
#include "traffic.h"

#include <stdlib.h>
#include <string.h>

#include "dataplane/etd_wire.h"
#include "traffic_parts.h"

static const int64_t ns_per_s = 1000000000;
/* A fleet that is silent for this long, in its own time and in turns, is silent for good. */
static const int64_t silence_max_ns = 3600 * INT64_C(1000000000);
enum { SILENT_TURNS_MAX = 10000000 };

const struct esf_traffic_format_info esf_traffic_formats[ESF_TRAFFIC_FORMATS_COUNT] = {
	[ESF_TRAFFIC_ETD] = { "etd", 47700 },
	[ESF_TRAFFIC_INFLUX] = { "influx", 8089 },
	[ESF_TRAFFIC_STATSD] = { "statsd", 8125 },
	[ESF_TRAFFIC_SYSLOG] = { "syslog", 5514 },
};

/* When a site's regular turn number slot is, ns since the start. */
static int64_t slot_time(const struct esf_traffic *traffic, uint32_t index, uint64_t slot)
{
	uint64_t sites = traffic->scenario->sites_count;
	uint64_t scale_ns = (uint64_t)traffic->scenario->sites[index].interval_ns, divisor = sites;

	if (traffic->options.rate) {
		scale_ns = (uint64_t)ns_per_s;
		divisor = traffic->options.rate * traffic->options.lines;
	}
	return (int64_t)(((unsigned __int128)slot * sites + index) * scale_ns / divisor);
}

static int64_t turn_time(const struct esf_traffic *traffic, uint32_t index)
{
	const struct esf_traffic_site *site = &traffic->sites[index];
	int64_t slot_ns = slot_time(traffic, index, site->slot);

	if (site->turn == 0)
		return slot_ns;
	return slot_ns +
	       (slot_time(traffic, index, site->slot + 1) - slot_ns) * site->turn / site->factor;
}

static int64_t turn_period(const struct esf_traffic *traffic, uint32_t index)
{
	const struct esf_traffic_site *site = &traffic->sites[index];

	return (slot_time(traffic, index, site->slot + 1) - slot_time(traffic, index, site->slot)) /
	       site->factor;
}

static void enter_slot(struct esf_traffic *traffic, uint32_t index)
{
	const struct esf_scenario_fault *storm = esf_faultmap_active(&traffic->faults, index,
	    ESF_FAULT_STORM, -1, slot_time(traffic, index, traffic->sites[index].slot));

	traffic->sites[index].turn = 0;
	traffic->sites[index].factor = storm ? (uint32_t)storm->rate_factor : 1;
}

static struct esf_heap_entry turn_entry(const struct esf_traffic *traffic, uint32_t index)
{
	return (struct esf_heap_entry){
		.time_ns = turn_time(traffic, index), .order = index, .item = index
	};
}

static void end_turn(struct esf_traffic *traffic, uint32_t index)
{
	struct esf_traffic_site *site = &traffic->sites[index];

	if (++site->turn == site->factor) {
		site->slot++;
		enter_slot(traffic, index);
	}
	esf_heap_replace(&traffic->turns, turn_entry(traffic, index));
}

static int parts_create(struct esf_traffic *traffic)
{
	uint32_t count = traffic->scenario->sites_count;

	traffic->sites = calloc(count, sizeof(*traffic->sites));
	if (!traffic->sites)
		return -1;
	if (esf_faultmap_create(&traffic->faults, traffic->scenario))
		goto free_sites;
	if (esf_waveform_create(&traffic->waveform, &traffic->faults, traffic->options.seed,
	        traffic->options.start_ns))
		goto free_faults;
	if (esf_heap_create(&traffic->turns, count))
		goto free_waveform;
	if (esf_delivery_create(&traffic->holding))
		goto free_turns;
	return 0;
free_turns:
	esf_heap_destroy(&traffic->turns);
free_waveform:
	esf_waveform_destroy(&traffic->waveform);
free_faults:
	esf_faultmap_destroy(&traffic->faults);
free_sites:
	free(traffic->sites);
	return -1;
}

static void sites_start(struct esf_traffic *traffic)
{
	for (uint32_t i = 0; i < traffic->scenario->sites_count; i++) {
		traffic->sites[i].boot = (uint32_t)(traffic->options.start_ns / ns_per_s);
		traffic->sites[i].birth_ns = -1;
		enter_slot(traffic, i);
		esf_heap_push(&traffic->turns, turn_entry(traffic, i));
	}
}

struct esf_traffic *esf_traffic_create(
    const struct esf_scenario *scenario, const struct esf_traffic_options *options, FILE *errors)
{
	struct esf_traffic *traffic;

	if (esf_fitness_check(scenario, options, errors))
		return NULL;
	traffic = calloc(1, sizeof(*traffic));
	if (traffic) {
		traffic->scenario = scenario;
		traffic->options = *options;
		traffic->line_max = esf_fitness_line_max(scenario);
		if (!options->records)
			traffic->options.records = scenario->kpis_count;
		if (!parts_create(traffic)) {
			sites_start(traffic);
			return traffic;
		}
	}
	fprintf(errors, "out of memory for %u sites\n", scenario->sites_count);
	free(traffic);
	return NULL;
}

void esf_traffic_destroy(struct esf_traffic *traffic)
{
	if (!traffic)
		return;
	esf_delivery_destroy(&traffic->holding);
	esf_heap_destroy(&traffic->turns);
	esf_waveform_destroy(&traffic->waveform);
	esf_faultmap_destroy(&traffic->faults);
	free(traffic->sites);
	free(traffic);
}

/* Puts the line that waits into the datagram that is being filled. */
static void batch_take_line(struct esf_traffic *traffic, uint32_t index, int64_t time_ns)
{
	struct esf_traffic_datagram *batch = &traffic->batch;

	if (traffic->batch_lines == 0)
		*batch = (struct esf_traffic_datagram){
			.data = traffic->payload,
			.site = index,
			.kind = ESF_ETD_DATA,
		};
	memcpy(traffic->payload + batch->size, traffic->line, traffic->line_size);
	batch->size += traffic->line_size;
	batch->records += traffic->line_records;
	batch->time_ns = time_ns;
	traffic->batch_lines++;
}

static void batch_give(struct esf_traffic *traffic, struct esf_traffic_datagram *out)
{
	*out = traffic->batch;
	traffic->batch_lines = 0;
}

/*
 * One turn of an Influx site. True: a datagram is full. A line that no longer fits sends what was
 * there and is said at a turn of its own, right after.
 */
static bool influx_turn(
    struct esf_traffic *traffic, uint32_t index, int64_t at_ns, struct esf_traffic_datagram *out)
{
	int64_t time_ns = traffic->options.start_ns + at_ns;

	if (traffic->batch_lines &&
	    traffic->batch.size + traffic->line_max > ESF_TRAFFIC_PAYLOAD_MAX) {
		batch_give(traffic, out);
		return true;
	}
	if (esf_speaker_influx(traffic, index, at_ns) == ESF_TRAFFIC_VALUES)
		batch_take_line(traffic, index, time_ns);
	end_turn(traffic, index);
	if (traffic->batch_lines < traffic->options.lines)
		return false;
	batch_give(traffic, out);
	return true;
}

/* One turn of a site whose datagrams are its own. True: it has made one. */
static bool single_turn(
    struct esf_traffic *traffic, uint32_t index, int64_t at_ns, struct esf_traffic_datagram *out)
{
	enum esf_traffic_said said;

	*out = (struct esf_traffic_datagram){ .site = index,
		.time_ns = traffic->options.start_ns + at_ns };
	if (traffic->options.format == ESF_TRAFFIC_STATSD)
		said = esf_speaker_statsd(traffic, index, at_ns, out);
	else if (traffic->options.format == ESF_TRAFFIC_SYSLOG)
		said = esf_speaker_syslog(traffic, index, at_ns, out);
	else
		said = esf_speaker_etd(traffic, index, at_ns, out);
	if (said != ESF_TRAFFIC_ASIDE || traffic->options.rate)
		end_turn(traffic, index);
	if (said != ESF_TRAFFIC_NOTHING && traffic->options.sealing &&
	    !esf_sealing_seal(traffic->options.sealing, index, traffic->payload, &out->size))
		traffic->error = "OpenSSL failed to seal a datagram";
	return said != ESF_TRAFFIC_NOTHING;
}

/* Takes the next turn. True: *out goes out now. */
static bool take_turn(struct esf_traffic *traffic, struct esf_traffic_datagram *out)
{
	uint32_t index = esf_heap_top(&traffic->turns)->item;
	int64_t at_ns = esf_heap_top(&traffic->turns)->time_ns;
	int64_t period_ns = turn_period(traffic, index);
	bool made;

	traffic->elapsed_ns = at_ns;
	if (traffic->options.format == ESF_TRAFFIC_INFLUX)
		made = influx_turn(traffic, index, at_ns, out);
	else
		made = single_turn(traffic, index, at_ns, out);
	return made && esf_delivery_admit(traffic, out, period_ns);
}

static bool turns_are_over(const struct esf_traffic *traffic)
{
	const struct esf_heap_entry *top = esf_heap_top(&traffic->turns);

	return !top ||
	       (traffic->options.duration_ns && top->time_ns >= traffic->options.duration_ns);
}

static bool held_is_next(const struct esf_traffic *traffic)
{
	const struct esf_heap_entry *held = esf_heap_top(&traffic->holding.heap);

	return held && (turns_are_over(traffic) || held->time_ns - traffic->options.start_ns <=
	                                               esf_heap_top(&traffic->turns)->time_ns);
}

/* The next datagram, not yet counted. */
static bool find_next(struct esf_traffic *traffic, struct esf_traffic_datagram *out)
{
	int64_t since_ns = traffic->elapsed_ns;

	for (uint64_t turns = 0; !traffic->error; turns++) {
		if (held_is_next(traffic)) {
			esf_delivery_release(traffic, out);
			return true;
		}
		if (turns_are_over(traffic))
			break;
		if (turns > SILENT_TURNS_MAX && traffic->elapsed_ns - since_ns > silence_max_ns)
			return false;
		if (take_turn(traffic, out))
			return true;
	}
	if (traffic->error || traffic->batch_lines == 0)
		return false;
	batch_give(traffic, out);
	return esf_delivery_admit(traffic, out, 0);
}

bool esf_traffic_next(struct esf_traffic *traffic, struct esf_traffic_datagram *out)
{
	bool enough = traffic->options.count && traffic->totals.datagrams == traffic->options.count;

	if (enough || !find_next(traffic, out))
		return false;
	esf_delivery_count(traffic, out);
	return true;
}

void esf_traffic_finish(struct esf_traffic *traffic)
{
	esf_delivery_abandon(traffic);
	if (traffic->turns.count && turns_are_over(traffic))
		traffic->elapsed_ns = traffic->options.duration_ns;
	traffic->turns.count = 0;
	traffic->batch_lines = 0;
}

const char *esf_traffic_error(const struct esf_traffic *traffic)
{
	return traffic->error;
}

const struct esf_traffic_counts *esf_traffic_totals(const struct esf_traffic *traffic)
{
	return &traffic->totals;
}

const struct esf_traffic_counts *esf_traffic_site_counts(
    const struct esf_traffic *traffic, uint32_t site)
{
	return &traffic->sites[site].counts;
}

int64_t esf_traffic_elapsed(const struct esf_traffic *traffic)
{
	return traffic->elapsed_ns;
}

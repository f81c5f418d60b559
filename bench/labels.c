/* SPDX-License-Identifier: Apache-2.0 */
#include "labels.h"

#include <errno.h>
#include <string.h>

#include <jansson.h>

#include "dataplane/etd_wire.h"

/* What the labels are about. */
struct run {
	const struct esf_scenario *scenario;
	const struct esf_traffic_options *options;
	const struct esf_traffic *traffic;
	int64_t length_ns;
};

static void set_count(json_t *object, const char *key, uint64_t count)
{
	json_object_set_new(object, key, json_integer((json_int_t)count));
}

static json_t *counts_json(const struct esf_traffic_counts *counts)
{
	json_t *object = json_object();

	set_count(object, "datagrams", counts->datagrams);
	set_count(object, "bytes", counts->bytes);
	set_count(object, "records", counts->records);
	set_count(object, "births", counts->births);
	set_count(object, "events", counts->events);
	set_count(object, "deaths", counts->deaths);
	set_count(object, "duplicates", counts->duplicates);
	set_count(object, "duplicate_records", counts->duplicate_records);
	set_count(object, "lost", counts->lost);
	set_count(object, "lost_records", counts->lost_records);
	set_count(object, "reordered", counts->reordered);
	return object;
}

static json_t *region_json(
    const struct esf_scenario *scenario, const struct esf_scenario_site *site)
{
	return site->region == ESF_SCENARIO_NO_REGION
	           ? json_null()
	           : json_string(scenario->regions[site->region]);
}

static json_t *sites_json(const struct run *run)
{
	json_t *list = json_array();

	for (uint32_t i = 0; i < run->scenario->sites_count; i++) {
		const struct esf_scenario_site *site = &run->scenario->sites[i];
		json_t *object = counts_json(esf_traffic_site_counts(run->traffic, i));

		set_count(object, "id", site->id);
		json_object_set_new(object, "name", json_string(site->name));
		json_object_set_new(object, "region", region_json(run->scenario, site));
		json_array_append_new(list, object);
	}
	return list;
}

static double seconds_of(int64_t duration_ns)
{
	return (double)duration_ns / 1e9;
}

static json_t *parameters_json(const struct esf_scenario_fault *fault)
{
	switch ((enum esf_fault_kind)fault->kind) {
	case ESF_FAULT_DRIFT:
		return json_pack("{sf}", "slope_per_s", fault->slope_per_s);
	case ESF_FAULT_STEP:
		return fault->sets_value ? json_pack("{sf}", "to_value", fault->to_value)
		                         : json_pack("{sf}", "by", fault->by);
	case ESF_FAULT_QUALITY:
		return json_pack("{ss}", "quality", esf_fault_quality_names[fault->quality]);
	case ESF_FAULT_SKEW:
		return json_pack("{sf}", "shift_s", seconds_of(fault->shift_ns));
	case ESF_FAULT_STORM:
		return json_pack("{sI}", "rate_factor", (json_int_t)fault->rate_factor);
	case ESF_FAULT_DUPLICATE:
		return json_pack("{sfsfss*}", "probability", fault->probability, "delay_s",
		    seconds_of(fault->delay_ns), "path", *fault->path ? fault->path : NULL);
	case ESF_FAULT_REORDER:
		return json_pack(
		    "{sfsI}", "probability", fault->probability, "depth", (json_int_t)fault->depth);
	case ESF_FAULT_LOSS:
		return json_pack("{sf}", "probability", fault->probability);
	case ESF_FAULT_ALARM:
		return json_pack(
		    "{sssI}", "text", fault->text, "severity", (json_int_t)fault->severity);
	case ESF_FAULT_STUCK:
	case ESF_FAULT_DROPOUT:
	case ESF_FAULT_RESTART:
	case ESF_FAULT_LEAVE:
		break;
	}
	return json_object();
}

/* One entry of a fault at a site; its end is cut to the run's. */
static json_t *fault_json(const struct run *run, const struct esf_scenario_fault *fault,
    const struct esf_scenario_site *site)
{
	int64_t to_ns = fault->to_ns < run->length_ns ? fault->to_ns : run->length_ns;
	json_t *object = json_object();

	json_object_set_new(object, "site", json_string(site->name));
	set_count(object, "id", site->id);
	json_object_set_new(object, "region", region_json(run->scenario, site));
	json_object_set_new(object, "kpi",
	    fault->kpi < 0 ? json_null() : json_string(run->scenario->kpis[fault->kpi].name));
	json_object_set_new(object, "kind", json_string(esf_fault_kind_names[fault->kind]));
	set_count(object, "from", (uint64_t)(run->options->start_ns + fault->from_ns));
	set_count(object, "to", (uint64_t)(run->options->start_ns + to_ns));
	json_object_set_new(object, "parameters", parameters_json(fault));
	return object;
}

static json_t *faults_json(const struct run *run)
{
	const struct esf_scenario *scenario = run->scenario;
	json_t *list = json_array();

	for (uint32_t f = 0; f < scenario->faults_count; f++) {
		for (uint32_t s = 0; s < scenario->sites_count; s++) {
			if (scenario->faults[f].from_ns < run->length_ns &&
			    esf_scenario_fault_hits(&scenario->faults[f], &scenario->sites[s]))
				json_array_append_new(list,
				    fault_json(run, &scenario->faults[f], &scenario->sites[s]));
		}
	}
	return list;
}

static json_t *kpis_json(const struct esf_scenario *scenario)
{
	json_t *list = json_array();

	for (uint32_t i = 0; i < scenario->kpis_count; i++)
		json_array_append_new(
		    list, json_pack("{ssssss}", "name", scenario->kpis[i].name, "unit",
		              scenario->kpis[i].unit, "type",
		              scenario->kpis[i].type == ESF_ETD_COUNTER ? "counter" : "gauge"));
	return list;
}

static json_t *run_json(const struct run *run)
{
	json_t *object = json_object();

	json_object_set_new(
	    object, "format", json_string(esf_traffic_formats[run->options->format].name));
	set_count(object, "seed", run->options->seed);
	set_count(object, "start", (uint64_t)run->options->start_ns);
	set_count(object, "end", (uint64_t)(run->options->start_ns + run->length_ns));
	json_object_set_new(object, "totals", counts_json(esf_traffic_totals(run->traffic)));
	json_object_set_new(object, "faults", faults_json(run));
	json_object_set_new(object, "kpis", kpis_json(run->scenario));
	json_object_set_new(object, "sites", sites_json(run));
	return object;
}

int esf_labels_write(const char *path, const struct esf_scenario *scenario,
    const struct esf_traffic_options *options, const struct esf_traffic *traffic, FILE *errors)
{
	struct run run = { scenario, options, traffic, esf_traffic_elapsed(traffic) };
	json_t *object = run_json(&run);
	FILE *file = fopen(path, "w");
	bool good =
	    file && json_dumpf(object, file, JSON_INDENT(1)) == 0 && fputc('\n', file) != EOF;
	int error = errno;

	if (file && fclose(file) && good) {
		error = errno;
		good = false;
	}
	json_decref(object);
	if (!good)
		fprintf(errors, "%s: %s\n", path, strerror(error));
	return good ? 0 : -1;
}

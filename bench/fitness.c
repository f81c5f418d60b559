/* SPDX-License-Identifier: Apache-2.0 */
#include "traffic_parts.h"

#include <string.h>

/* Whether a format can express what a scenario asks for. Everything that it can't is reported. */

struct check {
	const struct esf_scenario *scenario;
	const struct esf_traffic_options *options;
	FILE *errors;
	unsigned faults_count;
};

static bool is_delivery_fault(int kind)
{
	return kind == ESF_FAULT_LOSS || kind == ESF_FAULT_DUPLICATE || kind == ESF_FAULT_REORDER;
}

static bool can_express(int format, const struct esf_scenario_fault *fault)
{
	static const uint32_t beyond[ESF_TRAFFIC_FORMATS_COUNT] = {
		/* bits by kind */
		[ESF_TRAFFIC_INFLUX] = 1u << ESF_FAULT_ALARM | 1u << ESF_FAULT_QUALITY,
		[ESF_TRAFFIC_STATSD] =
		    1u << ESF_FAULT_ALARM | 1u << ESF_FAULT_QUALITY | 1u << ESF_FAULT_SKEW,
		[ESF_TRAFFIC_SYSLOG] = 1u << ESF_FAULT_DRIFT | 1u << ESF_FAULT_STEP |
		                       1u << ESF_FAULT_STUCK | 1u << ESF_FAULT_QUALITY,
	};

	if (format == ESF_TRAFFIC_SYSLOG && fault->kpi >= 0)
		return false;
	return !(beyond[format] & 1u << fault->kind);
}

static void check_faults(struct check *check)
{
	const struct esf_traffic_options *options = check->options;

	for (uint32_t i = 0; i < check->scenario->faults_count; i++) {
		const struct esf_scenario_fault *fault = &check->scenario->faults[i];
		const char *name = esf_fault_kind_names[fault->kind];

		if (!can_express(options->format, fault)) {
			fprintf(check->errors,
			    "faults[%u].kind: got \"%s\", want a kind that %s can express\n", i,
			    name, esf_traffic_formats[options->format].name);
			check->faults_count++;
		} else if (options->lines > 1 && is_delivery_fault(fault->kind)) {
			fprintf(check->errors,
			    "faults[%u].kind: got \"%s\", want none of loss, duplicate, reorder "
			    "with --lines above 1, where a datagram is many sites'\n",
			    i, name);
			check->faults_count++;
		}
	}
}

/* Bytes of the text with Influx's escapes. */
static uint32_t escaped_size(const char *text)
{
	uint32_t size = 0;

	for (; *text; text++)
		size += strchr(",= ", *text) ? 2 : 1;
	return size;
}

static uint32_t max_of(uint32_t a, uint32_t b)
{
	return a > b ? a : b;
}

uint32_t esf_fitness_line_max(const struct esf_scenario *scenario)
{
	enum { SEPARATORS = 2, SITE_TAG_AND_TIME = 32 };
	uint32_t size = escaped_size(scenario->measurement) + SITE_TAG_AND_TIME, site_size = 0;

	for (uint32_t i = 0; i < scenario->sites_count; i++)
		site_size = max_of(site_size, escaped_size(scenario->sites[i].name));
	for (uint32_t i = 0; i < scenario->kpis_count; i++)
		size += escaped_size(scenario->kpis[i].name) + SEPARATORS + ESF_ENCODE_NUMBER_MAX;
	return size + site_size;
}

/* The largest StatsD datagram the scenario may need. */
static uint32_t statsd_max(const struct esf_scenario *scenario)
{
	static const char rest[] = ":|g|#site:\n";
	uint32_t site_size = 0, size = 0;

	for (uint32_t i = 0; i < scenario->sites_count; i++)
		site_size = max_of(site_size, (uint32_t)strlen(scenario->sites[i].name));
	for (uint32_t i = 0; i < scenario->kpis_count; i++)
		size += (uint32_t)(strlen(scenario->kpis[i].name) + sizeof(rest) - 1) +
		        ESF_ENCODE_NUMBER_MAX + site_size;
	return size;
}

static void check_size(struct check *check)
{
	uint32_t size = 0;

	if (check->options->format == ESF_TRAFFIC_INFLUX)
		size = esf_fitness_line_max(check->scenario);
	else if (check->options->format == ESF_TRAFFIC_STATSD)
		size = statsd_max(check->scenario);
	if (size <= ESF_TRAFFIC_PAYLOAD_MAX)
		return;
	fprintf(check->errors, "kpis: got %s of up to %u bytes, want at most %d\n",
	    check->options->format == ESF_TRAFFIC_INFLUX ? "lines" : "datagrams", size,
	    ESF_TRAFFIC_PAYLOAD_MAX);
	check->faults_count++;
}

static void refuse_name(struct check *check, const char *key, const char *name)
{
	fprintf(check->errors, "%s: got \"%s\", want a name that %s can carry\n", key, name,
	    esf_traffic_formats[check->options->format].name);
	check->faults_count++;
}

static void check_names(struct check *check)
{
	const struct esf_scenario *scenario = check->scenario;
	bool is_statsd = check->options->format == ESF_TRAFFIC_STATSD;

	for (uint32_t i = 0; i < scenario->sites_count; i++) {
		const char *name = scenario->sites[i].name;

		if (is_statsd ? !esf_encode_statsd_can_site(name)
		              : !esf_encode_syslog_can_host(name))
			refuse_name(check, "sites", name);
	}
	for (uint32_t i = 0; is_statsd && i < scenario->kpis_count; i++) {
		if (!esf_encode_statsd_can_name(scenario->kpis[i].name))
			refuse_name(check, "kpis", scenario->kpis[i].name);
	}
}

unsigned esf_fitness_check(
    const struct esf_scenario *scenario, const struct esf_traffic_options *options, FILE *errors)
{
	struct check check = { .scenario = scenario, .options = options, .errors = errors };

	check_faults(&check);
	check_size(&check);
	if (options->format == ESF_TRAFFIC_STATSD || options->format == ESF_TRAFFIC_SYSLOG)
		check_names(&check);
	return check.faults_count;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "scenario.h"

#include <errno.h>
#include <fnmatch.h>
#include <math.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/etd_wire.h"
#include "scenario_parts.h"

static const struct esf_scenario_kpi energy_kpis[] = {
	{ .name = "availability", .unit = "1", .base = 0.995, .noise = 0.001, .min = 0, .max = 1 },
	{ .name = "thermal_margin",
	    .unit = "degC",
	    .base = 60,
	    .noise = 0.5,
	    .min = -200,
	    .max = 1000 },
	{ .name = "output_ratio", .unit = "1", .base = 0.98, .noise = 0.004, .min = 0, .max = 1.2 },
	{ .name = "efficiency", .unit = "1", .base = 0.95, .noise = 0.002, .min = 0, .max = 1 },
	{ .name = "fault_rate", .unit = "1/h", .base = 0.2, .noise = 0.03, .min = 0, .max = 1000 },
};

static const char *const type_names[] = {
	[ESF_ETD_GAUGE] = "gauge",
	[ESF_ETD_COUNTER] = "counter",
	NULL,
};

struct top {
	struct esf_scenario scenario;
	yaml_node_t *sites, *kpis, *faults;
};

static const struct esf_yamldoc_field top_fields[] = {
	{ "seed", esf_yamldoc_count, offsetof(struct top, scenario.seed), 0, 9007199254740992.0,
	    NULL },
	{ "start", esf_yamldoc_time, offsetof(struct top, scenario.start_ns), 1, 4294967295.0,
	    NULL },
	{ "interval", esf_yamldoc_duration, offsetof(struct top, scenario.interval_ns), 1e-6, 86400,
	    NULL },
	{ "measurement", esf_yamldoc_text, offsetof(struct top, scenario.measurement), 0,
	    ESF_SCENARIO_NAME_MAX, NULL },
	{ "sites", esf_yamldoc_node, offsetof(struct top, sites), 0, 0, NULL },
	{ "kpis", esf_yamldoc_node, offsetof(struct top, kpis), 0, 0, NULL },
	{ "faults", esf_yamldoc_node, offsetof(struct top, faults), 0, 0, NULL },
};

static const struct esf_yamldoc_field daily_fields[] = {
	{ "amplitude", esf_yamldoc_number, offsetof(struct esf_scenario_kpi, daily_amplitude),
	    -1e12, 1e12, NULL },
	{ "peak_hour", esf_yamldoc_number, offsetof(struct esf_scenario_kpi, daily_peak_hour), 0,
	    24, NULL },
};

static void read_daily(struct esf_yamldoc *doc, yaml_node_t *node, const char *key,
    const struct esf_yamldoc_field *field, void *out)
{
	(void)field;
	if (esf_yamldoc_map(doc, node, key, daily_fields, 2, out) != 3)
		esf_yamldoc_fault_got(doc, node, key, "less", "amplitude and peak_hour");
}

#define KPI(member) offsetof(struct esf_scenario_kpi, member)
static const struct esf_yamldoc_field kpi_fields[] = {
	{ "name", esf_yamldoc_text, KPI(name), 0, ESF_SCENARIO_NAME_MAX, NULL },
	{ "base", esf_yamldoc_number, KPI(base), -1e12, 1e12, NULL },
	{ "unit", esf_yamldoc_text, KPI(unit), 0, ESF_SCENARIO_UNIT_MAX, NULL },
	{ "type", esf_yamldoc_choice, KPI(type), 0, 0, type_names },
	{ "spread", esf_yamldoc_number, KPI(spread), 0, 1e12, NULL },
	{ "noise", esf_yamldoc_number, KPI(noise), 0, 1e12, NULL },
	{ "min", esf_yamldoc_number, KPI(min), -1e12, 1e12, NULL },
	{ "max", esf_yamldoc_number, KPI(max), -1e12, 1e12, NULL },
	{ "daily", read_daily, 0, 0, 0, NULL },
};
#undef KPI

enum { KPI_FIELDS = sizeof(kpi_fields) / sizeof(kpi_fields[0]), KPI_NAME_AND_BASE = 3 };

static void kpi_read(struct esf_yamldoc *doc, yaml_node_t *node, const char *key,
    const struct esf_scenario *scenario, struct esf_scenario_kpi *kpi)
{
	*kpi = (struct esf_scenario_kpi){ .min = -INFINITY, .max = INFINITY };
	if ((esf_yamldoc_map(doc, node, key, kpi_fields, KPI_FIELDS, kpi) & KPI_NAME_AND_BASE) !=
	    KPI_NAME_AND_BASE)
		esf_yamldoc_fault_got(doc, node, key, "less", "at least name and base");
	if (kpi->min > kpi->max)
		esf_yamldoc_fault_got(doc, node, key, "min above max", "min <= max");
	for (uint32_t i = 0; i < scenario->kpis_count; i++) {
		if (*kpi->name && strcmp(scenario->kpis[i].name, kpi->name) == 0)
			esf_yamldoc_fault_got(
			    doc, node, key, kpi->name, "a name that no other KPI has");
	}
}

static void kpis_read(struct esf_yamldoc *doc, yaml_node_t *node, struct esf_scenario *scenario)
{
	size_t count;

	if (!node) {
		memcpy(scenario->kpis, energy_kpis, sizeof(energy_kpis));
		scenario->kpis_count = sizeof(energy_kpis) / sizeof(energy_kpis[0]);
		return;
	}
	count = esf_yamldoc_list(doc, node, "kpis", ESF_SCENARIO_KPIS_MAX);
	if (count == 0 && node->type == YAML_SEQUENCE_NODE)
		esf_yamldoc_fault_got(doc, node, "kpis", "an empty list", "at least one KPI");
	for (size_t i = 0; i < count; i++) {
		char key[ESF_YAMLDOC_KEY_SIZE];

		snprintf(key, sizeof(key), "kpis[%zu]", i);
		kpi_read(doc, esf_yamldoc_item(doc, node, i), key, scenario, &scenario->kpis[i]);
		scenario->kpis_count++;
	}
}

void esf_scenario_no_memory(struct esf_yamldoc *doc)
{
	doc->faults_count++;
	fprintf(doc->errors, "%s: out of memory\n", doc->name);
}

/* root: NULL for an empty document. */
static void top_read(
    struct esf_yamldoc *doc, yaml_node_t *root, uint32_t sites_count, struct top *top)
{
	struct esf_scenario *scenario = &top->scenario;

	scenario->seed = 1;
	scenario->start_ns = INT64_C(1700000000000000000);
	scenario->interval_ns = INT64_C(1000000000);
	strcpy(scenario->measurement, "teg");
	if (root)
		esf_yamldoc_map(
		    doc, root, "", top_fields, sizeof(top_fields) / sizeof(top_fields[0]), top);
	kpis_read(doc, top->kpis, scenario);
	esf_scenario_sites_read(doc, top->sites, sites_count, scenario);
	if (top->faults)
		esf_scenario_faults_read(doc, top->faults, scenario);
}

static void members_destroy(struct esf_scenario *scenario)
{
	free(scenario->sites);
	free(scenario->faults);
	free(scenario->regions);
}

struct esf_scenario *esf_scenario_parse(
    const char *text, size_t size, const char *name, uint32_t sites_count, FILE *errors)
{
	struct esf_scenario *scenario = malloc(sizeof(*scenario));
	struct esf_yamldoc doc;
	struct top top = { .sites = NULL };

	if (!scenario) {
		fprintf(errors, "%s: out of memory\n", name);
		return NULL;
	}
	if (esf_yamldoc_open(&doc, text, size, name, errors)) {
		free(scenario);
		return NULL;
	}
	top_read(&doc, esf_yamldoc_root(&doc), sites_count, &top);
	esf_yamldoc_close(&doc);
	*scenario = top.scenario;
	if (doc.faults_count == 0)
		return scenario;
	esf_scenario_destroy(scenario);
	return NULL;
}

/* The whole file, NULL (and the reason printed) when it cannot be read. */
static char *file_read(const char *path, size_t *size, FILE *errors)
{
	FILE *file = fopen(path, "rb");
	char *text = malloc(ESF_SCENARIO_FILE_SIZE_MAX + 1);
	const char *problem = NULL;

	if (!file || !text) {
		problem = strerror(errno);
	} else {
		*size = fread(text, 1, ESF_SCENARIO_FILE_SIZE_MAX + 1, file);
		if (ferror(file))
			problem = strerror(errno);
		else if (*size > ESF_SCENARIO_FILE_SIZE_MAX)
			problem = "larger than 16 MiB";
	}
	if (file)
		fclose(file);
	if (!problem)
		return text;
	fprintf(errors, "%s: %s\n", path, problem);
	free(text);
	return NULL;
}

struct esf_scenario *esf_scenario_load(const char *path, uint32_t sites_count, FILE *errors)
{
	struct esf_scenario *scenario;
	size_t size = 0;
	char *text;

	if (!path)
		return esf_scenario_parse("", 0, "default scenario", sites_count, errors);
	text = file_read(path, &size, errors);
	if (!text)
		return NULL;
	scenario = esf_scenario_parse(text, size, path, sites_count, errors);
	free(text);
	return scenario;
}

void esf_scenario_destroy(struct esf_scenario *scenario)
{
	if (!scenario)
		return;
	members_destroy(scenario);
	free(scenario);
}

bool esf_scenario_fault_hits(
    const struct esf_scenario_fault *fault, const struct esf_scenario_site *site)
{
	for (uint32_t i = 0; i < fault->globs_count; i++) {
		if (fnmatch(fault->globs[i], site->name, 0) == 0)
			return true;
	}
	return false;
}

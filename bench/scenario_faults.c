/* SPDX-License-Identifier: Apache-2.0 */
#include "scenario_parts.h"

#include <stdlib.h>
#include <string.h>

#include "dataplane/etd_wire.h"

const char *const esf_fault_kind_names[] = {
	[ESF_FAULT_DRIFT] = "drift",
	[ESF_FAULT_STEP] = "step",
	[ESF_FAULT_STUCK] = "stuck",
	[ESF_FAULT_DROPOUT] = "dropout",
	[ESF_FAULT_QUALITY] = "quality",
	[ESF_FAULT_SKEW] = "skew",
	[ESF_FAULT_STORM] = "storm",
	[ESF_FAULT_DUPLICATE] = "duplicate",
	[ESF_FAULT_REORDER] = "reorder",
	[ESF_FAULT_LOSS] = "loss",
	[ESF_FAULT_RESTART] = "restart",
	[ESF_FAULT_LEAVE] = "leave",
	[ESF_FAULT_ALARM] = "alarm",
	NULL,
};

const char *const esf_fault_quality_names[] = {
	[ESF_ETD_GOOD] = "good",
	[ESF_ETD_UNCERTAIN] = "uncertain",
	[ESF_ETD_BAD] = "bad",
	NULL,
};

/* A fault as it is being read: what is resolved once all of it is known. */
struct draft {
	struct esf_scenario_fault fault;
	char kpi[ESF_SCENARIO_NAME_MAX + 1];
	yaml_node_t *sites, *kpi_node;
	int64_t for_ns;
};

static void read_kpi(struct esf_yamldoc *doc, yaml_node_t *node, const char *key,
    const struct esf_yamldoc_field *field, void *out)
{
	struct draft *draft = out;

	draft->kpi_node = node;
	esf_yamldoc_text(doc, node, key, field, draft->kpi);
}

/* In the order of fault_fields. */
enum field_index {
	F_KIND,
	F_SITES,
	F_KPI,
	F_FROM,
	F_TO,
	F_FOR,
	F_SLOPE,
	F_BY,
	F_TO_VALUE,
	F_RATE_FACTOR,
	F_PROBABILITY,
	F_DELAY,
	F_PATH,
	F_DEPTH,
	F_SHIFT,
	F_QUALITY,
	F_SEVERITY,
	F_TEXT,
	F_COUNT,
};

#define AT(member) offsetof(struct draft, fault.member)
static const struct esf_yamldoc_field fault_fields[F_COUNT] = {
	[F_KIND] = { "kind", esf_yamldoc_choice, AT(kind), 0, 0, esf_fault_kind_names },
	[F_SITES] = { "sites", esf_yamldoc_node, offsetof(struct draft, sites), 0, 0, NULL },
	[F_KPI] = { "kpi", read_kpi, 0, 0, ESF_SCENARIO_NAME_MAX, NULL },
	[F_FROM] = { "from", esf_yamldoc_duration, AT(from_ns), 0, 1e9, NULL },
	[F_TO] = { "to", esf_yamldoc_duration, AT(to_ns), 0, 1e9, NULL },
	[F_FOR] = { "for", esf_yamldoc_duration, offsetof(struct draft, for_ns), 0, 1e9, NULL },
	[F_SLOPE] = { "slope_per_s", esf_yamldoc_number, AT(slope_per_s), -1e12, 1e12, NULL },
	[F_BY] = { "by", esf_yamldoc_number, AT(by), -1e12, 1e12, NULL },
	[F_TO_VALUE] = { "to_value", esf_yamldoc_number, AT(to_value), -1e12, 1e12, NULL },
	[F_RATE_FACTOR] = { "rate_factor", esf_yamldoc_count, AT(rate_factor), 2,
	    ESF_SCENARIO_RATE_FACTOR_MAX, NULL },
	[F_PROBABILITY] = { "probability", esf_yamldoc_number, AT(probability), 0, 1, NULL },
	[F_DELAY] = { "delay", esf_yamldoc_duration, AT(delay_ns), 0, 3600, NULL },
	[F_PATH] = { "path", esf_yamldoc_text, AT(path), 0, ESF_SCENARIO_ADDRESS_MAX, NULL },
	[F_DEPTH] = { "depth", esf_yamldoc_count, AT(depth), 1, ESF_SCENARIO_DEPTH_MAX, NULL },
	[F_SHIFT] = { "shift", esf_yamldoc_duration, AT(shift_ns), -1e8, 1e8, NULL },
	[F_QUALITY] = { "quality", esf_yamldoc_choice, AT(quality), 0, 0, esf_fault_quality_names },
	[F_SEVERITY] = { "severity", esf_yamldoc_count, AT(severity), 0, 7, NULL },
	[F_TEXT] = { "text", esf_yamldoc_text, AT(text), 0, ESF_SCENARIO_TEXT_MAX, NULL },
};
#undef AT

#define B(index) (UINT64_C(1) << (index))
enum { COMMON_FIELDS = B(F_KIND) | B(F_SITES) | B(F_FROM) };

static const uint64_t span_fields = B(F_TO) | B(F_FOR);

/* What each kind takes besides the common fields, and what of it a scenario has to say. */
static const struct {
	uint64_t needs, may;
	const char *want;
} kinds[] = {
	[ESF_FAULT_DRIFT] = { B(F_KPI) | B(F_SLOPE), 0, "kpi and slope_per_s" },
	[ESF_FAULT_STEP] = { B(F_KPI), B(F_BY) | B(F_TO_VALUE), "kpi, and either by or to_value" },
	[ESF_FAULT_STUCK] = { 0, B(F_KPI), "nothing but kpi" },
	[ESF_FAULT_DROPOUT] = { 0, B(F_KPI), "nothing but kpi" },
	[ESF_FAULT_QUALITY] = { B(F_QUALITY), B(F_KPI), "quality, and no more than kpi" },
	[ESF_FAULT_SKEW] = { B(F_SHIFT), 0, "shift" },
	[ESF_FAULT_STORM] = { B(F_RATE_FACTOR), 0, "rate_factor" },
	[ESF_FAULT_DUPLICATE] = { 0, B(F_PROBABILITY) | B(F_DELAY) | B(F_PATH),
	    "no more than probability, delay, path" },
	[ESF_FAULT_REORDER] = { B(F_PROBABILITY), B(F_DEPTH),
	    "probability, and no more than depth" },
	[ESF_FAULT_LOSS] = { B(F_PROBABILITY), 0, "probability" },
	[ESF_FAULT_RESTART] = { 0, 0, "no parameters" },
	[ESF_FAULT_LEAVE] = { 0, 0, "no parameters" },
	[ESF_FAULT_ALARM] = { B(F_TEXT), B(F_SEVERITY), "text, and no more than severity" },
};

static void parameters_check(
    struct esf_yamldoc *doc, yaml_node_t *node, const char *key, uint64_t seen, int kind)
{
	uint64_t given = seen & ~(COMMON_FIELDS | span_fields);
	uint64_t needs = kinds[kind].needs, may = kinds[kind].may;
	bool step_is_wrong = kind == ESF_FAULT_STEP && !(seen & B(F_BY)) == !(seen & B(F_TO_VALUE));
	char got[ESF_YAMLDOC_KEY_SIZE], want[ESF_YAMLDOC_KEY_SIZE];

	if ((given & needs) == needs && !(given & ~(needs | may)) && !step_is_wrong)
		return;
	snprintf(
	    want, sizeof(want), "%s for kind %s", kinds[kind].want, esf_fault_kind_names[kind]);
	strcpy(got, "no parameters");
	for (size_t i = 0, used = 0; i < F_COUNT && used < sizeof(got); i++) {
		if (given >> i & 1)
			used += (size_t)snprintf(got + used, sizeof(got) - used, "%s%s",
			    used ? ", " : "", fault_fields[i].key);
	}
	esf_yamldoc_fault_got(doc, node, key, got, want);
}

static void span_resolve(
    struct esf_yamldoc *doc, yaml_node_t *node, const char *key, uint64_t seen, struct draft *draft)
{
	struct esf_scenario_fault *fault = &draft->fault;

	if ((seen & span_fields) == span_fields)
		esf_yamldoc_fault_got(doc, node, key, "to and for", "one of them");
	if (seen & B(F_FOR))
		fault->to_ns = fault->from_ns + draft->for_ns;
	if (fault->to_ns <= fault->from_ns)
		esf_yamldoc_fault_got(
		    doc, node, key, "an end that is not behind from", "to > from");
}

static void kpi_resolve(struct esf_yamldoc *doc, const char *key,
    const struct esf_scenario *scenario, struct draft *draft)
{
	char kpi_key[ESF_YAMLDOC_KEY_SIZE + 8];

	if (!draft->kpi_node)
		return;
	for (uint32_t i = 0; i < scenario->kpis_count; i++) {
		if (strcmp(scenario->kpis[i].name, draft->kpi) == 0)
			draft->fault.kpi = (int)i;
	}
	snprintf(kpi_key, sizeof(kpi_key), "%s.kpi", key);
	if (draft->fault.kpi < 0)
		esf_yamldoc_fault(doc, draft->kpi_node, kpi_key, "the name of one of the kpis");
}

static bool glob_hits_any(
    const struct esf_scenario *scenario, const struct esf_scenario_fault *fault)
{
	for (uint32_t i = 0; i < scenario->sites_count; i++) {
		if (esf_scenario_fault_hits(fault, &scenario->sites[i]))
			return true;
	}
	return false;
}

/* `sites:` is one glob or a list of them; each has to take a site, or it is a slip of the pen. */
static void globs_resolve(struct esf_yamldoc *doc, const char *key,
    const struct esf_scenario *scenario, struct draft *draft)
{
	const struct esf_yamldoc_field field = { .max = ESF_SCENARIO_NAME_MAX };
	struct esf_scenario_fault *fault = &draft->fault;
	bool is_list = draft->sites && draft->sites->type == YAML_SEQUENCE_NODE;
	char sites_key[ESF_YAMLDOC_KEY_SIZE + 8];

	snprintf(sites_key, sizeof(sites_key), "%s.sites", key);
	fault->globs_count = 1;
	strcpy(fault->globs[0], "*");
	if (is_list)
		fault->globs_count = (uint32_t)esf_yamldoc_list(
		    doc, draft->sites, sites_key, ESF_SCENARIO_GLOBS_MAX);
	for (uint32_t i = 0; draft->sites && i < fault->globs_count; i++) {
		yaml_node_t *node = is_list ? esf_yamldoc_item(doc, draft->sites, i) : draft->sites;
		struct esf_scenario_fault single = { .globs_count = 1 };

		esf_yamldoc_text(doc, node, sites_key, &field, fault->globs[i]);
		strcpy(single.globs[0], fault->globs[i]);
		if (*single.globs[0] && scenario->sites_count && !glob_hits_any(scenario, &single))
			esf_yamldoc_fault(
			    doc, node, sites_key, "a glob that takes at least one site");
	}
}

static void fault_read(struct esf_yamldoc *doc, yaml_node_t *node, size_t index,
    const struct esf_scenario *scenario, struct esf_scenario_fault *out)
{
	struct draft draft = { .fault = { .kind = -1, .kpi = -1, .to_ns = INT64_MAX } };
	char key[ESF_YAMLDOC_KEY_SIZE];
	uint64_t seen;

	snprintf(key, sizeof(key), "faults[%zu]", index);
	draft.fault.probability = 1;
	draft.fault.depth = 4;
	draft.fault.severity = 3;
	seen = esf_yamldoc_map(doc, node, key, fault_fields, F_COUNT, &draft);
	draft.fault.sets_value = seen >> F_TO_VALUE & 1;
	if (!(seen & B(F_KIND)))
		esf_yamldoc_fault_got(doc, node, key, "no kind", "kind");
	if (draft.fault.kind >= 0)
		parameters_check(doc, node, key, seen, draft.fault.kind);
	span_resolve(doc, node, key, seen, &draft);
	kpi_resolve(doc, key, scenario, &draft);
	globs_resolve(doc, key, scenario, &draft);
	*out = draft.fault;
}

void esf_scenario_faults_read(
    struct esf_yamldoc *doc, yaml_node_t *node, struct esf_scenario *scenario)
{
	size_t count = esf_yamldoc_list(doc, node, "faults", ESF_SCENARIO_FAULTS_MAX);

	scenario->faults = calloc(count + 1, sizeof(*scenario->faults));
	if (!scenario->faults) {
		esf_scenario_no_memory(doc);
		return;
	}
	for (size_t i = 0; i < count; i++)
		fault_read(doc, esf_yamldoc_item(doc, node, i), i, scenario, &scenario->faults[i]);
	scenario->faults_count = (uint32_t)count;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "rule.h"

#include <math.h>
#include <string.h>

#include "kpi_rows.h"
#include "nearest.h"
#include "setter.h"

static const struct esf_choice types[] = {
	{ "gauge", ESF_RULE_GAUGE, NULL },
	{ "counter", ESF_RULE_COUNTER, NULL },
	{ NULL, 0, NULL },
};

#define WANT_EDGE "a number, or null where open"
#define ROWS                                                                                    \
	{ ESF_CHECKED("kpi", struct esf_rule_entry, kpi, esf_check_kpi_name), .required = true, \
		.want = ESF_WANT_KPI_NAME },                                                    \
	    { ESF_NUMBER("scale", struct esf_rule_entry, scale, -1e15, 1e15) },                 \
	    { ESF_NUMBER("offset", struct esf_rule_entry, offset, -1e15, 1e15) },               \
	    { ESF_NUMBER("min", struct esf_rule_entry, min, -1e300, 1e300), .nullable = true,   \
		    .want = WANT_EDGE },                                                        \
	    { ESF_NUMBER("max", struct esf_rule_entry, max, -1e300, 1e300), .nullable = true,   \
		    .want = WANT_EDGE },                                                        \
	{                                                                                       \
		ESF_CHOICE("type", struct esf_rule_entry, type, types)                          \
	}

static const struct esf_key fields[] = {
	{ ESF_TEXT("match", struct esf_rule_entry, match, ESF_PATTERN_SIZE_MAX), .required = true,
	    .check = esf_check_pattern },
	ROWS,
	ESF_END,
};

static const struct esf_key preset_fields[] = {
	{ ESF_TEXT("match", struct esf_rule_entry, match, ESF_PATTERN_SIZE_MAX), .required = true },
	ROWS,
	ESF_END,
};

static void prepare(void *slot)
{
	struct esf_rule_entry *entry = slot;

	*entry = (struct esf_rule_entry){
		.scale = 1,
		.min = -INFINITY,
		.max = INFINITY,
		.type = ESF_RULE_AS_BORN,
	};
}

const struct esf_key esf_rule_item = {
	.kind = ESF_KEY_MAPPING, .fields = fields, .prepare = prepare
};
const struct esf_key esf_rule_preset_item = {
	.kind = ESF_KEY_MAPPING, .fields = preset_fields, .prepare = prepare
};

static void refuse_kpi(struct esf_load *load, const struct esf_config *config,
    const struct esf_path *path, yaml_node_t *node)
{
	const char *text = esf_node_text(node);
	struct esf_nearest nearest;
	char hint[128];

	if (strcmp(text, ESF_COMMS_KPI) == 0) {
		esf_load_fault(load, path, node,
		    "got \"%s\", want a measured KPI: that one is the dataplane's own", text);
		return;
	}
	for (uint32_t i = 0; i < config->kpis_count; i++) {
		if (strcmp(text, config->kpis[i].name) != 0)
			continue;
		esf_load_fault(load, path, node,
		    "got \"%s\", want a measured KPI: that one is derived (derive: missing would "
		    "take both)",
		    text);
		return;
	}
	esf_nearest_start(&nearest, text);
	for (uint32_t i = 0; i < config->kpis_count; i++) {
		if (config->kpis[i].source == ESF_KPI_MEASURED)
			esf_nearest_offer(&nearest, config->kpis[i].name);
	}
	esf_load_fault(load, path, node, "got \"%s\", want a KPI of the domain or of kpis%s", text,
	    esf_nearest_hint(&nearest, hint, sizeof(hint)));
}

static void check_values(struct esf_load *load, const struct esf_rule_entry *entry,
    const struct esf_path *item, yaml_node_t *node)
{
	struct esf_document *document = load->document;
	yaml_node_t *scale = esf_document_find(document, node, "scale");
	yaml_node_t *max = esf_document_find(document, node, "max");
	struct esf_path scale_path = { item, "scale", 0 }, max_path = { item, "max", 0 };

	if (entry->scale == 0 && esf_document_is_sound(document, scale))
		esf_load_refuse(load, &scale_path, scale, "anything but 0");
	if (entry->min >= entry->max && esf_document_is_sound(document, max))
		esf_load_fault(load, &max_path, max,
		    "min is %.15g and max is %.15g, want min < max", entry->min, entry->max);
}

static void check_entry(struct esf_load *load, const struct esf_file *file, yaml_node_t *list,
    uint32_t i, const struct esf_index *names, bool judge)
{
	static const struct esf_path normalise = { .key = "normalise" };
	struct esf_path item = { &normalise, NULL, i }, path = { &item, "kpi", 0 };
	yaml_node_t *node = esf_document_item(load->document, list, i);
	yaml_node_t *kpi = esf_document_find(load->document, node, "kpi");
	uint32_t found;

	check_values(load, &file->normalise[i], &item, node);
	if (!judge || !esf_document_is_sound(load->document, kpi))
		return;
	found = esf_index_find(names, esf_node_text(kpi), strlen(esf_node_text(kpi)));
	if (found == ESF_INDEX_NONE || (found < file->config.kpis_count &&
	                                   file->config.kpis[found].source != ESF_KPI_MEASURED))
		refuse_kpi(load, &file->config, &path, kpi);
}

static void add(
    struct esf_config *config, const struct esf_rule_entry *entry, const struct esf_index *names)
{
	struct esf_rules *rules = &config->rules;
	uint32_t kpi;

	if (entry->kpi == NULL || entry->match == NULL)
		return;
	kpi = esf_index_find(names, entry->kpi, strlen(entry->kpi));
	if (kpi >= config->kpis_count || config->kpis[kpi].source != ESF_KPI_MEASURED)
		return;
	rules->patterns[rules->count] = entry->match;
	rules->rules[rules->count++] = (struct esf_rule){
		.scale = entry->scale,
		.offset = entry->offset,
		.min = entry->min,
		.max = entry->max,
		.kpi = config->kpis[kpi].measure,
		.type = (uint8_t)entry->type,
	};
}

/* A KPI's name holds only [a-z0-9_]: nothing to escape. */
static void add_own_name(
    struct esf_load *load, struct esf_config *config, char *name, const struct esf_index *names)
{
	struct esf_rule_entry entry;
	char pattern[ESF_KPI_NAME_MAX + 3];

	prepare(&entry);
	snprintf(pattern, sizeof(pattern), "^%s$", name);
	entry.kpi = name;
	entry.match = esf_arena_text(load->arena, pattern);
	add(config, &entry, names);
}

void esf_rule_build(struct esf_load *load, struct esf_file *file, const struct esf_domain *domain,
    const struct esf_index *names, bool judge)
{
	struct esf_config *config = &file->config;
	size_t most = (size_t)file->normalise_count + domain->rules_count + config->kpis_count;
	yaml_node_t *list =
	    esf_document_find(load->document, esf_document_root(load->document), "normalise");

	config->rules.patterns = esf_arena_alloc(load->arena, most * sizeof(char *));
	config->rules.rules = esf_arena_alloc(load->arena, most * sizeof(struct esf_rule));
	if (config->rules.patterns == NULL || config->rules.rules == NULL)
		return;
	for (uint32_t i = 0; i < file->normalise_count; i++) {
		check_entry(load, file, list, i, names, judge);
		add(config, &file->normalise[i], names);
	}
	for (uint32_t i = 0; i < domain->rules_count; i++)
		add(config, &domain->rules[i], names);
	for (uint32_t i = 0; i < config->kpis_count; i++) {
		if (config->kpis[i].source == ESF_KPI_MEASURED)
			add_own_name(load, config, config->kpis[i].name, names);
	}
}

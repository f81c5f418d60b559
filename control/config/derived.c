/* SPDX-License-Identifier: Apache-2.0 */
#include "derived.h"

#include <errno.h>
#include <string.h>

#include "kpi_rows.h"
#include "nearest.h"

/* Derived KPIs: expressions over other KPIs, and which KPIs exclude a window from which. */

const struct esf_choice esf_kpi_derives[] = {
	{ "always", ESF_DERIVE_ALWAYS, NULL },
	{ "missing", ESF_DERIVE_MISSING, NULL },
	{ "never", ESF_DERIVE_NEVER, NULL },
	{ "heard", ESF_DERIVE_HEARD, NULL },
	{ NULL, 0, NULL },
};

struct derivation {
	struct esf_load *load;
	struct esf_file *file;
	const struct esf_index *names;
	const uint32_t *entries;
	bool judge;
	bool unjudged; /* the expression has a name that had a fault elsewhere */
};

/* At the entry's key; or where the domain gave it, at the list or the file's begin. */
static void refuse(struct derivation *of, uint32_t kpi, const char *key, const char *said)
{
	static const struct esf_path kpis = { .key = "kpis" };
	struct esf_document *document = of->load->document;
	yaml_node_t *root = esf_document_root(document);
	yaml_node_t *list = esf_document_find(document, root, "kpis");
	uint32_t i = of->entries[kpi];
	struct esf_path item = { &kpis, NULL, i }, path = { &item, key, 0 };
	yaml_node_t *entry = i == ESF_INDEX_NONE ? NULL : esf_document_item(document, list, i);
	yaml_node_t *value = entry == NULL ? NULL : esf_document_find(document, entry, key);

	if (entry == NULL)
		esf_load_fault(of->load, &kpis, list == NULL ? root : list, "%s of the domain: %s",
		    of->file->config.kpis[kpi].name, said);
	else
		esf_load_fault(of->load, &path, value == NULL ? entry : value, "%s", said);
}

static void say_unknown(const struct esf_config *config, const char *name, char *said, size_t size)
{
	struct esf_nearest nearest;
	char hint[128];

	esf_nearest_start(&nearest, name);
	for (uint32_t i = 0; i < config->kpis_count; i++)
		esf_nearest_offer(&nearest, config->kpis[i].name);
	snprintf(said, size, "the name of a KPI of the domain or of kpis%s",
	    esf_nearest_hint(&nearest, hint, sizeof(hint)));
}

static int32_t resolve(void *context, const char *name, uint32_t size, char *reason)
{
	struct derivation *of = context;
	const struct esf_config *config = &of->file->config;
	uint32_t found = esf_index_find(of->names, name, size);
	char text[ESF_KPI_NAME_MAX + 2];

	if (found < config->kpis_count)
		return (int32_t)found;
	of->unjudged |= found != ESF_INDEX_NONE || !of->judge;
	snprintf(text, sizeof(text), "%.*s", (int)size, name);
	say_unknown(config, text, reason, ESF_EXPRESSION_FAULT_SIZE);
	return -1;
}

static void compile(struct derivation *of, uint32_t k)
{
	struct esf_kpi *kpi = &of->file->config.kpis[k];
	char fault[ESF_EXPRESSION_FAULT_SIZE];
	int rc;

	of->unjudged = false;
	rc = esf_expression_create(kpi->expr, resolve, of, &kpi->expression, fault);
	if (rc == -ENOMEM)
		of->load->arena->exhausted = true;
	else if (rc != 0 && !of->unjudged)
		refuse(of, k, "expr", fault);
}

enum mark { UNSEEN, OPEN, DONE };

/* A walk along the inputs, depth first. */
struct walk {
	struct derivation *of;
	uint8_t marks[ESF_KPIS_MAX];
	uint8_t depths[ESF_KPIS_MAX]; /* the longest chain that ends there */
	uint16_t chain[ESF_KPIS_MAX];
	uint32_t chain_count;
};

/* The part of the chain from kpi on leads back to it. Told of the first that the file gave. */
static void refuse_circle(struct walk *walk, uint16_t kpi)
{
	const struct esf_kpi *kpis = walk->of->file->config.kpis;
	uint32_t first = 0, told;
	char said[ESF_FAULT_TEXT_MAX];
	int used = snprintf(said, sizeof(said), "goes in a circle: ");

	while (walk->chain[first] != kpi)
		first++;
	for (told = first; told + 1 < walk->chain_count; told++)
		if (walk->of->entries[walk->chain[told]] != ESF_INDEX_NONE)
			break;
	for (uint32_t i = first; i < walk->chain_count && used < (int)sizeof(said); i++)
		used += snprintf(
		    said + used, sizeof(said) - (size_t)used, "%s -> ", kpis[walk->chain[i]].name);
	if (used < (int)sizeof(said))
		snprintf(said + used, sizeof(said) - (size_t)used, "%s", kpis[kpi].name);
	refuse(walk->of, walk->chain[told], "expr", said);
}

static void follow(struct walk *walk, uint16_t k)
{
	struct esf_config *config = &walk->of->file->config;
	const struct esf_expression *expression = config->kpis[k].expression;

	if (expression == NULL || walk->marks[k] == DONE)
		return;
	if (walk->marks[k] == OPEN) {
		refuse_circle(walk, k);
		return;
	}
	walk->marks[k] = OPEN;
	walk->chain[walk->chain_count++] = k;
	for (uint32_t i = 0; i < esf_expression_inputs_count(expression); i++) {
		uint16_t input = esf_expression_input(expression, i);

		follow(walk, input);
		if (walk->depths[input] > walk->depths[k])
			walk->depths[k] = walk->depths[input];
	}
	walk->chain_count--;
	walk->marks[k] = DONE;
	walk->depths[k]++;
	if (walk->depths[k] > config->derived_depth)
		config->derived_depth = walk->depths[k];
	config->derived[config->derived_count++] = k;
}

static void find_order(struct derivation *of)
{
	struct esf_config *config = &of->file->config;
	struct walk walk = { .of = of };

	config->derived = esf_arena_alloc(of->load->arena, config->kpis_count * sizeof(uint16_t));
	if (config->derived == NULL)
		return;
	for (uint32_t k = 0; k < config->kpis_count; k++)
		follow(&walk, (uint16_t)k);
}

/* The names of a list, as a set of KPIs. */
static void resolve_excludes(struct derivation *of, uint32_t k)
{
	struct esf_config *config = &of->file->config;
	struct esf_kpi *kpi = &config->kpis[k];
	char want[ESF_EXPRESSION_FAULT_SIZE], said[ESF_FAULT_TEXT_MAX];

	for (uint32_t i = 0; i < kpi->excludes_count; i++) {
		const char *name = kpi->excludes[i];
		uint32_t found;

		if (name == NULL) /* had a fault */
			continue;
		found = esf_index_find(of->names, name, strlen(name));
		if (strcmp(name, "maintenance") == 0) {
			kpi->exclude_maintenance = true;
			if (found == ESF_INDEX_NONE)
				continue;
		}
		if (found < config->kpis_count && found != k) {
			kpi->exclude |= UINT64_C(1) << found;
			config->excludes = true;
			continue;
		}
		if (found == k)
			snprintf(want, sizeof(want), "another KPI than itself");
		else if (found == ESF_INDEX_NONE && of->judge)
			say_unknown(config, name, want, sizeof(want));
		else
			continue;
		snprintf(said, sizeof(said), "got \"%s\", want %s", name, want);
		refuse(of, k, "exclude", said);
	}
}

void esf_derived_build(struct esf_load *load, struct esf_file *file, const struct esf_index *names,
    const uint32_t *entries, bool judge)
{
	struct derivation of = { load, file, names, entries, judge, false };
	struct esf_config *config = &file->config;

	if (config->kpis_count > ESF_KPIS_MAX)
		return; /* a fault of its own */
	for (uint32_t k = 0; k < config->kpis_count; k++) {
		if (config->kpis[k].expr != NULL)
			compile(&of, k);
		resolve_excludes(&of, k);
		config->hears |= config->kpis[k].heard;
	}
	find_order(&of);
}

void esf_derived_free(struct esf_config *config)
{
	for (uint32_t k = 0; k < config->kpis_count; k++)
		esf_expression_free(config->kpis[k].expression);
}

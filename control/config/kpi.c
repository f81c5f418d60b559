/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <stdarg.h>
#include <string.h>

#include "derived.h"
#include "domain.h"
#include "file.h"
#include "kpi_rows.h"
#include "rule.h"

/* KPIs: the domain's, overridden and added to by the file's; and whether the bands make sense. */

static const struct esf_path kpis_path = { .key = "kpis" };

enum { GOOD, WARN, CRIT, BANDS_COUNT };

static const char *const band_names[BANDS_COUNT] = { "good", "warn", "crit" };
static const char *const side_names[2] = { "low", "high" };

void esf_kpi_prepare(void *slot)
{
	struct esf_kpi_entry *entry = slot;

	entry->vital = ESF_ABSENT;
	entry->compare = ESF_ABSENT;
	entry->weight = NAN;
	entry->min_effect = NAN;
	entry->exclude_count = ESF_LIST_ABSENT;
	for (int side = 0; side < 2; side++) {
		entry->bands.good[side] = NAN;
		entry->bands.warn[side] = NAN;
		entry->bands.crit[side] = NAN;
	}
}

static void override_number(double *value, double given)
{
	if (!isnan(given))
		*value = given;
}

/* comms_quality is the dataplane's own, in every domain. */
static void override_source(struct esf_kpi *kpi, const struct esf_kpi_entry *entry)
{
	if (kpi->source == ESF_KPI_COMMS)
		return;
	if (entry->expr != NULL) {
		kpi->expr = entry->expr;
		kpi->source = ESF_KPI_DERIVED;
	}
	if (entry->derive != ESF_DERIVE_UNSAID)
		kpi->heard = entry->derive == ESF_DERIVE_HEARD;
	if (kpi->expr == NULL)
		return;
	if (entry->derive == ESF_DERIVE_ALWAYS)
		kpi->source = ESF_KPI_DERIVED;
	if (entry->derive == ESF_DERIVE_MISSING || entry->derive == ESF_DERIVE_NEVER ||
	    entry->derive == ESF_DERIVE_HEARD)
		kpi->source = ESF_KPI_MEASURED;
	if (entry->derive == ESF_DERIVE_NEVER)
		kpi->expr = NULL;
}

static void override(struct esf_kpi *kpi, const struct esf_kpi_entry *entry)
{
	if (entry->unit != NULL)
		kpi->unit = entry->unit;
	if (entry->vital != ESF_ABSENT)
		kpi->vital = entry->vital;
	if (entry->compare != ESF_ABSENT)
		kpi->compare = entry->compare;
	override_source(kpi, entry);
	if (entry->exclude_count != ESF_LIST_ABSENT) {
		kpi->excludes_count = entry->exclude_count;
		kpi->excludes = entry->exclude;
	}
	override_number(&kpi->weight, entry->weight);
	override_number(&kpi->min_effect, entry->min_effect);
	for (int side = 0; side < 2; side++) {
		override_number(&kpi->bands.good[side], entry->bands.good[side]);
		override_number(&kpi->bands.warn[side], entry->bands.warn[side]);
		override_number(&kpi->bands.crit[side], entry->bands.crit[side]);
	}
}

static void append(struct esf_config *config, const struct esf_kpi_entry *entry)
{
	static char one[] = "1";
	struct esf_kpi *kpi = &config->kpis[config->kpis_count++];

	*kpi = (struct esf_kpi){
		.name = entry->name,
		.unit = one,
		.source = strcmp(entry->name, ESF_COMMS_KPI) == 0 ? ESF_KPI_COMMS : entry->source,
		.bands = { { -INFINITY, INFINITY }, { -INFINITY, INFINITY },
		    { -INFINITY, INFINITY } },
	};
	override(kpi, entry);
}

static const double *band(const struct esf_bands *bands, int which)
{
	return which == GOOD ? bands->good : which == WARN ? bands->warn : bands->crit;
}

/* A fault of one of an entry's keys, at the key's line, or the entry's where the domain gave the
 * value. */
__attribute__((format(printf, 5, 6))) static void refuse(
    struct esf_load *load, yaml_node_t *list, uint32_t i, const char *key, const char *format, ...)
{
	struct esf_path item = { &kpis_path, NULL, i }, path = { &item, key, 0 };
	yaml_node_t *entry = esf_document_item(load->document, list, i);
	yaml_node_t *value = esf_document_find(load->document, entry, key);
	char said[ESF_FAULT_TEXT_MAX];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(said, sizeof(said), format, arguments);
	va_end(arguments);
	esf_load_fault(load, &path, value == NULL ? entry : value, "%s", said);
}

static uint32_t count_edges(const struct esf_bands *bands, int side)
{
	return (uint32_t)(isfinite(bands->good[side]) + isfinite(bands->warn[side]) +
	                  isfinite(bands->crit[side]));
}

/* Good, warn and crit all have an edge on that side, or none has. */
static bool check_closed(
    struct esf_load *load, yaml_node_t *list, uint32_t i, const struct esf_bands *bands, int side)
{
	uint32_t edges = count_edges(bands, side);

	for (int which = GOOD; which < BANDS_COUNT; which++) {
		if (isfinite(band(bands, which)[side]) || edges == 0 || edges == BANDS_COUNT)
			continue;
		refuse(load, list, i, band_names[which],
		    "no %s edge, want good, warn and crit to have one, or none of them",
		    side_names[side]);
		return false;
	}
	return true;
}

static bool check_order(
    struct esf_load *load, yaml_node_t *list, uint32_t i, const struct esf_bands *bands, int side)
{
	for (int which = WARN; which < BANDS_COUNT; which++) {
		double inner = band(bands, which - 1)[side], outer = band(bands, which)[side];

		if (!isfinite(inner) || (side == 0 ? outer < inner : outer > inner))
			continue;
		refuse(load, list, i, band_names[which],
		    "the %s edge is %.15g, want it %s %s's, which is %.15g", side_names[side],
		    outer, side == 0 ? "below" : "above", band_names[which - 1], inner);
		return false;
	}
	return true;
}

static bool check_bands(
    struct esf_load *load, yaml_node_t *list, uint32_t i, const struct esf_bands *bands)
{
	bool sound = true;

	for (int side = 0; side < 2; side++)
		sound &= check_closed(load, list, i, bands, side) &&
		         check_order(load, list, i, bands, side);
	return sound;
}

static bool is_readable(struct esf_load *load, yaml_node_t *entry)
{
	bool known = esf_document_is_known(load->document, entry, "weight");

	for (int which = GOOD; which < BANDS_COUNT; which++)
		known &= esf_document_is_known(load->document, entry, band_names[which]);
	return known;
}

static void check_source(
    struct esf_load *load, yaml_node_t *list, uint32_t i, const struct esf_kpi *kpi)
{
	yaml_node_t *entry = esf_document_item(load->document, list, i);
	yaml_node_t *expr = esf_document_find(load->document, entry, "expr");
	yaml_node_t *derive = esf_document_find(load->document, entry, "derive");
	const char *when = esf_node_text(derive);

	if (kpi->source == ESF_KPI_COMMS && (expr != NULL || derive != NULL))
		refuse(load, list, i, expr == NULL ? "derive" : "expr",
		    "the dataplane counts %s itself: remove it", kpi->name);
	else if (kpi->expr == NULL && when != NULL && strcmp(when, "never") != 0 &&
	         strcmp(when, "heard") != 0 && esf_document_is_sound(load->document, derive) &&
	         esf_document_is_known(load->document, entry, "expr"))
		refuse(load, list, i, "derive", "got \"%s\", but there is no expr to derive %s by",
		    when, kpi->name);
}

static void check_entry(
    struct esf_load *load, yaml_node_t *list, uint32_t i, const struct esf_kpi *kpi)
{
	yaml_node_t *entry = esf_document_item(load->document, list, i);

	if (!is_readable(load, entry) || !check_bands(load, list, i, &kpi->bands))
		return;
	check_source(load, list, i, kpi);
	if (kpi->weight > 0 && count_edges(&kpi->bands, 0) + count_edges(&kpi->bands, 1) == 0)
		refuse(load, list, i, "weight",
		    "%.15g, but no bands to score it by: want good, warn and crit, or weight 0",
		    kpi->weight);
	if (kpi->vital && kpi->weight == 0)
		esf_fault_warn(load->faults, &kpis_path, esf_node_line(entry),
		    "%s is vital but has no weight, so it is not scored and caps nothing",
		    kpi->name);
}

/* What is known of the KPIs' names while the file's are merged with the domain's. */
struct merge {
	struct esf_index names;   /* -> index in config.kpis, or NOT_USABLE */
	struct esf_index entries; /* the file's own -> index in kpis[] */
	bool known;               /* every name could be read */
	uint32_t *entry_of; /* by index in config.kpis: the file's own entry, or ESF_INDEX_NONE */
};

enum { NOT_USABLE = 0xfffffffe }; /* the name of an entry that had a fault */

static void merge_entry(struct esf_load *load, struct esf_file *file, yaml_node_t *list, uint32_t i,
    struct merge *merge)
{
	struct esf_config *config = &file->config;
	const struct esf_kpi_entry *entry = &file->kpis[i];
	yaml_node_t *item = esf_document_item(load->document, list, i);
	yaml_node_t *node = esf_document_find(load->document, item, "name");
	const char *name = esf_node_text(node);
	uint32_t other, kpi;

	if (name == NULL) {
		merge->known = false;
		return;
	}
	if (entry->name == NULL) {
		esf_index_add(&merge->names, name, strlen(name), NOT_USABLE);
		return;
	}
	other = esf_index_add(&merge->entries, name, strlen(name), i);
	if (other != ESF_INDEX_NONE) {
		refuse(load, list, i, "name", "\"%s\" again: kpis[%u] on line %u has it", name,
		    other, esf_node_line(esf_document_item(load->document, list, other)));
		return;
	}
	kpi = esf_index_add(&merge->names, entry->name, strlen(entry->name), config->kpis_count);
	if (kpi == ESF_INDEX_NONE) {
		kpi = config->kpis_count;
		append(config, entry);
	} else if (kpi < config->kpis_count)
		override(&config->kpis[kpi], entry);
	if (kpi < config->kpis_count) {
		merge->entry_of[kpi] = i;
		check_entry(load, list, i, &config->kpis[kpi]);
	}
}

static void number_measures(struct esf_config *config)
{
	for (uint32_t i = 0; i < config->kpis_count; i++) {
		if (config->kpis[i].source == ESF_KPI_MEASURED)
			config->kpis[i].measure = (uint16_t)config->measures_count++;
	}
}

static void check_whole(struct esf_load *load, const struct esf_config *config,
    const struct esf_domain *domain, yaml_node_t *list)
{
	yaml_node_t *root = esf_document_root(load->document);
	double weights = 0;

	for (uint32_t i = 0; i < config->kpis_count; i++)
		weights += config->kpis[i].weight;
	if (config->kpis_count > ESF_KPIS_MAX)
		esf_load_fault(load, &kpis_path, list,
		    "%u KPIs with the domain's %u, want at most %u", config->kpis_count,
		    domain->kpis_count, ESF_KPIS_MAX);
	else if (weights == 0 && esf_document_is_known(load->document, root, "kpis"))
		esf_fault_warn(load->faults, &kpis_path, esf_node_line(list == NULL ? root : list),
		    "none has a weight, so health is always unknown");
}

void esf_kpi_check(struct esf_load *load, struct esf_file *file)
{
	struct esf_config *config = &file->config;
	yaml_node_t *root = esf_document_root(load->document);
	yaml_node_t *list = esf_document_find(load->document, root, "kpis");
	struct merge merge = { .known = esf_document_is_known(load->document, root, "kpis") };
	struct esf_domain domain;

	if (!esf_document_is_known(load->document, root, "domain") ||
	    esf_domain_load(config->domain, load->arena, load->faults, &domain) != 0)
		return;
	config->kpis = esf_arena_alloc(
	    load->arena, (domain.kpis_count + file->kpis_count) * sizeof(*config->kpis));
	merge.entry_of =
	    esf_arena_alloc(load->arena, (domain.kpis_count + file->kpis_count) * sizeof(uint32_t));
	if (config->kpis == NULL || merge.entry_of == NULL)
		return;
	memset(merge.entry_of, 0xff, (domain.kpis_count + file->kpis_count) * sizeof(uint32_t));
	esf_index_create(&merge.names, load->arena, domain.kpis_count + file->kpis_count);
	esf_index_create(&merge.entries, load->arena, file->kpis_count);
	for (uint32_t i = 0; i < domain.kpis_count; i++) {
		esf_index_add(&merge.names, domain.kpis[i].name, strlen(domain.kpis[i].name), i);
		append(config, &domain.kpis[i]);
	}
	for (uint32_t i = 0; i < file->kpis_count; i++)
		merge_entry(load, file, list, i, &merge);
	esf_derived_build(load, file, &merge.names, merge.entry_of, merge.known);
	number_measures(config);
	check_whole(load, config, &domain, list);
	esf_rule_build(load, file, &domain, &merge.names, merge.known);
}

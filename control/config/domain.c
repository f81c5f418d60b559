/* SPDX-License-Identifier: Apache-2.0 */
#include "domain.h"

#include <errno.h>
#include <string.h>

#include "domain_data.h"
#include "kpi_rows.h"
#include "rows.h"

static const struct esf_choice sources[] = {
	{ "records", ESF_KPI_MEASURED, NULL },
	{ "dataplane", ESF_KPI_COMMS, NULL },
	{ NULL, 0, NULL },
};

/* What a KPI means and where that definition comes from is for the reader of the file, and
 * required. */
static const struct esf_key kpi_fields[] = {
	ESF_KPI_ROWS,
	{ .name = "definition",
	    .kind = ESF_KEY_TEXT,
	    .max = 1000,
	    .offset = ESF_NOWHERE,
	    .required = true },
	{ .name = "reference",
	    .kind = ESF_KEY_TEXT,
	    .max = 1000,
	    .offset = ESF_NOWHERE,
	    .required = true },
	{ ESF_CHOICE("from", struct esf_kpi_entry, source, sources) },
	ESF_END,
};
static const struct esf_key kpi_item = {
	.kind = ESF_KEY_MAPPING, .fields = kpi_fields, .prepare = esf_kpi_prepare
};

static const struct esf_key domain_fields[] = {
	{ .name = "domain",
	    .kind = ESF_KEY_TEXT,
	    .max = 63,
	    .offset = ESF_NOWHERE,
	    .required = true },
	{ ESF_LIST("kpis", struct esf_domain, kpis, kpi_item, 1, ESF_KPIS_MAX / 2),
	    .required = true },
	{ ESF_LIST("rules", struct esf_domain, rules, esf_rule_preset_item, 1, 256),
	    .required = true },
	ESF_END,
};
static const struct esf_key domain_key = { .kind = ESF_KEY_MAPPING, .fields = domain_fields };

int esf_domain_load(enum esf_domain_name name, struct esf_arena *arena,
    struct esf_fault_list *faults, struct esf_domain *domain)
{
	static const struct {
		const char *file;
		const char *start;
		const char *end;
	} presets[] = {
		[ESF_ENERGY] = { "energy.yaml", esf_energy_yaml, esf_energy_yaml_end },
		[ESF_MANUFACTURING] = { "manufacturing.yaml", esf_manufacturing_yaml,
		    esf_manufacturing_yaml_end },
		[ESF_LOGISTICS] = { "logistics.yaml", esf_logistics_yaml, esf_logistics_yaml_end },
	};
	const char *file = faults->file;
	uint32_t faults_before = faults->faults;
	struct esf_document document;
	struct esf_load load = { &document, arena, faults };
	int rc;

	memset(domain, 0, sizeof(*domain));
	if (name == ESF_CUSTOM)
		return 0;
	faults->file = presets[name].file;
	rc = esf_document_parse(&document, presets[name].start,
	    (size_t)(presets[name].end - presets[name].start), faults);
	if (rc == 0) {
		esf_schema_read(&load, NULL, esf_document_root(&document), &domain_key, domain);
		esf_document_free(&document);
	}
	faults->file = file;
	if (arena->exhausted)
		return -ENOMEM;
	return faults->faults == faults_before ? rc : -EINVAL;
}

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ESF_CONFIG_KPI_ROWS_H
#define ESF_CONFIG_KPI_ROWS_H

#include "expression.h"
#include "file.h"
#include "rows.h"

/* What a KPI has both in a configuration and in a domain's file. */
#define ESF_KPI_ROWS                                                                             \
	{ ESF_CHECKED("name", struct esf_kpi_entry, name, esf_check_kpi_name), .required = true, \
		.want = ESF_WANT_KPI_NAME },                                                     \
	    { ESF_TEXT("unit", struct esf_kpi_entry, unit, 31) },                                \
	    { ESF_CUSTOM("good", struct esf_kpi_entry, bands.good, esf_set_edges) },             \
	    { ESF_CUSTOM("warn", struct esf_kpi_entry, bands.warn, esf_set_edges) },             \
	    { ESF_CUSTOM("crit", struct esf_kpi_entry, bands.crit, esf_set_edges) },             \
	    { ESF_NUMBER("weight", struct esf_kpi_entry, weight, 0, 1000000) },                  \
	    { ESF_BOOLEAN("vital", struct esf_kpi_entry, vital) },                               \
	    { ESF_BOOLEAN("compare", struct esf_kpi_entry, compare) },                           \
	    { ESF_TEXT("expr", struct esf_kpi_entry, expr, ESF_EXPRESSION_SIZE_MAX) },           \
	    { ESF_CHOICE("derive", struct esf_kpi_entry, derive, esf_kpi_derives) },             \
	    { ESF_LIST(                                                                          \
		"exclude", struct esf_kpi_entry, exclude, esf_kpi_name_item, 0, ESF_KPIS_MAX) }, \
	{                                                                                        \
		ESF_NUMBER("min_effect", struct esf_kpi_entry, min_effect, 0, 1e15)              \
	}

#define ESF_WANT_KPI_NAME "a name like output_ratio: a-z, 0-9 and _, 1..63 bytes"

const char *esf_check_kpi_name(const char *text, char *buffer);
const char *esf_set_edges(struct esf_load *load, yaml_node_t *node, void *slot);
void esf_kpi_prepare(void *slot);

extern const struct esf_choice esf_kpi_derives[];
extern const struct esf_key esf_kpi_name_item;

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ESF_CONFIG_FILE_H
#define ESF_CONFIG_FILE_H

#include "arena.h"
#include "config.h"
#include "index.h"
#include "schema.h"

enum {
	ESF_NORMALISE_MAX =
	    ESF_RULES_MAX - 2 * ESF_KPIS_MAX - 256, /* leaves room for the domain's */
	ESF_PATTERN_SIZE_MAX = 1024,
	ESF_ABSENT = 2, /* a boolean that the file does not give */
	ESF_LIST_ABSENT = 0xffffffff,
};

/* When a KPI's expression counts. */
enum esf_derive {
	ESF_DERIVE_UNSAID,
	ESF_DERIVE_ALWAYS,
	ESF_DERIVE_MISSING,
	ESF_DERIVE_NEVER,
	ESF_DERIVE_HEARD,
};

/* A KPI as a file gives it; what it does not give is NaN, NULL or ESF_ABSENT. */
struct esf_kpi_entry {
	char *name;
	char *unit;
	uint32_t source; /* enum esf_kpi_source */
	uint8_t vital;
	uint8_t compare;
	double weight;
	double min_effect;
	struct esf_bands bands;
	char *expr;
	uint32_t derive;        /* enum esf_derive */
	uint32_t exclude_count; /* or ESF_LIST_ABSENT */
	char **exclude;
};

/* A name rule as a file gives it. */
struct esf_rule_entry {
	char *match;
	char *kpi;
	double scale, offset, min, max;
	uint32_t type; /* enum esf_rule_type */
};

/* A file while it is loaded: what becomes the configuration, and the lists that are merged into it.
 */
struct esf_file {
	struct esf_config config;
	struct esf_arena arena;
	uint32_t kpis_count;
	struct esf_kpi_entry *kpis;
	uint32_t normalise_count;
	struct esf_rule_entry *normalise;
	uint32_t profile, domain, ingestion, unknown_sites,
	    calibrate, idle_policy;  /* the enums' values, as the table stores them */
	struct esf_index site_names; /* as they stand in the file, the faulty ones too */
	bool site_names_known; /* false: a site's name could not be read, so references are not
	                          judged */
};

/* The whole file's table, in CONTRACT section 3's order. */
extern const struct esf_key esf_file_key;

/* An item of normalise[]; and of a preset's rules, whose patterns are tested with the program. */
extern const struct esf_key esf_rule_item, esf_rule_preset_item;

/*
 * The checks of what the table can't see: duplicates, references, relations between keys. Each
 * skips what already had a fault. They run in this order, each after the ones above.
 */
void esf_profile_check(struct esf_load *load, struct esf_file *file);
void esf_network_check(struct esf_load *load, struct esf_file *file);
void esf_site_check(struct esf_load *load, struct esf_file *file);
void esf_profile_check_sites(struct esf_load *load, const struct esf_path *path, yaml_node_t *node,
    const struct esf_file *file); /* those of an inventory, by esf_inventory_check */
void esf_inventory_check(struct esf_load *load, struct esf_file *file); /* by esf_site_check */
void esf_regionmap_check(struct esf_load *load, struct esf_file *file);
void esf_maintenance_check(struct esf_load *load, struct esf_file *file);
void esf_relation_check(struct esf_load *load, struct esf_file *file);

/* Merges the domain's KPIs and rules with the file's into file->config, and checks the result. */
void esf_kpi_check(struct esf_load *load, struct esf_file *file);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#include "scenario_parts.h"

#include <stdlib.h>
#include <string.h>

/* The `sites:` mapping. */
struct sites {
	uint64_t count;
	uint64_t first_id;
	char name[ESF_SCENARIO_NAME_MAX + 1];
	yaml_node_t *regions, *list;
};

/* One entry of its `list:`. */
struct listed {
	uint64_t id;
	char name[ESF_SCENARIO_NAME_MAX + 1];
	char region[ESF_SCENARIO_NAME_MAX + 1];
	int64_t interval_ns;
};

static const struct esf_yamldoc_field sites_fields[] = {
	{ "count", esf_yamldoc_count, offsetof(struct sites, count), 0, ESF_SCENARIO_SITES_MAX,
	    NULL },
	{ "name", esf_yamldoc_text, offsetof(struct sites, name), 0, ESF_SCENARIO_NAME_MAX, NULL },
	{ "regions", esf_yamldoc_node, offsetof(struct sites, regions), 0, 0, NULL },
	{ "first_id", esf_yamldoc_count, offsetof(struct sites, first_id), 1,
	    UINT32_MAX - ESF_SCENARIO_SITES_MAX, NULL },
	{ "list", esf_yamldoc_node, offsetof(struct sites, list), 0, 0, NULL },
};

static const struct esf_yamldoc_field listed_fields[] = {
	{ "id", esf_yamldoc_count, offsetof(struct listed, id), 1, UINT32_MAX, NULL },
	{ "name", esf_yamldoc_text, offsetof(struct listed, name), 0, ESF_SCENARIO_NAME_MAX, NULL },
	{ "region", esf_yamldoc_text, offsetof(struct listed, region), 0, ESF_SCENARIO_NAME_MAX,
	    NULL },
	{ "interval", esf_yamldoc_duration, offsetof(struct listed, interval_ns), 1e-6, 86400,
	    NULL },
};

enum { LISTED_ID_AND_NAME = 3, REGION_FIELD = 2 };

static void regions_read(struct esf_yamldoc *doc, yaml_node_t *node, struct esf_scenario *scenario)
{
	const struct esf_yamldoc_field field = { .max = ESF_SCENARIO_NAME_MAX };
	size_t count = esf_yamldoc_list(doc, node, "sites.regions", ESF_SCENARIO_REGIONS_MAX);

	for (size_t i = 0; i < count; i++) {
		char *name = scenario->regions[scenario->regions_count];
		char key[ESF_YAMLDOC_KEY_SIZE];

		snprintf(key, sizeof(key), "sites.regions[%zu]", i);
		esf_yamldoc_text(doc, esf_yamldoc_item(doc, node, i), key, &field, name);
		scenario->regions_count++;
	}
}

/* Index of the region, which is added if it is new; NO_REGION when there is no room for it. */
static uint32_t region_index(struct esf_scenario *scenario, const char *name)
{
	for (uint32_t i = 0; i < scenario->regions_count; i++) {
		if (strcmp(scenario->regions[i], name) == 0)
			return i;
	}
	if (scenario->regions_count == ESF_SCENARIO_REGIONS_MAX)
		return ESF_SCENARIO_NO_REGION;
	strcpy(scenario->regions[scenario->regions_count], name);
	return scenario->regions_count++;
}

/*
 * Writes a site's name by its pattern: {region}, and {n} with as many n as the number has digits at
 * least. False when the pattern is wrong or the name too long.
 */
static bool name_expand(const char *pattern, const char *region, uint64_t number, char *out)
{
	size_t used = 0;

	while (*pattern && used <= ESF_SCENARIO_NAME_MAX) {
		size_t room = ESF_SCENARIO_NAME_MAX + 1 - used;
		size_t digits = *pattern == '{' ? strspn(pattern + 1, "n") : 0;

		if (*pattern != '{') {
			out[used++] = *pattern++;
		} else if (digits && digits < 20 && pattern[digits + 1] == '}') {
			used += (size_t)snprintf(
			    out + used, room, "%0*llu", (int)digits, (unsigned long long)number);
			pattern += digits + 2;
		} else if (region && strncmp(pattern, "{region}", 8) == 0) {
			used += (size_t)snprintf(out + used, room, "%s", region);
			pattern += 8;
		} else {
			return false;
		}
	}
	if (used == 0 || used > ESF_SCENARIO_NAME_MAX)
		return false;
	out[used] = '\0';
	return true;
}

static void site_add(struct esf_scenario *scenario, uint64_t id, uint32_t region,
    int64_t interval_ns, const char *name)
{
	struct esf_scenario_site *site = &scenario->sites[scenario->sites_count++];

	site->id = (uint32_t)id;
	site->region = region;
	site->interval_ns = interval_ns;
	strcpy(site->name, name);
}

/* Generated sites go round the regions, and are numbered within each. */
static void sites_generate(struct esf_yamldoc *doc, yaml_node_t *node, const struct sites *sites,
    struct esf_scenario *scenario)
{
	uint32_t regions = scenario->regions_count;
	char name[ESF_SCENARIO_NAME_MAX + 1] = "";

	for (uint64_t i = 0; i < sites->count; i++) {
		uint32_t region = regions ? (uint32_t)(i % regions) : ESF_SCENARIO_NO_REGION;
		uint64_t number = 1 + (regions ? i / regions : i);

		if (!name_expand(
		        sites->name, regions ? scenario->regions[region] : NULL, number, name)) {
			esf_yamldoc_fault_got(doc, node, "sites.name", sites->name,
			    "at most 63 bytes with {n}, and {region} if there are regions");
			return;
		}
		site_add(scenario, sites->first_id + i, region, scenario->interval_ns, name);
	}
}

static void listed_read(
    struct esf_yamldoc *doc, yaml_node_t *node, size_t index, struct esf_scenario *scenario)
{
	struct listed listed = { .interval_ns = scenario->interval_ns };
	uint32_t region = ESF_SCENARIO_NO_REGION;
	char key[ESF_YAMLDOC_KEY_SIZE];
	uint64_t seen;

	snprintf(key, sizeof(key), "sites.list[%zu]", index);
	seen = esf_yamldoc_map(doc, node, key, listed_fields,
	    sizeof(listed_fields) / sizeof(listed_fields[0]), &listed);
	if ((seen & LISTED_ID_AND_NAME) != LISTED_ID_AND_NAME)
		esf_yamldoc_fault_got(doc, node, key, "less", "at least id and name");
	if (seen >> REGION_FIELD & 1)
		region = region_index(scenario, listed.region);
	site_add(scenario, listed.id, region, listed.interval_ns, listed.name);
}

static int by_id(const void *a, const void *b)
{
	const struct esf_scenario_site *const *x = a, *const *y = b;

	return ((*x)->id > (*y)->id) - ((*x)->id < (*y)->id);
}

static int by_name(const void *a, const void *b)
{
	const struct esf_scenario_site *const *x = a, *const *y = b;

	return strcmp((*x)->name, (*y)->name);
}

static void repeats_report(struct esf_yamldoc *doc, yaml_node_t *node,
    const struct esf_scenario_site **sorted, uint32_t count,
    int (*order)(const void *, const void *))
{
	char got[ESF_SCENARIO_NAME_MAX + 32];

	qsort(sorted, count, sizeof(*sorted), order);
	for (uint32_t i = 1; i < count; i++) {
		if (order(&sorted[i - 1], &sorted[i]) != 0)
			continue;
		snprintf(got, sizeof(got), "id %u, name %s", sorted[i]->id, sorted[i]->name);
		esf_yamldoc_fault_got(doc, node, "sites", got, "ids and names that differ");
		return;
	}
}

/* node: NULL only for the default sites, which do not repeat. */
static void repeats_check(
    struct esf_yamldoc *doc, yaml_node_t *node, const struct esf_scenario *scenario)
{
	const struct esf_scenario_site **sorted;

	if (!node || scenario->sites_count == 0)
		return;
	sorted = malloc(scenario->sites_count * sizeof(*sorted));
	if (!sorted) {
		esf_scenario_no_memory(doc);
		return;
	}
	for (uint32_t i = 0; i < scenario->sites_count; i++)
		sorted[i] = &scenario->sites[i];
	repeats_report(doc, node, sorted, scenario->sites_count, by_id);
	repeats_report(doc, node, sorted, scenario->sites_count, by_name);
	free(sorted);
}

static void mapping_read(struct esf_yamldoc *doc, yaml_node_t *node, struct sites *sites)
{
	if (node->type == YAML_SEQUENCE_NODE) {
		sites->list = node;
		sites->count = 0;
		return;
	}
	if (!(esf_yamldoc_map(doc, node, "sites", sites_fields,
	          sizeof(sites_fields) / sizeof(sites_fields[0]), sites) &
	        1) &&
	    sites->list)
		sites->count = 0;
}

void esf_scenario_sites_read(struct esf_yamldoc *doc, yaml_node_t *node, uint32_t count_override,
    struct esf_scenario *scenario)
{
	struct sites sites = {
		.count = ESF_SCENARIO_SITES_DEFAULT, .first_id = 1, .name = "site-{nnn}"
	};
	size_t listed = 0;

	if (node)
		mapping_read(doc, node, &sites);
	if (count_override)
		sites.count = count_override;
	if (sites.list)
		listed = esf_yamldoc_list(
		    doc, sites.list, "sites.list", ESF_SCENARIO_SITES_MAX - sites.count);
	scenario->sites = calloc(sites.count + listed + 1, sizeof(*scenario->sites));
	scenario->regions = calloc(ESF_SCENARIO_REGIONS_MAX, sizeof(*scenario->regions));
	if (!scenario->sites || !scenario->regions) {
		esf_scenario_no_memory(doc);
		return;
	}
	if (sites.regions)
		regions_read(doc, sites.regions, scenario);
	sites_generate(doc, node, &sites, scenario);
	for (size_t i = 0; i < listed; i++)
		listed_read(doc, esf_yamldoc_item(doc, sites.list, i), i, scenario);
	if (node && scenario->sites_count == 0)
		esf_yamldoc_fault_got(doc, node, "sites", "no sites", "at least one");
	repeats_check(doc, node, scenario);
}

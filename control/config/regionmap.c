/* SPDX-License-Identifier: Apache-2.0 */
#include "regionmap.h"

#include <fnmatch.h>
#include <string.h>

#include "file.h"
#include "nearest.h"

enum { OFFERS_MAX = 4096 }; /* sites that a misspelt name is compared with */

static const struct esf_path regions_path = { .key = "regions" };

/* Per site: the first region that lists it by name, and the last one so far. */
struct named {
	uint32_t first;
	uint32_t last;
};

uint32_t esf_regionmap_find(const struct esf_config *config, const char *site, uint32_t named)
{
	for (uint32_t i = 0; i < named; i++) {
		const char *match = config->regions[i].match;

		if (match != NULL && fnmatch(match, site, 0) == 0)
			return i;
	}
	return named;
}

static yaml_node_t *item_key(struct esf_load *load, yaml_node_t *list, uint32_t i, const char *key)
{
	return esf_document_find(load->document, esf_document_item(load->document, list, i), key);
}

static void check_name(
    struct esf_load *load, struct esf_index *names, yaml_node_t *list, uint32_t i)
{
	struct esf_path item = { &regions_path, NULL, i }, path = { &item, "name", 0 };
	yaml_node_t *node = item_key(load, list, i, "name");
	const char *text = esf_node_text(node);
	uint32_t other;

	if (!esf_document_is_sound(load->document, node))
		return;
	if (strcmp(text, "unassigned") == 0) {
		esf_load_fault(load, &path, node,
		    "got \"unassigned\", want another name: it holds the sites that no region "
		    "takes");
		return;
	}
	other = esf_index_add(names, text, strlen(text), i);
	if (other != ESF_INDEX_NONE)
		esf_load_fault(load, &path, node, "\"%s\" again: regions[%u] on line %u has it",
		    text, other, esf_node_line(item_key(load, list, other, "name")));
}

static void check_takes(struct esf_load *load, yaml_node_t *list, uint32_t i)
{
	struct esf_path path = { &regions_path, NULL, i };
	yaml_node_t *region = esf_document_item(load->document, list, i);

	if (!esf_document_is_sound(load->document, region) || region->type != YAML_MAPPING_NODE)
		return;
	if (item_key(load, list, i, "sites") == NULL && item_key(load, list, i, "match") == NULL)
		esf_load_fault(load, &path, region, "takes no site, want sites or match");
}

/*
 * Sites whose name had a fault are offered first: a region that names "n-1" is right where it is
 * the site that says "n 1".
 */
static bool is_meant(struct esf_load *load, const struct esf_file *file, const char *word)
{
	yaml_node_t *sites =
	    esf_document_find(load->document, esf_document_root(load->document), "sites");
	struct esf_nearest nearest;

	if (sites == NULL) /* an inventory's rows are judged before, and had no fault */
		return false;
	esf_nearest_start(&nearest, word);
	for (uint32_t i = 0; i < file->config.sites_count && i < OFFERS_MAX; i++) {
		const char *name = esf_node_text(item_key(load, sites, i, "name"));

		if (file->config.sites[i].name == NULL && name != NULL)
			esf_nearest_offer(&nearest, name);
	}
	return nearest.name != NULL;
}

static void refuse_unknown(struct esf_load *load, const struct esf_file *file,
    const struct esf_path *path, yaml_node_t *node)
{
	struct esf_nearest nearest;
	char hint[128];

	if (is_meant(load, file, esf_node_text(node)))
		return;
	esf_nearest_start(&nearest, esf_node_text(node));
	for (uint32_t i = 0; i < file->config.sites_count && i < OFFERS_MAX; i++) {
		if (file->config.sites[i].name != NULL)
			esf_nearest_offer(&nearest, file->config.sites[i].name);
	}
	esf_load_fault(load, path, node, "got \"%s\", want the name of one of sites%s",
	    esf_node_text(node), esf_nearest_hint(&nearest, hint, sizeof(hint)));
}

static void take_named(struct esf_load *load, const struct esf_file *file, struct named *named,
    yaml_node_t *list, uint32_t i)
{
	struct esf_path item = { &regions_path, NULL, i }, key = { &item, "sites", 0 };
	yaml_node_t *names = item_key(load, list, i, "sites");

	for (uint32_t j = 0; j < file->config.regions[i].sites_count; j++) {
		struct esf_path path = { &key, NULL, j };
		yaml_node_t *node = esf_document_item(load->document, names, j);
		const char *text = esf_node_text(node);
		uint32_t site;

		if (!esf_document_is_sound(load->document, node))
			continue;
		site = esf_index_find(&file->site_names, text, strlen(text));
		if (site == ESF_INDEX_NONE) {
			if (file->site_names_known)
				refuse_unknown(load, file, &path, node);
			continue;
		}
		if (named[site].last == i)
			esf_load_fault(
			    load, &path, node, "\"%s\" again, want each site once", text);
		else if (named[site].first < i)
			esf_fault_warn(load->faults, &path, esf_node_line(node),
			    "\"%s\" is in regions[%u] already, where it stays", text,
			    named[site].first);
		if (named[site].first > i)
			named[site].first = i;
		named[site].last = i;
	}
}

static void resolve(struct esf_config *config, const struct named *named)
{
	for (uint32_t i = 0; i < config->sites_count; i++) {
		struct esf_site_config *site = &config->sites[i];

		if (site->name != NULL)
			site->region = esf_regionmap_find(config, site->name, named[i].first);
	}
}

void esf_regionmap_check(struct esf_load *load, struct esf_file *file)
{
	struct esf_config *config = &file->config;
	yaml_node_t *list =
	    esf_document_find(load->document, esf_document_root(load->document), "regions");
	struct named *named = esf_arena_alloc(load->arena, config->sites_count * sizeof(*named));
	uint32_t faults_before = load->faults->faults;
	struct esf_index names;

	if (named == NULL)
		return;
	for (uint32_t i = 0; i < config->sites_count; i++)
		named[i] = (struct named){ config->regions_count, UINT32_MAX };
	esf_index_create(&names, load->arena, config->regions_count);
	for (uint32_t i = 0; i < config->regions_count; i++) {
		check_name(load, &names, list, i);
		check_takes(load, list, i);
		take_named(load, file, named, list, i);
	}
	if (load->faults->faults == faults_before && config->regions_count <= ESF_REGIONS_MAX)
		resolve(config, named);
}

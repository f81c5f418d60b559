/* SPDX-License-Identifier: Apache-2.0 */
#include "file.h"

#include <stdio.h>
#include <string.h>

#include "nearest.h"
#include "value.h"

/* Maintenance windows: whom their scopes take, and what may not overlap. */

enum {
	OFFERS_MAX = 4096, /* names that a misspelt one is compared with */
	LABELS_MAX = 32,   /* of a site */
	LABEL_VALUE_MAX = 255,
};

static const struct esf_path maintenance_path = { .key = "maintenance" };

/* The windows while they are checked. */
struct checking {
	struct esf_load *load;
	struct esf_file *file;
	yaml_node_t *list;
	struct esf_index scopes; /* a scope's text -> its place */
	struct esf_index labels; /* NAME=VALUE -> the place of its scope */
	bool *taken;             /* by scope: there is such a label */
	bool any_label;
	uint16_t *named; /* by site: the scope that has its name, or ESF_NO_SCOPE; NULL: none */
};

static yaml_node_t *item_key(const struct checking *of, uint32_t i, const char *key)
{
	struct esf_document *document = of->load->document;

	return esf_document_find(document, esf_document_item(document, of->list, i), key);
}

static bool is_sound(const struct checking *of, uint32_t i, const char *key)
{
	return esf_document_is_sound(of->load->document, item_key(of, i, key));
}

/* Whether the top-level list could be read as a whole. */
static bool is_known(const struct checking *of, const char *key)
{
	struct esf_document *document = of->load->document;

	return esf_document_is_known(document, esf_document_root(document), key);
}

static void refuse_scope(
    const struct checking *of, uint32_t i, const char *want, const struct esf_nearest *nearest)
{
	struct esf_path item = { &maintenance_path, NULL, i }, path = { &item, "scope", 0 };
	char hint[128];

	esf_load_fault(of->load, &path, item_key(of, i, "scope"), "got \"%s\", want %s%s",
	    of->file->config.maintenance[i].scope, want,
	    esf_nearest_hint(nearest, hint, sizeof(hint)));
}

static void resolve_region(
    struct checking *of, uint32_t i, const char *name, struct esf_maintenance_scope *scope)
{
	const struct esf_config *config = &of->file->config;
	struct esf_nearest nearest;
	bool known = is_known(of, "regions");

	scope->kind = ESF_MAINTENANCE_REGION;
	scope->region = config->regions_count;
	esf_nearest_start(&nearest, name);
	for (uint32_t r = 0; r < config->regions_count; r++) {
		const char *region = config->regions[r].name;

		known &= region != NULL;
		if (region != NULL && strcmp(region, name) == 0) {
			scope->region = r;
			return;
		}
		if (region != NULL)
			esf_nearest_offer(&nearest, region);
	}
	if (known && strcmp(name, "unassigned") != 0)
		refuse_scope(of, i, "region: and the name of one of regions", &nearest);
}

static void take_named(struct checking *of, uint32_t site, uint32_t place)
{
	size_t size = of->file->config.sites_count * sizeof(*of->named);

	if (of->named == NULL) {
		of->named = esf_arena_alloc(of->load->arena, size);
		if (of->named == NULL)
			return;
		memset(of->named, 0xff, size);
	}
	of->named[site] = (uint16_t)place;
}

/* Where unknown sites are learned, one of the name may come yet. */
static void resolve_site(struct checking *of, uint32_t i, const char *name, uint32_t place)
{
	const struct esf_file *file = of->file;
	struct esf_maintenance_scope *scope = &of->file->config.maintenance_scopes[place];
	struct esf_path item = { &maintenance_path, NULL, i }, path = { &item, "scope", 0 };
	struct esf_nearest nearest;
	uint32_t site;

	scope->kind = ESF_MAINTENANCE_SITE;
	scope->name = name;
	site = esf_index_find(&file->site_names, name, strlen(name));
	if (site < file->config.sites_count) {
		take_named(of, site, place);
		return;
	}
	scope->unlisted = true;
	if (file->config.learn_sites)
		esf_fault_warn(of->load->faults, &path, esf_node_line(item_key(of, i, "scope")),
		    "\"%s\" is no listed site: it holds for one that is learned", name);
	if (file->config.learn_sites || !file->site_names_known)
		return;
	esf_nearest_start(&nearest, name);
	for (uint32_t s = 0; s < file->config.sites_count && s < OFFERS_MAX; s++)
		if (file->config.sites[s].name != NULL)
			esf_nearest_offer(&nearest, file->config.sites[s].name);
	refuse_scope(of, i, "site: and the name of one of sites", &nearest);
}

/* The scope's text begins with its kind; the table has let nothing else pass. */
static void resolve(struct checking *of, uint32_t i, uint32_t place)
{
	struct esf_maintenance_scope *scope = &of->file->config.maintenance_scopes[place];
	const char *text = of->file->config.maintenance[i].scope, *name = strchr(text, ':');

	if (name == NULL) {
		scope->kind = ESF_MAINTENANCE_FLEET;
		of->file->config.maintenance_fleet = (uint16_t)place;
		return;
	}
	name++;
	if (text[0] == 'r') {
		resolve_region(of, i, name, scope);
	} else if (text[0] == 's') {
		resolve_site(of, i, name, place);
	} else {
		scope->kind = ESF_MAINTENANCE_LABEL;
		scope->name = name;
		of->any_label = true;
		esf_index_add(&of->labels, name, strlen(name), place);
	}
}

static void check_order(struct checking *of, uint32_t i)
{
	const struct esf_maintenance_config *window = &of->file->config.maintenance[i];
	struct esf_path item = { &maintenance_path, NULL, i }, path = { &item, "to", 0 };
	char from[ESF_TIME_TEXT_SIZE], to[ESF_TIME_TEXT_SIZE];

	if (is_sound(of, i, "from") && is_sound(of, i, "to") && window->from_ns >= window->to_ns)
		esf_load_fault(of->load, &path, item_key(of, i, "to"),
		    "got %s, want a time after from, %s", esf_value_time_text(window->to_ns, to),
		    esf_value_time_text(window->from_ns, from));
}

/* At most 1024 windows, so each is held against those before it. */
static void check_overlap(struct checking *of, uint32_t i)
{
	const struct esf_maintenance_config *windows = of->file->config.maintenance;
	struct esf_path item = { &maintenance_path, NULL, i };

	if (!is_sound(of, i, "from") || !is_sound(of, i, "to"))
		return;
	for (uint32_t j = 0; j < i; j++) {
		if (windows[j].scope == NULL || windows[j].place != windows[i].place ||
		    windows[j].from_ns >= windows[i].to_ns ||
		    windows[i].from_ns >= windows[j].to_ns || !is_sound(of, j, "from") ||
		    !is_sound(of, j, "to"))
			continue;
		esf_load_fault(of->load, &item, esf_document_item(of->load->document, of->list, i),
		    "overlaps maintenance[%u] on line %u, which has the same scope: want one "
		    "window, or one behind the other",
		    j, esf_node_line(esf_document_item(of->load->document, of->list, j)));
		return;
	}
}

static void check_window(struct checking *of, uint32_t i)
{
	struct esf_config *config = &of->file->config;
	struct esf_maintenance_config *window = &config->maintenance[i];
	uint32_t place = config->maintenance_scopes_count, known;

	check_order(of, i);
	if (window->scope == NULL)
		return;
	known = esf_index_add(&of->scopes, window->scope, strlen(window->scope), place);
	window->place = (uint16_t)(known == ESF_INDEX_NONE ? place : known);
	if (known == ESF_INDEX_NONE) {
		config->maintenance_scopes_count++;
		resolve(of, i, place);
	}
	check_overlap(of, i);
}

/* The scopes that take the site by one of its labels or its name. */
static uint32_t find_scopes(const struct checking *of, uint32_t s, uint16_t *out)
{
	const struct esf_site_config *site = &of->file->config.sites[s];
	char text[ESF_SITE_NAME_MAX + LABEL_VALUE_MAX + 2];
	uint32_t count = 0;

	for (uint32_t i = 0; of->any_label && i < site->labels_count; i++) {
		const struct esf_label *label = &site->labels[i];
		uint32_t found;
		int size;

		if (label->name == NULL || label->value == NULL)
			continue;
		size = snprintf(text, sizeof(text), "%s=%s", label->name, label->value);
		found = esf_index_find(&of->labels, text, (size_t)size);
		if (found == ESF_INDEX_NONE)
			continue;
		of->taken[found] = true;
		out[count++] = (uint16_t)found;
	}
	if (of->named != NULL && of->named[s] != ESF_NO_SCOPE)
		out[count++] = of->named[s];
	return count;
}

static void take_sites(struct checking *of)
{
	struct esf_config *config = &of->file->config;
	uint16_t found[LABELS_MAX + 1];

	for (uint32_t s = 0; (of->any_label || of->named != NULL) && s < config->sites_count; s++) {
		struct esf_site_config *site = &config->sites[s];
		uint32_t count = find_scopes(of, s, found);

		if (count == 0)
			continue;
		site->maintenance = esf_arena_alloc(of->load->arena, count * sizeof(found[0]));
		if (site->maintenance == NULL)
			return;
		memcpy(site->maintenance, found, count * sizeof(found[0]));
		site->maintenance_count = count;
	}
}

static void offer_labels(const struct checking *of, struct esf_nearest *nearest)
{
	const struct esf_config *config = &of->file->config;
	char text[ESF_SITE_NAME_MAX + LABEL_VALUE_MAX + 2];

	for (uint32_t s = 0; s < config->sites_count && s < OFFERS_MAX / 4; s++) {
		for (uint32_t i = 0; i < config->sites[s].labels_count; i++) {
			const struct esf_label *label = &config->sites[s].labels[i];
			const char *kept;

			if (label->name == NULL || label->value == NULL)
				continue;
			snprintf(text, sizeof(text), "%s=%s", label->name, label->value);
			kept = esf_arena_text(of->load->arena, text);
			if (kept != NULL)
				esf_nearest_offer(nearest, kept);
		}
	}
}

/* Told of the first window that names the label. */
static void check_labels(struct checking *of)
{
	const struct esf_config *config = &of->file->config;
	bool told[ESF_MAINTENANCE_MAX] = { false };

	if (!of->any_label || !is_known(of, "sites") || !of->file->site_names_known)
		return;
	for (uint32_t i = 0; i < config->maintenance_count; i++) {
		const struct esf_maintenance_config *window = &config->maintenance[i];
		const struct esf_maintenance_scope *scope =
		    &config->maintenance_scopes[window->place];
		struct esf_nearest nearest;

		if (window->scope == NULL || scope->kind != ESF_MAINTENANCE_LABEL ||
		    of->taken[window->place] || told[window->place])
			continue;
		told[window->place] = true;
		esf_nearest_start(&nearest, scope->name);
		offer_labels(of, &nearest);
		refuse_scope(of, i, "label: and NAME=VALUE as a site has it", &nearest);
	}
}

static void index_regions(struct checking *of)
{
	struct esf_config *config = &of->file->config;
	size_t size = (config->regions_count + (size_t)1) * sizeof(uint16_t);

	for (uint32_t i = 0; i < config->maintenance_scopes_count; i++) {
		const struct esf_maintenance_scope *scope = &config->maintenance_scopes[i];

		if (scope->kind != ESF_MAINTENANCE_REGION)
			continue;
		if (config->maintenance_regions == NULL) {
			config->maintenance_regions = esf_arena_alloc(of->load->arena, size);
			if (config->maintenance_regions == NULL)
				return;
			memset(config->maintenance_regions, 0xff, size);
		}
		config->maintenance_regions[scope->region] = (uint16_t)i;
	}
}

void esf_maintenance_check(struct esf_load *load, struct esf_file *file)
{
	struct esf_config *config = &file->config;
	yaml_node_t *root = esf_document_root(load->document);
	bool taken[ESF_MAINTENANCE_MAX] = { false };
	struct checking of = { .load = load,
		.file = file,
		.list = esf_document_find(load->document, root, "maintenance"),
		.taken = taken };

	if (config->maintenance_count == 0)
		return;
	config->maintenance_scopes = esf_arena_alloc(
	    load->arena, config->maintenance_count * sizeof(*config->maintenance_scopes));
	if (config->maintenance_scopes == NULL)
		return;
	esf_index_create(&of.scopes, load->arena, config->maintenance_count);
	esf_index_create(&of.labels, load->arena, config->maintenance_count);
	for (uint32_t i = 0; i < config->maintenance_count; i++)
		check_window(&of, i);
	index_regions(&of);
	take_sites(&of);
	check_labels(&of);
}

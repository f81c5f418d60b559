/* SPDX-License-Identifier: Apache-2.0 */
#include "profile.h"

#include <stddef.h>

#include "file.h"

static const struct esf_profile_limits profiles[ESF_PROFILES_COUNT] = {
	[ESF_PROFILE_SMALL] = { "small", 50, 4, 2, ESF_FULL },
	[ESF_PROFILE_MEDIUM] = { "medium", 200, 16, 8, ESF_DOWNSAMPLE },
	[ESF_PROFILE_LARGE] = { "large", 1000, 64, 16, ESF_DEVIATION },
	[ESF_PROFILE_XLARGE] = { "xlarge", ESF_SITES_MAX, ESF_REGIONS_MAX, 16, ESF_DEVIATION },
};

const struct esf_profile_limits *esf_profile_limits(enum esf_profile profile)
{
	return &profiles[profile];
}

static uint32_t bound(const struct esf_profile_limits *limits, size_t offset)
{
	return *(const uint32_t *)((const char *)limits + offset);
}

const struct esf_profile_limits *esf_profile_above(
    enum esf_profile profile, size_t offset, uint32_t count)
{
	for (unsigned i = profile + 1; i < ESF_PROFILES_COUNT; i++) {
		if (bound(&profiles[i], offset) >= count)
			return &profiles[i];
	}
	return NULL;
}

static void check_count(struct esf_load *load, const struct esf_path *path, yaml_node_t *list,
    uint32_t count, enum esf_profile profile, size_t offset, const char *what)
{
	const struct esf_profile_limits *limits = &profiles[profile];
	const struct esf_profile_limits *above;

	if (count <= bound(limits, offset))
		return;
	above = esf_profile_above(profile, offset, count);
	if (above == NULL)
		esf_load_fault(load, path, list, "%u %s, and no profile takes more than %u", count,
		    what, bound(&profiles[ESF_PROFILE_XLARGE], offset));
	else
		esf_load_fault(load, path, list, "%u %s, profile %s takes %u: use profile %s",
		    count, what, limits->name, bound(limits, offset), above->name);
}

/* The table can't say "not built yet" for slots: too many of them is the fault to name first. */
static void check_slots(struct esf_load *load, yaml_node_t *root, const struct esf_file *file)
{
	static const struct esf_path ai = { .key = "ai" }, path = { &ai, "slots", 0 };
	yaml_node_t *list = esf_document_find(
	    load->document, esf_document_find(load->document, root, "ai"), "slots");

	if (esf_node_items(list) == 0 || !esf_document_is_sound(load->document, list))
		return;
	if (esf_document_is_known(load->document, root, "profile"))
		check_count(load, &path, list, esf_node_items(list), file->profile,
		    offsetof(struct esf_profile_limits, ai_slots), "AI slots");
	if (esf_document_is_sound(load->document, list))
		esf_load_fault(load, &path, list, "not built yet: set ai: {slots: []}");
}

static void check_list(struct esf_load *load, yaml_node_t *root, enum esf_profile profile,
    size_t offset, const char *key)
{
	const struct esf_path path = { .key = key };
	yaml_node_t *list = esf_document_find(load->document, root, key);

	check_count(load, &path, list, esf_node_items(list), profile, offset, key);
}

void esf_profile_check_sites(struct esf_load *load, const struct esf_path *path, yaml_node_t *node,
    const struct esf_file *file)
{
	yaml_node_t *root = esf_document_root(load->document);

	if (esf_document_is_known(load->document, root, "profile"))
		check_count(load, path, node, file->config.sites_count, file->profile,
		    offsetof(struct esf_profile_limits, sites), "sites");
}

void esf_profile_check(struct esf_load *load, struct esf_file *file)
{
	struct esf_document *document = load->document;
	yaml_node_t *root = esf_document_root(document);

	check_slots(load, root, file);
	if (!esf_document_is_known(document, root, "profile"))
		return;
	check_list(load, root, file->profile, offsetof(struct esf_profile_limits, sites), "sites");
	check_list(
	    load, root, file->profile, offsetof(struct esf_profile_limits, regions), "regions");
	if (esf_document_find(document, root, "ingestion") == NULL)
		file->config.ingestion = profiles[file->profile].ingestion;
}

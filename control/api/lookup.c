/* SPDX-License-Identifier: Apache-2.0 */
#include "control/api/lookup.h"

#include <stdlib.h>
#include <string.h>

struct entry {
	const char *name;
	uint32_t site;
};

struct esf_lookup {
	const struct esf_config *config;
	struct entry entries[]; /* as many as there are sites, by name */
};

static int by_name(const void *a, const void *b)
{
	const struct entry *left = a, *right = b;

	return strcmp(left->name, right->name);
}

struct esf_lookup *esf_lookup_create(const struct esf_config *config)
{
	struct esf_lookup *lookup =
	    malloc(sizeof(*lookup) + config->sites_count * sizeof(lookup->entries[0]));

	if (lookup == NULL)
		return NULL;
	lookup->config = config;
	for (uint32_t s = 0; s < config->sites_count; s++)
		lookup->entries[s] = (struct entry){ config->sites[s].name, s };
	qsort(lookup->entries, config->sites_count, sizeof(lookup->entries[0]), by_name);
	return lookup;
}

void esf_lookup_free(struct esf_lookup *lookup)
{
	free(lookup);
}

int64_t esf_lookup_find(
    const struct esf_lookup *lookup, const struct esf_config *config, const char *name)
{
	const struct entry wanted = { .name = name }, *found;

	if (lookup != NULL && lookup->config == config) {
		found = bsearch(&wanted, lookup->entries, config->sites_count,
		    sizeof(lookup->entries[0]), by_name);
		return found != NULL ? (int64_t)found->site : -1;
	}
	for (uint32_t s = 0; s < config->sites_count; s++) {
		if (strcmp(config->sites[s].name, name) == 0)
			return s;
	}
	return -1;
}

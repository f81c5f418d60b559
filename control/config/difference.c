/* SPDX-License-Identifier: Apache-2.0 */
#include "difference.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "change.h"
#include "fault.h"

static char *shortened(const char *text)
{
	char buffer[ESF_DIFFERENCE_TEXT_MAX + 1];

	esf_fault_quote(text, strlen(text), buffer, sizeof(buffer));
	return strdup(buffer);
}

static int add(struct esf_difference *difference, enum esf_difference_kind kind, const char *name,
    const char *was, const char *becomes)
{
	struct esf_difference_list *list = &difference->lists[kind];
	struct esf_difference_item *item;

	list->count++;
	if (list->kept == ESF_DIFFERENCES_MAX)
		return 0;
	if (list->items == NULL)
		list->items = calloc(ESF_DIFFERENCES_MAX, sizeof(*list->items));
	if (list->items == NULL)
		return -ENOMEM;
	item = &list->items[list->kept++];
	item->name = shortened(name);
	item->was = was == NULL ? NULL : shortened(was);
	item->becomes = becomes == NULL ? NULL : shortened(becomes);
	return item->name == NULL || (was != NULL && item->was == NULL) ||
	               (becomes != NULL && item->becomes == NULL)
	           ? -ENOMEM
	           : 0;
}

void esf_difference_free(struct esf_difference *difference)
{
	for (int kind = 0; kind < ESF_DIFFERENCE_KINDS; kind++) {
		struct esf_difference_list *list = &difference->lists[kind];

		for (uint32_t i = 0; i < list->kept; i++) {
			free(list->items[i].name);
			free(list->items[i].was);
			free(list->items[i].becomes);
		}
		free(list->items);
	}
	memset(difference, 0, sizeof(*difference));
}

const char *esf_difference_kind_name(enum esf_difference_kind kind)
{
	static const char *const names[] = {
		[ESF_DIFFERENCE_VALUES] = "values",
		[ESF_DIFFERENCE_ADDED] = "added",
		[ESF_DIFFERENCE_REMOVED] = "removed",
		[ESF_DIFFERENCE_RENAMED] = "renamed",
		[ESF_DIFFERENCE_MOVED] = "moved",
		[ESF_DIFFERENCE_ALTERED] = "altered",
	};

	return names[kind];
}

/* A printed key as its lines: "PATH<tab>VALUE", or a value alone. */
struct entry {
	const char *path, *value;
	uint32_t order;
	bool matched;
};

struct entries {
	char *text;
	struct entry *entries;
	uint32_t count;
};

static int by_path(const void *left, const void *right)
{
	const struct entry *a = left, *b = right;
	int compared = strcmp(a->path, b->path);

	return compared != 0 ? compared : a->order < b->order ? -1 : a->order > b->order;
}

static int split(
    struct entries *entries, const struct esf_change_key *key, const struct esf_config *config)
{
	char *rest = entries->text = esf_change_printed(key->print, config), *line;
	uint32_t most = 1;

	for (const char *at = rest; at != NULL && *at != '\0'; at++)
		most += *at == '\n';
	entries->entries = calloc(most, sizeof(*entries->entries));
	entries->count = 0;
	if (entries->text == NULL || entries->entries == NULL)
		return -ENOMEM;
	while ((line = strsep(&rest, "\n")) != NULL) {
		struct entry *entry = &entries->entries[entries->count];
		char *value = strchr(line, '\t');

		if (*line == '\0')
			continue;
		if (value != NULL)
			*value++ = '\0';
		entry->path = value == NULL ? key->name : line;
		entry->value = value == NULL ? line : value;
		entry->order = entries->count++;
	}
	qsort(entries->entries, entries->count, sizeof(*entries->entries), by_path);
	return 0;
}

static int by_order(const void *left, const void *right)
{
	const struct entry *a = left, *b = right;

	return a->order < b->order ? -1 : a->order > b->order;
}

/* In the order of the paths; what is gone comes last, in its own order. */
static int merge(struct esf_difference *difference, struct entries *was, struct entries *becomes)
{
	uint32_t at = 0;
	int rc = 0;

	for (uint32_t i = 0; i < becomes->count; i++) {
		struct entry *entry = &becomes->entries[i];

		while (at < was->count && strcmp(was->entries[at].path, entry->path) < 0)
			at++;
		if (at == was->count || strcmp(was->entries[at].path, entry->path) != 0) {
			rc |=
			    add(difference, ESF_DIFFERENCE_VALUES, entry->path, NULL, entry->value);
			continue;
		}
		was->entries[at].matched = true;
		if (strcmp(was->entries[at].value, entry->value) != 0)
			rc |= add(difference, ESF_DIFFERENCE_VALUES, entry->path,
			    was->entries[at].value, entry->value);
		at++;
	}
	qsort(was->entries, was->count, sizeof(*was->entries), by_order);
	for (uint32_t i = 0; i < was->count; i++)
		if (!was->entries[i].matched)
			rc |= add(difference, ESF_DIFFERENCE_VALUES, was->entries[i].path,
			    was->entries[i].value, NULL);
	return rc;
}

static int find_values(struct esf_difference *difference, const struct esf_change_key *key,
    const struct esf_config *running, const struct esf_config *next)
{
	uint32_t before = difference->lists[ESF_DIFFERENCE_VALUES].count;
	struct entries was, becomes;
	int rc = split(&was, key, running) | split(&becomes, key, next);
	char *a = esf_change_printed(key->print, running),
	     *b = esf_change_printed(key->print, next);

	rc |= a == NULL || b == NULL ? -ENOMEM : 0;
	if (rc == 0 && strcmp(a, b) != 0) {
		rc = merge(difference, &was, &becomes);
		if (rc == 0 && difference->lists[ESF_DIFFERENCE_VALUES].count == before)
			rc = add(difference, ESF_DIFFERENCE_VALUES, key->name, "one order",
			    "another order");
	}
	free(a);
	free(b);
	free(was.entries);
	free(was.text);
	free(becomes.entries);
	free(becomes.text);
	return rc;
}

static const char *region_of(const struct esf_config *config, const struct esf_site_config *site)
{
	return site->region < config->regions_count ? config->regions[site->region].name
	                                            : "unassigned";
}

static void print_address(FILE *out, const struct esf_address *address)
{
	bool v4 = esf_address_is_ipv4(address);
	char text[INET6_ADDRSTRLEN];

	inet_ntop(v4 ? AF_INET : AF_INET6, address->bytes + (v4 ? 12 : 0), text, sizeof(text));
	fprintf(out, " %s", text);
}

/* What of a site is neither its name nor its region. */
static char *site_text(const struct esf_site_config *site)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (out == NULL)
		return NULL;
	fprintf(out, "weight %.15g", site->weight);
	if (site->addresses_count > 0)
		fputs(", addresses", out);
	for (uint32_t i = 0; i < site->addresses_count; i++)
		print_address(out, &site->addresses[i]);
	for (uint32_t i = 0; i < site->labels_count; i++)
		fprintf(out, "%s %s=%s", i == 0 ? ", labels" : "", site->labels[i].name,
		    site->labels[i].value);
	for (uint32_t i = 0; i < site->upstream_count; i++)
		fprintf(out, "%s %s", i == 0 ? ", upstream" : "", site->upstream[i]);
	for (uint32_t i = 0; i < site->keys_count; i++)
		fprintf(
		    out, "%s %u=%s", i == 0 ? ", keys" : "", site->keys[i].id, site->keys[i].file);
	fputs(site->require_seal ? ", require_seal" : "", out);
	if (fclose(out) == 0)
		return text;
	free(text);
	return NULL;
}

static int compare_site(struct esf_difference *difference, const struct esf_config *running,
    const struct esf_site_config *was, const struct esf_config *next,
    const struct esf_site_config *becomes)
{
	const char *from = region_of(running, was), *to = region_of(next, becomes);
	char *a = site_text(was), *b = site_text(becomes);
	int rc = a == NULL || b == NULL ? -ENOMEM : 0;

	if (strcmp(was->name, becomes->name) != 0)
		rc |= add(difference, ESF_DIFFERENCE_RENAMED, was->name, was->name, becomes->name);
	if (strcmp(from, to) != 0)
		rc |= add(difference, ESF_DIFFERENCE_MOVED, becomes->name, from, to);
	if (rc == 0 && strcmp(a, b) != 0)
		rc = add(difference, ESF_DIFFERENCE_ALTERED, becomes->name, a, b);
	free(a);
	free(b);
	return rc;
}

static int compare_sites(struct esf_difference *difference, const struct esf_config *running,
    const struct esf_site_config *const *was, const struct esf_config *next,
    const struct esf_site_config *const *becomes)
{
	uint32_t i = 0, j = 0;
	int rc = 0;

	while (rc == 0 && (i < running->sites_count || j < next->sites_count)) {
		if (j == next->sites_count ||
		    (i < running->sites_count && was[i]->id < becomes[j]->id)) {
			rc = add(difference, ESF_DIFFERENCE_REMOVED, was[i]->name,
			    region_of(running, was[i]), NULL);
			i++;
		} else if (i == running->sites_count || was[i]->id > becomes[j]->id) {
			rc = add(difference, ESF_DIFFERENCE_ADDED, becomes[j]->name, NULL,
			    region_of(next, becomes[j]));
			j++;
		} else {
			rc = compare_site(difference, running, was[i++], next, becomes[j++]);
		}
	}
	return rc;
}

int esf_difference_find(const struct esf_config *running, const struct esf_config *next,
    struct esf_difference *difference)
{
	const struct esf_site_config **was = esf_change_sites_by_id(running),
	                             **becomes = esf_change_sites_by_id(next);
	int rc = was == NULL || becomes == NULL ? -ENOMEM : 0;

	memset(difference, 0, sizeof(*difference));
	for (const struct esf_change_key *key = esf_change_keys; key->name != NULL && rc == 0;
	     key++)
		if (key->print != NULL)
			rc = find_values(difference, key, running, next);
	if (rc == 0)
		rc = compare_sites(difference, running, was, next, becomes);
	free(was);
	free(becomes);
	return rc == 0 ? 0 : -ENOMEM;
}

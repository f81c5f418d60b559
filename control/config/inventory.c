/* SPDX-License-Identifier: Apache-2.0 */
#include "inventory.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "column.h"
#include "csv.h"
#include "dataplane/limits.h"
#include "file.h"
#include "site.h"
#include "source.h"

/* What one parse needs. */
struct parse {
	struct esf_arena *arena;
	struct esf_fault_list *faults;
	struct esf_csv csv;
	struct esf_columns columns;
	struct esf_inventory *inventory;
	uint32_t capacity;
};

static const struct esf_path row_path = { .key = "row" };

/* Rows there can be: each but the last ends in a line feed. */
static uint32_t most_rows(const char *data, size_t size)
{
	const char *end = data + size;
	uint32_t count = 1;

	while (count <= ESF_SITES_MAX && data < end &&
	       (data = memchr(data, '\n', (size_t)(end - data))) != NULL) {
		data++;
		count++;
	}
	return count < ESF_SITES_MAX ? count : ESF_SITES_MAX;
}

static bool read_header(struct parse *parse)
{
	struct esf_csv_record header;

	switch (esf_csv_next(&parse->csv, &header)) {
	case ESF_CSV_RECORD:
		return esf_columns_read(&parse->columns, parse->faults, &header);
	case ESF_CSV_FAULTY:
		esf_fault_add(parse->faults, &(struct esf_path){ .key = "header" }, header.line,
		    "%s", header.fault);
		return false;
	default:
		esf_fault_add(parse->faults, &(struct esf_path){ .key = "header" }, 1,
		    "missing, want columns such as id,name,weight,addresses,upstream");
		return false;
	}
}

/* Whether there is room for more. */
static bool take_row(struct parse *parse, struct esf_csv_record *row)
{
	struct esf_inventory *inventory = parse->inventory;

	if (row->count != parse->columns.count) {
		esf_fault_add(parse->faults, &row_path, row->line,
		    "got %u columns, want %u as in the header", row->count, parse->columns.count);
		return true;
	}
	if (inventory->count == parse->capacity) {
		esf_fault_add(parse->faults, &row_path, row->line,
		    "got more than %u sites, want at most as many", parse->capacity);
		return false;
	}
	inventory->lines[inventory->count] = row->line;
	esf_columns_apply(&parse->columns, parse->arena, parse->faults, row,
	    &inventory->sites[inventory->count++]);
	return true;
}

static void read_rows(struct parse *parse)
{
	struct esf_csv_record row;
	enum esf_csv_step step;

	while ((step = esf_csv_next(&parse->csv, &row)) != ESF_CSV_END) {
		if (step == ESF_CSV_FAULTY)
			esf_fault_add(parse->faults, &row_path, row.line, "%s", row.fault);
		else if (!take_row(parse, &row))
			return;
	}
}

/* Bytes of the column are those of an earlier line's. */
static void check_once(const struct parse *parse, struct esf_index *seen, const char *column,
    const void *bytes, size_t size, uint32_t site, const char *shown)
{
	uint32_t other = esf_index_add(seen, bytes, size, site);

	if (other != ESF_INDEX_NONE)
		esf_fault_add(parse->faults, &(struct esf_path){ .key = column },
		    parse->inventory->lines[site], "%s again: line %u has it", shown,
		    parse->inventory->lines[other]);
}

static void check_ids_and_names(struct parse *parse)
{
	struct esf_inventory *inventory = parse->inventory;
	struct esf_index ids;
	char shown[72];

	esf_index_create(&ids, parse->arena, inventory->count);
	esf_index_create(&inventory->names, parse->arena, inventory->count);
	for (uint32_t i = 0; i < inventory->count; i++) {
		const struct esf_site_config *site = &inventory->sites[i];

		snprintf(shown, sizeof(shown), "%u", site->id);
		if (site->id != 0)
			check_once(parse, &ids, "id", &site->id, sizeof(site->id), i, shown);
		snprintf(shown, sizeof(shown), "\"%s\"", site->name == NULL ? "" : site->name);
		if (site->name != NULL)
			check_once(parse, &inventory->names, "name", site->name, strlen(site->name),
			    i, shown);
	}
}

static void check_addresses(struct parse *parse)
{
	struct esf_inventory *inventory = parse->inventory;
	struct esf_index addresses;
	uint32_t count = 0;

	for (uint32_t i = 0; i < inventory->count; i++)
		count += inventory->sites[i].addresses_count;
	esf_index_create(&addresses, parse->arena, count);
	for (uint32_t i = 0; i < inventory->count; i++) {
		const struct esf_site_config *site = &inventory->sites[i];

		for (uint32_t j = 0; j < site->addresses_count; j++) {
			char shown[32];

			snprintf(shown, sizeof(shown), "address %u of the list", j + 1);
			check_once(parse, &addresses, "addresses", &site->addresses[j],
			    sizeof(site->addresses[j]), i, shown);
		}
	}
}

static void check_key(
    const struct parse *parse, struct esf_index *hashes, uint32_t i, struct esf_site_key *key)
{
	static const struct esf_path keys = { .key = "keys" };
	uint32_t line = parse->inventory->lines[i], other;
	char message[512];

	if (esf_site_key_prove(parse->arena, parse->faults->file, key, hashes, i, &other, message,
	        sizeof(message)) != 0)
		esf_fault_add(parse->faults, &keys, line, "%s", message);
	else if (other != ESF_INDEX_NONE)
		esf_fault_warn(parse->faults, &keys, line,
		    "the key of line %u too: " ESF_SITE_KEY_SHARED, parse->inventory->lines[other]);
}

static void check_keys(struct parse *parse)
{
	struct esf_inventory *inventory = parse->inventory;
	struct esf_index hashes;
	uint32_t count = 0;

	for (uint32_t i = 0; i < inventory->count; i++)
		count += inventory->sites[i].keys_count;
	esf_index_create(&hashes, parse->arena, count);
	for (uint32_t i = 0; i < inventory->count; i++) {
		struct esf_site_config *site = &inventory->sites[i];

		for (uint32_t j = 0; j < site->keys_count; j++) {
			for (uint32_t k = 0; k < j; k++)
				if (site->keys[k].id == site->keys[j].id)
					esf_fault_add(parse->faults,
					    &(struct esf_path){ .key = "keys" },
					    inventory->lines[i], "%u again, want each id once",
					    site->keys[j].id);
			check_key(parse, &hashes, i, &site->keys[j]);
		}
		if (site->require_seal && site->keys_count == 0)
			esf_fault_add(parse->faults, &(struct esf_path){ .key = "require_seal" },
			    inventory->lines[i],
			    "got true, but the site has no keys: list them under keys");
	}
}

bool esf_inventory_parse(struct esf_arena *arena, struct esf_fault_list *faults, char *data,
    size_t size, struct esf_inventory *inventory)
{
	struct parse parse = { .arena = arena, .faults = faults, .inventory = inventory };
	uint32_t faults_before = faults->faults;

	memset(inventory, 0, sizeof(*inventory));
	esf_index_create(&inventory->names, arena, 0);
	parse.capacity = most_rows(data, size);
	parse.csv = esf_csv_open(data, size);
	inventory->sites = esf_arena_alloc(arena, parse.capacity * sizeof(*inventory->sites));
	inventory->lines = esf_arena_alloc(arena, parse.capacity * sizeof(*inventory->lines));
	if (inventory->sites == NULL || inventory->lines == NULL || !read_header(&parse))
		return false;
	read_rows(&parse);
	check_ids_and_names(&parse);
	check_addresses(&parse);
	check_keys(&parse);
	return faults->faults == faults_before;
}

/* The faults of this file are named as its own, behind those of the file that names it. */
static bool parse_named(struct esf_load *load, struct esf_file *file, char *data, size_t size)
{
	struct esf_fault_list *faults = load->faults;
	const char *named_by = faults->file;
	struct esf_inventory inventory;
	bool sound;

	faults->file = file->config.inventory;
	faults->file_number++;
	sound = esf_inventory_parse(load->arena, faults, data, size, &inventory);
	faults->file = named_by;
	faults->file_number--;
	file->config.sites = inventory.sites;
	file->config.sites_count = inventory.count;
	file->site_names = inventory.names;
	return sound;
}

void esf_inventory_check(struct esf_load *load, struct esf_file *file)
{
	static const struct esf_path path = { .key = "inventory" };
	yaml_node_t *root = esf_document_root(load->document);
	yaml_node_t *node = esf_document_find(load->document, root, "inventory");
	yaml_node_t *sites = esf_document_find(load->document, root, "sites");
	char *data;
	size_t size;
	int rc;

	if (node == NULL || file->config.inventory == NULL)
		return;
	if (esf_node_items(sites) > 0) {
		esf_load_fault(load, &path, node,
		    "got sites on line %u too, want one of them: remove the other",
		    esf_node_line(sites));
		return;
	}
	file->config.inventory =
	    esf_source_beside(load->arena, load->faults->file, file->config.inventory);
	if (file->config.inventory == NULL)
		return;
	rc = esf_source_read(file->config.inventory, true, &data, &size);
	if (rc != 0) {
		esf_load_fault(load, &path, node, "%s: %s", file->config.inventory,
		    rc == -EINVAL ? "got something else, want a regular file" : strerror(-rc));
		return;
	}
	file->site_names_known = parse_named(load, file, data, size);
	free(data);
	esf_profile_check_sites(load, &path, node, file);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "site.h"

#include <string.h>

#include <sodium.h>

#include "control/keyfile.h"
#include "file.h"
#include "source.h"

/* Sites: what may not repeat. Linear in the number of sites. */

static const struct esf_path sites_path = { .key = "sites" };

struct seen {
	struct esf_index ids;
	struct esf_index addresses;
	struct esf_index key_hashes;
};

static yaml_node_t *site_key(struct esf_load *load, yaml_node_t *list, uint32_t i, const char *key)
{
	return esf_document_find(load->document, esf_document_item(load->document, list, i), key);
}

static void check_id(struct esf_load *load, struct seen *seen, const struct esf_config *config,
    yaml_node_t *list, uint32_t i)
{
	const struct esf_site_config *site = &config->sites[i];
	struct esf_path item = { &sites_path, NULL, i }, path = { &item, "id", 0 };
	yaml_node_t *node = site_key(load, list, i, "id");
	uint32_t other;

	if (!esf_document_is_sound(load->document, node))
		return;
	other = esf_index_add(&seen->ids, &site->id, sizeof(site->id), i);
	if (other != ESF_INDEX_NONE)
		esf_load_fault(load, &path, node, "%u again: sites[%u] on line %u has it", site->id,
		    other, esf_node_line(site_key(load, list, other, "id")));
}

/* Faulty names are remembered too: a region that names one is not at fault for it. */
static void check_name(struct esf_load *load, struct esf_file *file, yaml_node_t *list, uint32_t i)
{
	struct esf_path item = { &sites_path, NULL, i }, path = { &item, "name", 0 };
	yaml_node_t *node = site_key(load, list, i, "name");
	const char *text = esf_node_text(node);
	uint32_t other;

	if (text == NULL) {
		file->site_names_known = false;
		return;
	}
	other = esf_index_add(&file->site_names, text, strlen(text), i);
	if (other != ESF_INDEX_NONE && esf_document_is_sound(load->document, node))
		esf_load_fault(load, &path, node, "\"%s\" again: sites[%u] on line %u has it", text,
		    other, esf_node_line(site_key(load, list, other, "name")));
}

static void check_addresses(struct esf_load *load, struct seen *seen,
    const struct esf_config *config, yaml_node_t *list, uint32_t i)
{
	const struct esf_site_config *site = &config->sites[i];
	struct esf_path item = { &sites_path, NULL, i }, key = { &item, "addresses", 0 };
	yaml_node_t *nodes = site_key(load, list, i, "addresses");

	for (uint32_t j = 0; j < site->addresses_count; j++) {
		struct esf_path path = { &key, NULL, j };
		yaml_node_t *node = esf_document_item(load->document, nodes, j);
		uint32_t other;

		if (!esf_document_is_sound(load->document, node))
			continue;
		other = esf_index_add(
		    &seen->addresses, &site->addresses[j], sizeof(site->addresses[j]), i);
		if (other != ESF_INDEX_NONE)
			esf_load_fault(load, &path, node,
			    "%s again: sites[%u] on line %u has it, want one site a source address",
			    esf_node_text(node), other,
			    esf_node_line(esf_document_item(load->document, list, other)));
	}
}

enum { KEY_HASH_SIZE = 32 };

int esf_site_key_prove(struct esf_arena *arena, const char *base, struct esf_site_key *key,
    struct esf_index *hashes, uint32_t site, uint32_t *other, char *message, size_t size)
{
	uint8_t bytes[ESF_SEAL_KEY_SIZE], *hash = esf_arena_alloc(arena, KEY_HASH_SIZE);
	int rc;

	*other = ESF_INDEX_NONE;
	key->file = key->file == NULL ? NULL : esf_source_beside(arena, base, key->file);
	if (key->file == NULL || hash == NULL)
		return 0;
	rc = esf_keyfile_read(key->file, bytes, message, size);
	if (rc == 0) {
		crypto_generichash(hash, KEY_HASH_SIZE, bytes, ESF_SEAL_KEY_SIZE, NULL, 0);
		*other = esf_index_add(hashes, hash, KEY_HASH_SIZE, site);
		if (*other == site)
			*other = ESF_INDEX_NONE;
	}
	sodium_memzero(bytes, sizeof(bytes));
	return rc;
}

static void check_key(struct esf_load *load, struct seen *seen, struct esf_site_config *site,
    const struct esf_path *keys, yaml_node_t *list, uint32_t at)
{
	struct esf_path item = { keys, NULL, at }, id = { &item, "id", 0 },
	                file = { &item, "file", 0 };
	yaml_node_t *node = esf_document_item(load->document, list, at);
	yaml_node_t *file_node = esf_document_find(load->document, node, "file");
	struct esf_site_key *key = &site->keys[at];
	uint32_t other;
	char message[512];

	for (uint32_t i = 0; i < at; i++)
		if (key->id != 0 && site->keys[i].id == key->id)
			esf_load_fault(load, &id, esf_document_find(load->document, node, "id"),
			    "%u again: keys[%u] has it", key->id, i);
	if (key->file == NULL || !esf_document_is_sound(load->document, file_node))
		return;
	if (esf_site_key_prove(load->arena, load->faults->file, key, &seen->key_hashes,
	        keys->parent->index, &other, message, sizeof(message)) != 0)
		esf_load_fault(load, &file, file_node, "%s", message);
	else if (other != ESF_INDEX_NONE)
		esf_fault_warn(load->faults, &file, esf_node_line(file_node),
		    "the key of sites[%u] too: " ESF_SITE_KEY_SHARED, other);
}

static void check_keys(struct esf_load *load, struct seen *seen, const struct esf_config *config,
    yaml_node_t *list, uint32_t i)
{
	struct esf_site_config *site = &config->sites[i];
	struct esf_path item = { &sites_path, NULL, i }, keys = { &item, "keys", 0 };

	for (uint32_t at = 0; at < site->keys_count; at++)
		check_key(load, seen, site, &keys, site_key(load, list, i, "keys"), at);
	if (site->require_seal && site->keys_count == 0) {
		struct esf_path path = { &item, "require_seal", 0 };

		esf_load_fault(load, &path, site_key(load, list, i, "require_seal"),
		    "got true, but the site has no keys: list them under keys");
	}
}

static uint32_t count_addresses(const struct esf_config *config)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < config->sites_count; i++)
		count += config->sites[i].addresses_count;
	return count;
}

static uint32_t count_keys(const struct esf_config *config)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < config->sites_count; i++)
		count += config->sites[i].keys_count;
	return count;
}

/* The file's own list; an inventory checks its rows itself. */
static void check_list(struct esf_load *load, struct esf_file *file, yaml_node_t *list)
{
	const struct esf_config *config = &file->config;
	struct seen seen;

	esf_index_create(&file->site_names, load->arena, config->sites_count);
	esf_index_create(&seen.ids, load->arena, config->sites_count);
	esf_index_create(&seen.addresses, load->arena, count_addresses(config));
	esf_index_create(&seen.key_hashes, load->arena, count_keys(config));
	file->site_names_known =
	    esf_document_is_known(load->document, esf_document_root(load->document), "sites");
	for (uint32_t i = 0; i < config->sites_count; i++) {
		check_id(load, &seen, config, list, i);
		check_name(load, file, list, i);
		check_addresses(load, &seen, config, list, i);
		check_keys(load, &seen, config, list, i);
	}
}

static bool is_asked_for_elsewhere(struct esf_load *load, yaml_node_t *root)
{
	yaml_node_t *inventory = esf_document_find(load->document, root, "inventory");

	return inventory != NULL && !esf_node_is_null(inventory);
}

void esf_site_check(struct esf_load *load, struct esf_file *file)
{
	yaml_node_t *root = esf_document_root(load->document);
	yaml_node_t *list = esf_document_find(load->document, root, "sites");

	if (!is_asked_for_elsewhere(load, root))
		check_list(load, file, list);
	else
		esf_inventory_check(load, file);
	if (file->config.sites_count == 0 && file->site_names_known && !file->config.learn_sites)
		esf_fault_warn(load->faults, &sites_path, esf_node_line(list == NULL ? root : list),
		    "none, so every datagram is of an unknown site");
}

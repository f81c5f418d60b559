/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "file.h"

/* Ports, listeners and lcores: what repeats, and what does not go together. */

static void check_port_ids(
    struct esf_load *load, const struct esf_config *config, yaml_node_t *list)
{
	static const struct esf_path ports = { .key = "ports" };

	for (uint32_t i = 0; i < config->ports_count; i++) {
		struct esf_path item = { &ports, NULL, i }, path = { &item, "port", 0 };
		yaml_node_t *node = esf_document_find(
		    load->document, esf_document_item(load->document, list, i), "port");

		for (uint32_t j = 0; j < i && esf_document_is_sound(load->document, node); j++) {
			yaml_node_t *other = esf_document_find(
			    load->document, esf_document_item(load->document, list, j), "port");

			if (other != NULL && config->ports[i].port == config->ports[j].port &&
			    esf_document_is_sound(load->document, other))
				esf_load_fault(load, &path, node,
				    "%u again: the port of ports[%u], line %u",
				    config->ports[i].port, j, esf_node_line(other));
		}
	}
}

static void check_port_addresses(
    struct esf_load *load, const struct esf_config *config, yaml_node_t *list)
{
	static const struct esf_path ports = { .key = "ports" };
	struct esf_index index;

	esf_index_create(&index, load->arena, ESF_PORTS_MAX * ESF_PORT_ADDRESSES_MAX);
	for (uint32_t i = 0; i < config->ports_count; i++) {
		const struct esf_port_config *port = &config->ports[i];
		struct esf_path item = { &ports, NULL, i }, key = { &item, "addresses", 0 };
		yaml_node_t *nodes = esf_document_find(
		    load->document, esf_document_item(load->document, list, i), "addresses");

		for (uint32_t j = 0; j < port->addresses_count; j++) {
			struct esf_path path = { &key, NULL, j };
			yaml_node_t *node = esf_document_item(load->document, nodes, j);

			if (esf_document_is_sound(load->document, node) &&
			    esf_index_add(&index, &port->addresses[j].address,
			        sizeof(struct esf_address), i) != ESF_INDEX_NONE)
				esf_load_fault(load, &path, node,
				    "%s again, want each address once", esf_node_text(node));
		}
	}
}

/* site_tag and precision are the line protocol's. */
static void check_listener_keys(
    struct esf_load *load, const struct esf_path *item, yaml_node_t *node)
{
	static const char *const keys[] = { "site_tag", "precision" };

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		struct esf_path path = { item, keys[i], 0 };
		yaml_node_t *value = esf_document_find(load->document, node, keys[i]);

		if (esf_document_is_sound(load->document, value))
			esf_load_fault(
			    load, &path, value, "means nothing to format etd: remove it");
	}
}

static void check_listener_port(struct esf_load *load, const struct esf_config *config,
    yaml_node_t *list, uint32_t i, const struct esf_path *path)
{
	yaml_node_t *node =
	    esf_document_find(load->document, esf_document_item(load->document, list, i), "udp");

	for (uint32_t j = 0; j < i && esf_document_is_sound(load->document, node); j++) {
		yaml_node_t *other = esf_document_find(
		    load->document, esf_document_item(load->document, list, j), "udp");

		if (config->listeners[i].udp == config->listeners[j].udp &&
		    esf_document_is_sound(load->document, other))
			esf_load_fault(load, path, node,
			    "%u again: listeners[%u] on line %u has it, want one format a port",
			    config->listeners[i].udp, j, esf_node_line(other));
	}
}

static void check_listeners(
    struct esf_load *load, const struct esf_config *config, yaml_node_t *list)
{
	static const struct esf_path listeners = { .key = "listeners" };

	for (uint32_t i = 0; i < config->listeners_count; i++) {
		struct esf_path item = { &listeners, NULL, i }, path = { &item, "udp", 0 };
		yaml_node_t *node = esf_document_item(load->document, list, i);
		yaml_node_t *format = esf_document_find(load->document, node, "format");

		check_listener_port(load, config, list, i, &path);
		if (esf_document_is_sound(load->document, format) &&
		    config->listeners[i].format == ESF_FORMAT_ETD)
			check_listener_keys(load, &item, node);
	}
}

static bool is_listed(const uint32_t *lcores, uint32_t count, uint32_t lcore)
{
	for (uint32_t i = 0; i < count; i++) {
		if (lcores[i] == lcore)
			return true;
	}
	return false;
}

static void check_receive_only(
    struct esf_load *load, const struct esf_config *config, yaml_node_t *list, bool lcores_known)
{
	static const struct esf_path receive_only = { .key = "receive_only" };

	for (uint32_t i = 0; i < config->receive_only_count; i++) {
		struct esf_path path = { &receive_only, NULL, i };
		yaml_node_t *node = esf_document_item(load->document, list, i);
		uint32_t lcore = config->receive_only[i];

		if (!esf_document_is_sound(load->document, node))
			continue;
		if (is_listed(config->receive_only, i, lcore))
			esf_load_fault(load, &path, node, "%u again, want each lcore once", lcore);
		else if (lcores_known && !config->lcores_auto &&
		         !is_listed(config->lcores, config->lcores_count, lcore))
			esf_load_refuse(load, &path, node, "one of lcores");
	}
}

/* Somebody must own the sites, and no more than the hand-over rings are made for. */
static void check_owners(
    struct esf_load *load, const struct esf_config *config, yaml_node_t *lcores)
{
	static const struct esf_path path = { .key = "lcores" };
	uint32_t owners = config->lcores_count - config->receive_only_count;

	if (config->lcores_count <= config->receive_only_count)
		esf_load_fault(
		    load, &path, lcores, "all are receive_only, want at least one that owns sites");
	else if (owners > ESF_SHARDS_MAX)
		esf_load_fault(load, &path, lcores, "%u that own sites, want at most %u", owners,
		    ESF_SHARDS_MAX);
}

static void warn_absent(struct esf_load *load, const char *key, uint32_t count, const char *effect)
{
	struct esf_path path = { .key = key };
	yaml_node_t *root = esf_document_root(load->document);
	yaml_node_t *node = esf_document_find(load->document, root, key);

	if (count == 0 && esf_document_is_known(load->document, root, key))
		esf_fault_warn(load->faults, &path, esf_node_line(node == NULL ? root : node),
		    "none, so %s", effect);
}

void esf_network_check(struct esf_load *load, struct esf_file *file)
{
	const struct esf_config *config = &file->config;
	struct esf_document *document = load->document;
	yaml_node_t *root = esf_document_root(document);
	yaml_node_t *lcores = esf_document_find(document, root, "lcores");
	bool lcores_sound = esf_document_is_sound(document, lcores);
	uint32_t faults_before = load->faults->faults;

	warn_absent(load, "ports", config->ports_count,
	    "run has nothing to receive on (replay takes any destination)");
	warn_absent(load, "listeners", config->listeners_count, "no datagram is taken");
	check_port_ids(load, config, esf_document_find(document, root, "ports"));
	check_port_addresses(load, config, esf_document_find(document, root, "ports"));
	check_listeners(load, config, esf_document_find(document, root, "listeners"));
	check_receive_only(load, config, esf_document_find(document, root, "receive_only"),
	    esf_document_is_known(document, root, "lcores"));
	if (lcores_sound && !config->lcores_auto && load->faults->faults == faults_before)
		check_owners(load, config, lcores);
}

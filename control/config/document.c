/* SPDX-License-Identifier: Apache-2.0 */
#include "document.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { QUOTE_MAX = 48 }; /* bytes of a value that a fault repeats */

static const struct esf_path syntax = { .key = "syntax" };

static uint32_t line_of_byte(const char *data, size_t size, size_t offset)
{
	uint32_t line = 1;

	for (size_t i = 0; i < size && i < offset; i++)
		line += data[i] == '\n';
	return line;
}

static bool is_tab(const yaml_parser_t *parser, const char *data, size_t size)
{
	size_t at = parser->problem_mark.index;

	return parser->error == YAML_SCANNER_ERROR && at < size && data[at] == '\t';
}

static int refuse(
    yaml_parser_t *parser, const char *data, size_t size, struct esf_fault_list *faults)
{
	const char *problem = parser->problem == NULL ? "not YAML" : parser->problem;

	if (parser->error == YAML_MEMORY_ERROR)
		return -ENOMEM;
	if (parser->error == YAML_READER_ERROR) {
		esf_fault_add(faults, &syntax, line_of_byte(data, size, parser->problem_offset),
		    "%s (byte %zu)", problem, parser->problem_offset);
		return -EINVAL;
	}
	esf_fault_add(faults, &syntax, (uint32_t)parser->problem_mark.line + 1, "%s%s%s%s", problem,
	    parser->context == NULL ? "" : " ", parser->context == NULL ? "" : parser->context,
	    is_tab(parser, data, size) ? ": a tab; YAML is indented with spaces" : "");
	return -EINVAL;
}

/* Anything after the document is a fault: half of a file silently unread would be worse. */
static int expect_end(
    yaml_parser_t *parser, const char *data, size_t size, struct esf_fault_list *faults)
{
	yaml_document_t next;
	yaml_node_t *root;
	int rc = 0;

	if (!yaml_parser_load(parser, &next))
		return refuse(parser, data, size, faults);
	root = yaml_document_get_root_node(&next);
	if (root != NULL) {
		esf_fault_add(faults, &syntax, (uint32_t)next.start_mark.line + 1,
		    "a second document begins here, want one a file");
		rc = -EINVAL;
	}
	yaml_document_delete(&next);
	return rc;
}

static int mark_none(struct esf_document *document, struct esf_fault_list *faults)
{
	yaml_node_t *root = yaml_document_get_root_node(&document->yaml);
	size_t count = document->yaml.nodes.top - document->yaml.nodes.start;

	if (root == NULL || esf_node_is_null(root)) {
		esf_fault_add(faults, &syntax, 1,
		    "the file is empty, want at least a profile, listeners and sites");
		return -EINVAL;
	}
	document->faulty = calloc(count, sizeof(*document->faulty));
	return document->faulty == NULL ? -ENOMEM : 0;
}

int esf_document_parse(
    struct esf_document *document, const char *data, size_t size, struct esf_fault_list *faults)
{
	yaml_parser_t parser;
	int rc;

	memset(document, 0, sizeof(*document));
	if (!yaml_parser_initialize(&parser))
		return -ENOMEM;
	yaml_parser_set_input_string(&parser, (const unsigned char *)data, size);
	if (!yaml_parser_load(&parser, &document->yaml)) {
		rc = refuse(&parser, data, size, faults);
		yaml_parser_delete(&parser);
		return rc;
	}
	rc = mark_none(document, faults);
	if (rc == 0)
		rc = expect_end(&parser, data, size, faults);
	yaml_parser_delete(&parser);
	if (rc != 0)
		esf_document_free(document);
	return rc;
}

void esf_document_free(struct esf_document *document)
{
	free(document->faulty);
	document->faulty = NULL;
	yaml_document_delete(&document->yaml);
}

yaml_node_t *esf_document_root(struct esf_document *document)
{
	return yaml_document_get_root_node(&document->yaml);
}

yaml_node_t *esf_document_node(struct esf_document *document, yaml_node_item_t id)
{
	return yaml_document_get_node(&document->yaml, id);
}

static bool is_text(const yaml_node_t *node, const char *text)
{
	return node->type == YAML_SCALAR_NODE && node->data.scalar.length == strlen(text) &&
	       memcmp(node->data.scalar.value, text, node->data.scalar.length) == 0;
}

yaml_node_t *esf_document_find(struct esf_document *document, yaml_node_t *mapping, const char *key)
{
	if (mapping == NULL || mapping->type != YAML_MAPPING_NODE)
		return NULL;
	for (yaml_node_pair_t *pair = mapping->data.mapping.pairs.start;
	     pair < mapping->data.mapping.pairs.top; pair++) {
		if (is_text(esf_document_node(document, pair->key), key))
			return esf_document_node(document, pair->value);
	}
	return NULL;
}

uint32_t esf_node_items(const yaml_node_t *node)
{
	if (node == NULL || node->type != YAML_SEQUENCE_NODE)
		return 0;
	return (uint32_t)(node->data.sequence.items.top - node->data.sequence.items.start);
}

yaml_node_t *esf_document_item(struct esf_document *document, yaml_node_t *list, uint32_t i)
{
	return esf_document_node(document, list->data.sequence.items.start[i]);
}

void esf_document_mark(struct esf_document *document, const yaml_node_t *node)
{
	document->faulty[node - document->yaml.nodes.start] = true;
}

bool esf_document_is_sound(const struct esf_document *document, const yaml_node_t *node)
{
	return node != NULL && !document->faulty[node - document->yaml.nodes.start];
}

bool esf_document_is_known(struct esf_document *document, yaml_node_t *mapping, const char *key)
{
	yaml_node_t *value = esf_document_find(document, mapping, key);

	return esf_document_is_sound(document, value == NULL ? mapping : value);
}

uint32_t esf_node_line(const yaml_node_t *node)
{
	return (uint32_t)node->start_mark.line + 1;
}

const char *esf_node_text(const yaml_node_t *node)
{
	if (node == NULL || node->type != YAML_SCALAR_NODE ||
	    strlen((const char *)node->data.scalar.value) != node->data.scalar.length)
		return NULL;
	return (const char *)node->data.scalar.value;
}

bool esf_node_is_plain(const yaml_node_t *node)
{
	return node->type == YAML_SCALAR_NODE && node->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
}

bool esf_node_is_null(const yaml_node_t *node)
{
	return esf_node_is_plain(node) &&
	       (is_text(node, "") || is_text(node, "~") || is_text(node, "null"));
}

static void show_scalar(const yaml_node_t *node, char *buffer, size_t size)
{
	char quoted[QUOTE_MAX];

	esf_fault_quote((const char *)node->data.scalar.value, node->data.scalar.length, quoted,
	    sizeof(quoted));
	snprintf(buffer, size, "\"%s\"", quoted);
}

/* A short list of plain scalars is shown as it stands: [5, 3] says more than "a list". */
static bool show_short_list(
    struct esf_document *document, yaml_node_t *list, char *buffer, size_t size)
{
	size_t used = 1;

	if (esf_node_items(list) > 4)
		return false;
	strcpy(buffer, "[");
	for (uint32_t i = 0; i < esf_node_items(list); i++) {
		const yaml_node_t *item = esf_document_item(document, list, i);

		if (!esf_node_is_plain(item) || used + item->data.scalar.length + 4 > QUOTE_MAX)
			return false;
		used += snprintf(buffer + used, size - used, "%s", i == 0 ? "" : ", ");
		esf_fault_quote((const char *)item->data.scalar.value, item->data.scalar.length,
		    buffer + used, size - used);
		used += strlen(buffer + used);
	}
	strcpy(buffer + used, "]");
	return true;
}

const char *esf_document_show(
    struct esf_document *document, yaml_node_t *node, char *buffer, size_t size)
{
	if (node->type == YAML_MAPPING_NODE)
		snprintf(buffer, size, "a mapping");
	else if (node->type == YAML_SEQUENCE_NODE) {
		if (!show_short_list(document, node, buffer, size))
			snprintf(buffer, size, "a list");
	} else if (esf_node_is_null(node))
		snprintf(buffer, size, "nothing");
	else
		show_scalar(node, buffer, size);
	return buffer;
}

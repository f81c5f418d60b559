/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ESF_CONFIG_DOCUMENT_H
#define ESF_CONFIG_DOCUMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <yaml.h>

#include "fault.h"

/*
 * A YAML file as libyaml's tree, whose nodes know their lines, and which of the nodes have had a
 * fault: what is wrong already is left out of the checks that come later, so that one mistake is
 * one fault. One thread.
 */
struct esf_document {
	yaml_document_t yaml;
	bool *faulty; /* by node; NULL: nothing parsed */
};

/* 0, -EINVAL with the one fault that stops the reading in *faults, or -ENOMEM. */
int esf_document_parse(
    struct esf_document *document, const char *data, size_t size, struct esf_fault_list *faults);
void esf_document_free(struct esf_document *document);

yaml_node_t *esf_document_root(struct esf_document *document);
yaml_node_t *esf_document_node(struct esf_document *document, yaml_node_item_t id);

/* The value of a mapping's key: the first, where there are several; NULL where there is none. */
yaml_node_t *esf_document_find(
    struct esf_document *document, yaml_node_t *mapping, const char *key);

/* How many items a list has (0 when the node is not a list), and the i-th. */
uint32_t esf_node_items(const yaml_node_t *node);
yaml_node_t *esf_document_item(struct esf_document *document, yaml_node_t *list, uint32_t i);

void esf_document_mark(struct esf_document *document, const yaml_node_t *node);

/* Whether the node exists and had no fault. */
bool esf_document_is_sound(const struct esf_document *document, const yaml_node_t *node);

/* As above for a mapping's key, and true where it is absent from a mapping that had no unknown key.
 */
bool esf_document_is_known(struct esf_document *document, yaml_node_t *mapping, const char *key);

uint32_t esf_node_line(const yaml_node_t *node);

/* The scalar's text; NULL when the node is none, or holds a NUL byte. */
const char *esf_node_text(const yaml_node_t *node);
bool esf_node_is_plain(const yaml_node_t *node);
bool esf_node_is_null(const yaml_node_t *node);

/* `"x"`, `[1, 2]`, `a list`, `nothing`: what a fault says that it got. Returns buffer. */
const char *esf_document_show(
    struct esf_document *document, yaml_node_t *node, char *buffer, size_t size);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#include "schema.h"

#include <stdarg.h>
#include <string.h>

#include "nearest.h"
#include "scalar.h"

enum { GOT_SIZE = 128 };

void esf_load_fault(
    struct esf_load *load, const struct esf_path *path, yaml_node_t *node, const char *format, ...)
{
	char said[ESF_FAULT_TEXT_MAX];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(said, sizeof(said), format, arguments);
	va_end(arguments);
	esf_fault_add(load->faults, path, esf_node_line(node), "%s", said);
	esf_document_mark(load->document, node);
}

void esf_load_refuse(
    struct esf_load *load, const struct esf_path *path, yaml_node_t *node, const char *want)
{
	char got[GOT_SIZE];

	esf_load_fault(load, path, node, "got %s, want %s",
	    esf_document_show(load->document, node, got, sizeof(got)), want);
}

static void *slot_of(const struct esf_key *key, void *base)
{
	if (base == NULL || key->offset == ESF_NOWHERE)
		return NULL;
	return (char *)base + key->offset;
}

static bool is_one_line(const char *text)
{
	for (; *text != '\0'; text++) {
		if ((unsigned char)*text < ' ' || *text == 0x7f)
			return false;
	}
	return true;
}

static const char *check_text(const struct esf_key *key, const char *text, char *buffer)
{
	size_t size = strlen(text);

	if (key->max > 0 && (size < 1 || size > (size_t)key->max || !is_one_line(text)))
		return esf_scalar_want(key, buffer);
	return key->check == NULL ? NULL : key->check(text, buffer);
}

static void read_text(struct esf_load *load, const struct esf_path *path, yaml_node_t *node,
    const struct esf_key *key, void *slot)
{
	const char *text = esf_node_is_null(node) ? NULL : esf_node_text(node);
	char buffer[ESF_WANT_SIZE];
	const char *want =
	    text == NULL ? esf_scalar_want(key, buffer) : check_text(key, text, buffer);
	char *copy;

	if (want != NULL) {
		esf_load_refuse(load, path, node, want);
		return;
	}
	if (slot != NULL) {
		copy = esf_arena_text(load->arena, text);
		esf_scalar_store(slot, &copy, sizeof(copy));
	}
}

static void read_choice(struct esf_load *load, const struct esf_path *path, yaml_node_t *node,
    const struct esf_key *key, void *slot)
{
	const char *text = esf_node_text(node);
	struct esf_nearest nearest;
	char want[ESF_WANT_SIZE], hint[GOT_SIZE], got[GOT_SIZE];

	esf_nearest_start(&nearest, text == NULL ? "" : text);
	for (const struct esf_choice *choice = key->choices; choice->name != NULL; choice++) {
		if (text == NULL || strcmp(choice->name, text) != 0) {
			esf_nearest_offer(&nearest, choice->name);
			continue;
		}
		esf_scalar_store(slot, &choice->value, sizeof(choice->value));
		if (choice->not_built != NULL)
			esf_load_fault(
			    load, path, node, "%s is not built yet: %s", text, choice->not_built);
		return;
	}
	esf_scalar_want(key, want);
	esf_load_fault(load, path, node, "got %s, want %s%s",
	    esf_document_show(load->document, node, got, sizeof(got)), want,
	    text == NULL ? "" : esf_nearest_hint(&nearest, hint, sizeof(hint)));
}

static const struct esf_key *field_named(const struct esf_key *fields, const char *name)
{
	for (; name != NULL && fields->name != NULL; fields++) {
		if (strcmp(fields->name, name) == 0)
			return fields;
	}
	return NULL;
}

/* A mapping as it is read: which fields it has, and which it may have meant by an unknown key. */
struct reading {
	const struct esf_key *fields;
	yaml_node_t *seen[ESF_SCHEMA_FIELDS_MAX]; /* the key's node */
	bool excused[ESF_SCHEMA_FIELDS_MAX];
};

static void refuse_key(
    struct esf_load *load, const struct esf_path *path, yaml_node_t *node, struct reading *reading)
{
	const struct esf_key *fields = reading->fields;
	struct esf_path child = { path, esf_node_text(node), 0 };
	struct esf_nearest nearest;
	char hint[GOT_SIZE];

	if (child.key == NULL) {
		esf_load_refuse(load, path, node, "a key's name");
		return;
	}
	if (strcmp(child.key, "<<") == 0) {
		esf_load_fault(load, &child, node, "merge keys are not read: write the keys out");
		return;
	}
	esf_nearest_start(&nearest, child.key);
	for (; fields->name != NULL; fields++)
		esf_nearest_offer(&nearest, fields->name);
	esf_load_fault(
	    load, &child, node, "unknown key%s", esf_nearest_hint(&nearest, hint, sizeof(hint)));
	if (nearest.name != NULL)
		reading->excused[field_named(reading->fields, nearest.name) - reading->fields] =
		    true;
}

static void miss_required(struct esf_load *load, const struct esf_path *path, yaml_node_t *node,
    const struct reading *reading)
{
	char want[ESF_WANT_SIZE];

	for (size_t i = 0; reading->fields[i].name != NULL; i++) {
		const struct esf_key *field = &reading->fields[i];
		struct esf_path child = { path, field->name, 0 };

		if (field->required && reading->seen[i] == NULL && !reading->excused[i])
			esf_fault_add(load->faults, &child, esf_node_line(node), "missing, want %s",
			    esf_scalar_want(field, want));
	}
}

static void read_field(struct esf_load *load, const struct esf_path *path, yaml_node_t *name,
    yaml_node_t *value, struct reading *reading, void *slot)
{
	const struct esf_key *field = field_named(reading->fields, esf_node_text(name));
	struct esf_path child = { path, field->name, 0 };
	yaml_node_t **seen = &reading->seen[field - reading->fields];

	if (*seen != NULL) {
		esf_fault_add(load->faults, &child, esf_node_line(name),
		    "set twice, first on line %u: remove one", esf_node_line(*seen));
		return;
	}
	*seen = name;
	esf_schema_read(load, &child, value, field, slot);
}

static void read_mapping(struct esf_load *load, const struct esf_path *path, yaml_node_t *node,
    const struct esf_key *key, void *slot)
{
	struct reading reading = { .fields = key->fields };

	if (key->prepare != NULL && slot != NULL)
		key->prepare(slot);
	if (node->type != YAML_MAPPING_NODE) {
		esf_load_refuse(load, path, node, esf_scalar_want(key, NULL));
		return;
	}
	for (const yaml_node_pair_t *pair = node->data.mapping.pairs.start;
	     pair < node->data.mapping.pairs.top; pair++) {
		yaml_node_t *name = esf_document_node(load->document, pair->key);

		if (field_named(key->fields, esf_node_text(name)) != NULL) {
			read_field(load, path, name, esf_document_node(load->document, pair->value),
			    &reading, slot);
			continue;
		}
		refuse_key(load, path, name, &reading);
		esf_document_mark(load->document, node);
	}
	miss_required(load, path, node, &reading);
}

static void read_items(struct esf_load *load, const struct esf_path *path, yaml_node_t *node,
    const struct esf_key *key, char *items)
{
	for (uint32_t i = 0; i < esf_node_items(node); i++) {
		struct esf_path child = { path, NULL, i };

		esf_schema_read(load, &child, esf_document_item(load->document, node, i), key->item,
		    items == NULL ? NULL : items + i * key->item_size);
	}
}

static void read_list(struct esf_load *load, const struct esf_path *path, yaml_node_t *node,
    const struct esf_key *key, void *base)
{
	uint32_t count = esf_node_items(node), faults_before = load->faults->faults;
	void *items = NULL, *slot = key->item_size == 0 ? NULL : slot_of(key, base);

	if (node->type != YAML_SEQUENCE_NODE) {
		esf_load_refuse(load, path, node,
		    esf_node_is_null(node) ? "a list ([] when there are none)"
		                           : esf_scalar_want(key, NULL));
		return;
	}
	if (count < key->min || count > key->max) {
		esf_load_fault(load, path, node, "got %u items, want %lld..%lld", count,
		    (long long)key->min, (long long)key->max);
		return;
	}
	if (slot != NULL) {
		items = esf_arena_alloc(load->arena, count * key->item_size);
		if (items == NULL)
			return;
		esf_scalar_store(slot, &items, sizeof(items));
		esf_scalar_store((char *)base + key->count_offset, &count, sizeof(count));
	}
	read_items(load, path, node, key, items);
	/* no later check looks into what is not kept, but one may look at the list */
	if (key->item_size == 0 && load->faults->faults != faults_before)
		esf_document_mark(load->document, node);
}

static void read_custom(struct esf_load *load, const struct esf_path *path, yaml_node_t *node,
    const struct esf_key *key, void *slot)
{
	const char *want = key->set(load, node, slot);

	if (want != NULL)
		esf_load_refuse(load, path, node, want);
}

static void read_kind(struct esf_load *load, const struct esf_path *path, yaml_node_t *node,
    const struct esf_key *key, void *base)
{
	void *slot = slot_of(key, base);
	char want[ESF_WANT_SIZE];

	switch (key->kind) {
	case ESF_KEY_TEXT:
		read_text(load, path, node, key, slot);
		return;
	case ESF_KEY_CHOICE:
		read_choice(load, path, node, key, slot);
		return;
	case ESF_KEY_MAPPING:
		read_mapping(load, path, node, key, slot);
		return;
	case ESF_KEY_LIST:
		read_list(load, path, node, key, base);
		return;
	case ESF_KEY_CUSTOM:
		read_custom(load, path, node, key, slot);
		return;
	case ESF_KEY_FREE:
		if (node->type != YAML_MAPPING_NODE)
			esf_load_refuse(load, path, node, "a mapping");
		return;
	default:
		if (!esf_scalar_read(node, key, slot))
			esf_load_refuse(load, path, node, esf_scalar_want(key, want));
	}
}

static bool is_tagged(const yaml_node_t *node)
{
	static const char *const usual[] = {
		[YAML_SCALAR_NODE] = YAML_DEFAULT_SCALAR_TAG,
		[YAML_SEQUENCE_NODE] = YAML_DEFAULT_SEQUENCE_TAG,
		[YAML_MAPPING_NODE] = YAML_DEFAULT_MAPPING_TAG,
	};

	return strcmp((const char *)node->tag, usual[node->type]) != 0;
}

/* Whether the value uses the feature: false, null and [] only name it. */
static bool is_used(const yaml_node_t *node, const struct esf_key *key)
{
	if (node->type == YAML_SEQUENCE_NODE)
		return esf_node_items(node) > 0;
	if (key->kind == ESF_KEY_BOOLEAN)
		return strcmp(esf_node_text(node), "true") == 0;
	return true;
}

void esf_schema_read(struct esf_load *load, const struct esf_path *path, yaml_node_t *node,
    const struct esf_key *key, void *base)
{
	uint32_t faults_before = load->faults->faults;

	if (is_tagged(node)) {
		esf_load_fault(load, path, node, "YAML tags are not read: remove the tag");
		return;
	}
	if (key->nullable && esf_node_is_null(node))
		return;
	read_kind(load, path, node, key, base);
	if (key->not_built != NULL && load->faults->faults == faults_before && is_used(node, key))
		esf_load_fault(load, path, node, "not built yet: %s", key->not_built);
}

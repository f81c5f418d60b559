/* SPDX-License-Identifier: Apache-2.0 */
#include "yamldoc.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const double ns_per_s = 1e9;

int esf_yamldoc_open(
    struct esf_yamldoc *doc, const char *text, size_t size, const char *name, FILE *errors)
{
	yaml_parser_t parser;
	int loaded;

	*doc = (struct esf_yamldoc){ .name = name, .errors = errors };
	if (!yaml_parser_initialize(&parser)) {
		fprintf(errors, "%s: out of memory\n", name);
		return -1;
	}
	yaml_parser_set_input_string(&parser, (const unsigned char *)text, size);
	loaded = yaml_parser_load(&parser, &doc->document);
	if (!loaded)
		fprintf(errors, "%s:%zu: yaml: %s%s%s\n", name, parser.problem_mark.line + 1,
		    parser.problem ? parser.problem : "not readable", parser.context ? ", " : "",
		    parser.context ? parser.context : "");
	yaml_parser_delete(&parser);
	return loaded ? 0 : -1;
}

void esf_yamldoc_close(struct esf_yamldoc *doc)
{
	yaml_document_delete(&doc->document);
}

yaml_node_t *esf_yamldoc_root(struct esf_yamldoc *doc)
{
	return yaml_document_get_root_node(&doc->document);
}

void esf_yamldoc_fault_got(struct esf_yamldoc *doc, const yaml_node_t *node, const char *key,
    const char *got, const char *want)
{
	doc->faults_count++;
	fprintf(doc->errors, "%s:%zu: %s: got \"%.80s\", want %s\n", doc->name,
	    node->start_mark.line + 1, key, got, want);
}

static const char *scalar(const yaml_node_t *node)
{
	return node->type == YAML_SCALAR_NODE ? (const char *)node->data.scalar.value : NULL;
}

void esf_yamldoc_fault(
    struct esf_yamldoc *doc, const yaml_node_t *node, const char *key, const char *want)
{
	const char *got = scalar(node);

	if (!got)
		got = node->type == YAML_MAPPING_NODE ? "a mapping" : "a list";
	esf_yamldoc_fault_got(doc, node, key, got, want);
}

static void fault_range(struct esf_yamldoc *doc, const yaml_node_t *node, const char *key,
    const char *what, double min, double max)
{
	char want[160];

	snprintf(want, sizeof(want), "%s of %.15g..%.15g", what, min, max);
	esf_yamldoc_fault(doc, node, key, want);
}

static void fault_unknown(struct esf_yamldoc *doc, const yaml_node_t *key_node, const char *key,
    const struct esf_yamldoc_field *fields, size_t count)
{
	char want[640] = "one of";
	size_t used = strlen(want);

	for (size_t i = 0; i < count && used < sizeof(want); i++)
		used += (size_t)snprintf(
		    want + used, sizeof(want) - used, "%s %s", i ? "," : "", fields[i].key);
	esf_yamldoc_fault(doc, key_node, key, want);
}

static size_t field_find(const struct esf_yamldoc_field *fields, size_t count, const char *key)
{
	size_t i = 0;

	while (i < count && (!key || strcmp(fields[i].key, key) != 0))
		i++;
	return i;
}

uint64_t esf_yamldoc_map(struct esf_yamldoc *doc, yaml_node_t *node, const char *prefix,
    const struct esf_yamldoc_field *fields, size_t count, void *base)
{
	uint64_t seen = 0;
	yaml_node_pair_t *pair;

	if (node->type != YAML_MAPPING_NODE) {
		esf_yamldoc_fault(doc, node, *prefix ? prefix : "document", "a mapping");
		return 0;
	}
	for (pair = node->data.mapping.pairs.start; pair < node->data.mapping.pairs.top; pair++) {
		yaml_node_t *key_node = yaml_document_get_node(&doc->document, pair->key);
		yaml_node_t *value = yaml_document_get_node(&doc->document, pair->value);
		const char *name = scalar(key_node);
		size_t i = field_find(fields, count, name);
		char key[ESF_YAMLDOC_KEY_SIZE];

		snprintf(key, sizeof(key), "%s%s%s", prefix, *prefix ? "." : "", name ? name : "?");
		if (i == count) {
			fault_unknown(doc, key_node, key, fields, count);
		} else if (seen >> i & 1) {
			esf_yamldoc_fault(doc, key_node, key, "the key once");
		} else {
			seen |= UINT64_C(1) << i;
			fields[i].read(
			    doc, value, key, &fields[i], (char *)base + fields[i].offset);
		}
	}
	return seen;
}

size_t esf_yamldoc_list(struct esf_yamldoc *doc, yaml_node_t *node, const char *key, size_t max)
{
	size_t count = 0;

	if (node->type == YAML_SEQUENCE_NODE)
		count = (size_t)(node->data.sequence.items.top - node->data.sequence.items.start);
	if (node->type != YAML_SEQUENCE_NODE || count > max) {
		fault_range(doc, node, key, "a list", 0, (double)max);
		return 0;
	}
	return count;
}

yaml_node_t *esf_yamldoc_item(struct esf_yamldoc *doc, yaml_node_t *list, size_t index)
{
	return yaml_document_get_node(&doc->document, list->data.sequence.items.start[index]);
}

void esf_yamldoc_number(struct esf_yamldoc *doc, yaml_node_t *node, const char *key,
    const struct esf_yamldoc_field *field, void *out)
{
	const char *text = scalar(node);
	char *end = NULL;
	double value = text ? strtod(text, &end) : NAN;

	if (!text || end == text || *end != '\0' || !(value >= field->min && value <= field->max))
		fault_range(doc, node, key, "a number", field->min, field->max);
	else
		*(double *)out = value;
}

void esf_yamldoc_count(struct esf_yamldoc *doc, yaml_node_t *node, const char *key,
    const struct esf_yamldoc_field *field, void *out)
{
	const char *text = scalar(node);
	char *end = NULL;
	unsigned long long value = 0;

	errno = 0;
	if (text && *text >= '0' && *text <= '9')
		value = strtoull(text, &end, 10);
	if (!end || *end != '\0' || errno != 0 || (double)value < field->min ||
	    (double)value > field->max)
		fault_range(doc, node, key, "a whole number", field->min, field->max);
	else
		*(uint64_t *)out = value;
}

/* Seconds in the unit that suffix names, 0 for none. */
static double duration_unit(const char *suffix)
{
	static const struct {
		const char *suffix;
		double seconds;
	} units[] = { { "us", 1e-6 }, { "ms", 1e-3 }, { "s", 1 }, { "m", 60 }, { "h", 3600 },
		{ "d", 86400 } };

	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		if (strcmp(units[i].suffix, suffix) == 0)
			return units[i].seconds;
	}
	return 0;
}

void esf_yamldoc_duration(struct esf_yamldoc *doc, yaml_node_t *node, const char *key,
    const struct esf_yamldoc_field *field, void *out)
{
	const char *text = scalar(node);
	char *end = NULL;
	double seconds = text ? strtod(text, &end) : NAN;
	char want[120];

	if (text && end != text)
		seconds *= duration_unit(end);
	if (text && end != text && duration_unit(end) > 0 && seconds >= field->min &&
	    seconds <= field->max) {
		*(int64_t *)out = llround(seconds * ns_per_s);
		return;
	}
	snprintf(want, sizeof(want), "a duration such as 250ms, 10s, 1m or 1h, of %.15gs..%.15gs",
	    field->min, field->max);
	esf_yamldoc_fault(doc, node, key, want);
}

void esf_yamldoc_time(struct esf_yamldoc *doc, yaml_node_t *node, const char *key,
    const struct esf_yamldoc_field *field, void *out)
{
	const char *text = scalar(node);
	struct tm tm = { 0 };
	const char *end = text ? strptime(text, "%Y-%m-%dT%H:%M:%SZ", &tm) : NULL;
	char *digits_end = NULL;
	double seconds = end && *end == '\0' ? (double)timegm(&tm) : -1;

	if (text && seconds < 0)
		seconds = strtod(text, &digits_end);
	if (digits_end && (digits_end == text || *digits_end != '\0'))
		seconds = -1;
	if (!(seconds >= field->min && seconds <= field->max) || floor(seconds) != seconds)
		esf_yamldoc_fault(
		    doc, node, key, "whole Unix seconds or a time such as 2026-01-31T12:00:00Z");
	else
		*(int64_t *)out = (int64_t)seconds * INT64_C(1000000000);
}

static int text_is_plain(const char *text, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		if ((unsigned char)text[i] < ' ' || text[i] == 0x7f)
			return 0;
	}
	return size > 0;
}

void esf_yamldoc_text(struct esf_yamldoc *doc, yaml_node_t *node, const char *key,
    const struct esf_yamldoc_field *field, void *out)
{
	const char *text = scalar(node);
	size_t size = text ? node->data.scalar.length : 0;
	char want[80];

	if (text && size <= (size_t)field->max && text_is_plain(text, size)) {
		memcpy(out, text, size + 1);
		return;
	}
	snprintf(
	    want, sizeof(want), "text of 1..%.0f bytes without control characters", field->max);
	esf_yamldoc_fault(doc, node, key, want);
}

void esf_yamldoc_choice(struct esf_yamldoc *doc, yaml_node_t *node, const char *key,
    const struct esf_yamldoc_field *field, void *out)
{
	const char *text = scalar(node);
	char want[320] = "";
	size_t used = 0;

	for (int i = 0; field->choices[i]; i++) {
		if (text && strcmp(text, field->choices[i]) == 0) {
			*(int *)out = i;
			return;
		}
		if (used < sizeof(want))
			used += (size_t)snprintf(want + used, sizeof(want) - used, "%s%s",
			    i ? " | " : "", field->choices[i]);
	}
	esf_yamldoc_fault(doc, node, key, want);
}

void esf_yamldoc_node(struct esf_yamldoc *doc, yaml_node_t *node, const char *key,
    const struct esf_yamldoc_field *field, void *out)
{
	(void)doc;
	(void)key;
	(void)field;
	*(yaml_node_t **)out = node;
}

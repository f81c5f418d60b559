/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ESF_BENCH_YAMLDOC_H
#define ESF_BENCH_YAMLDOC_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <yaml.h>

/*
 * A YAML document read by tables of fields, with every fault reported as `FILE:LINE: key: got "x",
 * want y` and reading going on behind it. One thread.
 */
enum { ESF_YAMLDOC_KEY_SIZE = 160, ESF_YAMLDOC_FIELDS_MAX = 64 };

struct esf_yamldoc {
	yaml_document_t document;
	const char *name; /* of the file, for messages */
	FILE *errors;
	unsigned faults_count;
};

struct esf_yamldoc_field;

/* Reads node into *out; key is the full key for messages. */
typedef void esf_yamldoc_read(struct esf_yamldoc *doc, yaml_node_t *node, const char *key,
    const struct esf_yamldoc_field *field, void *out);

struct esf_yamldoc_field {
	const char *key;
	esf_yamldoc_read *read;
	size_t offset;              /* of the member in the struct that the table fills */
	double min, max;            /* numbers, counts; durations: seconds; text: most bytes */
	const char *const *choices; /* esf_yamldoc_choice: NULL-terminated */
};

/* 0, or -1 with the syntax error reported (the document is then closed already). */
int esf_yamldoc_open(
    struct esf_yamldoc *doc, const char *text, size_t size, const char *name, FILE *errors);
void esf_yamldoc_close(struct esf_yamldoc *doc);

/* NULL for an empty document. */
yaml_node_t *esf_yamldoc_root(struct esf_yamldoc *doc);

/* Reports: got is what node holds. */
void esf_yamldoc_fault(
    struct esf_yamldoc *doc, const yaml_node_t *node, const char *key, const char *want);

/* Reports with a got of its own. */
void esf_yamldoc_fault_got(struct esf_yamldoc *doc, const yaml_node_t *node, const char *key,
    const char *got, const char *want);

/*
 * Fills the struct at base by a table of count fields (at most 64). Bit i of the result says that
 * field i was there. Unknown and repeated keys are faults. prefix: key of the mapping itself, ""
 * for the root.
 */
uint64_t esf_yamldoc_map(struct esf_yamldoc *doc, yaml_node_t *node, const char *prefix,
    const struct esf_yamldoc_field *fields, size_t count, void *base);

/* Number of items of a list, 0 (and a fault) if it is none or longer than max. */
size_t esf_yamldoc_list(struct esf_yamldoc *doc, yaml_node_t *node, const char *key, size_t max);
yaml_node_t *esf_yamldoc_item(struct esf_yamldoc *doc, yaml_node_t *list, size_t index);

/* Readers; what *out is: */
esf_yamldoc_read esf_yamldoc_number;   /* double */
esf_yamldoc_read esf_yamldoc_count;    /* uint64_t */
esf_yamldoc_read esf_yamldoc_duration; /* int64_t, ns; written 250ms, 10s, 1m, 8h, -5s */
esf_yamldoc_read
    esf_yamldoc_time; /* int64_t, Unix ns; written as Unix seconds or 2026-01-31T12:00:00Z */
esf_yamldoc_read esf_yamldoc_text;   /* char[max + 1]; not empty, no control characters */
esf_yamldoc_read esf_yamldoc_choice; /* int, index into choices */
esf_yamldoc_read esf_yamldoc_node;   /* yaml_node_t *, to be read later */

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ESF_CONFIG_SCHEMA_H
#define ESF_CONFIG_SCHEMA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "arena.h"
#include "document.h"
#include "fault.h"

/*
 * The keys of a file as tables, and the one reader that walks a document beside them: strict,
 * bounded by the tables' own depth (whatever aliases the file ties), and it goes on after a fault
 * to find the others.
 */
enum esf_key_kind {
	ESF_KEY_BOOLEAN,
	ESF_KEY_INTEGER,  /* min..max */
	ESF_KEY_NUMBER,   /* low..high, or above low */
	ESF_KEY_DURATION, /* min..max, ns */
	ESF_KEY_TEXT, /* what check takes; any non-empty text of at most max bytes without one */
	ESF_KEY_CHOICE,
	ESF_KEY_MAPPING, /* of fields */
	ESF_KEY_FREE,    /* any mapping */
	ESF_KEY_LIST,    /* of items, at most max */
	ESF_KEY_CUSTOM,  /* what set takes */
};

enum {
	ESF_SCHEMA_FIELDS_MAX = 40, /* of one mapping */
	ESF_WANT_SIZE = 320,
};

#define ESF_NOWHERE SIZE_MAX /* an offset: read and checked, not kept */

struct esf_choice {
	const char *name;
	uint32_t value;
	const char *not_built; /* what to do instead */
};

/* One load: what every check needs. */
struct esf_load {
	struct esf_document *document;
	struct esf_arena *arena;
	struct esf_fault_list *faults;
};

/* NULL when text is taken, else what was wanted (perhaps written to buffer of ESF_WANT_SIZE bytes).
 */
typedef const char *esf_text_check(const char *text, char *buffer);
typedef const char *esf_node_setter(struct esf_load *load, yaml_node_t *node, void *slot);

struct esf_key {
	const char *name;
	enum esf_key_kind kind;
	bool required;
	bool nullable; /* null leaves the default */
	bool above;    /* NUMBER: low itself is not taken */
	uint8_t size;  /* INTEGER: bytes of the member */
	size_t offset; /* of the member in the mapping's struct, or ESF_NOWHERE */
	int64_t min;
	int64_t max;
	double low;
	double high;
	const char *want; /* TEXT, CUSTOM: where the default words don't do */
	esf_text_check *check;
	esf_node_setter *set;
	const struct esf_choice *choices; /* ends with a NULL name */
	const struct esf_key *fields;     /* MAPPING: ends with a NULL name */
	void (*prepare)(void *slot);      /* MAPPING: writes the defaults that are not zero */
	const struct esf_key *item;       /* LIST: kind and bounds of an item */
	size_t item_size;                 /* LIST: 0: items are not kept */
	size_t count_offset;
	const char
	    *not_built; /* what to do instead of using it: true, non-null, a non-empty list */
};

/* Reads a value into the struct at base (NULL: only checks it). */
void esf_schema_read(struct esf_load *load, const struct esf_path *path, yaml_node_t *node,
    const struct esf_key *key, void *base);

/* `got GOT, want WANT` at the node's line; the node is faulty from now on. */
void esf_load_refuse(
    struct esf_load *load, const struct esf_path *path, yaml_node_t *node, const char *want);

/* Any other fault of a node. */
__attribute__((format(printf, 4, 5))) void esf_load_fault(
    struct esf_load *load, const struct esf_path *path, yaml_node_t *node, const char *format, ...);

#endif

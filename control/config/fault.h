/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ESF_CONFIG_FAULT_H
#define ESF_CONFIG_FAULT_H

#include <stdbool.h>
#include <stdint.h>

#include "config.h"

enum {
	ESF_FAULTS_MAX = 1000,    /* kept of one load; the rest is counted in a last line */
	ESF_FAULT_TEXT_MAX = 512, /* bytes of what is said after the key */
	ESF_KEY_PATH_MAX = 192,   /* bytes of the dotted path */
};

/* Where a value stands, as a chain on the stack: rendered only when there is a fault. NULL is the
 * root. */
struct esf_path {
	const struct esf_path *parent;
	const char *key; /* NULL: an item of a list */
	uint32_t index;
};

/* Faults and warnings as they are met. One thread. */
struct esf_fault_list {
	const char *file;     /* as it stands in the messages, of those to come */
	uint32_t file_number; /* faults are sorted by it first */
	struct esf_fault *items;
	uint32_t count;
	uint32_t capacity;
	uint32_t faults; /* met, kept or not */
	uint32_t dropped;
	bool exhausted; /* out of memory */
};

__attribute__((format(printf, 4, 5))) void esf_fault_add(struct esf_fault_list *list,
    const struct esf_path *path, uint32_t line, const char *format, ...);
__attribute__((format(printf, 4, 5))) void esf_fault_warn(struct esf_fault_list *list,
    const struct esf_path *path, uint32_t line, const char *format, ...);

/* `listeners[2].udp`; control characters become '?', so that a fault is one line whatever the file
 * holds. */
void esf_path_text(const struct esf_path *path, char *buffer, size_t size);

/* Copies size bytes of UTF-8 as one printable line of at most room bytes; what is cut ends in
 * "...". */
void esf_fault_quote(const char *text, size_t text_size, char *buffer, size_t size);

/* Sorts by file, then by line, then by the order met, and moves all to *faults. Frees the list. 0
 * or -ENOMEM. */
int esf_fault_list_finish(struct esf_fault_list *list, struct esf_faults *faults);

#endif

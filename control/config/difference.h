/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ESF_CONFIG_DIFFERENCE_H
#define ESF_CONFIG_DIFFERENCE_H

#include "config.h"

/*
 * What one configuration says and another one says instead: values by their path, and sites by
 * their id. Each list holds the first so many and says how many there are. Pure.
 */
enum esf_difference_kind {
	ESF_DIFFERENCE_VALUES,  /* name: a path such as health.good; was or becomes NULL: none */
	ESF_DIFFERENCE_ADDED,   /* a site; becomes: its region */
	ESF_DIFFERENCE_REMOVED, /* a site; was: its region */
	ESF_DIFFERENCE_RENAMED, /* was, becomes: the names */
	ESF_DIFFERENCE_MOVED,   /* was, becomes: the regions */
	ESF_DIFFERENCE_ALTERED, /* what else of the site differs */
	ESF_DIFFERENCE_KINDS,
};

enum {
	ESF_DIFFERENCES_MAX = 100,     /* kept of each kind */
	ESF_DIFFERENCE_TEXT_MAX = 200, /* bytes of a value; a longer one ends in "..." */
};

struct esf_difference_item {
	char *name, *was, *becomes;
};

struct esf_difference_list {
	uint32_t count; /* also of those that are not kept */
	uint32_t kept;
	struct esf_difference_item *items;
};

struct esf_difference {
	struct esf_difference_list lists[ESF_DIFFERENCE_KINDS];
};

/* 0, or -ENOMEM; esf_difference_free in either case. Not for data lcores. */
int esf_difference_find(const struct esf_config *running, const struct esf_config *next,
    struct esf_difference *difference);
void esf_difference_free(struct esf_difference *difference);

/* "values", "added", "removed", "renamed", "moved", "altered" */
const char *esf_difference_kind_name(enum esf_difference_kind kind);

#endif

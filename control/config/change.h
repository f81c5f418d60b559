/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ESF_CONFIG_CHANGE_H
#define ESF_CONFIG_CHANGE_H

#include <stdio.h>

#include "config.h"
#include "print.h"

/* What differs between the configuration in force and one that is to follow it. Pure. */
enum { ESF_CHANGES_MAX = 32 };

/* The top-level keys and what prints them; the sites have nothing that does. Ends with a NULL name.
 */
struct esf_change_key {
	const char *name;
	esf_print_fn print;
};

extern const struct esf_change_key esf_change_keys[];

/* What print writes, to be freed; NULL when out of memory. */
char *esf_change_printed(esf_print_fn print, const struct esf_config *config);

/* The sites in the order of their ids, to be freed; NULL when out of memory. */
const struct esf_site_config **esf_change_sites_by_id(const struct esf_config *config);

/* Top-level keys whose values differ, in the order of CONTRACT section 3: how many, and their names
 * in changed. */
uint32_t esf_config_changes(const struct esf_config *running, const struct esf_config *next,
    const char *changed[ESF_CHANGES_MAX]);

/*
 * One line to faults for each thing that differs and that a reload can't change: what was got, what
 * it runs with, how to mend it. Returns how many. max_skew_ns: the most that the plane has room
 * for.
 */
uint32_t esf_config_fixed(const struct esf_config *running, const struct esf_config *next,
    int64_t max_skew_ns, FILE *faults);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ESF_CONFIG_CHANGE_H
#define ESF_CONFIG_CHANGE_H

#include <stdio.h>

#include "config.h"

/* What differs between the configuration in force and one that is to follow it. Pure. */
enum { ESF_CHANGES_MAX = 32 };

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

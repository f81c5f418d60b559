/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ESF_INFLUX_FIELDS_H
#define ESF_INFLUX_FIELDS_H

#include <locale.h>
#include <stdbool.h>

#include "influx.h"

/* Names are copied in blocks of so many bytes: there is room for a block behind them. */
enum {
	ESF_INFLUX_COPY_SIZE = 16,
	ESF_INFLUX_PREFIX_SIZE = (ESF_RAW_NAME_MAX + ESF_INFLUX_COPY_SIZE - 1) /
	                         ESF_INFLUX_COPY_SIZE * ESF_INFLUX_COPY_SIZE,
};

/* The fields of one line, and the scratch that their names are composed in. Owned by the parser. */
struct esf_influx_fields {
	struct esf_influx_field *entries; /* ESF_INFLUX_FIELDS_MAX */
	uint32_t count;
	char *names; /* ESF_INFLUX_FIELDS_MAX x ESF_RAW_NAME_MAX and a block; entries of the line
	                point here */
	char *names_end;
	char prefix[ESF_INFLUX_PREFIX_SIZE]; /* "measurement.", unescaped */
	uint32_t prefix_length;
	locale_t c_locale;
};

/* 0 or -ENOMEM. Undone by esf_influx_fields_fini, also after a failure. */
int esf_influx_fields_init(struct esf_influx_fields *fields);
void esf_influx_fields_fini(struct esf_influx_fields *fields);

/*
 * Reads field=value[,field=value...] at `at`, which has at least two bytes of its line before it.
 * Returns where the section ends (an unquoted space, or end), or NULL when it is malformed.
 * escaped: the line holds a backslash.
 */
const char *esf_influx_fields_parse(
    struct esf_influx_fields *fields, const char *at, const char *end, bool escaped);

#endif

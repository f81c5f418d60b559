/* SPDX-License-Identifier: Apache-2.0 */
#include "influx_fields.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "influx_number.h"
#include "influx_text.h"

/*
 * InfluxDB 1.x reads a field section twice: once to see that it is well-formed and where it ends,
 * once to cut it into keys and values, and the two differ in what a backslash escapes. read_plain()
 * does it in one pass for sections on which both agree; read_exactly() follows the two passes for
 * all others, so that what InfluxDB accepts and refuses is accepted and refused here.
 */

int esf_influx_fields_init(struct esf_influx_fields *fields)
{
	fields->entries = malloc(sizeof(*fields->entries) * ESF_INFLUX_FIELDS_MAX);
	fields->names =
	    malloc((size_t)ESF_INFLUX_FIELDS_MAX * ESF_RAW_NAME_MAX + ESF_INFLUX_COPY_SIZE);
	fields->c_locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);
	if (fields->entries == NULL || fields->names == NULL || fields->c_locale == (locale_t)0)
		return -ENOMEM;
	return 0;
}

void esf_influx_fields_fini(struct esf_influx_fields *fields)
{
	if (fields->c_locale != (locale_t)0)
		freelocale(fields->c_locale);
	free(fields->names);
	free(fields->entries);
}

static bool ends_value(const char *at, const char *end)
{
	return at == end || esf_influx_is(*at, ESF_INFLUX_SEPARATOR);
}

static const char *read_boolean(const char *at, const char *end, double *value)
{
	static const struct {
		const char *text;
		double value;
	} spellings[] = { { "true", 1 }, { "false", 0 }, { "t", 1 }, { "f", 0 }, { "True", 1 },
		{ "False", 0 }, { "T", 1 }, { "F", 0 }, { "TRUE", 1 }, { "FALSE", 0 } };

	for (size_t i = 0; i < sizeof(spellings) / sizeof(spellings[0]); i++) {
		size_t length = strlen(spellings[i].text);

		if ((size_t)(end - at) >= length && memcmp(at, spellings[i].text, length) == 0 &&
		    ends_value(at + length, end)) {
			*value = spellings[i].value;
			return at + length;
		}
	}
	return NULL;
}

/* A number or a boolean, with a separator or the end behind it; NULL when it is neither. */
static const char *read_scalar(
    const struct esf_influx_fields *fields, const char *at, const char *end, double *value)
{
	if (*at > '9')
		return read_boolean(at, end, value);
	at = esf_influx_number_parse(at, end, fields->c_locale, value);
	return at != NULL && ends_value(at, end) ? at : NULL;
}

/* Up to two blocks, where the line has them. */
static void copy_key(char *to, const char *key, uint32_t size, const char *end)
{
	if (size > 2 * ESF_INFLUX_COPY_SIZE || end - key < 2 * ESF_INFLUX_COPY_SIZE) {
		memcpy(to, key, size);
		return;
	}
	memcpy(to, key, ESF_INFLUX_COPY_SIZE);
	if (size > ESF_INFLUX_COPY_SIZE)
		memcpy(to + ESF_INFLUX_COPY_SIZE, key + ESF_INFLUX_COPY_SIZE, ESF_INFLUX_COPY_SIZE);
}

/* The next entry, named; NULL when the line has too many fields or the name is too long. */
static struct esf_influx_field *add_field(
    struct esf_influx_fields *fields, const char *key, uint32_t size, const char *end, bool escaped)
{
	struct esf_influx_field *field = &fields->entries[fields->count];
	uint32_t room = ESF_RAW_NAME_MAX - fields->prefix_length;
	uint32_t length = size;

	if (fields->count == ESF_INFLUX_FIELDS_MAX || size == 0 || (!escaped && size > room))
		return NULL;
	for (uint32_t i = 0; i < fields->prefix_length; i += ESF_INFLUX_COPY_SIZE)
		memcpy(fields->names_end + i, fields->prefix + i, ESF_INFLUX_COPY_SIZE);
	if (escaped)
		length = esf_influx_unescape(fields->names_end + fields->prefix_length, room, key,
		    size, ESF_INFLUX_FIELD_ESCAPE);
	else
		copy_key(fields->names_end + fields->prefix_length, key, size, end);
	if (length > room)
		return NULL;
	field->name.at = fields->names_end;
	field->name.length = fields->prefix_length + length;
	field->memory = NULL;
	field->type = ESF_INFLUX_NUMBER;
	field->value = 0;
	fields->names_end += field->name.length;
	fields->count++;
	return field;
}

/* Passes over one `=` of the first pass and the number or boolean behind it. */
static const char *check_value(
    const struct esf_influx_fields *fields, const char *equals, const char *end)
{
	double ignored;

	if ((equals[-1] == ' ' || equals[-1] == ',') && equals[-2] != '\\')
		return NULL;
	if (equals + 1 == end)
		return NULL;
	if (equals[1] == '"')
		return equals + 1;
	return read_scalar(fields, equals + 1, end, &ignored);
}

/* First pass: where the section ends, NULL when it is malformed. */
static const char *check_section(
    const struct esf_influx_fields *fields, const char *at, const char *end)
{
	uint32_t equals_count = 0;
	uint32_t commas_count = 0;
	bool quoted = false;

	while (at != NULL && at < end) {
		if (*at == '\\' && at + 1 < end) {
			at += 2;
		} else if (*at == '"' && equals_count > commas_count) {
			quoted = !quoted;
			at++;
		} else if (*at == '=' && !quoted) {
			equals_count++;
			at = check_value(fields, at, end);
		} else if (*at == ' ' && !quoted) {
			break;
		} else {
			commas_count += *at == ',' && !quoted;
			at++;
		}
	}
	return !quoted && equals_count == commas_count + 1 ? at : NULL;
}

static const char *find_equals(const char *at, const char *end)
{
	const char *start = at;

	while (at < end && (*at != '=' || (at > start && at[-1] == '\\')))
		at++;
	return at;
}

static const char *find_value_end(const char *at, const char *end)
{
	bool quoted = false;

	for (; at < end && (*at != ',' || quoted); at++) {
		if (*at == '\\' && at + 1 < end && (at[1] == '"' || at[1] == '\\'))
			at++;
		else if (*at == '"')
			quoted = !quoted;
	}
	return at;
}

/* Second pass: cuts a section that check_section() found well-formed. */
static bool cut_section(struct esf_influx_fields *fields, const char *at, const char *end)
{
	while (at < end) {
		const char *equals = find_equals(at, end);
		const char *value_end;
		struct esf_influx_field *field;

		if (end - equals < 2)
			return false;
		value_end = find_value_end(equals + 1, end);
		field = add_field(fields, at, (uint32_t)(equals - at), end, true);
		if (field == NULL || value_end == equals + 1)
			return false;
		if (equals[1] == '"')
			field->type = ESF_INFLUX_STRING;
		else if (read_scalar(fields, equals + 1, value_end, &field->value) != value_end)
			return false;
		at = value_end < end ? value_end + 1 : end;
	}
	return true;
}

static const char *read_exactly(struct esf_influx_fields *fields, const char *at, const char *end)
{
	const char *section_end = check_section(fields, at, end);

	fields->count = 0;
	fields->names_end = fields->names;
	if (section_end == NULL || !cut_section(fields, at, section_end))
		return NULL;
	return section_end;
}

static const char *read_plain_value(const struct esf_influx_fields *fields,
    struct esf_influx_field *field, const char *at, const char *end)
{
	if (at == end)
		return NULL;
	if (*at != '"')
		return read_scalar(fields, at, end, &field->value);
	field->type = ESF_INFLUX_STRING;
	at = esf_influx_find(at + 1, end, '"');
	return at < end && ends_value(at + 1, end) ? at + 1 : NULL;
}

/* One pass for what senders write: no backslash, and nothing behind a string's closing quote. */
static const char *read_plain(struct esf_influx_fields *fields, const char *at, const char *end)
{
	for (;;) {
		const char *key = at;
		struct esf_influx_field *field;

		at = esf_influx_find_delimiter(at, end);
		if (at == end || *at != '=')
			return NULL;
		field = add_field(fields, key, (uint32_t)(at - key), end, false);
		if (field == NULL)
			return NULL;
		at = read_plain_value(fields, field, at + 1, end);
		if (at == NULL || at == end || *at == ' ')
			return at;
		at++;
	}
}

const char *esf_influx_fields_parse(
    struct esf_influx_fields *fields, const char *at, const char *end, bool escaped)
{
	const char *section_end = NULL;

	fields->count = 0;
	fields->names_end = fields->names;
	if (!escaped)
		section_end = read_plain(fields, at, end);
	return section_end != NULL ? section_end : read_exactly(fields, at, end);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "csv.h"

#include <stdbool.h>
#include <string.h>

#include "dataplane/utf8.h"

struct esf_csv esf_csv_open(char *data, size_t size)
{
	struct esf_csv csv = { data, data + size, 1 };

	if (size >= 3 && memcmp(data, "\xef\xbb\xbf", 3) == 0)
		csv.at += 3;
	return csv;
}

static const char *fault_of_text(const char *text)
{
	const char *end = text + strlen(text);
	uint32_t size;

	if (end - text > ESF_CSV_FIELD_SIZE_MAX)
		return "got a field of more than 65535 bytes: is a quote missing at its end?";
	for (; text < end; text += size) {
		size = (unsigned char)*text < 0x80
		           ? 1
		           : esf_utf8_sequence_size((const uint8_t *)text, (uint32_t)(end - text));
		if (size == 0)
			return "got bytes that are not UTF-8: save the file as UTF-8";
	}
	return NULL;
}

/* at is behind the opening quote. What is unquoted is never longer, so that it and its NUL fit. */
static const char *read_quoted(struct esf_csv *csv, struct esf_csv_record *record)
{
	char *to = csv->at;

	for (; csv->at < csv->end; csv->at++) {
		if (*csv->at == '\0')
			return "got a NUL byte, want text";
		if (*csv->at == '"') {
			if (csv->at + 1 == csv->end || csv->at[1] != '"') {
				csv->at++;
				*to = '\0';
				return NULL;
			}
			csv->at++;
		}
		csv->line += *csv->at == '\n';
		*to++ = *csv->at;
	}
	csv->line = record->line;
	return "got a field in quotes that does not end, want \" at its end, and \"\" for one "
	       "within";
}

static const char *read_plain(struct esf_csv *csv)
{
	for (; csv->at < csv->end && strchr(",\r\n", *csv->at) == NULL; csv->at++)
		if (*csv->at == '"')
			return "got a quote within a field without quotes, want the whole field in "
			       "quotes and \"\" for one within";
	return csv->at < csv->end && *csv->at == '\0' ? "got a NUL byte, want text" : NULL;
}

/* Passes over what ends a field; *more: another one follows. */
static const char *end_field(struct esf_csv *csv, bool *more)
{
	char *at = csv->at, ends = at == csv->end ? '\n' : *at;

	*more = ends == ',';
	if (ends == '\r') {
		if (at + 1 == csv->end || at[1] != '\n')
			return "got a carriage return alone, want lines that end in CRLF or LF";
		csv->at++;
	} else if (ends != ',' && ends != '\n') {
		return "got text behind the closing quote, want a comma or the line's end";
	}
	*at = '\0';
	if (csv->at < csv->end) {
		csv->line += !*more;
		csv->at++;
	}
	return NULL;
}

static const char *read_field(struct esf_csv *csv, struct esf_csv_record *record, bool *more)
{
	bool quoted = csv->at < csv->end && *csv->at == '"';
	char *field = csv->at + quoted;
	const char *fault;

	if (record->count == ESF_CSV_FIELDS_MAX)
		return "got more than 64 columns, want at most 64";
	csv->at = field;
	fault = quoted ? read_quoted(csv, record) : read_plain(csv);
	if (fault == NULL)
		fault = end_field(csv, more);
	if (fault != NULL)
		return fault;
	record->fields[record->count++] = field;
	return NULL;
}

static void pass_line(struct esf_csv *csv)
{
	char *found = memchr(csv->at, '\n', (size_t)(csv->end - csv->at));

	csv->at = found == NULL ? csv->end : found + 1;
	csv->line += found != NULL;
}

static bool pass_empty_lines(struct esf_csv *csv)
{
	for (;;) {
		size_t left = (size_t)(csv->end - csv->at);

		if (left >= 1 && csv->at[0] == '\n')
			csv->at++;
		else if (left >= 2 && csv->at[0] == '\r' && csv->at[1] == '\n')
			csv->at += 2;
		else
			return left > 0;
		csv->line++;
	}
}

enum esf_csv_step esf_csv_next(struct esf_csv *csv, struct esf_csv_record *record)
{
	bool more = true;

	if (!pass_empty_lines(csv))
		return ESF_CSV_END;
	record->line = csv->line;
	record->count = 0;
	record->fault = NULL;
	while (more && record->fault == NULL)
		record->fault = read_field(csv, record, &more);
	if (record->fault != NULL) {
		record->line = csv->line;
		pass_line(csv);
		return ESF_CSV_FAULTY;
	}
	for (uint32_t i = 0; i < record->count && record->fault == NULL; i++)
		record->fault = fault_of_text(record->fields[i]);
	return record->fault == NULL ? ESF_CSV_RECORD : ESF_CSV_FAULTY;
}

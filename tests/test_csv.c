/* SPDX-License-Identifier: Apache-2.0 */
#include "control/config/csv.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <CUnit/CUnit.h>

#include "suites.h"

/* All records as "LINE[field|field]" and "LINE!fault", up to a fault's comma. */
static void read_all(const char *text, size_t size, char *out, size_t room)
{
	char *data = malloc(size + 1);
	struct esf_csv_record record;
	enum esf_csv_step step;
	struct esf_csv csv;
	size_t used = 0;

	memcpy(data, text, size);
	csv = esf_csv_open(data, size);
	out[0] = '\0';
	while ((step = esf_csv_next(&csv, &record)) != ESF_CSV_END) {
		used += (size_t)snprintf(out + used, room - used, "%u", record.line);
		if (step == ESF_CSV_FAULTY) {
			used += (size_t)snprintf(out + used, room - used, "!%.*s",
			    (int)strcspn(record.fault, ",:"), record.fault);
			continue;
		}
		for (uint32_t i = 0; i < record.count; i++)
			used += (size_t)snprintf(
			    out + used, room - used, "%s%s", i == 0 ? "[" : "|", record.fields[i]);
		used += (size_t)snprintf(out + used, room - used, "]");
	}
	free(data);
}

struct expected {
	const char *text;
	const char *records;
};

static void expect(const struct expected *cases, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		char got[1024];

		read_all(cases[i].text, strlen(cases[i].text), got, sizeof(got));
		if (strcmp(got, cases[i].records) != 0)
			fprintf(stderr, "\n%s\n -> %s\n want %s\n", cases[i].text, got,
			    cases[i].records);
		CU_ASSERT_STRING_EQUAL(got, cases[i].records);
	}
}

static void records_are_read_as_rfc_4180_has_them(void)
{
	static const struct expected cases[] = {
		{ "", "" },
		{ "\xef\xbb\xbf", "" },
		{ "a", "1[a]" },
		{ "a,b\nc,d\n", "1[a|b]2[c|d]" },
		{ "a,b\r\nc,d\r\n", "1[a|b]2[c|d]" },
		{ "\xef\xbb\xbf"
		  "a,b\r\nc,d",
		    "1[a|b]2[c|d]" },
		{ ",\n,", "1[|]2[|]" },
		{ "a,\n", "1[a|]" },
		{ "\n\r\na\n\n\r\nb", "3[a]6[b]" },
		{ " a , b ", "1[ a | b ]" },
		{ "\"a\",\"b\"\n", "1[a|b]" },
		{ "\"a,b\"", "1[a,b]" },
		{ "\"a\"\"b\"", "1[a\"b]" },
		{ "\"\"\"\"", "1[\"]" },
		{ "\"\",x", "1[|x]" },
		{ "\"a\nb\",c\nd,e", "1[a\nb|c]3[d|e]" },
		{ "\"a\r\nb\"\r\nc", "1[a\r\nb]3[c]" },
		{ "\xc3\xa9", "1[\xc3\xa9]" },
	};

	expect(cases, sizeof(cases) / sizeof(cases[0]));
}

static void faults_are_named_and_the_next_line_read(void)
{
	static const struct expected cases[] = {
		{ "a\"b,c\nd", "1!got a quote within a field without quotes2[d]" },
		{ "\"a\"b\nd", "1!got text behind the closing quote2[d]" },
		{ "x\n\"a\nb\nc", "1[x]2!got a field in quotes that does not end" },
		{ "\"", "1!got a field in quotes that does not end" },
		{ "a\rb\nc", "1!got a carriage return alone2[c]" },
		{ "a\r", "1!got a carriage return alone" },
		{ "\xff\nb", "1!got bytes that are not UTF-82[b]" },
		{ "\"\xc3\"\nb", "1!got bytes that are not UTF-82[b]" },
	};

	expect(cases, sizeof(cases) / sizeof(cases[0]));
}

static void nul_bytes_are_faults(void)
{
	char got[256];

	read_all("a\0b\nc", 5, got, sizeof(got));
	CU_ASSERT_STRING_EQUAL(got, "1!got a NUL byte2[c]");
	read_all("\"a\0b\"\nc", 7, got, sizeof(got));
	CU_ASSERT_STRING_EQUAL(got, "1!got a NUL byte2[c]");
}

static void fields_and_columns_are_bounded(void)
{
	char *text = malloc(ESF_CSV_FIELD_SIZE_MAX + 3), *got = malloc(ESF_CSV_FIELD_SIZE_MAX + 64);

	memset(text, ',', ESF_CSV_FIELDS_MAX);
	memcpy(text + ESF_CSV_FIELDS_MAX - 1, "\nb", 3);
	read_all(text, strlen(text), got, 256);
	CU_ASSERT_EQUAL(strncmp(got, "1[||", 4), 0);
	memset(text, ',', ESF_CSV_FIELDS_MAX);
	memcpy(text + ESF_CSV_FIELDS_MAX, "\nb", 3);
	read_all(text, strlen(text), got, 256);
	CU_ASSERT_STRING_EQUAL(got, "1!got more than 64 columns2[b]");
	memset(text, 'a', ESF_CSV_FIELD_SIZE_MAX + 1);
	read_all(text, ESF_CSV_FIELD_SIZE_MAX, got, ESF_CSV_FIELD_SIZE_MAX + 64);
	CU_ASSERT_EQUAL(strlen(got), ESF_CSV_FIELD_SIZE_MAX + 3);
	read_all(text, ESF_CSV_FIELD_SIZE_MAX + 1, got, 256);
	CU_ASSERT_STRING_EQUAL(got, "1!got a field of more than 65535 bytes");
	free(got);
	free(text);
}

void esf_suite_csv(void)
{
	CU_pSuite suite = CU_add_suite("csv", NULL, NULL);

	CU_add_test(
	    suite, "records_are_read_as_rfc_4180_has_them", records_are_read_as_rfc_4180_has_them);
	CU_add_test(suite, "faults_are_named_and_the_next_line_read",
	    faults_are_named_and_the_next_line_read);
	CU_add_test(suite, "nul_bytes_are_faults", nul_bytes_are_faults);
	CU_add_test(suite, "fields_and_columns_are_bounded", fields_and_columns_are_bounded);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "control/cli/table.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <CUnit/CUnit.h>

#include "control/cli/items.h"
#include "control/cli/text.h"
#include "suites.h"

#define NS_PER_S INT64_C(1000000000)

static char *text;
static size_t size;

static FILE *open_page(void)
{
	free(text);
	text = NULL;
	return open_memstream(&text, &size);
}

static int clean_up(void)
{
	free(text);
	text = NULL;
	return 0;
}

static int set_up(void)
{
	esf_text_setup();
	return 0;
}

static void values_have_five_digits(void)
{
	static const struct {
		double value;
		const char *shown;
	} cases[] = {
		{ NAN, "-" },
		{ 0, "0" },
		{ -0.5, "-0.5" },
		{ 0.9721349, "0.97213" },
		{ 61.23456, "61.235" },
		{ 99999, "99999" },
		{ 99999.4, "99999" },
		{ 99999.6, "100000" },
		{ -123456.7, "-123457" },
		{ 9999999.4, "9999999" },
		{ 9999999.6, "1e7" },
		{ 12345678, "1.2346e7" },
		{ -1e10, "-1e10" },
		{ 1.5e300, "1.5e300" },
		{ 0.00012345678, "0.00012346" },
		{ 0.000012345678, "1.2346e-5" },
		{ -2e-100, "-2e-100" },
	};
	char buffer[ESF_TEXT_NUMBER_SIZE];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		CU_ASSERT_STRING_EQUAL(esf_text_value(cases[i].value, buffer), cases[i].shown);
}

static void counts_have_commas(void)
{
	char buffer[ESF_TEXT_NUMBER_SIZE];

	CU_ASSERT_STRING_EQUAL(esf_text_count(0, buffer), "0");
	CU_ASSERT_STRING_EQUAL(esf_text_count(999, buffer), "999");
	CU_ASSERT_STRING_EQUAL(esf_text_count(1000, buffer), "1,000");
	CU_ASSERT_STRING_EQUAL(esf_text_count(123456, buffer), "123,456");
	CU_ASSERT_STRING_EQUAL(esf_text_count(UINT64_MAX, buffer), "18,446,744,073,709,551,615");
}

static void ages_are_short(void)
{
	static const struct {
		int64_t s;
		const char *shown;
	} cases[] = { { -5, "0s" }, { 0, "0s" }, { 119, "119s" }, { 120, "2m" }, { 7199, "119m" },
		{ 7200, "2h" }, { 172799, "47h" }, { 172800, "2d" } };
	char buffer[ESF_TEXT_NUMBER_SIZE];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		CU_ASSERT_STRING_EQUAL(esf_text_age(cases[i].s * NS_PER_S, buffer), cases[i].shown);
}

static void text_is_cut_by_columns_not_bytes(void)
{
	static const struct {
		const char *text;
		int max;
		int columns;
		const char *shown;
	} cases[] = {
		{ "abc", 3, 3, "abc" },
		{ "abcd", 3, 3, "ab…" },
		{ "äöü", 3, 3, "äöü" },
		{ "äöüß", 3, 3, "äö…" },
		{ "東京", 4, 4, "東京" },
		{ "東京", 3, 3, "東…" },
		{ "a東京", 3, 2, "a…" },
		{ "e\xcc\x81x", 2, 2, "e\xcc\x81x" }, /* a combining accent takes no column */
		{ "a\x1b[1m\n", 9, 6, "a?[1m?" },
		{ "\xff\xfe", 9, 2, "??" },
		{ "a\xc3", 9, 2, "a?" }, /* half a character */
		{ "", 5, 0, "" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		FILE *out = open_page();

		CU_ASSERT_EQUAL(esf_text_put(out, cases[i].text, cases[i].max), cases[i].columns);
		fclose(out);
		CU_ASSERT_STRING_EQUAL(text, cases[i].shown);
	}
}

/* Rows of cells, each row as many as there are columns. */
static void print(const struct esf_column *columns, uint32_t count, const char *const *cells,
    uint32_t cells_count)
{
	FILE *out = open_page();
	struct esf_table table;

	esf_table_start(&table, columns, count);
	for (uint32_t i = 0; i < cells_count; i++)
		esf_table_add(&table, ESF_RED, cells[i]);
	esf_table_finish(&table, out, false);
	fclose(out);
}

static void columns_are_as_wide_as_their_cells(void)
{
	static const struct esf_column columns[] = { { .title = "NAME" }, { "N", .right = true },
		{ .title = "WHY" } };
	static const char *const cells[] = { "n-1", "12", "", "größe", "3", "x" };

	print(columns, 3, cells, 6);
	CU_ASSERT_STRING_EQUAL(text, "NAME    N  WHY\n"
	                             "n-1    12\n"
	                             "größe   3  x\n");
}

static void rows_that_are_not_whole_are_left_out(void)
{
	static const struct esf_column columns[] = { { .title = "A" }, { .title = "B" } };
	static const char *const cells[] = { "1", "2", "3" };

	print(columns, 2, cells, 3);
	CU_ASSERT_STRING_EQUAL(text, "A  B\n1  2\n");
}

static const char x60[] = "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx";

static void widest_columns_are_cut_first(void)
{
	static const struct esf_column columns[] = { { "A", .narrowest = 10 },
		{ "B", .narrowest = 10 }, { .title = "C" } };
	const char *const cells[] = { x60, "0123456789012345678901234", x60 };

	print(columns, 3, cells, 3);
	/* 100 - 60 - 2 gaps of 2 = 36 for both: 18 each. */
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "\nxxxxxxxxxxxxxxxxx…  01234567890123456…  xxx"));
	CU_ASSERT_EQUAL(esf_text_width(strchr(text, '\n') + 1), 100 + 1);
}

static void dispensable_columns_go_before_names_are_cut_too_short(void)
{
	static const struct esf_column columns[] = { { "KPI", .narrowest = 24 },
		{ "MIN", .right = true, .dispensable = 1 }, { "X", .right = true },
		{ "SAMPLES", .right = true, .dispensable = 2 } };
	const char *const cells[] = { x60, "1234567890", x60, "1234567" };

	print(columns, 4, cells, 4);
	/* 24 + 10 + 60 + 7 + 6 = 107: without the samples 98, so that the name gets 26. */
	CU_ASSERT_PTR_NULL(strstr(text, "SAMPLES"));
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "MIN"));
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "\nxxxxxxxxxxxxxxxxxxxxxxxxx…  1234567890  xxx"));
	CU_ASSERT_EQUAL(esf_text_width(strchr(text, '\n') + 1), 100 + 1);
}

static void nothing_is_left_out_that_fits(void)
{
	static const struct esf_column columns[] = { { "A", .narrowest = 1 },
		{ "B", .dispensable = 9 } };
	const char *const cells[] = { x60, "0123456789012345678901234567890123456789" };

	print(columns, 2, cells, 2);
	/* 60 + 2 + 40 = 102: A is cut by 2. */
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "x…  0123456789012345678901234567890123456789\n"));
	CU_ASSERT_EQUAL(esf_text_width(strchr(text, '\n') + 1), 100 + 1);
}

static void items_go_on_in_the_next_line(void)
{
	FILE *out = open_page();
	struct esf_items items;
	char *line;

	esf_items_start(&items, out, "no:", 4);
	for (int i = 0; i < 40; i++)
		esf_items_add(&items, "stale");
	esf_items_add(&items, "the last");
	esf_items_finish(&items);
	fclose(out);
	CU_ASSERT_EQUAL(strncmp(text, "no: stale, stale, ", 18), 0);
	CU_ASSERT_STRING_EQUAL(text + size - 11, ", the last\n");
	line = strtok(text, "\n");
	/* 4 + 13 * 7 - 1 = 94 columns with the comma; one more item would take 101. */
	CU_ASSERT_EQUAL(strlen(line), 94);
	line = strtok(NULL, "\n");
	CU_ASSERT_EQUAL(strlen(line), 94);
	CU_ASSERT_EQUAL(strncmp(line, "    stale", 9), 0);
}

static void long_items_are_cut(void)
{
	FILE *out = open_page();
	struct esf_items items;
	char item[150];

	memset(item, 'y', sizeof(item));
	item[sizeof(item) - 1] = '\0';
	esf_items_start(&items, out, "labels: ", 8);
	esf_items_add(&items, item);
	esf_items_add(&items, "b");
	esf_items_finish(&items);
	fclose(out);
	/* 8 + 91 and a comma: 100. */
	CU_ASSERT_EQUAL(esf_text_width(text), 100 + 1 + 9 + 1);
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "y…,\n        b\n"));
}

void esf_suite_table(void)
{
	CU_pSuite suite = CU_add_suite("table", set_up, clean_up);

	CU_ADD_TEST(suite, values_have_five_digits);
	CU_ADD_TEST(suite, counts_have_commas);
	CU_ADD_TEST(suite, ages_are_short);
	CU_ADD_TEST(suite, text_is_cut_by_columns_not_bytes);
	CU_ADD_TEST(suite, columns_are_as_wide_as_their_cells);
	CU_ADD_TEST(suite, rows_that_are_not_whole_are_left_out);
	CU_ADD_TEST(suite, widest_columns_are_cut_first);
	CU_ADD_TEST(suite, dispensable_columns_go_before_names_are_cut_too_short);
	CU_ADD_TEST(suite, nothing_is_left_out_that_fits);
	CU_ADD_TEST(suite, items_go_on_in_the_next_line);
	CU_ADD_TEST(suite, long_items_are_cut);
}

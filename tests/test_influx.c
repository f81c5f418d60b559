/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/influx.h"

#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <CUnit/CUnit.h>

#include "suites.h"

/*
 * A datagram and what is read from it: a line a row, `X` for a malformed one, else `[@site] [time]
 * name=value...` with $ for a string's value. The verdicts are those of InfluxDB 1.6's
 * models.ParsePoints.
 */
struct reading {
	const char *data;
	const char *expected;
};

struct text {
	char bytes[16384];
	size_t length;
};

static struct esf_influx *parser;

static int make_parser(void)
{
	parser = esf_influx_create();
	return parser == NULL;
}

static int drop_parser(void)
{
	esf_influx_destroy(parser);
	return 0;
}

__attribute__((format(printf, 2, 3))) static void add(struct text *text, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	text->length += (size_t)vsnprintf(
	    text->bytes + text->length, sizeof(text->bytes) - text->length, format, arguments);
	va_end(arguments);
}

static void add_line(struct text *text, const struct esf_influx_line *line)
{
	const char *space = "";

	if (text->length > 0)
		add(text, "\n");
	if (line->malformed) {
		add(text, "X");
		return;
	}
	if (line->has_site) {
		add(text, "@%.*s", (int)line->site.length, line->site.at);
		space = " ";
	}
	if (line->has_time) {
		add(text, "%s%" PRId64, space, line->time);
		space = " ";
	}
	for (uint32_t i = 0; i < line->fields_count; i++, space = " ") {
		const struct esf_influx_field *field = &line->fields[i];

		add(text, "%s%.*s=", space, (int)field->name.length, field->name.at);
		if (field->type == ESF_INFLUX_STRING)
			add(text, "$");
		else
			add(text, "%.17g", field->value);
	}
}

/* From a copy of exactly its size, so that a byte read beyond it is found. */
static void read_all(struct text *text, const char *data, size_t size, int64_t precision_ns)
{
	char *copy = malloc(size > 0 ? size : 1);
	struct esf_influx_line line;

	text->length = 0;
	text->bytes[0] = '\0';
	memcpy(copy, data, size);
	esf_influx_start(parser, copy, (uint32_t)size, "site", precision_ns);
	while (esf_influx_next(parser, &line))
		add_line(text, &line);
	free(copy);
}

static void check_readings(const struct reading *readings, size_t count)
{
	struct text text;

	for (size_t i = 0; i < count; i++) {
		read_all(&text, readings[i].data, strlen(readings[i].data), 1);
		if (strcmp(text.bytes, readings[i].expected) != 0)
			printf("\n  \"%s\" reads \"%s\"\n", readings[i].data, text.bytes);
		CU_ASSERT_STRING_EQUAL(text.bytes, readings[i].expected);
	}
}

#define CHECK(readings) check_readings(readings, sizeof(readings) / sizeof((readings)[0]))

static void line_yields_site_time_and_fields(void)
{
	static const struct reading readings[] = {
		{ "m v=1", "m.v=1" },
		{ "m,site=s1 v=1.5 1600000000000000000", "@s1 1600000000000000000 m.v=1.5" },
		{ "m,a=b,site=s1,z=c v=1,w=2i,x=3u", "@s1 m.v=1 m.w=2 m.x=3" },
		{ "m,sites=x,sit=y v=1", "m.v=1" },
		{ "m,site=s1 v=\"text\",w=true,x=F", "@s1 m.v=$ m.w=1 m.x=0" },
		{ "m v=1 -5", "-5 m.v=1" },
		{ "\"q\" v=1", "\"q\".v=1" },
		{ "m q\"k=1", "m.q\"k=1" },
		{ "m,t=\"a v=1", "m.v=1" },
		{ "m v=1,v=2", "m.v=1 m.v=2" },
		{ "m#n v#=1", "m#n.v#=1" },
		{ "=m v=1", "=m.v=1" },
		{ "m,t==x v=1", "m.v=1" },
		{ "m v=\"\"", "m.v=$" },
		{ "m v=\"a\"b", "m.v=$" },
		{ "m v=\"a\"b\" c\" 7", "7 m.v=$" },
	};

	CHECK(readings);
}

static void blanks_separate_sections(void)
{
	static const struct reading readings[] = {
		{ "  m v=1", "m.v=1" },
		{ "\tm v=1", "m.v=1" },
		{ "m   v=1   5   ", "5 m.v=1" },
		{ "m v=1 ", "m.v=1" },
		{ "m \tv=1", "m.v=1" },
		{ "m v=1 \t5", "5 m.v=1" },
		{ "m\tn v=1", "m\tn.v=1" },
		{ "m\tv=1", "X" },
		{ "m v=1\t5", "X" },
		{ "m v=1 5\t", "X" },
		{ "m v=1, w=2", "X" },
		{ "m v= 1", "X" },
		{ "m v =1", "X" },
		{ "m, site=a v=1", "X" },
	};

	CHECK(readings);
}

static void wrong_grammar_is_malformed(void)
{
	static const struct reading readings[] = {
		{ "m", "X" },
		{ "m ", "X" },
		{ "m,", "X" },
		{ ",t=a v=1", "X" },
		{ "m,t=a", "X" },
		{ "m,t=a ", "X" },
		{ "m,t v=1", "X" },
		{ "m,t= v=1", "X" },
		{ "m,=a v=1", "X" },
		{ "m,,t=a v=1", "X" },
		{ "m,t=a, v=1", "X" },
		{ "m,t=a,u v=1", "X" },
		{ "m,t=a=b v=1", "X" },
		{ "m,t=a,t=b v=1", "X" },
		{ "m,t=a,b=c,t=d v=1", "X" },
		{ "m,z=1,y=2,x=3,w=4,v=5,x=6 v=1", "X" },
		{ "m,z=1,y=2,x=3,w=4,v=5,u=6 v=1", "m.v=1" },
		{ "m v", "X" },
		{ "m v=", "X" },
		{ "m =1", "X" },
		{ "m v=1,", "X" },
		{ "m v=1,,w=2", "X" },
		{ "m v=1,w", "X" },
		{ "m v=1,w=", "X" },
		{ "m v=1,=2", "X" },
		{ "m v,w=1", "X" },
		{ "m v=1=2", "X" },
		{ "m v=a", "X" },
		{ "m v='a'", "X" },
		{ "m v=\"a", "X" },
		{ "m v=\"a\\\"", "X" },
		{ "m v=\"a\"\"", "X" },
		{ "m v=1\"a\"", "X" },
		{ "m v=1 5 6", "X" },
		{ "m v=1 5 w=2", "X" },
		{ "m \t=1", "X" },
	};

	CHECK(readings);
}

static void booleans_have_ten_spellings(void)
{
	static const struct reading readings[] = {
		{ "m a=t,b=T,c=true,d=True,e=TRUE", "m.a=1 m.b=1 m.c=1 m.d=1 m.e=1" },
		{ "m a=f,b=F,c=false,d=False,e=FALSE", "m.a=0 m.b=0 m.c=0 m.d=0 m.e=0" },
		{ "m a=tRUE", "X" },
		{ "m a=tr", "X" },
		{ "m a=truee", "X" },
		{ "m a=fALSE", "X" },
		{ "m a=tt", "X" },
		{ "m a=yes", "X" },
	};

	CHECK(readings);
}

static void escapes_are_taken_out_where_they_escape(void)
{
	static const struct reading readings[] = {
		{ "m\\,n\\ o v=1", "m,n o.v=1" },
		{ "m\\=n v=1", "m=n.v=1" },
		{ "m\\\"n v=1", "m\"n.v=1" },
		{ "m\\x v=1", "m\\x.v=1" },
		{ "m\\\\ v=1", "X" },
		{ "m\\\\,n v=1", "m\\,n.v=1" },
		{ "\\m v=1", "\\m.v=1" },
		{ "m,site=a\\ b\\,c\\=d v=1", "@a b,c=d m.v=1" },
		{ "m,site=a\\b v=1", "@a\\b m.v=1" },
		{ "m,site=a\\\\ v=1", "X" },
		{ "m,t\\=u=a v=1", "m.v=1" },
		{ "m,t\\ u=a,site=b v=1", "@b m.v=1" },
		{ "m a\\,b\\ c\\=d=1", "m.a,b c=d=1" },
		{ "m a\\\"b=1", "m.a\"b=1" },
		{ "m a\\b=1", "m.a\\b=1" },
		{ "m a\\\\=1", "X" },
		{ "m a\\\\=1,b=2", "m.a\\=1,b=2" },
		{ "m v=\"a\\\"b\\\\\",w=2", "m.v=$ m.w=2" },
		{ "m v=\"a\\b c\" 5", "5 m.v=$" },
		{ "m v=1\\", "X" },
		{ "m\\", "X" },
		{ "m v=\"a\"\\", "m.v=$" },
		{ "m,site=a\\\nb v=1", "@a\\\nb m.v=1" },
	};

	CHECK(readings);
}

static void lines_end_at_newlines_outside_quotes(void)
{
	static const struct reading readings[] = {
		{ "", "" },
		{ "\n\n \n\t\n", "" },
		{ "# a comment", "" },
		{ " # a comment\nm v=1", "m.v=1" },
		{ "# it=\"s\nm v=1\n# \"\n", "m.v=1" },
		{ "m v=1\n", "m.v=1" },
		{ "m v=1\nn v=2", "m.v=1\nn.v=2" },
		{ "m v=1\r\nn v=2 5\r\n\r\n", "m.v=1\n5 n.v=2" },
		{ "m v=1\r", "X" },
		{ "m v=1\r\r\n", "X" },
		{ "m v=\"a\nb\",w=2\nn v=3", "m.v=$ m.w=2\nn.v=3" },
		{ "m v=\"a\n# b\"\nn v=3", "m.v=$\nn.v=3" },
		{ "m v=\"\\\"\n\"\nn v=3", "m.v=$\nn.v=3" },
		{ "m,t=\"a v=1\nn,t=b\" v=2", "m.v=1\nn.v=2" },
	};

	CHECK(readings);
}

static void lines_behind_a_malformed_one_are_read(void)
{
	static const struct reading readings[] = {
		{ "m\nn v=1", "X\nn.v=1" },
		{ "m v=x\nn v=1\nm v=\nn v=2\n", "X\nn.v=1\nX\nn.v=2" },
		{ "m v=\"open\nn v=1\no v=2", "X\nn.v=1\no.v=2" },
		{ "m v=\"a\nb\"x\"\nn v=1", "X\nn.v=1" },
		{ "a v=1\nm v=\"open\\\nn v=1\no v=2", "a.v=1\nX\no.v=2" },
	};

	CHECK(readings);
}

static void timestamp_is_scaled_and_bounded(void)
{
	static const struct {
		const char *data;
		int64_t precision_ns;
		const char *expected;
	} cases[] = {
		{ "m v=1 7", 1, "7 m.v=1" },
		{ "m v=1 7", 1000, "7000 m.v=1" },
		{ "m v=1 -7", 1000000, "-7000000 m.v=1" },
		{ "m v=1 1600000000", 1000000000, "1600000000000000000 m.v=1" },
		{ "m v=1 00000000000000000000000000000007", 1, "7 m.v=1" },
		{ "m v=1 -0", 1, "0 m.v=1" },
		{ "m v=1 9223372036854775806", 1, "9223372036854775806 m.v=1" },
		{ "m v=1 9223372036854775807", 1, "X" },
		{ "m v=1 9223372036854775808", 1, "X" },
		{ "m v=1 -9223372036854775806", 1, "-9223372036854775806 m.v=1" },
		{ "m v=1 -9223372036854775807", 1, "X" },
		{ "m v=1 9223372036", 1000000000, "9223372036000000000 m.v=1" },
		{ "m v=1 9223372037", 1000000000, "X" },
		{ "m v=1 99999999999999999999", 1, "X" },
		{ "m v=1 -", 1, "X" },
		{ "m v=1 +7", 1, "X" },
		{ "m v=1 7.0", 1, "X" },
		{ "m v=1 7i", 1, "X" },
		{ "m v=1 7-", 1, "X" },
	};
	struct text text;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		read_all(&text, cases[i].data, strlen(cases[i].data), cases[i].precision_ns);
		CU_ASSERT_STRING_EQUAL(text.bytes, cases[i].expected);
	}
}

/* NAN: malformed. */
static double read_number(const char *number)
{
	char data[2048];
	struct esf_influx_line line;
	int size = snprintf(data, sizeof(data), "m v=%s", number);

	esf_influx_start(parser, data, (uint32_t)size, "site", 1);
	if (!esf_influx_next(parser, &line) || line.malformed)
		return NAN;
	return line.fields[0].value;
}

/* The compiler rounds the literal on the right; it knows nothing of the parser. */
#define SAME(number)            \
	{                       \
#number, number \
	}

static void numbers_are_the_nearest_doubles(void)
{
	static const struct {
		const char *text;
		double value;
	} cases[] = {
		SAME(0),
		SAME(1),
		SAME(.5),
		SAME(1.),
		SAME(-.25),
		SAME(1.5),
		SAME(1e5),
		SAME(1E+5),
		SAME(1.e-3),
		SAME(12.34e-5),
		SAME(0.1),
		SAME(-273.15),
		SAME(23.456789012345678),
		SAME(0.30000000000000004),
		SAME(123456789.12345679),
		SAME(1e22),
		SAME(1e23),
		SAME(9007199254740991.0),
		SAME(9007199254740993.0),
		SAME(9007199254740995.0),
		SAME(9007199254740993.00000000000000000000000000001),
		SAME(4503599627370497.5),
		SAME(18446744073709551615.0),
		SAME(9999999999999999999.0),
		SAME(8e-323),
		SAME(2.2250738585072011e-308),
		SAME(2.2250738585072014e-308),
		SAME(4.9e-324),
		SAME(2.4703282292062328e-324),
		{ "2.4703282292062327e-324", 0 },
		{ "1e-400", 0 },
		SAME(1.7976931348623157e308),
		SAME(1.7976931348623158e308),
		SAME(0e999999999),
		SAME(123456789012345678901234567890.0),
		SAME(6.02214076e23),
		SAME(7.2057594037927933e16),
		SAME(0.000000000000000000000000000000000000000000000000000000123e50),
		{ "00012.50", 12.5 },
		{ "0000000000000000000000001", 1 },
		{ "-0.0", -0.0 },
		{ "5i", 5 },
		{ "-5i", -5 },
		{ "-0i", 0 },
		{ "007i", 7 },
		{ "7u", 7 },
		{ "9223372036854775807i", 9223372036854775807.0 },
		{ "-9223372036854775808i", -9223372036854775808.0 },
		{ "00000000000000000000009007199254740993i", 9007199254740992.0 },
		{ "18446744073709551615u", 18446744073709551615.0 },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		double value = read_number(cases[i].text);

		if (memcmp(&value, &cases[i].value, sizeof(value)) != 0)
			printf("\n  %s reads %a\n", cases[i].text, value);
		CU_ASSERT(memcmp(&value, &cases[i].value, sizeof(value)) == 0);
	}
}

static void wrong_numbers_are_malformed(void)
{
	static const char *const cases[] = { "+1", "-", ".", "-.", "1e", "1e+", "e5", ".e5", "-e5",
		"1ee5", "1e5.", "1.2.3", "--1", "1-", "1_000", "0x10", "nan", "NaN", "inf", "-inf",
		"Infinity", "n", "1,5x", "i", "-i", "1.5i", "1e5i", "1ii", "9i1", "1iu", "u", "-1u",
		"1.5u", "9223372036854775808i", "-9223372036854775809i", "18446744073709551616u",
		"99999999999999999999999i", "1e309", "-1e309", "1e400", "1.7976931348623159e308",
		"1e99999999999999999999", "1d5", "1f" };

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		if (!isnan(read_number(cases[i])))
			printf("\n  %s is read\n", cases[i]);
		CU_ASSERT(isnan(read_number(cases[i])));
	}
}

static void digits_beyond_counting_still_round(void)
{
	char number[1500];

	/* 2^53 + 1 lies half way; a digit 1200 places behind the dot decides. */
	memset(number, '0', sizeof(number));
	memcpy(number, "9007199254740993.", 17);
	number[1217] = '\0';
	CU_ASSERT(read_number(number) == 9007199254740992.0);
	number[1216] = '1';
	CU_ASSERT(read_number(number) == 9007199254740994.0);

	memset(number, '0', sizeof(number));
	memcpy(number + 1000, "25.5", 5);
	CU_ASSERT(read_number(number) == 25.5);

	memset(number, '9', sizeof(number));
	number[400] = '\0';
	CU_ASSERT(isnan(read_number(number)));
	memcpy(number + 400, "e-400", 6);
	CU_ASSERT(read_number(number) == 1.0);
}

static void name_is_bounded(void)
{
	char data[600];
	struct esf_influx_line line;

	/* measurement of 200, dot, key of 54 or 55 */
	for (int key = 54; key <= 55; key++) {
		int size;

		memset(data, 'm', sizeof(data));
		data[200] = ' ';
		memset(data + 201, 'k', (size_t)key);
		size = 201 + key + sprintf(data + 201 + key, "=1");
		esf_influx_start(parser, data, (uint32_t)size, "site", 1);
		CU_ASSERT(esf_influx_next(parser, &line));
		CU_ASSERT_EQUAL(line.malformed, key == 55);
		if (key == 54)
			CU_ASSERT_EQUAL(line.fields[0].name.length, ESF_RAW_NAME_MAX);
	}
	memset(data, 'm', 300);
	memcpy(data + 300, " v=1", 4);
	esf_influx_start(parser, data, 304, "site", 1);
	CU_ASSERT(esf_influx_next(parser, &line) && line.malformed);
}

/* Fills the largest datagram with a head and as many copies of part as fit. */
static uint32_t fill(char *data, const char *head, const char *part)
{
	uint32_t size = (uint32_t)strlen(head);
	uint32_t length = (uint32_t)strlen(part);

	memcpy(data, head, size);
	for (; size + length <= ESF_DATAGRAM_MAX; size += length)
		memcpy(data + size, part, length);
	return size;
}

static void largest_datagram_is_read(void)
{
	char *data = malloc(ESF_DATAGRAM_MAX);
	struct esf_influx_line line;
	uint32_t size = fill(data, "m a=1", ",a=1");
	uint32_t count = 0;

	esf_influx_start(parser, data, size, "site", 1);
	CU_ASSERT(esf_influx_next(parser, &line) && !line.malformed);
	CU_ASSERT_EQUAL(line.fields_count, (size - 1) / 4);
	CU_ASSERT(!esf_influx_next(parser, &line));

	size = fill(data, "m,b=1", ",a=1");
	esf_influx_start(parser, data, size, "site", 1);
	CU_ASSERT(esf_influx_next(parser, &line) && line.malformed);

	/* Every line opens a quote that the next one closes, the last one never. */
	size = fill(data, "", "m v=\"\n");
	esf_influx_start(parser, data, size, "site", 1);
	while (esf_influx_next(parser, &line))
		count++;
	CU_ASSERT_EQUAL(count, (size / 6 + 1) / 2);
	free(data);
}

static void zero_bytes_are_bytes(void)
{
	static const char data[] = "\0m\0n,site=\0s v\0=1\n\0\n";
	struct esf_influx_line line;

	esf_influx_start(parser, data, sizeof(data) - 1, "site", 1);
	CU_ASSERT(esf_influx_next(parser, &line) && !line.malformed);
	CU_ASSERT(line.site.length == 2 && memcmp(line.site.at, "\0s", 2) == 0);
	CU_ASSERT(line.fields[0].name.length == 6);
	CU_ASSERT(memcmp(line.fields[0].name.at, "m\0n.v\0", 6) == 0);
	CU_ASSERT(!esf_influx_next(parser, &line));
}

static void raw_line_is_the_line_without_its_end(void)
{
	static const char data[] = "# c\n m v=1 5 \r\n\nn v=\"a\nb\"\nbad\n";
	static const char *const raws[] = { " m v=1 5 ", "n v=\"a\nb\"", "bad" };
	struct esf_influx_line line;

	esf_influx_start(parser, data, sizeof(data) - 1, "site", 1);
	for (size_t i = 0; i < 3; i++) {
		CU_ASSERT_FATAL(esf_influx_next(parser, &line));
		CU_ASSERT_EQUAL(line.raw.length, strlen(raws[i]));
		CU_ASSERT(memcmp(line.raw.at, raws[i], strlen(raws[i])) == 0);
	}
	CU_ASSERT(!esf_influx_next(parser, &line));
}

static void every_truncation_is_safe(void)
{
	static const char data[] =
	    "m\\ n,a\\=b=c,site=s\\,1 v=1.5e3,w=-2i,x=\"a\\\"\nb\",y=true 16\r\n"
	    "# comment\n\\\n\\,q,site=s2 v=99999999999999999999.5,w=1u 17";
	struct text text;
	struct text whole;

	read_all(&whole, data, sizeof(data) - 1, 1);
	CU_ASSERT_STRING_EQUAL(whole.bytes, "@s,1 16 m n.v=1500 m n.w=-2 m n.x=$ m n.y=1\n"
	                                    "@s2 17 \\\n,q.v=1e+20 \\\n,q.w=1");
	for (size_t size = 0; size < sizeof(data) - 1; size++) {
		read_all(&text, data, size, 1);
		CU_ASSERT(text.length <= whole.length);
	}
}

static void site_tag_may_hold_what_tags_escape(void)
{
	static const char data[] = "m,si\\ te=a v=1";
	struct esf_influx_line line;

	esf_influx_start(parser, data, sizeof(data) - 1, "si te", 1);
	CU_ASSERT(esf_influx_next(parser, &line) && line.has_site);
	CU_ASSERT(line.site.length == 1 && line.site.at[0] == 'a');
	esf_influx_start(parser, data, sizeof(data) - 1, "si tes", 1);
	CU_ASSERT(esf_influx_next(parser, &line) && !line.has_site);
}

#define ADD(test) CU_add_test(suite, #test, test)

void esf_suite_influx(void)
{
	CU_pSuite suite = CU_add_suite("influx", make_parser, drop_parser);

	ADD(line_yields_site_time_and_fields);
	ADD(blanks_separate_sections);
	ADD(wrong_grammar_is_malformed);
	ADD(booleans_have_ten_spellings);
	ADD(escapes_are_taken_out_where_they_escape);
	ADD(lines_end_at_newlines_outside_quotes);
	ADD(lines_behind_a_malformed_one_are_read);
	ADD(timestamp_is_scaled_and_bounded);
	ADD(numbers_are_the_nearest_doubles);
	ADD(wrong_numbers_are_malformed);
	ADD(digits_beyond_counting_still_round);
	ADD(name_is_bounded);
	ADD(largest_datagram_is_read);
	ADD(zero_bytes_are_bytes);
	ADD(raw_line_is_the_line_without_its_end);
	ADD(every_truncation_is_safe);
	ADD(site_tag_may_hold_what_tags_escape);
}

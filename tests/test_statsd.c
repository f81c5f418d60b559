/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/statsd.h"

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
 * [name=]value...`, a value being [~]number for a delta or not, or $ where there is none, then its
 * type's letter (c g t s e k) and [*rate] unless that is 1.
 */
struct reading {
	const char *data;
	const char *expected;
};

struct text {
	char bytes[16384];
	size_t length;
};

static struct esf_statsd *parser;

static int make_parser(void)
{
	parser = esf_statsd_create();
	return parser == NULL;
}

static int drop_parser(void)
{
	esf_statsd_destroy(parser);
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

static void add_value(struct text *text, const struct esf_statsd_value *value)
{
	if (value->is_number)
		add(text, "%s%.17g", value->delta ? "~" : "", value->value);
	else
		add(text, "$");
	add(text, "%c", "cgtsek"[value->type]);
	if (value->rate != 1)
		add(text, "*%.17g", value->rate);
}

static void add_line(struct text *text, const struct esf_statsd_line *line)
{
	if (text->length > 0)
		add(text, "\n");
	if (line->malformed) {
		add(text, "X");
		return;
	}
	if (line->has_site)
		add(text, "@%.*s ", (int)line->site.length, line->site.at);
	if (line->has_time)
		add(text, "%" PRId64 " ", line->time);
	if (line->name.length > 0)
		add(text, "%.*s=", (int)line->name.length, line->name.at);
	for (uint32_t i = 0; i < line->values_count; i++) {
		add(text, "%s", i > 0 ? " " : "");
		add_value(text, &line->values[i]);
	}
}

/* From a copy of exactly its size, so that a byte read beyond it is found. */
static void read_all(struct text *text, const char *data, size_t size)
{
	char *copy = malloc(size > 0 ? size : 1);
	struct esf_statsd_line line;

	text->length = 0;
	text->bytes[0] = '\0';
	memcpy(copy, data, size);
	esf_statsd_start(parser, copy, (uint32_t)size, "site");
	while (esf_statsd_next(parser, &line))
		add_line(text, &line);
	free(copy);
}

static void check_readings(const struct reading *readings, size_t count)
{
	struct text text;

	for (size_t i = 0; i < count; i++) {
		read_all(&text, readings[i].data, strlen(readings[i].data));
		if (strcmp(text.bytes, readings[i].expected) != 0)
			printf("\n  \"%s\" reads \"%s\"\n", readings[i].data, text.bytes);
		CU_ASSERT_STRING_EQUAL(text.bytes, readings[i].expected);
	}
}

#define CHECK(readings) check_readings(readings, sizeof(readings) / sizeof((readings)[0]))

static void each_type_yields_its_kind_of_value(void)
{
	static const struct reading readings[] = {
		{ "gorets:1|c", "gorets=1c" },
		{ "gaugor:333|g", "gaugor=333g" },
		{ "glork:320|ms", "glork=320t" },
		{ "song.length:240|h", "song.length=240t" },
		{ "latency:0.25|d", "latency=0.25t" },
		{ "users.uniques:1234|s", "users.uniques=$s" },
		{ "users:alice smith|s", "users=$s" },
		{ "teg 1/hot#side,x=y:4|g", "teg 1/hot#side,x=y=4g" },
		{ "_e:1|c", "_e=1c" },
		{ "_sc:1|c", "_sc=1c" },
		{ "_scale:1|g", "_scale=1g" },
	};

	CHECK(readings);
}

static void only_signed_gauges_are_deltas(void)
{
	static const struct reading readings[] = {
		{ "g:+4|g", "g=~4g" },
		{ "g:-10|g", "g=~-10g" },
		{ "g:-0|g", "g=~-0g" },
		{ "g:5:+1:-2|g", "g=5g ~1g ~-2g" },
		{ "c:-3|c", "c=-3c" },
		{ "c:+3|c", "c=3c" },
		{ "t:-1.5|ms", "t=-1.5t" },
	};

	CHECK(readings);
}

static void numbers_are_decimal(void)
{
	static const struct reading readings[] = {
		{ "g:1.5e3|g", "g=1500g" },
		{ "g:.5|g", "g=0.5g" },
		{ "g:5.|g", "g=5g" },
		{ "g:1E-2|g", "g=0.01g" },
		{ "g:+.5e+1|g", "g=~5g" },
		{ "g:0.1|g", "g=0.10000000000000001g" },
		{ "g:18446744073709551616|g", "g=1.8446744073709552e+19g" },
		{ "g:1e308|g", "g=1e+308g" },
		{ "g:1e309|g", "X" },
		{ "g:|g", "X" },
		{ "g:+|g", "X" },
		{ "g:-|g", "X" },
		{ "g:.|g", "X" },
		{ "g:1e|g", "X" },
		{ "g:+-1|g", "X" },
		{ "g:--1|g", "X" },
		{ "g:1i|g", "X" },
		{ "g:1u|g", "X" },
		{ "g:0x10|g", "X" },
		{ "g:1_000|g", "X" },
		{ "g:1,5|g", "X" },
		{ "g: 1|g", "X" },
		{ "g:1 |g", "X" },
		{ "g:one|g", "X" },
	};

	CHECK(readings);
}

static void numbers_that_are_not_finite_are_kept_for_the_caller_to_refuse(void)
{
	static const struct reading readings[] = {
		{ "g:inf|g", "g=infg" },
		{ "g:Infinity|g", "g=infg" },
		{ "g:+Inf|g", "g=~infg" },
		{ "c:-INF|c", "c=-infc" },
		{ "g:infinit|g", "X" },
		{ "g:infinityy|g", "X" },
		{ "g:nano|g", "X" },
	};
	struct esf_statsd_line line;

	CHECK(readings);
	esf_statsd_start(parser, "g:NaN|g", 7, "site");
	CU_ASSERT_TRUE_FATAL(esf_statsd_next(parser, &line) && !line.malformed);
	CU_ASSERT_TRUE(line.values[0].is_number && isnan(line.values[0].value));
}

static void packed_values_share_type_and_rate(void)
{
	static const struct reading readings[] = {
		{ "d:1:2:3|d", "d=1t 2t 3t" },
		{ "d:1:2|c|@0.5|#site:s1", "@s1 d=1c*0.5 2c*0.5" },
		{ "d:21::22|g", "d=21g 22g" },
		{ "d::1:|g", "d=1g" },
		{ "d::|g", "X" },
		{ "d:1:x:2|g", "X" },
		{ "d:a:b:c|s", "d=$s" },
		{ "d::|s", "d=$s" },
		{ "d:|s", "X" },
	};

	CHECK(readings);
}

static void groups_have_types_and_rates_of_their_own(void)
{
	static const struct reading readings[] = {
		{ "n:1|c:2|ms", "n=1c 2t" },
		{ "n:1|c|@0.1:2|ms|@0.5:3|g", "n=1c*0.10000000000000001 2t*0.5 3g" },
		{ "n:1|c:2:3|ms", "n=1c 2t 3t" },
		{ "n:a|s:+1|g", "n=$s ~1g" },
		{ "n:1|c:2|ms|#site:s1", "@s1 n=1c 2t" },
		{ "n:1|c|#site:s1|@0.5:2|g", "@s1 n=1c*0.5 2g" },
		{ "n:1|c:", "X" },
		{ "n:1|c:2", "X" },
		{ "n:1|c:2|", "X" },
		{ "n:1|c:x|c", "X" },
		{ "n:1|c|@0.5:", "X" },
	};

	CHECK(readings);
}

static void rate_is_above_0_and_at_most_1(void)
{
	static const struct reading readings[] = {
		{ "c:1|c|@0.1", "c=1c*0.10000000000000001" },
		{ "c:1|c|@1", "c=1c" },
		{ "c:1|c|@1.0", "c=1c" },
		{ "c:1|c|@.5", "c=1c*0.5" },
		{ "c:1|c|@1e-3", "c=1c*0.001" },
		{ "c:1|c|@0.5|@0.25", "c=1c*0.25" },
		{ "t:1|ms|@0.5", "t=1t*0.5" },
		{ "g:1|g|@0.5", "g=1g*0.5" },
		{ "c:1|c|@0", "X" },
		{ "c:1|c|@-0.5", "X" },
		{ "c:1|c|@+0.5", "X" },
		{ "c:1|c|@1.0000001", "X" },
		{ "c:1|c|@1e-400", "X" },
		{ "c:1|c|@", "X" },
		{ "c:1|c|@x", "X" },
		{ "c:1|c|@nan", "X" },
		{ "c:1|c|@1i", "X" },
		{ "c:1|c|@0.5 ", "X" },
	};

	CHECK(readings);
}

static void site_is_the_value_of_the_first_tag_of_its_name(void)
{
	static const struct reading readings[] = {
		{ "g:1|g|#site:n-1", "@n-1 g=1g" },
		{ "g:1|g|#env:prod,site:n-1,zone:b", "@n-1 g=1g" },
		{ "g:1|g|#site:n-1|@0.5", "@n-1 g=1g*0.5" },
		{ "g:1|g|@0.5|#site:n-1", "@n-1 g=1g*0.5" },
		{ "g:1|g|#site:a,site:b", "@a g=1g" },
		{ "g:1|g|#site:a|#site:b", "@a g=1g" },
		{ "g:1|g|#env:x|#site:b", "@b g=1g" },
		{ "g:1|g|#site:a:b c", "@a:b c g=1g" },
		{ "g:1|g|#website:a,sit:b,sites:c,Site:d", "g=1g" },
		{ "g:1|g|#site", "g=1g" },
		{ "g:1|g|#", "g=1g" },
		{ "g:1|g|#,,", "g=1g" },
		{ "g:1|g|#:a", "g=1g" },
		{ "g:1|g|#,site:a,", "@a g=1g" },
		{ "g:1|g|#site:", "X" },
		{ "g:1|g|#site:,a:b", "X" },
	};

	CHECK(readings);
}

static void time_is_in_whole_seconds(void)
{
	static const struct reading readings[] = {
		{ "g:1|g|T1656581400", "1656581400000000000 g=1g" },
		{ "g:1|g|#site:s|T1", "@s 1000000000 g=1g" },
		{ "g:1|g|T1|#site:s", "@s 1000000000 g=1g" },
		{ "g:1|g|T1|T2", "2000000000 g=1g" },
		{ "g:1|g|T9223372036", "9223372036000000000 g=1g" },
		{ "g:1|g|T9223372037", "X" },
		{ "g:1|g|T99999999999999999999", "X" },
		{ "g:1|g|T0", "X" },
		{ "g:1|g|T-1", "X" },
		{ "g:1|g|T+1", "X" },
		{ "g:1|g|T1.5", "X" },
		{ "g:1|g|T1x", "X" },
		{ "g:1|g|T", "X" },
	};

	CHECK(readings);
}

static void other_sections_are_passed_over(void)
{
	static const struct reading readings[] = {
		{ "g:1|g|c:ci-83c0a99c", "g=1g" },
		{ "g:1|g|#site:s|c:ci-83c0a99c,in-12", "@s g=1g" },
		{ "g:1|g|e:it-false,cn-nginx,pu-75a2", "g=1g" },
		{ "g:1|g|#site:s|card:low|T5", "@s 5000000000 g=1g" },
		{ "g:1|g|c:x:y|z", "g=1g" },
		{ "g:1|g|", "g=1g" },
		{ "g:1|g||#site:s", "@s g=1g" },
		{ "g:1|g|site:s", "g=1g" },
	};

	CHECK(readings);
}

static void lines_end_at_newlines(void)
{
	static const struct reading readings[] = {
		{ "a:1|c\nb:2|g", "a=1c\nb=2g" },
		{ "a:1|c\r\nb:2|g\r\n", "a=1c\nb=2g" },
		{ "a:1|c\r", "a=1c" },
		{ "a:1|c\r\r\n", "a=1c" },
		{ "\n\r\n\na:1|c\n\n", "a=1c" },
		{ "a:1|c\nbad\nb:2|g", "a=1c\nX\nb=2g" },
		{ "a:1|c|#site:s\nb:2|g|T1\nc:3|c|@0.5\nd:4|c",
		    "@s a=1c\n1000000000 b=2g\nc=3c*0.5\nd=4c" },
		{ "", "" },
		{ "\n", "" },
		{ " ", "X" },
	};

	CHECK(readings);
}

static void other_shapes_are_malformed(void)
{
	static const char *const lines[] = { "a", "a:", "a:1", "a:1|", "a:1|x", "a:1|C", "a:1|cc",
		"a:1|m", "a:1| c", "a:1|c ", "a|1:c", "a|b:1|c", ":1|c", ":", "|", "a:|c", "a|c",
		"a:1||c", "a:1|@0.5|c", "a:b:1|c", "# comment", "m,site=s1 v=1" };
	struct text text;

	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		read_all(&text, lines[i], strlen(lines[i]));
		if (strcmp(text.bytes, "X") != 0)
			printf("\n  \"%s\" reads \"%s\"\n", lines[i], text.bytes);
		CU_ASSERT_STRING_EQUAL(text.bytes, "X");
	}
}

static void events_are_one_value_without_a_number(void)
{
	static const struct reading readings[] = {
		{ "_e{5,4}:title|text", "$e" },
		{ "_e{5,0}:title|", "$e" },
		{ "_e{3,5}:a|b|c|d|e|#site:s1", "@s1 $e" },
		{ "_e{5,4}:title|text|d:1656581400|p:low|t:error|#env:x,site:s1",
		    "@s1 1656581400000000000 $e" },
		{ "_e{5,4}:title|text|@2|T0|c:x", "$e" },
		{ "_e{5,4}:title|textual", "X" },
		{ "_e{5,5}:title|text", "X" },
		{ "_e{4,4}:title|text", "X" },
		{ "_e{0,4}:|text", "X" },
		{ "_e{9,0}:title", "X" },
		{ "_e{5,0}:title", "X" },
		{ "_e{5}:title|text", "X" },
		{ "_e{5,4}title|text", "X" },
		{ "_e{-5,4}:title|text", "X" },
		{ "_e{9223372036854775807,9223372036854775807}:title|text", "X" },
		{ "_e{5,9223372036854775807}:title|text", "X" },
		{ "_e{99999999999999999999,4}:title|text", "X" },
		{ "_e{5,4}:title|text|d:now", "X" },
		{ "_e{5,4}:title|text|#site:", "X" },
		{ "_e{", "X" },
	};

	CHECK(readings);
}

static void checks_are_one_value_without_a_number(void)
{
	static const struct reading readings[] = {
		{ "_sc|Redis connection|2", "$k" },
		{ "_sc|redis|0|d:1656581400|h:web1|#env:dev,site:s1|m:timed out: 10s",
		    "@s1 1656581400000000000 $k" },
		{ "_sc|redis|3|c:x", "$k" },
		{ "_sc|redis|4", "X" },
		{ "_sc|redis|22", "X" },
		{ "_sc|redis|", "X" },
		{ "_sc|redis", "X" },
		{ "_sc||1", "X" },
		{ "_sc|", "X" },
		{ "_sc|redis|1|d:0", "X" },
	};

	CHECK(readings);
}

static void raw_line_is_what_was_sent(void)
{
	static const char data[] = "\r\na:1|c|#site:s\r\nbad\n_sc|x|0";
	static const char *const raws[] = { "a:1|c|#site:s", "bad", "_sc|x|0" };
	struct esf_statsd_line line;

	esf_statsd_start(parser, data, sizeof(data) - 1, "site");
	for (int i = 0; i < 3; i++) {
		CU_ASSERT_TRUE_FATAL(esf_statsd_next(parser, &line));
		CU_ASSERT_EQUAL_FATAL(line.raw.length, strlen(raws[i]));
		CU_ASSERT_NSTRING_EQUAL(line.raw.at, raws[i], line.raw.length);
	}
	CU_ASSERT_FALSE(esf_statsd_next(parser, &line));
}

static void site_tag_is_the_listeners(void)
{
	static const char data[] = "a:1|c|#site:s,plant:p";
	struct esf_statsd_line line;

	esf_statsd_start(parser, data, sizeof(data) - 1, "plant");
	CU_ASSERT_TRUE_FATAL(esf_statsd_next(parser, &line) && line.has_site);
	CU_ASSERT_EQUAL(line.site.length, 1);
	CU_ASSERT_EQUAL(line.site.at[0], 'p');
}

static void name_is_bounded(void)
{
	static const struct {
		size_t length;
		bool malformed;
	} cases[] = { { ESF_RAW_NAME_MAX, false }, { ESF_RAW_NAME_MAX + 1, true } };
	char data[ESF_RAW_NAME_MAX + 8];
	struct esf_statsd_line line;

	for (size_t i = 0; i < 2; i++) {
		memset(data, 'n', cases[i].length);
		memcpy(data + cases[i].length, ":1|c", 4);
		esf_statsd_start(parser, data, (uint32_t)cases[i].length + 4, "site");
		CU_ASSERT_TRUE_FATAL(esf_statsd_next(parser, &line));
		CU_ASSERT_EQUAL(line.malformed, cases[i].malformed);
	}
}

static void zero_bytes_are_bytes(void)
{
	static const char data[] = "a\0b:1|g|#si\0:x,site:\0\na:1\0|g";
	struct text text;
	struct esf_statsd_line line;

	read_all(&text, data, sizeof(data) - 1);
	esf_statsd_start(parser, data, sizeof(data) - 1, "site");
	CU_ASSERT_TRUE_FATAL(esf_statsd_next(parser, &line) && !line.malformed);
	CU_ASSERT_EQUAL(line.name.length, 3);
	CU_ASSERT_TRUE(line.has_site && line.site.length == 1);
	CU_ASSERT_TRUE_FATAL(esf_statsd_next(parser, &line));
	CU_ASSERT_TRUE(line.malformed);
}

/* The most values a datagram holds, of a byte each: 65507 = "n:" + 32752 x "1:" - ":" + "|c". */
static void largest_datagram_of_one_line_fits(void)
{
	char *data = malloc(ESF_DATAGRAM_MAX);
	struct esf_statsd_line line;

	for (uint32_t i = 0; i < ESF_DATAGRAM_MAX; i++)
		data[i] = i % 2 == 0 ? '1' : ':';
	memcpy(data + ESF_DATAGRAM_MAX - 2, "|c", 2);
	esf_statsd_start(parser, data, ESF_DATAGRAM_MAX, "site");
	CU_ASSERT_TRUE_FATAL(esf_statsd_next(parser, &line) && !line.malformed);
	CU_ASSERT_EQUAL(line.values_count, 32752);
	CU_ASSERT_EQUAL(line.values[32751].value, 1);
	CU_ASSERT_FALSE(esf_statsd_next(parser, &line));
	free(data);
}

static void every_truncation_is_safe(void)
{
	static const char data[] = "n:1:+2|g|@0.5:x|s|#a:b,site:s|T12|c:d\r\n"
	                           "_e{5,4}:title|text|d:1|#site:s\n_sc|redis|0|d:1|#site:s";
	struct text text;

	for (size_t size = 0; size < sizeof(data); size++) {
		uint32_t lines_count = size > 0;

		read_all(&text, data, size);
		for (size_t i = 0; i < text.length; i++)
			lines_count += text.bytes[i] == '\n';
		CU_ASSERT(lines_count <= 3);
		CU_ASSERT_EQUAL(text.length > 0, size > 0);
	}
	CU_ASSERT_STRING_EQUAL(
	    text.bytes, "@s 12000000000 n=1g*0.5 ~2g*0.5 $s\n@s 1000000000 $e\n@s 1000000000 $k");
}

#define ADD(test) CU_add_test(suite, #test, test)

void esf_suite_statsd(void)
{
	CU_pSuite suite = CU_add_suite("statsd", make_parser, drop_parser);

	ADD(each_type_yields_its_kind_of_value);
	ADD(only_signed_gauges_are_deltas);
	ADD(numbers_are_decimal);
	ADD(numbers_that_are_not_finite_are_kept_for_the_caller_to_refuse);
	ADD(packed_values_share_type_and_rate);
	ADD(groups_have_types_and_rates_of_their_own);
	ADD(rate_is_above_0_and_at_most_1);
	ADD(site_is_the_value_of_the_first_tag_of_its_name);
	ADD(time_is_in_whole_seconds);
	ADD(other_sections_are_passed_over);
	ADD(lines_end_at_newlines);
	ADD(other_shapes_are_malformed);
	ADD(events_are_one_value_without_a_number);
	ADD(checks_are_one_value_without_a_number);
	ADD(raw_line_is_what_was_sent);
	ADD(site_tag_is_the_listeners);
	ADD(name_is_bounded);
	ADD(zero_bytes_are_bytes);
	ADD(largest_datagram_of_one_line_fits);
	ADD(every_truncation_is_safe);
}

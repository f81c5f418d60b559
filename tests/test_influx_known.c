/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/influx.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <CUnit/CUnit.h>

#include "dataplane/decimal.h"
#include "suites.h"

/* The short ways: that they say what the long ways say, and read no byte of a datagram too many. */
static struct esf_influx *parser, *stranger;

static int set_up(void)
{
	parser = esf_influx_create();
	stranger = esf_influx_create();
	return parser == NULL || stranger == NULL;
}

static int tear_down(void)
{
	esf_influx_destroy(parser);
	esf_influx_destroy(stranger);
	return 0;
}

static bool spans_equal(struct esf_span a, struct esf_span b)
{
	return a.length == b.length && memcmp(a.at, b.at, a.length) == 0;
}

static bool lines_equal(const struct esf_influx_line *a, const struct esf_influx_line *b)
{
	if (!spans_equal(a->raw, b->raw) || a->malformed != b->malformed)
		return false;
	if (a->malformed)
		return true;
	if (a->has_site != b->has_site || a->has_time != b->has_time ||
	    a->fields_count != b->fields_count)
		return false;
	if ((a->has_site && !spans_equal(a->site, b->site)) || (a->has_time && a->time != b->time))
		return false;
	for (uint32_t i = 0; i < a->fields_count; i++) {
		if (!spans_equal(a->fields[i].name, b->fields[i].name) ||
		    a->fields[i].type != b->fields[i].type ||
		    memcmp(&a->fields[i].value, &b->fields[i].value, sizeof(double)) != 0)
			return false;
	}
	return true;
}

/* The datagram fills its block; whether one who knows nothing reads it likewise. */
static bool reads_alike(const char *text, const char *site_tag, int64_t precision_ns)
{
	uint32_t size = (uint32_t)strlen(text);
	char *data = malloc(size);
	struct esf_influx_line line, other;
	bool alike = true, more;

	memcpy(data, text, size);
	esf_influx_forget(stranger);
	esf_influx_start(parser, data, size, site_tag, precision_ns);
	esf_influx_start(stranger, data, size, site_tag, precision_ns);
	do {
		more = esf_influx_next(parser, &line);
		alike = alike && esf_influx_next(stranger, &other) == more;
		alike = alike && (!more || lines_equal(&line, &other));
		esf_influx_forget(stranger);
	} while (more && alike);
	free(data);
	return alike;
}

static const char *const openings[] = { "m,site=a v=1 1", "m,site=a,x=y v=1,w=2 1", "m v=1",
	"m,site=a \tv=1 1", "m,site=a w=1,\tv=1 1", "m,site=a w=1,v=1 1", "m\\,b,site=a v=1 1",
	"m,site=a v\\ w=1 1", "m,site=\\a v=1 1", "m\",site=a v=1 1", "m,site=a \"v\"=1 1",
	"n,site=a v=1 1", "m.n,site=a v=1 1", "m,site=a n.v=1 1", "mm,site=a v=1",
	"m,site=a vv=1 1", "m,tag=a v=1 1" };
static const char *const followers[] = { "m,site=a v=2 2", "m,site=a v=2", "m,site=a v=2 ",
	"m,site=a v=2 2 ", "m,site=a v=2 2 2", "m,site=a v=2 -2", "m,site=a v=2 2x",
	"m,site=a v=2\r", "m,site=a v=2,w=3 2", "m,site=a v=2,w=3,v=4 2", "m,site=a,x=y w=1,v=2 2",
	"m,site=a w=1,v=2", "m,site=a v=2i 2", "m,site=a v=2u 2", "m,site=a v=-2i 2",
	"m,site=a v=2e3 2", "m,site=a v=2e 2", "m,site=a v=2. 2", "m,site=a v=.2 2",
	"m,site=a v=. 2", "m,site=a v=- 2", "m,site=a v= 2", "m,site=a v=-0 2", "m,site=a v=+2 2",
	"m,site=a v=2.2.2 2", "m,site=a v=true 2", "m,site=a v=\"s\" 2", "m,site=a v=\"s,v=2 2\" 2",
	"m,site=a v=2,x=\"\n\" 2", "m,site=a v=2,w=\"", "m,site=a  v=2 2", "m,site=a \tv=2 2",
	"m,site=a v=2,\tv=3 2", "m,site=a v=2,=3 2", "m,site=a v=2, 2", "m,site=a v =2 2",
	"m,site=a vv=2 2", "m,site=a \\v=2 2", "m,site=a v\\=2 2", "m,site=a v=2\\ 2",
	" m,site=a v=2 2", "#m,site=a v=2 2", "m,site=b v=2 2", "m,tag=a v=2 2",
	"m,site=a v=2 9223372036854775806", "m,site=a v=2 9223372036854775807",
	"m,site=a v=2 9999999999999999999", "m,site=a v=2 00000000000000000001",
	"m,site=a v=2 12345678901234567", "m v=2", "m v=2 2", "m.n,site=a v=2 2", "mm,site=a v=2 2",
	"m,site=a", "m", "", "\n", "m,site=a v" };

static void lines_are_read_alike_whatever_came_before(void)
{
	char text[256];

	for (size_t i = 0; i < sizeof(openings) / sizeof(openings[0]); i++)
		for (size_t j = 0; j < sizeof(followers) / sizeof(followers[0]); j++) {
			esf_influx_forget(parser);
			sprintf(text, "%s\n%s\n%s", openings[i], openings[i], followers[j]);
			CU_ASSERT(reads_alike(text, "site", 1));
			sprintf(text, "%s\n%s\n", followers[j], openings[i]);
			CU_ASSERT(reads_alike(text, "site", 1));
		}
}

/* What a head says hangs on the tag that names the site; the time on the listener's precision. */
static void listeners_do_not_know_what_others_know(void)
{
	static const char *const tags[] = { "site", "tag", "si", "a", "b", "c", "d", "e", "f",
		"g" };
	static const char text[] = "m,site=a,tag=b v=1 5000000000\nm,site=a,tag=b v=1 5000000001\n";

	for (int round = 0; round < 3; round++)
		for (size_t i = 0; i < sizeof(tags) / sizeof(tags[0]); i++) {
			CU_ASSERT(reads_alike(text, tags[i], 1));
			CU_ASSERT(reads_alike(text, tags[i], 1000000000));
			CU_ASSERT(reads_alike(text, tags[i], 1000000000000));
		}
}

/* More than there is room for, so that each takes another's place now and then. */
static void what_is_forgotten_is_read_again(void)
{
	char text[512];

	for (int round = 0; round < 2; round++)
		for (int i = 0; i < 20000; i++) {
			sprintf(text, "m%d,site=s%d a%d=1,b=2,c%d=3 1\nm%d,site=s%d b=2,a%d=3 1",
			    i % 400, i, i, i % 7, i % 400, i, i);
			CU_ASSERT_FATAL(reads_alike(text, "site", 1));
		}
}

/* Heads, measurements and names of all lengths, beyond what is remembered. */
static void long_texts_are_read_alike(void)
{
	char text[2048], k[300];

	memset(k, 'k', sizeof(k));
	for (int length = 1; length < 260; length++) {
		sprintf(text, "m,site=%.*s v=1 1\nm,site=%.*s v=1 2\n%.*s v=1\n%.*s v=2\n", length,
		    k, length, k, length, k, length, k);
		CU_ASSERT(reads_alike(text, "site", 1) && reads_alike(text, "site", 1));
		sprintf(
		    text, "m %.*s=1,v=1\nm %.*s=2,v=1,%.*s=1 2", length, k, length, k, length, k);
		CU_ASSERT(reads_alike(text, "site", 1) && reads_alike(text, "site", 1));
	}
}

/* Reads the datagram's lines and remembers 1, 2, ... for names that have nothing yet; as text. */
static void read_memories(const char *data, char *told)
{
	struct esf_influx_line line;
	uint64_t next = 1;

	esf_influx_forget(parser);
	esf_influx_start(parser, data, (uint32_t)strlen(data), "site", 1);
	while (esf_influx_next(parser, &line)) {
		for (uint32_t i = 0; !line.malformed && i < line.fields_count; i++) {
			struct esf_influx_field *field = &line.fields[i];

			if (field->memory != NULL && *field->memory == 0)
				*field->memory = next++;
			told += sprintf(told, "%.*s=%d ", (int)field->name.length, field->name.at,
			    field->memory == NULL ? 0 : (int)*field->memory);
		}
		told += sprintf(told, "| ");
	}
}

static void what_a_name_meant_is_kept_with_the_name(void)
{
	static const struct {
		const char *data;
		const char *told;
	} cases[] = {
		{ "m a=1,b=1\nm a=2,b=2\nm b=1,a=1\n",
		    "m.a=0 m.b=0 | m.a=1 m.b=2 | m.b=2 m.a=1 | " },
		{ "m a=1\nn a=1\nm a=1\nn a=1", "m.a=0 | n.a=0 | m.a=1 | n.a=2 | " },
		{ "m.a b=1\nm a.b=1\nm.a b=1\nm a.b=1",
		    "m.a.b=0 | m.a.b=0 | m.a.b=1 | m.a.b=2 | " },
		{ "m a=1\nm a=1,b=1\nm a=1,b=1", "m.a=0 | m.a=0 m.b=0 | m.a=1 m.b=2 | " },
		{ "m a=1\nm a=true\nm a=1\nm a=x", "m.a=0 | m.a=1 | m.a=1 | | " },
		{ "m a\\,b=1\nm a\\,b=1\n", "m.a,b=0 | m.a,b=0 | " },
	};
	char told[256];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		read_memories(cases[i].data, told);
		CU_ASSERT_STRING_EQUAL(told, cases[i].told);
	}
}

/* The first `count` of ten digits again and again, and a dot before that of `dot`. */
static void write_decimal(char *text, int count, int dot, const char *behind)
{
	for (int i = 0; i < count; i++) {
		if (i == dot)
			*text++ = '.';
		*text++ = (char)('0' + (i * 7 + 9) % 10);
	}
	if (dot == count)
		*text++ = '.';
	strcpy(text, behind);
}

static void decimals_are_those_of_strtod(void)
{
	char text[128] = "-------------------------------";
	char *at = text + ESF_DECIMAL_BEFORE;
	int read_count = 0;

	for (int count = 0; count <= 20; count++)
		for (int dot = 0; dot <= count + 1; dot++) {
			const char *end;
			double value;

			write_decimal(at, count, dot, "x");
			end = esf_decimal_read(at, &value);
			if (end == NULL)
				continue;
			read_count++;
			CU_ASSERT(*end == 'x' && value == strtod(at, NULL));
		}
	/* Those of up to 8 digits on either side, and 14 in all where there is a dot. */
	CU_ASSERT_EQUAL(read_count, 85);
}

static void integers_of_1_to_19_digits_are_read(void)
{
	char text[128] = "-------------------------------";
	char *at = text + ESF_DECIMAL_BEFORE;

	for (int count = 0; count <= 24; count++) {
		const char *end;
		int64_t value = -1;

		write_decimal(at, count, -1, "x9");
		end = esf_decimal_read_integer(at, &value);
		/* 9630741852963074185 leaves int64. */
		if (count == 0 || count > 18)
			CU_ASSERT(end == NULL && value == -1)
		else
			CU_ASSERT(end == at + count && value == strtoll(at, NULL, 10))
	}
	strcpy(at, "9223372036854775807 ");
	CU_ASSERT(esf_decimal_read_integer(at, &(int64_t){ 0 }) == at + 19);
	strcpy(at, "9223372036854775808 ");
	CU_ASSERT(esf_decimal_read_integer(at, &(int64_t){ 0 }) == NULL);
}

#define ADD(test) CU_add_test(suite, #test, test)

void esf_suite_influx_known(void)
{
	CU_pSuite suite = CU_add_suite("influx_known", set_up, tear_down);

	ADD(lines_are_read_alike_whatever_came_before);
	ADD(listeners_do_not_know_what_others_know);
	ADD(what_is_forgotten_is_read_again);
	ADD(long_texts_are_read_alike);
	ADD(what_a_name_meant_is_kept_with_the_name);
	ADD(decimals_are_those_of_strtod);
	ADD(integers_of_1_to_19_digits_are_read);
}

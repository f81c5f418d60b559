/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/statsd.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <CUnit/CUnit.h>

#include "suites.h"

/* The short way: that it says what the long one says, and reads no byte of a datagram too many. */
static struct esf_statsd *parser, *stranger;

static int set_up(void)
{
	parser = esf_statsd_create();
	stranger = esf_statsd_create();
	return parser == NULL || stranger == NULL;
}

static int tear_down(void)
{
	esf_statsd_destroy(parser);
	esf_statsd_destroy(stranger);
	return 0;
}

static bool spans_equal(struct esf_span a, struct esf_span b)
{
	return a.length == b.length && (a.length == 0 || memcmp(a.at, b.at, a.length) == 0);
}

static bool values_equal(const struct esf_statsd_value *a, const struct esf_statsd_value *b)
{
	return memcmp(&a->value, &b->value, sizeof(double)) == 0 && a->rate == b->rate &&
	       a->type == b->type && a->is_number == b->is_number && a->delta == b->delta;
}

static bool lines_equal(const struct esf_statsd_line *a, const struct esf_statsd_line *b)
{
	if (!spans_equal(a->raw, b->raw) || a->malformed != b->malformed)
		return false;
	if (a->malformed)
		return true;
	if (!spans_equal(a->name, b->name) || a->has_site != b->has_site ||
	    a->has_time != b->has_time || a->values_count != b->values_count)
		return false;
	if ((a->has_site && !spans_equal(a->site, b->site)) || (a->has_time && a->time != b->time))
		return false;
	for (uint32_t i = 0; i < a->values_count; i++) {
		if (!values_equal(&a->values[i], &b->values[i]))
			return false;
	}
	return true;
}

/* The datagram fills its block; whether one who knows nothing reads it likewise. */
static bool reads_alike(const char *text, const char *site_tag)
{
	uint32_t size = (uint32_t)strlen(text);
	char *data = malloc(size);
	struct esf_statsd_line line, other;
	bool alike = true, more;

	memcpy(data, text, size);
	esf_statsd_forget(stranger);
	esf_statsd_start(parser, data, size, site_tag);
	esf_statsd_start(stranger, data, size, site_tag);
	do {
		more = esf_statsd_next(parser, &line);
		alike = alike && esf_statsd_next(stranger, &other) == more;
		alike = alike && (!more || lines_equal(&line, &other));
		esf_statsd_forget(stranger);
	} while (more && alike);
	free(data);
	return alike;
}

static const char *const lines[] = { "n:1|g|#site:a", "n:2|g|#site:a", "n:2|g|#site:b", "n:1|g",
	"n:2|c|#site:a", "n:2|c|@0.5|#site:a", "n:3|c|@0.5|#site:a", "n:2|ms|#x:y,site:a",
	"n:2|g|#site:a|T1700000000", "n:3|g|#site:a|T1700000000", "n:3|g|#site:a|T1700000001",
	"n:3|g|#site:a|T0", "n:-2|g|#site:a", "n:+2|g|#site:a", "n:2.5|g|#site:a", "n:.5|g|#site:a",
	"n:5.|g|#site:a", "n:.|g|#site:a", "n:|g|#site:a", "n:1e3|g|#site:a", "n:2i|g|#site:a",
	"n:nan|g|#site:a", "n:123456789.123456789|g|#site:a", "n:0|g|#site:a", "n:1:2|g|#site:a",
	"n:2|g|#site:a\r", "n:2|g|#site:a\r\r", "n:2|s|#site:a", "n:2|g|#site:", "n:2|x|#site:a",
	"n:2|g:3|c|#site:a", "n:1|g:3|c|#site:a", "n:2|c|@0.5:3|ms", "n:2|c|@0.5:4|ms", "n:2|c|@2",
	"nn:2|g|#site:a", "n|g:2|g|#site:a", ":2|g|#site:a", "n:2", "n:", "n", "", "_e:2|g|#site:a",
	"_e{1,1}:a|b|#site:a", "_sc|n|0|#site:a", "_e{:1|g", "_sc:1|g|#site:a", "n:2|g|#site:a|",
	"n:2|g|c:x|#site:a", "n :2|g|#site:a", "n:2 |g|#site:a", "n: 2|g|#site:a" };

static void lines_are_read_alike_whatever_came_before(void)
{
	const size_t count = sizeof(lines) / sizeof(lines[0]);
	char text[256];

	for (size_t i = 0; i < count; i++)
		for (size_t j = 0; j < count; j++) {
			esf_statsd_forget(parser);
			sprintf(text, "%s\n%s\n%s", lines[i], lines[i], lines[j]);
			CU_ASSERT(reads_alike(text, "site"));
			sprintf(text, "%s\n%s\n", lines[j], lines[i]);
			CU_ASSERT(reads_alike(text, "site"));
		}
}

static void listeners_do_not_know_what_others_know(void)
{
	static const char *const tags[] = { "site", "tag", "si", "a", "b", "c", "d", "e", "f",
		"g" };

	for (int round = 0; round < 3; round++)
		for (size_t i = 0; i < sizeof(tags) / sizeof(tags[0]); i++)
			CU_ASSERT(reads_alike("n:1|g|#site:a,tag:b\nn:2|g|#site:a,tag:b", tags[i]));
}

/* More than there is room for, so that each takes another's place now and then. */
static void what_is_forgotten_is_read_again(void)
{
	char text[512];

	for (int round = 0; round < 2; round++)
		for (int i = 0; i < 6000; i++) {
			sprintf(text, "n%d:1|g|#site:a%d\nm%d:2|c|#site:a%d\nn%d:3|g|#site:a%d", i,
			    i, i % 7, i, i, i);
			CU_ASSERT_FATAL(reads_alike(text, "site"));
		}
}

static void long_texts_are_read_alike(void)
{
	char text[2048], k[300];

	memset(k, 'k', sizeof(k));
	for (int length = 1; length < 260; length++) {
		sprintf(text, "%.*s:1|g\n%.*s:2|g\nn:3|g|#site:%.*s\nn:4|g|#site:%.*s", length, k,
		    length, k, length, k, length, k);
		CU_ASSERT(reads_alike(text, "site") && reads_alike(text, "site"));
	}
}

static void what_a_name_meant_is_kept_with_the_name(void)
{
	static const char text[] = "a:1|g\nb:1|g\na:2|c\nb:3|g\nab:1|g\n";
	static const uint64_t told[2][5] = { { 0, 0, 1, 2, 0 }, { 1, 2, 1, 2, 3 } };
	struct esf_statsd_line line;
	uint64_t next = 1;

	esf_statsd_forget(parser);
	esf_statsd_start(parser, "a:1|c", 5, "site"); /* the end of a line, for a:2|c */
	while (esf_statsd_next(parser, &line))
		;
	for (int round = 0; round < 2; round++) {
		esf_statsd_start(parser, text, sizeof(text) - 1, "site");
		for (int i = 0; i < 5; i++) {
			CU_ASSERT_FATAL(esf_statsd_next(parser, &line));
			if (line.memory != NULL && *line.memory == 0)
				*line.memory = next++;
			CU_ASSERT_EQUAL(line.memory == NULL ? 0 : *line.memory, told[round][i]);
		}
	}
}

#define ADD(test) CU_add_test(suite, #test, test)

void esf_suite_statsd_known(void)
{
	CU_pSuite suite = CU_add_suite("statsd_known", set_up, tear_down);

	ADD(lines_are_read_alike_whatever_came_before);
	ADD(listeners_do_not_know_what_others_know);
	ADD(what_is_forgotten_is_read_again);
	ADD(long_texts_are_read_alike);
	ADD(what_a_name_meant_is_kept_with_the_name);
}

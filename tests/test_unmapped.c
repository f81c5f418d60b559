/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/shard_state.h"

#include <CUnit/CUnit.h>

#include "plane_fixture.h"
#include "suites.h"

/* Signals that no rule takes: the table, and what shards count in it and publish of it. */

static struct fixture fixture, *const f = &fixture;

static void names_are_counted_each_up_to_the_bound_and_then_together(void)
{
	struct esf_unmapped table = { .changed = false };

	for (uint32_t round = 0; round < 3; round++)
		for (uint32_t name = 1; name <= 40; name++) {
			uint8_t place = esf_unmapped_count(&table, name, 0);

			CU_ASSERT_EQUAL(place, name <= 32 ? name - 1 : ESF_UNMAPPED_MORE);
		}
	CU_ASSERT(table.changed);
	CU_ASSERT_EQUAL(table.counts.count, 32);
	CU_ASSERT_EQUAL(table.counts.more, 3 * 8);
	for (uint32_t i = 0; i < 32; i++) {
		CU_ASSERT_EQUAL(table.counts.names[i], i + 1);
		CU_ASSERT_EQUAL(table.counts.records[i], 3);
	}
}

static void names_that_are_not_remembered_count_as_more(void)
{
	struct esf_unmapped table = { .changed = false };

	for (uint32_t i = 0; i < 3; i++)
		CU_ASSERT_EQUAL(esf_unmapped_count(&table, 0, 0), ESF_UNMAPPED_MORE);
	CU_ASSERT_EQUAL(table.counts.more, 3);
	CU_ASSERT_EQUAL(table.counts.count, 0);
}

/* A name that is at 1, counted with each hint that may be given. */
static void wrong_hints_of_a_place_do_no_harm(void)
{
	static const uint8_t hints[] = { 0, 1, 2, 3, 31, 33, 127, 255 };
	struct esf_unmapped table = { .changed = false };

	esf_unmapped_count(&table, 70, 0);
	esf_unmapped_count(&table, 71, 0);
	esf_unmapped_count(&table, 72, 0);
	for (size_t i = 0; i < sizeof(hints); i++) {
		CU_ASSERT_EQUAL(esf_unmapped_count(&table, 71, hints[i]), 1);
		CU_ASSERT_EQUAL(table.counts.records[1], 2 + i);
	}
	CU_ASSERT_EQUAL(table.counts.count, 3);
	CU_ASSERT_EQUAL(esf_unmapped_count(&table, 71, ESF_UNMAPPED_MORE), ESF_UNMAPPED_MORE);
	CU_ASSERT_EQUAL(table.counts.more, 1);
}

static const struct esf_unmapped_list *list(uint32_t site)
{
	const struct esf_card *card = esf_plane_card(f->plane, site);

	return card == NULL ? NULL : card->unmapped;
}

/* Records counted under the name in what is published of the site. */
static uint64_t counted(uint32_t site, const char *name)
{
	const struct esf_unmapped_list *of = list(site);

	for (uint32_t i = 0; of != NULL && i < of->counts.count; i++) {
		uint32_t length;
		const char *text =
		    esf_plane_name(f->plane, of->shard, of->counts.names[i], &length);

		if (length == strlen(name) && memcmp(text, name, length) == 0)
			return of->counts.records[i];
	}
	return 0;
}

static void send_births(uint32_t site, uint32_t seq)
{
	struct bytes b = etd_births(site, seq);

	fixture_etd(f, 0, T0, &b);
}

/* `count` records of alias 4, that no rule takes, and one that a rule does. */
static void send_unmapped(uint32_t site, uint32_t seq, uint32_t count)
{
	struct bytes b = etd(2, site, seq, T0);

	etd_data(&b, 0, 0, 0, 1);
	for (uint32_t i = 0; i < count; i++)
		etd_data(&b, 4, 0, 0, 1);
	fixture_etd(f, 0, T0, &b);
}

static void etd_records_count_under_their_births_name(void)
{
	struct bytes birth = etd(1, 1, 4, T0);

	fixture_start(f, 1);
	send_births(1, 1);
	send_births(2, 1);
	send_unmapped(1, 2, 3);
	fixture_publish(f);
	CU_ASSERT_EQUAL(counted(0, "other"), 3);
	CU_ASSERT_PTR_NULL(list(1));
	send_unmapped(1, 3, 2);
	etd_birth(&birth, 4, 0, "another"); /* the alias changes its name */
	fixture_etd(f, 0, T0, &birth);
	send_unmapped(1, 5, 4);
	send_unmapped(2, 2, 1);
	fixture_publish(f);
	CU_ASSERT_EQUAL(counted(0, "other"), 5);
	CU_ASSERT_EQUAL(counted(0, "another"), 4);
	CU_ASSERT_EQUAL(counted(1, "other"), 1);
	CU_ASSERT_EQUAL(records(f, 0, ESF_RECORD_UNMAPPED), 10);
	CU_ASSERT(fixture_stop(f));
}

/* An alias beyond the bound keeps its place outside, whatever it was before. */
static void reborn_alias_forgets_that_it_was_beyond_the_bound(void)
{
	struct bytes birth = etd(1, 1, 3, T0), data = etd(2, 1, 2, T0);
	char line[32];

	fixture_start(f, 1);
	for (uint32_t i = 0; i < 32; i++) {
		snprintf(line, sizeof(line), "x f%u=1", i);
		fixture_lines(f, 0, T0, line);
	}
	send_births(1, 1);
	etd_data(&data, 4, 0, 0, 1);
	fixture_etd(f, 0, T0, &data);
	etd_birth(&birth, 4, 0, "x.f7");
	fixture_etd(f, 0, T0, &birth);
	data = etd(2, 1, 4, T0);
	etd_data(&data, 4, 0, 0, 1);
	fixture_etd(f, 0, T0, &data);
	fixture_publish(f);
	CU_ASSERT_EQUAL(list(0)->counts.more, 1);
	CU_ASSERT_EQUAL(counted(0, "x.f7"), 2);
	CU_ASSERT_EQUAL(records(f, 0, ESF_RECORD_UNMAPPED), 34);
	CU_ASSERT(fixture_stop(f));
}

/* Only what a rule could take: numbers with a name. */
static void text_values_count_where_a_rule_would_help(void)
{
	static const char statsd[] = "a:1|c|#site:n-2\na:2:3|ms|#site:n-2\nusers:x7|s|#site:n-2\n"
	                             "_e{1,1}:a|b|#site:n-2\n_sc|up|0|#site:n-2\n";

	fixture_start(f, 1);
	fixture_lines(f, 0, T0, "t other=1,other=2i,label=\"a\",flag=t,gauge=1");
	fixture_pass(f, 0, T0, STATSD_PORT, statsd, sizeof(statsd) - 1);
	fixture_publish(f);
	CU_ASSERT_EQUAL(counted(0, "t.other"), 2);
	CU_ASSERT_EQUAL(counted(0, "t.flag"), 1);
	CU_ASSERT_EQUAL(list(0)->counts.count, 2);
	CU_ASSERT_EQUAL(records(f, 0, ESF_RECORD_ACCEPTED), 1);
	CU_ASSERT_EQUAL(counted(1, "a"), 3);
	CU_ASSERT_EQUAL(list(1)->counts.count, 1);
	CU_ASSERT_EQUAL(list(1)->counts.more, 0);
	CU_ASSERT(fixture_stop(f));
}

/* 200 names of a sender that invents them: 32 by name, the rest together. */
static void invented_names_are_bounded(void)
{
	char line[32];

	fixture_start(f, 1);
	for (uint32_t i = 0; i < 200; i++) {
		snprintf(line, sizeof(line), "x f%u=1", i);
		fixture_lines(f, 0, T0, line);
	}
	fixture_publish(f);
	CU_ASSERT_EQUAL(list(0)->counts.count, 32);
	CU_ASSERT_EQUAL(counted(0, "x.f31"), 1);
	CU_ASSERT_EQUAL(counted(0, "x.f32"), 0);
	CU_ASSERT_EQUAL(list(0)->counts.more, 168);
	CU_ASSERT_EQUAL(esf_plane_names_count(f->plane, 0), 200);
	CU_ASSERT(fixture_stop(f));
}

static void new_rules_leave_the_counts_as_they_are(void)
{
	struct esf_policy *former;

	fixture_start(f, 1);
	former = esf_plane_set_policy(f->plane, fixture_policy(3, 1)); /* only t.born */
	fixture_lines(f, 0, T0, "t gauge=1");
	fixture_policy_free(esf_plane_set_policy(f->plane, former));
	fixture_lines(f, 0, T0, "t gauge=1");
	fixture_publish(f);
	CU_ASSERT_EQUAL(counted(0, "t.gauge"), 1);
	CU_ASSERT_EQUAL(records(f, 0, ESF_RECORD_ACCEPTED), 1);
	CU_ASSERT(fixture_stop(f));
}

/* A card without news of them shares the former one's list; replaced ones go back to the pool. */
static void lists_are_copied_only_when_something_was_counted(void)
{
	const struct esf_unmapped_list *first;
	struct esf_pool *pool;

	fixture_start(f, 1);
	pool = esf_plane_shard(f->plane, 0)->unmapped_lists;
	send_births(1, 1);
	for (uint32_t seq = 2; seq < 100; seq++) {
		send_unmapped(1, seq, 1);
		fixture_publish(f);
	}
	first = list(0);
	fixture_mature(f);
	CU_ASSERT_EQUAL(esf_pool_out(pool), 1);
	fixture_gauge(f, 0, T0, 1, 100, 1);
	fixture_publish(f);
	CU_ASSERT_PTR_EQUAL(list(0), first);
	CU_ASSERT_EQUAL(counted(0, "other"), 98);
	CU_ASSERT(fixture_stop(f));
}

void esf_suite_unmapped(void)
{
	CU_pSuite suite = CU_add_suite("unmapped", NULL, NULL);

	CU_ADD_TEST(suite, names_are_counted_each_up_to_the_bound_and_then_together);
	CU_ADD_TEST(suite, names_that_are_not_remembered_count_as_more);
	CU_ADD_TEST(suite, wrong_hints_of_a_place_do_no_harm);
	CU_ADD_TEST(suite, etd_records_count_under_their_births_name);
	CU_ADD_TEST(suite, reborn_alias_forgets_that_it_was_beyond_the_bound);
	CU_ADD_TEST(suite, text_values_count_where_a_rule_would_help);
	CU_ADD_TEST(suite, invented_names_are_bounded);
	CU_ADD_TEST(suite, new_rules_leave_the_counts_as_they_are);
	CU_ADD_TEST(suite, lists_are_copied_only_when_something_was_counted);
}

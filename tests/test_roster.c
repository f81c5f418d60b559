/* SPDX-License-Identifier: Apache-2.0 */
#include "control/fleet/roster.h"

#include <CUnit/CUnit.h>

#include "suites.h"

enum { ROOM = 6000 };

static const uint8_t key[16] = { 7 };
static char site_7[] = "site-7", n_1[] = "n-1", north[] = "north", all_sites[] = "site-*";
static struct esf_region_config regions[] = { { .name = north, .match = all_sites } };
static struct esf_site_config sites[] = {
	{ .id = 3, .name = site_7, .weight = 2 },
	{ .id = 4, .name = n_1, .weight = 1, .region = 1 },
};
static const struct esf_config config = {
	.regions_count = 1, .regions = regions, .sites_count = 2, .sites = sites
};

static struct esf_learned *learned;
static struct esf_roster *roster;

static void start(void)
{
	learned = esf_learned_create(config.sites_count, ROOM, key);
	roster = esf_roster_create(&config, ROOM);
	CU_ASSERT_FATAL(learned != NULL && roster != NULL);
}

static void stop(void)
{
	esf_roster_destroy(roster);
	esf_learned_destroy(learned);
}

static int64_t find(const char *name)
{
	return esf_roster_find(roster, name, esf_roster_count(roster));
}

static void listed_sites_come_first(void)
{
	start();
	CU_ASSERT_EQUAL(esf_roster_count(roster), 2);
	CU_ASSERT_PTR_EQUAL(esf_roster_at(roster, 1), &sites[1]);
	CU_ASSERT_EQUAL(find("n-1"), 1);
	CU_ASSERT_EQUAL(find("n-2"), -1);
	stop();
}

static void learned_sites_get_a_name_and_a_region(void)
{
	static const struct {
		const char *name;
		uint32_t id, region;
	} expected[] = { { "site-9", 9, 0 }, { "etd-7", 7, 1 }, { "plant", 0, 1 } };
	uint32_t spare = ESF_SPARE_NONE;

	start();
	esf_learned_add_id(learned, &spare, 9);
	esf_learned_add_id(learned, &spare, 7); /* whose usual name is a listed site's */
	esf_learned_add_name(learned, &spare, "plant", 5);
	CU_ASSERT_EQUAL(find("plant"), -1);
	esf_roster_learn(roster, learned);
	CU_ASSERT_EQUAL(esf_roster_count(roster), 5);
	for (uint32_t i = 0; i < 3; i++) {
		const struct esf_site_config *site = esf_roster_at(roster, 2 + i);

		CU_ASSERT_STRING_EQUAL(site->name, expected[i].name);
		CU_ASSERT_EQUAL(site->id, expected[i].id);
		CU_ASSERT_EQUAL(site->region, expected[i].region);
		CU_ASSERT_EQUAL(site->weight, 1);
		CU_ASSERT_TRUE(site->learned);
		CU_ASSERT_EQUAL(find(expected[i].name), 2 + i);
	}
	CU_ASSERT_EQUAL(esf_roster_find(roster, "plant", 4), -1); /* a view that is older */
	stop();
}

/* An index that a data lcore holds in reserve has no site yet, and what comes behind it has. */
static void index_without_a_site_is_a_hole(void)
{
	uint32_t spare = ESF_SPARE_NONE, reserved;

	start();
	reserved = esf_learned_reserve(learned);
	esf_learned_add_id(learned, &spare, 9);
	esf_roster_learn(roster, learned);
	CU_ASSERT_EQUAL(esf_roster_count(roster), 4);
	CU_ASSERT_PTR_NULL(esf_roster_at(roster, reserved));
	CU_ASSERT_EQUAL(find("site-9"), 3);
	esf_learned_add_name(learned, &reserved, "late", 4);
	esf_roster_learn(roster, learned);
	CU_ASSERT_EQUAL(find("late"), 2);
	stop();
}

static void thousands_are_learned_and_stay_where_they_are(void)
{
	const struct esf_site_config *first;
	uint32_t spare = ESF_SPARE_NONE, wrong = 0;

	start();
	esf_learned_add_id(learned, &spare, 1000);
	esf_roster_learn(roster, learned);
	first = esf_roster_at(roster, 2);
	for (uint32_t i = 1; i < ROOM - 2; i++)
		wrong += esf_learned_add_id(learned, &spare, 1000 + i) != 2 + i;
	esf_roster_learn(roster, learned);
	for (uint32_t i = 0; i < ROOM - 2; i++)
		wrong += esf_roster_at(roster, 2 + i)->id != 1000 + i;
	CU_ASSERT_EQUAL(wrong, 0);
	CU_ASSERT_PTR_EQUAL(esf_roster_at(roster, 2), first);
	CU_ASSERT_EQUAL(find("site-5000"), 4002);
	stop();
}

void esf_suite_roster(void)
{
	CU_pSuite suite = CU_add_suite("roster", NULL, NULL);

	CU_ADD_TEST(suite, listed_sites_come_first);
	CU_ADD_TEST(suite, learned_sites_get_a_name_and_a_region);
	CU_ADD_TEST(suite, index_without_a_site_is_a_hole);
	CU_ADD_TEST(suite, thousands_are_learned_and_stay_where_they_are);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "control/config/slots.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <CUnit/CUnit.h>

#include "control/config/load.h"
#include "control/fleet/roster.h"
#include "control/listing.h"
#include "dataplane/directory.h"
#include "suites.h"

enum { FIRST = 2, ROOM = 5 };

static const uint8_t key[16] = { 1 };

/* The sites given are the list's items. */
static struct esf_config *load(const char *sites, const char *unknown)
{
	struct esf_config *config = NULL;
	struct esf_faults faults;
	char text[512];

	snprintf(
	    text, sizeof(text), "profile: small\nsites: [%s]\nunknown_sites: %s\n", sites, unknown);
	CU_ASSERT_EQUAL_FATAL(esf_config_load_memory("t", text, strlen(text), &config, &faults), 0);
	esf_faults_free(&faults);
	return config;
}

static void expect(const struct esf_config *config, const char *slots)
{
	char got[128] = "";
	size_t used = 0;

	for (uint32_t i = 0; i < config->sites_count; i++)
		used += (size_t)snprintf(got + used, sizeof(got) - used, "%s%s=%u",
		    i == 0 ? "" : " ", config->sites[i].name, esf_config_slot(config, i));
	CU_ASSERT_STRING_EQUAL(got, slots);
}

#define A "{id: 1, name: a}"
#define B "{id: 2, name: b}"
#define C "{id: 3, name: c}"
#define D "{id: 4, name: d}"
#define E "{id: 5, name: e}"

/* Takes what follows into force: 0, or what assigning said. */
static int turn(
    struct esf_listing *listing, struct esf_config **config, const char *sites, bool commit)
{
	struct esf_config *next = load(sites, (*config)->learn_sites ? "learn" : "refuse");
	int rc = esf_listing_assign(listing, *config, next, !commit);

	if (rc == 0 && commit) {
		esf_listing_commit(listing);
		esf_config_free(*config);
		*config = next;
	} else {
		esf_config_free(next);
	}
	return rc;
}

static void a_site_keeps_its_slot_while_its_id_is_listed(void)
{
	struct esf_learned *learned = esf_learned_create(FIRST, ROOM, key);
	struct esf_listing *listing = esf_listing_create(learned);
	struct esf_config *config = load(A ", " B, "refuse");

	expect(config, "a=0 b=1");
	CU_ASSERT_EQUAL(turn(listing, &config, B ", " A, true), 0);
	expect(config, "b=1 a=0");
	CU_ASSERT_EQUAL(turn(listing, &config, C ", {id: 2, name: x}, " A, true), 0);
	expect(config, "c=2 x=1 a=0");
	CU_ASSERT_EQUAL(turn(listing, &config, A ", " C, true), 0);
	expect(config, "a=0 c=2");
	CU_ASSERT_EQUAL(turn(listing, &config, A ", " B ", " C, true), 0);
	expect(config, "a=0 b=3 c=2");
	CU_ASSERT_EQUAL(esf_config_slots_count(config), 4);
	esf_config_free(config);
	esf_listing_destroy(listing);
	esf_learned_destroy(learned);
}

static void what_is_not_put_in_force_takes_no_slot(void)
{
	struct esf_learned *learned = esf_learned_create(FIRST, ROOM, key);
	struct esf_listing *listing = esf_listing_create(learned);
	struct esf_config *config = load(A ", " B, "refuse"), *failed = load(A ", " C, "refuse");

	for (int i = 0; i < 10; i++)
		CU_ASSERT_EQUAL(turn(listing, &config, A ", " B ", " C ", " D, false), 0);
	CU_ASSERT_EQUAL(esf_learned_count(learned), FIRST);
	for (int i = 0; i < 10; i++)
		CU_ASSERT_EQUAL(esf_listing_assign(listing, config, failed, false), 0);
	CU_ASSERT_EQUAL(esf_learned_count(learned), FIRST + 1);
	CU_ASSERT_EQUAL(turn(listing, &config, C ", " D ", " E, true), 0);
	expect(config, "c=2 d=3 e=4");
	CU_ASSERT_EQUAL(turn(listing, &config, C ", " A, false), -ENOSPC);
	CU_ASSERT_EQUAL(turn(listing, &config, C ", " A, true), -ENOSPC);
	expect(config, "c=2 d=3 e=4");
	esf_config_free(failed);
	esf_config_free(config);
	esf_listing_destroy(listing);
	esf_learned_destroy(learned);
}

static void a_learned_site_is_listed_where_it_is(void)
{
	struct esf_learned *learned = esf_learned_create(FIRST, ROOM, key);
	struct esf_listing *listing = esf_listing_create(learned);
	struct esf_config *config = load(A ", " B, "learn");
	uint32_t spare = ESF_SPARE_NONE;

	CU_ASSERT_EQUAL(esf_learned_add_id(learned, &spare, 3), 2);
	CU_ASSERT_EQUAL(esf_learned_add_name(learned, &spare, "d", 1), 3);
	CU_ASSERT_EQUAL(turn(listing, &config, A ", " C ", " D ", " E, true), 0);
	expect(config, "a=0 c=2 d=3 e=4");
	CU_ASSERT_EQUAL(esf_learned_add_id(learned, &spare, 5), 4);
	esf_config_free(config);
	esf_listing_destroy(listing);
	esf_learned_destroy(learned);
}

static void a_slot_without_a_site_is_a_hole_of_the_roster_and_the_directory(void)
{
	struct esf_learned *learned = esf_learned_create(FIRST, ROOM, key);
	struct esf_listing *listing = esf_listing_create(learned);
	struct esf_config *config = load(A ", " B, "refuse");
	struct esf_directory_site sites[3] = { { .id = 1, .name = "a" }, { .id = 0 },
		{ .id = 3, .name = "c" } };
	struct esf_directory *directory = esf_directory_create(sites, 3, key);
	struct esf_roster *roster;

	CU_ASSERT_EQUAL_FATAL(turn(listing, &config, A ", " C, true), 0);
	roster = esf_roster_create(config, ROOM);
	esf_roster_learn(roster, learned);
	CU_ASSERT_EQUAL(esf_roster_count(roster), 3);
	CU_ASSERT_PTR_NULL(esf_roster_at(roster, 1));
	CU_ASSERT_STRING_EQUAL(esf_roster_at(roster, 2)->name, "c");
	CU_ASSERT_EQUAL(esf_roster_find(roster, "b", 3), -1);
	CU_ASSERT_EQUAL(esf_roster_find(roster, "c", 3), 2);
	CU_ASSERT_EQUAL(esf_directory_by_id(directory, 3), 2);
	CU_ASSERT_EQUAL(esf_directory_by_id(directory, 0), ESF_NO_SITE);
	CU_ASSERT_EQUAL(esf_directory_by_name(directory, "", 0), ESF_NO_SITE);
	esf_directory_destroy(directory);
	esf_roster_destroy(roster);
	esf_config_free(config);
	esf_listing_destroy(listing);
	esf_learned_destroy(learned);
}

void esf_suite_slots(void)
{
	CU_pSuite suite = CU_add_suite("slots", NULL, NULL);

	CU_ADD_TEST(suite, a_site_keeps_its_slot_while_its_id_is_listed);
	CU_ADD_TEST(suite, what_is_not_put_in_force_takes_no_slot);
	CU_ADD_TEST(suite, a_learned_site_is_listed_where_it_is);
	CU_ADD_TEST(suite, a_slot_without_a_site_is_a_hole_of_the_roster_and_the_directory);
}

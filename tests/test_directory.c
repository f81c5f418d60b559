/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/directory.h"

#include <stdio.h>
#include <string.h>

#include <CUnit/CUnit.h>

#include "suites.h"

enum { SITES_COUNT = 20000 };

static const uint8_t key[16] = { 1, 2, 3 };

struct place {
	char name[16];
	struct esf_address address;
};

static struct place places[SITES_COUNT];
static struct esf_directory_site sites[SITES_COUNT];

static struct esf_address address_of(uint32_t number)
{
	return esf_address_from_ipv4(
	    (uint8_t[4]){ 10, (uint8_t)(number >> 16), (uint8_t)(number >> 8), (uint8_t)number });
}

/* Ids 1, 2, .. on even places, and sparse ones far above on odd places. */
static uint32_t id_of(uint32_t index)
{
	return index % 2 == 0 ? index / 2 + 1 : UINT32_MAX - 1000 * index;
}

static struct esf_directory *make(uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		snprintf(places[i].name, sizeof(places[i].name), "site-%u", i);
		places[i].address = address_of(i);
		sites[i] = (struct esf_directory_site){
			.id = id_of(i),
			.name = places[i].name,
			.addresses_count = i % 3 != 0,
			.addresses = &places[i].address,
		};
	}
	return esf_directory_create(sites, count, key);
}

static void every_site_is_found_by_id_name_and_address(void)
{
	struct esf_directory *directory = make(SITES_COUNT);
	uint32_t wrong = 0;

	for (uint32_t i = 0; i < SITES_COUNT; i++) {
		struct esf_address address = address_of(i);

		wrong += esf_directory_by_id(directory, id_of(i)) != i;
		wrong += esf_directory_by_name(
		             directory, places[i].name, (uint32_t)strlen(places[i].name)) != i;
		wrong +=
		    esf_directory_by_address(directory, &address) != (i % 3 != 0 ? i : ESF_NO_SITE);
	}
	CU_ASSERT_EQUAL(wrong, 0);
	esf_directory_destroy(directory);
}

static void what_is_not_listed_is_no_site(void)
{
	static const uint32_t counts[] = { 0, 1, 8, 1000 };
	char longest[ESF_SITE_NAME_MAX + 2];
	struct esf_address address = address_of(0x123456);

	memset(longest, 's', sizeof(longest));
	for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
		struct esf_directory *directory = make(counts[i]);

		CU_ASSERT_EQUAL(esf_directory_by_id(directory, 0), ESF_NO_SITE);
		CU_ASSERT_EQUAL(esf_directory_by_id(directory, 900), ESF_NO_SITE);
		CU_ASSERT_EQUAL(esf_directory_by_id(directory, UINT32_MAX), ESF_NO_SITE);
		CU_ASSERT_EQUAL(esf_directory_by_name(directory, "", 0), ESF_NO_SITE);
		CU_ASSERT_EQUAL(esf_directory_by_name(directory, "site-", 5), ESF_NO_SITE);
		CU_ASSERT_EQUAL(
		    esf_directory_by_name(directory, longest, sizeof(longest)), ESF_NO_SITE);
		CU_ASSERT_EQUAL(esf_directory_by_address(directory, &address), ESF_NO_SITE);
		esf_directory_destroy(directory);
	}
}

static void longest_site_name_is_found(void)
{
	char name[ESF_SITE_NAME_MAX + 1] = { 0 };
	struct esf_directory_site site = { .id = 1, .name = name };
	struct esf_directory *directory;

	memset(name, 'n', ESF_SITE_NAME_MAX);
	directory = esf_directory_create(&site, 1, key);
	CU_ASSERT_EQUAL(esf_directory_by_name(directory, name, ESF_SITE_NAME_MAX), 0);
	CU_ASSERT_EQUAL(esf_directory_by_name(directory, name, ESF_SITE_NAME_MAX - 1), ESF_NO_SITE);
	esf_directory_destroy(directory);
}

void esf_suite_directory(void)
{
	CU_pSuite suite = CU_add_suite("directory", NULL, NULL);

	CU_add_test(suite, "every_site_is_found_by_id_name_and_address",
	    every_site_is_found_by_id_name_and_address);
	CU_add_test(suite, "what_is_not_listed_is_no_site", what_is_not_listed_is_no_site);
	CU_add_test(suite, "longest_site_name_is_found", longest_site_name_is_found);
}

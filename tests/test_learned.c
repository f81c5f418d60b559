/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/learned.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>

#include <CUnit/CUnit.h>

#include "plane_fixture.h"
#include "suites.h"

static struct fixture fixture, *const f = &fixture;

static void start(uint32_t shards_count)
{
	fixture_start(f, shards_count);
	f->policy->learn_sites = true;
}

static void every_key_leads_back_to_its_site(void)
{
	enum { FIRST = 10, CAPACITY = 4000 };
	struct esf_learned *learned = esf_learned_create(FIRST, CAPACITY, fixture_key);
	uint32_t spare = ESF_SPARE_NONE, wrong = 0;
	char name[16];

	for (uint32_t i = FIRST; i < CAPACITY; i++) {
		uint32_t id = i % 3 == 0 ? UINT32_MAX - i : i;
		struct esf_address address = {
			{ 10, [14] = (uint8_t)(i >> 8), [15] = (uint8_t)i }
		};

		snprintf(name, sizeof(name), "n%u", i);
		if (i % 2 == 0)
			wrong += esf_learned_add_id(learned, &spare, id) != i ||
			         esf_learned_by_id(learned, id) != i;
		else if (i % 4 == 1)
			wrong += esf_learned_add_name(learned, &spare, name, 5) != i;
		else
			wrong += esf_learned_add_address(learned, &spare, &address) != i ||
			         esf_learned_by_address(learned, &address) != i;
	}
	for (uint32_t i = FIRST; i < CAPACITY; i++) {
		snprintf(name, sizeof(name), "n%u", i);
		if (i % 4 == 1 && i > 1000)
			wrong += esf_learned_add_name(learned, &spare, name, 5) != i;
		wrong += esf_learned_at(learned, i) == NULL;
	}
	CU_ASSERT_EQUAL(wrong, 0);
	CU_ASSERT_EQUAL(esf_learned_count(learned), CAPACITY);
	CU_ASSERT_EQUAL(esf_learned_add_id(learned, &spare, 77777), ESF_NO_SITE);
	CU_ASSERT_EQUAL(esf_learned_by_name(learned, "nobody", 6), ESF_NO_SITE);
	CU_ASSERT_EQUAL(esf_learned_by_id(learned, 0), ESF_NO_SITE);
	esf_learned_destroy(learned);
}

/* An address is a second way to the site that is named as it is written. */
static void address_and_its_text_are_one_site(void)
{
	const struct esf_address v4 = esf_address_from_ipv4((const uint8_t[]){ 10, 9, 0, 7 });
	const struct esf_address v6 = { { 0xfd, [15] = 1 } };
	struct esf_learned *learned = esf_learned_create(0, 3, fixture_key);
	uint32_t spare = ESF_SPARE_NONE;

	CU_ASSERT_EQUAL(esf_learned_add_name(learned, &spare, "10.9.0.7", 8), 0);
	CU_ASSERT_EQUAL(esf_learned_add_address(learned, &spare, &v4), 0);
	CU_ASSERT_EQUAL(esf_learned_add_address(learned, &spare, &v6), 1);
	CU_ASSERT_EQUAL(esf_learned_by_name(learned, "fd00::1", 7), 1);
	CU_ASSERT_EQUAL(esf_learned_by_address(learned, &v6), 1);
	esf_learned_destroy(learned);
}

static void names_that_would_not_do_in_a_file_are_none(void)
{
	static const struct {
		const char *name;
		bool sound;
	} cases[] = {
		{ "n-1", true },
		{ "s\xc3\xbc"
		  "d",
		    true },
		{ "", false },
		{ "a b", false },
		{ "a/b", false },
		{ "a\x7f", false },
		{ "a\xc2\x85", false },
		{ "a\xff", false },
		{ "a\xc3", false },
		{ "012345678901234567890123456789012345678901234567890123456789012", true },
		{ "0123456789012345678901234567890123456789012345678901234567890123", false },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		CU_ASSERT_EQUAL(
		    esf_learned_name_is_sound(cases[i].name, (uint32_t)strlen(cases[i].name)),
		    cases[i].sound);
}

enum { THREADS = 4, KEYS = 20000 };

static struct {
	struct esf_learned *learned;
	_Atomic uint32_t ready;
	uint32_t sites[THREADS][2 * KEYS];
} race;

static void *learn_all(void *context)
{
	uint32_t thread = (uint32_t)(uintptr_t)context, spare = ESF_SPARE_NONE;
	char name[16];

	atomic_fetch_add(&race.ready, 1);
	while (atomic_load(&race.ready) < THREADS)
		;
	for (uint32_t i = 0; i < KEYS; i++) {
		int length = snprintf(name, sizeof(name), "n%u", i);
		uint32_t id = i % 2 == 0 ? i + 1 : UINT32_MAX - i;

		race.sites[thread][2 * i] = esf_learned_add_id(race.learned, &spare, id);
		race.sites[thread][2 * i + 1] =
		    esf_learned_add_name(race.learned, &spare, name, (uint32_t)length);
	}
	return NULL;
}

/* Each key has one site, whoever was faster, and no index is lost but the spare ones. */
static void threads_agree_on_who_is_who(void)
{
	pthread_t threads[THREADS];
	uint32_t wrong = 0, whole = 0;

	race.learned = esf_learned_create(0, 2 * KEYS + THREADS, fixture_key);
	atomic_store(&race.ready, 0);
	for (uintptr_t i = 0; i < THREADS; i++)
		pthread_create(&threads[i], NULL, learn_all, (void *)i);
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	for (int t = 1; t < THREADS; t++)
		wrong += memcmp(race.sites[t], race.sites[0], sizeof(race.sites[0])) != 0;
	for (uint32_t i = 0; i < 2 * KEYS; i++) {
		const struct esf_learned_site *site =
		    esf_learned_at(race.learned, race.sites[0][i]);

		wrong += site == NULL || (i % 2 == 0) != (site->id != 0);
	}
	for (uint32_t i = 0; i < esf_learned_count(race.learned); i++)
		whole += esf_learned_at(race.learned, i) != NULL;
	CU_ASSERT_EQUAL(wrong, 0);
	CU_ASSERT_EQUAL(whole, 2 * KEYS);
	CU_ASSERT(esf_learned_count(race.learned) <= 2 * KEYS + THREADS);
	esf_learned_destroy(race.learned);
}

static void first_datagram_of_an_unknown_site_is_taken(void)
{
	struct bytes births = etd_births(77, 1);
	uint32_t site;

	start(1);
	fixture_etd(f, 0, T0, &births);
	fixture_gauge(f, 0, T0, 77, 2, 5);
	fixture_lines(f, 0, T0, "t,site=nobody gauge=1\nt,site=n-2 gauge=1");
	CU_ASSERT_EQUAL(datagrams(f, 0, ESF_DATAGRAM_ACCEPTED), 3);
	CU_ASSERT_EQUAL(records(f, 0, ESF_RECORD_ACCEPTED), 3);
	site = esf_learned_by_id(esf_plane_learned(f->plane), 77);
	CU_ASSERT_EQUAL(site, SITES_COUNT);
	fixture_publish(f);
	CU_ASSERT_EQUAL(esf_plane_card(f->plane, site)->ledger.records[ESF_RECORD_ACCEPTED], 1);
	CU_ASSERT(fixture_stop(f));
}

static void past_the_bound_sites_are_unknown(void)
{
	start(1);
	fixture_lines(f, 0, T0,
	    "t,site=a gauge=1\nt,site=b gauge=1\nt,site=c gauge=1\nt,site=d gauge=1\nt,site=b "
	    "gauge=2");
	CU_ASSERT_EQUAL(records(f, 0, ESF_RECORD_ACCEPTED), 4);
	CU_ASSERT_EQUAL(records(f, 0, ESF_RECORD_UNKNOWN_SITE), 1);
	fixture_lines(f, 0, T0, "t,site=d gauge=1");
	CU_ASSERT_EQUAL(datagrams(f, 0, ESF_DATAGRAM_UNKNOWN_SITE), 1);
	CU_ASSERT(fixture_stop(f));
}

/* The id in a name is that id, unless it is a listed site's, which has a name already. */
static void name_with_an_id_and_the_id_are_one_site(void)
{
	struct bytes births = etd_births(77, 1);

	start(1);
	fixture_lines(f, 0, T0, "t,site=site-77 gauge=1");
	fixture_etd(f, 0, T0, &births);
	fixture_lines(f, 0, T0, "t,site=site-2 gauge=1");
	CU_ASSERT_EQUAL(esf_learned_by_id(esf_plane_learned(f->plane), 77), SITES_COUNT);
	CU_ASSERT_EQUAL(
	    esf_learned_by_name(esf_plane_learned(f->plane), "site-2", 6), SITES_COUNT + 1);
	CU_ASSERT_EQUAL(esf_learned_count(esf_plane_learned(f->plane)), SITES_COUNT + 2);
	CU_ASSERT(fixture_stop(f));
}

/* What can't be judged teaches nothing. */
static void nothing_is_learned_from(void)
{
	struct bytes sealed = etd_births(77, 1), early = etd_births(78, 1), cut = etd_births(79, 1);
	struct bytes unsealed = etd_births(80, 1);

	start(1);
	sealed.data[5] |= 1;
	sealed.data[14] = 1;
	early.data[19] = 0xff; /* a boot in the far future */
	fixture_etd(f, 0, T0, &sealed);
	fixture_etd(f, 0, T0, &early);
	cut.size--;
	fixture_etd(f, 0, T0, &cut);
	fixture_lines(f, 0, T0, "t,site=a/b gauge=1");
	f->policy->listeners[0].require_seal = true;
	fixture_etd(f, 0, T0, &unsealed);
	CU_ASSERT_EQUAL(datagrams(f, 0, ESF_DATAGRAM_UNKNOWN_SITE), 4);
	CU_ASSERT_EQUAL(datagrams(f, 0, ESF_DATAGRAM_MALFORMED), 1);
	CU_ASSERT_EQUAL(esf_learned_count(esf_plane_learned(f->plane)), SITES_COUNT);
	CU_ASSERT(fixture_stop(f));
}

/* With several shards a site is learned where it is first heard, and worked on where it belongs. */
static void learned_site_belongs_to_one_shard(void)
{
	struct bytes births = etd_births(77, 1);

	start(2);
	fixture_etd(f, 0, T0, &births);
	fixture_gauge(f, 1, T0, 77, 2, 5);
	CU_ASSERT_EQUAL(f->inbox[0].count, 1);
	fixture_lines(f, 1, T0, "t,site=x gauge=1");
	fixture_lines(f, 0, T0, "t,site=x gauge=2\nt,site=site-77 gauge=3");
	fixture_take(f, 0, T0);
	fixture_take(f, 1, T0);
	CU_ASSERT_EQUAL(records(f, 0, ESF_RECORD_ACCEPTED) + records(f, 1, ESF_RECORD_ACCEPTED), 4);
	CU_ASSERT_EQUAL(esf_learned_count(esf_plane_learned(f->plane)), SITES_COUNT + 2);
	CU_ASSERT(fixture_stop(f));
}

/*
 * CONTRACT's xlarge with 6 KPIs, 3 windows open; a view holds about 0.6 KB a site, and there are
 * never more than three.
 */
static void million_sites_fit_in_8_gib(void)
{
	struct esf_plane_options options = fixture_options(1);
	const size_t views_size = 3 * 600;

	options.measures_count = 6;
	options.sequence_window = 1024;
	CU_ASSERT((esf_plane_site_size(&options) + views_size) * 1000000 < UINT64_C(8) << 30);
	CU_ASSERT(esf_plane_site_size(&options) > 4000);
}

void esf_suite_learned(void)
{
	CU_pSuite suite = CU_add_suite("learned", NULL, NULL);

	CU_add_test(suite, "every_key_leads_back_to_its_site", every_key_leads_back_to_its_site);
	CU_add_test(suite, "address_and_its_text_are_one_site", address_and_its_text_are_one_site);
	CU_add_test(suite, "names_that_would_not_do_in_a_file_are_none",
	    names_that_would_not_do_in_a_file_are_none);
	CU_add_test(suite, "threads_agree_on_who_is_who", threads_agree_on_who_is_who);
	CU_add_test(suite, "first_datagram_of_an_unknown_site_is_taken",
	    first_datagram_of_an_unknown_site_is_taken);
	CU_add_test(suite, "past_the_bound_sites_are_unknown", past_the_bound_sites_are_unknown);
	CU_add_test(suite, "name_with_an_id_and_the_id_are_one_site",
	    name_with_an_id_and_the_id_are_one_site);
	CU_add_test(
	    suite, "nothing_is_learned_from_what_cannot_be_judged", nothing_is_learned_from);
	CU_add_test(suite, "million_sites_fit_in_8_gib", million_sites_fit_in_8_gib);
	CU_add_test(suite, "learned_site_belongs_to_one_shard", learned_site_belongs_to_one_shard);
}

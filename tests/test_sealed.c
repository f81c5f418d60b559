/* SPDX-License-Identifier: Apache-2.0 */
#include "suites.h"

#include <string.h>

#include <CUnit/CUnit.h>

#include "bench/sealing.h"
#include "plane_fixture.h"

/* Sealed datagrams through a whole shard: what is refused moves no state, and keys rotate without
 * loss. */

static const uint8_t key_old[ESF_SEAL_KEY_SIZE] = { 1, 2, 3 };
static const uint8_t key_new[ESF_SEAL_KEY_SIZE] = { 9, 8, 7 };

enum { OLD_ID = 1, NEW_ID = 2, SITE_ID = 2, SITE_INDEX = 1 };

static void use_keys(struct esf_policy *policy, bool old, bool new)
{
	struct esf_seal_key keys[2] = { { .site = SITE_INDEX, .id = OLD_ID },
		{ .site = SITE_INDEX, .id = NEW_ID } };
	struct esf_seal_keyring *keyring = NULL;

	memcpy(keys[0].bytes, key_old, sizeof(key_old));
	memcpy(keys[1].bytes, key_new, sizeof(key_new));
	CU_ASSERT_EQUAL_FATAL(esf_seal_keyring_create(old ? keys : keys + 1,
	                          (uint32_t)old + (uint32_t) new, SITES_COUNT, &keyring),
	    0);
	policy->keyring = keyring;
}

static void stop(struct fixture *f)
{
	struct esf_seal_keyring *keyring = (struct esf_seal_keyring *)f->policy->keyring;

	CU_ASSERT_TRUE(fixture_stop(f));
	esf_seal_keyring_destroy(keyring);
}

static struct bytes sealed(struct bytes plain, const uint8_t *key, uint16_t id)
{
	CU_ASSERT_TRUE_FATAL(esf_sealing_seal_with(key, id, plain.data, &plain.size));
	return plain;
}

static struct bytes gauge(uint32_t seq, double value)
{
	struct bytes b = etd(2, SITE_ID, seq, T0 + SECOND);

	etd_data(&b, 0, 0, 0, value);
	return b;
}

static void send(struct fixture *f, const struct bytes *b)
{
	fixture_etd(f, 0, T0 + SECOND, b);
}

static void sealed_datagrams_are_taken_once(void)
{
	struct fixture f;
	struct bytes births, data;

	fixture_start(&f, 1);
	use_keys(f.policy, true, true);
	births = sealed(etd_births(SITE_ID, 1), key_old, OLD_ID);
	data = sealed(gauge(2, 42), key_new, NEW_ID);
	for (int twice = 0; twice < 2; twice++) {
		send(&f, &births);
		send(&f, &data);
	}
	CU_ASSERT_EQUAL(datagrams(&f, 0, ESF_DATAGRAM_ACCEPTED), 2);
	CU_ASSERT_EQUAL(datagrams(&f, 0, ESF_DATAGRAM_DUPLICATE), 2);
	CU_ASSERT_EQUAL(records(&f, 0, ESF_RECORD_ACCEPTED), 1);
	stop(&f);
}

static void every_turned_bit_is_refused_and_moves_nothing(void)
{
	struct fixture f;
	struct bytes births, data;
	const struct esf_block *block;
	uint64_t turned = 0;

	fixture_start(&f, 1);
	use_keys(f.policy, true, false);
	((struct esf_listener *)f.policy->listeners)[0].require_seal = true;
	births = sealed(etd_births(SITE_ID, 1), key_old, OLD_ID);
	send(&f, &births);
	data = sealed(gauge(2, 42), key_old, OLD_ID);
	for (uint32_t bit = 0; bit < 8 * data.size; bit++, turned++) {
		data.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
		send(&f, &data);
		data.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	CU_ASSERT_EQUAL(datagrams(&f, 0, ESF_DATAGRAM_ACCEPTED), 1);
	CU_ASSERT_EQUAL(esf_shard_ledger(esf_plane_shard(f.plane, 0))->records_received, 0);
	fixture_publish(&f);
	CU_ASSERT_EQUAL(esf_plane_card(f.plane, SITE_INDEX)->streams, 1);
	CU_ASSERT_EQUAL(esf_plane_card(f.plane, SITE_INDEX)->lost, 0);
	send(&f, &data); /* the one it was is still new */
	CU_ASSERT_EQUAL(datagrams(&f, 0, ESF_DATAGRAM_ACCEPTED), 2);
	fixture_publish(&f);
	block = esf_plane_block(f.plane, SITE_INDEX, T0 / WINDOW);
	CU_ASSERT_PTR_NOT_NULL_FATAL(block);
	CU_ASSERT_EQUAL(esf_block_acc(block, GAUGE)->good, 1);
	CU_ASSERT_EQUAL(turned, 8 * data.size);
	stop(&f);
}

static void unsealed_is_refused_where_a_seal_is_required(void)
{
	static const struct {
		bool listener, site;
		enum esf_datagram_verdict verdict;
	} cases[] = {
		{ false, false, ESF_DATAGRAM_ACCEPTED },
		{ true, false, ESF_DATAGRAM_UNSEALED },
		{ false, true, ESF_DATAGRAM_UNSEALED },
		{ true, true, ESF_DATAGRAM_UNSEALED },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		bool required[SITES_COUNT] = { [SITE_INDEX] = cases[i].site };
		struct bytes births = etd_births(SITE_ID, 1);
		struct fixture f;

		fixture_start(&f, 1);
		use_keys(f.policy, true, false);
		f.policy->listeners[0].require_seal = cases[i].listener;
		f.policy->require_seal = required;
		send(&f, &births);
		CU_ASSERT_EQUAL(datagrams(&f, 0, cases[i].verdict), 1);
		stop(&f);
	}
}

static void keys_rotate_while_datagrams_flow(void)
{
	struct fixture f;
	struct esf_policy *both, *former;
	struct bytes b;

	fixture_start(&f, 1);
	use_keys(f.policy, true, false);
	b = sealed(etd_births(SITE_ID, 1), key_old, OLD_ID);
	send(&f, &b);
	b = sealed(gauge(2, 1), key_new, NEW_ID);
	send(&f, &b);
	CU_ASSERT_EQUAL(datagrams(&f, 0, ESF_DATAGRAM_UNKNOWN_KEY), 1);

	both = fixture_policy(0, MEASURES_COUNT);
	use_keys(both, true, true);
	former = esf_plane_set_policy(f.plane, both);
	send(&f, &b); /* the same bytes: an unknown key had cost them nothing */
	b = sealed(gauge(3, 2), key_old, OLD_ID);
	send(&f, &b);
	CU_ASSERT_EQUAL(datagrams(&f, 0, ESF_DATAGRAM_ACCEPTED), 3);
	CU_ASSERT_EQUAL(records(&f, 0, ESF_RECORD_ACCEPTED), 2);
	esf_seal_keyring_destroy((struct esf_seal_keyring *)former->keyring);
	fixture_policy_free(former);
	f.policy = both;
	stop(&f);
}

void esf_suite_sealed(void)
{
	CU_pSuite suite = CU_add_suite("sealed", NULL, NULL);

	CU_ADD_TEST(suite, sealed_datagrams_are_taken_once);
	CU_ADD_TEST(suite, every_turned_bit_is_refused_and_moves_nothing);
	CU_ADD_TEST(suite, unsealed_is_refused_where_a_seal_is_required);
	CU_ADD_TEST(suite, keys_rotate_while_datagrams_flow);
}

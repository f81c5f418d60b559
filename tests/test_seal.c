/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/seal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <CUnit/CUnit.h>
#include <intel-ipsec-mb.h>
#include <sodium.h>

#include "bench/encode.h"
#include "bench/sealing.h"
#include "dataplane/limits.h"
#include "suites.h"

/*
 * Datagrams are sealed by OpenSSL (fleetgen's sealing) and by Node (the committed vectors); only
 * the opener is the appliance's.
 */
enum { DATAGRAM_MAX = 2048, SITE = 0, KEY_ID = 258 };

static const uint8_t key_a[ESF_SEAL_KEY_SIZE] = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15,
	16 };
static const uint8_t key_b[ESF_SEAL_KEY_SIZE] = { 0xff, 0xee, 0xdd };

/* A sealed datagram, and the records in it. */
struct sealed {
	uint8_t data[DATAGRAM_MAX];
	uint8_t records[DATAGRAM_MAX];
	uint32_t size;
	uint32_t records_size;
};

static void make_sealed(
    struct sealed *out, const uint8_t *key, uint16_t key_id, uint8_t kind, uint32_t records)
{
	const struct esf_encode_header header = { .kind = kind,
		.stream = 7,
		.site = 99,
		.boot = 1700000000,
		.seq = 12345,
		.time_ns = INT64_C(1700000000123456789) };
	struct esf_encode encoded = { .data = out->data, .capacity = DATAGRAM_MAX };

	esf_encode_etd(&encoded, &header);
	for (uint32_t i = 0; i < records; i++)
		CU_ASSERT_TRUE_FATAL(
		    esf_encode_etd_data(&encoded, (uint16_t)i, 0, -(int32_t)i, i * 0.5));
	out->size = encoded.size;
	out->records_size = out->size - ESF_ETD_HEADER_SIZE;
	memcpy(out->records, out->data + ESF_ETD_HEADER_SIZE, out->records_size);
	CU_ASSERT_TRUE_FATAL(esf_sealing_seal_with(key, key_id, out->data, &out->size));
}

static struct esf_sealer *make_sealer(void)
{
	struct esf_sealer *sealer = NULL;

	CU_ASSERT_EQUAL_FATAL(esf_sealer_create(&sealer), 0);
	return sealer;
}

static struct esf_seal_key make_key(uint32_t site, uint16_t id, const uint8_t *bytes)
{
	struct esf_seal_key key = { .site = site, .id = id };

	memcpy(key.bytes, bytes, sizeof(key.bytes));
	return key;
}

static struct esf_seal_keyring *make_keyring(
    const struct esf_seal_key *keys, uint32_t count, uint32_t sites_count)
{
	struct esf_seal_keyring *keyring = NULL;

	CU_ASSERT_EQUAL_FATAL(esf_seal_keyring_create(keys, count, sites_count, &keyring), 0);
	return keyring;
}

static struct esf_seal_keyring *make_ring(uint16_t id, const uint8_t *bytes)
{
	const struct esf_seal_key key = make_key(SITE, id, bytes);

	return make_keyring(&key, 1, 1);
}

/* What becomes of the bytes at a receiver that takes only sealed ones. */
static enum esf_datagram_verdict take(struct esf_sealer *sealer,
    const struct esf_seal_keyring *keyring, uint32_t site, const uint8_t *data, uint32_t size,
    struct esf_etd *etd)
{
	enum esf_datagram_verdict verdict = esf_etd_parse(data, size, etd);
	const uint8_t *plain = NULL;

	if (verdict != ESF_DATAGRAM_ACCEPTED)
		return verdict;
	if ((etd->flags & ESF_ETD_SEALED) == 0)
		return ESF_DATAGRAM_UNSEALED;
	verdict = esf_seal_open(sealer, keyring, site, etd, &plain);
	if (verdict != ESF_DATAGRAM_ACCEPTED) {
		CU_ASSERT_PTR_NULL(plain);
		return verdict;
	}
	return esf_etd_unseal(etd, plain, etd->records_size - ESF_ETD_TAG_SIZE);
}

static void check_records(const struct esf_etd *etd, const struct sealed *sealed)
{
	CU_ASSERT_EQUAL_FATAL(etd->records_size, sealed->records_size);
	CU_ASSERT_EQUAL(memcmp(etd->records, sealed->records, sealed->records_size), 0);
	CU_ASSERT_TRUE(etd->flags & ESF_ETD_SEALED);
}

struct known_answer {
	const char *key, *nonce, *additional, *plain, *cipher, *tag;
};

/* Test cases 1 to 4 of "The Galois/Counter Mode of Operation (GCM)", appendix B, as submitted to
 * NIST and named by SP 800-38D. */
static const struct known_answer known_answers[] = {
	{ "00000000000000000000000000000000", "000000000000000000000000", "", "", "",
	    "58e2fccefa7e3061367f1d57a4e7455a" },
	{ "00000000000000000000000000000000", "000000000000000000000000", "",
	    "00000000000000000000000000000000", "0388dace60b6a392f328c2b971b2fe78",
	    "ab6e47d42cec13bdf53a67b21257bddf" },
	{ "feffe9928665731c6d6a8f9467308308", "cafebabefacedbaddecaf888", "",
	    "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"
	    "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b391aafd255",
	    "42831ec2217774244b7221b784d0d49ce3aa212f2c02a4e035c17e2329aca12e"
	    "21d514b25466931c7d8f6a5aac84aa051ba30b396a0aac973d58e091473f5985",
	    "4d5c2af327cd64a62cf35abd2ba6fab4" },
	{ "feffe9928665731c6d6a8f9467308308", "cafebabefacedbaddecaf888",
	    "feedfacedeadbeeffeedfacedeadbeefabaddad2",
	    "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"
	    "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39",
	    "42831ec2217774244b7221b784d0d49ce3aa212f2c02a4e035c17e2329aca12e"
	    "21d514b25466931c7d8f6a5aac84aa051ba30b396a0aac973d58e091",
	    "5bc94fbc3221a5db94fae95ae7121a47" },
};

static size_t from_hex(const char *text, uint8_t *out, size_t size)
{
	size_t got = 0;

	CU_ASSERT_EQUAL_FATAL(sodium_hex2bin(out, size, text, strlen(text), NULL, &got, NULL), 0);
	return got;
}

/* The library itself, as this processor makes it run. */
static void library_gives_the_known_answers(void)
{
	_Alignas(64) struct gcm_key_data expanded;
	struct gcm_context_data context;
	IMB_MGR *manager = alloc_mb_mgr(0);
	IMB_ARCH arch;

	CU_ASSERT_PTR_NOT_NULL_FATAL(manager);
	init_mb_mgr_auto(manager, &arch);
	for (size_t i = 0; i < sizeof(known_answers) / sizeof(known_answers[0]); i++) {
		const struct known_answer *known = &known_answers[i];
		uint8_t key[16], nonce[12], additional[32], plain[64], cipher[64], want_tag[16];
		uint8_t opened[64], tag[16];
		size_t additional_size =
		    from_hex(known->additional, additional, sizeof(additional));
		size_t size = from_hex(known->cipher, cipher, sizeof(cipher));

		CU_ASSERT_EQUAL(from_hex(known->plain, plain, sizeof(plain)), size);
		from_hex(known->key, key, sizeof(key));
		from_hex(known->nonce, nonce, sizeof(nonce));
		from_hex(known->tag, want_tag, sizeof(want_tag));
		IMB_AES128_GCM_PRE(manager, key, &expanded);
		IMB_AES128_GCM_DEC(manager, &expanded, &context, opened, cipher, size, nonce,
		    additional, additional_size, tag, sizeof(tag));
		CU_ASSERT_EQUAL(memcmp(opened, plain, size), 0);
		CU_ASSERT_EQUAL(memcmp(tag, want_tag, sizeof(tag)), 0);
	}
	free_mb_mgr(manager);
}

/* One line of tests/data/seal/vectors.txt. */
static void check_vector(struct esf_sealer *sealer, char *line)
{
	static uint8_t datagram[DATAGRAM_MAX], records[DATAGRAM_MAX];
	const char *verdict = strtok(line, " "), *name = strtok(NULL, " ");
	uint8_t key[ESF_SEAL_KEY_SIZE];
	struct esf_seal_keyring *keyring;
	enum esf_datagram_verdict got;
	struct esf_etd etd;
	size_t size, records_size = 0;
	const char *text;

	CU_ASSERT_PTR_NOT_NULL_FATAL(name);
	CU_ASSERT_EQUAL(from_hex(strtok(NULL, " "), key, sizeof(key)), sizeof(key));
	size = from_hex(strtok(NULL, " "), datagram, sizeof(datagram));
	text = strtok(NULL, " \n");
	if (strcmp(text, "-") != 0)
		records_size = from_hex(text, records, sizeof(records));
	CU_ASSERT_EQUAL_FATAL(esf_etd_parse(datagram, (uint32_t)size, &etd), ESF_DATAGRAM_ACCEPTED);
	keyring = make_ring(etd.key, key);
	got = take(sealer, keyring, SITE, datagram, (uint32_t)size, &etd);
	CU_ASSERT_STRING_EQUAL(esf_datagram_verdict_names[got], verdict);
	if (got == ESF_DATAGRAM_ACCEPTED) {
		CU_ASSERT_EQUAL(etd.records_size, records_size);
		CU_ASSERT_EQUAL(memcmp(etd.records, records, records_size), 0);
	}
	esf_seal_keyring_destroy(keyring);
}

static void vectors_of_others_are_opened(void)
{
	FILE *file = fopen("tests/data/seal/vectors.txt", "r");
	struct esf_sealer *sealer = make_sealer();
	static char line[4 * DATAGRAM_MAX + 256];
	unsigned count = 0;

	CU_ASSERT_PTR_NOT_NULL_FATAL(file);
	while (fgets(line, sizeof(line), file)) {
		if (line[0] == '#')
			continue;
		check_vector(sealer, line);
		count++;
	}
	fclose(file);
	CU_ASSERT_EQUAL(count, 11);
	esf_sealer_destroy(sealer);
}

static void every_count_of_records_up_to_84_is_opened(void)
{
	struct esf_sealer *sealer = make_sealer();
	struct esf_seal_keyring *keyring = make_ring(KEY_ID, key_a);
	struct sealed sealed;
	struct esf_etd etd;

	for (uint32_t count = 0; count <= 84; count++) {
		make_sealed(&sealed, key_a, KEY_ID, ESF_ETD_DATA, count);
		CU_ASSERT_EQUAL(sealed.size, 32 + 16 * count + 16);
		CU_ASSERT_EQUAL_FATAL(take(sealer, keyring, SITE, sealed.data, sealed.size, &etd),
		    ESF_DATAGRAM_ACCEPTED);
		CU_ASSERT_EQUAL(etd.count, count);
		check_records(&etd, &sealed);
	}
	make_sealed(&sealed, key_a, KEY_ID, ESF_ETD_DEATH, 0);
	CU_ASSERT_EQUAL(
	    take(sealer, keyring, SITE, sealed.data, sealed.size, &etd), ESF_DATAGRAM_ACCEPTED);
	esf_seal_keyring_destroy(keyring);
	esf_sealer_destroy(sealer);
}

/* Which verdict a turned bit of a byte must lead to; 0: any refusal (malformed comes first). */
static enum esf_datagram_verdict expected_of(uint32_t at)
{
	if (at >= ESF_ETD_HEADER_SIZE)
		return ESF_DATAGRAM_BAD_SEAL;
	if (at == ESF_ETD_AT_KEY || at == ESF_ETD_AT_KEY + 1)
		return ESF_DATAGRAM_UNKNOWN_KEY;
	if (at >= ESF_ETD_AT_COUNT)
		return ESF_DATAGRAM_BAD_SEAL;
	return 0;
}

static void every_turned_bit_is_refused(void)
{
	struct esf_sealer *sealer = make_sealer();
	struct esf_seal_keyring *keyring = make_ring(KEY_ID, key_a);
	struct sealed sealed;
	struct esf_etd etd;

	make_sealed(&sealed, key_a, KEY_ID, ESF_ETD_DATA, 3);
	for (uint32_t bit = 0; bit < 8 * sealed.size; bit++) {
		enum esf_datagram_verdict expected = expected_of(bit / 8), got;

		sealed.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
		got = take(sealer, keyring, SITE, sealed.data, sealed.size, &etd);
		sealed.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
		CU_ASSERT_TRUE(got == ESF_DATAGRAM_BAD_SEAL || got == ESF_DATAGRAM_UNKNOWN_KEY ||
		               got == ESF_DATAGRAM_MALFORMED);
		CU_ASSERT_TRUE(expected == 0 || got == expected);
	}
	CU_ASSERT_EQUAL(
	    take(sealer, keyring, SITE, sealed.data, sealed.size, &etd), ESF_DATAGRAM_ACCEPTED);
	esf_seal_keyring_destroy(keyring);
	esf_sealer_destroy(sealer);
}

static void every_cut_is_refused(void)
{
	struct esf_sealer *sealer = make_sealer();
	struct esf_seal_keyring *keyring = make_ring(KEY_ID, key_a);
	struct sealed sealed;
	struct esf_etd etd;

	make_sealed(&sealed, key_a, KEY_ID, ESF_ETD_DATA, 3);
	for (uint32_t size = 0; size < sealed.size; size++)
		CU_ASSERT_EQUAL(take(sealer, keyring, SITE, sealed.data, size, &etd),
		    size < 48 ? ESF_DATAGRAM_MALFORMED : ESF_DATAGRAM_BAD_SEAL);
	sealed.data[sealed.size] = 0;
	CU_ASSERT_EQUAL(
	    take(sealer, keyring, SITE, sealed.data, sealed.size + 1, &etd), ESF_DATAGRAM_BAD_SEAL);
	esf_seal_keyring_destroy(keyring);
	esf_sealer_destroy(sealer);
}

static void keys_are_told_by_site_and_id(void)
{
	struct esf_sealer *sealer = make_sealer();
	const struct esf_seal_key keys[] = {
		make_key(2, 5, key_b),
		make_key(0, 5, key_a),
		make_key(2, 65535, key_a),
	};
	static const struct {
		uint32_t site;
		uint16_t id;
		const uint8_t *key;
		enum esf_datagram_verdict verdict;
	} cases[] = {
		{ 0, 5, key_a, ESF_DATAGRAM_ACCEPTED },
		{ 2, 5, key_b, ESF_DATAGRAM_ACCEPTED },
		{ 2, 65535, key_a, ESF_DATAGRAM_ACCEPTED },
		{ 0, 5, key_b, ESF_DATAGRAM_BAD_SEAL },
		{ 2, 5, key_a, ESF_DATAGRAM_BAD_SEAL },
		{ 0, 65535, key_a, ESF_DATAGRAM_UNKNOWN_KEY },
		{ 0, 0, key_a, ESF_DATAGRAM_UNKNOWN_KEY },
		{ 1, 5, key_a, ESF_DATAGRAM_UNKNOWN_KEY },
		{ 3, 5, key_a, ESF_DATAGRAM_UNKNOWN_KEY },
		{ UINT32_MAX, 5, key_a, ESF_DATAGRAM_UNKNOWN_KEY },
	};
	struct esf_seal_keyring *keyring = make_keyring(keys, 3, 3);
	struct sealed sealed;
	struct esf_etd etd;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		make_sealed(&sealed, cases[i].key, cases[i].id, ESF_ETD_DATA, 2);
		CU_ASSERT_EQUAL(
		    take(sealer, keyring, cases[i].site, sealed.data, sealed.size, &etd),
		    cases[i].verdict);
	}
	CU_ASSERT_EQUAL(
	    take(sealer, NULL, 0, sealed.data, sealed.size, &etd), ESF_DATAGRAM_UNKNOWN_KEY);
	esf_seal_keyring_destroy(keyring);
	esf_sealer_destroy(sealer);
}

/* Old key only, both, new key only: what a site sends on the way is always opened by one that
 * has its key. */
static void rotation_takes_both_keys_meanwhile(void)
{
	struct esf_sealer *sealer = make_sealer();
	const struct esf_seal_key keys[] = { make_key(SITE, 1, key_a), make_key(SITE, 2, key_b) };
	struct esf_seal_keyring *rings[] = {
		make_keyring(keys, 1, 1),
		make_keyring(keys, 2, 1),
		make_keyring(keys + 1, 1, 1),
	};
	struct sealed old, new;
	struct esf_etd etd;

	make_sealed(&old, key_a, 1, ESF_ETD_DATA, 5);
	make_sealed(&new, key_b, 2, ESF_ETD_DATA, 6);
	for (int i = 0; i < 3; i++) {
		CU_ASSERT_EQUAL(take(sealer, rings[i], SITE, old.data, old.size, &etd),
		    i < 2 ? ESF_DATAGRAM_ACCEPTED : ESF_DATAGRAM_UNKNOWN_KEY);
		CU_ASSERT_EQUAL(take(sealer, rings[i], SITE, new.data, new.size, &etd),
		    i > 0 ? ESF_DATAGRAM_ACCEPTED : ESF_DATAGRAM_UNKNOWN_KEY);
		esf_seal_keyring_destroy(rings[i]);
	}
	esf_sealer_destroy(sealer);
}

static void keyring_refuses_wrong_lists_of_keys(void)
{
	struct esf_seal_key keys[ESF_SITE_KEYS_MAX + 1];
	struct esf_seal_keyring *keyring = NULL;

	for (uint32_t i = 0; i <= ESF_SITE_KEYS_MAX; i++)
		keys[i] = make_key(0, (uint16_t)(i + 1), key_a);
	CU_ASSERT_EQUAL(esf_seal_keyring_create(keys, ESF_SITE_KEYS_MAX + 1, 1, &keyring), -E2BIG);
	keys[3].id = 1;
	CU_ASSERT_EQUAL(esf_seal_keyring_create(keys, ESF_SITE_KEYS_MAX, 1, &keyring), -EEXIST);
	keys[3].id = 0;
	CU_ASSERT_EQUAL(esf_seal_keyring_create(keys, ESF_SITE_KEYS_MAX, 1, &keyring), -EINVAL);
	keys[3].id = 4;
	keys[3].site = 1;
	CU_ASSERT_EQUAL(esf_seal_keyring_create(keys, ESF_SITE_KEYS_MAX, 1, &keyring), -EINVAL);
	CU_ASSERT_PTR_NULL(keyring);
	keys[3].site = 0;
	keyring = make_keyring(keys, ESF_SITE_KEYS_MAX, 1);
	esf_seal_keyring_destroy(keyring);
	keyring = make_keyring(NULL, 0, 0);
	esf_seal_keyring_destroy(keyring);
	esf_seal_keyring_destroy(NULL);
	esf_sealer_destroy(NULL);
}

static void malformed_records_under_a_good_seal_leave_the_datagram_as_it_was(void)
{
	static const uint8_t bad_quality[] = { 1, 0, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0 };
	struct sealed sealed;
	struct esf_etd etd, before;

	make_sealed(&sealed, key_a, KEY_ID, ESF_ETD_DATA, 1);
	CU_ASSERT_EQUAL_FATAL(esf_etd_parse(sealed.data, sealed.size, &etd), ESF_DATAGRAM_ACCEPTED);
	before = etd;
	CU_ASSERT_EQUAL(
	    esf_etd_unseal(&etd, bad_quality, sizeof(bad_quality)), ESF_DATAGRAM_MALFORMED);
	CU_ASSERT_EQUAL(esf_etd_unseal(&etd, bad_quality, 15), ESF_DATAGRAM_MALFORMED);
	CU_ASSERT_EQUAL(esf_etd_unseal(&etd, bad_quality, 0), ESF_DATAGRAM_MALFORMED);
	CU_ASSERT_PTR_EQUAL(etd.records, before.records);
	CU_ASSERT_EQUAL(etd.records_size, before.records_size);
}

/* Between two pages that may not be touched, at both ends of the one that may. */
static void opening_reads_the_datagram_only(void)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	uint8_t *pages = mmap(NULL, 3 * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct esf_sealer *sealer = make_sealer();
	struct esf_seal_keyring *keyring = make_ring(KEY_ID, key_a);
	struct sealed sealed;
	struct esf_etd etd;

	CU_ASSERT_PTR_NOT_EQUAL_FATAL(pages, MAP_FAILED);
	CU_ASSERT_EQUAL_FATAL(mprotect(pages + page, page, PROT_READ | PROT_WRITE), 0);
	for (uint32_t count = 0; count <= 84; count++) {
		make_sealed(&sealed, key_a, KEY_ID, ESF_ETD_DATA, count);
		for (int end = 0; end < 2; end++) {
			uint8_t *at = pages + page + (end ? page - sealed.size : 0);

			memcpy(at, sealed.data, sealed.size);
			CU_ASSERT_EQUAL(take(sealer, keyring, SITE, at, sealed.size, &etd),
			    ESF_DATAGRAM_ACCEPTED);
			CU_ASSERT_EQUAL(memcmp(at, sealed.data, sealed.size), 0);
		}
	}
	munmap(pages, 3 * page);
	esf_seal_keyring_destroy(keyring);
	esf_sealer_destroy(sealer);
}

static void largest_datagram_is_opened(void)
{
	struct esf_sealer *sealer = make_sealer();
	struct esf_seal_keyring *keyring = make_ring(KEY_ID, key_a);
	uint8_t *data = malloc(ESF_DATAGRAM_MAX);
	struct esf_encode encoded = { .data = data, .capacity = ESF_DATAGRAM_MAX - 16 };
	const struct esf_encode_header header = { .kind = ESF_ETD_DATA, .site = 1, .seq = 1 };
	struct esf_etd etd;

	CU_ASSERT_PTR_NOT_NULL_FATAL(data);
	esf_encode_etd(&encoded, &header);
	while (esf_encode_etd_data(&encoded, 1, 0, 0, 1.0))
		;
	CU_ASSERT_TRUE_FATAL(esf_sealing_seal_with(key_a, KEY_ID, data, &encoded.size));
	CU_ASSERT_EQUAL(
	    take(sealer, keyring, SITE, data, encoded.size, &etd), ESF_DATAGRAM_ACCEPTED);
	CU_ASSERT_EQUAL(etd.count, (ESF_DATAGRAM_MAX - 48) / 16);
	data[encoded.size - 17] ^= 1;
	CU_ASSERT_EQUAL(
	    take(sealer, keyring, SITE, data, encoded.size, &etd), ESF_DATAGRAM_BAD_SEAL);
	free(data);
	esf_seal_keyring_destroy(keyring);
	esf_sealer_destroy(sealer);
}

void esf_suite_seal(void)
{
	CU_pSuite suite = CU_add_suite("seal", NULL, NULL);

	CU_ADD_TEST(suite, library_gives_the_known_answers);
	CU_ADD_TEST(suite, vectors_of_others_are_opened);
	CU_ADD_TEST(suite, every_count_of_records_up_to_84_is_opened);
	CU_ADD_TEST(suite, every_turned_bit_is_refused);
	CU_ADD_TEST(suite, every_cut_is_refused);
	CU_ADD_TEST(suite, keys_are_told_by_site_and_id);
	CU_ADD_TEST(suite, rotation_takes_both_keys_meanwhile);
	CU_ADD_TEST(suite, keyring_refuses_wrong_lists_of_keys);
	CU_ADD_TEST(suite, malformed_records_under_a_good_seal_leave_the_datagram_as_it_was);
	CU_ADD_TEST(suite, opening_reads_the_datagram_only);
	CU_ADD_TEST(suite, largest_datagram_is_opened);
}

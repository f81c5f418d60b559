/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/seal.h"

#include <assert.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <intel-ipsec-mb.h>

#include "dataplane/limits.h"

/*
 * The input is a datagram. As it stands nothing may open it but the key that sealed it, which no
 * input knows (a good tag by chance: 2^-128). Then its records are sealed in earnest: they must
 * open to what they were, be accepted exactly when they are unsealed, and a bit that turns,
 * wherever the input's last bytes say, must be refused.
 */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { SITE = 1, SITES = 3 };

static const uint8_t key_bytes[ESF_SEAL_KEY_SIZE] = { 0x0f, 0x1e, 0x2d, 0x3c, 0x4b, 0x5a };

static struct esf_sealer *sealer;
static IMB_MGR *manager;
static struct gcm_key_data *expanded;
static uint8_t bare[ESF_DATAGRAM_MAX]; /* what is to be sealed */
static uint8_t sealed[ESF_DATAGRAM_MAX];

static void start(void)
{
	IMB_ARCH arch;

	if (sealer != NULL)
		return;
	expanded = aligned_alloc(64, (sizeof(*expanded) + 63) / 64 * 64);
	manager = alloc_mb_mgr(0);
	if (expanded == NULL || manager == NULL || esf_sealer_create(&sealer) != 0)
		abort();
	init_mb_mgr_auto(manager, &arch);
	IMB_AES128_GCM_PRE(manager, key_bytes, expanded);
}

static struct esf_seal_keyring *make_keyring(uint16_t id)
{
	struct esf_seal_key keys[] = {
		{ .site = SITE, .id = id == 1 ? 2 : 1, .bytes = { 1 } },
		{ .site = SITE, .id = id },
		{ .site = 0, .id = id, .bytes = { 2 } },
	};
	struct esf_seal_keyring *keyring = NULL;

	memcpy(keys[1].bytes, key_bytes, sizeof(key_bytes));
	if (esf_seal_keyring_create(keys, 3, SITES, &keyring) != 0)
		abort();
	return keyring;
}

/* Seals bare into sealed. */
static void seal(uint32_t size, uint16_t key)
{
	struct gcm_context_data context;

	memcpy(sealed, bare, ESF_ETD_HEADER_SIZE);
	sealed[ESF_ETD_AT_FLAGS] |= ESF_ETD_SEALED;
	memcpy(sealed + ESF_ETD_AT_KEY, &key, sizeof(key));
	IMB_AES128_GCM_ENC(manager, expanded, &context, sealed + 32, bare + 32, size - 32,
	    sealed + 12, sealed, 32, sealed + size, ESF_ETD_TAG_SIZE);
}

static enum esf_datagram_verdict open_it(const struct esf_seal_keyring *keyring, uint32_t site,
    uint32_t size, struct esf_etd *etd, const uint8_t **plain)
{
	enum esf_datagram_verdict verdict = esf_etd_parse(sealed, size, etd);

	if (verdict == ESF_DATAGRAM_ACCEPTED)
		verdict = (etd->flags & ESF_ETD_SEALED) == 0
		              ? ESF_DATAGRAM_UNSEALED
		              : esf_seal_open(sealer, keyring, site, etd, plain);
	return verdict;
}

static void check_opens(const struct esf_seal_keyring *keyring, uint32_t size, bool valid)
{
	const uint8_t *plain = NULL;
	struct esf_etd etd;

	assert(open_it(keyring, SITE, size + 16, &etd, &plain) == ESF_DATAGRAM_ACCEPTED);
	assert(memcmp(plain, bare + 32, size - 32) == 0);
	assert((esf_etd_unseal(&etd, plain, size - 32) == ESF_DATAGRAM_ACCEPTED) == valid);
	assert(!valid || (etd.records == plain && etd.records_size == size - 32));
	plain = NULL;
	assert(open_it(keyring, 0, size + 16, &etd, &plain) == ESF_DATAGRAM_BAD_SEAL);
	assert(open_it(keyring, 2, size + 16, &etd, &plain) == ESF_DATAGRAM_UNKNOWN_KEY);
	assert(open_it(NULL, SITE, size + 16, &etd, &plain) == ESF_DATAGRAM_UNKNOWN_KEY);
	assert(plain == NULL);
}

static void check_turned(const struct esf_seal_keyring *keyring, uint32_t size, uint32_t where)
{
	uint32_t bit = where % (8 * (size + 16));
	const uint8_t *plain = NULL;
	struct esf_etd etd;
	enum esf_datagram_verdict verdict;

	sealed[bit / 8] ^= (uint8_t)(1 << bit % 8);
	verdict = open_it(keyring, SITE, size + 16, &etd, &plain);
	assert(verdict == ESF_DATAGRAM_BAD_SEAL || verdict == ESF_DATAGRAM_UNKNOWN_KEY ||
	       verdict == ESF_DATAGRAM_MALFORMED);
	assert(plain == NULL);
}

/* Of the input itself, whoever sealed it. */
static void check_forged(const struct esf_seal_keyring *keyring, uint32_t size)
{
	const uint8_t *plain = NULL;
	struct esf_etd etd;
	enum esf_datagram_verdict verdict = open_it(keyring, 0, size, &etd, &plain);

	assert(verdict != ESF_DATAGRAM_ACCEPTED && plain == NULL);
}

static void check_sealed(const struct esf_seal_keyring *keyring, uint32_t size, uint16_t key)
{
	uint32_t where;
	struct esf_etd etd;
	bool valid;

	memset(bare + ESF_ETD_AT_KEY, 0, sizeof(key));
	bare[ESF_ETD_AT_FLAGS] &= (uint8_t)~ESF_ETD_SEALED;
	valid = esf_etd_parse(bare, size, &etd) == ESF_DATAGRAM_ACCEPTED;
	seal(size, key);
	if (esf_etd_parse(sealed, size + ESF_ETD_TAG_SIZE, &etd) != ESF_DATAGRAM_ACCEPTED) {
		assert(!valid); /* it is the header that is wrong */
		return;
	}
	memcpy(&where, bare + size - sizeof(where), sizeof(where));
	check_opens(keyring, size, valid);
	check_turned(keyring, size, where);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct esf_seal_keyring *keyring;
	uint16_t key;

	start();
	if (size < ESF_ETD_HEADER_SIZE || size + ESF_ETD_TAG_SIZE > ESF_DATAGRAM_MAX)
		return 0;
	memcpy(&key, data + ESF_ETD_AT_KEY, sizeof(key));
	if (key == 0)
		key = 1;
	keyring = make_keyring(key);
	memcpy(sealed, data, size);
	check_forged(keyring, (uint32_t)size);
	memcpy(bare, data, size);
	check_sealed(keyring, (uint32_t)size, key);
	esf_seal_keyring_destroy(keyring);
	return 0;
}

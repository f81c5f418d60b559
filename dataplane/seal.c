/* SPDX-License-Identifier: Apache-2.0 */
#include "seal.h"

#include <assert.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <intel-ipsec-mb.h>
#include <sodium.h>

#include "limits.h"

/* libipsec-mb's header aligns it only for those who define LINUX. */
struct expanded {
	_Alignas(ESF_CACHE_LINE) struct gcm_key_data data;
};

/* The ids of site s are ids[first[s]] to ids[first[s + 1] - 1]; keys beside them. */
struct esf_seal_keyring {
	uint32_t sites_count;
	uint32_t *first; /* sites_count + 1 */
	uint16_t *ids;
	struct expanded *keys;
};

struct esf_sealer {
	_Alignas(ESF_CACHE_LINE) struct gcm_context_data context;
	IMB_MGR *manager;
	_Alignas(ESF_CACHE_LINE) uint8_t plain[ESF_DATAGRAM_MAX];
};

static_assert(sizeof(struct expanded) % ESF_CACHE_LINE == 0, "sodium aligns the end, hence all");
static_assert(ESF_SEAL_KEY_SIZE == IMB_GCM_128_KEY_LEN, "AES-128");
static_assert(ESF_ETD_AT_STREAM + IMB_GCM_IV_DATA_LEN == ESF_ETD_AT_TIME, "bytes 12 to 23");
static_assert(ESF_ETD_TAG_SIZE == 2 * sizeof(uint64_t), "compared whole");

/* Layout of expanded keys and code that reads them both follow the processor: all managers agree.
 */
static int manager_create(IMB_MGR **out)
{
	IMB_ARCH arch = IMB_ARCH_NONE;
	IMB_MGR *manager = alloc_mb_mgr(0);

	if (manager == NULL)
		return -ENOMEM;
	init_mb_mgr_auto(manager, &arch);
	if (arch >= IMB_ARCH_SSE) {
		*out = manager;
		return 0;
	}
	free_mb_mgr(manager);
	return -ENOTSUP;
}

static int check_key(
    const struct esf_seal_keyring *keyring, uint32_t from, uint32_t end, uint16_t id)
{
	if (end - from == ESF_SITE_KEYS_MAX)
		return -E2BIG;
	for (uint32_t i = from; i < end; i++) {
		if (keyring->ids[i] == id)
			return -EEXIST;
	}
	return 0;
}

/* Makes first[s] the number of keys of the sites before s. */
static int count_keys(
    struct esf_seal_keyring *keyring, const struct esf_seal_key *keys, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		if (keys[i].id == 0 || keys[i].site >= keyring->sites_count)
			return -EINVAL;
		keyring->first[keys[i].site + 1]++;
	}
	for (uint32_t s = 0; s < keyring->sites_count; s++)
		keyring->first[s + 1] += keyring->first[s];
	return 0;
}

/* filled: keys placed so far, by site. */
static int place_keys(struct esf_seal_keyring *keyring, const struct esf_seal_key *keys,
    uint32_t count, uint32_t *filled, IMB_MGR *manager)
{
	for (uint32_t i = 0; i < count; i++) {
		uint32_t from = keyring->first[keys[i].site];
		uint32_t end = from + filled[keys[i].site]++;
		int result = check_key(keyring, from, end, keys[i].id);

		if (result != 0)
			return result;
		keyring->ids[end] = keys[i].id;
		IMB_AES128_GCM_PRE(manager, keys[i].bytes, &keyring->keys[end].data);
	}
	return 0;
}

static int fill(struct esf_seal_keyring *keyring, const struct esf_seal_key *keys, uint32_t count)
{
	uint32_t *filled = calloc((size_t)keyring->sites_count + 1, sizeof(*filled));
	IMB_MGR *manager = NULL;
	int result = filled == NULL ? -ENOMEM : manager_create(&manager);

	if (result == 0)
		result = count_keys(keyring, keys, count);
	if (result == 0)
		result = place_keys(keyring, keys, count, filled, manager);
	if (manager != NULL)
		free_mb_mgr(manager);
	free(filled);
	return result;
}

int esf_seal_keyring_create(const struct esf_seal_key *keys, uint32_t keys_count,
    uint32_t sites_count, struct esf_seal_keyring **out)
{
	struct esf_seal_keyring *keyring = calloc(1, sizeof(*keyring));
	int result = -ENOMEM;

	if (keyring == NULL || sodium_init() < 0) {
		free(keyring);
		return -ENOMEM;
	}
	keyring->sites_count = sites_count;
	keyring->first = calloc((size_t)sites_count + 1, sizeof(*keyring->first));
	keyring->ids = calloc((size_t)keys_count + 1, sizeof(*keyring->ids));
	keyring->keys = sodium_allocarray((size_t)keys_count + 1, sizeof(*keyring->keys));
	if (keyring->first != NULL && keyring->ids != NULL && keyring->keys != NULL)
		result = fill(keyring, keys, keys_count);
	if (result != 0) {
		esf_seal_keyring_destroy(keyring);
		return result;
	}
	/* A second line of defence: where it isn't to be had, the keys serve as well. */
	(void)sodium_mprotect_readonly(keyring->keys);
	*out = keyring;
	return 0;
}

void esf_seal_keyring_destroy(struct esf_seal_keyring *keyring)
{
	if (keyring == NULL)
		return;
	sodium_free(keyring->keys);
	free(keyring->ids);
	free(keyring->first);
	free(keyring);
}

int esf_sealer_create(struct esf_sealer **out)
{
	struct esf_sealer *sealer = aligned_alloc(ESF_CACHE_LINE, sizeof(*sealer));
	int result;

	if (sealer == NULL || sodium_init() < 0) {
		free(sealer);
		return -ENOMEM;
	}
	memset(sealer, 0, sizeof(*sealer));
	result = manager_create(&sealer->manager);
	if (result != 0) {
		free(sealer);
		return result;
	}
	*out = sealer;
	return 0;
}

void esf_sealer_destroy(struct esf_sealer *sealer)
{
	if (sealer == NULL)
		return;
	free_mb_mgr(sealer->manager);
	sodium_memzero(sealer, sizeof(*sealer));
	free(sealer);
}

static const struct expanded *find_key(
    const struct esf_seal_keyring *keyring, uint32_t site, uint16_t id)
{
	if (keyring == NULL || site >= keyring->sites_count)
		return NULL;
	for (uint32_t i = keyring->first[site]; i < keyring->first[site + 1]; i++) {
		if (keyring->ids[i] == id)
			return &keyring->keys[i];
	}
	return NULL;
}

/*
 * Folds all bytes before the one comparison, so that the time says nothing of how many agree; the
 * barrier keeps the compiler from comparing halves. libsodium's crypto_verify_16 took 15 ns more.
 */
static bool tags_agree(const uint8_t *got, const uint8_t *want)
{
	uint64_t a[2], b[2], difference;

	memcpy(a, got, sizeof(a));
	memcpy(b, want, sizeof(b));
	difference = (a[0] ^ b[0]) | (a[1] ^ b[1]);
	__asm__ volatile("" : "+r"(difference));
	return difference == 0;
}

enum esf_datagram_verdict esf_seal_open(struct esf_sealer *sealer,
    const struct esf_seal_keyring *keyring, uint32_t site, const struct esf_etd *etd,
    const uint8_t **plain)
{
	const struct expanded *key = find_key(keyring, site, etd->key);
	const uint8_t *header = etd->records - ESF_ETD_HEADER_SIZE;
	uint32_t size = etd->records_size - ESF_ETD_TAG_SIZE;
	uint8_t tag[ESF_ETD_TAG_SIZE];

	assert(etd->records_size >= ESF_ETD_TAG_SIZE && size <= ESF_DATAGRAM_MAX);
	if (key == NULL)
		return ESF_DATAGRAM_UNKNOWN_KEY;
	IMB_AES128_GCM_DEC(sealer->manager, &key->data, &sealer->context, sealer->plain,
	    etd->records, size, header + ESF_ETD_AT_STREAM, header, ESF_ETD_HEADER_SIZE, tag,
	    sizeof(tag));
	if (!tags_agree(tag, etd->records + size))
		return ESF_DATAGRAM_BAD_SEAL;
	*plain = sealer->plain;
	return ESF_DATAGRAM_ACCEPTED;
}

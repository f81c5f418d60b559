/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ESF_SEAL_H
#define ESF_SEAL_H

#include <stdint.h>

#include "etd.h"
#include "verdict.h"

/*
 * Opener of sealed ETD datagrams: AES-128-GCM as CONTRACT 2.1 lays it out (NIST SP 800-38D), by
 * libipsec-mb called directly.
 *
 * The nonce has the stream, key id, boot and seq, but not the site: two sites must never share a
 * key's bytes, nor a site give the same bytes two boots of one second.
 */
enum { ESF_SEAL_KEY_SIZE = 16 }; /* bytes */

/* A site's key as control has read it. */
struct esf_seal_key {
	uint32_t site; /* index */
	uint16_t id;   /* 1.. */
	uint8_t bytes[ESF_SEAL_KEY_SIZE];
};

/*
 * The keys of all sites, expanded, in memory that is read-only once made, left out of core dumps,
 * locked as far as the limits allow (RLIMIT_MEMLOCK), and wiped when destroyed. 1 KiB a key.
 * Control creates and, after a grace period, destroys it; any thread reads.
 */
struct esf_seal_keyring;

/*
 * keys: several a site (for rotation) with different ids, in any order; not kept, the caller wipes
 * them. 0, -EINVAL (an id of 0 or a site that is not below sites_count), -EEXIST (an id twice at a
 * site), -E2BIG (more than ESF_SITE_KEYS_MAX at a site), -ENOMEM, -ENOTSUP (the processor has no
 * AES instructions; tables in their place would tell the key by their timing).
 */
int esf_seal_keyring_create(const struct esf_seal_key *keys, uint32_t keys_count,
    uint32_t sites_count, struct esf_seal_keyring **out);
void esf_seal_keyring_destroy(struct esf_seal_keyring *keyring);

/* One shard's working memory; only its thread may use it. */
struct esf_sealer;

/* 0, -ENOMEM, -ENOTSUP as above. */
int esf_sealer_create(struct esf_sealer **out);
void esf_sealer_destroy(struct esf_sealer *sealer);

/*
 * Verifies and decrypts a sealed datagram that esf_etd_parse accepted and whose bytes are where
 * they were parsed. ESF_DATAGRAM_ACCEPTED with *plain pointing to records_size - ESF_ETD_TAG_SIZE
 * bytes, valid until the sealer's next call, for esf_etd_unseal; ESF_DATAGRAM_UNKNOWN_KEY or
 * ESF_DATAGRAM_BAD_SEAL with *plain untouched. keyring NULL: no site has keys. The tag is compared
 * in constant time. Allocates, locks and calls nothing of the system.
 */
enum esf_datagram_verdict esf_seal_open(struct esf_sealer *sealer,
    const struct esf_seal_keyring *keyring, uint32_t site, const struct esf_etd *etd,
    const uint8_t **plain);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ESF_CONFIG_SITE_H
#define ESF_CONFIG_SITE_H

#include "arena.h"
#include "config.h"
#include "index.h"

/* The nonce of a seal does not name the site: under one key the nonces of two sites repeat. */
#define ESF_SITE_KEY_SHARED                                                             \
	"two sites under one key repeat nonces, and who listens can forge seals: give " \
	"each its own"

/*
 * Finds the key's file, which stands beside the file at base, reads the key once, to say now what
 * is wrong with it, and forgets it. 0 with *other the site among hashes that has the same key, or
 * ESF_INDEX_NONE; else negative with the message.
 */
int esf_site_key_prove(struct esf_arena *arena, const char *base, struct esf_site_key *key,
    struct esf_index *hashes, uint32_t site, uint32_t *other, char *message, size_t size);

#endif

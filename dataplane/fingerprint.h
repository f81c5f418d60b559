/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ESF_FINGERPRINT_H
#define ESF_FINGERPRINT_H

#include <stdint.h>

#include "limits.h"

/*
 * A keyed 64-bit fingerprint of a text and a label, in two steps. NH (Black, Halevi, Krawczyk,
 * Krovetz, Rogaway, "UMAC", 1999), one multiplication for 16 bytes, makes 128 bits of the text:
 *   sum over pairs of words (m[2i] + k[2i]) x (m[2i+1] + k[2i+1]), words mod 2^64, sum mod 2^128
 * SipHash-1-3 makes 64 bits of those, the size and the label: what is seen of it tells nothing of
 * the sums.
 *
 * Two texts of one size have the same sum with a probability of at most 2^-64, whatever they are,
 * as long as the key is secret (theorem 4.2 there); texts of different sizes differ in the second
 * step's input. That one's outputs are alike with 2^-64. So two texts have the same fingerprint
 * with 2 / 2^64 at most.
 */
enum {
	ESF_FINGERPRINT_BLOCK = 16, /* bytes a multiplication takes */
	ESF_FINGERPRINT_WORDS =
	    2 * ((ESF_DATAGRAM_MAX + ESF_FINGERPRINT_BLOCK - 1) / ESF_FINGERPRINT_BLOCK),
};

/* As large as the longest text; what short ones need of it is at its start. */
struct esf_fingerprint_key {
	uint64_t sip[2];
	uint64_t words[ESF_FINGERPRINT_WORDS];
};

/* Expands 16 secret bytes. */
void esf_fingerprint_key_init(struct esf_fingerprint_key *key, const uint8_t secret[16]);

/* size: at most ESF_DATAGRAM_MAX. Nothing beyond the text is read. Any thread. */
uint64_t esf_fingerprint_of(
    const struct esf_fingerprint_key *key, uint32_t label, const char *text, uint32_t size);

#endif

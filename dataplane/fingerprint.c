/* SPDX-License-Identifier: Apache-2.0 */
#include "fingerprint.h"

#include <assert.h>
#include <string.h>

#include <sodium/crypto_shorthash.h>

struct sip {
	uint64_t a, b, c, d;
};

/* The secret under SipHash-2-4, in counter mode. */
void esf_fingerprint_key_init(struct esf_fingerprint_key *key, const uint8_t secret[16])
{
	static_assert(crypto_shorthash_KEYBYTES == 16 && crypto_shorthash_BYTES == sizeof(uint64_t),
	    "SipHash-2-4 makes 64 bits with a key of 128");

	for (uint64_t i = 0; i < 2 + ESF_FINGERPRINT_WORDS; i++) {
		uint64_t *word = i < 2 ? &key->sip[i] : &key->words[i - 2];

		crypto_shorthash(
		    (unsigned char *)word, (const unsigned char *)&i, sizeof(i), secret);
	}
}

static inline uint64_t rotated(uint64_t word, int count)
{
	return word << count | word >> (64 - count);
}

static inline void sip_round(struct sip *sip)
{
	sip->a += sip->b;
	sip->c += sip->d;
	sip->b = rotated(sip->b, 13) ^ sip->a;
	sip->d = rotated(sip->d, 16) ^ sip->c;
	sip->a = rotated(sip->a, 32) + sip->d;
	sip->c += sip->b;
	sip->b = rotated(sip->b, 17) ^ sip->c;
	sip->d = rotated(sip->d, 21) ^ sip->a;
	sip->c = rotated(sip->c, 32);
}

static inline void sip_take(struct sip *sip, uint64_t word)
{
	sip->d ^= word;
	sip_round(sip);
	sip->a ^= word;
}

/* SipHash-1-3 of 24 bytes, a size that never varies and so is left out. */
static inline uint64_t sip_of(const uint64_t key[2], uint64_t low, uint64_t high, uint64_t rest)
{
	struct sip sip = {
		.a = key[0] ^ UINT64_C(0x736f6d6570736575),
		.b = key[1] ^ UINT64_C(0x646f72616e646f6d),
		.c = key[0] ^ UINT64_C(0x6c7967656e657261),
		.d = key[1] ^ UINT64_C(0x7465646279746573),
	};

	sip_take(&sip, low);
	sip_take(&sip, high);
	sip_take(&sip, rest);
	sip.c ^= 0xff;
	sip_round(&sip);
	sip_round(&sip);
	sip_round(&sip);
	return sip.a ^ sip.b ^ sip.c ^ sip.d;
}

static inline unsigned __int128 product(const char *block, const uint64_t *words)
{
	uint64_t first, second;

	memcpy(&first, block, sizeof(first));
	memcpy(&second, block + sizeof(first), sizeof(second));
	return (unsigned __int128)(first + words[0]) * (second + words[1]);
}

/* The last block ends where the text does; bytes that it has in common with the one before do no
 * harm. */
static inline unsigned __int128 last_product(const char *text, uint32_t size, const uint64_t *words)
{
	char block[ESF_FINGERPRINT_BLOCK] = { 0 };

	if (size >= ESF_FINGERPRINT_BLOCK)
		return product(text + size - ESF_FINGERPRINT_BLOCK, words);
	memcpy(block, text, size);
	return product(block, words);
}

uint64_t esf_fingerprint_of(
    const struct esf_fingerprint_key *key, uint32_t label, const char *text, uint32_t size)
{
	const uint64_t *words = key->words;
	unsigned __int128 sum = 0;
	uint32_t at = 0;

	assert(size <= ESF_DATAGRAM_MAX);
	for (; size - at > ESF_FINGERPRINT_BLOCK; at += ESF_FINGERPRINT_BLOCK, words += 2)
		sum += product(text + at, words);
	sum += last_product(text, size, words);
	return sip_of(key->sip, (uint64_t)sum, (uint64_t)(sum >> 64), (uint64_t)size << 32 | label);
}

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ESF_PATTERNS_H
#define ESF_PATTERNS_H

#include <stddef.h>
#include <stdint.h>

/*
 * A list of regular expressions compiled into one Hyperscan database, of which the first listed
 * that matches is asked for: what name rules and signatures are made of. Immutable once created;
 * each thread that matches has its own scratch. Whether case counts is up to the pattern, (?i).
 */
enum {
	ESF_PATTERN_NONE = 0xffff, /* index of no pattern */
	ESF_PATTERNS_MAX = 0xffff, /* patterns in a list */
};

struct esf_patterns;

/*
 * Set-up. scratches: how many threads will match, each with its index. Returns 0, -ENOMEM, -E2BIG
 * (more than ESF_PATTERNS_MAX), or -EINVAL with *bad the index of the pattern that does not
 * compile and Hyperscan's own message (truncated to message_size) in message. count may be 0.
 */
int esf_patterns_create(const char *const *patterns, uint32_t count, uint32_t scratches,
    struct esf_patterns **out, uint32_t *bad, char *message, size_t message_size);
void esf_patterns_destroy(struct esf_patterns *patterns);

/* 0 when the pattern compiles, else -EINVAL with Hyperscan's message. Any thread. */
int esf_patterns_check(const char *pattern, char *message, size_t message_size);

uint32_t esf_patterns_count(const struct esf_patterns *patterns);

/*
 * Index of the first listed pattern that matches anywhere in the text, or ESF_PATTERN_NONE. Only
 * the thread that owns scratch. Nothing is allocated.
 */
uint16_t esf_patterns_match(
    const struct esf_patterns *patterns, uint32_t scratch, const char *text, uint32_t length);

/*
 * The compiled form as bytes, for the caller to free(), and back. It holds for one build of
 * Hyperscan and one kind of processor; which ones, and of which patterns it was made, is what
 * esf_patterns_digest tells. Hyperscan checks a checksum but trusts the bytes otherwise: they must
 * come from where only this program could have written them. 0, -ENOMEM, or -EINVAL (serialise: an
 * empty list; deserialise: what Hyperscan refuses).
 */
int esf_patterns_serialise(const struct esf_patterns *patterns, char **bytes, size_t *size);
int esf_patterns_deserialise(
    const char *bytes, size_t size, uint32_t count, uint32_t scratches, struct esf_patterns **out);

enum { ESF_PATTERNS_DIGEST = 32 }; /* bytes */

/* BLAKE2b of the patterns, how they are compiled, Hyperscan's version and the processor's kind. */
void esf_patterns_digest(
    const char *const *patterns, uint32_t count, uint8_t digest[ESF_PATTERNS_DIGEST]);

#endif

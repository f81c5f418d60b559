/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ESF_SIGNATURES_H
#define ESF_SIGNATURES_H

#include <stddef.h>
#include <stdint.h>

/*
 * Alarm signatures: from the text of a syslog message or an ETD event to what it means. A set is
 * compiled once with Hyperscan (off the packet path, by control) and immutable; the first listed
 * signature whose pattern matches wins. One scan a message.
 */
enum {
	ESF_SIGNATURES_MAX = 8192,
	ESF_SIGNATURE_CODE_MAX = 63,  /* bytes, without the terminator */
	ESF_SIGNATURE_AS_SENT = 0xff, /* severity, state: the message's own */
	/*
	 * Bytes of a text that are looked at, so that no message costs more than its share; what
	 * RFC 5424 asks receivers to accept. To a pattern, a longer text ends here.
	 */
	ESF_SIGNATURE_TEXT_MAX = 2048,
};

enum { ESF_NO_SIGNATURE = 0xffff }; /* index of no signature */

struct esf_signature {
	char code[ESF_SIGNATURE_CODE_MAX + 1];
	uint8_t severity; /* 0..7 as in syslog, or ESF_SIGNATURE_AS_SENT */
	uint8_t state;    /* enum esf_etd_state, or ESF_SIGNATURE_AS_SENT */
};

struct esf_patterns;
struct esf_signatures;

/*
 * A set of compiled patterns (patterns.h), signatures[i] for each; the signatures are copied, the
 * patterns belong to the set from now on. 0, or -ENOMEM or -E2BIG (more than ESF_SIGNATURES_MAX)
 * with the patterns still the caller's.
 */
int esf_signatures_adopt(struct esf_patterns *patterns, const struct esf_signature *signatures,
    struct esf_signatures **out);
void esf_signatures_destroy(struct esf_signatures *set);

/*
 * Index of the first listed signature that matches, or ESF_NO_SIGNATURE. Only the thread that owns
 * scratch. Nothing is allocated.
 */
uint16_t esf_signatures_match(
    const struct esf_signatures *set, uint32_t scratch, const char *text, uint32_t length);

uint32_t esf_signatures_count(const struct esf_signatures *set);
const struct esf_signature *esf_signatures_at(const struct esf_signatures *set, uint16_t index);

#endif

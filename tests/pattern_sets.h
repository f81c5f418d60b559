/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ESF_TESTS_PATTERN_SETS_H
#define ESF_TESTS_PATTERN_SETS_H

/* Rule sets and signatures straight from patterns: what control does by way of its cache. Results
 * as esf_patterns_create's. */

#include "dataplane/names.h"
#include "dataplane/patterns.h"
#include "dataplane/signatures.h"

static inline int ruleset_create(const char *const *patterns, const struct esf_rule *rules,
    uint32_t count, uint32_t scratches, struct esf_ruleset **out, uint32_t *bad, char *message,
    size_t message_size)
{
	struct esf_patterns *compiled;
	int result =
	    esf_patterns_create(patterns, count, scratches, &compiled, bad, message, message_size);

	return result == 0 ? esf_ruleset_adopt(compiled, rules, out) : result;
}

static inline int signatures_create(const char *const *patterns,
    const struct esf_signature *signatures, uint32_t count, uint32_t scratches,
    struct esf_signatures **out, uint32_t *bad, char *message, size_t message_size)
{
	struct esf_patterns *compiled;
	int result =
	    esf_patterns_create(patterns, count, scratches, &compiled, bad, message, message_size);

	return result == 0 ? esf_signatures_adopt(compiled, signatures, out) : result;
}

#endif

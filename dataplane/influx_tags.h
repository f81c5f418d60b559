/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ESF_INFLUX_TAGS_H
#define ESF_INFLUX_TAGS_H

#include <stdbool.h>

#include "influx.h"

/* The tag keys of one line, to see that none comes twice. Owned by the parser; nothing is
 * allocated. */
struct esf_influx_tags {
	struct esf_span keys[ESF_INFLUX_FIELDS_MAX]; /* as written, escapes included */
	uint32_t count;
	bool sorted; /* strictly ascending so far, which is how senders are told to write them */
};

void esf_influx_tags_clear(struct esf_influx_tags *tags);

/* False when there are too many, or the key equals the one before. */
bool esf_influx_tags_add(struct esf_influx_tags *tags, struct esf_span key);

/* True when no two keys are equal. Reorders them; n log n comparisons unless they came sorted. */
bool esf_influx_tags_differ(struct esf_influx_tags *tags);

#endif

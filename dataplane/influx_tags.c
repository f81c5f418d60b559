/* SPDX-License-Identifier: Apache-2.0 */
#include "influx_tags.h"

#include <assert.h>
#include <string.h>

/* A tag takes four bytes at least, so the bound on fields holds for tags as well. */
static_assert(ESF_INFLUX_FIELDS_MAX >= ESF_DATAGRAM_MAX / 4, "a datagram may hold more tags");

void esf_influx_tags_clear(struct esf_influx_tags *tags)
{
	tags->count = 0;
	tags->sorted = true;
}

static int compare(struct esf_span a, struct esf_span b)
{
	uint32_t common = a.length < b.length ? a.length : b.length;
	int order = memcmp(a.at, b.at, common);

	return order != 0 ? order : (a.length > b.length) - (a.length < b.length);
}

bool esf_influx_tags_add(struct esf_influx_tags *tags, struct esf_span key)
{
	if (tags->count == ESF_INFLUX_FIELDS_MAX)
		return false;
	if (tags->count > 0 && tags->sorted) {
		int order = compare(tags->keys[tags->count - 1], key);

		if (order == 0)
			return false;
		tags->sorted = order < 0;
	}
	tags->keys[tags->count++] = key;
	return true;
}

/* Moves key down from the root of the heap of count keys to where no child is greater. */
static void sift(struct esf_span *keys, uint32_t root, uint32_t count)
{
	struct esf_span key = keys[root];

	for (uint32_t child = 2 * root + 1; child < count; child = 2 * root + 1) {
		if (child + 1 < count && compare(keys[child], keys[child + 1]) < 0)
			child++;
		if (compare(keys[child], key) <= 0)
			break;
		keys[root] = keys[child];
		root = child;
	}
	keys[root] = key;
}

/* Heapsort: in place, without recursion, and no order of tags makes it slow. */
static void sort(struct esf_span *keys, uint32_t count)
{
	for (uint32_t root = count / 2; root-- > 0;)
		sift(keys, root, count);
	for (uint32_t last = count; last-- > 1;) {
		struct esf_span greatest = keys[0];

		keys[0] = keys[last];
		keys[last] = greatest;
		sift(keys, 0, last);
	}
}

bool esf_influx_tags_differ(struct esf_influx_tags *tags)
{
	if (tags->sorted)
		return true;
	sort(tags->keys, tags->count);
	for (uint32_t i = 1; i < tags->count; i++) {
		if (compare(tags->keys[i - 1], tags->keys[i]) == 0)
			return false;
	}
	return true;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "waits.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int esf_waits_create(struct esf_waits *waits, uint32_t capacity)
{
	*waits = (struct esf_waits){ .capacity = capacity };
	if (capacity == 0 || (capacity & (capacity - 1)) != 0)
		return -EINVAL;
	waits->ring = malloc(capacity * sizeof(*waits->ring));
	if (waits->ring == NULL)
		return -ENOMEM;
	memset(waits->ring, 0, capacity * sizeof(*waits->ring)); /* its pages are there now */
	return 0;
}

void esf_waits_destroy(struct esf_waits *waits)
{
	free(waits->ring);
	waits->ring = NULL;
}

static struct esf_wait *entry_at(struct esf_waits *waits, uint32_t index)
{
	return &waits->ring[index & (waits->capacity - 1)];
}

bool esf_waits_add(struct esf_waits *waits, int64_t sent, int64_t after, uint32_t count)
{
	if (waits->next - waits->first == waits->capacity)
		return false;
	*entry_at(waits, waits->next++) =
	    (struct esf_wait){ .sent = sent, .after = after, .count = count };
	waits->datagrams += count;
	return true;
}

bool esf_waits_publish(struct esf_waits *waits, int64_t settled, int64_t seen)
{
	if (waits->next_publication - waits->first_publication == ESF_WAITS_PUBLICATIONS_MAX)
		return false;
	waits->publications[waits->next_publication++ % ESF_WAITS_PUBLICATIONS_MAX] =
	    (struct esf_publication){ .settled = settled, .seen = seen };
	return true;
}

uint64_t esf_waits_retire(struct esf_waits *waits, uint32_t budget, struct esf_histogram *histogram)
{
	uint64_t before_sent = 0;

	while (waits->first_publication != waits->next_publication && budget-- > 0) {
		const struct esf_publication *publication =
		    &waits->publications[waits->first_publication % ESF_WAITS_PUBLICATIONS_MAX];
		const struct esf_wait *wait = entry_at(waits, waits->first);
		int64_t ns;

		if (waits->first == waits->next || wait->after >= publication->settled) {
			waits->first_publication++;
			continue;
		}
		ns = publication->seen - wait->sent;
		before_sent += ns < 0 ? wait->count : 0;
		esf_histogram_add(histogram, ns < 0 ? 0 : (uint64_t)ns, wait->count);
		waits->datagrams -= wait->count;
		waits->first++;
	}
	return before_sent;
}

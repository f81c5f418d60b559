/* SPDX-License-Identifier: Apache-2.0 */
#include "control/api/podium.h"

#include <errno.h>
#include <stdlib.h>

/* Negative where a comes before b. */
static int compare(const void *a, const void *b)
{
	const struct esf_podium_row *left = a, *right = b;

	if (left->key != right->key)
		return left->key > right->key ? -1 : 1;
	if (left->tie != right->tie)
		return left->tie > right->tie ? -1 : 1;
	if (left->id != right->id)
		return left->id - 1 < right->id - 1 ? -1 : 1;
	if (left->site != right->site)
		return left->site < right->site ? -1 : 1;
	return (left->kpi > right->kpi) - (left->kpi < right->kpi);
}

int esf_podium_start(struct esf_podium *podium, uint32_t limit)
{
	*podium = (struct esf_podium){ .limit = limit };
	podium->rows = malloc(limit * sizeof(*podium->rows));
	return podium->rows == NULL ? -ENOMEM : 0;
}

/* Moves the row up from a free place, past those that come before it. */
static void rise(struct esf_podium *podium, uint32_t at, const struct esf_podium_row *row)
{
	while (at > 0 && compare(&podium->rows[(at - 1) / 2], row) < 0) {
		podium->rows[at] = podium->rows[(at - 1) / 2];
		at = (at - 1) / 2;
	}
	podium->rows[at] = *row;
}

/* Puts the row in the place of the first, and moves it down past those that come behind it. */
static void sink(struct esf_podium *podium, const struct esf_podium_row *row)
{
	uint32_t at = 0, child;

	while ((child = 2 * at + 1) < podium->count) {
		if (child + 1 < podium->count &&
		    compare(&podium->rows[child], &podium->rows[child + 1]) < 0)
			child++;
		if (compare(row, &podium->rows[child]) >= 0)
			break;
		podium->rows[at] = podium->rows[child];
		at = child;
	}
	podium->rows[at] = *row;
}

void esf_podium_offer(struct esf_podium *podium, const struct esf_podium_row *row)
{
	podium->offered++;
	if (podium->count < podium->limit)
		rise(podium, podium->count++, row);
	else if (compare(row, &podium->rows[0]) < 0)
		sink(podium, row);
}

void esf_podium_end(struct esf_podium *podium)
{
	qsort(podium->rows, podium->count, sizeof(*podium->rows), compare);
}

void esf_podium_free(struct esf_podium *podium)
{
	free(podium->rows);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "unmapped.h"

/* The name's place, where it is given one if there is room. */
static uint8_t find_place(struct esf_unmapped_counts *counts, uint32_t name)
{
	uint32_t place = 0;

	if (name == 0)
		return ESF_UNMAPPED_MORE;
	while (place < counts->count && counts->names[place] != name)
		place++;
	if (place == counts->count && place < ESF_UNMAPPED_NAMES_MAX)
		counts->names[counts->count++] = name;
	return (uint8_t)place;
}

uint8_t esf_unmapped_count(struct esf_unmapped *table, uint32_t name, uint8_t hint)
{
	struct esf_unmapped_counts *counts = &table->counts;
	bool is_right =
	    hint == ESF_UNMAPPED_MORE || (hint < counts->count && counts->names[hint] == name);
	uint8_t place = is_right ? hint : find_place(counts, name);

	if (place == ESF_UNMAPPED_MORE)
		counts->more++;
	else
		counts->records[place]++;
	table->changed = true;
	return place;
}

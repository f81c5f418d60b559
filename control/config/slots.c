/* SPDX-License-Identifier: Apache-2.0 */
#include "slots.h"

#include <errno.h>

#include "dataplane/directory.h"
#include "file.h"

static int assign(const struct esf_config *running, const struct esf_index *ids,
    struct esf_config *next, esf_slot_fn *fresh, void *context)
{
	next->slots_count = esf_config_slots_count(running);
	for (uint32_t i = 0; i < next->sites_count; i++) {
		const struct esf_site_config *site = &next->sites[i];
		uint32_t former = esf_index_find(ids, &site->id, sizeof(site->id));
		uint32_t slot = former == ESF_INDEX_NONE ? fresh(context, site)
		                                         : esf_config_slot(running, former);

		if (slot == ESF_NO_SITE)
			return -ENOSPC;
		next->slots[i] = slot;
		if (slot >= next->slots_count)
			next->slots_count = slot + 1;
	}
	return 0;
}

int esf_slots_assign(
    const struct esf_config *running, struct esf_config *next, esf_slot_fn *fresh, void *context)
{
	struct esf_file *file = (struct esf_file *)next; /* config is its first member */
	struct esf_arena arena = { 0 };
	struct esf_index ids;
	int rc = -ENOMEM;

	next->slots = esf_arena_alloc(&file->arena, next->sites_count * sizeof(*next->slots));
	esf_index_create(&ids, &arena, running->sites_count);
	for (uint32_t i = 0; i < running->sites_count; i++)
		esf_index_add(&ids, &running->sites[i].id, sizeof(running->sites[i].id), i);
	if (next->slots != NULL && !arena.exhausted)
		rc = assign(running, &ids, next, fresh, context);
	esf_arena_free(&arena);
	return rc;
}

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ESF_CONFIG_ARENA_H
#define ESF_CONFIG_ARENA_H

#include <stdbool.h>
#include <stddef.h>

/* Memory of one configuration: taken piece by piece while loading, given back at once. One thread.
 */
struct esf_arena {
	struct esf_arena_chunk *chunks;
	bool exhausted; /* an allocation failed: the load ends with -ENOMEM */
};

/* Zeroed, aligned for any type; NULL when out of memory, which exhausted then tells. */
void *esf_arena_alloc(struct esf_arena *arena, size_t size);
char *esf_arena_text(struct esf_arena *arena, const char *text);
void esf_arena_free(struct esf_arena *arena);

#endif

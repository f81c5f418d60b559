/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ESF_CONFIG_SOURCE_H
#define ESF_CONFIG_SOURCE_H

#include <stdbool.h>
#include <stddef.h>

#include "arena.h"

/* The files that a configuration is made of. Any thread. */

/*
 * Reads a file of at most 1 GiB to its end. regular: anything else is -EINVAL at once, as the name
 * may be a pipe that nobody writes to. 0 with *data to be freed, which has room for one byte more;
 * or -errno.
 */
int esf_source_read(const char *path, bool regular, char **data, size_t *size);

/* file as named in the file at base: it stands beside that unless its path is absolute. NULL when
 * out of memory. */
char *esf_source_beside(struct esf_arena *arena, const char *base, const char *file);

#endif

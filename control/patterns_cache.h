/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ESF_CONTROL_PATTERNS_CACHE_H
#define ESF_CONTROL_PATTERNS_CACHE_H

#include <stddef.h>
#include <stdint.h>

#include "dataplane/patterns.h"

/*
 * Compiled patterns kept in a file from one start to the next, as 3000 take about a second to
 * compile. One file a list, overwritten when the list changes. Control only.
 *
 *   magic "ESFPAT01" · digest of the patterns and of what compiled them (esf_patterns_digest) ·
 *   BLAKE2b of the bytes · the bytes
 *
 * What is in the file is run, not just read, so it is only trusted where nobody else could have
 * written it: a regular file, no symbolic link, of this process's user or root, writable by no
 * group and no others. Anything else (missing, of another list, version or processor, cut,
 * damaged) is ignored: the list is compiled and the file written anew, whole or not at all.
 */
enum esf_patterns_cache_use {
	ESF_PATTERNS_CACHE_UNUSED,  /* no path, or an empty list */
	ESF_PATTERNS_CACHE_LOADED,  /* taken from the file */
	ESF_PATTERNS_CACHE_WRITTEN, /* compiled and written */
	ESF_PATTERNS_CACHE_FAILED,  /* compiled, but the file could not be written */
};

/*
 * As esf_patterns_create, which this is where path is NULL. A file that cannot be written is no
 * error: *use tells.
 */
int esf_patterns_cache_create(const char *path, const char *const *patterns, uint32_t count,
    uint32_t scratches, struct esf_patterns **out, enum esf_patterns_cache_use *use, uint32_t *bad,
    char *message, size_t message_size);

#endif

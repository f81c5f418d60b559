/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ESF_RESERVE_H
#define ESF_RESERVE_H

#include <stddef.h>

/*
 * Address space that the kernel backs with zeroed memory as it is first touched, so that a bound
 * may be generous. Large ones begin on a huge page and ask for such: the state of a million sites
 * is walked in the order in which they happen to send, and with 4 KiB pages nearly every step of
 * that missed the TLB as well.
 */

/* Aligned to a page at least. NULL when address space is not to be had. Any thread. */
void *esf_reserve(size_t size);

/* The same on ordinary pages, for what is touched here and there and lies far apart. */
void *esf_reserve_plain(size_t size);

/* memory: by esf_reserve(size) or esf_reserve_plain(size), or NULL. */
void esf_reserve_free(void *memory, size_t size);

#endif

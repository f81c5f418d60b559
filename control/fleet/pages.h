/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ESF_PAGES_H
#define ESF_PAGES_H

#include <stddef.h>

/*
 * Memory in hundreds of megabytes, as a million sites make of a view each second: where it is large
 * the kernel is asked for huge pages, as a fault for each 4 KiB would take longer than the work
 * done in them. Any thread; given back by free().
 */

/* Not zeroed. NULL when out of memory. */
void *esf_pages_alloc(size_t size);
void *esf_pages_zeroed(size_t size);

#endif

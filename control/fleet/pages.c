/* SPDX-License-Identifier: Apache-2.0 */
#include "control/fleet/pages.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { HUGE_PAGE = 2 << 20, LARGE = 2 * HUGE_PAGE };

void *esf_pages_alloc(size_t size)
{
	size_t whole = (size + HUGE_PAGE - 1) / HUGE_PAGE * HUGE_PAGE;
	void *memory;

	if (size < LARGE)
		return malloc(size);
	memory = aligned_alloc(HUGE_PAGE, whole);
	if (memory != NULL)
		madvise(memory, whole, MADV_HUGEPAGE); /* else it is slower, and no worse */
	return memory;
}

void *esf_pages_zeroed(size_t size)
{
	void *memory;

	if (size < LARGE)
		return calloc(1, size);
	memory = esf_pages_alloc(size);
	return memory == NULL ? NULL : memset(memory, 0, size);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "reserve.h"

#include <stdint.h>
#include <sys/mman.h>

enum { HUGE_PAGE_SIZE = 2 << 20, LARGE_SIZE = 4 * HUGE_PAGE_SIZE };

static void *map(size_t size)
{
	void *memory = mmap(
	    NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	return memory == MAP_FAILED ? NULL : memory;
}

/* Maps a huge page more than is asked for, and gives back what lies before and behind. */
static void *map_aligned(size_t size)
{
	uint8_t *memory = map(size + HUGE_PAGE_SIZE);
	size_t before;

	if (memory == NULL)
		return NULL;
	before = -(uintptr_t)memory & (HUGE_PAGE_SIZE - 1);
	if (before > 0)
		munmap(memory, before);
	if (before < HUGE_PAGE_SIZE)
		munmap(memory + before + size, HUGE_PAGE_SIZE - before);
	return memory + before;
}

static size_t whole_pages(size_t size)
{
	size_t page = size < LARGE_SIZE ? 4096 : HUGE_PAGE_SIZE;

	return size == 0 ? page : (size + page - 1) / page * page;
}

void *esf_reserve(size_t size)
{
	size_t whole = whole_pages(size);
	void *memory;

	if (size < LARGE_SIZE)
		return map(whole);
	memory = map_aligned(whole);
	if (memory != NULL)
		madvise(memory, whole, MADV_HUGEPAGE); /* where there are none it stays as it is */
	return memory;
}

void *esf_reserve_plain(size_t size)
{
	size_t whole = whole_pages(size);
	void *memory = map(whole);

	if (memory != NULL)
		madvise(memory, whole, MADV_NOHUGEPAGE);
	return memory;
}

void esf_reserve_free(void *memory, size_t size)
{
	if (memory != NULL)
		munmap(memory, whole_pages(size));
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/checksum.h"

#include <sys/mman.h>
#include <unistd.h>

#include <CUnit/CUnit.h>

#include "frame_bytes.h"
#include "suites.h"

enum { SIZES = 600 };

static uint64_t state = 1;

static uint64_t some_word(void)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state;
}

/* One word after the other, as the header says it: the carry comes back in at the bottom. */
static uint64_t plain_sum(uint64_t sum, const uint8_t *data, uint32_t size)
{
	for (uint32_t i = 0; i < size; i += 8) {
		uint64_t word = esf_checksum_load(data + i);

		sum += word;
		sum += sum < word;
	}
	return sum;
}

static void check_right(uint64_t sum)
{
	bool want = esf_checksum_fold(sum) == 0xffff;

	CU_ASSERT_EQUAL(esf_checksum_is_right(sum), want);
	CU_ASSERT_EQUAL(want, sum != 0 && sum % 0xffff == 0);
}

static void sum_is_right_where_it_folds_to_ones(void)
{
	const uint64_t last = UINT64_MAX / 0xffff; /* 65535 times this is all ones */

	for (int64_t off = -70000; off <= 70000; off++) {
		check_right((uint64_t)off);
		check_right((uint64_t)off + (UINT64_C(1) << 32));
		check_right((uint64_t)off + (UINT64_C(1) << 63));
		check_right(last + (uint64_t)off);
	}
	for (uint64_t i = 0; i < 1000; i++) {
		check_right(i * 0xffff);
		check_right((last - i) * 0xffff);
		check_right((last - i) * 0xffff - 1);
	}
	for (uint32_t i = 0; i < 300000; i++) {
		uint64_t multiple = some_word() % (last + 1) * 0xffff;

		check_right(some_word());
		check_right(multiple);
		check_right(multiple + 1 + some_word() % 0xfffe);
		check_right(some_word() >> some_word() % 64);
	}
}

static void two_words_are_added_with_both_carries(void)
{
	static const uint64_t words[] = { 0, 1, 2, UINT64_C(1) << 63, UINT64_MAX - 1, UINT64_MAX };
	const uint32_t count = sizeof(words) / sizeof(words[0]);

	for (uint32_t i = 0; i < count * count * count; i++) {
		uint64_t sum = words[i % count];
		uint64_t two[2] = { words[i / count % count], words[i / count / count] };
		uint64_t got = esf_checksum_add_two(sum, two[0], two[1]);

		CU_ASSERT_EQUAL(esf_checksum_fold(got),
		    esf_checksum_fold(plain_sum(sum, (const uint8_t *)two, sizeof(two))));
	}
}

static void fill(uint8_t *data, uint32_t size, uint32_t kind)
{
	for (uint32_t i = 0; i < size; i++)
		data[i] = kind == 0 ? 0xff : kind == 1 ? 0 : (uint8_t)some_word();
}

/* At both ends of a page between two that may not be touched, so that no byte more is read. */
static void check_sums(uint8_t *page, uint32_t page_size, uint32_t size, uint32_t kind)
{
	static const uint64_t seeds[] = { 0, 1, 0x1234, UINT32_MAX, UINT64_MAX };

	for (uint32_t i = 0; i < 2 * sizeof(seeds) / sizeof(seeds[0]); i++) {
		uint8_t *data = i % 2 == 0 ? page : page + page_size - size;
		uint64_t seed = seeds[i / 2];
		unsigned start = esf_checksum_fold(seed), want;

		fill(data, size, kind);
		want = reference_sum(data, size, (uint16_t)(start << 8 | start >> 8));
		CU_ASSERT_EQUAL(
		    be16toh(esf_checksum_fold(esf_checksum_add(seed, data, size))), want);
		if (size % 8 == 0 && size < ESF_CHECKSUM_LONG)
			CU_ASSERT_EQUAL(esf_checksum_fold(esf_checksum_add_words(
			                    seed, data - 24, size + 24, size)),
			    esf_checksum_fold(plain_sum(seed, data, size)));
	}
}

static void sum_reads_its_bytes_only_and_loses_no_carry(void)
{
	uint32_t page_size = (uint32_t)sysconf(_SC_PAGESIZE);
	uint8_t *pages =
	    mmap(NULL, 3 * (size_t)page_size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	CU_ASSERT_PTR_NOT_EQUAL_FATAL(pages, MAP_FAILED);
	CU_ASSERT_EQUAL_FATAL(mprotect(pages + page_size, page_size, PROT_READ | PROT_WRITE), 0);
	for (uint32_t size = 0; size < SIZES; size++)
		for (uint32_t kind = 0; kind < 3; kind++)
			check_sums(pages + page_size, page_size, size, kind);
	munmap(pages, 3 * (size_t)page_size);
}

static void sum_equals_the_reference_at_every_size_and_seed(void)
{
	static const unsigned seeds[] = { 0, 1, 0x1234, 0xffff, 0x12345 };
	uint8_t data[SIZES + 1];

	for (uint32_t size = 0; size < SIZES; size++) {
		fill(data, size + 1, 2);
		for (unsigned s = 0; s < 5; s++)
			CU_ASSERT_EQUAL(esf_checksum(data + 1, size, seeds[s]),
			    reference_sum(data + 1, size, add_carry(0, seeds[s])));
	}
}

void esf_suite_checksum(void)
{
	CU_pSuite suite = CU_add_suite("checksum", NULL, NULL);

#define ADD(test) CU_add_test(suite, #test, test)
	ADD(sum_is_right_where_it_folds_to_ones);
	ADD(two_words_are_added_with_both_carries);
	ADD(sum_reads_its_bytes_only_and_loses_no_carry);
	ADD(sum_equals_the_reference_at_every_size_and_seed);
#undef ADD
}

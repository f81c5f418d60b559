/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/fingerprint.h"

#include <stdlib.h>
#include <string.h>

#include <CUnit/CUnit.h>

#include "suites.h"

enum { LABEL = 7, SIZES_TRIED = 100 };

static const uint8_t secret[16] = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16 };
static struct esf_fingerprint_key key;

static int set_up(void)
{
	esf_fingerprint_key_init(&key, secret);
	return 0;
}

/* A block of its own, so that the sanitizer sees every read beyond the text. */
static char *make_text(uint32_t size)
{
	char *text = malloc(size > 0 ? size : 1);

	for (uint32_t i = 0; i < size; i++)
		text[i] = (char)(i * 31 + 5);
	return text;
}

/* Made by tests/data/fingerprint.py. */
static void fingerprints_are_as_defined(void)
{
	static const struct {
		uint32_t size;
		uint64_t fingerprint;
	} cases[] = {
		{ 0, UINT64_C(0x78415dd41d05e690) },
		{ 1, UINT64_C(0xde8f0449265c05a8) },
		{ 7, UINT64_C(0x7720637a7457d2e8) },
		{ 8, UINT64_C(0x18c588e8d9eab8ff) },
		{ 15, UINT64_C(0xf3319b05c280f87c) },
		{ 16, UINT64_C(0xf41ca365f6cb0741) },
		{ 17, UINT64_C(0x3ded7480cc13fd87) },
		{ 31, UINT64_C(0x107be9addaef026d) },
		{ 32, UINT64_C(0x6ae207343bbf2efc) },
		{ 33, UINT64_C(0x4badaa8515adf74f) },
		{ 68, UINT64_C(0x11b946fcbfdfb1a5) },
		{ 1000, UINT64_C(0x6f8709bb82d7e269) },
		{ 65507, UINT64_C(0x7aa021cb48f6ae70) },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char *text = make_text(cases[i].size);

		CU_ASSERT_EQUAL(
		    esf_fingerprint_of(&key, LABEL, text, cases[i].size), cases[i].fingerprint);
		free(text);
	}
}

static void every_byte_and_the_label_count(void)
{
	for (uint32_t size = 0; size < SIZES_TRIED; size++) {
		char *text = make_text(size);
		uint64_t before = esf_fingerprint_of(&key, LABEL, text, size);

		CU_ASSERT_NOT_EQUAL(esf_fingerprint_of(&key, LABEL + 1, text, size), before);
		for (uint32_t i = 0; i < size; i++) {
			text[i] ^= 1;
			CU_ASSERT_NOT_EQUAL(esf_fingerprint_of(&key, LABEL, text, size), before);
			text[i] ^= 1;
		}
		CU_ASSERT_EQUAL(esf_fingerprint_of(&key, LABEL, text, size), before);
		free(text);
	}
}

/* What is filled up with zeros to a block is not the same as zeros. */
static void texts_of_zeros_differ_by_their_size(void)
{
	static const char zeros[SIZES_TRIED];
	uint64_t seen[SIZES_TRIED];

	for (uint32_t size = 0; size < SIZES_TRIED; size++) {
		seen[size] = esf_fingerprint_of(&key, LABEL, zeros, size);
		for (uint32_t i = 0; i < size; i++)
			CU_ASSERT_NOT_EQUAL(seen[i], seen[size]);
	}
}

static void where_a_text_lies_does_not_matter(void)
{
	char *text = make_text(SIZES_TRIED);
	uint64_t fingerprint = esf_fingerprint_of(&key, LABEL, text, SIZES_TRIED);

	for (uint32_t shift = 1; shift < 32; shift++) {
		char *moved = malloc(SIZES_TRIED + shift);

		memcpy(moved + shift, text, SIZES_TRIED);
		CU_ASSERT_EQUAL(
		    esf_fingerprint_of(&key, LABEL, moved + shift, SIZES_TRIED), fingerprint);
		free(moved);
	}
	free(text);
}

#define ADD(test) CU_add_test(suite, #test, test)

void esf_suite_fingerprint(void)
{
	CU_pSuite suite = CU_add_suite("fingerprint", set_up, NULL);

	ADD(fingerprints_are_as_defined);
	ADD(every_byte_and_the_label_count);
	ADD(texts_of_zeros_differ_by_their_size);
	ADD(where_a_text_lies_does_not_matter);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "control/patterns_cache.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <CUnit/CUnit.h>

#include "suites.h"

static const char *const patterns[] = { "ground fault", "(?i)overcurrent" };
static const char *const others[] = { "ground fault", "overcurrent" };

static char folder[64];
static char path[128];

static int set_up(void)
{
	snprintf(folder, sizeof(folder), "/tmp/esf-cache-XXXXXX");
	if (mkdtemp(folder) == NULL)
		return 1;
	snprintf(path, sizeof(path), "%s/patterns", folder);
	return 0;
}

static int clean_up(void)
{
	unlink(path);
	return rmdir(folder); /* fails where something was left behind */
}

/* Gets the list through the cache, checks that it matches, and tells how it was come by. */
static enum esf_patterns_cache_use use_list(const char *at, const char *const *list)
{
	enum esf_patterns_cache_use use;
	struct esf_patterns *set = NULL;
	char message[128];
	uint32_t bad;

	CU_ASSERT_EQUAL_FATAL(
	    esf_patterns_cache_create(at, list, 2, 2, &set, &use, &bad, message, sizeof(message)),
	    0);
	CU_ASSERT_EQUAL(esf_patterns_count(set), 2);
	CU_ASSERT_EQUAL(esf_patterns_match(set, 1, "overcurrent", 11), 1);
	CU_ASSERT_EQUAL(esf_patterns_match(set, 0, "a ground fault", 14), 0);
	CU_ASSERT_EQUAL(esf_patterns_match(set, 0, "nothing", 7), ESF_PATTERN_NONE);
	CU_ASSERT_EQUAL(
	    esf_patterns_match(set, 0, "OVERCURRENT", 11), list == patterns ? 1 : ESF_PATTERN_NONE);
	esf_patterns_destroy(set);
	return use;
}

static void written_once_and_loaded_then(void)
{
	struct stat status;

	unlink(path);
	CU_ASSERT_EQUAL(use_list(path, patterns), ESF_PATTERNS_CACHE_WRITTEN);
	CU_ASSERT_EQUAL(use_list(path, patterns), ESF_PATTERNS_CACHE_LOADED);
	CU_ASSERT_EQUAL(stat(path, &status), 0);
	CU_ASSERT_EQUAL(status.st_mode & 0777, 0600);
}

static void another_list_is_compiled_and_takes_its_place(void)
{
	CU_ASSERT_EQUAL(use_list(path, patterns), ESF_PATTERNS_CACHE_LOADED);
	CU_ASSERT_EQUAL(use_list(path, others), ESF_PATTERNS_CACHE_WRITTEN);
	CU_ASSERT_EQUAL(use_list(path, others), ESF_PATTERNS_CACHE_LOADED);
	CU_ASSERT_EQUAL(use_list(path, patterns), ESF_PATTERNS_CACHE_WRITTEN);
}

static void flip_byte(long at)
{
	FILE *file = fopen(path, "r+b");
	int byte;

	CU_ASSERT_PTR_NOT_NULL_FATAL(file);
	fseek(file, at, at < 0 ? SEEK_END : SEEK_SET);
	byte = fgetc(file);
	fseek(file, -1, SEEK_CUR);
	fputc(byte ^ 1, file);
	fclose(file);
}

static void damaged_file_is_ignored_and_replaced(void)
{
	static const long places[] = { 0, 8, 8 + 32, 8 + 32 + 32, 600, -1 };
	struct stat status;

	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		flip_byte(places[i]);
		CU_ASSERT_EQUAL(use_list(path, patterns), ESF_PATTERNS_CACHE_WRITTEN);
		CU_ASSERT_EQUAL(use_list(path, patterns), ESF_PATTERNS_CACHE_LOADED);
	}
	CU_ASSERT_EQUAL_FATAL(stat(path, &status), 0);
	for (off_t size = 0; size < status.st_size; size += size < 80 ? 1 : 997) {
		CU_ASSERT_EQUAL(truncate(path, size), 0);
		CU_ASSERT_EQUAL(use_list(path, patterns), ESF_PATTERNS_CACHE_WRITTEN);
	}
}

static void file_that_others_may_write_is_not_trusted(void)
{
	char real[sizeof(path) + 8];

	CU_ASSERT_EQUAL(chmod(path, 0620), 0);
	CU_ASSERT_EQUAL(use_list(path, patterns), ESF_PATTERNS_CACHE_WRITTEN);
	CU_ASSERT_EQUAL(chmod(path, 0602), 0);
	CU_ASSERT_EQUAL(use_list(path, patterns), ESF_PATTERNS_CACHE_WRITTEN);
	snprintf(real, sizeof(real), "%s.real", path);
	CU_ASSERT_EQUAL(rename(path, real), 0);
	CU_ASSERT_EQUAL(symlink(real, path), 0);
	CU_ASSERT_EQUAL(use_list(path, patterns), ESF_PATTERNS_CACHE_WRITTEN);
	CU_ASSERT_EQUAL(use_list(path, patterns), ESF_PATTERNS_CACHE_LOADED);
	unlink(real);
}

static void file_that_cannot_be_written_is_no_error(void)
{
	CU_ASSERT_EQUAL(use_list("/nonexistent/patterns", patterns), ESF_PATTERNS_CACHE_FAILED);
	CU_ASSERT_EQUAL(use_list(folder, patterns), ESF_PATTERNS_CACHE_FAILED);
	CU_ASSERT_EQUAL(use_list(NULL, patterns), ESF_PATTERNS_CACHE_UNUSED);
}

static void pattern_that_does_not_compile_leaves_the_file_alone(void)
{
	static const char *const bad_patterns[] = { "a", "b(" };
	enum esf_patterns_cache_use use;
	struct esf_patterns *set = NULL;
	char message[128] = "";
	uint32_t bad = 99;

	CU_ASSERT_EQUAL(use_list(path, patterns), ESF_PATTERNS_CACHE_LOADED);
	CU_ASSERT_EQUAL(esf_patterns_cache_create(
	                    path, bad_patterns, 2, 1, &set, &use, &bad, message, sizeof(message)),
	    -EINVAL);
	CU_ASSERT_EQUAL(bad, 1);
	CU_ASSERT_PTR_NOT_NULL(strstr(message, "parenthes"));
	CU_ASSERT_EQUAL(use, ESF_PATTERNS_CACHE_UNUSED);
	CU_ASSERT_EQUAL(use_list(path, patterns), ESF_PATTERNS_CACHE_LOADED);
}

static void nothing_else_is_left_in_the_folder(void)
{
	DIR *directory = opendir(folder);
	int entries = 0;

	CU_ASSERT_PTR_NOT_NULL_FATAL(directory);
	while (readdir(directory) != NULL)
		entries++;
	closedir(directory);
	CU_ASSERT_EQUAL(entries, 3); /* itself, its parent, the file */
}

void esf_suite_patterns_cache(void)
{
	CU_pSuite suite = CU_add_suite("patterns_cache", set_up, clean_up);

	CU_ADD_TEST(suite, written_once_and_loaded_then);
	CU_ADD_TEST(suite, another_list_is_compiled_and_takes_its_place);
	CU_ADD_TEST(suite, damaged_file_is_ignored_and_replaced);
	CU_ADD_TEST(suite, file_that_others_may_write_is_not_trusted);
	CU_ADD_TEST(suite, file_that_cannot_be_written_is_no_error);
	CU_ADD_TEST(suite, pattern_that_does_not_compile_leaves_the_file_alone);
	CU_ADD_TEST(suite, nothing_else_is_left_in_the_folder);
}

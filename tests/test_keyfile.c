/* SPDX-License-Identifier: Apache-2.0 */
#include "control/keyfile.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <CUnit/CUnit.h>

#include "suites.h"

#define DIGITS "00112233445566778899aAbBcCdDeEfF"

static const uint8_t want[ESF_SEAL_KEY_SIZE] = { 0x00, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77,
	0x88, 0x99, 0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff };
static const uint8_t zero[ESF_SEAL_KEY_SIZE];

static char folder[] = "/tmp/esf-keyfile-XXXXXX";
static char path[sizeof(folder) + 16];

static int make_folder(void)
{
	memcpy(folder + sizeof(folder) - 7, "XXXXXX", 6);
	if (mkdtemp(folder) == NULL)
		return 1;
	snprintf(path, sizeof(path), "%s/n-1.key", folder);
	return 0;
}

static int remove_folder(void)
{
	unlink(path);
	return rmdir(folder);
}

static void write_file(const char *text, size_t size, mode_t mode)
{
	FILE *file;

	unlink(path);
	file = fopen(path, "w");
	CU_ASSERT_PTR_NOT_NULL_FATAL(file);
	CU_ASSERT_EQUAL(fwrite(text, 1, size, file), size);
	CU_ASSERT_EQUAL(fclose(file), 0);
	CU_ASSERT_EQUAL(chmod(path, mode), 0);
}

/* Reads the file; what is refused leaves no key, and names the file but none of its content. */
static int read_file(char *message, size_t size)
{
	uint8_t key[ESF_SEAL_KEY_SIZE];
	int result;

	memset(key, 0x5a, sizeof(key));
	message[0] = '\0';
	result = esf_keyfile_read(path, key, message, size);
	CU_ASSERT_EQUAL(memcmp(key, result == 0 ? want : zero, sizeof(key)), 0);
	if (result != 0) {
		CU_ASSERT_EQUAL(strncmp(message, path, strlen(path)), 0);
		CU_ASSERT_PTR_NULL(strstr(message, "0011"));
	}
	return result;
}

static void key_is_32_digits_and_at_most_one_newline(void)
{
	static const struct {
		const char *text;
		size_t size;
		int result;
	} cases[] = {
		{ DIGITS, 32, 0 },
		{ DIGITS "\n", 33, 0 },
		{ DIGITS "\r\n", 34, 0 },
		{ "", 0, -EINVAL },
		{ DIGITS, 31, -EINVAL },
		{ DIGITS "0", 33, -EINVAL },
		{ DIGITS "\n\n", 34, -EINVAL },
		{ DIGITS "\n\n\n", 35, -EINVAL },
		{ DIGITS "\r", 33, -EINVAL },
		{ DIGITS " ", 33, -EINVAL },
		{ DIGITS "\0", 33, -EINVAL },
		{ DIGITS "\r\n0011", 38, -EINVAL },
		{ " " DIGITS, 33, -EINVAL },
		{ "0x" DIGITS, 34, -EINVAL },
		{ "0011223344556677 899aAbBcCdDeEfF", 32, -EINVAL },
		{ "0011223344556677\0"
		  "899aAbBcCdDeEfF",
		    32, -EINVAL },
		{ "0011223344556677889gaAbBcCdDeEfF", 32, -EINVAL },
	};
	char message[256];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		write_file(cases[i].text, cases[i].size, 0600);
		CU_ASSERT_EQUAL(read_file(message, sizeof(message)), cases[i].result);
	}
}

static void key_that_others_may_touch_is_refused_with_what_mends_it(void)
{
	static const mode_t modes[] = { 0640, 0604, 0620, 0602, 0610, 0601, 0644, 0777 };
	char message[256], mend[128];

	snprintf(mend, sizeof(mend), "chmod 600 '%s'", path);
	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
		write_file(DIGITS, 32, modes[i]);
		CU_ASSERT_EQUAL(read_file(message, sizeof(message)), -EACCES);
		CU_ASSERT_PTR_NOT_NULL(strstr(message, mend));
	}
	write_file(DIGITS, 32, 0400);
	CU_ASSERT_EQUAL(read_file(message, sizeof(message)), 0);
}

static void only_regular_files_are_read(void)
{
	char message[256];

	unlink(path);
	CU_ASSERT_EQUAL(read_file(message, sizeof(message)), -ENOENT);
	CU_ASSERT_EQUAL_FATAL(mkfifo(path, 0600), 0);
	CU_ASSERT_EQUAL(read_file(message, sizeof(message)), -EINVAL);
	unlink(path);
	CU_ASSERT_EQUAL_FATAL(mkdir(path, 0700), 0);
	CU_ASSERT_EQUAL(read_file(message, sizeof(message)), -EINVAL);
	CU_ASSERT_EQUAL(rmdir(path), 0);
	CU_ASSERT_EQUAL_FATAL(symlink("/dev/zero", path), 0);
	CU_ASSERT_EQUAL(read_file(message, sizeof(message)), -EINVAL);
}

static void message_is_cut_to_its_room(void)
{
	uint8_t key[ESF_SEAL_KEY_SIZE];
	char message[8] = "#######";

	CU_ASSERT_EQUAL(esf_keyfile_read("/nowhere/at/all", key, message, 4), -ENOENT);
	CU_ASSERT_STRING_EQUAL(message, "/no");
	CU_ASSERT_EQUAL(message[4], '#');
}

static void secret_is_one_line_of_printable_ascii(void)
{
	static const struct {
		const char *text, *want; /* NULL: refused */
	} cases[] = {
		{ "abc", "abc" },
		{ "abc\n", "abc" },
		{ "Basic YTpi\r\n", "Basic YTpi" },
		{ "", NULL },
		{ "\n", NULL },
		{ "a\nb", NULL },
		{ "a\n\n", NULL },
		{ "a\tb", NULL },
		{ "\xc3\xbc", NULL },
	};
	char line[ESF_KEYFILE_LINE_SIZE], message[256], large[ESF_KEYFILE_LINE_SIZE];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int result;

		write_file(cases[i].text, strlen(cases[i].text), 0600);
		result = esf_keyfile_read_line(path, line, message, sizeof(message));
		CU_ASSERT_EQUAL(result, cases[i].want != NULL ? 0 : -EINVAL);
		CU_ASSERT_STRING_EQUAL(line, cases[i].want != NULL ? cases[i].want : "");
	}
	memset(large, 'a', sizeof(large));
	write_file(large, sizeof(large), 0600);
	CU_ASSERT_EQUAL(esf_keyfile_read_line(path, line, message, sizeof(message)), -EINVAL);
	write_file(large, sizeof(large) - 1, 0600);
	CU_ASSERT_EQUAL(esf_keyfile_read_line(path, line, message, sizeof(message)), 0);
	write_file("abc", 3, 0640);
	CU_ASSERT_EQUAL(esf_keyfile_read_line(path, line, message, sizeof(message)), -EACCES);
	CU_ASSERT_STRING_EQUAL(line, "");
	CU_ASSERT_PTR_NOT_NULL(strstr(message, "chmod 600"));
}

void esf_suite_keyfile(void)
{
	CU_pSuite suite = CU_add_suite("keyfile", make_folder, remove_folder);

	CU_ADD_TEST(suite, key_is_32_digits_and_at_most_one_newline);
	CU_ADD_TEST(suite, key_that_others_may_touch_is_refused_with_what_mends_it);
	CU_ADD_TEST(suite, only_regular_files_are_read);
	CU_ADD_TEST(suite, message_is_cut_to_its_room);
	CU_ADD_TEST(suite, secret_is_one_line_of_printable_ascii);
}

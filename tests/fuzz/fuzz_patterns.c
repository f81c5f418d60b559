/* SPDX-License-Identifier: Apache-2.0 */
#include "control/patterns_cache.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "dataplane/names.h"

/*
 * Of the first byte, bit 0 says what follows. 0: patterns, one a line, compiled each for itself and
 * as a list; the text they are matched against stands behind an empty line. 1: what is done to a
 * good cache file: offset (2 bytes) and the bytes that are put there, or with bit 1 it is cut.
 */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum {
	LINES_MAX = 8,
	PATTERN_MAX = 64, /* bytes: what a short one may cost to compile is enough */
	INPUT_MAX = 512,
	FILE_MAX = 1 << 16,
};

static const char *const listed[] = { "ground fault", "(?i)overcurrent" };

static struct {
	char path[64];
	uint8_t bytes[FILE_MAX];
	size_t size;
} good;

static void check(bool right)
{
	if (!right)
		abort();
}

/* Takes the lines of a text apart in place; returns their count, *rest what follows them. */
static uint32_t split(char *text, const char *lines[LINES_MAX], char **rest)
{
	uint32_t count = 0;

	while (count < LINES_MAX && *text != '\0' && *text != '\n') {
		size_t length = strcspn(text, "\n");
		bool last = text[length] == '\0';

		text[length] = '\0';
		if (length <= PATTERN_MAX)
			lines[count++] = text;
		text += length + !last;
	}
	*rest = text;
	return count;
}

static bool is_refused(const char *pattern)
{
	char message[128] = "", shorter[8];
	int result = esf_ruleset_check_pattern(pattern, message, sizeof(message));

	check(result == 0 || result == -EINVAL);
	check((result == 0) == (message[0] == '\0'));
	check(memchr(message, '\0', sizeof(message)) != NULL);
	check(result == esf_ruleset_check_pattern(pattern, shorter, sizeof(shorter)));
	return result != 0;
}

/* A list compiles where each of its patterns does; else it is told which doesn't. The first listed
 * that matches is the first that matches alone. */
static void check_list(const char *const *patterns, uint32_t count, const char *text)
{
	struct esf_patterns *list = NULL;
	uint32_t refused = 0, bad = UINT32_MAX;
	char message[128] = "";
	uint16_t found;
	int result;

	for (uint32_t i = 0; i < count; i++)
		refused += is_refused(patterns[i]);
	result = esf_patterns_create(patterns, count, 1, &list, &bad, message, sizeof(message));
	check((result == 0) == (refused == 0));
	if (result != 0) {
		check(result == -EINVAL && bad < count && message[0] != '\0');
		check(is_refused(patterns[bad]));
		return;
	}
	found = esf_patterns_match(list, 0, text, (uint32_t)strlen(text));
	check(found == ESF_PATTERN_NONE || found < count);
	for (uint32_t i = 0; i < count && i <= found; i++) {
		struct esf_patterns *alone = NULL;

		check(esf_patterns_create(
		          &patterns[i], 1, 1, &alone, &bad, message, sizeof(message)) == 0);
		check((esf_patterns_match(alone, 0, text, (uint32_t)strlen(text)) == 0) ==
		      (i == found));
		esf_patterns_destroy(alone);
	}
	esf_patterns_destroy(list);
}

static void compile_input(const uint8_t *data, size_t size)
{
	const char *lines[LINES_MAX];
	char text[INPUT_MAX + 1], *rest;
	uint32_t count;

	memcpy(text, data, size);
	text[size] = '\0';
	count = split(text, lines, &rest);
	if (count > 0)
		check_list(lines, count, rest);
}

/* The list by way of the cache; it is right however it was come by. */
static enum esf_patterns_cache_use use_cache(void)
{
	enum esf_patterns_cache_use use;
	struct esf_patterns *set = NULL;
	char message[128];
	uint32_t bad;

	check(esf_patterns_cache_create(
	          good.path, listed, 2, 1, &set, &use, &bad, message, sizeof(message)) == 0);
	check(esf_patterns_match(set, 0, "OVERCURRENT", 11) == 1);
	check(esf_patterns_match(set, 0, "a ground fault", 14) == 0);
	check(esf_patterns_match(set, 0, "nothing", 7) == ESF_PATTERN_NONE);
	esf_patterns_destroy(set);
	return use;
}

static size_t read_cache(uint8_t bytes[FILE_MAX])
{
	FILE *file = fopen(good.path, "rb");
	size_t size;

	check(file != NULL);
	size = fread(bytes, 1, FILE_MAX, file);
	fclose(file);
	check(size > 0 && size < FILE_MAX);
	return size;
}

static void write_cache(const uint8_t *bytes, size_t size)
{
	FILE *file = fopen(good.path, "wb");

	check(file != NULL);
	check(fwrite(bytes, 1, size, file) == size);
	check(fclose(file) == 0);
}

static void remove_cache(void)
{
	unlink(good.path);
}

/* On memory where there is such a folder: the writer waits for the disk. */
static void make_cache(void)
{
	snprintf(good.path, sizeof(good.path), "%s/esf-fuzz-patterns.%d",
	    access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp", (int)getpid());
	remove_cache();
	check(use_cache() == ESF_PATTERNS_CACHE_WRITTEN);
	check(use_cache() == ESF_PATTERNS_CACHE_LOADED);
	good.size = read_cache(good.bytes);
	check(atexit(remove_cache) == 0);
}

static void damage_cache(const uint8_t *data, size_t size, bool cut)
{
	static uint8_t bytes[FILE_MAX];
	size_t at, length = good.size;

	if (good.size == 0)
		make_cache();
	if (size < 2)
		return;
	at = (size_t)(data[0] | data[1] << 8) % (good.size + 1);
	memcpy(bytes, good.bytes, good.size);
	if (cut)
		length = at;
	else if (at + size - 2 <= FILE_MAX)
		memcpy(bytes + at, data + 2, size - 2);
	if (!cut && at + size - 2 > length)
		length = at + size - 2;
	write_cache(bytes, length);
	check((use_cache() == ESF_PATTERNS_CACHE_LOADED) ==
	      (length == good.size && memcmp(bytes, good.bytes, length) == 0));
	check(read_cache(bytes) == good.size && memcmp(bytes, good.bytes, good.size) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 2 || size > INPUT_MAX)
		return 0;
	if (data[0] & 1)
		damage_cache(data + 1, size - 1, data[0] & 2);
	else
		compile_input(data + 1, size - 1);
	return 0;
}

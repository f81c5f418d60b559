/* SPDX-License-Identifier: Apache-2.0 */
#include "control/export/spool.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/*
 * A good spool's file with some bytes in it replaced: offset (3 bytes) and what is put there; an
 * offset behind its end cuts it. It is refused, or all that is taken from it are whole lines, as
 * many as it says, and points can be added.
 */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { CAPACITY = 1 << 16, FILE_SIZE = 4096 + CAPACITY, BODY = 1 << 17 };

static char path[64], good[FILE_SIZE], body[BODY];

static void check(bool right)
{
	if (!right)
		abort();
}

static struct esf_spool *open_spool(void)
{
	char error[ESF_SPOOL_ERROR_SIZE];
	struct esf_spool *spool;

	return esf_spool_open(CAPACITY, path, &spool, error) == 0 ? spool : NULL;
}

static void make_good(void)
{
	char lines[4000];
	struct esf_spool *spool;
	uint64_t pushed;
	int file;

	snprintf(path, sizeof(path), "/tmp/esf-fuzz-spool-%d", (int)getpid());
	unlink(path);
	spool = open_spool();
	check(spool != NULL);
	for (uint32_t i = 0; i < 40; i++) { /* around the ring's end */
		uint32_t points = 1 + i % 7, bytes = points * 400;

		memset(lines, 'a', bytes);
		for (uint32_t p = 1; p <= points; p++)
			lines[p * 400 - 1] = '\n';
		check(esf_spool_add(spool, lines, bytes, points, &pushed) == 0);
	}
	esf_spool_close(spool);
	file = open(path, O_RDONLY);
	check(read(file, good, FILE_SIZE) == FILE_SIZE);
	close(file);
}

static void write_damaged(const uint8_t *data, size_t size)
{
	size_t at = size < 3 ? 0 : data[0] | (size_t)data[1] << 8 | (size_t)data[2] << 16;
	int file = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	check(file >= 0 && write(file, good, FILE_SIZE) == FILE_SIZE);
	if (at >= FILE_SIZE)
		check(ftruncate(file, (off_t)(at % FILE_SIZE)) == 0);
	else if (size > 3)
		check(pwrite(file, data + 3, size - 3, (off_t)at) == (ssize_t)(size - 3));
	close(file);
}

static uint64_t count_lines(size_t size)
{
	uint64_t count = 0;

	for (size_t i = 0; i < size; i++)
		count += body[i] == '\n';
	check(size == 0 || body[size - 1] == '\n');
	return count;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct esf_spool *spool;
	uint64_t lost, pushed;
	int64_t points;
	size_t taken;

	if (path[0] == '\0')
		make_good();
	write_damaged(data, size);
	spool = open_spool();
	if (spool == NULL)
		return 0;
	check(esf_spool_used(spool) <= CAPACITY);
	check(esf_spool_add(spool, "m f=1\n", 6, 1, &pushed) == 0);
	while ((points = esf_spool_take(spool, 13, body, BODY, &taken, &lost)) > 0) {
		check((uint64_t)points >= count_lines(taken));
		esf_spool_done(spool);
	}
	check(points == 0 && esf_spool_points(spool) == 0);
	esf_spool_close(spool);
	return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "control/export/spool_file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <zlib.h>

#include "control/export/spool.h"

static const char magic[8] = "ESFSPL1\n";

/* What stands at the file's begin. */
struct page {
	char magic[8];
	uint64_t capacity;
	struct esf_spool_begin begin;
	uint32_t zero;
	uint32_t checksum; /* CRC-32 of all before */
};

static uint32_t checksum_of(const void *data, size_t size)
{
	return (uint32_t)crc32(crc32(0, NULL, 0), data, (uInt)size);
}

uint32_t esf_spool_record_checksum(const struct esf_spool_record *header, const char *lines)
{
	struct esf_spool_record bare = *header;
	uLong sum;

	bare.checksum = 0;
	sum = crc32(crc32(0, NULL, 0), (const Bytef *)&bare, sizeof(bare));
	return (uint32_t)crc32(sum, (const Bytef *)lines, header->size);
}

static int write_all(int fd, uint64_t at, const void *from, size_t size)
{
	const char *next = from;

	while (size > 0) {
		ssize_t step = pwrite(fd, next, size, (off_t)at);

		if (step < 0 && errno == EINTR)
			continue;
		if (step <= 0)
			return step < 0 ? -errno : -ENOSPC;
		next += step;
		at += (uint64_t)step;
		size -= (size_t)step;
	}
	return 0;
}

static int read_all(int fd, uint64_t at, void *into, size_t size)
{
	char *next = into;

	while (size > 0) {
		ssize_t step = pread(fd, next, size, (off_t)at);

		if (step < 0 && errno == EINTR)
			continue;
		if (step <= 0)
			return step < 0 ? -errno : -EBADMSG; /* it was cut */
		next += step;
		at += (uint64_t)step;
		size -= (size_t)step;
	}
	return 0;
}

int esf_spool_file_write(struct esf_spool_file *file, uint64_t at, const void *from, size_t size)
{
	return write_all(file->fd, ESF_SPOOL_PAGE + at, from, size);
}

int esf_spool_file_read(struct esf_spool_file *file, uint64_t at, void *into, size_t size)
{
	return read_all(file->fd, ESF_SPOOL_PAGE + at, into, size);
}

int esf_spool_file_begin(struct esf_spool_file *file, const struct esf_spool_begin *begin)
{
	struct page page;

	memset(&page, 0, sizeof(page));
	memcpy(page.magic, magic, sizeof(page.magic));
	page.capacity = file->capacity;
	page.begin = *begin;
	page.checksum = checksum_of(&page, offsetof(struct page, checksum));
	return write_all(file->fd, 0, &page, sizeof(page));
}

static int make(struct esf_spool_file *file, uint64_t capacity)
{
	const struct esf_spool_begin begin = { .number = 1 };
	int error = posix_fallocate(file->fd, 0, (off_t)(ESF_SPOOL_PAGE + capacity));

	if (error != 0)
		return -error;
	file->capacity = capacity;
	file->begin = begin;
	return esf_spool_file_begin(file, &begin);
}

static int read_page(struct esf_spool_file *file, uint64_t size)
{
	struct page page;
	int error = read_all(file->fd, 0, &page, sizeof(page));

	if (error != 0)
		return error;
	if (memcmp(page.magic, magic, sizeof(magic)) != 0 ||
	    page.checksum != checksum_of(&page, offsetof(struct page, checksum)) ||
	    page.capacity != size - ESF_SPOOL_PAGE || page.begin.at > page.capacity)
		return -EBADMSG;
	file->capacity = page.capacity;
	file->begin = page.begin;
	return 0;
}

int esf_spool_file_open(struct esf_spool_file *file, const char *path, uint64_t capacity)
{
	struct stat status = { 0 };
	int error = 0;

	*file = (struct esf_spool_file){ .capacity = capacity };
	file->fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, 0600);
	if (file->fd < 0)
		return -errno;
	if (fstat(file->fd, &status) != 0)
		error = -errno;
	else if (!S_ISREG(status.st_mode))
		error = -EBADMSG;
	else if (flock(file->fd, LOCK_EX | LOCK_NB) != 0)
		error = -errno;
	else if (status.st_size == 0)
		error = make(file, capacity);
	else if (status.st_size <= ESF_SPOOL_PAGE)
		error = -EBADMSG;
	else
		error = read_page(file, (uint64_t)status.st_size);
	if (error != 0 && status.st_size == 0 && S_ISREG(status.st_mode) && error != -EWOULDBLOCK)
		unlink(path); /* half made */
	if (error != 0)
		esf_spool_file_close(file);
	return error;
}

void esf_spool_file_close(struct esf_spool_file *file)
{
	if (file->fd >= 0)
		close(file->fd);
	file->fd = -1;
}

static uint32_t count_lines(const char *text, uint32_t size)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < size; i++)
		count += text[i] == '\n';
	return text[size - 1] == '\n' ? count : 0;
}

/* The record there, if it is whole and the one wanted. */
static bool read_record(
    struct esf_spool_file *file, uint64_t at, uint64_t number, struct esf_spool_record *header)
{
	char *lines = (char *)(header + 1);

	if (file->capacity - at < sizeof(*header) ||
	    esf_spool_file_read(file, at, header, sizeof(*header)) != 0)
		return false;
	if (header->magic != ESF_SPOOL_RECORD_MAGIC || header->number != number ||
	    header->size == 0 || header->size > ESF_SPOOL_RECORD_MAX || header->points == 0 ||
	    header->size > file->capacity - at - sizeof(*header))
		return false;
	return esf_spool_file_read(file, at + sizeof(*header), lines, header->size) == 0 &&
	       header->checksum == esf_spool_record_checksum(header, lines) &&
	       header->points == count_lines(lines, header->size);
}

/* A record that did not fit behind the last one lies at the ring's begin. */
bool esf_spool_file_next(struct esf_spool_file *file, struct esf_spool_walk *walk, void *scratch,
    struct esf_spool_found *found)
{
	struct esf_spool_record *header = scratch;
	uint64_t number = walk->begin.number + walk->count;
	uint64_t at = walk->count == 0 ? walk->begin.at : walk->next;

	if (!read_record(file, at, number, header)) {
		at = 0;
		if (!read_record(file, at, number, header))
			return false;
	}
	walk->used += sizeof(*header) + header->size;
	if (walk->used > file->capacity)
		return false;
	walk->count++;
	walk->next = at + sizeof(*header) + header->size;
	*found = (struct esf_spool_found){ at, header->size, header->points };
	return true;
}

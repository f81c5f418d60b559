/* SPDX-License-Identifier: Apache-2.0 */
#include "control/patterns_cache.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sodium.h>

enum { FILE_SIZE_MAX = 256 << 20 };

static const char magic[8] = "ESFPAT01";

struct cache_header {
	char magic[8];
	uint8_t patterns[ESF_PATTERNS_DIGEST];
	uint8_t bytes[crypto_generichash_BYTES];
};

static bool read_whole(int fd, void *to, size_t size)
{
	for (size_t done = 0; done < size;) {
		ssize_t got = read(fd, (char *)to + done, size - done);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return false;
		done += (size_t)got;
	}
	return true;
}

static bool write_whole(int fd, const void *from, size_t size)
{
	for (size_t done = 0; done < size;) {
		ssize_t put = write(fd, (const char *)from + done, size - done);

		if (put < 0 && errno == EINTR)
			continue;
		if (put <= 0)
			return false;
		done += (size_t)put;
	}
	return true;
}

/* Size of what stands behind the header, 0 where the file is not to be trusted. */
static size_t trusted_size(int fd)
{
	struct stat status;

	if (fstat(fd, &status) != 0 || !S_ISREG(status.st_mode))
		return 0;
	if ((status.st_uid != geteuid() && status.st_uid != 0) ||
	    (status.st_mode & (S_IWGRP | S_IWOTH)) != 0)
		return 0;
	if (status.st_size <= (off_t)sizeof(struct cache_header) || status.st_size > FILE_SIZE_MAX)
		return 0;
	return (size_t)status.st_size - sizeof(struct cache_header);
}

static void digest_bytes(const void *bytes, size_t size, uint8_t out[crypto_generichash_BYTES])
{
	crypto_generichash(out, crypto_generichash_BYTES, bytes, size, NULL, 0);
}

/* The compiled bytes out of an open file, for the caller to free(); NULL where it is not of this
 * list or not whole. */
static char *read_file(int fd, const uint8_t digest[ESF_PATTERNS_DIGEST], size_t *size)
{
	struct cache_header header;
	uint8_t found[crypto_generichash_BYTES];
	char *bytes;

	*size = trusted_size(fd);
	if (*size == 0 || !read_whole(fd, &header, sizeof(header)))
		return NULL;
	if (memcmp(header.magic, magic, sizeof(magic)) != 0 ||
	    memcmp(header.patterns, digest, ESF_PATTERNS_DIGEST) != 0)
		return NULL;
	bytes = malloc(*size);
	if (bytes == NULL)
		return NULL;
	if (read_whole(fd, bytes, *size)) {
		digest_bytes(bytes, *size, found);
		if (memcmp(found, header.bytes, sizeof(found)) == 0)
			return bytes;
	}
	free(bytes);
	return NULL;
}

static bool cache_load(const char *path, const uint8_t digest[ESF_PATTERNS_DIGEST], uint32_t count,
    uint32_t scratches, struct esf_patterns **out)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	size_t size;
	char *bytes;
	bool loaded;

	if (fd < 0)
		return false;
	bytes = read_file(fd, digest, &size);
	close(fd);
	if (bytes == NULL)
		return false;
	loaded = esf_patterns_deserialise(bytes, size, count, scratches, out) == 0;
	free(bytes);
	return loaded;
}

/* To disk under a name of its own first, so that the path only ever names a whole file. */
static bool replace_file(
    const char *path, const struct cache_header *header, const char *bytes, size_t size)
{
	char temporary[PATH_MAX];
	int length = snprintf(temporary, sizeof(temporary), "%s.XXXXXX", path);
	bool written;
	int fd;

	if (length < 0 || (size_t)length >= sizeof(temporary))
		return false;
	fd = mkostemp(temporary, O_CLOEXEC);
	if (fd < 0)
		return false;
	written = write_whole(fd, header, sizeof(*header)) && write_whole(fd, bytes, size) &&
	          fsync(fd) == 0;
	written = close(fd) == 0 && written;
	if (written && rename(temporary, path) == 0)
		return true;
	unlink(temporary);
	return false;
}

static bool cache_write(const char *path, const uint8_t digest[ESF_PATTERNS_DIGEST],
    const struct esf_patterns *patterns)
{
	struct cache_header header;
	char *bytes;
	size_t size;
	bool written;

	if (esf_patterns_serialise(patterns, &bytes, &size) != 0)
		return false;
	memcpy(header.magic, magic, sizeof(magic));
	memcpy(header.patterns, digest, ESF_PATTERNS_DIGEST);
	digest_bytes(bytes, size, header.bytes);
	written =
	    size <= FILE_SIZE_MAX - sizeof(header) && replace_file(path, &header, bytes, size);
	free(bytes);
	return written;
}

int esf_patterns_cache_create(const char *path, const char *const *patterns, uint32_t count,
    uint32_t scratches, struct esf_patterns **out, enum esf_patterns_cache_use *use, uint32_t *bad,
    char *message, size_t message_size)
{
	uint8_t digest[ESF_PATTERNS_DIGEST];
	int result;

	*use = ESF_PATTERNS_CACHE_UNUSED;
	if (path == NULL || count == 0 || count > ESF_PATTERNS_MAX)
		return esf_patterns_create(
		    patterns, count, scratches, out, bad, message, message_size);
	esf_patterns_digest(patterns, count, digest);
	if (cache_load(path, digest, count, scratches, out)) {
		*use = ESF_PATTERNS_CACHE_LOADED;
		return 0;
	}
	result = esf_patterns_create(patterns, count, scratches, out, bad, message, message_size);
	if (result == 0)
		*use = cache_write(path, digest, *out) ? ESF_PATTERNS_CACHE_WRITTEN
		                                       : ESF_PATTERNS_CACHE_FAILED;
	return result;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "source.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SOURCE_SIZE_MAX = 1 << 30 };

static int read_all(int descriptor, char **data, size_t *size)
{
	size_t capacity = 65536;
	ssize_t got = 1;
	char *bytes = NULL, *grown;

	*size = 0;
	while (got > 0) {
		if (bytes == NULL || *size == capacity) {
			capacity *= 2;
			grown = capacity > SOURCE_SIZE_MAX ? NULL : realloc(bytes, capacity + 1);
			if (grown == NULL) {
				free(bytes);
				return capacity > SOURCE_SIZE_MAX ? -EFBIG : -ENOMEM;
			}
			bytes = grown;
		}
		got = read(descriptor, bytes + *size, capacity - *size);
		*size += got > 0 ? (size_t)got : 0;
	}
	if (got < 0) {
		got = -errno;
		free(bytes);
		return (int)got;
	}
	*data = bytes;
	return 0;
}

int esf_source_read(const char *path, bool regular, char **data, size_t *size)
{
	int descriptor = open(path, O_RDONLY | O_CLOEXEC | (regular ? O_NONBLOCK : 0)), rc;
	struct stat status;

	if (descriptor < 0)
		return -errno;
	rc = fstat(descriptor, &status) == 0 ? 0 : -errno;
	if (rc == 0 && regular && !S_ISREG(status.st_mode))
		rc = -EINVAL;
	if (rc == 0)
		rc = read_all(descriptor, data, size);
	close(descriptor);
	return rc;
}

char *esf_source_beside(struct esf_arena *arena, const char *base, const char *file)
{
	const char *slash = strrchr(base, '/');
	size_t folder = file[0] == '/' || slash == NULL ? 0 : (size_t)(slash - base) + 1;
	char *path = esf_arena_alloc(arena, folder + strlen(file) + 1);

	if (path != NULL) {
		memcpy(path, base, folder);
		strcpy(path + folder, file);
	}
	return path;
}

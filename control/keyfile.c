/* SPDX-License-Identifier: Apache-2.0 */
#include "control/keyfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sodium.h>

enum {
	DIGITS = 2 * ESF_SEAL_KEY_SIZE,
	CONTENT_MAX = DIGITS + 2, /* a newline of either kind */
};

/* Where the reason goes. */
struct report {
	const char *path;
	char *message;
	size_t size;
};

static int refuse(const struct report *report, int error, const char *reason)
{
	snprintf(report->message, report->size, "%s: %s", report->path, reason);
	return error;
}

static int check_file(const struct report *report, int file)
{
	struct stat status;

	if (fstat(file, &status) != 0)
		return refuse(report, -errno, strerror(errno));
	if (!S_ISREG(status.st_mode))
		return refuse(report, -EINVAL, "got something else, want a regular file");
	if ((status.st_mode & (S_IRWXG | S_IRWXO)) == 0)
		return 0;
	snprintf(report->message, report->size,
	    "%s: got mode %04o, want a key that only its owner can read: chmod 600 '%s'",
	    report->path, (unsigned)status.st_mode & 07777, report->path);
	return -EACCES;
}

/* Up to size bytes; how many, or -errno. */
static ssize_t read_all(int file, char *buffer, size_t size)
{
	size_t filled = 0;

	while (filled < size) {
		ssize_t step = read(file, buffer + filled, size - filled);

		if (step < 0 && errno != EINTR)
			return -errno;
		if (step == 0)
			break;
		filled += step > 0 ? (size_t)step : 0;
	}
	return (ssize_t)filled;
}

static bool ends_well(const char *rest, size_t size)
{
	return size == 0 || (size == 1 && rest[0] == '\n') ||
	       (size == 2 && memcmp(rest, "\r\n", 2) == 0);
}

static int read_key(const struct report *report, int file, uint8_t key[ESF_SEAL_KEY_SIZE])
{
	char content[CONTENT_MAX + 1]; /* one more tells a file that is too long */
	ssize_t size = read_all(file, content, sizeof(content));
	size_t key_size = 0;
	int result = 0;

	if (size < 0)
		result = refuse(report, (int)size, strerror((int)-size));
	else if (size < DIGITS || !ends_well(content + DIGITS, (size_t)size - DIGITS) ||
	         sodium_hex2bin(key, ESF_SEAL_KEY_SIZE, content, DIGITS, NULL, &key_size, NULL) !=
	             0 ||
	         key_size != ESF_SEAL_KEY_SIZE)
		result = refuse(report, -EINVAL,
		    "got something else, want 32 hexadecimal digits: openssl rand -hex 16");
	sodium_memzero(content, sizeof(content));
	return result;
}

static int read_line(const struct report *report, int file, char *line)
{
	ssize_t size = read_all(file, line, ESF_KEYFILE_LINE_SIZE);
	size_t length;

	if (size < 0)
		return refuse(report, (int)size, strerror((int)-size));
	length = 0;
	while (length < (size_t)size && line[length] >= ' ' && line[length] <= '~')
		length++;
	if (length == 0 || size == ESF_KEYFILE_LINE_SIZE ||
	    !ends_well(line + length, (size_t)size - length))
		return refuse(report, -EINVAL,
		    "got something else, want one line of printable ASCII: a token, or as "
		    "\"Basic ...\" all of the Authorization header");
	line[length] = '\0';
	return 0;
}

/* Not to hang on a pipe before it is known to be one. */
static int open_file(const struct report *report, int *file)
{
	*file = open(report->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	return *file < 0 ? refuse(report, -errno, strerror(errno)) : check_file(report, *file);
}

int esf_keyfile_read_line(const char *path, char *line, char *message, size_t message_size)
{
	const struct report report = { .path = path, .message = message, .size = message_size };
	int file, result = open_file(&report, &file);

	line[0] = '\0';
	if (result == 0)
		result = read_line(&report, file, line);
	if (result != 0)
		esf_keyfile_wipe(line);
	if (file >= 0)
		close(file);
	return result;
}

void esf_keyfile_wipe(char *line)
{
	sodium_memzero(line, ESF_KEYFILE_LINE_SIZE);
}

int esf_keyfile_read(
    const char *path, uint8_t key[ESF_SEAL_KEY_SIZE], char *message, size_t message_size)
{
	const struct report report = { .path = path, .message = message, .size = message_size };
	int file, result = open_file(&report, &file);

	if (result == 0)
		result = read_key(&report, file, key);
	if (result != 0)
		sodium_memzero(key, ESF_SEAL_KEY_SIZE);
	if (file >= 0)
		close(file);
	return result;
}

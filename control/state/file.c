/* SPDX-License-Identifier: Apache-2.0 */
#include "control/state/file.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define XXH_INLINE_ALL
#include <xxhash.h>
#include <zstd.h>

#include "control/fleet/interval.h"
#include "dataplane/counter.h"
#include "dataplane/dedup.h"
#include "dataplane/ledger.h"
#include "dataplane/remember.h"
#include "dataplane/window.h"

#define BYTE_ORDER_MARK 0x01020304u
#define UNPACKED_MAX (UINT64_C(64) << 30)

enum { OUT_SIZE = 1 << 17, LEVEL = 1, PATH_SIZE = 4200 };

static const char magic[8] = "ESFSTATE";

struct head {
	char magic[8];
	uint32_t byte_order;
	uint32_t version;
	uint64_t shape;
	uint64_t configuration;
	int64_t time;
	uint64_t packed;
	uint64_t unpacked;
	uint64_t checksum;
	uint64_t own_checksum;
};
static_assert(sizeof(struct head) == ESF_STATE_HEAD_SIZE, "what file.h says");

struct esf_state_writer {
	int fd;
	int error; /* -errno of the first failure */
	ZSTD_CCtx *packer;
	XXH3_state_t *hash;
	uint64_t packed, unpacked;
	uint8_t out[OUT_SIZE];
	char path[PATH_SIZE], new_path[PATH_SIZE];
};

/* Another order of the same members, which this can't see, wants another ESF_STATE_VERSION. */
static uint64_t shape(void)
{
	const uint64_t of[] = { ESF_DATAGRAM_VERDICTS_COUNT, ESF_RECORD_VERDICTS_COUNT,
		ESF_SITE_DATAGRAM_FIRST, ESF_SHED_CLASSES, sizeof(struct esf_site_ledger),
		sizeof(struct esf_remembered_ledger), sizeof(struct esf_acc),
		offsetof(struct esf_acc, samples), offsetof(struct esf_acc, last_us),
		sizeof(struct esf_interval_row), sizeof(struct esf_interval_cell),
		ESF_COUNTER_TAIL };

	return XXH3_64bits(of, sizeof(of));
}

static void write_out(struct esf_state_writer *writer, const uint8_t *bytes, size_t size)
{
	XXH3_64bits_update(writer->hash, bytes, size);
	writer->packed += size;
	while (size > 0 && writer->error == 0) {
		ssize_t written = write(writer->fd, bytes, size);

		if (written < 0 && errno != EINTR)
			writer->error = -errno;
		if (written > 0) {
			bytes += written;
			size -= (size_t)written;
		}
	}
}

static void pack(
    struct esf_state_writer *writer, const void *bytes, uint64_t size, ZSTD_EndDirective directive)
{
	ZSTD_inBuffer in = { bytes, size, 0 };
	size_t left = 1;

	while (writer->error == 0 && (in.pos < in.size || (directive == ZSTD_e_end && left != 0))) {
		ZSTD_outBuffer out = { writer->out, OUT_SIZE, 0 };

		left = ZSTD_compressStream2(writer->packer, &out, &in, directive);
		if (ZSTD_isError(left))
			writer->error = -EIO;
		else
			write_out(writer, writer->out, out.pos);
	}
	writer->unpacked += size;
}

int esf_state_writer_open(const char *path, struct esf_state_writer **out)
{
	struct esf_state_writer *writer = calloc(1, sizeof(*writer));
	const struct head nothing = { .version = 0 };
	int error;

	*out = NULL;
	if (writer == NULL)
		return -ENOMEM;
	snprintf(writer->path, sizeof(writer->path), "%s", path);
	snprintf(writer->new_path, sizeof(writer->new_path), "%.4095s.new", path);
	writer->fd =
	    open(writer->new_path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	error = writer->fd < 0 ? -errno : 0;
	writer->packer = ZSTD_createCCtx();
	writer->hash = XXH3_createState();
	if (error == 0 && (writer->packer == NULL || writer->hash == NULL))
		error = -ENOMEM;
	if (error == 0 && write(writer->fd, &nothing, sizeof(nothing)) != sizeof(nothing))
		error = errno == 0 ? -EIO : -errno;
	if (error != 0) {
		esf_state_abandon(writer);
		return error;
	}
	ZSTD_CCtx_setParameter(writer->packer, ZSTD_c_compressionLevel, LEVEL);
	XXH3_64bits_reset(writer->hash);
	*out = writer;
	return 0;
}

void esf_state_section(
    struct esf_state_writer *writer, enum esf_state_kind kind, const void *bytes, uint64_t size)
{
	const uint64_t head[2] = { kind, size };

	pack(writer, head, sizeof(head), ZSTD_e_continue);
	pack(writer, bytes, size, ZSTD_e_continue);
}

static void writer_free(struct esf_state_writer *writer)
{
	if (writer->fd >= 0)
		close(writer->fd);
	ZSTD_freeCCtx(writer->packer);
	XXH3_freeState(writer->hash);
	free(writer);
}

void esf_state_abandon(struct esf_state_writer *writer)
{
	if (writer == NULL)
		return;
	if (writer->fd >= 0)
		unlink(writer->new_path);
	writer_free(writer);
}

/* The rename itself is to outlast a loss of power, too. */
static void sync_folder(const char *path)
{
	char folder[PATH_SIZE];
	char *slash;
	int fd;

	snprintf(folder, sizeof(folder), "%s", path);
	slash = strrchr(folder, '/');
	if (slash == NULL)
		snprintf(folder, sizeof(folder), ".");
	else
		slash[slash == folder] = '\0';
	fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return;
	(void)fsync(fd);
	close(fd);
}

static void write_head(struct esf_state_writer *writer, uint64_t configuration, int64_t time)
{
	struct head head = {
		.byte_order = BYTE_ORDER_MARK,
		.version = ESF_STATE_VERSION,
		.shape = shape(),
		.configuration = configuration,
		.time = time,
		.packed = writer->packed,
		.unpacked = writer->unpacked,
		.checksum = XXH3_64bits_digest(writer->hash),
	};

	memcpy(head.magic, magic, sizeof(magic));
	head.own_checksum = XXH3_64bits(&head, offsetof(struct head, own_checksum));
	if (writer->error == 0 && pwrite(writer->fd, &head, sizeof(head), 0) != sizeof(head))
		writer->error = errno == 0 ? -EIO : -errno;
}

int esf_state_commit(
    struct esf_state_writer *writer, uint64_t configuration, int64_t time, uint64_t *size)
{
	int error;

	esf_state_section(writer, ESF_STATE_END, NULL, 0);
	pack(writer, NULL, 0, ZSTD_e_end);
	write_head(writer, configuration, time);
	if (writer->error == 0 && fsync(writer->fd) != 0)
		writer->error = -errno;
	if (writer->error == 0 && rename(writer->new_path, writer->path) != 0)
		writer->error = -errno;
	error = writer->error;
	if (error != 0) {
		esf_state_abandon(writer);
		return error;
	}
	sync_folder(writer->path);
	*size = writer->packed + sizeof(struct head);
	writer_free(writer);
	return 0;
}

static enum esf_state_result refuse(char *error, const char *why)
{
	snprintf(error, ESF_STATE_ERROR_SIZE, "%s", why);
	return ESF_STATE_REFUSED;
}

static enum esf_state_result check_head(const struct head *head, uint64_t size, char *error)
{
	if (size < sizeof(*head) || memcmp(head->magic, magic, sizeof(magic)) != 0)
		return refuse(error, "not a snapshot of estream-fleetd");
	if (head->byte_order == __builtin_bswap32(BYTE_ORDER_MARK))
		return refuse(error, "of a machine with the other byte order");
	if (head->byte_order != BYTE_ORDER_MARK)
		return refuse(error, "the byte order's mark is damaged");
	if (head->version != ESF_STATE_VERSION) {
		snprintf(error, ESF_STATE_ERROR_SIZE, "version: got %" PRIu32 ", want %d",
		    head->version, ESF_STATE_VERSION);
		return ESF_STATE_REFUSED;
	}
	if (head->own_checksum != XXH3_64bits(head, offsetof(struct head, own_checksum)))
		return refuse(error, "checksum of the head: it is damaged");
	if (head->shape != shape())
		return refuse(error, "of another build, whose counts are other ones");
	if (head->packed != size - sizeof(*head)) {
		snprintf(error, ESF_STATE_ERROR_SIZE, "size: got %" PRIu64 " bytes, want %" PRIu64,
		    size, head->packed + sizeof(*head));
		return ESF_STATE_REFUSED;
	}
	return ESF_STATE_READ;
}

static enum esf_state_result unpack(
    const struct head *head, const uint8_t *packed, struct esf_state_image *out, char *error)
{
	size_t size;

	/* What a frame can't hold is not asked of memory. */
	if (head->unpacked > UNPACKED_MAX || head->unpacked / 70000 > head->packed)
		return refuse(error, "size unpacked: not believed");
	out->bytes = malloc(head->unpacked + 1);
	if (out->bytes == NULL)
		return refuse(error, "out of memory");
	size = ZSTD_decompress(out->bytes, head->unpacked, packed, head->packed);
	if (!ZSTD_isError(size) && size == head->unpacked)
		return ESF_STATE_READ;
	free(out->bytes);
	return refuse(error, "it can't be unpacked");
}

enum esf_state_result esf_state_parse(
    const void *file, uint64_t size, struct esf_state_image *out, char error[ESF_STATE_ERROR_SIZE])
{
	const uint8_t *packed = (const uint8_t *)file + sizeof(struct head);
	enum esf_state_result result;
	struct head head = { .version = 0 };

	memcpy(&head, file, size < sizeof(head) ? size : sizeof(head));
	*out = (struct esf_state_image){ .time = head.time,
		.configuration = head.configuration,
		.size = size,
		.bytes_size = head.unpacked };
	result = check_head(&head, size, error);
	if (result != ESF_STATE_READ)
		return result;
	if (XXH3_64bits(packed, head.packed) != head.checksum)
		return refuse(error, "checksum: it is damaged");
	return unpack(&head, packed, out, error);
}

static bool read_all(int fd, uint8_t *bytes, uint64_t size)
{
	while (size > 0) {
		ssize_t got = read(fd, bytes, size);

		if (got <= 0 && !(got < 0 && errno == EINTR))
			return false;
		if (got > 0) {
			bytes += got;
			size -= (size_t)got;
		}
	}
	return true;
}

static enum esf_state_result load_file(int fd, struct esf_state_image *out, char *error)
{
	enum esf_state_result result;
	struct stat status;
	uint8_t *bytes;

	if (fstat(fd, &status) != 0)
		return refuse(error, strerror(errno));
	if (!S_ISREG(status.st_mode))
		return refuse(error, "not a file");
	bytes = malloc((size_t)status.st_size + 1);
	if (bytes == NULL)
		return refuse(error, "out of memory");
	errno = 0;
	if (read_all(fd, bytes, (uint64_t)status.st_size))
		result = esf_state_parse(bytes, (uint64_t)status.st_size, out, error);
	else
		result = refuse(error, errno == 0 ? "it shrinks" : strerror(errno));
	free(bytes);
	return result;
}

enum esf_state_result esf_state_load(
    const char *path, struct esf_state_image *out, char error[ESF_STATE_ERROR_SIZE])
{
	enum esf_state_result result;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	*out = (struct esf_state_image){ 0 };
	if (fd < 0 && errno == ENOENT)
		return ESF_STATE_ABSENT;
	if (fd < 0)
		return refuse(error, strerror(errno));
	result = load_file(fd, out, error);
	close(fd);
	return result;
}

void esf_state_image_free(struct esf_state_image *image)
{
	free(image->bytes);
	*image = (struct esf_state_image){ 0 };
}

bool esf_state_next(
    struct esf_image_reader *in, enum esf_state_kind *kind, struct esf_image_reader *section)
{
	uint64_t number = esf_image_u64(in), size = esf_image_u64(in);
	const uint8_t *bytes = esf_image_take(in, size);

	if (bytes == NULL || number == 0 || number >= ESF_STATE_KINDS) {
		in->bad = true;
		return false;
	}
	*kind = (enum esf_state_kind)number;
	*section = esf_image_reader(bytes, size);
	return true;
}

int esf_state_set_aside(const char *path, char *into)
{
	time_t now = time(NULL);
	char stamp[32];
	struct tm utc;

	gmtime_r(&now, &utc);
	strftime(stamp, sizeof(stamp), "%Y%m%dT%H%M%SZ", &utc);
	snprintf(into, PATH_SIZE, "%.4095s.refused-%s", path, stamp);
	return rename(path, into) == 0 ? 0 : -errno;
}

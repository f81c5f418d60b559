/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ESF_STATE_FILE_H
#define ESF_STATE_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dataplane/image.h"

/*
 * A snapshot's file: a head of 72 bytes, then sections in one Zstandard frame. It is written beside
 * its name (FILE.new, readable by its owner only), synced, and renamed over it: there is a whole
 * one at any time. Numbers are in the order of the machine that wrote it, which the head says.
 *
 *   magic "ESFSTATE" · byte order u32 0x01020304 · version u32 · shape u64 · configuration u64 ·
 *   time i64 (Unix ns) · size of what follows u64 · its size unpacked u64 · XXH3-64 u64 of what
 *   follows · XXH3-64 u64 of the head before this
 *
 * A section is kind u64, size u64, and so many bytes. shape is made of what images are
 * copied from (verdicts, accumulators), so that another build's is a foreign one, not a wrong one.
 */
enum {
	ESF_STATE_VERSION = 1,
	ESF_STATE_ERROR_SIZE = 320,
	ESF_STATE_HEAD_SIZE = 72,
};

enum esf_state_kind {
	ESF_STATE_META = 1,
	ESF_STATE_SITES,
	ESF_STATE_LEARNED,
	ESF_STATE_NAMES,
	ESF_STATE_SHARD, /* a shard's records, as they came (remember.h); a section for each buffer
	                  */
	ESF_STATE_JUDGE,
	ESF_STATE_COMPARE,
	ESF_STATE_INTERVALS,
	ESF_STATE_END, /* the last one: all of it is there */
	ESF_STATE_KINDS,
};

/* Writing. Any one thread; every call may wait for the disk. */
struct esf_state_writer;

/* 0 or -errno. */
int esf_state_writer_open(const char *path, struct esf_state_writer **out);
/* After a failure nothing more is written: commit says which it was. */
void esf_state_section(
    struct esf_state_writer *writer, enum esf_state_kind kind, const void *bytes, uint64_t size);
/* Ends the file and puts it in the former one's place; frees the writer. 0 with *size, or -errno
 * with the former one left as it was. */
int esf_state_commit(
    struct esf_state_writer *writer, uint64_t configuration, int64_t time, uint64_t *size);
/* NULL is allowed. */
void esf_state_abandon(struct esf_state_writer *writer);

/* Reading. */
enum esf_state_result {
	ESF_STATE_READ,
	ESF_STATE_ABSENT,
	ESF_STATE_REFUSED, /* error says why */
};

struct esf_state_image {
	int64_t time;
	uint64_t configuration;
	uint64_t size;  /* of the file */
	uint8_t *bytes; /* sections */
	uint64_t bytes_size;
};

enum esf_state_result esf_state_load(
    const char *path, struct esf_state_image *out, char error[ESF_STATE_ERROR_SIZE]);
/* The same of a file's bytes. */
enum esf_state_result esf_state_parse(
    const void *file, uint64_t size, struct esf_state_image *out, char error[ESF_STATE_ERROR_SIZE]);
void esf_state_image_free(struct esf_state_image *image);

/* The next section of what the reader has left; false: there is none, or it is bad. */
bool esf_state_next(
    struct esf_image_reader *in, enum esf_state_kind *kind, struct esf_image_reader *section);

/* Renames the file to FILE.refused-TIME; into is that name, 4200 bytes. 0 or -errno. */
int esf_state_set_aside(const char *path, char *into);

#endif

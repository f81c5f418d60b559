/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ESF_SPOOL_FILE_H
#define ESF_SPOOL_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * A spool's file: a page that says where the ring begins, then the ring, of which all blocks are
 * allocated when the file is made, so that a full disk is met then. In the machine's byte order.
 * One thread.
 */
enum {
	ESF_SPOOL_PAGE = 4096,
	ESF_SPOOL_RECORD_MAGIC = 0x52505345, /* "ESPR" */
};

/* In front of each record's lines. */
struct esf_spool_record {
	uint32_t magic;
	uint32_t size; /* of the lines */
	uint32_t points;
	uint32_t checksum; /* CRC-32 of the header without it, and of the lines */
	uint64_t number;   /* one more with each record */
};

uint32_t esf_spool_record_checksum(const struct esf_spool_record *header, const char *lines);

/* The oldest record: where it lies, and what of it was sent already. */
struct esf_spool_begin {
	uint64_t at;
	uint64_t number;
	uint32_t sent_size;
	uint32_t sent_points;
};

struct esf_spool_file {
	int fd; /* -1: none */
	uint64_t capacity;
	struct esf_spool_begin begin; /* as it was opened */
};

/* Makes a file that is not there. Of one that is, capacity is the file's own. 0 or -errno:
 * -EBADMSG: it is no spool or its page is damaged; -EWOULDBLOCK: another program has it. */
int esf_spool_file_open(struct esf_spool_file *file, const char *path, uint64_t capacity);
void esf_spool_file_close(struct esf_spool_file *file);

/* Offsets are in the ring. 0 or -errno. */
int esf_spool_file_write(struct esf_spool_file *file, uint64_t at, const void *from, size_t size);
int esf_spool_file_read(struct esf_spool_file *file, uint64_t at, void *into, size_t size);
int esf_spool_file_begin(struct esf_spool_file *file, const struct esf_spool_begin *begin);

/* Goes over the records from the oldest on, until one that is not whole or not the next. */
struct esf_spool_walk {
	struct esf_spool_begin begin;
	uint64_t count; /* records so far */
	uint64_t used;  /* bytes of them */
	uint64_t next;  /* where the last one ended */
};

struct esf_spool_found {
	uint64_t at;
	uint32_t size;
	uint32_t points;
};

/* scratch: a record's header and ESF_SPOOL_RECORD_MAX bytes. */
bool esf_spool_file_next(struct esf_spool_file *file, struct esf_spool_walk *walk, void *scratch,
    struct esf_spool_found *found);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ESF_SPOOL_H
#define ESF_SPOOL_H

#include <stddef.h>
#include <stdint.h>

/*
 * What waits to be sent: records of whole lines in a ring of so many bytes, in memory or in a file.
 * A record that finds no room takes that of the oldest ones. One thread.
 *
 * A take copies the oldest points out, and they stay until it is known what became of them:
 *
 *   esf_spool_take -> esf_spool_done (they are gone) or esf_spool_undo (they wait again)
 *
 * What is pushed out of the ring while it is taken counts as waiting until then.
 *
 * The file has the ring behind a page that says where it begins. Each record has a number and a
 * checksum, so that the next run finds what was waiting, also after a kill: what was sent and not
 * yet noted is sent again. It is not synced: a loss of power takes what the kernel had not written.
 */
enum { ESF_SPOOL_ERROR_SIZE = 256, ESF_SPOOL_RECORD_MAX = 1 << 15 };

struct esf_spool;

/*
 * capacity: bytes, at least 2 ESF_SPOOL_RECORD_MAX. file: NULL for memory; one of another capacity
 * is made anew with what it holds. 0, or -errno with the reason in error, ESF_SPOOL_ERROR_SIZE
 * bytes; -EBADMSG: the file is no spool, or is damaged.
 */
int esf_spool_open(uint64_t capacity, const char *file, struct esf_spool **out, char *error);
/* A file stays, with what waits in it. NULL is allowed. */
void esf_spool_close(struct esf_spool *spool);

/* Points that wait, those taken included. */
uint64_t esf_spool_points(const struct esf_spool *spool);
/* Bytes of the ring in use. */
uint64_t esf_spool_used(const struct esf_spool *spool);

/*
 * Whole lines, 1..ESF_SPOOL_RECORD_MAX bytes. 0 with *pushed the points that were waiting, not
 * taken, and had to go; -errno where the file can't be written: the record is not in it, but
 * *pushed are gone all the same.
 */
int esf_spool_add(
    struct esf_spool *spool, const char *lines, uint32_t size, uint32_t points, uint64_t *pushed);

/*
 * The oldest points, at most so many, into room bytes, at least ESF_SPOOL_RECORD_MAX. How many (0:
 * none waits), with *size their bytes; -errno where the file can't be read: *lost are points that
 * are not to be had again. None may be taken already.
 */
int64_t esf_spool_take(struct esf_spool *spool, uint32_t points_max, char *into, size_t room,
    size_t *size, uint64_t *lost);
void esf_spool_done(struct esf_spool *spool);
/* The points that were pushed out meanwhile. */
uint64_t esf_spool_undo(struct esf_spool *spool);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ESF_LINES_H
#define ESF_LINES_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Dedup of text lines that carry a timestamp: a bounded, set-associative memory of keyed 64-bit
 * fingerprints of site and line (fingerprint.h), each with the time it was first seen. The same
 * line of the same site again within line_window of that time is a duplicate.
 *
 * One per shard, owned by its lcore; nothing is allocated after creation. When a set is full the
 * oldest fingerprint of it is forgotten, and counted if it was still inside its window.
 *
 * A new line is taken for a duplicate only where a remembered fingerprint equals its own. With N
 * remembered inside their window (at most the capacity, and at most line_window x lines a second)
 * that is 2 N / 2^64 a line at most, whatever the lines: the key is secret. At R lines a second one
 * is lost every 2^64 / (2 N R) seconds: 100 days for N = 2^20 and R = 10^6, 100 years for R = 2700.
 * 16 bytes a fingerprint.
 */
struct esf_lines;

/* capacity: fingerprints remembered, rounded up to a power of two, at least 64. NULL when out of
 * memory. */
struct esf_lines *esf_lines_create(uint32_t capacity, const uint8_t key[16]);
/* With fingerprints of so many bits, at most 64, so that false duplicates can be counted in tests.
 */
struct esf_lines *esf_lines_create_narrow(uint32_t capacity, const uint8_t key[16], uint32_t bits);
void esf_lines_destroy(struct esf_lines *lines);

/*
 * True when the line was seen within window_ns before now (Unix ns): a duplicate; nothing is
 * changed then. False: it is new, and remembered from now on. site is part of the fingerprint.
 */
bool esf_lines_seen(struct esf_lines *lines, uint32_t site, const char *line, uint32_t length,
    int64_t now, int64_t window_ns);

/*
 * The same in two steps, so that others can be taken between them while what the second will ask
 * for is fetched: the line's fingerprint, and the question itself.
 */
uint64_t esf_lines_prepare(
    const struct esf_lines *lines, uint32_t site, const char *line, uint32_t length);
bool esf_lines_has_seen(
    struct esf_lines *lines, uint64_t fingerprint, int64_t now, int64_t window_ns);

/*
 * For a snapshot: fingerprints first seen since then (Unix ns) of so many sets from *at on, each
 * with its time; moves *at. False: those were the last ones.
 */
struct esf_image_writer;
bool esf_lines_write(const struct esf_lines *lines, uint64_t *at, uint32_t sets, int64_t since,
    struct esf_image_writer *out);
/* And back, with the key that it was made by. */
void esf_lines_restore(struct esf_lines *lines, uint64_t fingerprint, int64_t seen);

/* Fingerprints that were forgotten inside their window because their set was full. */
uint64_t esf_lines_forgotten(const struct esf_lines *lines);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ESF_KEYFILE_H
#define ESF_KEYFILE_H

#include <stddef.h>
#include <stdint.h>

#include "dataplane/seal.h"

/*
 * Reads a key file: 32 hexadecimal digits and at most one newline. It must be a regular file that
 * only its owner may touch (mode 0600 or less); what a symbolic link leads to is judged, not the
 * link. Any thread; opens the file, but never waits on one.
 *
 * 0 with the key in key, which the caller wipes; else -errno (-EACCES also where others may read
 * or write the file, -EINVAL where it is no key file) with key wiped and the reason in message, one
 * line that names the file and what mends it, never what is in it.
 */
int esf_keyfile_read(
    const char *path, uint8_t key[ESF_SEAL_KEY_SIZE], char *message, size_t message_size);

/*
 * A secret of one line of printable ASCII, such as a token, by the same rules for its file. line:
 * ESF_KEYFILE_LINE_SIZE bytes, without the line's end; the caller wipes it by esf_keyfile_wipe.
 * Empty where the result is not 0.
 */
enum { ESF_KEYFILE_LINE_SIZE = 4096 };

int esf_keyfile_read_line(const char *path, char *line, char *message, size_t message_size);
void esf_keyfile_wipe(char *line);

#endif

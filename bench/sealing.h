/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ESF_BENCH_SEALING_H
#define ESF_BENCH_SEALING_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "scenario.h"

/*
 * Seals ETD datagrams (CONTRACT 2.1) with OpenSSL, so that it proves the appliance's opener, which
 * is libipsec-mb's. One thread.
 */
enum { ESF_SEALING_KEY_SIZE = 16 }; /* bytes */

struct esf_sealing;

/*
 * path: one key file for all sites (32 hexadecimal digits), or a folder with NAME.key for each.
 * NULL with every reason printed to errors.
 */
struct esf_sealing *esf_sealing_create(
    const struct esf_scenario *scenario, const char *path, uint16_t key_id, FILE *errors);
void esf_sealing_destroy(struct esf_sealing *sealing);

/*
 * Seals the datagram of a site (index) in place: sets flag and key id, encrypts the records and
 * appends the tag, for which there is room behind size. False: OpenSSL would not.
 */
bool esf_sealing_seal(
    struct esf_sealing *sealing, uint32_t site, uint8_t *datagram, uint32_t *size);

/* The same with a key at hand. */
bool esf_sealing_seal_with(
    const uint8_t key[ESF_SEALING_KEY_SIZE], uint16_t key_id, uint8_t *datagram, uint32_t *size);

#endif

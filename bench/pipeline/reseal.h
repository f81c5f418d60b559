/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ESF_BENCH_RESEAL_H
#define ESF_BENCH_RESEAL_H

#include <stdbool.h>
#include <stdint.h>

#include "control/config/config.h"

/*
 * Seals ETD datagrams anew, once they are stamped: AES-128-GCM by libipsec-mb (CONTRACT 2.1), the
 * fastest there is here, since it runs on the lcore that is measured. One thread.
 */
struct esf_reseal;

/* The first key of each site, read from its file. 0, -EINVAL (a site without one, or one that
 * can't be read), -ENOMEM, -ENOTSUP. */
int esf_reseal_create(const struct esf_config *config, struct esf_reseal **out);
void esf_reseal_destroy(struct esf_reseal *reseal);

/* Opens the records of a whole datagram into plain, by its site's key. False: the seal is wrong, or
 * the site not ours. */
bool esf_reseal_open(
    struct esf_reseal *reseal, const uint8_t *datagram, uint32_t size, uint8_t *plain);

/* Writes plain, sealed, behind the header of a datagram of that size in all, and the tag. */
void esf_reseal_seal(struct esf_reseal *reseal, uint32_t site_index, const uint8_t *plain,
    uint8_t *datagram, uint32_t size);

#endif

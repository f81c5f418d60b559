/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ESF_CONFIG_SCALAR_H
#define ESF_CONFIG_SCALAR_H

#include "schema.h"

/* Values of one word, and the words for what a key takes. */

/* What the key takes, in words; perhaps written to buffer (mappings and lists use none). */
const char *esf_scalar_want(const struct esf_key *key, char buffer[ESF_WANT_SIZE]);

/* Reads a boolean, integer, number or duration into slot (NULL: only checks it). Whether it was
 * taken. */
bool esf_scalar_read(yaml_node_t *node, const struct esf_key *key, void *slot);

/* Copies size bytes to slot, unless that is NULL. */
void esf_scalar_store(void *slot, const void *value, size_t size);

#endif

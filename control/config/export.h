/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ESF_CONFIG_EXPORT_H
#define ESF_CONFIG_EXPORT_H

#include "file.h"
#include "schema.h"

/* The targets that windows are pushed to: defaults, values, what repeats, and how they print. */

enum { ESF_EXPORTS_MAX = 8 };

void esf_export_prepare(void *slot); /* struct esf_export_config */

/* http://HOST... or https://HOST..., without a user, a password, or another precision than ns. */
esf_text_check esf_check_export_url;

/* uint64_t bytes: 64KiB, 64MiB, 2GiB; 64KiB..64GiB. */
esf_node_setter esf_set_spool_size;

/* After the KPIs are known. */
void esf_export_check(struct esf_load *load, struct esf_file *file);

void esf_print_export(FILE *out, const struct esf_config *config);

#endif

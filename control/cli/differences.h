/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ESF_CLI_DIFFERENCES_H
#define ESF_CLI_DIFFERENCES_H

#include <stdio.h>

#include <jansson.h>

/* The API's `differences` of a compared reload, a line each; nothing for NULL. */
void esf_show_differences(FILE *out, const json_t *differences);

#endif

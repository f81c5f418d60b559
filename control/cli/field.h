/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ESF_FIELD_H
#define ESF_FIELD_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

/*
 * Fields of the API's documents. What is missing, null or of another type is NaN, 0, false or "-":
 * an older or newer server may lack a field.
 */
double esf_field_real(const json_t *document, const char *key);
int64_t esf_field_count(const json_t *document, const char *key);
bool esf_field_bool(const json_t *document, const char *key);
const char *esf_field_text(const json_t *document, const char *key);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#include "control/cli/field.h"

#include <math.h>

double esf_field_real(const json_t *document, const char *key)
{
	const json_t *value = json_object_get(document, key);

	return json_is_number(value) ? json_number_value(value) : NAN;
}

int64_t esf_field_count(const json_t *document, const char *key)
{
	return json_integer_value(json_object_get(document, key));
}

bool esf_field_bool(const json_t *document, const char *key)
{
	return json_is_true(json_object_get(document, key));
}

const char *esf_field_text(const json_t *document, const char *key)
{
	const char *text = json_string_value(json_object_get(document, key));

	return text != NULL ? text : "-";
}

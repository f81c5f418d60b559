/* SPDX-License-Identifier: Apache-2.0 */
#include "control/cli/absent.h"

#include <math.h>
#include <string.h>

#include "control/cli/field.h"
#include "control/cli/text.h"

void esf_absent_start(struct esf_absent *absent)
{
	absent->count = 0;
	absent->size = 0;
	absent->names[0] = '\0';
}

static void note(struct esf_absent *absent, const char *name)
{
	size_t room = sizeof(absent->names) - absent->size;
	int size = snprintf(
	    absent->names + absent->size, room, "%s%s", absent->count == 0 ? "" : ", ", name);

	absent->count++;
	absent->size += (size_t)size < room ? (size_t)size : room - 1;
}

bool esf_absent_takes(
    struct esf_absent *absent, const char *name, const json_t *kpi, const json_t *weights)
{
	bool scored = esf_field_real(weights, name) > 0;
	bool has_records =
	    esf_field_count(kpi, "samples") != 0 || esf_field_count(kpi, "refused") != 0;

	if (scored || has_records || !isnan(esf_field_real(kpi, "mean")))
		return false;
	note(absent, name);
	return true;
}

void esf_absent_finish(const struct esf_absent *absent, FILE *out)
{
	char line[sizeof(absent->names) + 64];

	if (absent->count == 0)
		return;
	snprintf(line, sizeof(line), "%u KPI%s without data: %s", absent->count,
	    absent->count == 1 ? "" : "s", absent->names);
	esf_text_put(out, line, ESF_TEXT_COLUMNS);
	fputc('\n', out);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "control/export/outcome.h"

#include <stdlib.h>
#include <string.h>

/*
 * What a server answers: status (2 bytes), points (2 bytes), text. No more is refused than there
 * was, and what it said is one line.
 */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(int right)
{
	if (!right)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char text[2048], said[100];
	uint32_t points, refused;
	enum esf_outcome_kind kind;
	long status;

	if (size < 4 || size - 4 >= sizeof(text))
		return 0;
	status = data[0] | data[1] << 8;
	points = 1 + (uint32_t)(data[2] | data[3] << 8);
	memcpy(text, data + 4, size - 4);
	text[size - 4] = '\0';
	kind = esf_outcome_judge(status, text, points, &refused);
	check(refused <= points && (kind == ESF_OUTCOME_PARTLY) == (refused > 0));
	check((kind == ESF_OUTCOME_TAKEN) == (status >= 200 && status < 300));
	esf_outcome_said(text, said, sizeof(said));
	check(strlen(said) < sizeof(said));
	for (const char *c = said; *c != '\0'; c++)
		check((unsigned char)*c >= ' ' && *c != 0x7f);
	return 0;
}

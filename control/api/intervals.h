/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ESF_API_INTERVALS_H
#define ESF_API_INTERVALS_H

#include "control/api/answers.h"
#include "control/fleet/intervals.h"

/*
 * What questions about intervals have in common: scope=fleet|region:NAME|site:NAME (default fleet)
 * and interval=1m. HTTP's thread, offline.
 */
enum { ESF_API_DURATION_SIZE = 32 };

struct esf_api_scope {
	enum esf_interval_level level;
	uint32_t place;   /* index of the region or site */
	uint32_t site_id; /* 0: of a site that has none */
	const char *text; /* as asked for */
};

/* 0, or -1 with the reply set. Takes RCU's read lock itself. */
int esf_api_scope_find(const struct esf_answer *answer, struct esf_api_scope *out);

/* The first one where none is asked for. 0, or -1 with the reply set. With the intervals' lock. */
int esf_api_interval_find(const struct esf_answer *answer, uint32_t *out);

/* "15m"; returns buffer, of ESF_API_DURATION_SIZE bytes. */
const char *esf_api_duration(int64_t ns, char *buffer);

/* null for what is not finite. */
json_t *esf_api_number(double value);

#endif

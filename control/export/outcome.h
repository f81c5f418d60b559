/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ESF_OUTCOME_H
#define ESF_OUTCOME_H

#include <stdint.h>

/*
 * What a server's answer to a batch of points means. Pure; any thread.
 *
 *   TAKEN    2xx
 *   PARTLY   InfluxDB took all but *refused of them, for good: a field of another type, older than
 * its retention REFUSED  400, 413, 422: the batch as it is can't be taken, ever. A part of it may:
 * which, only asking by parts tells LATER    all else: no answer, 401, 403, 404, 408, 429, 5xx ...
 * is the server's or the configuration's matter, and may be mended. So is the 400 that
 * VictoriaMetrics says of a path, its vmauth of a token
 */
enum esf_outcome_kind {
	ESF_OUTCOME_TAKEN,
	ESF_OUTCOME_PARTLY,
	ESF_OUTCOME_REFUSED,
	ESF_OUTCOME_LATER,
	ESF_OUTCOME_KINDS,
};

/* status: HTTP's, 0: none came. text: the answer's begin, terminated. points: of the batch. */
enum esf_outcome_kind esf_outcome_judge(
    long status, const char *text, uint32_t points, uint32_t *refused);

/*
 * One line of what the server said: its JSON's "error", else its text, cut, without control
 * characters. Returns buffer.
 */
const char *esf_outcome_said(const char *text, char *buffer, uint32_t size);

#endif

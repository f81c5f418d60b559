/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ESF_TELEMETRY_H
#define ESF_TELEMETRY_H

#include "control/api/http.h"

/*
 * The commands on DPDK's telemetry socket (dpdk-telemetry.py):
 *
 *   /estream/ledger[,SITE]    what became of every datagram and record, or of one site's
 *   /estream/fleet[,REGION]   the fleet's summary in the latest closed window, or a region's
 *
 * They answer the API's documents, as far as the socket can carry them: a number that is not a
 * count is text, as are true and false; a list of objects is an object of theirs by position, from
 * "0" on; other lists, nulls and keys with other characters than letters, digits, _ and / are left
 * out, and so is what is beyond the socket's 16 KiB or 256 members of an object; a character beyond
 * ASCII becomes question marks.
 */

/* Main thread, after rte_eal_init; once. *sources is copied. 0 or -errno. */
int esf_telemetry_start(const struct esf_api_sources *sources);

/* From its return on the commands answer an error, and nothing of the sources is read. Any thread.
 */
void esf_telemetry_stop(void);

#endif

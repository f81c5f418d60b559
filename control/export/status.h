/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ESF_EXPORT_STATUS_H
#define ESF_EXPORT_STATUS_H

#include "control/config/config.h"

/*
 * What became of a server's points, as the API and the metrics show it:
 *
 *   produced + recovered = sent + queued + no_room + refused + lost, at all times
 */
enum { ESF_TARGET_ERROR_SIZE = 512 };

struct esf_target_status {
	char name[64];
	char url[2049];
	char spool_file[4096]; /* "": in memory */
	bool levels[ESF_EXPORT_LEVELS];
	bool well; /* the last request was answered, and with neither an error nor a try-later */
	uint64_t produced;  /* points, as all of these */
	uint64_t recovered; /* found in the file when it was opened */
	uint64_t sent;
	uint64_t queued;
	uint64_t no_room; /* dropped: pushed out of the spool by younger ones */
	uint64_t refused; /* dropped: the server can't take them */
	uint64_t lost;    /* dropped: want of memory, a spool that can't be written, the end */
	uint64_t requests;
	uint64_t failures;                   /* requests that have to be made again */
	uint64_t spool_used, spool_size;     /* bytes */
	int64_t last_sent;                   /* Unix ns, 0: never */
	char error[ESF_TARGET_ERROR_SIZE];   /* of the last failure; "": none yet, or it is over */
	char refusal[ESF_TARGET_ERROR_SIZE]; /* why points were refused last; "": none were */
};

#endif

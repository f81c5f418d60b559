/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ESF_COUNTER_H
#define ESF_COUNTER_H

#include <stdbool.h>
#include <stdint.h>

#include "limits.h"

/*
 * Increases of one counter (one site, one KPI), CONTRACT 4.3: the increase from one sample to the
 * next belongs to the window of the later one; a value below the one before is a reset, and itself
 * the increase; the first sample ever contributes none.
 *
 * Samples may arrive out of order, and the sum must not depend on it. So the last ESF_COUNTER_TAIL
 * samples are kept in the order of their time; an increase is final when its later sample leaves
 * that tail. A sample older than a full tail is taken for one of a counter that only rose there: it
 * changes nothing.
 *
 * Owner: the shard that owns the site. Nothing is allocated.
 */
struct esf_counter_sample {
	int64_t time;   /* Unix ns */
	int64_t window; /* its index */
	double value;
};

struct esf_counter {
	uint32_t count; /* samples in the tail */
	uint32_t reserved;
	/* ascending by time, equal times in order of arrival; one more than is kept, to insert into
	 */
	struct esf_counter_sample tail[ESF_COUNTER_TAIL + 1];
};

/* What a sample changed: an increase that became final, and the windows whose pending sum is
 * another now. */
struct esf_counter_change {
	bool is_final; /* final_increase is to be added to window final_window's sum */
	int64_t final_window;
	double final_increase;
	bool follower; /* the increase of the sample that follows changed too, in follower_window */
	int64_t follower_window;
};

/* The increase from one value to the next. */
double esf_counter_increase(double before, double after);

void esf_counter_add(struct esf_counter *counter, int64_t time, int64_t window, double value,
    struct esf_counter_change *change);

/* Sum of the increases still in the tail that belong to the window. */
double esf_counter_pending(const struct esf_counter *counter, int64_t window);

#endif

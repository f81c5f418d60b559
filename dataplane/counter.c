/* SPDX-License-Identifier: Apache-2.0 */
#include "counter.h"

#include <string.h>

double esf_counter_increase(double before, double after)
{
	return after < before ? after : after - before;
}

/* Takes the oldest sample out of an overfull tail: the increase that leads from it to the next is
 * final. */
static void tail_retire(struct esf_counter *counter, struct esf_counter_change *change)
{
	change->is_final = true;
	change->final_window = counter->tail[1].window;
	change->final_increase =
	    esf_counter_increase(counter->tail[0].value, counter->tail[1].value);
	counter->count--;
	memmove(&counter->tail[0], &counter->tail[1], counter->count * sizeof(counter->tail[0]));
}

void esf_counter_add(struct esf_counter *counter, int64_t time, int64_t window, double value,
    struct esf_counter_change *change)
{
	uint32_t at = counter->count;

	*change = (struct esf_counter_change){ 0 };
	while (at > 0 && time < counter->tail[at - 1].time)
		at--;
	if (at == 0 && counter->count == ESF_COUNTER_TAIL)
		return;
	if (at < counter->count) {
		change->follower = true;
		change->follower_window = counter->tail[at].window;
		memmove(&counter->tail[at + 1], &counter->tail[at],
		    (counter->count - at) * sizeof(counter->tail[0]));
	}
	counter->tail[at] = (struct esf_counter_sample){ time, window, value };
	counter->count++;
	if (counter->count > ESF_COUNTER_TAIL)
		tail_retire(counter, change);
}

double esf_counter_pending(const struct esf_counter *counter, int64_t window)
{
	double sum = 0.0;

	for (uint32_t i = 1; i < counter->count; i++)
		if (counter->tail[i].window == window)
			sum += esf_counter_increase(
			    counter->tail[i - 1].value, counter->tail[i].value);
	return sum;
}

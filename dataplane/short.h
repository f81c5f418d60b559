/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ESF_SHORT_H
#define ESF_SHORT_H

#include <stdbool.h>
#include <stdint.h>

#include "names.h"
#include "site.h"
#include "storm.h"
#include "window.h"

/* What the short way of ETD datagrams (take_short.h) knows of a pass, and what it is told of a
 * site. All is the owner's. */
struct esf_shard;

/* What the datagrams that go the short way have in common in a pass, and what is counted once for
 * all of a burst; see take_short.h. */
struct esf_short {
	uint64_t listeners; /* bit i: what that one hears goes the short way, if it is usual */
	uint16_t turn;
	const struct esf_gauge_rule *gauges;
	const struct esf_storm_limits *limits;
	int64_t start;     /* Unix ns, of the current window */
	uint64_t usual_us; /* from it on, what is neither behind it nor in the future */
	uint32_t datagrams;
	uint32_t records;
	uint32_t others; /* of these: not usual, and counted where they are taken */
};

/*
 * Of a site: `close` writes what the short way took of its stream back to the stream, and has to
 * come before anybody asks the stream; `open`, of the stream at the front, after. `forget`: its
 * aliases may mean something else than they did. `renew` makes the current window the recent one,
 * listed to be published; false: there is no room. `learn`: of a clock, where the skew's generation
 * is over.
 */
void esf_short_close(const struct esf_shard *shard, struct esf_site *site);
void esf_short_open(const struct esf_shard *shard, struct esf_site *site);
static inline void esf_short_forget(struct esf_site *site)
{
	site->rules_generation = 0;
	site->turn = 0;
}
bool esf_short_renew(struct esf_shard *shard, struct esf_site *site);
void esf_short_learn(struct esf_site *site, int64_t time, int64_t arrival);
/* The first good sample of a KPI in its window. */
void esf_short_add_first(struct esf_shard *shard, struct esf_window *window, uint32_t measure,
    double value, uint32_t offset_us);

#endif

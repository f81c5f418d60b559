/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ESF_STORM_H
#define ESF_STORM_H

#include <stdbool.h>
#include <stdint.h>

/*
 * When a site, or the fleet, sends more than it may (CONTRACT 4.9): a token bucket and a state
 * machine for each site, and a state machine for the fleet. Pure: who calls says what time it is.
 * Times are Unix ns and never go back, rates are datagrams/s.
 *
 *   a datagram of a site                                 now and then, at least once an epoch
 *     if (esf_storm_slot_is_over(&site, now)) {            esf_storm_site_judge(&site, limits,
 * now); esf_storm_site_judge(&site, limits, now); esf_storm_site_start_slot(&site, now);
 *     }
 *     token = esf_storm_site_take(&site, limits, now);
 *
 * The bucket is kept filled and emptied at all times, and its answer counts only in a storm.
 */
enum {
	ESF_STORM_SLOT_NS = 1000000000, /* what a rate is measured over */
	ESF_STORM_TOKEN =
	    1000000000, /* what a datagram costs, in the bucket's unit of 1e-9 datagrams */
};

struct esf_storm_limits {
	uint32_t site_rate;
	uint32_t fleet_enter;
	uint32_t fleet_exit;
	uint64_t burst;  /* what a full bucket holds, 1e-9 datagrams */
	int64_t fill_ns; /* an empty bucket is full again after that long */
	int64_t min_hold_ns;
};

/* All arguments in the configuration's bounds: rates and the burst 1..1e9. */
struct esf_storm_limits esf_storm_limits(uint32_t site_rate, uint32_t site_burst,
    uint32_t fleet_enter, uint32_t fleet_exit, int64_t min_hold_ns);

/*
 * One site's. All zero is a site never heard of, with a full bucket. Time is measured in slots of a
 * second, each begun by a datagram; between them nothing came.
 */
struct esf_storm_site {
	uint64_t spent;      /* what the bucket lacks, 1e-9 datagrams */
	int64_t refilled;    /* when `spent` was right */
	int64_t slot_end;    /* of the running slot */
	int64_t above_until; /* while storming: end of the last slot above site_rate */
	uint32_t offered;    /* datagrams in the running slot; 0: none runs */
	bool storming;
	bool listed; /* by the shard, among those that storm */
};

static inline bool esf_storm_slot_is_over(const struct esf_storm_site *site, int64_t now)
{
	return now >= site->slot_end;
}

/*
 * Judges a slot that is over, and ends a storm whose every slot stayed at or below site_rate for
 * min_hold. What a slot says does not depend on when it is judged.
 */
void esf_storm_site_judge(
    struct esf_storm_site *site, const struct esf_storm_limits *limits, int64_t now);

static inline void esf_storm_site_start_slot(struct esf_storm_site *site, int64_t now)
{
	site->slot_end = now + ESF_STORM_SLOT_NS;
	site->offered = 0;
}

/* Counts a datagram and takes its token; false: there was none. */
bool esf_storm_site_take(
    struct esf_storm_site *site, const struct esf_storm_limits *limits, int64_t now);

/* The fleet's, from readings of how many datagrams all sites have offered so far. Starts all zero.
 */
struct esf_storm_fleet {
	int64_t next_read; /* not before; 0: nothing was read yet */
	int64_t read_at;
	int64_t above_until; /* while storming: the last reading not below fleet_exit */
	uint64_t offered;    /* as read */
	bool storming;
};

void esf_storm_fleet_read(struct esf_storm_fleet *fleet, const struct esf_storm_limits *limits,
    int64_t now, uint64_t offered);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#include "storm.h"

#define NS_PER_S UINT64_C(1000000000)

struct esf_storm_limits esf_storm_limits(uint32_t site_rate, uint32_t site_burst,
    uint32_t fleet_enter, uint32_t fleet_exit, int64_t min_hold_ns)
{
	uint64_t burst = (uint64_t)site_burst * ESF_STORM_TOKEN;

	return (struct esf_storm_limits){
		.site_rate = site_rate,
		.fleet_enter = fleet_enter,
		.fleet_exit = fleet_exit,
		.burst = burst,
		.fill_ns = (int64_t)((burst + site_rate - 1) / site_rate),
		.min_hold_ns = min_hold_ns,
	};
}

void esf_storm_site_judge(
    struct esf_storm_site *site, const struct esf_storm_limits *limits, int64_t now)
{
	if (site->offered > 0 && esf_storm_slot_is_over(site, now)) {
		if (site->offered > limits->site_rate) {
			site->storming = true;
			site->above_until = site->slot_end;
		}
		site->offered = 0;
	}
	if (site->storming && site->offered == 0 && now - site->above_until >= limits->min_hold_ns)
		site->storming = false;
}

/*
 * A nanosecond brings site_rate units of 1e-9 datagrams: no division, no remainder. Below fill_ns
 * the product stays below burst + site_rate, which is at most 1e18 + 1e9.
 */
static void refill(struct esf_storm_site *site, const struct esf_storm_limits *limits, int64_t now)
{
	int64_t elapsed = now - site->refilled;
	uint64_t gained;

	site->refilled = now;
	if (elapsed >= limits->fill_ns) {
		site->spent = 0;
		return;
	}
	gained = (uint64_t)elapsed * limits->site_rate;
	site->spent = site->spent > gained ? site->spent - gained : 0;
}

inline bool esf_storm_site_take(
    struct esf_storm_site *site, const struct esf_storm_limits *limits, int64_t now)
{
	site->offered += site->offered < UINT32_MAX;
	refill(site, limits, now);
	if (site->spent + ESF_STORM_TOKEN > limits->burst)
		return false;
	site->spent += ESF_STORM_TOKEN;
	return true;
}

void esf_storm_fleet_read(struct esf_storm_fleet *fleet, const struct esf_storm_limits *limits,
    int64_t now, uint64_t offered)
{
	unsigned __int128 came = (unsigned __int128)(offered - fleet->offered) * NS_PER_S;
	uint64_t elapsed = (uint64_t)(now - fleet->read_at);
	bool first = fleet->next_read == 0;

	fleet->offered = offered;
	fleet->read_at = now;
	fleet->next_read = now + ESF_STORM_SLOT_NS;
	if (first)
		return;
	if (came > (unsigned __int128)elapsed * limits->fleet_enter)
		fleet->storming = true;
	if (came >= (unsigned __int128)elapsed * limits->fleet_exit)
		fleet->above_until = now;
	else if (fleet->storming && now - fleet->above_until >= limits->min_hold_ns)
		fleet->storming = false;
}

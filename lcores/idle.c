/* SPDX-License-Identifier: Apache-2.0 */
#include "idle.h"

enum {
	PASSES_YIELD = 16, /* before an lcore gives way */
	PASSES_SLEEP = 8,
	PASSES_SHARED = 64,
	SHARED_US = 50,
	PASSES_MANY = 1 << 20, /* as good as any more */
};

const char *const esf_idle_names[] = {
	[ESF_IDLE_AUTO] = "auto",
	[ESF_IDLE_POLL] = "poll",
	[ESF_IDLE_YIELD] = "yield",
	[ESF_IDLE_SLEEP] = "sleep",
};

void esf_idle_start(
    struct esf_idle *idle, enum esf_idle_policy policy, bool shares_cpu, uint32_t max_sleep_us)
{
	*idle = (struct esf_idle){ 0 };
	if (policy == ESF_IDLE_YIELD || (policy == ESF_IDLE_AUTO && shares_cpu))
		idle->yield_after = PASSES_YIELD;
	if (policy == ESF_IDLE_AUTO && shares_cpu) {
		idle->sleep_after = PASSES_SHARED;
		idle->sleep_us_min = SHARED_US;
		idle->sleep_us_max = SHARED_US;
	} else if (policy == ESF_IDLE_SLEEP) {
		idle->sleep_after = PASSES_SLEEP;
		idle->sleep_us_min = ESF_IDLE_SLEEP_US_MIN;
		idle->sleep_us_max = max_sleep_us;
	}
	idle->sleep_us = idle->sleep_us_min;
}

static void settle_sleep(struct esf_idle *idle)
{
	if (idle->found > ESF_IDLE_BATCH)
		idle->sleep_us /= 2;
	else if (idle->found < ESF_IDLE_BATCH / 2)
		idle->sleep_us *= 2;
	if (idle->sleep_us < idle->sleep_us_min)
		idle->sleep_us = idle->sleep_us_min;
	if (idle->sleep_us > idle->sleep_us_max)
		idle->sleep_us = idle->sleep_us_max;
	idle->found = 0;
}

enum esf_idle_step esf_idle_empty(struct esf_idle *idle)
{
	if (idle->empty < PASSES_MANY)
		idle->empty++;
	if (idle->sleep_after != 0 && idle->empty >= idle->sleep_after) {
		settle_sleep(idle);
		return ESF_IDLE_NAP;
	}
	if (idle->yield_after != 0 && idle->empty >= idle->yield_after)
		return ESF_IDLE_GIVE_WAY;
	return ESF_IDLE_PAUSE;
}

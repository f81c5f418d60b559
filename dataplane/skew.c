/* SPDX-License-Identifier: Apache-2.0 */
#include "skew.h"

#include <stdbool.h>

static int64_t difference(int64_t time, int64_t arrival)
{
	int64_t result;

	if (!__builtin_sub_overflow(time, arrival, &result) && result != ESF_SKEW_UNKNOWN)
		return result;
	return time < arrival ? INT64_MIN + 1 : INT64_MAX;
}

static __attribute__((cold)) void next_generation(struct esf_skew *skew, int64_t arrival)
{
	bool follows = skew->until != 0 && arrival - skew->until < ESF_SKEW_GENERATION_NS;

	skew->former = follows ? skew->best : ESF_SKEW_UNKNOWN;
	skew->best = ESF_SKEW_UNKNOWN;
	skew->until = arrival > INT64_MAX - ESF_SKEW_GENERATION_NS
	                  ? INT64_MAX
	                  : arrival + ESF_SKEW_GENERATION_NS;
}

void esf_skew_learn(struct esf_skew *skew, int64_t time, int64_t arrival)
{
	int64_t ahead = difference(time, arrival);

	if (arrival >= skew->until)
		next_generation(skew, arrival);
	if (ahead > skew->best)
		skew->best = ahead;
}

int64_t esf_skew_estimate(const struct esf_skew *skew)
{
	if (skew->until == 0)
		return ESF_SKEW_UNKNOWN;
	return skew->former > skew->best ? skew->former : skew->best;
}

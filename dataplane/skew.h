/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ESF_SKEW_H
#define ESF_SKEW_H

#include <stdint.h>

/*
 * How far a sender's clock is ahead of ours, as seen one way: the largest (its time - arrival) over
 * the current and the former generation of 60 s. What was least delayed says most, so the estimate
 * is behind the truth by the shortest delay on the way. Zeroed: nothing learned. Owner thread.
 */
#define ESF_SKEW_GENERATION_NS INT64_C(60000000000)
#define ESF_SKEW_UNKNOWN INT64_MIN

struct esf_skew {
	int64_t until;  /* Unix ns: end of the current generation; 0: nothing learned */
	int64_t best;   /* ns, of the current generation */
	int64_t former; /* ns, or ESF_SKEW_UNKNOWN */
};

/* Both in Unix ns; arrival > 0. A difference that has no place in 64 bits is the nearest that has.
 */
void esf_skew_learn(struct esf_skew *skew, int64_t time, int64_t arrival);

/* ns, or ESF_SKEW_UNKNOWN. */
int64_t esf_skew_estimate(const struct esf_skew *skew);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ESF_PEERS_H
#define ESF_PEERS_H

#include <stdint.h>

/*
 * One KPI among a site's peers: modified Z scores, CONTRACT 4.6 (Iglewicz and Hoaglin 1993; where
 * more than half of the values are the same, the mean absolute deviation in the MAD's place, as in
 * IBM's form of it). Pure functions; any thread.
 */
struct esf_peers {
	uint32_t count;   /* peers with data, the site itself included */
	double median;    /* of an even count the mean of the two in the middle; NaN: none */
	double mad;       /* median of |x - median| */
	double mean_ad;   /* mean of |x - median|; set only where the MAD is 0 */
	double threshold; /* an |M| above it is far out; infinite where there is no verdict */
};

/* Of count finite values, which are overwritten. Linear in count. threshold is left 0. */
void esf_peers_measure(double *values, uint32_t count, struct esf_peers *out);

/* M of a value: 0.6745 (x - median) / MAD; MAD 0: (x - median) / (1.253314 mean_ad); that 0: 0. */
double esf_peers_score(const struct esf_peers *peers, double x);

/*
 * fleetwise: the threshold by the number of peers with which normal data raise a false flag in
 * about 1% of the rounds. Linear between the table's entries, the nearest one's outside of them.
 * tests/data/fleetwise_table.py simulates it.
 */
double esf_peers_fleetwise(uint32_t count);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ESF_CONTROL_POLICY_H
#define ESF_CONTROL_POLICY_H

#include <stdio.h>

#include "control/config/config.h"
#include "dataplane/plane.h"

/*
 * What a configuration asks of the dataplane: the policy that shards follow and the plane's sizes.
 * Control thread.
 */

/* The policy in force and what it was made of. */
struct esf_policy_former {
	const struct esf_config *config;
	const struct esf_policy *policy;
};

/*
 * Compiles the policy for so many shards; hash_key keys its tables. With a former one it is its
 * successor: the next revision, listeners' indexes kept, and rules and signatures that did not
 * change shared with it. 0, -ENOMEM, or -EINVAL after a line to errors (a rule that Hyperscan takes
 * alone but not together with the others, a key that can't be read, too many listeners).
 */
int esf_policy_create(const struct esf_config *config, const struct esf_policy_former *former,
    uint32_t shards_count, const uint8_t hash_key[16], struct esf_policy **out, FILE *errors);

/* All of it but what it shares with another one, if that is given. */
void esf_policy_destroy(struct esf_policy *policy, const struct esf_policy *sharer);

/* The plane's options, but for what the plan decides: shards_count, owners, owner_is_receiver. */
struct esf_plane_options esf_policy_plane_options(
    const struct esf_config *config, const uint8_t hash_key[16]);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ESF_CONFIG_PROFILE_H
#define ESF_CONFIG_PROFILE_H

#include <stdint.h>

#include "config.h"

enum { ESF_PROFILES_COUNT = ESF_PROFILE_XLARGE + 1 };

/* The smallest profile after `profile` whose bound at offset (of a uint32_t member) takes count;
 * NULL: none. */
const struct esf_profile_limits *esf_profile_above(
    enum esf_profile profile, size_t offset, uint32_t count);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ESF_CONFIG_LOAD_H
#define ESF_CONFIG_LOAD_H

#include <stddef.h>

#include "config.h"

/* As esf_config_load, from memory; path only stands in the messages. */
int esf_config_load_memory(const char *path, const char *data, size_t size, struct esf_config **out,
    struct esf_faults *faults);

#endif

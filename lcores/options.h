/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ESF_LCORES_OPTIONS_H
#define ESF_LCORES_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "dataplane/frame.h"
#include "idle.h"

/*
 * What the configuration says about lcores and ports; immutable, the caller's, and alive as long as
 * anything that was made from it.
 */
struct esf_launch_port {
	uint16_t port; /* DPDK's port id */
	struct esf_frame_addresses addresses;
};

struct esf_launch_options {
	const char *program; /* begins every message */
	uint32_t eal_count;
	char *const *eal; /* EAL's arguments, without a program name */
	bool lcores_auto;
	uint32_t lcores_count; /* data lcores, where not auto */
	const uint32_t *lcores;
	uint32_t
	    receive_only_count; /* of the data lcores: those that poll ports and own no sites */
	const uint32_t *receive_only;
	uint32_t ports_count;
	const struct esf_launch_port *ports;
	enum esf_idle_policy idle;
	uint32_t max_sleep_us; /* policy sleep: ESF_IDLE_SLEEP_US_MIN..ESF_IDLE_SLEEP_US_MAX */
	int64_t epoch_ns;      /* how often esf_launch_tick is called */
};

#endif

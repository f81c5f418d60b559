/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ESF_LCORES_PLAN_PORT_H
#define ESF_LCORES_PLAN_PORT_H

#include "plan.h"

/* Part of esf_plan_make: what DPDK's port options->ports[index] can do, as the plan's next port. */
int esf_plan_port(const struct esf_launch_options *options, uint32_t index, uint32_t receivers,
    struct esf_plan *plan, FILE *errors);

/* Whether the driver copies its capture into our mbufs and keeps them (net_pcap). */
bool esf_plan_port_preloads(const struct esf_plan_port *port);

#endif

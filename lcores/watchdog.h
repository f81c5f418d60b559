/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ESF_LCORES_WATCHDOG_H
#define ESF_LCORES_WATCHDOG_H

#include <stdint.h>

#include "dataplane/limits.h"

/*
 * Notices lcores that no longer come round, with rte_keepalive: each lcore marks itself once a
 * pass, the control thread pings. An lcore that was not seen between two pings is stuck until it is
 * seen again. Nothing is done about it: it is reported.
 */
struct esf_watchdog;
struct rte_keepalive;

/* Set-up, after the EAL. lcores: those to watch, lcore i bit i of the answer. NULL: out of memory.
 */
struct esf_watchdog *esf_watchdog_create(const uint32_t *lcores, uint32_t count);
void esf_watchdog_destroy(struct esf_watchdog *watchdog);

/* What a watched lcore hands to rte_keepalive_mark_alive. */
struct rte_keepalive *esf_watchdog_keepalive(struct esf_watchdog *watchdog);

/* Control thread: pings, and returns the stuck lcores, bit i for lcores[i]. */
uint64_t esf_watchdog_ping(struct esf_watchdog *watchdog);

#endif

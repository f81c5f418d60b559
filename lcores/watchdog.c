/* SPDX-License-Identifier: Apache-2.0 */
#include "watchdog.h"

#include <stdlib.h>

#include <rte_keepalive.h>
#include <rte_malloc.h>

/* Owner: the control thread. */
struct esf_watchdog {
	struct rte_keepalive *keepalive;
	uint8_t index_at[RTE_MAX_LCORE];
	uint64_t stuck;
};

/* Called within rte_keepalive_dispatch_pings, for each watched lcore. */
static void note_state(
    void *context, const int lcore, const enum rte_keepalive_state state, uint64_t last_seen)
{
	struct esf_watchdog *watchdog = context;
	uint64_t bit = UINT64_C(1) << watchdog->index_at[lcore];

	(void)last_seen;
	if (state == RTE_KA_STATE_DEAD || state == RTE_KA_STATE_GONE)
		watchdog->stuck |= bit;
	else
		watchdog->stuck &= ~bit;
}

/* rte_keepalive asks for one; note_state hears of it too. */
static void ignore_failure(void *context, const int lcore)
{
	(void)context;
	(void)lcore;
}

struct esf_watchdog *esf_watchdog_create(const uint32_t *lcores, uint32_t count)
{
	struct esf_watchdog *watchdog = calloc(1, sizeof(*watchdog));

	if (watchdog == NULL)
		return NULL;
	watchdog->keepalive = rte_keepalive_create(ignore_failure, NULL);
	if (watchdog->keepalive == NULL) {
		free(watchdog);
		return NULL;
	}
	rte_keepalive_register_relay_callback(watchdog->keepalive, note_state, watchdog);
	for (uint32_t i = 0; i < count; i++) {
		watchdog->index_at[lcores[i]] = (uint8_t)i;
		rte_keepalive_register_core(watchdog->keepalive, (int)lcores[i]);
	}
	return watchdog;
}

void esf_watchdog_destroy(struct esf_watchdog *watchdog)
{
	if (watchdog == NULL)
		return;
	rte_free(watchdog->keepalive);
	free(watchdog);
}

struct rte_keepalive *esf_watchdog_keepalive(struct esf_watchdog *watchdog)
{
	return watchdog->keepalive;
}

uint64_t esf_watchdog_ping(struct esf_watchdog *watchdog)
{
	rte_keepalive_dispatch_pings(NULL, watchdog->keepalive);
	return watchdog->stuck;
}

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ESF_LCORES_IDLE_H
#define ESF_LCORES_IDLE_H

#include <stdbool.h>
#include <stdint.h>

/*
 * What an lcore does that finds nothing to do. Owner: the lcore; reads no clock.
 *
 *   auto    polls on a CPU of its own; where it shares one, yields after 16 empty passes in a row
 *           and sleeps for 50 us after 64
 *   poll    polls, whoever else wants the CPU
 *   yield   yields after 16 empty passes in a row
 *   sleep   sleeps after 8, for ESF_IDLE_SLEEP_US_MIN at first. How long is settled at each sleep
 * by what was found since the last: less than half of ESF_IDLE_BATCH items double it up to the most
 * that the configuration allows, more than ESF_IDLE_BATCH halve it. So a busy port is left alone
 * for about the time of one burst, and a quiet one for the longest.
 *
 * Nothing is lost where what arrives during one sleep fits the queue, and the inbox: that is the
 * queue's packets / (the longest sleep + what the kernel needs to wake a thread) a second, whatever
 * came before. See esf_plan_print.
 */
enum esf_idle_policy { ESF_IDLE_AUTO, ESF_IDLE_POLL, ESF_IDLE_YIELD, ESF_IDLE_SLEEP };

extern const char *const esf_idle_names[];

enum {
	ESF_IDLE_SLEEP_US_MIN = 20,
	ESF_IDLE_SLEEP_US_MAX = 10000, /* that may be configured; a ping of the watchdog is 1 s */
	ESF_IDLE_BATCH = 64,           /* items */
};

enum esf_idle_step { ESF_IDLE_PAUSE, ESF_IDLE_GIVE_WAY, ESF_IDLE_NAP };

struct esf_idle {
	uint32_t yield_after; /* empty passes in a row; 0: never */
	uint32_t sleep_after; /* likewise */
	uint32_t sleep_us_min, sleep_us_max;

	uint32_t empty;    /* passes in a row that found nothing */
	uint32_t sleep_us; /* the next sleep's, or the one just begun */
	uint64_t found;    /* items since the last sleep */
};

/* max_sleep_us is sleep's, ESF_IDLE_SLEEP_US_MIN..ESF_IDLE_SLEEP_US_MAX. */
void esf_idle_start(
    struct esf_idle *idle, enum esf_idle_policy policy, bool shares_cpu, uint32_t max_sleep_us);

/* A pass found so many items. */
static inline void esf_idle_found(struct esf_idle *idle, uint64_t items)
{
	idle->found += items;
	idle->empty = 0;
}

/* A pass found nothing: what to do. A nap is of idle->sleep_us. */
enum esf_idle_step esf_idle_empty(struct esf_idle *idle);

#endif

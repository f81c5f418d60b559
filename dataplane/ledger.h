/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ESF_LEDGER_H
#define ESF_LEDGER_H

#include <stdbool.h>
#include <stdint.h>

#include "verdict.h"

/*
 * The loss ledger: counts of what became of what was received.
 *
 * struct esf_ledger is one shard's; its lcore is the only writer (plain stores into a private copy,
 * published whole once a pass, see shard.h). It always obeys, to the unit:
 *
 *   datagrams_received + datagrams_taken == sum(datagrams) + datagrams_handed
 *   records_received == sum(records)
 *
 * so that over all shards received == sum + in flight, where in flight = handed - taken. A record
 * is received where it is decoded, which for a datagram that is handed over is at its owner.
 *
 * Beside the verdicts stands what the token buckets refused, by class: `shed` counts a datagram
 * once for each site whose lines were refused in it.
 */
enum esf_shed_class { ESF_SHED_ETD, ESF_SHED_INFLUX, ESF_SHED_STATSD, ESF_SHED_CLASSES };

static const char *const esf_shed_class_names[ESF_SHED_CLASSES]
    __attribute__((unused)) = { "etd", "influx", "statsd" };

struct esf_ledger {
	uint64_t datagrams_received; /* from ports (or the capture), by this shard */
	uint64_t datagrams_handed;   /* whole datagrams put into another shard's inbox */
	uint64_t datagrams_taken;    /* whole datagrams taken out of the own inbox */
	uint64_t records_received;   /* records decoded by this shard */
	uint64_t datagrams[ESF_DATAGRAM_VERDICTS_COUNT];
	uint64_t records[ESF_RECORD_VERDICTS_COUNT];
	uint64_t shed[ESF_SHED_CLASSES];
	uint64_t forgotten; /* ETD's sequence numbers between a snapshot and the restart, dedup.h */
};

/*
 * What became of one site's datagrams and records: those that got far enough to be known as its.
 * The verdicts before ESF_SITE_DATAGRAM_FIRST come before there is a site, and have no place here:
 * a million sites pay for each.
 */
enum {
	ESF_SITE_DATAGRAM_FIRST = ESF_DATAGRAM_MALFORMED,
	ESF_SITE_DATAGRAMS_COUNT = ESF_DATAGRAM_VERDICTS_COUNT - ESF_SITE_DATAGRAM_FIRST,
};

struct esf_site_ledger {
	uint64_t datagrams_received;
	uint64_t records_received;
	uint64_t datagrams[ESF_SITE_DATAGRAMS_COUNT]; /* by verdict - ESF_SITE_DATAGRAM_FIRST */
	uint64_t records[ESF_RECORD_VERDICTS_COUNT];
	uint64_t shed[ESF_SHED_CLASSES];
};

/* Adds *from to *into, field by field. Any thread, on private copies. */
void esf_ledger_add(struct esf_ledger *into, const struct esf_ledger *from);

/* True when both equations above hold; for a sum over shards as well as for one. */
bool esf_ledger_balances(const struct esf_ledger *ledger);

#endif

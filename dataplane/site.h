/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ESF_SITE_H
#define ESF_SITE_H

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "admit.h"
#include "counter.h"
#include "dedup.h"
#include "ledger.h"
#include "limits.h"
#include "names.h"
#include "pool.h"
#include "skew.h"
#include "storm.h"
#include "unmapped.h"
#include "window.h"

/*
 * A site's live state. Owner: the shard that owns the site; nobody else reads it. What control sees
 * are the blocks and cards that publish.c makes of it.
 */

/* Alias tables hold 16, those that lie in the stream itself, or 64, 256, 1024. */
enum { ESF_ALIASES_WITHIN = 16, ESF_ALIAS_CLASSES = 3 };

/* One word, as a site may have a thousand of them. */
struct esf_alias {
	uint64_t generation : ESF_RULES_GENERATION_BITS; /* of the rules that gave `rule` */
	uint64_t type : 1;                               /* enum esf_etd_type */
	uint64_t born : 1;
	uint64_t unmapped : 6; /* hint of the name's place in the site's unmapped ones */
	uint64_t name : 17;    /* interned id, 0: the memory of names was full */
	uint64_t rule : 16;    /* ESF_RULE_NONE: unmapped */
};

static_assert(sizeof(struct esf_alias) == 8, "one word");
static_assert((int)ESF_INTERNED_NAMES_MAX < 1 << 17, "every id has room");

/*
 * One independent sender within a site. Where its first aliases and a number's word of the bitmap
 * lie is known before anything of it was read, so that they are fetched together.
 */
struct esf_stream {
	struct esf_stream *next;
	struct esf_alias *aliases;
	uint16_t aliases_count; /* capacity of the table */
	uint8_t aliases_class;  /* of the table, where it is not `within` */
	uint16_t id;
	struct esf_dedup dedup;
	_Alignas(ESF_CACHE_LINE) struct esf_alias within[ESF_ALIASES_WITHIN];
	uint64_t bitmap[];
};

/*
 * The first two lines, and an accumulator, are all that the usual datagram touches (take_short.h):
 * what it asks of the site's stream, aliases and window was written down here before, by short.c.
 * What it counts stands here too until esf_site_fold, and the numbers that it takes of its stream
 * until esf_short_close; so nobody asks the ledger, the window or the stream before those.
 */
enum { ESF_ALIASES_AT_HAND = 14 };

struct esf_site {
	/* Of the stream that spoke last: its boot, and above it the next sequence number; 0: shut.
	 */
	_Alignas(ESF_CACHE_LINE) uint64_t next_life;
	struct esf_window *recent; /* the last used one; NULL: none */
	uint16_t next_count;       /* that many may come one after the other, and none is lost */
	uint16_t stream;           /* its id */
	uint16_t turn;             /* the shard's: `recent` is the current window, and listed */
	bool touched;              /* in the shard's list of sites to publish */
	bool left;
	uint32_t usual_datagrams;            /* received and accepted, to be folded in */
	uint32_t usual_records;              /* likewise, into `recent` */
	uint32_t rules_generation;           /* that `rules` are of */
	uint16_t rules[ESF_ALIASES_AT_HAND]; /* of the stream's first aliases: of born gauges that
	                                      * a rule takes, else nobody's */

	_Alignas(ESF_CACHE_LINE) int64_t last_seen;
	struct esf_storm_site storm;
	struct esf_skew skew; /* the end of it is asked for once a generation */

	struct esf_stream *streams; /* the last used one first */
	uint32_t publication;       /* of the shard, that `events` counts since */
	uint16_t events;            /* on their way to control */
	bool shed;                  /* what became of `asked` */
	struct esf_site_ledger ledger;
	struct esf_counter **counters; /* by measured KPI; NULL: none yet */
	double *levels;             /* by measured KPI, what gauge deltas start from; NULL: all 0 */
	struct esf_report *reports; /* by measured KPI; NULL: none yet, or ingestion is full */
	struct esf_unmapped *unmapped; /* NULL: none yet */
	uint64_t lost;
	uint64_t forgotten; /* by restarts: sequence numbers, see dedup.h */
	uint64_t datagram;  /* number of the last text datagram that counted for this site */
	uint64_t asked;     /* and of the last one that asked for a token */
	uint32_t streams_count;
	uint32_t windows_count;      /* live */
	uint32_t reports_generation; /* of the rules that the reports are of */
};
static_assert(offsetof(struct esf_site, last_seen) == ESF_CACHE_LINE &&
                  offsetof(struct esf_site, skew.former) == 2 * ESF_CACHE_LINE,
    "two lines for the usual datagram");

/* Adds what usual datagrams counted to the ledger and to the window that they fell into. Owner
 * thread. */
static inline void esf_site_fold(struct esf_site *site)
{
	if (site->usual_datagrams == 0)
		return;
	site->ledger.datagrams_received += site->usual_datagrams;
	site->ledger.datagrams[ESF_DATAGRAM_ACCEPTED - ESF_SITE_DATAGRAM_FIRST] +=
	    site->usual_datagrams;
	site->ledger.records_received += site->usual_records;
	site->ledger.records[ESF_RECORD_ACCEPTED] += site->usual_records;
	site->recent->comms_accepted += site->usual_datagrams;
	site->recent->accepted += site->usual_records;
	site->usual_datagrams = 0;
	site->usual_records = 0;
}

/* Pools that sites draw on, one set per shard. */
struct esf_site_pools {
	struct esf_pool *streams;
	struct esf_pool *aliases[ESF_ALIAS_CLASSES];
	struct esf_pool *counters;
	struct esf_pool *levels;
	struct esf_pool *reports;
	struct esf_pool *counter_tables;
	struct esf_pool *unmapped;
	uint32_t bitmap_words; /* of a stream */
	uint32_t measures_count;
	/* After a restart, Unix s: when the snapshot was made, less one, and when it was taken up;
	 * 0: a start with nothing. Streams that are new wait, see dedup.h. */
	uint32_t waits_former;
	uint32_t waits_until;
};

int esf_site_pools_create(struct esf_site_pools *pools, uint32_t sites_count,
    uint32_t measures_count, uint32_t sequence_window);
void esf_site_pools_destroy(struct esf_site_pools *pools);

/* The stream of that id, made at first sight; NULL when the site or the shard is at its bound. */
struct esf_stream *esf_site_stream(
    struct esf_site *site, struct esf_site_pools *pools, uint16_t id);

/* The alias's place in the stream's table, which grows to hold it; NULL when out of memory. alias <
 * ESF_ALIASES_MAX. */
struct esf_alias *esf_site_alias(
    struct esf_stream *stream, struct esf_site_pools *pools, uint16_t alias);

/* The counter of a measured KPI, made at first sight; NULL when out of memory. */
struct esf_counter *esf_site_counter(
    struct esf_site *site, struct esf_site_pools *pools, uint16_t measure);

/* The level of a measured KPI, 0 at first sight; NULL when out of memory. */
double *esf_site_level(struct esf_site *site, struct esf_site_pools *pools, uint16_t measure);

/*
 * Counts a record of a name that no rule takes in the site's table, made at first sight; hint and
 * result as esf_unmapped_count's.
 */
uint8_t esf_site_count_unmapped(
    struct esf_site *site, struct esf_site_pools *pools, uint32_t name, uint8_t hint);

/*
 * What was last reported of a measured KPI, nothing at first sight and of rules of another
 * generation; NULL when out of memory.
 */
struct esf_report *esf_site_report(
    struct esf_site *site, struct esf_site_pools *pools, uint16_t measure, uint32_t generation);

#endif

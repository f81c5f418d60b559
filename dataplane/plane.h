/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ESF_PLANE_H
#define ESF_PLANE_H

#include <stddef.h>
#include <stdint.h>

#include <urcu-qsbr.h>

#include "events.h"
#include "learned.h"
#include "ledger.h"
#include "limits.h"
#include "policy.h"
#include "skew.h"
#include "unmapped.h"
#include "window.h"

/*
 * What all shards and control share: the policy, who owns which site, and what the shards have
 * published.
 *
 *   control thread (online, registered with RCU)          data lcore, each pass
 *     settled = esf_plane_settled(plane);                     esf_shard_begin(shard, now);
 *     rcu_read_lock();                                        esf_shard_take / esf_shard_receive
 *     block = esf_plane_block(plane, site, window);           esf_shard_end(shard);
 *     ... compute; no blocking ...                            rcu_quiescent_state();
 *     rcu_read_unlock();
 *     esf_plane_consume(plane, closed_window);
 *     rcu_quiescent_state();
 *
 * RCU is liburcu's QSBR flavour: include <urcu-qsbr.h>, register each thread, go offline before
 * blocking.
 */

struct esf_plane_options {
	uint32_t sites_count;    /* that there is room for */
	uint32_t listed_count;   /* of them taken from the start; the rest are learned */
	uint32_t measures_count; /* measured KPIs */
	uint32_t shards_count;
	int64_t window_ns;
	uint32_t windows_open;
	int64_t max_skew_ns; /* decides, with the window, how many windows a site may have live */
	int64_t epoch_ns;
	uint32_t sequence_window;
	uint32_t lines_remembered; /* fingerprints of lines, per shard */
	uint8_t hash_key[16];
	/*
	 * Where a site's first datagram makes its receiver the owner (ports with a queue for each
	 * lcore), or sites are spread evenly over the shards that may own (fewer queues than
	 * lcores, receive-only lcores).
	 */
	bool owner_is_receiver;
	uint64_t owners; /* bit i: shard i may own sites; at least one */
};

/* One site's summary, immutable once published. */
struct esf_card {
	struct esf_site_ledger ledger;
	uint64_t lost;        /* sequence numbers that never came */
	uint64_t forgotten;   /* and those that a restart forgot */
	int64_t last_seen;    /* Unix ns of the arrival of the last accepted datagram; 0: never */
	int64_t clock_offset; /* ns its clock is ahead of ours, or ESF_SKEW_UNKNOWN */
	bool left;            /* its last word was a death */
	bool storms;          /* its token bucket is enforced, whatever the fleet does */
	uint32_t streams;     /* independent senders seen */
	const struct esf_unmapped_list *unmapped; /* signals that no rule takes; NULL: none */
	uint32_t site;
};

/* Which sites are thinned while ingestion is downsample; immutable once set. */
struct esf_admission {
	struct rcu_head rcu;   /* for control: its last use */
	uint8_t downsampled[]; /* by site, 0 or 1 */
};

struct esf_plane;
struct esf_shard;

/* 0 or -ENOMEM, -EINVAL (a bound of limits.h exceeded). The policy is set before any shard runs. */
int esf_plane_create(const struct esf_plane_options *options, struct esf_plane **out);

/* After all shards stopped and the caller ran rcu_barrier(). Shards are destroyed with it. */
void esf_plane_destroy(struct esf_plane *plane);

const struct esf_plane_options *esf_plane_options(const struct esf_plane *plane);
struct esf_shard *esf_plane_shard(struct esf_plane *plane, uint32_t index);

/* Control. The former policy is returned; it is the caller's to free after a grace period. */
struct esf_policy *esf_plane_set_policy(struct esf_plane *plane, struct esf_policy *policy);

/*
 * Control. From their next passes on the shards thin the sites that it names; NULL: none. The
 * former one is returned; it is the caller's to free after a grace period.
 */
struct esf_admission *esf_plane_set_admission(
    struct esf_plane *plane, struct esf_admission *admission);
/* Control: the one in force, or NULL. */
const struct esf_admission *esf_plane_admission(const struct esf_plane *plane);

/* Any thread: the earliest time through which every shard has published all it accepted; INT64_MIN
 * before the first. */
int64_t esf_plane_settled(const struct esf_plane *plane);

/* Control, under rcu_read_lock. NULL: nothing published. */
const struct esf_block *esf_plane_block(
    const struct esf_plane *plane, uint32_t site, int64_t window);
const struct esf_card *esf_plane_card(const struct esf_plane *plane, uint32_t site);

/*
 * Under rcu_read_lock: the policy that the shards follow. Whoever asks its rules needs a scratch of
 * its own in them (names.h).
 */
const struct esf_policy *esf_plane_policy(const struct esf_plane *plane);

/*
 * Any thread registered with RCU: the raw names that a shard remembers, by ids 1..count; texts are
 * not terminated. See esf_names_text for which ids may be asked for.
 */
uint32_t esf_plane_names_count(const struct esf_plane *plane, uint32_t shard);
const char *esf_plane_name(
    const struct esf_plane *plane, uint32_t shard, uint32_t id, uint32_t *length);

/* Control: windows up to this one are done with and may be recycled; never goes back. */
void esf_plane_consume(struct esf_plane *plane, int64_t window);

/* Control: from now on windows stay, whatever is consumed, until they are released. */
void esf_plane_hold(struct esf_plane *plane);
void esf_plane_release(struct esf_plane *plane);

/*
 * Any thread: sum of all shards' ledgers, each copied whole. in_flight = datagrams handed - taken
 * is never negative in what is returned.
 */
void esf_plane_ledger(const struct esf_plane *plane, struct esf_ledger *out);

/* Control: copies out up to count of a shard's events, oldest first, and returns how many. */
uint32_t esf_plane_take_events(
    struct esf_plane *plane, uint32_t shard, struct esf_event *out, uint32_t count);
/* Any thread: sum of all shards' counts. */
void esf_plane_event_counts(const struct esf_plane *plane, struct esf_events_counts *out);

/* Any thread: the sites that nobody listed. */
struct esf_learned *esf_plane_learned(const struct esf_plane *plane);

/* Control: index of the shard that owns the site, or -1 before its first datagram. */
int esf_plane_owner(const struct esf_plane *plane, uint32_t site);

/* Any thread: whether a shard finds the fleet storming, and so enforces every site's bucket. */
bool esf_plane_fleet_storms(const struct esf_plane *plane);

/* Latest window index that any shard has opened so far, INT64_MIN: none. Control. */
int64_t esf_plane_latest_window(const struct esf_plane *plane);
/* Earliest window index that any shard has ever opened, INT64_MAX: none. Control. */
int64_t esf_plane_first_window(const struct esf_plane *plane);

/* Bytes of memory that one site costs with these options, all its windows live. */
size_t esf_plane_site_size(const struct esf_plane_options *options);

#endif

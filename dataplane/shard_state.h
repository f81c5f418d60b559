/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ESF_SHARD_STATE_H
#define ESF_SHARD_STATE_H

#include <stdatomic.h>

#include "blocks.h"
#include "events.h"
#include "learned.h"
#include "lines.h"
#include "recent.h"
#include "shard.h"
#include "short.h"
#include "site.h"
#include "text.h"

/*
 * What the shard's files share, and nobody else includes: the plane's and the shard's insides.
 */

enum { ESF_NO_OWNER = 0xff };

/* What became of the lines of the text datagram that is being taken. */
struct esf_text_tally {
	uint32_t taken;
	uint32_t malformed;
	uint32_t unknown;
	uint32_t duplicates; /* their sites, and those of the shed, are in shard->refused_sites */
	uint32_t shed;
};

/*
 * Lines that were read, and whose sites were found, ahead of their taking, so that what that will
 * ask for is fetched meanwhile; see take_text.c.
 */
enum { ESF_AHEAD_LINES = 16, ESF_AHEAD_FIELDS = 512 };

struct esf_text_ahead {
	uint32_t lines_count;
	uint32_t fields_count;
	struct {
		struct esf_text_line line;
		uint64_t fingerprint; /* where the line has a time */
		uint32_t site;
		bool is_first; /* of its datagram */
	} lines[ESF_AHEAD_LINES];
	struct esf_influx_field fields[ESF_AHEAD_FIELDS];
};

/* A shard's counters as others may read them: a seqlock, written whole at the end of each pass with
 * work. */
struct esf_ledger_copy {
	_Alignas(ESF_CACHE_LINE) _Atomic uint64_t sequence; /* odd while being written */
	_Atomic uint64_t words[sizeof(struct esf_ledger) / sizeof(uint64_t)];
};

/* What a run of records asks of its shard, see data_run.h. */
struct esf_run {
	const struct esf_gauge_rule *gauges;
	const struct esf_accs *accs;
	uint32_t usual; /* half of a usual alias */
	uint64_t usual_us;
};

struct esf_shard {
	/* set once */
	struct esf_plane *plane;
	uint32_t index;
	esf_hand_over_fn hand_over;
	void *hand_over_context;

	/* the pass */
	int64_t now;
	int64_t arrival;           /* of the datagram at hand: now, or before */
	int64_t future_limit;      /* records dated beyond it are future */
	int64_t oldest_open;       /* window index */
	int64_t current_window;    /* now's */
	int64_t current_end;       /* Unix ns: end of now's window */
	int64_t next_epoch;        /* Unix ns */
	uint32_t boot_limit;       /* Unix s */
	uint16_t turn;             /* another one where what sites know of the pass is past */
	bool counted;              /* the ledger changed since it was last copied out */
	uint32_t rules_generation; /* what names and aliases are matched by; 0: nothing yet */
	const struct esf_policy *policy;
	const struct esf_admission *admission; /* NULL: no site is thinned */
	struct esf_short way;

	/* where the last record fell: most fall there again, and need no division, nor another look
	 * at whether that window is open */
	int64_t recent_window;
	int64_t recent_start;
	uint64_t recent_span; /* ns; 0: none, or it has closed */
	uint64_t usual_us;    /* from its start: what lies before is in it, and not in the future */

	struct esf_address source;
	const struct esf_address *sender; /* of the text datagram at hand; NULL: handed over */
	bool sender_asked;
	uint32_t sender_site; /* once asked */
	uint32_t spare_site;  /* see esf_learned_add_id */

	struct esf_ledger ledger;
	uint64_t text_datagrams; /* numbers them, see struct esf_site.datagram */
	bool text_is_open;       /* the last one is yet to be counted */
	struct esf_text_tally tally;
	struct esf_text_ahead ahead;
	uint32_t *refused_sites; /* of the datagram at hand, ESF_LINES_MAX: those of duplicates
	                          * from the front, those of shed lines from the back */

	/* the storm stage */
	uint64_t offered; /* datagrams that got there */
	struct esf_storm_fleet fleet_storm;
	uint32_t *storming; /* sites that storm, or did at the last sweep */
	uint32_t storming_count;
	bool storm_ended; /* in this pass */

	uint32_t recent_sites[ESF_RECENT_PLACES]; /* listed ones, by their names */
	struct esf_names *names;
	struct esf_lines *lines;
	struct esf_text *text;
	struct esf_sealer *sealer; /* NULL: this processor can't, and no keyring was made */

	struct esf_site_pools site_pools;
	struct esf_pool *windows;
	struct esf_accs accs;
	struct esf_blocks blocks;
	struct esf_pool *cards;
	struct esf_pool *unmapped_lists;

	/* to publish */
	uint32_t publication;      /* numbers them, see struct esf_site.publication */
	uint32_t *touched;         /* sites, a ring with room for all and one */
	uint32_t touched_next;     /* where the next one goes */
	uint32_t touched_first;    /* still to be published */
	uint32_t touched_end;      /* of those that belong to this publication */
	struct esf_window **dirty; /* windows to be published; room for all that can be live */
	uint32_t dirty_count;
	size_t dirty_size;              /* bytes, of either list */
	bool is_publishing;             /* a publication is under way, some of it in each pass */
	int64_t published_at;           /* when it began: all accepted until then is in it */
	struct esf_window **publishing; /* once dirty, now published one by one */
	uint32_t publishing_next, publishing_count;
	int64_t pass_before;           /* Unix ns: when the pass before began */
	uint64_t datagrams_before;     /* this pass's */
	struct esf_window **slots;     /* live windows by index & slots_mask */
	int64_t *slots_oldest;         /* no window in the slot's list is older */
	int64_t recycled;              /* windows up to it are given back */
	struct esf_window **recycling; /* how far that has come; NULL: done */
	uint32_t recycling_slot;

	/* NULL: no snapshots. Set once by control, with release; loaded with acquire. */
	_Atomic(struct esf_remember *) remember;

	/* what was retired, see retire.c */
	bool grace_runs;
	struct rcu_head grace;
	_Alignas(ESF_CACHE_LINE) _Atomic bool grace_over; /* writer: the thread of call_rcu */

	/* read by control */
	struct esf_events *events; /* this lcore puts, control takes */
	struct esf_ledger_copy ledger_copy;
	_Alignas(ESF_CACHE_LINE) _Atomic int64_t settled; /* release: all up to it is published */
	_Atomic int64_t first_window;
	_Atomic int64_t latest_window;
	_Atomic uint64_t offered_copy; /* read by the other shards */
	_Atomic bool fleet_storming;
};

struct esf_plane {
	struct esf_plane_options options;
	uint32_t slots_mask;            /* a shard's window slots, less one */
	uint8_t owners[ESF_SHARDS_MAX]; /* shards that may own */
	uint32_t owners_count;

	struct esf_policy *policy;       /* RCU; writer: control */
	struct esf_admission *admission; /* RCU; writer: control */
	_Atomic int64_t consumed;        /* writer: control; release/acquire with publish */
	int64_t wants_consumed;          /* control's: where it holds windows back */
	bool holds;
	/* Writer: control; wished with release/acquire, the others before it (remember.c). */
	_Atomic uint64_t wished;
	_Atomic int64_t wished_window;
	_Atomic int64_t wished_lines;

	struct esf_learned *learned; /* any shard adds */
	_Atomic uint8_t *owner;      /* by site; set once, at its first datagram */
	_Atomic bool *storming; /* by site; writer: the owner, read by those who hand over to it */
	struct esf_site *sites; /* each element: its owner's */
	/* RCU; lists, see esf_plane_windows_at; writer: the owner */
	struct esf_window **windows;
	struct esf_card **cards;         /* RCU, by site; writer: the owner */
	size_t sites_size, windows_size; /* bytes mapped */

	struct esf_shard *shards[ESF_SHARDS_MAX];
};

/*
 * A site's live windows hang in as many places as are live at most times, so that a list is one
 * long; those that the clock's skew allows beyond hang behind.
 */
enum { ESF_SITE_PLACES = 8 };

static inline struct esf_window **esf_plane_windows_at(
    const struct esf_plane *plane, uint32_t site, int64_t window)
{
	return &plane->windows[(size_t)site * ESF_SITE_PLACES +
	                       ((uint64_t)window & (ESF_SITE_PLACES - 1))];
}

static inline struct esf_remember *esf_shard_remember(const struct esf_shard *shard)
{
	return atomic_load_explicit(&shard->remember, memory_order_acquire);
}

static inline void esf_shard_count_datagram(
    struct esf_shard *shard, enum esf_datagram_verdict verdict)
{
	shard->ledger.datagrams[verdict]++;
	shard->counted = true;
}

static inline void esf_shard_count_record(
    struct esf_shard *shard, struct esf_site *site, enum esf_record_verdict verdict)
{
	shard->ledger.records[verdict]++;
	site->ledger.records[verdict]++;
}

static inline void esf_shard_count_records(
    struct esf_shard *shard, enum esf_record_verdict verdict, uint32_t count)
{
	shard->ledger.records_received += count;
	shard->ledger.records[verdict] += count;
}

static inline void esf_shard_count_values(
    struct esf_shard *shard, struct esf_site *site, enum esf_record_verdict verdict, uint32_t count)
{
	esf_shard_count_records(shard, verdict, count);
	site->ledger.records_received += count;
	site->ledger.records[verdict] += count;
}

static inline uint32_t esf_shard_touched_after(const struct esf_shard *shard, uint32_t at)
{
	return at == shard->plane->options.sites_count ? 0 : at + 1;
}

/* The index of a site whose place is at hand, for the rarer ways that want it. */
static inline uint32_t esf_shard_site_index(
    const struct esf_shard *shard, const struct esf_site *site)
{
	return (uint32_t)(site - shard->plane->sites);
}

/* publish.c: lists a site to be published. */
void esf_shard_list_touched(struct esf_shard *shard, struct esf_site *site);

static inline void esf_shard_touch(struct esf_shard *shard, struct esf_site *site)
{
	if (!site->touched)
		esf_shard_list_touched(shard, site);
}

/* publish.c: the site's live window of that index, made at first sight, which is the last used one
 * from then on; NULL when there is no room. */
struct esf_window *esf_shard_seek_window(
    struct esf_shard *shard, struct esf_site *site, int64_t window);

static inline struct esf_window *esf_shard_window(
    struct esf_shard *shard, struct esf_site *site, int64_t window)
{
	struct esf_window *recent = site->recent;

	return recent != NULL && recent->window == window
	           ? recent
	           : esf_shard_seek_window(shard, site, window);
}

/* The same where it is live already, else NULL. */
struct esf_window *esf_shard_live_window(
    const struct esf_shard *shard, const struct esf_site *site, int64_t window);

/* Of a live window, to be written to. */
static inline struct esf_acc *esf_shard_acc(
    const struct esf_shard *shard, struct esf_window *window, uint32_t measure)
{
	window->used |= UINT64_C(1) << measure;
	return esf_acc_at(esf_accs_of(&shard->accs, window), shard->accs.stride, measure);
}

/* To be read. */
static inline const struct esf_acc *esf_shard_peek_acc(
    const struct esf_shard *shard, const struct esf_window *window, uint32_t measure)
{
	return esf_acc_at(esf_accs_of(&shard->accs, window), shard->accs.stride, measure);
}

static inline void esf_shard_dirty(struct esf_shard *shard, struct esf_window *window)
{
	if (window->dirty)
		return;
	window->dirty = true;
	shard->dirty[shard->dirty_count++] = window;
}

/* record.c: tells control that the window holds records. */
void esf_shard_note_window(struct esf_shard *shard, int64_t window);

/* take_data.c: the alias of that number, as the rules are now; NULL: not born. */
struct esf_stream;
struct esf_alias *esf_shard_alias(
    struct esf_shard *shard, const struct esf_stream *stream, uint16_t number);

/* retire.c: what readers can no longer see goes back to its pools. Now and then, best in each pass
 * that publishes. */
void esf_shard_mature(struct esf_shard *shard);

/* At a pass's end: begins a publication when one is due, and does a bounded part of it. */
uint32_t esf_shard_publish_some(struct esf_shard *shard);

/* record.c: what becomes of one value, of one dated thing without a value, and of a datagram's
 * place in the sequence. */
enum esf_record_kind {
	ESF_KIND_GAUGE,     /* a sample */
	ESF_KIND_COUNTER,   /* a running total */
	ESF_KIND_INCREMENT, /* what was counted since the last one (StatsD's counters) */
	ESF_KIND_LEVEL,     /* a sample that later deltas start from (StatsD's gauges) */
	ESF_KIND_DELTA,     /* a change of the last level */
};

struct esf_record {
	int64_t time;    /* Unix ns */
	double value;    /* raw */
	uint8_t quality; /* enum esf_etd_quality */
	uint8_t kind;    /* enum esf_record_kind, where the rule leaves it open */
};
enum esf_record_verdict esf_shard_record(
    struct esf_shard *shard, struct esf_site *site, uint16_t rule, const struct esf_record *record);
enum esf_record_verdict esf_shard_event(
    struct esf_shard *shard, struct esf_site *site, int64_t time);
void esf_shard_sequenced(
    struct esf_shard *shard, struct esf_site *site, uint32_t accepted, uint64_t lost);

/* After a change of the recent window, or of the future's limit. */
static inline void esf_shard_note_usual(struct esf_shard *shard)
{
	int64_t room = shard->future_limit - shard->recent_start;
	uint64_t span = room < 0 ? 0 : (uint64_t)room;

	shard->usual_us = (span < shard->recent_span ? span : shard->recent_span) / 1000;
}

/*
 * shed.c: whether a datagram of the site may pass. Each datagram of a site comes here once; those
 * never shed take a token where there is one.
 */
bool esf_shard_admit(
    struct esf_shard *shard, struct esf_site *site, uint8_t format, bool never_shed);
/* Sites that fell silent leave their storms. */
void esf_shard_sweep_storms(struct esf_shard *shard);
/* Once a pass, before its datagrams. */
void esf_shard_watch_fleet(struct esf_shard *shard);

/*
 * message.c: what a site said in words, as a record; when it is accepted, what it means, and on to
 * control.
 */
struct esf_message {
	int64_t time; /* Unix ns */
	const char *text;
	uint32_t text_length;
	uint8_t source; /* enum esf_event_source */
	uint8_t severity;
	uint8_t state; /* enum esf_etd_state */
};
enum esf_record_verdict esf_shard_message(
    struct esf_shard *shard, struct esf_site *site, const struct esf_message *message);

/* identify.c: which site is meant, ESF_NO_SITE: none that is known or may be learned. */
struct esf_etd;
uint32_t esf_shard_site_by_id(const struct esf_shard *shard, uint32_t id);
uint32_t esf_shard_site_by_address(
    const struct esf_shard *shard, const struct esf_address *address);
uint32_t esf_shard_site_by_name(
    struct esf_shard *shard, const char *name, uint32_t length, bool may_learn);
uint32_t esf_shard_sender_site(struct esf_shard *shard);
uint32_t esf_shard_learn_sender(struct esf_shard *shard);
uint32_t esf_shard_learn_etd(
    struct esf_shard *shard, const struct esf_listener *listener, const struct esf_etd *etd);

/*
 * take_etd.c, take_text.c: a payload whose sites this shard owns (or that no site owns).
 * site: what an ETD datagram's id led to in this pass, if it was looked up and known; ESF_NO_SITE
 * where not. sender_site: of the sender's address, ESF_NO_SITE, or ESF_ASK_SENDER: shard->sender,
 * when a line needs it.
 */
enum { ESF_ASK_SENDER = UINT32_MAX - 1 };
void esf_shard_take_etd(struct esf_shard *shard, const struct esf_listener *listener,
    const uint8_t *data, uint32_t size, uint32_t site);
/* take_data.c: the records of a data datagram of that stream. */
struct esf_stream;
void esf_shard_take_data(struct esf_shard *shard, struct esf_site *site, const struct esf_etd *etd,
    const struct esf_stream *stream);
/* Reads a text datagram and takes its lines, or leaves the last of them for later. */
void esf_shard_read_text(struct esf_shard *shard, const struct esf_listener *listener,
    const uint8_t *data, uint32_t size, uint32_t sender_site);
/* Takes what was left of the datagrams read; before any other thing is taken. */
void esf_shard_take_left(struct esf_shard *shard);
static inline void esf_shard_end_text(struct esf_shard *shard)
{
	if (shard->text_is_open || shard->ahead.lines_count > 0)
		esf_shard_take_left(shard);
}
void esf_shard_take_text(struct esf_shard *shard, const struct esf_listener *listener,
    const uint8_t *data, uint32_t size, uint32_t sender_site);
/* take_influx.c, take_statsd.c: the values of a line, of that time. */
void esf_shard_take_influx(struct esf_shard *shard, struct esf_site *site,
    const struct esf_influx_line *line, int64_t time);
void esf_shard_take_statsd(struct esf_shard *shard, struct esf_site *site,
    const struct esf_statsd_line *line, int64_t time);
uint32_t esf_shard_line_site(
    struct esf_shard *shard, const struct esf_text_line *line, uint32_t sender_site);
void esf_shard_count_line(
    struct esf_shard *shard, const struct esf_text_line *line, uint32_t sender_site);
void esf_shard_take_text_line(struct esf_shard *shard, const struct esf_listener *listener,
    const uint8_t *data, uint32_t size, uint32_t sender_site);

/* steer.c: who owns the site (claiming it at first sight), an ETD datagram (site: as above), and a
 * text datagram of several owners' lines. */
uint32_t esf_shard_owner(struct esf_shard *shard, uint32_t site_index);
void esf_shard_steer_etd(
    struct esf_shard *shard, uint8_t listener, const uint8_t *data, uint32_t size, uint32_t site);
void esf_shard_steer_text(struct esf_shard *shard, uint8_t listener, const uint8_t *data,
    uint32_t size, uint32_t sender_site);

#endif

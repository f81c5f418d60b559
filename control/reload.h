/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ESF_RELOAD_H
#define ESF_RELOAD_H

#include "control/config/change.h"
#include "control/config/difference.h"
#include "control/export/export.h"
#include "control/fleet/judge.h"
#include "control/fleet/views.h"
#include "control/incident/event_log.h"
#include "dataplane/plane.h"

/*
 * Takes up another configuration while all goes on: all of it or nothing.
 *
 * A thread of its own reads, checks and compiles, so that no tick is late and no data lcore
 * notices; the control thread then puts the result in force between two ticks:
 *
 *   set the policy -> wait for a grace period, offline -> take the events found by the former
 *   signatures -> judge by the new configuration
 *
 * The former configuration is let go once no view that readers can see points to it.
 */
enum esf_reload_outcome {
	ESF_RELOAD_DONE,
	ESF_RELOAD_COMPARED, /* nothing wrong, and nothing changed as that was not asked for */
	ESF_RELOAD_FAULTY,   /* the file, or what it leads to */
	ESF_RELOAD_FIXED,    /* it changes what only a restart can */
	ESF_RELOAD_LATE,     /* still under way, or the appliance stops */
};

/* The receiver frees it by esf_reload_result_free. */
struct esf_reload_result {
	enum esf_reload_outcome outcome;
	uint64_t revision;      /* in force now */
	uint32_t changed_count; /* top-level keys */
	const char *changed[ESF_CHANGES_MAX];
	char *faults;                     /* a line each; NULL: none */
	struct esf_difference difference; /* of a comparison */
};

/* What is in force, written by control only; each outlives the reload. */
struct esf_reload_targets {
	const char *path;
	const uint8_t *hash_key;
	struct esf_plane *plane;
	struct esf_views *views;
	struct esf_judge *judge;
	struct esf_event_log *events;
	struct esf_exports *exports; /* NULL: none (tests) */
	struct esf_config **config; /* the first one is the caller's to free */
	struct esf_roster **roster;
	struct esf_policy **policy;
};

void esf_reload_result_free(struct esf_reload_result *result);

struct esf_reload;

/* Starts the thread. NULL: out of memory or of threads. *targets is copied. */
struct esf_reload *esf_reload_start(const struct esf_reload_targets *targets);

/* Ends the thread; who waits is answered LATE. NULL is allowed. */
void esf_reload_stop(struct esf_reload *reload);

/* After the views are gone. NULL is allowed. */
void esf_reload_destroy(struct esf_reload *reload);

/* Any thread: reload when there is time; what came of it goes to stderr. */
void esf_reload_ask(struct esf_reload *reload);

/* Any thread but control, offline: reloads, or with compare only says what that would do, and waits
 * for it, ESF_RELOAD_WAIT_S at most. One caller at a time. */
enum { ESF_RELOAD_WAIT_S = 25 };
void esf_reload_call(struct esf_reload *reload, bool compare, struct esf_reload_result *result);

/* Control, online, each tick: puts in force what is ready. */
void esf_reload_tick(struct esf_reload *reload);

/* Any thread: reloads so far. */
struct esf_reload_counts {
	uint64_t done, refused;
};
struct esf_reload_counts esf_reload_count(const struct esf_reload *reload);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ESF_HISTORY_BATCH_H
#define ESF_HISTORY_BATCH_H

#include <stdbool.h>
#include <stdint.h>

#include "control/fleet/interval.h"
#include "control/fleet/roster.h"

/*
 * What goes to the history's file in one transaction: the points of an interval, or some events.
 * Made by control, freed by the writer.
 *
 * A scope's key is "fleet", "region:NAME", "site:ID" by ETD's id, so that a site keeps its history
 * under another name and in another region, or "site=NAME" of a site that has no id.
 */
enum { ESF_HISTORY_KEY_SIZE = 160 };

struct esf_history_row {
	uint32_t scope; /* where its key begins in text */
	uint32_t kpi;
	struct esf_interval_value value;
};

enum { ESF_NO_TEXT = UINT32_MAX };

struct esf_history_event {
	int64_t time;
	uint32_t scope;
	uint32_t code; /* ESF_NO_TEXT: none */
	uint32_t text;
	int severity;
	const char *state; /* constants */
	const char *source;
};

struct esf_history_batch {
	struct esf_history_batch *next;
	int64_t interval; /* ns */
	int64_t start;    /* Unix ns */
	bool final;
	uint64_t piece; /* that the points are of (pieces.h); 0: there are no snapshots */
	bool takes_back; /* in place of points: what the piece wrote since then, see pieces.h */
	bool takes_running;
	int64_t since;
	uint32_t rows_count, rows_room;
	struct esf_history_row *rows;
	uint32_t events_count, events_room;
	struct esf_history_event *events;
	uint32_t text_size, text_room;
	char *text;
	bool short_of_memory; /* something could not be added */
};

struct esf_history_batch *esf_history_batch_create(void);
void esf_history_batch_free(struct esf_history_batch *batch);

/* Where the copy (of size bytes, and a terminator) begins. */
uint32_t esf_history_batch_text(struct esf_history_batch *batch, const char *text, size_t size);
/* NULL when out of memory, which the batch notes. */
struct esf_history_row *esf_history_batch_row(struct esf_history_batch *batch);
struct esf_history_event *esf_history_batch_event(struct esf_history_batch *batch);

/* Returns key. */
const char *esf_history_site_key(uint32_t id, const char *name, char key[ESF_HISTORY_KEY_SIZE]);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ESF_STATE_PARTS_H
#define ESF_STATE_PARTS_H

#include <pthread.h>

#include "control/state/state.h"

/* What the files of the snapshot share, and nobody else includes. */

/* A snapshot under way: control makes it, the thread writes it. */
struct esf_state_job {
	char path[4096];
	uint64_t sequence;
	uint32_t shards;
	int64_t time;
	int64_t began; /* of the monotonic clock, ns */
	uint64_t configuration;
	uint64_t history_batches; /* that the history is to have written first */
	uint32_t told_sites;      /* indexes below it are in the sites' section */
	char *control;            /* sections, kind and size before each */
	size_t control_size;
};

enum esf_state_phase { ESF_STATE_RESTS, ESF_STATE_COLLECTS, ESF_STATE_STORES };

struct esf_state {
	uint8_t hash_key[16];
	bool has_key;
	struct esf_state_image image; /* until it is taken up */
	bool threaded;
	pthread_t thread;

	/* control's */
	int64_t next; /* monotonic ns */
	uint64_t sequence;
	bool holds;
	bool enabled; /* the shards can remember */

	pthread_mutex_t lock; /* of all below */
	pthread_cond_t changed;
	bool stopping;
	enum esf_state_phase phase;
	bool given_up; /* by control */
	struct esf_state_job job;
	struct esf_plane *plane;
	struct esf_history *history;
	struct esf_state_status status;
};

/* gather.c: control's own part; false when out of memory. */
bool esf_state_gather(const struct esf_state *state, const struct esf_state_subjects *subjects,
    struct esf_state_job *job);

/* store.c: the thread. */
void *esf_state_store(void *state);

/* Prints and counts a refusal, and sets the file aside. */
void esf_state_refuse(struct esf_state *state, const char *why);

uint64_t esf_state_configuration(const struct esf_config *config);

int64_t esf_state_monotonic(void);

#endif

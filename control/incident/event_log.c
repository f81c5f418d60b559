/* SPDX-License-Identifier: Apache-2.0 */
#include "control/incident/event_log.h"

#include <stdlib.h>
#include <string.h>

enum { BATCH = 64 };

struct esf_event_log {
	const struct esf_config *config;
	uint32_t codes_count;
	const char **codes;
	uint32_t *code_of; /* by signature: index into codes */
	uint64_t *matched; /* by code */
	struct esf_events_counts counts;
	uint64_t taken;
	struct esf_event_snapshot *latest;           /* RCU */
	struct esf_event recent[ESF_EVENT_LOG_SIZE]; /* event n at n % ESF_EVENT_LOG_SIZE */
};

const char *esf_event_code(const struct esf_config *config, uint16_t signature)
{
	return signature < config->signatures_count ? config->signatures[signature].code : NULL;
}

/* Several signatures may have one code. */
static uint32_t number_code(struct esf_event_log *log, const char *code)
{
	uint32_t i = 0;

	while (i < log->codes_count && strcmp(log->codes[i], code) != 0)
		i++;
	if (i == log->codes_count)
		log->codes[log->codes_count++] = code;
	return i;
}

/* The newest first. */
static void copy_recent(const struct esf_event_log *log, struct esf_event *out, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		out[i] = log->recent[(log->taken - 1 - i) % ESF_EVENT_LOG_SIZE];
}

/* One allocation: the snapshot, its counts, its events. */
static struct esf_event_snapshot *take_snapshot(const struct esf_event_log *log)
{
	uint32_t count =
	    log->taken < ESF_EVENT_LOG_SIZE ? (uint32_t)log->taken : ESF_EVENT_LOG_SIZE;
	size_t counts_size = log->codes_count * sizeof(uint64_t);
	struct esf_event_snapshot *snapshot =
	    malloc(sizeof(*snapshot) + counts_size + count * sizeof(struct esf_event));
	uint64_t *matched;
	struct esf_event *events;

	if (snapshot == NULL)
		return NULL;
	matched = (uint64_t *)(snapshot + 1);
	events = (struct esf_event *)(matched + log->codes_count);
	memcpy(matched, log->matched, counts_size);
	copy_recent(log, events, count);
	*snapshot = (struct esf_event_snapshot){
		.dropped = log->counts.dropped,
		.codes_count = log->codes_count,
		.codes = log->codes,
		.matched = matched,
		.events_count = count,
		.events = events,
	};
	memcpy(snapshot->unmatched, log->counts.unmatched, sizeof(snapshot->unmatched));
	return snapshot;
}

struct esf_event_log *esf_event_log_create(const struct esf_config *config)
{
	struct esf_event_log *log = calloc(1, sizeof(*log));
	size_t count = config->signatures_count + (size_t)1;

	if (log == NULL)
		return NULL;
	log->config = config;
	log->codes = calloc(count, sizeof(*log->codes));
	log->code_of = calloc(count, sizeof(*log->code_of));
	log->matched = calloc(count, sizeof(*log->matched));
	if (log->codes != NULL && log->code_of != NULL && log->matched != NULL) {
		for (uint32_t i = 0; i < config->signatures_count; i++)
			log->code_of[i] = number_code(log, config->signatures[i].code);
		log->latest = take_snapshot(log);
	}
	if (log->latest != NULL)
		return log;
	esf_event_log_destroy(log);
	return NULL;
}

void esf_event_log_destroy(struct esf_event_log *log)
{
	if (log == NULL)
		return;
	rcu_barrier();
	free(log->latest);
	free(log->matched);
	free(log->code_of);
	free(log->codes);
	free(log);
}

static void keep(struct esf_event_log *log, const struct esf_event *event)
{
	log->recent[log->taken++ % ESF_EVENT_LOG_SIZE] = *event;
	if (event->signature < log->config->signatures_count)
		log->matched[log->code_of[event->signature]]++;
}

/* At most what the ring holds, so that a shard that goes on putting can't keep control here. */
static void drain_shard(struct esf_event_log *log, struct esf_plane *plane, uint32_t shard)
{
	struct esf_event batch[BATCH];
	uint32_t got = BATCH;

	for (uint32_t taken = 0; taken < ESF_EVENTS_HELD && got == BATCH; taken += got) {
		got = esf_plane_take_events(plane, shard, batch, BATCH);
		for (uint32_t i = 0; i < got; i++)
			keep(log, &batch[i]);
	}
}

static void free_snapshot(struct rcu_head *head)
{
	free(caa_container_of(head, struct esf_event_snapshot, rcu));
}

/* By call_rcu and not synchronize_rcu: a reader must not hold up the tick. */
static void publish(struct esf_event_log *log)
{
	struct esf_event_snapshot *snapshot = take_snapshot(log), *former;

	if (snapshot == NULL)
		return;
	former = rcu_xchg_pointer(&log->latest, snapshot);
	call_rcu(&former->rcu, free_snapshot);
}

void esf_event_log_drain(struct esf_event_log *log, struct esf_plane *plane)
{
	uint32_t shards_count = esf_plane_options(plane)->shards_count;
	uint64_t taken = log->taken;
	struct esf_events_counts counts;

	for (uint32_t i = 0; i < shards_count; i++)
		drain_shard(log, plane, i);
	esf_plane_event_counts(plane, &counts);
	if (log->taken == taken && memcmp(&counts, &log->counts, sizeof(counts)) == 0)
		return;
	log->counts = counts;
	publish(log);
}

const struct esf_event_snapshot *esf_event_log_latest(const struct esf_event_log *log)
{
	return rcu_dereference(log->latest);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "control/incident/event_log.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "control/fleet/maintenance.h"

enum { BATCH = 64 };

/* What the indexes mean that events of one policy carry. */
struct meanings {
	uint8_t revision;
	uint32_t count;
	uint16_t codes[]; /* by signature: index into the log's codes */
};

struct esf_event_log {
	uint32_t codes_count;
	char **codes; /* ESF_EVENT_CODES_MAX; each stays where it is, as snapshots point to it */
	uint64_t *matched; /* by code */
	uint64_t *matched_suppressed;
	struct meanings *meanings;
	struct meanings *next; /* of a policy about to be used; or NULL */
	struct esf_events_counts counts;
	uint64_t taken;
	struct esf_event_snapshot *latest;           /* RCU */
	struct esf_event recent[ESF_EVENT_LOG_SIZE]; /* event n at n % ESF_EVENT_LOG_SIZE */
	bool suppressed[ESF_EVENT_LOG_SIZE];         /* the same */
};

static_assert((int)ESF_EVENT_CODES_MAX < (int)ESF_NO_SIGNATURE, "an event may name any code");

const char *esf_event_code(const struct esf_event_snapshot *snapshot, const struct esf_event *event)
{
	return event->signature == ESF_NO_SIGNATURE ? NULL : snapshot->codes[event->signature];
}

/* Several signatures may have one code, as may those of other configurations. */
static int number_code(struct esf_event_log *log, const char *code, uint16_t *number)
{
	uint32_t i = 0;

	while (i < log->codes_count && strcmp(log->codes[i], code) != 0)
		i++;
	*number = (uint16_t)i;
	if (i < log->codes_count)
		return 0;
	if (i == ESF_EVENT_CODES_MAX)
		return -E2BIG;
	log->codes[i] = strdup(code);
	if (log->codes[i] == NULL)
		return -ENOMEM;
	log->codes_count++;
	return 0;
}

int esf_event_log_prepare(
    struct esf_event_log *log, const struct esf_config *config, uint64_t revision)
{
	struct meanings *next =
	    malloc(sizeof(*next) + config->signatures_count * sizeof(next->codes[0]));
	int result = next == NULL ? -ENOMEM : 0;

	for (uint32_t i = 0; i < config->signatures_count && result == 0; i++)
		result = number_code(log, config->signatures[i].code, &next->codes[i]);
	if (result != 0) {
		free(next);
		return result;
	}
	next->revision = (uint8_t)revision;
	next->count = config->signatures_count;
	free(log->next);
	log->next = next;
	return 0;
}

void esf_event_log_commit(struct esf_event_log *log)
{
	free(log->meanings);
	log->meanings = log->next;
	log->next = NULL;
}

/* The newest first. */
static void copy_recent(
    const struct esf_event_log *log, struct esf_event *out, bool *suppressed, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		out[i] = log->recent[(log->taken - 1 - i) % ESF_EVENT_LOG_SIZE];
		suppressed[i] = log->suppressed[(log->taken - 1 - i) % ESF_EVENT_LOG_SIZE];
	}
}

/* One allocation: the snapshot, its counts, its events. */
static struct esf_event_snapshot *take_snapshot(const struct esf_event_log *log)
{
	uint32_t count =
	    log->taken < ESF_EVENT_LOG_SIZE ? (uint32_t)log->taken : ESF_EVENT_LOG_SIZE;
	size_t counts_size = log->codes_count * sizeof(uint64_t);
	struct esf_event_snapshot *snapshot =
	    malloc(sizeof(*snapshot) + 2 * counts_size + count * (sizeof(struct esf_event) + 1));
	uint64_t *matched;
	struct esf_event *events;
	bool *suppressed;

	if (snapshot == NULL)
		return NULL;
	matched = (uint64_t *)(snapshot + 1);
	events = (struct esf_event *)(matched + 2 * (size_t)log->codes_count);
	suppressed = (bool *)(events + count);
	memcpy(matched, log->matched, counts_size);
	memcpy(matched + log->codes_count, log->matched_suppressed, counts_size);
	copy_recent(log, events, suppressed, count);
	*snapshot = (struct esf_event_snapshot){
		.dropped = log->counts.dropped,
		.codes_count = log->codes_count,
		.codes = (const char *const *)log->codes,
		.matched = matched,
		.matched_suppressed = matched + log->codes_count,
		.taken = log->taken,
		.events_count = count,
		.events = events,
		.suppressed = suppressed,
	};
	memcpy(snapshot->unmatched, log->counts.unmatched, sizeof(snapshot->unmatched));
	return snapshot;
}

struct esf_event_log *esf_event_log_create(const struct esf_config *config, uint64_t revision)
{
	struct esf_event_log *log = calloc(1, sizeof(*log));

	if (log == NULL)
		return NULL;
	log->codes = calloc(ESF_EVENT_CODES_MAX, sizeof(*log->codes));
	log->matched = calloc(ESF_EVENT_CODES_MAX, sizeof(*log->matched));
	log->matched_suppressed = calloc(ESF_EVENT_CODES_MAX, sizeof(*log->matched_suppressed));
	if (log->codes != NULL && log->matched != NULL && log->matched_suppressed != NULL &&
	    esf_event_log_prepare(log, config, revision) == 0) {
		esf_event_log_commit(log);
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
	free(log->next);
	free(log->meanings);
	for (uint32_t i = 0; i < log->codes_count; i++)
		free(log->codes[i]);
	free(log->codes);
	free(log->matched);
	free(log->matched_suppressed);
	free(log);
}

/* The code that the event's signature stood for in the policy by which it was found. */
static uint16_t code_of(const struct esf_event_log *log, const struct esf_event *event)
{
	const struct meanings *meanings = log->meanings;

	if (log->next != NULL && event->revision == log->next->revision)
		meanings = log->next;
	return event->signature < meanings->count ? meanings->codes[event->signature]
	                                          : ESF_NO_SIGNATURE;
}

static bool is_suppressed(const struct esf_roster *roster, const struct esf_event *event)
{
	const struct esf_config *config = roster == NULL ? NULL : esf_roster_config(roster);

	if (config == NULL || config->maintenance_count == 0)
		return false;
	return esf_maintenance_at(config, esf_roster_at(roster, event->site), event->time) != 0;
}

static void keep(
    struct esf_event_log *log, const struct esf_roster *roster, const struct esf_event *event)
{
	uint32_t place = log->taken++ % ESF_EVENT_LOG_SIZE;
	struct esf_event *kept = &log->recent[place];

	*kept = *event;
	kept->signature = code_of(log, event);
	log->suppressed[place] = is_suppressed(roster, event);
	if (kept->signature == ESF_NO_SIGNATURE)
		return;
	log->matched[kept->signature]++;
	log->matched_suppressed[kept->signature] += log->suppressed[place];
}

/* At most what the ring holds, so that a shard that goes on putting can't keep control here. */
static void drain_shard(struct esf_event_log *log, struct esf_plane *plane,
    const struct esf_roster *roster, uint32_t shard)
{
	struct esf_event batch[BATCH];
	uint32_t got = BATCH;

	for (uint32_t taken = 0; taken < ESF_EVENTS_HELD && got == BATCH; taken += got) {
		got = esf_plane_take_events(plane, shard, batch, BATCH);
		for (uint32_t i = 0; i < got; i++)
			keep(log, roster, &batch[i]);
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

void esf_event_log_drain(
    struct esf_event_log *log, struct esf_plane *plane, const struct esf_roster *roster)
{
	uint32_t shards_count = esf_plane_options(plane)->shards_count;
	uint64_t taken = log->taken;
	struct esf_events_counts counts;

	for (uint32_t i = 0; i < shards_count; i++)
		drain_shard(log, plane, roster, i);
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

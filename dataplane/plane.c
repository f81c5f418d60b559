/* SPDX-License-Identifier: Apache-2.0 */
#include <urcu-qsbr.h>

#include "shard_state.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "remember.h"
#include "reserve.h"

enum {
	SLOTS_SPARE = 8, /* windows that control may lag behind by */
	LIVE_WINDOWS_SPARE =
	    6, /* windows of a site, past the open ones, that pools hold room for */
	POOL_FLOOR = 65536,
};

/* Windows that one site may have live at once: open, ahead of now by clock.max_skew, and not yet
 * consumed. */
static uint32_t slots_count(const struct esf_plane_options *options)
{
	uint64_t wanted = options->windows_open + SLOTS_SPARE +
	                  (uint64_t)(options->max_skew_ns / options->window_ns) + 1;
	uint32_t count = 16;

	while (count < wanted)
		count *= 2;
	return count;
}

static size_t window_size(const struct esf_plane_options *options)
{
	return sizeof(struct esf_window) + options->measures_count * sizeof(struct esf_acc);
}

size_t esf_plane_site_size(const struct esf_plane_options *options)
{
	size_t live = options->windows_open + 1;
	size_t stream = sizeof(struct esf_stream) +
	                esf_dedup_words(options->sequence_window) * sizeof(uint64_t);

	return sizeof(struct esf_site) + ESF_SITE_PLACES * sizeof(struct esf_window *) +
	       2 * sizeof(struct esf_card) + stream + 2 * live * window_size(options);
}

static void shard_destroy(struct esf_shard *shard)
{
	if (shard == NULL)
		return;
	esf_remember_destroy(shard);
	esf_names_destroy(shard->names);
	esf_lines_destroy(shard->lines);
	esf_text_destroy(shard->text);
	esf_sealer_destroy(shard->sealer);
	esf_events_destroy(shard->events);
	esf_site_pools_destroy(&shard->site_pools);
	esf_pool_destroy(shard->windows);
	esf_reserve_free(shard->accs.base, shard->accs.size);
	esf_blocks_destroy(&shard->blocks);
	esf_pool_destroy(shard->cards);
	esf_pool_destroy(shard->unmapped_lists);
	free(shard->touched);
	esf_reserve_free(shard->dirty, shard->dirty_size);
	esf_reserve_free(shard->publishing, shard->dirty_size);
	free(shard->storming);
	free(shard->refused_sites);
	free(shard->slots);
	free(shard->slots_oldest);
	free(shard);
}

/*
 * An odd stride of lines, so that a window's accumulators are in several sets of a cache. Each KPI
 * that is used has pages of its own, which are not huge ones where a few sites' windows are all
 * that lies in them.
 */
static int accs_create(struct esf_accs *accs, const struct esf_pool *windows,
    const struct esf_plane_options *options, uint32_t capacity)
{
	accs->windows = esf_pool_base(windows);
	accs->stride = (capacity | 1) * sizeof(struct esf_acc);
	accs->size = accs->stride * options->measures_count;
	accs->base = options->sites_count < ESF_SITES_FAR ? esf_reserve_plain(accs->size)
	                                                  : esf_reserve(accs->size);
	return accs->base == NULL ? -ENOMEM : 0;
}

static int shard_alloc(struct esf_shard *shard, const struct esf_plane *plane)
{
	const struct esf_plane_options *options = &plane->options;
	uint32_t per_site = options->windows_open + LIVE_WINDOWS_SPARE;
	uint32_t windows = options->sites_count * per_site + POOL_FLOOR;
	int result;

	shard->names = esf_names_create(shard->index, options->hash_key);
	shard->lines = esf_lines_create(options->lines_remembered, options->hash_key);
	shard->text = esf_text_create();
	shard->events = esf_events_create(ESF_EVENTS_HELD);
	shard->windows = esf_pool_create(sizeof(struct esf_window), windows);
	shard->cards = esf_pool_create(sizeof(struct esf_card), 4 * options->sites_count + 1024);
	shard->unmapped_lists =
	    esf_pool_create(sizeof(struct esf_unmapped_list), 4 * options->sites_count + 1024);
	shard->dirty_size = windows * sizeof(struct esf_window *);
	shard->dirty = esf_reserve(shard->dirty_size);
	shard->publishing = esf_reserve(shard->dirty_size);
	shard->touched = calloc(options->sites_count + 1, sizeof(*shard->touched));
	shard->storming = calloc(options->sites_count + 1, sizeof(*shard->storming));
	shard->refused_sites = calloc(ESF_LINES_MAX, sizeof(*shard->refused_sites));
	shard->slots = calloc(plane->slots_mask + 1, sizeof(struct esf_window *));
	shard->slots_oldest = malloc((plane->slots_mask + 1) * sizeof(*shard->slots_oldest));
	if (shard->names == NULL || shard->lines == NULL || shard->text == NULL ||
	    shard->events == NULL || shard->windows == NULL || shard->cards == NULL ||
	    shard->unmapped_lists == NULL || shard->touched == NULL || shard->dirty == NULL ||
	    shard->publishing == NULL || shard->refused_sites == NULL || shard->slots == NULL ||
	    shard->slots_oldest == NULL || shard->storming == NULL)
		return -ENOMEM;
	for (uint32_t i = 0; i <= plane->slots_mask; i++)
		shard->slots_oldest[i] = INT64_MAX;
	result = accs_create(&shard->accs, shard->windows, options, windows);
	if (result != 0)
		return result;
	result = esf_blocks_create(&shard->blocks, options->measures_count, 2 * windows);
	if (result != 0)
		return result;
	result = esf_sealer_create(&shard->sealer);
	if (result != 0 && result != -ENOTSUP)
		return result;
	return esf_site_pools_create(&shard->site_pools, options->sites_count,
	    options->measures_count, options->sequence_window);
}

static struct esf_shard *shard_create(struct esf_plane *plane, uint32_t index)
{
	struct esf_shard *shard = aligned_alloc(ESF_CACHE_LINE, sizeof(*shard));

	if (shard == NULL)
		return NULL;
	memset(shard, 0, sizeof(*shard));
	shard->plane = plane;
	shard->index = index;
	shard->now = INT64_MIN;
	shard->recycled = INT64_MIN;
	shard->spare_site = ESF_SPARE_NONE;
	atomic_init(&shard->settled, INT64_MIN);
	atomic_init(&shard->first_window, INT64_MAX);
	atomic_init(&shard->latest_window, INT64_MIN);
	if (shard_alloc(shard, plane) != 0) {
		shard_destroy(shard);
		return NULL;
	}
	return shard;
}

static int plane_map(struct esf_plane *plane)
{
	size_t sites = plane->options.sites_count;

	plane->sites_size = sites * sizeof(struct esf_site);
	plane->windows_size = sites * ESF_SITE_PLACES * sizeof(struct esf_window *);
	plane->sites = esf_reserve(plane->sites_size);
	plane->windows = esf_reserve(plane->windows_size);
	plane->cards = calloc(sites + 1, sizeof(struct esf_card *));
	plane->owner = malloc(sites + 1);
	plane->storming = calloc(sites + 1, sizeof(*plane->storming));
	plane->learned = esf_learned_create(
	    plane->options.listed_count, plane->options.sites_count, plane->options.hash_key);
	if (plane->sites == NULL || plane->windows == NULL || plane->cards == NULL ||
	    plane->owner == NULL || plane->learned == NULL || plane->storming == NULL)
		return -ENOMEM;
	memset((void *)plane->owner, ESF_NO_OWNER, sites + 1);
	return 0;
}

static bool times_are_valid(const struct esf_plane_options *options)
{
	return options->window_ns > 0 && options->epoch_ns > 0 && options->windows_open >= 1 &&
	       options->windows_open <= ESF_WINDOWS_OPEN_MAX && options->max_skew_ns >= 0 &&
	       options->max_skew_ns / options->window_ns <
	           (int64_t)ESF_WINDOW_SLOTS_MAX - options->windows_open;
}

static bool sequence_window_is_valid(uint32_t size)
{
	return size >= 64 && size <= ESF_SEQUENCE_WINDOW_MAX && (size & (size - 1)) == 0;
}

static bool options_are_valid(const struct esf_plane_options *options)
{
	return times_are_valid(options) && options->listed_count <= options->sites_count &&
	       sequence_window_is_valid(options->sequence_window) &&
	       options->sites_count <= ESF_SITES_MAX && options->measures_count <= ESF_KPIS_MAX &&
	       options->shards_count >= 1 && options->shards_count <= ESF_SHARDS_MAX &&
	       options->owners != 0 && options->owners >> options->shards_count == 0;
}

int esf_plane_create(const struct esf_plane_options *options, struct esf_plane **out)
{
	struct esf_plane *plane;
	int result;

	if (!options_are_valid(options))
		return -EINVAL;
	plane = calloc(1, sizeof(*plane));
	if (plane == NULL)
		return -ENOMEM;
	plane->options = *options;
	plane->slots_mask = slots_count(options) - 1;
	atomic_init(&plane->consumed, INT64_MIN);
	plane->wants_consumed = INT64_MIN;
	for (uint32_t i = 0; i < options->shards_count; i++)
		if (options->owners >> i & 1)
			plane->owners[plane->owners_count++] = (uint8_t)i;
	result = plane_map(plane);
	for (uint32_t i = 0; i < options->shards_count && result == 0; i++) {
		plane->shards[i] = shard_create(plane, i);
		result = plane->shards[i] == NULL ? -ENOMEM : 0;
	}
	/* Its thread is made here and not, with a malloc, by the first lcore that retires a block.
	 */
	if (result == 0 && get_default_call_rcu_data() == NULL)
		result = -ENOMEM;
	if (result != 0) {
		esf_plane_destroy(plane);
		return result;
	}
	*out = plane;
	return 0;
}

void esf_plane_destroy(struct esf_plane *plane)
{
	if (plane == NULL)
		return;
	for (uint32_t i = 0; i < plane->options.shards_count; i++)
		shard_destroy(plane->shards[i]);
	esf_reserve_free(plane->sites, plane->sites_size);
	esf_reserve_free(plane->windows, plane->windows_size);
	free(plane->cards);
	free((void *)plane->owner);
	esf_learned_destroy(plane->learned);
	free((void *)plane->storming);
	free(plane);
}

const struct esf_plane_options *esf_plane_options(const struct esf_plane *plane)
{
	return &plane->options;
}

struct esf_learned *esf_plane_learned(const struct esf_plane *plane)
{
	return plane->learned;
}

struct esf_shard *esf_plane_shard(struct esf_plane *plane, uint32_t index)
{
	return plane->shards[index];
}

struct esf_policy *esf_plane_set_policy(struct esf_plane *plane, struct esf_policy *policy)
{
	return rcu_xchg_pointer(&plane->policy, policy);
}

struct esf_admission *esf_plane_set_admission(
    struct esf_plane *plane, struct esf_admission *admission)
{
	return rcu_xchg_pointer(&plane->admission, admission);
}

const struct esf_admission *esf_plane_admission(const struct esf_plane *plane)
{
	return rcu_dereference(plane->admission);
}

int64_t esf_plane_settled(const struct esf_plane *plane)
{
	int64_t settled = INT64_MAX;

	for (uint32_t i = 0; i < plane->options.shards_count; i++) {
		int64_t shards =
		    atomic_load_explicit(&plane->shards[i]->settled, memory_order_acquire);

		settled = shards < settled ? shards : settled;
	}
	return settled;
}

const struct esf_block *esf_plane_block(
    const struct esf_plane *plane, uint32_t site, int64_t window)
{
	const struct esf_window *live = rcu_dereference(*esf_plane_windows_at(plane, site, window));

	while (live != NULL && live->window != window)
		live = rcu_dereference(live->next_of_site);
	return live == NULL ? NULL : rcu_dereference(live->block);
}

const struct esf_card *esf_plane_card(const struct esf_plane *plane, uint32_t site)
{
	return rcu_dereference(plane->cards[site]);
}

const struct esf_policy *esf_plane_policy(const struct esf_plane *plane)
{
	return rcu_dereference(plane->policy);
}

uint32_t esf_plane_names_count(const struct esf_plane *plane, uint32_t shard)
{
	return esf_names_count(plane->shards[shard]->names);
}

const char *esf_plane_name(
    const struct esf_plane *plane, uint32_t shard, uint32_t id, uint32_t *length)
{
	return esf_names_text(plane->shards[shard]->names, id, length);
}

void esf_plane_consume(struct esf_plane *plane, int64_t window)
{
	if (window > plane->wants_consumed)
		plane->wants_consumed = window;
	if (!plane->holds)
		atomic_store_explicit(
		    &plane->consumed, plane->wants_consumed, memory_order_release);
}

void esf_plane_hold(struct esf_plane *plane)
{
	plane->holds = true;
}

void esf_plane_release(struct esf_plane *plane)
{
	plane->holds = false;
	esf_plane_consume(plane, plane->wants_consumed);
}

int esf_plane_owner(const struct esf_plane *plane, uint32_t site)
{
	uint8_t owner = atomic_load_explicit(&plane->owner[site], memory_order_relaxed);

	return owner == ESF_NO_OWNER ? -1 : owner;
}

bool esf_plane_fleet_storms(const struct esf_plane *plane)
{
	bool storms = false;

	for (uint32_t i = 0; i < plane->options.shards_count; i++)
		storms = storms || atomic_load_explicit(
		                       &plane->shards[i]->fleet_storming, memory_order_relaxed);
	return storms;
}

int64_t esf_plane_latest_window(const struct esf_plane *plane)
{
	int64_t latest = INT64_MIN;

	for (uint32_t i = 0; i < plane->options.shards_count; i++) {
		int64_t shards =
		    atomic_load_explicit(&plane->shards[i]->latest_window, memory_order_relaxed);

		latest = shards > latest ? shards : latest;
	}
	return latest;
}

int64_t esf_plane_first_window(const struct esf_plane *plane)
{
	int64_t first = INT64_MAX;

	for (uint32_t i = 0; i < plane->options.shards_count; i++) {
		int64_t shards =
		    atomic_load_explicit(&plane->shards[i]->first_window, memory_order_relaxed);

		first = shards < first ? shards : first;
	}
	return first;
}

uint32_t esf_plane_take_events(
    struct esf_plane *plane, uint32_t shard, struct esf_event *out, uint32_t count)
{
	return esf_events_take(plane->shards[shard]->events, out, count);
}

void esf_plane_event_counts(const struct esf_plane *plane, struct esf_events_counts *out)
{
	memset(out, 0, sizeof(*out));
	for (uint32_t i = 0; i < plane->options.shards_count; i++) {
		struct esf_events_counts one;

		esf_events_read_counts(plane->shards[i]->events, &one);
		out->put += one.put;
		out->dropped += one.dropped;
		for (int severity = 0; severity < ESF_SEVERITIES; severity++)
			out->unmatched[severity] += one.unmatched[severity];
	}
}

/*
 * Copies a shard's ledger as it stood at the end of one of its passes. Words are loaded with
 * acquire, so that a word of a later copy brings its odd sequence with it; partner:
 * copy_ledger_out in shard.c.
 */
static void ledger_read(const struct esf_shard *shard, struct esf_ledger *out)
{
	const struct esf_ledger_copy *copy = &shard->ledger_copy;
	uint64_t words[sizeof(*out) / sizeof(uint64_t)];
	uint64_t before, after;

	do {
		before = atomic_load_explicit(&copy->sequence, memory_order_acquire);
		for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
			words[i] = atomic_load_explicit(&copy->words[i], memory_order_acquire);
		after = atomic_load_explicit(&copy->sequence, memory_order_relaxed);
	} while (before != after || before % 2 != 0);
	memcpy(out, words, sizeof(words));
}

/*
 * Shards are copied one after the other, and a giver's copy says only at its pass's end what its
 * takers may have taken by then: so more may have been taken than was handed. The difference was
 * handed for certain, and received before that, which the giver's next copy will say of the very
 * same datagrams; here it is said for it. Each shard balances, so both sides grow alike, and what
 * is said of received never falls: a copy's received - handed and taken only grow.
 */
static void count_what_was_taken(struct esf_ledger *ledger)
{
	uint64_t unsaid = ledger->datagrams_taken > ledger->datagrams_handed
	                      ? ledger->datagrams_taken - ledger->datagrams_handed
	                      : 0;

	ledger->datagrams_handed += unsaid;
	ledger->datagrams_received += unsaid;
}

void esf_plane_ledger(const struct esf_plane *plane, struct esf_ledger *out)
{
	memset(out, 0, sizeof(*out));
	for (uint32_t i = 0; i < plane->options.shards_count; i++) {
		struct esf_ledger one;

		ledger_read(plane->shards[i], &one);
		esf_ledger_add(out, &one);
	}
	count_what_was_taken(out);
}

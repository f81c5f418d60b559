/* SPDX-License-Identifier: Apache-2.0 */
#include <urcu-qsbr.h>

#include "shard_state.h"

#include <assert.h>
#include <stddef.h>
#include <string.h>

#include "remember.h"

/*
 * Live windows and what is published of them. Control reads a site's window slot, then the window's
 * block, both under RCU. A window leaves its slot only once control has said (esf_plane_consume)
 * that it is done with that index; it is retired then, as every block and card replaced is.
 */

/*
 * Windows and cards, a pass: while datagrams come in full bursts one for every 1.5 us since the
 * pass before, whatever a datagram takes and however many sites there are (one takes some 0.3 us
 * where its memory is far); a publication then takes as long as it takes. At other times
 * PUBLISHED_AT_LEISURE.
 */
enum { NS_EACH = 1500, PUBLISHED_AT_LEAST = 4, PUBLISHED_AT_LEISURE = 256 };

/* How many are fetched ahead of the one at hand. */
enum { AHEAD = 4 };

static struct esf_window *find_window(
    const struct esf_shard *shard, const struct esf_site *site, int64_t window)
{
	struct esf_window *found =
	    *esf_plane_windows_at(shard->plane, esf_shard_site_index(shard, site), window);

	while (found != NULL && found->window != window)
		found = found->next_of_site;
	return found;
}

static void note_oldest(struct esf_shard *shard, int64_t window)
{
	int64_t *oldest = &shard->slots_oldest[(uint64_t)window & shard->plane->slots_mask];

	*oldest = window < *oldest ? window : *oldest;
}

/* What was used of it by the one before. */
static void clear(const struct esf_shard *shard, struct esf_window *window)
{
	for (uint64_t used = window->used; used != 0; used &= used - 1)
		*esf_shard_acc(shard, window, (uint32_t)__builtin_ctzll(used)) = esf_acc_empty;
	memset(window, 0, sizeof(*window));
}

static __attribute__((cold)) struct esf_window *window_open(
    struct esf_shard *shard, struct esf_site *site, int64_t window)
{
	const struct esf_plane *plane = shard->plane;
	uint32_t site_index = esf_shard_site_index(shard, site);
	struct esf_window *opened;
	struct esf_window **list = &shard->slots[(uint64_t)window & plane->slots_mask];
	struct esf_window **place = esf_plane_windows_at(plane, site_index, window);

	if (site->windows_count > plane->slots_mask)
		return NULL; /* control has not consumed the old ones */
	opened = esf_pool_take(shard->windows);
	if (opened == NULL)
		return NULL;
	site->windows_count++;
	clear(shard, opened);
	opened->window = window;
	opened->site = site_index;
	opened->next_in_slot = *list;
	*list = opened;
	note_oldest(shard, window);
	opened->next_of_site = *place;
	rcu_set_pointer(place, opened);
	return opened;
}

struct esf_window *esf_shard_seek_window(
    struct esf_shard *shard, struct esf_site *site, int64_t window)
{
	struct esf_window *found = find_window(shard, site, window);

	if (found == NULL)
		found = window_open(shard, site, window);
	if (found != NULL) {
		esf_site_fold(site);
		site->recent = found;
		site->turn = 0;
	}
	return found;
}

struct esf_window *esf_shard_live_window(
    const struct esf_shard *shard, const struct esf_site *site, int64_t window)
{
	return find_window(shard, site, window);
}

__attribute__((noinline)) void esf_shard_list_touched(
    struct esf_shard *shard, struct esf_site *site)
{
	uint32_t index = esf_shard_site_index(shard, site);

	if (shard->hand_over == NULL) /* nothing steers, so nothing claims */
		atomic_store_explicit(
		    &shard->plane->owner[index], (uint8_t)shard->index, memory_order_relaxed);
	site->touched = true;
	shard->touched[shard->touched_next] = index;
	shard->touched_next = esf_shard_touched_after(shard, shard->touched_next);
}

static uint32_t used_count(const struct esf_window *window)
{
	return (uint32_t)__builtin_popcountll(window->used);
}

static void block_fill(
    const struct esf_shard *shard, const struct esf_window *window, struct esf_block *block)
{
	const struct esf_site *site = &shard->plane->sites[window->site];
	struct esf_acc *acc = block->accs;

	block->window = window->window;
	block->site = window->site;
	block->accepted = window->accepted;
	block->comms_accepted = window->comms_accepted;
	block->comms_lost = window->comms_lost;
	block->used = window->used;
	for (uint64_t used = window->used; used != 0; used &= used - 1, acc++) {
		uint32_t i = (uint32_t)__builtin_ctzll(used);

		*acc = *esf_shard_peek_acc(shard, window, i);
		if (window->counts && acc->counter && site->counters[i] != NULL)
			acc->sum += esf_counter_pending(site->counters[i], window->window);
	}
}

static bool publish_window(struct esf_shard *shard, struct esf_window *window)
{
	struct esf_site *site = &shard->plane->sites[window->site];
	struct esf_block *former = window->block;
	struct esf_block *block = esf_blocks_take(&shard->blocks, used_count(window));

	if (block == NULL)
		return false;
	if (site->recent == window) {
		esf_site_fold(site);
		site->turn = 0;
	}
	block_fill(shard, window, block);
	rcu_set_pointer(&window->block, block);
	if (former != NULL)
		esf_blocks_retire(&shard->blocks, former);
	window->dirty = false;
	return true;
}

/*
 * The list that goes with the site's new card: the former one while nothing was counted since, else
 * a copy. False when out of memory.
 */
static bool copy_unmapped(struct esf_shard *shard, const struct esf_site *site,
    const struct esf_card *former, const struct esf_unmapped_list **out)
{
	struct esf_unmapped_list *list;

	*out = former == NULL ? NULL : former->unmapped;
	if (site->unmapped == NULL || !site->unmapped->changed)
		return true;
	list = esf_pool_take(shard->unmapped_lists);
	if (list == NULL)
		return false;
	list->counts = site->unmapped->counts;
	list->shard = shard->index;
	*out = list;
	return true;
}

/* A list that the card has and its successor hasn't goes with it. */
static void retire_card(
    struct esf_shard *shard, struct esf_card *card, const struct esf_unmapped_list *successors)
{
	struct esf_unmapped_list *list = (struct esf_unmapped_list *)card->unmapped;

	if (list != NULL && list != successors)
		esf_pool_retire(shard->unmapped_lists, list);
	esf_pool_retire(shard->cards, card);
}

static bool publish_card(struct esf_shard *shard, uint32_t site_index)
{
	struct esf_site *site = &shard->plane->sites[site_index];
	struct esf_card **slot = &shard->plane->cards[site_index];
	struct esf_card *former = *slot;
	struct esf_card *card = esf_pool_take(shard->cards);

	if (card == NULL)
		return false;
	if (!copy_unmapped(shard, site, former, &card->unmapped)) {
		esf_pool_give(shard->cards, card);
		return false;
	}
	esf_site_fold(site);
	card->ledger = site->ledger;
	card->lost = site->lost;
	card->forgotten = site->forgotten;
	card->last_seen = site->last_seen;
	card->clock_offset = esf_skew_estimate(&site->skew);
	card->left = site->left;
	card->storms = site->storm.storming;
	card->streams = site->streams_count;
	card->site = site_index;
	rcu_set_pointer(slot, card);
	if (former != NULL)
		retire_card(shard, former, card->unmapped);
	if (site->unmapped != NULL)
		site->unmapped->changed = false;
	site->touched = false;
	site->turn = 0;
	if (esf_shard_remember(shard) != NULL)
		esf_remember_published(shard, site_index);
	return true;
}

static inline void prefetch_lines(const void *at, size_t size)
{
	for (size_t offset = 0; at != NULL && offset < size; offset += ESF_CACHE_LINE)
		__builtin_prefetch((const uint8_t *)at + offset, 1);
}

/* In two steps, as what is used of a window, and whose it is, stands in it. */
static void prefetch_window(const struct esf_shard *shard, uint32_t index)
{
	const struct esf_window *window;

	if (index + AHEAD < shard->publishing_count)
		__builtin_prefetch(shard->publishing[index + AHEAD]);
	if (index >= shard->publishing_count)
		return;
	window = shard->publishing[index];
	__builtin_prefetch(&shard->plane->sites[window->site], 1);
	for (uint64_t used = window->used; used != 0; used &= used - 1)
		__builtin_prefetch(
		    esf_shard_peek_acc(shard, window, (uint32_t)__builtin_ctzll(used)), 1);
	prefetch_lines(esf_blocks_next(&shard->blocks, used_count(window), AHEAD),
	    sizeof(struct esf_block) + used_count(window) * sizeof(struct esf_acc));
}

/* The place may be past the last one to be published: any is a site's. */
static void prefetch_card(const struct esf_shard *shard)
{
	const struct esf_plane *plane = shard->plane;
	uint32_t places = plane->options.sites_count + 1, at = shard->touched_first + AHEAD;
	uint32_t index = shard->touched[at < places ? at : at - places];

	__builtin_prefetch(&plane->cards[index], 1);
	prefetch_lines(esf_pool_next(shard->cards, AHEAD), sizeof(struct esf_card));
	prefetch_lines(&plane->sites[index], sizeof(plane->sites[index]));
}

/* Publishes until done, out of budget or out of memory; what is left over stays listed. */
static bool publish_windows(struct esf_shard *shard, uint32_t *budget)
{
	for (; shard->publishing_next != shard->publishing_count && *budget > 0; --*budget) {
		prefetch_window(shard, shard->publishing_next + AHEAD);
		if (!publish_window(shard, shard->publishing[shard->publishing_next]))
			return false;
		shard->publishing_next++;
	}
	return shard->publishing_next == shard->publishing_count;
}

static bool publish_cards(struct esf_shard *shard, uint32_t *budget)
{
	for (; shard->touched_first != shard->touched_end && *budget > 0; --*budget) {
		prefetch_card(shard);
		if (!publish_card(shard, shard->touched[shard->touched_first]))
			return false;
		shard->touched_first = esf_shard_touched_after(shard, shard->touched_first);
	}
	return shard->touched_first == shard->touched_end;
}

static void window_close(struct esf_shard *shard, struct esf_window *window)
{
	struct esf_site *site = &shard->plane->sites[window->site];
	struct esf_window **link = esf_plane_windows_at(shard->plane, window->site, window->window);

	/* Readers that stand on it still find their way: its own link stays. */
	while (*link != window)
		link = &(*link)->next_of_site;
	rcu_set_pointer(link, window->next_of_site);
	site->windows_count--;
	if (site->recent == window) {
		site->recent = NULL;
		site->turn = 0;
	}
	if (window->block != NULL)
		esf_blocks_retire(&shard->blocks, window->block);
	esf_pool_retire(shard->windows, window);
}

/* Goes to the next slot, from this one on, that holds a window to be given back. */
static void enter_slot(struct esf_shard *shard, uint32_t slot)
{
	while (slot <= shard->plane->slots_mask && shard->slots_oldest[slot] > shard->recycled)
		slot++;
	if (slot > shard->plane->slots_mask) {
		shard->recycling = NULL;
		return;
	}
	shard->recycling_slot = slot;
	shard->recycling = &shard->slots[slot];
	shard->slots_oldest[slot] = INT64_MAX; /* noted again of those that stay */
}

static void start_recycling(struct esf_shard *shard)
{
	int64_t consumed = atomic_load_explicit(&shard->plane->consumed, memory_order_acquire);

	if (consumed == shard->recycled || shard->recycling != NULL)
		return;
	shard->recycled = consumed;
	enter_slot(shard, 0);
}

/*
 * Gives back the windows that control has consumed; those still to be published wait. The place in
 * a list is kept from pass to pass: windows are only ever put before it.
 */
static void recycle(struct esf_shard *shard, uint32_t *budget)
{
	while (shard->recycling != NULL && *budget > 0) {
		struct esf_window *window = *shard->recycling;

		if (window == NULL) {
			enter_slot(shard, shard->recycling_slot + 1);
			continue;
		}
		--*budget;
		__builtin_prefetch(window->next_in_slot);
		if (window->window > shard->recycled || window->dirty) {
			note_oldest(shard, window->window);
			shard->recycling = &window->next_in_slot;
			continue;
		}
		*shard->recycling = window->next_in_slot;
		window_close(shard, window);
	}
}

/* What is dirty and touched now is what is published; what comes meanwhile is the next one's, or
 * goes along where its turn is still to come. */
static void start_publication(struct esf_shard *shard)
{
	struct esf_window **published;

	shard->publication++;
	shard->published_at = shard->now;
	shard->is_publishing = true;
	published = shard->publishing;
	shard->publishing = shard->dirty;
	shard->publishing_next = 0;
	shard->publishing_count = shard->dirty_count;
	shard->dirty = published;
	shard->dirty_count = 0;
	shard->touched_end = shard->touched_next;
}

/*
 * Publishing and giving back have a budget each: where publications follow one another without a
 * pause, windows have to go all the same. Returns how much was done.
 */
static uint32_t go_on(struct esf_shard *shard, uint32_t budget)
{
	uint32_t left = budget, recyclable = budget;

	if (shard->is_publishing && publish_windows(shard, &left) && publish_cards(shard, &left)) {
		shard->is_publishing = false;
		atomic_store_explicit(&shard->settled, shard->published_at, memory_order_release);
	}
	start_recycling(shard);
	recycle(shard, &recyclable);
	esf_shard_mature(shard);
	return budget - left + (budget - recyclable);
}

static uint32_t budget_of_pass(struct esf_shard *shard)
{
	uint64_t datagrams = shard->ledger.datagrams_received + shard->ledger.datagrams_taken;
	uint64_t came = datagrams - shard->datagrams_before;
	int64_t items = (shard->now - shard->pass_before) / NS_EACH;

	shard->datagrams_before = datagrams;
	shard->pass_before = shard->now;
	if (came < ESF_BURST_MAX || items > PUBLISHED_AT_LEISURE)
		return PUBLISHED_AT_LEISURE;
	return items < PUBLISHED_AT_LEAST ? (uint32_t)PUBLISHED_AT_LEAST : (uint32_t)items;
}

uint32_t esf_shard_publish_some(struct esf_shard *shard)
{
	bool is_due = shard->now >= shard->next_epoch || shard->storm_ended;
	uint32_t budget = budget_of_pass(shard), published = 0;

	if (is_due && !shard->is_publishing) {
		esf_shard_sweep_storms(shard);
		shard->storm_ended = false;
		shard->next_epoch = shard->now + shard->plane->options.epoch_ns;
		start_publication(shard);
	}
	if (shard->is_publishing || shard->recycling != NULL)
		published = go_on(shard, budget);
	if (esf_shard_remember(shard) != NULL)
		esf_remember_step(shard, budget);
	return published;
}

static void publish_all(struct esf_shard *shard)
{
	if (shard->is_publishing)
		go_on(shard, UINT32_MAX);
	if (!shard->is_publishing) {
		start_publication(shard);
		go_on(shard, UINT32_MAX);
	}
}

void esf_shard_publish(struct esf_shard *shard)
{
	esf_shard_sweep_storms(shard);
	shard->storm_ended = false;
	publish_all(shard);
}

void esf_shard_finish(struct esf_shard *shard)
{
	shard->now = INT64_MAX;
	publish_all(shard);
}

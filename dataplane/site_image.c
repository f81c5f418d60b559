/* SPDX-License-Identifier: Apache-2.0 */
#include "site_image.h"

#include <assert.h>

#include "shard_state.h"

/* What is zero in most sites takes no room: a mask of the words that are not, and those. */
static_assert(sizeof(struct esf_site_ledger) <= 64 * sizeof(uint64_t), "a bit for each word");

static void write_ledger(const struct esf_site_ledger *ledger, struct esf_image_writer *out)
{
	uint64_t words[sizeof(*ledger) / sizeof(uint64_t)], mask = 0;

	memcpy(words, ledger, sizeof(words));
	for (uint32_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		mask |= (uint64_t)(words[i] != 0) << i;
	ESF_IMAGE_PUT(out, uint64_t, mask);
	for (; mask != 0; mask &= mask - 1)
		ESF_IMAGE_PUT(out, uint64_t, words[__builtin_ctzll(mask)]);
}

static void write_summary(const struct esf_site *site, struct esf_image_writer *out)
{
	ESF_IMAGE_PUT(out, uint8_t, site->left);
	ESF_IMAGE_PUT(out, int64_t, site->last_seen);
	ESF_IMAGE_PUT(out, int64_t, site->skew.best);
	ESF_IMAGE_PUT(out, int64_t, site->skew.former);
	ESF_IMAGE_PUT(out, int64_t, site->skew.until);
	ESF_IMAGE_PUT(out, uint64_t, site->lost);
	ESF_IMAGE_PUT(out, uint64_t, site->forgotten);
	write_ledger(&site->ledger, out);
}

static void write_storm(const struct esf_storm_site *storm, struct esf_image_writer *out)
{
	ESF_IMAGE_PUT(out, uint64_t, storm->spent);
	ESF_IMAGE_PUT(out, int64_t, storm->refilled);
	ESF_IMAGE_PUT(out, int64_t, storm->slot_end);
	ESF_IMAGE_PUT(out, int64_t, storm->above_until);
	ESF_IMAGE_PUT(out, uint32_t, storm->offered);
	ESF_IMAGE_PUT(out, uint8_t, storm->storming);
}

/* Births whose name is remembered; the others come again within a minute. */
static bool is_told(const struct esf_alias *alias)
{
	return alias->born && alias->name != 0;
}

static void write_aliases(const struct esf_stream *stream, struct esf_image_writer *out)
{
	uint32_t count = 0;

	for (uint32_t a = 0; a < stream->aliases_count; a++)
		count += is_told(&stream->aliases[a]);
	ESF_IMAGE_PUT(out, uint32_t, count);
	for (uint32_t a = 0; a < stream->aliases_count; a++) {
		if (!is_told(&stream->aliases[a]))
			continue;
		ESF_IMAGE_PUT(out, uint16_t, (uint16_t)a);
		ESF_IMAGE_PUT(out, uint8_t, stream->aliases[a].type);
		ESF_IMAGE_PUT(out, uint32_t, stream->aliases[a].name);
	}
}

/* A full window, the usual one, takes no words. */
static void write_bitmap(const uint64_t *bitmap, uint32_t words, struct esf_image_writer *out)
{
	uint64_t all = UINT64_MAX;

	for (uint32_t i = 0; i < words; i++)
		all &= bitmap[i];
	ESF_IMAGE_PUT(out, uint8_t, all == UINT64_MAX);
	if (all != UINT64_MAX)
		esf_image_put(out, bitmap, words * sizeof(*bitmap));
}

static void write_streams(
    const struct esf_shard *shard, const struct esf_site *site, struct esf_image_writer *out)
{
	ESF_IMAGE_PUT(out, uint32_t, site->streams_count);
	for (const struct esf_stream *stream = site->streams; stream != NULL;
	     stream = stream->next) {
		const struct esf_dedup *dedup = &stream->dedup;
		bool waits = dedup->boot == ESF_DEDUP_WAITS;

		ESF_IMAGE_PUT(out, uint16_t, stream->id);
		ESF_IMAGE_PUT(out, uint32_t, waits ? dedup->former : dedup->boot);
		ESF_IMAGE_PUT(out, uint32_t, dedup->highest);
		ESF_IMAGE_PUT(out, uint32_t, dedup->lowest);
		ESF_IMAGE_PUT(out, uint64_t, dedup->lost);
		write_bitmap(stream->bitmap, shard->site_pools.bitmap_words, out);
		write_aliases(stream, out);
	}
}

static void write_counters(
    const struct esf_site *site, uint32_t measures, struct esf_image_writer *out)
{
	uint32_t count = 0;

	for (uint32_t m = 0; m < measures && site->counters != NULL; m++)
		count += site->counters[m] != NULL;
	ESF_IMAGE_PUT(out, uint32_t, count);
	for (uint32_t m = 0; m < measures && count > 0; m++) {
		const struct esf_counter *counter = site->counters[m];

		if (counter == NULL)
			continue;
		ESF_IMAGE_PUT(out, uint32_t, m);
		ESF_IMAGE_PUT(out, uint32_t, counter->count);
		for (uint32_t i = 0; i < counter->count; i++) {
			ESF_IMAGE_PUT(out, int64_t, counter->tail[i].time);
			ESF_IMAGE_PUT(out, double, counter->tail[i].value);
		}
	}
}

static void write_levels(
    const struct esf_site *site, uint32_t measures, struct esf_image_writer *out)
{
	uint32_t count = site->levels == NULL ? 0 : measures;

	ESF_IMAGE_PUT(out, uint32_t, count);
	if (count > 0)
		esf_image_put(out, site->levels, count * sizeof(*site->levels));
}

static void write_reports(
    const struct esf_shard *shard, const struct esf_site *site, struct esf_image_writer *out)
{
	bool are_of_now =
	    site->reports != NULL && site->reports_generation == shard->rules_generation;
	uint32_t count = are_of_now ? shard->site_pools.measures_count : 0;

	ESF_IMAGE_PUT(out, uint32_t, count);
	for (uint32_t m = 0; m < count; m++) {
		ESF_IMAGE_PUT(out, double, site->reports[m].value);
		ESF_IMAGE_PUT(out, int64_t, site->reports[m].time);
		ESF_IMAGE_PUT(out, uint8_t, site->reports[m].zone);
	}
}

static void write_unmapped(const struct esf_site *site, struct esf_image_writer *out)
{
	const struct esf_unmapped_counts *counts =
	    site->unmapped == NULL ? NULL : &site->unmapped->counts;

	ESF_IMAGE_PUT(out, uint64_t, counts == NULL ? 0 : counts->more);
	ESF_IMAGE_PUT(out, uint32_t, counts == NULL ? 0 : counts->count);
	for (uint32_t i = 0; counts != NULL && i < counts->count; i++) {
		ESF_IMAGE_PUT(out, uint32_t, counts->names[i]);
		ESF_IMAGE_PUT(out, uint64_t, counts->records[i]);
	}
}

static void write_window(
    const struct esf_shard *shard, const struct esf_window *window, struct esf_image_writer *out)
{
	uint64_t mask = window->used;

	ESF_IMAGE_PUT(out, int64_t, window->window);
	ESF_IMAGE_PUT(out, uint32_t, window->accepted);
	ESF_IMAGE_PUT(out, uint32_t, window->comms_accepted);
	ESF_IMAGE_PUT(out, uint32_t, window->comms_lost);
	ESF_IMAGE_PUT(out, uint64_t, mask);
	for (; mask != 0; mask &= mask - 1)
		esf_image_put(out,
		    esf_shard_peek_acc(shard, window, (uint32_t)__builtin_ctzll(mask)),
		    sizeof(struct esf_acc));
}

static void write_windows(
    const struct esf_shard *shard, uint32_t site, int64_t first, struct esf_image_writer *out)
{
	const struct esf_plane *plane = shard->plane;
	uint32_t count = 0;

	for (int64_t p = 0; p < ESF_SITE_PLACES; p++)
		for (const struct esf_window *window = *esf_plane_windows_at(plane, site, p);
		     window != NULL; window = window->next_of_site)
			count += window->window >= first;
	ESF_IMAGE_PUT(out, uint32_t, count);
	for (int64_t p = 0; p < ESF_SITE_PLACES; p++)
		for (const struct esf_window *window = *esf_plane_windows_at(plane, site, p);
		     window != NULL; window = window->next_of_site)
			if (window->window >= first)
				write_window(shard, window, out);
}

bool esf_site_image_wanted(const struct esf_shard *shard, uint32_t site_index)
{
	const struct esf_site *site = &shard->plane->sites[site_index];

	return site->ledger.datagrams_received > 0 || site->ledger.records_received > 0 ||
	       site->streams != NULL || site->windows_count > 0;
}

void esf_site_image_write(const struct esf_shard *shard, uint32_t site_index, int64_t first_window,
    struct esf_image_writer *out)
{
	struct esf_site *site = &shard->plane->sites[site_index];
	uint32_t measures = shard->plane->options.measures_count;

	esf_site_fold(site);
	esf_short_close(shard, site);
	ESF_IMAGE_PUT(out, uint32_t, site_index);
	ESF_IMAGE_PUT(out, uint32_t, shard->index);
	write_summary(site, out);
	write_storm(&site->storm, out);
	write_streams(shard, site, out);
	write_counters(site, measures, out);
	write_levels(site, measures, out);
	write_reports(shard, site, out);
	write_unmapped(site, out);
	write_windows(shard, site_index, first_window, out);
}

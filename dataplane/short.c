/* SPDX-License-Identifier: Apache-2.0 */
#include "shard_state.h"

/*
 * What the short way of ETD datagrams (take_short.h) asks of a site stands in the site's first
 * line, so that the usual datagram needs neither stream nor aliases nor the head of a window. Here
 * it is written down, and what was taken by it is written back.
 *
 * open:  the number that comes next, and how many may follow it without one being lost: most often
 *        one datagram in NUMBERS goes the long way, which opens it again.
 * renew: the window. It is past when another window is the current one, when the site's was
 *        published (it has to be listed again), and when the long way went to another window.
 */
enum { NUMBERS = 256 };

void esf_short_close(const struct esf_shard *shard, struct esf_site *site)
{
	struct esf_stream *stream = site->streams;
	uint32_t last = (uint32_t)(site->next_life >> 32) - 1;

	if (site->next_life != 0 && last != stream->dedup.highest)
		esf_dedup_go_on(
		    &stream->dedup, stream->bitmap, shard->plane->options.sequence_window, last);
	site->next_life = 0;
	site->next_count = 0;
}

void esf_short_open(const struct esf_shard *shard, struct esf_site *site)
{
	const struct esf_stream *stream = site->streams;
	uint32_t room;

	if (stream == NULL)
		return;
	if (stream->id != site->stream)
		esf_short_forget(site);
	site->stream = stream->id;
	room = esf_dedup_room(
	    &stream->dedup, stream->bitmap, shard->plane->options.sequence_window, NUMBERS);
	if (room == 0)
		return;
	site->next_count = (uint16_t)room;
	site->next_life = (stream->dedup.highest + UINT64_C(1)) << 32 | stream->dedup.boot;
}

/* As the rules are now, which each alias of older ones meets when it is next asked for. */
static void write_rules(struct esf_shard *shard, struct esf_site *site)
{
	const uint16_t nobody = esf_ruleset_nobody(shard->policy->rules);

	for (uint16_t i = 0; i < ESF_ALIASES_AT_HAND; i++) {
		const struct esf_alias *alias = esf_shard_alias(shard, site->streams, i);
		bool is_usual =
		    alias != NULL && alias->type == ESF_ETD_GAUGE && alias->rule != ESF_RULE_NONE;

		site->rules[i] = is_usual ? (uint16_t)alias->rule : nobody;
	}
	site->rules_generation = shard->rules_generation;
}

__attribute__((noinline)) bool esf_short_renew(struct esf_shard *shard, struct esf_site *site)
{
	struct esf_window *window;

	/* A life that was believed may be beyond the limit that another policy sets. */
	if ((uint32_t)site->next_life > shard->boot_limit)
		return false;
	window = esf_shard_window(shard, site, shard->current_window);
	if (window == NULL)
		return false;
	if (site->rules_generation != shard->rules_generation)
		write_rules(shard, site);
	esf_shard_dirty(shard, window);
	esf_shard_touch(shard, site);
	site->turn = shard->turn;
	return true;
}

/* Of a generation that is over. */
__attribute__((cold, noinline)) void esf_short_learn(
    struct esf_site *site, int64_t time, int64_t arrival)
{
	esf_skew_learn(&site->skew, time, arrival);
}

__attribute__((noinline)) void esf_short_add_first(struct esf_shard *shard,
    struct esf_window *window, uint32_t measure, double value, uint32_t offset_us)
{
	esf_shard_note_window(shard, window->window);
	esf_acc_add(esf_shard_acc(shard, window, measure), value, offset_us);
}

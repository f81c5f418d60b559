/* SPDX-License-Identifier: Apache-2.0 */
#include "control/state/restore_parts.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/learned.h"
#define NS_PER_S INT64_C(1000000000)

/*
 * A snapshot's way back. All of it is in memory; each part is looked at in the order in which the
 * next ones need it, whatever their order in the file. Nothing is believed: a checksum keeps damage
 * out, not a file that somebody made.
 */
static bool note_ledger(struct restore *r, const uint8_t *bytes, uint32_t size)
{
	struct esf_remembered_ledger of;

	if (size != sizeof(of))
		return false;
	memcpy(&of, bytes, sizeof(of));
	if (of.shard >= ESF_SHARDS_MAX)
		return false;
	r->ledgers[of.shard] = of.ledger;
	r->fleet_storms |= of.fleet_storms;
	if (of.fleet_above_until > r->fleet_above_until)
		r->fleet_above_until = of.fleet_above_until;
	return true;
}

/* Keyed by the site's index: of use only where all have the one they had. */
static void take_lines(struct restore *r, const uint8_t *bytes, uint32_t size)
{
	struct esf_image_reader in = esf_image_reader(bytes, size);
	uint32_t shards = esf_plane_options(r->subjects->plane)->shards_count;
	uint32_t then = esf_image_u32(&in);
	bool same_shards = shards == r->shards_then;
	int64_t now = r->state->status.restarted_at;

	while (in.at < in.end && !in.bad && r->same_indexes) {
		uint64_t fingerprint = esf_image_u64(&in);
		int64_t seen = esf_image_i64(&in);

		/* Where sites went to other shards, it is not said to which this one did. */
		for (uint32_t s = 0; s < shards && !in.bad && seen >= 0 && seen <= now; s++)
			if (!same_shards || s == then)
				esf_recall_line(
				    esf_plane_shard(r->subjects->plane, s), fingerprint, seen);
	}
}

static bool note_site(struct restore *r, const uint8_t *bytes, uint32_t size)
{
	struct esf_image_reader in = esf_image_reader(bytes, size);
	uint32_t then = esf_image_u32(&in), shard = esf_image_u32(&in);
	uint32_t now = then < r->then_count ? r->now[then] : ESF_NO_SITE;

	if (in.bad)
		return false;
	if (now != ESF_NO_SITE)
		r->images[now] =
		    (struct last_image){ in.at, size - (uint32_t)(in.at - bytes), shard };
	return true;
}

/* The last image of each site, the last ledger of each shard. */
static bool read_records(struct restore *r, struct esf_image_reader *in)
{
	while (in->at < in->end && !in->bad) {
		uint32_t kind = esf_image_u32(in), size = esf_image_u32(in);
		const uint8_t *bytes = esf_image_take(in, size);
		bool well = bytes != NULL;

		if (well && kind == ESF_REMEMBERED_SITE)
			well = note_site(r, bytes, size);
		else if (well && kind == ESF_REMEMBERED_LEDGER)
			well = note_ledger(r, bytes, size);
		else if (well && kind == ESF_REMEMBERED_LINES)
			take_lines(r, bytes, size);
		else if (well && kind == ESF_REMEMBERED_TOO_LARGE)
			r->counts.dropped++;
		else
			well = false;
		if (!well)
			return false;
	}
	return !in->bad;
}

/* Calls take for each section of the kind. */
static bool each_section(struct restore *r, enum esf_state_kind wanted,
    bool (*take)(struct restore *r, struct esf_image_reader *section))
{
	struct esf_image_reader in =
	    esf_image_reader(r->state->image.bytes, r->state->image.bytes_size);
	struct esf_image_reader section;
	enum esf_state_kind kind = ESF_STATE_META;

	r->ended = false;
	while (!r->ended && esf_state_next(&in, &kind, &section)) {
		r->ended = kind == ESF_STATE_END;
		if (kind == wanted && !take(r, &section))
			return false;
	}
	return r->ended;
}

static void set_map(struct restore *r)
{
	int64_t former = r->time / NS_PER_S - 1, now = r->state->status.restarted_at / NS_PER_S;

	r->map.measures_count = r->measures_count;
	r->map.measures = r->measures;
	r->map.keeps_windows = r->window_ns == r->subjects->config->rollup.window_ns;
	r->map.first_window = r->first_window;
	r->map.former = former < UINT32_MAX ? (uint32_t)former : UINT32_MAX - 1;
	r->map.until = now > 0 && now < UINT32_MAX ? (uint32_t)now : UINT32_MAX - 1;
	r->map.context = r;
	r->map.name = esf_restore_name;
}

static bool recall_sites(struct restore *r)
{
	struct esf_plane *plane = r->subjects->plane;
	uint32_t count = esf_learned_count(esf_plane_learned(plane));

	for (uint32_t site = 0; site < count; site++) {
		const struct last_image *image = &r->images[site];
		struct esf_image_reader in = esf_image_reader(image->bytes, image->size);
		struct esf_shard *shard;

		if (image->bytes == NULL)
			continue;
		shard = esf_plane_shard(plane, esf_recall_shard(plane, site, image->shard));
		if (!esf_recall_site(shard, site, image->shard, &r->map, &in, &r->counts))
			return false;
		r->state->status.sites++;
	}
	return true;
}

/* What was under way between two shards is forgotten with what was to become of it. */
static bool recall_ledger(struct restore *r)
{
	struct esf_ledger sum = { 0 };

	for (uint32_t s = 0; s < ESF_SHARDS_MAX; s++)
		esf_ledger_add(&sum, &r->ledgers[s]);
	sum.datagrams_received += sum.datagrams_taken - sum.datagrams_handed;
	sum.datagrams_handed = sum.datagrams_taken = 0;
	if (!esf_ledger_balances(&sum))
		return false;
	esf_recall_ledger(r->subjects->plane, &sum);
	r->state->status.gap_before = sum.forgotten;
	return true;
}

static void recall_storm(struct restore *r)
{
	struct esf_plane *plane = r->subjects->plane;

	for (uint32_t s = 0; r->fleet_storms != 0 && s < esf_plane_options(plane)->shards_count;
	     s++)
		esf_recall_fleet_storm(esf_plane_shard(plane, s), r->fleet_above_until);
}

static bool read_judge(struct restore *r, struct esf_image_reader *in)
{
	const struct esf_site_indexes indexes = { r->then_count, r->now };

	esf_judge_read(r->subjects->judge, in, &indexes);
	return !in->bad;
}

static bool read_compare(struct restore *r, struct esf_image_reader *in)
{
	const struct esf_site_indexes indexes = { r->then_count, r->now };

	return esf_compare_read(esf_judge_compare(r->subjects->judge), in, &indexes) >= 0;
}

/* See state.h, step 3. Where the running intervals did not go on, what they had is lost, and none
 * of it is left in the history's file either. */
static bool read_intervals(struct restore *r, struct esf_image_reader *in)
{
	const struct esf_site_indexes indexes = { r->then_count, r->now };
	struct esf_image_reader head = *in;
	uint64_t piece = esf_image_u64(&head);
	int went_on =
	    r->map.keeps_windows ? esf_intervals_read(r->subjects->intervals, in, &indexes) : 0;

	if (went_on < 0 || head.bad)
		return false;
	esf_history_take_back(r->subjects->history, piece, r->first_window * r->window_ns,
	    esf_intervals_piece(r->subjects->intervals) != piece);
	return true;
}

static void recall_judge(struct restore *r)
{
	if (r->map.keeps_windows)
		esf_judge_recall(r->subjects->judge, r->first_window,
		    esf_plane_latest_window(r->subjects->plane));
}

static bool recall(struct restore *r)
{
	struct esf_plane *plane = r->subjects->plane;

	if (!each_section(r, ESF_STATE_META, esf_restore_meta) ||
	    !each_section(r, ESF_STATE_SITES, esf_restore_sites) ||
	    !each_section(r, ESF_STATE_LEARNED, esf_restore_learned) ||
	    !each_section(r, ESF_STATE_NAMES, esf_restore_names) || r->window_ns == 0)
		return false;
	set_map(r);
	for (uint32_t s = 0; s < esf_plane_options(plane)->shards_count; s++)
		esf_recall_begin(esf_plane_shard(plane, s), r->map.former, r->map.until);
	if (!esf_restore_indexes(r) || !each_section(r, ESF_STATE_SHARD, read_records) ||
	    !recall_sites(r) || !recall_ledger(r) ||
	    !each_section(r, ESF_STATE_JUDGE, read_judge) ||
	    !each_section(r, ESF_STATE_COMPARE, read_compare) ||
	    !each_section(r, ESF_STATE_INTERVALS, read_intervals))
		return false;
	recall_storm(r);
	recall_judge(r);
	return true;
}

static void restore_free(struct restore *r)
{
	for (uint32_t s = 0; s < ESF_SHARDS_MAX; s++)
		free(r->names[s]);
	free(r->then);
	free(r->now);
	free(r->images);
	free(r);
}

static void say(const struct esf_state *state, const struct restore *r)
{
	const struct esf_state_status *status = &state->status;

	printf("restored %" PRIu64 " sites, %" PRIu64 " streams, %" PRIu64
	       " windows from %s, %.1f s old;"
	       " what came since is counted as its gap, as each site speaks again\n",
	    status->sites, status->streams, status->windows, status->path,
	    (double)(status->restarted_at - status->snapshot_time) / 1e9);
	if (status->dropped_sites + status->dropped_parts > 0)
		printf("not restored, as the configuration has no place for them: %" PRIu64
		       " sites, %" PRIu64 " parts of others\n",
		    status->dropped_sites, status->dropped_parts);
	if (!r->map.keeps_windows)
		printf("not restored, as rollup.window is another one: open windows, running "
		       "intervals\n");
}

bool esf_state_recall(struct esf_state *state, const struct esf_state_subjects *subjects)
{
	struct esf_state_status *status = &state->status;
	struct timespec now;
	struct restore *r;
	bool well;

	if (state->image.bytes == NULL)
		return true;
	r = calloc(1, sizeof(*r));
	if (r == NULL)
		return false;
	r->state = state;
	r->subjects = subjects;
	clock_gettime(CLOCK_REALTIME, &now);
	status->restarted_at = (int64_t)now.tv_sec * NS_PER_S + now.tv_nsec;
	status->snapshot_time = state->image.time;
	well = recall(r);
	status->streams = r->counts.streams;
	status->windows = r->counts.windows;
	status->dropped_parts = r->counts.dropped;
	status->warm = well;
	if (well)
		say(state, r);
	restore_free(r);
	esf_state_image_free(&state->image);
	if (!well) {
		status->sites = status->streams = status->windows = 0;
		status->dropped_sites = status->dropped_parts = status->gap_before = 0;
		esf_state_refuse(state, "what it holds is not what it should be");
	}
	return well;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "shard_state.h"
#include "site_image.h"

/*
 * A site's state out of its image. Nothing of it is believed: counts are bounded, numbers are
 * looked up, what has no place any more is dropped and counted.
 */

#define NS_PER_S INT64_C(1000000000)

/* What is at hand while one site is read. */
struct recall {
	struct esf_shard *shard;
	struct esf_site *site;
	uint32_t shard_then;
	const struct esf_site_image_map *map;
	struct esf_image_reader *in;
	struct esf_site_image_counts *counts;
};

static void read_ledger(struct esf_image_reader *in, struct esf_site_ledger *ledger)
{
	uint64_t words[sizeof(*ledger) / sizeof(uint64_t)] = { 0 }, mask = esf_image_u64(in);
	const uint32_t count = sizeof(words) / sizeof(words[0]);

	if (count < 64 && mask >> count != 0)
		in->bad = true;
	for (; mask != 0 && !in->bad; mask &= mask - 1)
		words[__builtin_ctzll(mask)] = esf_image_u64(in);
	memcpy(ledger, words, sizeof(words));
}

static void read_summary(struct esf_image_reader *in, struct esf_site *site)
{
	site->left = esf_image_u8(in) != 0;
	site->last_seen = esf_image_i64(in);
	site->skew.best = esf_image_i64(in);
	site->skew.former = esf_image_i64(in);
	site->skew.until = esf_image_i64(in);
	site->lost = esf_image_u64(in);
	site->forgotten = esf_image_u64(in);
	read_ledger(in, &site->ledger);
}

/* The clock may have been set back meanwhile, and times that are asked for never go back. */
static int64_t read_time(const struct recall *of, int64_t ahead)
{
	int64_t time = esf_image_i64(of->in);
	int64_t latest = ((int64_t)of->map->until + 1) * NS_PER_S + ahead;

	return time < 0 ? 0 : time < latest ? time : latest;
}

static void read_storm(const struct recall *of)
{
	struct esf_storm_site *storm = &of->site->storm;
	struct esf_shard *shard = of->shard;
	uint32_t index = esf_shard_site_index(shard, of->site);

	storm->spent = esf_image_u64(of->in);
	storm->refilled = read_time(of, 0);
	storm->slot_end = read_time(of, ESF_STORM_SLOT_NS);
	storm->above_until = read_time(of, 0);
	storm->offered = esf_image_u32(of->in);
	storm->storming = esf_image_u8(of->in) != 0;
	if (!storm->storming)
		return;
	storm->listed = true;
	shard->storming[shard->storming_count++] = index;
	atomic_store_explicit(&shard->plane->storming[index], true, memory_order_relaxed);
}

static void read_alias(const struct recall *of, struct esf_stream *stream)
{
	uint16_t number = esf_image_u16(of->in);
	uint8_t type = esf_image_u8(of->in);
	uint32_t then = esf_image_u32(of->in), name;
	struct esf_alias *alias;

	if (of->in->bad || stream == NULL)
		return;
	name = of->map->name(of->map->context, of->shard, of->shard_then, then);
	alias = number < ESF_ALIASES_MAX && name != 0
	            ? esf_site_alias(stream, &of->shard->site_pools, number)
	            : NULL;
	if (alias == NULL) {
		of->counts->dropped++;
		return;
	}
	/* Of no generation: its rule is asked for when it is next used. */
	*alias = (struct esf_alias){ .type = type & 1, .born = 1, .name = name & 0x1ffff };
}

static void read_bitmap(const struct recall *of, struct esf_stream *stream)
{
	uint32_t then = of->map->sequence_window, now = of->shard->plane->options.sequence_window;
	uint64_t bitmap[ESF_SEQUENCE_WINDOW_MAX / 64];
	bool full = esf_image_u8(of->in) != 0;

	if (full)
		memset(bitmap, 0xff, then / 8);
	else
		esf_image_get(of->in, bitmap, then / 8);
	if (stream == NULL || of->in->bad)
		return;
	if (then == now)
		memcpy(stream->bitmap, bitmap, now / 8);
	else
		esf_dedup_refit(&stream->dedup, bitmap, then, stream->bitmap, now);
}

static void read_stream(const struct recall *of)
{
	uint16_t id = esf_image_u16(of->in);
	struct esf_stream *stream =
	    of->in->bad ? NULL : esf_site_stream(of->site, &of->shard->site_pools, id);
	struct esf_dedup dedup = { 0 };
	uint32_t boot = esf_image_u32(of->in), count;

	dedup.highest = esf_image_u32(of->in);
	dedup.lowest = esf_image_u32(of->in);
	dedup.lost = esf_image_u64(of->in);
	of->in->bad = of->in->bad || dedup.lowest > dedup.highest || boot == ESF_DEDUP_WAITS;
	esf_dedup_wait(&dedup, boot, of->map->until);
	if (stream != NULL)
		stream->dedup = dedup;
	read_bitmap(of, stream);
	count = esf_image_count(of->in, ESF_ALIASES_MAX);
	for (uint32_t i = 0; i < count && !of->in->bad; i++)
		read_alias(of, stream);
	of->counts->streams += stream != NULL;
	of->counts->dropped += stream == NULL;
}

static void read_streams(const struct recall *of)
{
	uint32_t count = esf_image_count(of->in, ESF_STREAMS_PER_SITE_MAX);

	for (uint32_t i = 0; i < count && !of->in->bad; i++)
		read_stream(of);
}

/* Now's measure for then's, or -1; a number that was none is a fault. */
static int32_t read_measure(const struct recall *of)
{
	uint32_t then = esf_image_u32(of->in);

	if (then >= of->map->measures_count)
		of->in->bad = true;
	return of->in->bad ? -1 : of->map->measures[then];
}

static void read_counter(const struct recall *of)
{
	int32_t measure = read_measure(of);
	uint32_t count = esf_image_count(of->in, ESF_COUNTER_TAIL);
	struct esf_counter *counter =
	    measure < 0 ? NULL
	                : esf_site_counter(of->site, &of->shard->site_pools, (uint16_t)measure);
	int64_t window_ns = of->shard->plane->options.window_ns;

	for (uint32_t i = 0; i < count && !of->in->bad; i++) {
		int64_t time = esf_image_i64(of->in);
		double value = esf_image_f64(of->in);

		if (counter != NULL)
			counter->tail[i] = (struct esf_counter_sample){ time,
				esf_window_index(time, window_ns), value };
	}
	if (counter != NULL)
		counter->count = of->in->bad ? 0 : count;
	of->counts->dropped += counter == NULL;
}

static void read_counters(const struct recall *of)
{
	uint32_t count = esf_image_count(of->in, of->map->measures_count);

	for (uint32_t i = 0; i < count && !of->in->bad; i++)
		read_counter(of);
}

static void read_levels(const struct recall *of)
{
	uint32_t count = esf_image_count(of->in, of->map->measures_count);

	for (uint32_t m = 0; m < count && !of->in->bad; m++) {
		double value = esf_image_f64(of->in);
		int32_t now = of->map->measures[m];
		double *level =
		    now < 0 ? NULL
		            : esf_site_level(of->site, &of->shard->site_pools, (uint16_t)now);

		if (level != NULL && !of->in->bad)
			*level = value;
	}
}

static void read_reports(const struct recall *of)
{
	uint32_t count = esf_image_count(of->in, of->map->measures_count);

	for (uint32_t m = 0; m < count && !of->in->bad; m++) {
		struct esf_report report = { .value = esf_image_f64(of->in) };
		int32_t now = of->map->measures[m];
		struct esf_report *place;

		report.time = esf_image_i64(of->in);
		report.zone = esf_image_u8(of->in) & 7;
		place = now < 0 ? NULL
		                : esf_site_report(of->site, &of->shard->site_pools, (uint16_t)now,
		                      of->shard->rules_generation);
		if (place != NULL && !of->in->bad)
			*place = report;
	}
}

static void add_unmapped(const struct recall *of, uint32_t name, uint64_t records)
{
	struct esf_site *site = of->site;
	struct esf_unmapped_counts *counts;

	(void)esf_site_count_unmapped(site, &of->shard->site_pools, name, 0);
	if (site->unmapped == NULL)
		return;
	counts = &site->unmapped->counts;
	for (uint32_t i = 0; i < counts->count; i++) {
		if (counts->names[i] == name) {
			counts->records[i] += records - 1;
			return;
		}
	}
	counts->more += records - 1;
}

static void read_unmapped(const struct recall *of)
{
	uint64_t more = esf_image_u64(of->in);
	uint32_t count = esf_image_count(of->in, ESF_UNMAPPED_NAMES_MAX);

	for (uint32_t i = 0; i < count && !of->in->bad; i++) {
		uint32_t then = esf_image_u32(of->in);
		uint64_t records = esf_image_u64(of->in);

		if (!of->in->bad && records > 0)
			add_unmapped(of,
			    of->map->name(of->map->context, of->shard, of->shard_then, then),
			    records);
	}
	if (!of->in->bad && more > 0)
		add_unmapped(of, 0, more);
}

/* Control closes windows one by one from the first on, so none may be far behind it. */
static bool has_place(const struct recall *of, int64_t window)
{
	int64_t first = of->map->first_window;

	return of->map->keeps_windows && window >= first && window - first < ESF_WINDOW_SLOTS_MAX;
}

/* What counts a counter's increases asks the site's counters for those that are pending. */
static void put_acc(
    const struct recall *of, struct esf_window *window, uint32_t measure, const struct esf_acc *acc)
{
	*esf_shard_acc(of->shard, window, measure) = *acc;
	if (!acc->counter)
		return;
	if (of->site->counters == NULL)
		(void)esf_site_counter(of->site, &of->shard->site_pools, (uint16_t)measure);
	window->counts = of->site->counters != NULL;
}

static void read_window(const struct recall *of)
{
	int64_t index = esf_image_i64(of->in);
	struct esf_window *window = of->in->bad || !has_place(of, index)
	                                ? NULL
	                                : esf_shard_seek_window(of->shard, of->site, index);
	uint32_t accepted = esf_image_u32(of->in), comms_accepted = esf_image_u32(of->in);
	uint32_t comms_lost = esf_image_u32(of->in);
	uint64_t mask = esf_image_u64(of->in);

	for (; mask != 0 && !of->in->bad; mask &= mask - 1) {
		uint32_t then = (uint32_t)__builtin_ctzll(mask);
		struct esf_acc acc;

		esf_image_get(of->in, &acc, sizeof(acc));
		if (then >= of->map->measures_count)
			of->in->bad = true;
		else if (window != NULL && of->map->measures[then] >= 0)
			put_acc(of, window, (uint32_t)of->map->measures[then], &acc);
	}
	of->counts->windows += window != NULL;
	of->counts->dropped += window == NULL;
	if (window == NULL)
		return;
	window->accepted = accepted;
	window->comms_accepted = comms_accepted;
	window->comms_lost = comms_lost;
	esf_shard_note_window(of->shard, index);
	esf_shard_dirty(of->shard, window);
}

static void read_windows(const struct recall *of)
{
	uint32_t count = esf_image_count(of->in, 2 * ESF_WINDOW_SLOTS_MAX);

	for (uint32_t i = 0; i < count && !of->in->bad; i++)
		read_window(of);
}

bool esf_site_image_read(struct esf_shard *shard, uint32_t site_index, uint32_t shard_then,
    const struct esf_site_image_map *map, struct esf_image_reader *in,
    struct esf_site_image_counts *counts)
{
	struct esf_site *site = &shard->plane->sites[site_index];
	const struct recall of = { shard, site, shard_then, map, in, counts };

	read_summary(in, site);
	read_storm(&of);
	read_streams(&of);
	read_counters(&of);
	read_levels(&of);
	read_reports(&of);
	read_unmapped(&of);
	read_windows(&of);
	esf_shard_touch(shard, site);
	return !in->bad;
}

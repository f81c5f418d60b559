/* SPDX-License-Identifier: Apache-2.0 */
#include "remember.h"

#include <errno.h>
#include <stdlib.h>

#include "reserve.h"
#include "shard_state.h"

enum {
	EACH = 8, /* of the budget's units that a site is worth; 32 sites at leisure: about 50 us */
	LOOKED_AT_A_PASS = 1024,
	BYTES_A_PASS = 1 << 18,
	CUT_MAX = 96,    /* sites, once a snapshot */
	ROUNDS_MAX = 24, /* of looking for sites that were published and not told again */
	HEAD_SIZE = 2 * sizeof(uint32_t),
	BUFFER_SIZE = 4 << 20,
};

/*
 * full: stored true by the lcore with release, and false by the reader, too; each loads it with
 * acquire. The other members are the lcore's while it is false, the reader's while it is true.
 */
struct buffer {
	_Atomic bool full;
	bool last;
	uint32_t ordinal;
	uint32_t used;
	uint64_t sequence;
	uint8_t *bytes;
};

enum phase { IDLE, SITES, CUT, LINES };

struct esf_remember {
	struct buffer buffers[2];
	/* the lcore's */
	enum phase phase;
	bool loose; /* no cut: sites as they come */
	uint32_t at;
	uint32_t ordinal;
	uint32_t rounds;
	uint32_t missed; /* sites published since they were written, and not written again */
	uint32_t sites_left, bytes_left; /* of the pass */
	uint64_t lines_at;
	int64_t began; /* Unix ns */
	struct esf_remember_wish wish;
	uint64_t *told; /* a bit for each site: written as it is, or in the list of touched ones */
	size_t told_size;
};

static struct buffer *current(struct esf_remember *r)
{
	return &r->buffers[r->ordinal % 2];
}

static void hand_over(struct esf_remember *r, bool last)
{
	struct buffer *buffer = current(r);

	buffer->last = last;
	buffer->ordinal = r->ordinal++;
	buffer->sequence = r->wish.sequence;
	atomic_store_explicit(&buffer->full, true, memory_order_release);
}

/* The current buffer where it is the lcore's, else NULL. */
static struct buffer *writable(struct esf_remember *r)
{
	struct buffer *buffer = current(r);

	return atomic_load_explicit(&buffer->full, memory_order_acquire) ? NULL : buffer;
}

/* A record of that kind in what is left of the buffer. */
static struct esf_image_writer begin_record(struct buffer *buffer)
{
	uint8_t *end = buffer->bytes + BUFFER_SIZE;
	uint8_t *at = buffer->bytes + buffer->used + HEAD_SIZE;

	return (struct esf_image_writer){ at > end ? end : at, end, at > end };
}

static bool end_record(struct buffer *buffer, uint32_t kind, const struct esf_image_writer *out)
{
	uint8_t *head = buffer->bytes + buffer->used;
	uint32_t size;

	if (out->full)
		return false;
	size = (uint32_t)(out->at - head) - HEAD_SIZE;
	memcpy(head, &kind, sizeof(kind));
	memcpy(head + sizeof(kind), &size, sizeof(size));
	buffer->used += HEAD_SIZE + size;
	return true;
}

static bool write_site(const struct esf_shard *shard, struct buffer *buffer, uint32_t site)
{
	struct esf_image_writer out = begin_record(buffer);

	esf_site_image_write(shard, site, esf_shard_remember(shard)->wish.first_window, &out);
	return end_record(buffer, ESF_REMEMBERED_SITE, &out);
}

static void write_too_large(struct buffer *buffer, uint32_t site)
{
	struct esf_image_writer out = begin_record(buffer);

	ESF_IMAGE_PUT(&out, uint32_t, site);
	(void)end_record(buffer, ESF_REMEMBERED_TOO_LARGE, &out);
}

static bool is_told(const struct esf_remember *r, uint32_t site)
{
	return r->told[site / 64] >> site % 64 & 1;
}

static void set_told(struct esf_remember *r, uint32_t site, bool told)
{
	uint64_t bit = UINT64_C(1) << site % 64;

	r->told[site / 64] = told ? r->told[site / 64] | bit : r->told[site / 64] & ~bit;
}

/* False: not in this pass. */
static bool tell_site(struct esf_shard *shard, uint32_t site)
{
	struct esf_remember *r = esf_shard_remember(shard);
	struct buffer *buffer = writable(r);
	uint32_t before;

	if (buffer == NULL || r->sites_left == 0 || r->bytes_left == 0)
		return false;
	before = buffer->used;
	if (!write_site(shard, buffer, site)) {
		if (before > 0) {
			hand_over(r, false);
			return false;
		}
		write_too_large(buffer, site);
	}
	r->sites_left--;
	r->bytes_left -=
	    buffer->used - before < r->bytes_left ? buffer->used - before : r->bytes_left;
	set_told(r, site, true);
	return true;
}

static bool is_ours(const struct esf_shard *shard, uint32_t site)
{
	return atomic_load_explicit(&shard->plane->owner[site], memory_order_relaxed) ==
	           shard->index &&
	       esf_site_image_wanted(shard, site);
}

void esf_remember_published(struct esf_shard *shard, uint32_t site)
{
	struct esf_remember *r = esf_shard_remember(shard);

	if (r->phase != SITES && r->phase != CUT)
		return;
	if (r->loose)
		return;
	set_told(r, site, false);
	r->missed += !tell_site(shard, site);
}

static void start_round(struct esf_remember *r)
{
	r->phase = SITES;
	r->at = 0;
	r->missed = 0;
	r->loose = r->loose || ++r->rounds > ROUNDS_MAX;
}

static void tell_sites(struct esf_shard *shard)
{
	struct esf_remember *r = esf_shard_remember(shard);
	uint32_t count = esf_learned_count(shard->plane->learned), looked = 0;

	for (; r->at < count && looked < LOOKED_AT_A_PASS; looked++, r->at++) {
		if (is_told(r, r->at) || (!r->loose && shard->plane->sites[r->at].touched))
			continue;
		if (is_ours(shard, r->at) && !tell_site(shard, r->at))
			return;
	}
	if (r->at < count)
		return;
	if (r->missed > 0)
		start_round(r);
	else
		r->phase = CUT;
}

static bool write_ledger(const struct esf_shard *shard, struct buffer *buffer, bool exact)
{
	struct esf_image_writer out = begin_record(buffer);
	const struct esf_remembered_ledger of = {
		.shard = shard->index,
		.exact = exact,
		.ledger = shard->ledger,
		.fleet_above_until = shard->fleet_storm.above_until,
		.fleet_storms = shard->fleet_storm.storming,
	};

	esf_image_put(&out, &of, sizeof(of));
	return end_record(buffer, ESF_REMEMBERED_LEDGER, &out);
}

static uint32_t touched_count(const struct esf_shard *shard)
{
	uint32_t room = shard->plane->options.sites_count + 1;

	return (shard->touched_next + room - shard->touched_first) % room;
}

/* All that is still in the list, and the ledger, or nothing. */
static bool write_cut(const struct esf_shard *shard, struct buffer *buffer)
{
	uint32_t before = buffer->used;

	for (uint32_t at = shard->touched_first; at != shard->touched_next;
	     at = esf_shard_touched_after(shard, at)) {
		if (!write_site(shard, buffer, shard->touched[at])) {
			buffer->used = before;
			return false;
		}
	}
	if (write_ledger(shard, buffer, true))
		return true;
	buffer->used = before;
	return false;
}

static void go_loose(struct esf_remember *r)
{
	r->loose = true;
	start_round(r);
}

static void cut(struct esf_shard *shard)
{
	struct esf_remember *r = esf_shard_remember(shard);
	struct buffer *buffer = writable(r);

	if (r->missed > 0) {
		start_round(r);
		return;
	}
	if (!r->loose && touched_count(shard) > CUT_MAX) {
		if (!shard->is_publishing)
			shard->next_epoch = shard->now;
		return;
	}
	if (buffer == NULL)
		return;
	if (r->loose ? write_ledger(shard, buffer, false) : write_cut(shard, buffer))
		r->phase = LINES;
	else if (buffer->used > 0)
		hand_over(r, false);
	else
		go_loose(r);
}

static void tell_lines(struct esf_shard *shard, uint32_t sets)
{
	struct esf_remember *r = esf_shard_remember(shard);
	struct buffer *buffer = writable(r);
	struct esf_image_writer out;
	uint64_t before = r->lines_at;
	bool more;

	if (buffer == NULL)
		return;
	out = begin_record(buffer);
	ESF_IMAGE_PUT(&out, uint32_t, shard->index);
	more = esf_lines_write(shard->lines, &r->lines_at, sets, r->wish.lines_since, &out);
	if (!end_record(buffer, ESF_REMEMBERED_LINES, &out)) {
		r->lines_at = before;
		hand_over(r, false);
		return;
	}
	if (more)
		return;
	hand_over(r, true);
	r->phase = IDLE;
}

/* Partner of the stores in esf_remember_ask: what else is wished for was stored before. */
static void look_for_wish(struct esf_shard *shard)
{
	struct esf_remember *r = esf_shard_remember(shard);
	struct esf_plane *plane = shard->plane;
	uint64_t sequence = atomic_load_explicit(&plane->wished, memory_order_acquire);

	if (sequence == r->wish.sequence)
		return;
	r->wish.sequence = sequence;
	r->wish.first_window = atomic_load_explicit(&plane->wished_window, memory_order_relaxed);
	r->wish.lines_since = atomic_load_explicit(&plane->wished_lines, memory_order_relaxed);
	if (sequence == 0) {
		r->phase = IDLE;
		return;
	}
	memset(r->told, 0, r->told_size);
	r->ordinal = 0;
	r->loose = false;
	r->rounds = 0;
	r->lines_at = 0;
	r->began = shard->now;
	for (int i = 0; i < 2; i++)
		if (!atomic_load_explicit(&r->buffers[i].full, memory_order_acquire))
			r->buffers[i].used = 0;
	start_round(r);
}

void esf_remember_step(struct esf_shard *shard, uint32_t budget)
{
	struct esf_remember *r = esf_shard_remember(shard);

	look_for_wish(shard);
	if (r->phase == IDLE)
		return;
	if (!r->loose && r->phase != LINES && shard->now - r->began > ESF_REMEMBER_PATIENCE_NS)
		go_loose(r);
	if (r->phase == SITES)
		tell_sites(shard);
	if (r->phase == CUT)
		cut(shard);
	else if (r->phase == LINES)
		tell_lines(shard, budget);
	r->sites_left = budget < EACH ? 1 : budget / EACH;
	r->bytes_left = BYTES_A_PASS;
}

void esf_remember_ask(struct esf_plane *plane, const struct esf_remember_wish *wish)
{
	atomic_store_explicit(&plane->wished_window, wish->first_window, memory_order_relaxed);
	atomic_store_explicit(&plane->wished_lines, wish->lines_since, memory_order_relaxed);
	atomic_store_explicit(&plane->wished, wish->sequence, memory_order_release);
}

const uint8_t *esf_remember_take(struct esf_plane *plane, uint32_t shard, uint64_t sequence,
    uint32_t ordinal, uint32_t *size, bool *last)
{
	struct esf_remember *r = esf_shard_remember(plane->shards[shard]);

	for (int i = 0; i < 2; i++) {
		struct buffer *buffer = &r->buffers[i];

		if (!atomic_load_explicit(&buffer->full, memory_order_acquire))
			continue;
		if (buffer->sequence == sequence && buffer->ordinal == ordinal) {
			*size = buffer->used;
			*last = buffer->last;
			return buffer->bytes;
		}
		if (buffer->sequence != sequence) { /* of one that was given up */
			buffer->used = 0;
			atomic_store_explicit(&buffer->full, false, memory_order_release);
		}
	}
	return NULL;
}

void esf_remember_give(struct esf_plane *plane, uint32_t shard, uint32_t *ordinal)
{
	struct buffer *buffer = &esf_shard_remember(plane->shards[shard])->buffers[*ordinal % 2];

	++*ordinal;
	buffer->used = 0;
	atomic_store_explicit(&buffer->full, false, memory_order_release);
}

static void destroy(struct esf_remember *r)
{
	if (r == NULL)
		return;
	for (int i = 0; i < 2; i++)
		esf_reserve_free(r->buffers[i].bytes, BUFFER_SIZE);
	free(r->told);
	free(r);
}

static struct esf_remember *create(uint32_t sites)
{
	struct esf_remember *r = calloc(1, sizeof(*r));

	if (r == NULL)
		return NULL;
	r->told_size = (sites / 64 + (size_t)1) * sizeof(*r->told);
	r->told = calloc(1, r->told_size);
	for (int i = 0; i < 2; i++)
		r->buffers[i].bytes = esf_reserve(BUFFER_SIZE);
	if (r->told != NULL && r->buffers[0].bytes != NULL && r->buffers[1].bytes != NULL) {
		/* Here, and not page by page by an lcore. */
		for (int i = 0; i < 2; i++)
			memset(r->buffers[i].bytes, 0, BUFFER_SIZE);
		memset(r->told, 0xff, r->told_size);
		return r;
	}
	destroy(r);
	return NULL;
}

int esf_remember_enable(struct esf_plane *plane)
{
	for (uint32_t i = 0; i < plane->options.shards_count; i++) {
		struct esf_remember *r;

		if (esf_shard_remember(plane->shards[i]) != NULL)
			continue;
		r = create(plane->options.sites_count);
		if (r == NULL)
			return -ENOMEM;
		atomic_store_explicit(&plane->shards[i]->remember, r, memory_order_release);
	}
	return 0;
}

void esf_remember_destroy(struct esf_shard *shard)
{
	destroy(esf_shard_remember(shard));
}

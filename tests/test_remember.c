/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/remember.h"

#include <CUnit/CUnit.h>

#include "plane_fixture.h"
#include "suites.h"

/*
 * Snapshots of shards: what is told is one instant's, and what is told can be taken up by another
 * plane, which then tells the same.
 */
enum { MANY = 1500, STORE_MAX = 16 << 20, STEPS_MAX = 200000 };

/* What a reader keeps of one shard's buffers. */
struct told {
	uint8_t *bytes;
	uint32_t size;
	uint32_t ordinal;
	bool last;
};

static void read_some(struct fixture *f, struct told *told, uint64_t sequence)
{
	uint32_t size;
	const uint8_t *bytes = told->last ? NULL
	                                  : esf_remember_take(f->plane, 0, sequence, told->ordinal,
	                                        &size, &told->last);

	if (bytes == NULL)
		return;
	CU_ASSERT_FATAL(told->size + size <= STORE_MAX);
	memcpy(told->bytes + told->size, bytes, size);
	told->size += size;
	esf_remember_give(f->plane, 0, &told->ordinal);
}

static void start_reading(struct told *told)
{
	*told = (struct told){ .bytes = malloc(STORE_MAX) };
	CU_ASSERT_PTR_NOT_NULL_FATAL(told->bytes);
}

static void wish(struct fixture *f, uint64_t sequence, int64_t first_window)
{
	const struct esf_remember_wish of = { sequence, first_window, 0 };

	CU_ASSERT_EQUAL_FATAL(esf_remember_enable(f->plane), 0);
	esf_remember_ask(f->plane, &of);
}

/* Passes without datagrams, until all is told. */
static void tell_all(struct fixture *f, struct told *told, uint64_t sequence)
{
	for (int i = 0; i < STEPS_MAX && !told->last; i++) {
		fixture_begin(f, 0, f->now);
		fixture_end(f, 0);
		read_some(f, told, sequence);
	}
	CU_ASSERT_TRUE_FATAL(told->last);
}

/* The next record; false at the end. */
static bool next_record(struct esf_image_reader *in, uint32_t *kind, struct esf_image_reader *out)
{
	uint32_t size;
	const uint8_t *bytes;

	if (in->at == in->end)
		return false;
	*kind = esf_image_u32(in);
	size = esf_image_u32(in);
	bytes = esf_image_take(in, size);
	CU_ASSERT_PTR_NOT_NULL_FATAL(bytes);
	*out = esf_image_reader(bytes, size);
	return true;
}

struct found {
	struct esf_image_reader sites[2048]; /* the last image of each */
	struct esf_remembered_ledger ledger;
	uint32_t ledgers, lines;
};

static void find(const struct told *told, struct found *found)
{
	struct esf_image_reader in = esf_image_reader(told->bytes, told->size), record;
	uint32_t kind;

	memset(found, 0, sizeof(*found));
	while (next_record(&in, &kind, &record)) {
		if (kind == ESF_REMEMBERED_SITE) {
			struct esf_image_reader head = record;

			found->sites[esf_image_u32(&head)] = record;
		} else if (kind == ESF_REMEMBERED_LEDGER) {
			esf_image_get(&record, &found->ledger, sizeof(found->ledger));
			found->ledgers++;
		} else if (kind == ESF_REMEMBERED_LINES) {
			found->lines += (uint32_t)(record.end - record.at - 4) / 16;
		} else {
			CU_FAIL("a record of another kind");
		}
	}
}

static uint32_t same_name(
    void *context, struct esf_shard *shard, uint32_t shard_then, uint32_t name_then)
{
	static const char *const names[] = { "t.gauge", "t.scaled", "t.count", "t.born", "other",
		"strange" };

	(void)context;
	(void)shard_then;
	return name_then == 0 || name_then > 6 ? 0
	                                       : esf_recall_name(shard, names[name_then - 1],
	                                             (uint32_t)strlen(names[name_then - 1]));
}

static const int32_t same_measures[MEASURES_COUNT] = { 0, 1, 2, 3 };

static struct esf_site_image_map same_map(void)
{
	return (struct esf_site_image_map){
		.sequence_window = 64,
		.measures_count = MEASURES_COUNT,
		.measures = same_measures,
		.keeps_windows = true,
		.first_window = T0 / WINDOW,
		.former = BOOT - 1,
		.until = BOOT + 1000000,
		.name = same_name,
	};
}

static bool take_up(struct fixture *f, uint32_t site, struct esf_image_reader in,
    const struct esf_site_image_map *map, struct esf_site_image_counts *counts)
{
	uint32_t then = esf_image_u32(&in), shard = esf_image_u32(&in);
	bool whole = !in.bad;

	(void)then;
	return whole &&
	       esf_recall_site(esf_plane_shard(f->plane, 0), site, shard, map, &in, counts);
}

/* Site 1 has some of everything: births, gauges, counters, levels, unmapped names, gaps, two open
 * windows, two streams' worth of formats. */
static void live(struct fixture *f)
{
	struct bytes b = etd_births(1, 1), data = etd(2, 1, 2, T0);

	fixture_etd(f, 0, T0, &b);
	for (unsigned alias = 0; alias < 5; alias++)
		etd_data(&data, alias, 0, 1000 * (int32_t)alias, 7.5 + alias);
	etd_data(&data, 0, 2, 9000, 1);
	fixture_etd(f, 0, T0, &data);
	fixture_gauge(f, 0, T0 + WINDOW, 1, 90, 3); /* numbers 3.. are missing: lost, and a gap */
	fixture_gauge(f, 0, T0 + WINDOW, 1, 90, 3);
	fixture_pass(
	    f, 0, T0 + WINDOW, STATSD_PORT, "t.gauge:+4|g|#site:n-1\nstrange:1|c|#site:n-1", 44);
	fixture_lines(f, 0, T0 + WINDOW, "t,site=n-1 gauge=5 1700000000\n");
	fixture_publish(f);
}

static void copy_of_a_site_is_the_site(void)
{
	const struct esf_site_image_map map = same_map();
	struct esf_site_image_counts counts = { 0 };
	struct fixture f, g;
	struct told first, second;
	int64_t now;
	static struct found a, b;

	fixture_start(&f, 1);
	live(&f);
	wish(&f, 1, T0 / WINDOW);
	start_reading(&first);
	tell_all(&f, &first, 1);
	find(&first, &a);
	CU_ASSERT_EQUAL(a.ledgers, 1);
	CU_ASSERT_EQUAL(a.lines, 1);
	CU_ASSERT_PTR_NOT_NULL_FATAL(a.sites[0].at);
	now = f.now;
	CU_ASSERT_TRUE(fixture_stop(&f));

	fixture_start(&g, 1);
	esf_recall_begin(esf_plane_shard(g.plane, 0), map.former, map.until);
	CU_ASSERT_TRUE(take_up(&g, 0, a.sites[0], &map, &counts));
	CU_ASSERT_EQUAL(counts.windows, 2);
	CU_ASSERT_EQUAL(counts.streams, 1);
	CU_ASSERT_EQUAL(counts.dropped, 0);
	esf_recall_ledger(g.plane, &a.ledger.ledger);
	fixture_begin(&g, 0, now);
	fixture_end(&g, 0);
	wish(&g, 1, T0 / WINDOW);
	start_reading(&second);
	tell_all(&g, &second, 1);
	find(&second, &b);
	CU_ASSERT_EQUAL_FATAL(b.sites[0].end - b.sites[0].at, a.sites[0].end - a.sites[0].at);
	CU_ASSERT_EQUAL(
	    memcmp(a.sites[0].at, b.sites[0].at, (size_t)(a.sites[0].end - a.sites[0].at)), 0);
	CU_ASSERT_EQUAL(memcmp(&a.ledger, &b.ledger, sizeof(a.ledger)), 0);
	CU_ASSERT_TRUE(fixture_stop(&g));
	free(first.bytes);
	free(second.bytes);
}

/* What goes on after a restart: births are known, seen numbers are duplicates, the rest a gap. */
static void restored_site_goes_on_where_it_was(void)
{
	const struct esf_site_image_map map = same_map();
	struct esf_site_image_counts counts = { 0 };
	const struct esf_block *block;
	const struct esf_card *card;
	struct fixture f, g;
	struct told told;
	static struct found a;

	fixture_start(&f, 1);
	live(&f);
	wish(&f, 1, T0 / WINDOW);
	start_reading(&told);
	tell_all(&f, &told, 1);
	find(&told, &a);
	CU_ASSERT_TRUE(fixture_stop(&f));

	fixture_start(&g, 1);
	esf_recall_begin(esf_plane_shard(g.plane, 0), map.former, map.until);
	CU_ASSERT_TRUE_FATAL(take_up(&g, 0, a.sites[0], &map, &counts));
	esf_recall_ledger(g.plane, &a.ledger.ledger);
	fixture_gauge(&g, 0, T0 + WINDOW, 1, 90, 3);  /* seen */
	fixture_gauge(&g, 0, T0 + WINDOW, 1, 97, 9);  /* 91..96: the gap */
	fixture_gauge(&g, 0, T0 + WINDOW, 1, 95, 9);  /* of the gap: too late */
	fixture_gauge(&g, 0, T0 + WINDOW, 1, 99, 10); /* 98 is a gap like any other */
	fixture_publish(&g);
	card = esf_plane_card(g.plane, 0);
	CU_ASSERT_PTR_NOT_NULL_FATAL(card);
	CU_ASSERT_EQUAL(card->forgotten, 6);
	CU_ASSERT_EQUAL(esf_shard_ledger(esf_plane_shard(g.plane, 0))->forgotten, 6);
	CU_ASSERT_EQUAL(datagrams(&g, 0, ESF_DATAGRAM_DUPLICATE), 3);
	CU_ASSERT_EQUAL(records(&g, 0, ESF_RECORD_UNBORN), 0);
	block = esf_plane_block(g.plane, 0, T0 / WINDOW + 1);
	CU_ASSERT_PTR_NOT_NULL_FATAL(block);
	CU_ASSERT_EQUAL(esf_block_acc(block, GAUGE)->samples, 4); /* two of then, two of now */
	CU_ASSERT_TRUE(fixture_stop(&g));
	free(told.bytes);
}

static void cut_short_image_is_refused(void)
{
	const struct esf_site_image_map map = same_map();
	struct esf_site_image_counts counts = { 0 };
	struct fixture f, g;
	struct told told;
	static struct found a;

	fixture_start(&f, 1);
	live(&f);
	wish(&f, 1, T0 / WINDOW);
	start_reading(&told);
	tell_all(&f, &told, 1);
	find(&told, &a);
	CU_ASSERT_TRUE(fixture_stop(&f));
	fixture_start(&g, 1);
	esf_recall_begin(esf_plane_shard(g.plane, 0), map.former, map.until);
	for (const uint8_t *end = a.sites[0].at; end < a.sites[0].end; end++) {
		struct esf_image_reader in = a.sites[0];

		in.end = end;
		CU_ASSERT_FALSE(take_up(&g, 0, in, &map, &counts));
	}
	rcu_barrier();
	esf_plane_destroy(g.plane);
	fixture_policy_free(g.policy);
	rcu_unregister_thread();
	free(told.bytes);
}

static void parts_without_a_place_are_dropped_and_counted(void)
{
	static const int32_t none[MEASURES_COUNT] = { -1, -1, 0, -1 };
	struct esf_site_image_map map = same_map();
	struct esf_site_image_counts counts = { 0 };
	struct fixture f, g;
	struct told told;
	static struct found a;

	fixture_start(&f, 1);
	live(&f);
	wish(&f, 1, T0 / WINDOW);
	start_reading(&told);
	tell_all(&f, &told, 1);
	find(&told, &a);
	CU_ASSERT_TRUE(fixture_stop(&f));
	fixture_start(&g, 1);
	map.measures = none;
	map.keeps_windows = false;
	esf_recall_begin(esf_plane_shard(g.plane, 0), map.former, map.until);
	CU_ASSERT_TRUE(take_up(&g, 0, a.sites[0], &map, &counts));
	CU_ASSERT_EQUAL(counts.windows, 0);
	CU_ASSERT_EQUAL(counts.dropped, 3); /* two windows, and the counter of the KPI that went */
	esf_recall_ledger(g.plane, &a.ledger.ledger);
	CU_ASSERT_TRUE(fixture_stop(&g));
	free(told.bytes);
}

/* A plane with room for many sites, all of them learned. */
static void start_many(struct fixture *f)
{
	struct esf_plane_options options = fixture_options(1);

	options.sites_count = 2000;
	fixture_start_with(f, &options);
	f->policy->learn_sites = true;
}

static uint32_t dice(uint64_t *state)
{
	*state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (uint32_t)(*state >> 33);
}

/* One pass with so many datagrams of random sites. */
static void busy_pass(
    struct fixture *f, int64_t now, uint32_t count, uint32_t *seqs, uint64_t *seed)
{
	fixture_begin(f, 0, now);
	for (uint32_t i = 0; i < count; i++) {
		uint32_t site = dice(seed) % MANY + 1;
		struct bytes b = etd(2, site, ++seqs[site], now);

		etd_data(&b, 0, 0, 0, 1);
		fixture_receive(f, 0, ETD_PORT, b.data, b.size);
	}
	fixture_end(f, 0);
}

static uint32_t speaking(const uint32_t *seqs)
{
	uint32_t count = 0;

	for (uint32_t s = 1; s <= MANY; s++)
		count += seqs[s] > 0;
	return count;
}

static uint64_t told_accepted(const struct found *found, uint32_t *sites)
{
	uint64_t sum = 0;

	*sites = 0;
	for (uint32_t s = 0; s < 2000; s++) {
		struct esf_image_reader in = found->sites[s];
		struct esf_site_ledger ledger = { 0 };
		uint64_t mask;

		if (in.at == NULL)
			continue;
		++*sites;
		(void)esf_image_take(&in, 8 + 1 + 6 * 8);
		mask = esf_image_u64(&in);
		for (; mask != 0; mask &= mask - 1) {
			uint64_t word = esf_image_u64(&in);

			memcpy((uint8_t *)&ledger + 8 * __builtin_ctzll(mask), &word, 8);
		}
		sum += ledger.datagrams[ESF_DATAGRAM_ACCEPTED - ESF_SITE_DATAGRAM_FIRST];
	}
	return sum;
}

/* So many datagrams a pass go on while it is told; passes take step ns. */
static void tell_amid_load(uint32_t load, int64_t step, bool exact)
{
	static uint32_t seqs[MANY + 1];
	static struct found found;
	struct fixture f;
	struct told told;
	uint64_t seed = load;
	uint32_t sites;
	int64_t now = T0;
	int passes = 0;

	memset(seqs, 0, sizeof(seqs));
	start_many(&f);
	for (int i = 0; i < 300; i++)
		busy_pass(&f, now += step, 40, seqs, &seed);
	wish(&f, 7, 0);
	start_reading(&told);
	for (; passes < 20000 && !told.last; passes++) {
		busy_pass(&f, now += step, load, seqs, &seed);
		read_some(&f, &told, 7);
	}
	CU_ASSERT_TRUE_FATAL(told.last);
	find(&told, &found);
	CU_ASSERT_EQUAL(found.ledgers, 1);
	CU_ASSERT_EQUAL(found.ledger.exact, exact);
	if (exact)
		CU_ASSERT_EQUAL(told_accepted(&found, &sites),
		    found.ledger.ledger.datagrams[ESF_DATAGRAM_ACCEPTED]);
	(void)told_accepted(&found, &sites);
	CU_ASSERT_EQUAL(sites, speaking(seqs));
	if (sites != speaking(seqs) || found.ledger.exact != exact)
		fprintf(stderr, "load %u: %u sites of %u, exact %u, %u bytes\n", load, sites,
		    speaking(seqs), found.ledger.exact, told.size);
	CU_ASSERT_TRUE(fixture_stop(&f));
	free(told.bytes);
}

static void sites_and_ledger_are_of_one_instant(void)
{
	tell_amid_load(0, 50000, true);
	tell_amid_load(1, 50000, true);
	tell_amid_load(10, 50000, true);
	tell_amid_load(20, 50000, true);
}

static void more_sites_than_can_be_told_are_told_each_by_itself(void)
{
	tell_amid_load(400, 1000000, false);
}

static void given_up_snapshot_leaves_no_trace_in_the_next(void)
{
	static struct found found;
	struct fixture f;
	struct told told;

	fixture_start(&f, 1);
	live(&f);
	wish(&f, 1, 0);
	for (int i = 0; i < 4; i++) {
		fixture_begin(&f, 0, f.now);
		fixture_end(&f, 0);
	}
	esf_remember_ask(f.plane, &(struct esf_remember_wish){ .sequence = 0 });
	fixture_gauge(&f, 0, T0 + WINDOW, 1, 91, 3);
	esf_remember_ask(f.plane, &(struct esf_remember_wish){ .sequence = 2 });
	start_reading(&told);
	tell_all(&f, &told, 2);
	find(&told, &found);
	CU_ASSERT_EQUAL(found.ledgers, 1);
	CU_ASSERT_EQUAL(found.ledger.ledger.datagrams[ESF_DATAGRAM_ACCEPTED],
	    esf_shard_ledger(esf_plane_shard(f.plane, 0))->datagrams[ESF_DATAGRAM_ACCEPTED]);
	CU_ASSERT_TRUE(fixture_stop(&f));
	free(told.bytes);
}

static void held_windows_stay_until_released(void)
{
	struct fixture f;
	int64_t window = T0 / WINDOW;

	fixture_start(&f, 1);
	live(&f);
	esf_plane_hold(f.plane);
	esf_plane_consume(f.plane, window);
	fixture_publish(&f);
	CU_ASSERT_PTR_NOT_NULL(esf_plane_block(f.plane, 0, window));
	esf_plane_release(f.plane);
	fixture_publish(&f);
	CU_ASSERT_PTR_NULL(esf_plane_block(f.plane, 0, window));
	CU_ASSERT_TRUE(fixture_stop(&f));
}

static void remembered_line_is_a_duplicate_elsewhere(void)
{
	static const char line[] = "t,site=n-1 gauge=5 1700000000\n";
	struct fixture f, g;
	struct told told;
	struct esf_image_reader in, record;
	uint32_t kind;

	fixture_start(&f, 1);
	fixture_lines(&f, 0, T0, line);
	wish(&f, 1, 0);
	start_reading(&told);
	tell_all(&f, &told, 1);
	CU_ASSERT_TRUE(fixture_stop(&f));
	fixture_start(&g, 1);
	in = esf_image_reader(told.bytes, told.size);
	while (next_record(&in, &kind, &record)) {
		uint64_t fingerprint;

		if (kind != ESF_REMEMBERED_LINES)
			continue;
		(void)esf_image_u32(&record);
		fingerprint = esf_image_u64(&record);
		esf_recall_line(esf_plane_shard(g.plane, 0), fingerprint, esf_image_i64(&record));
	}
	fixture_lines(&g, 0, T0 + SECOND, line);
	CU_ASSERT_EQUAL(datagrams(&g, 0, ESF_DATAGRAM_DUPLICATE), 1);
	CU_ASSERT_TRUE(fixture_stop(&g));
	free(told.bytes);
}

void esf_suite_remember(void)
{
	CU_pSuite suite = CU_add_suite("remember", NULL, NULL);

	CU_ADD_TEST(suite, copy_of_a_site_is_the_site);
	CU_ADD_TEST(suite, restored_site_goes_on_where_it_was);
	CU_ADD_TEST(suite, cut_short_image_is_refused);
	CU_ADD_TEST(suite, parts_without_a_place_are_dropped_and_counted);
	CU_ADD_TEST(suite, sites_and_ledger_are_of_one_instant);
	CU_ADD_TEST(suite, more_sites_than_can_be_told_are_told_each_by_itself);
	CU_ADD_TEST(suite, given_up_snapshot_leaves_no_trace_in_the_next);
	CU_ADD_TEST(suite, held_windows_stay_until_released);
	CU_ADD_TEST(suite, remembered_line_is_a_duplicate_elsewhere);
}

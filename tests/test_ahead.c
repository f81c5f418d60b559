/* SPDX-License-Identifier: Apache-2.0 */
#include "suites.h"

#include <string.h>

#include <CUnit/CUnit.h>

#include "plane_fixture.h"

/* Lines are read ahead of their taking, across the datagrams of a burst: what becomes of them is
 * what would, were they taken one by one. */
enum { BURST_MAX = 32 };

struct burst {
	struct bytes frames[BURST_MAX];
	struct esf_packet packets[BURST_MAX];
	uint32_t count;
};

static struct burst burst; /* large */

static void add(unsigned port, const void *payload, uint32_t size)
{
	struct bytes *b = &burst.frames[burst.count];

	b->size = 0;
	put_ether(b, 0, 0x0800);
	put_ipv4(b, 0, 17, 8 + size);
	put16(b, 5555);
	put16(b, port);
	put16(b, 8 + size);
	put16(b, 0); /* no checksum */
	put(b, payload, size);
	burst.packets[burst.count++] = (struct esf_packet){ .data = b->data, .size = b->size };
}

static void add_lines(const char *lines)
{
	add(INFLUX_PORT, lines, (uint32_t)strlen(lines));
}

/* In one pass: the whole burst at once, or each of it at its own. */
static void receive(struct fixture *f, bool at_once)
{
	static const struct esf_frame_addresses any;
	struct esf_shard *shard = esf_plane_shard(f->plane, 0);

	fixture_begin(f, 0, T0 + 2 * SECOND);
	if (at_once)
		esf_shard_receive(shard, &any, burst.packets, burst.count);
	for (uint32_t i = 0; !at_once && i < burst.count; i++)
		esf_shard_receive(shard, &any, &burst.packets[i], 1);
	fixture_end(f, 0);
}

/* So that all heads and keys of the burst are known when it comes. */
static void introduce(struct fixture *f)
{
	fixture_lines(f, 0, T0 + SECOND,
	    "t,site=n-1 gauge=1,born=1 1700000000\n"
	    "t,site=n-2 gauge=1,born=1 1700000000\n"
	    "t,site=n-3 gauge=1,other=1 1700000000\n"
	    "t,site=nobody gauge=1 1700000000\n"
	    "t gauge=1 1700000000\n");
}

static void fill_burst(void)
{
	char lines[2048], *at = lines;

	burst.count = 0;
	add_lines("t,site=n-1 gauge=2,born=2 1700000001\n"
	          "t,site=n-2 gauge=3 1700000001\n"
	          "t,site=n-1 gauge=2,born=2 1700000001\n" /* duplicate */
	          "t,site=nobody gauge=3 1700000001\n"
	          "t,site=n-2 gauge=\n"                       /* malformed */
	          "t,site=n-3 gauge=500,other=1 1700000001"); /* out of range, unmapped */
	add_lines("t,site=n-1 gauge=2,born=2 1700000001\n");  /* duplicate */
	add_lines("\n");                                      /* malformed */
	add_lines("t,site=nobody gauge=4 1700000001");        /* unknown */
	add_lines("t gauge=4 1700000001\n");                  /* the sender's, n-1 */
	add(STATSD_PORT, "t.gauge:5|g", 11);
	add_lines("t gauge=6");
	for (int i = 0; i < 40; i++)
		at += sprintf(at, "t,site=n-%d gauge=%d 1700000002\n", 1 + i % 3, i);
	add_lines(lines);
	add_lines("t,site=n-2 gauge=\"s\" 1700000001\n"
	          "t,site=n-2 gauge=7 1700000001\n");
}

static void bursts_are_judged_as_their_datagrams_are(void)
{
	struct fixture f;
	struct esf_ledger ledgers[2];
	struct esf_site_ledger cards[2][3];
	struct esf_acc accs[2][3];

	for (int i = 0; i < 2; i++) {
		fixture_start(&f, 1);
		introduce(&f);
		fill_burst();
		receive(&f, i == 0);
		ledgers[i] = *esf_shard_ledger(esf_plane_shard(f.plane, 0));
		fixture_publish(&f);
		for (uint32_t site = 0; site < 3; site++) {
			cards[i][site] = esf_plane_card(f.plane, site)->ledger;
			accs[i][site] =
			    *esf_block_acc(esf_plane_block(f.plane, site, T0 / WINDOW), GAUGE);
		}
		CU_ASSERT_TRUE(fixture_stop(&f));
	}
	CU_ASSERT_EQUAL(memcmp(&ledgers[0], &ledgers[1], sizeof(ledgers[0])), 0);
	CU_ASSERT_EQUAL(memcmp(cards[0], cards[1], sizeof(cards[0])), 0);
	CU_ASSERT_EQUAL(memcmp(accs[0], accs[1], sizeof(accs[0])), 0);
}

static void lines_read_ahead_get_their_verdicts(void)
{
	struct fixture f;

	fixture_start(&f, 1);
	introduce(&f);
	fill_burst();
	receive(&f, true);
	/* Introduced 1, and of the burst's ten: six. */
	CU_ASSERT_EQUAL(datagrams(&f, 0, ESF_DATAGRAM_ACCEPTED), 7);
	CU_ASSERT_EQUAL(datagrams(&f, 0, ESF_DATAGRAM_DUPLICATE), 1);
	CU_ASSERT_EQUAL(datagrams(&f, 0, ESF_DATAGRAM_MALFORMED), 1);
	CU_ASSERT_EQUAL(datagrams(&f, 0, ESF_DATAGRAM_UNKNOWN_SITE), 1);
	/* 6 introduced; 2 + 1 of the first, 1 of the sender's, 1 of StatsD, 1 without a time,
	 * 40, 1. */
	CU_ASSERT_EQUAL(records(&f, 0, ESF_RECORD_ACCEPTED), 6 + 3 + 1 + 1 + 1 + 40 + 1);
	CU_ASSERT_EQUAL(records(&f, 0, ESF_RECORD_DUPLICATE), 1);
	CU_ASSERT_EQUAL(records(&f, 0, ESF_RECORD_MALFORMED), 1);
	CU_ASSERT_EQUAL(records(&f, 0, ESF_RECORD_UNKNOWN_SITE), 2);
	CU_ASSERT_EQUAL(records(&f, 0, ESF_RECORD_OUT_OF_RANGE), 1);
	CU_ASSERT_EQUAL(records(&f, 0, ESF_RECORD_UNMAPPED), 2);
	CU_ASSERT_EQUAL(records(&f, 0, ESF_RECORD_NOT_NUMERIC), 1);
	CU_ASSERT_TRUE(fixture_stop(&f));
}

#define ADD(test) CU_add_test(suite, #test, test)

void esf_suite_ahead(void)
{
	CU_pSuite suite = CU_add_suite("ahead", NULL, NULL);

	ADD(bursts_are_judged_as_their_datagrams_are);
	ADD(lines_read_ahead_get_their_verdicts);
}

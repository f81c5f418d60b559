/* SPDX-License-Identifier: Apache-2.0 */
#include "../plane_fixture.h"

/*
 * The input is a sequence of steps: a byte that says what happens, a byte that is the size of a
 * payload, the payload. Two shards hand over to each other; control consumes at times. After every
 * step all ledgers balance.
 *
 * Of the first byte: bit 0 the shard, bit 1 the format, bits 2-3 the room in the other's inbox (0:
 * none), bit 4 control consumes what is closed, bits 5-7 how far the clock goes on. A first byte
 * below 32 of what goes to ETD's port, with which no ETD begins, is taken off: bits 0-1 are the
 * port then (ETD, Influx, StatsD, syslog), bit 2 whether unknown sites are learned from now on.
 */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/*
 * One thread is all there is, and it is never inside a reader's section when something is retired:
 * a grace period is over at once, and nothing has to be waited for.
 */
void urcu_qsbr_call_rcu(struct rcu_head *head, void (*callback)(struct rcu_head *))
{
	callback(head);
}

void urcu_qsbr_barrier(void)
{
}

static int64_t step_time(uint8_t what)
{
	static const int64_t steps[8] = { 0, 1000, SECOND, SECOND, 4 * SECOND, WINDOW, 3 * WINDOW,
		40 * WINDOW };

	return steps[what >> 5];
}

static void check(bool right)
{
	if (!right)
		abort();
}

/* What is published never shrinks below what it was nor past what was received. */
static void check_blocks(const struct fixture *f)
{
	struct esf_ledger sum;

	esf_plane_ledger(f->plane, &sum);
	for (uint32_t site = 0; site < SITES_COUNT + SITES_SPARE; site++) {
		const struct esf_block *block = esf_plane_block(f->plane, site, f->now / WINDOW);

		check(block == NULL || block->site == site);
		check(block == NULL || block->window == f->now / WINDOW);
		check(block == NULL || block->accepted <= sum.records[ESF_RECORD_ACCEPTED]);
	}
}

static void step(struct fixture *f, uint8_t what, const uint8_t *payload, uint32_t size)
{
	static const unsigned ports[4] = { ETD_PORT, INFLUX_PORT, STATSD_PORT, SYSLOG_PORT };
	unsigned port = what & 2 ? INFLUX_PORT : ETD_PORT;
	uint32_t shard = what & 1;

	if (port == ETD_PORT && size > 0 && payload[0] < 32) {
		port = ports[payload[0] & 3];
		f->policy->learn_sites = payload[0] & 4;
		payload++;
		size--;
	}

	f->now += step_time(what);
	f->inbox[1 - shard].room = (what >> 2 & 3) * (QUEUE_MAX / 3);
	if (f->inbox[1 - shard].room < f->inbox[1 - shard].count)
		f->inbox[1 - shard].room = f->inbox[1 - shard].count;
	fixture_take(f, shard, f->now);
	fixture_pass(f, shard, f->now, port, payload, size);
	if (what & 16 && esf_plane_settled(f->plane) != INT64_MIN)
		esf_plane_consume(
		    f->plane, esf_window_oldest_open(esf_plane_settled(f->plane), WINDOW, 3) - 1);
	check(fixture_balances(f));
	check_blocks(f);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct fixture f;
	size_t at = 0;

	fixture_start(&f, 2);
	f.now = T0;
	while (at + 2 <= size) {
		uint8_t what = data[at];
		uint32_t length = data[at + 1];

		at += 2;
		length = length < size - at ? length : (uint32_t)(size - at);
		step(&f, what, data + at, length);
		at += length;
	}
	check(fixture_stop(&f));
	return 0;
}

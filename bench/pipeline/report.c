/* SPDX-License-Identifier: Apache-2.0 */
#include "bench.h"

#include <errno.h>

#include <jansson.h>
#include <rte_cycles.h>

static json_t *nonzero(const uint64_t *counts, const char *const *names, uint32_t count)
{
	json_t *object = json_object();

	for (uint32_t i = 0; i < count; i++)
		if (counts[i] > 0)
			json_object_set_new(object, names[i], json_integer((json_int_t)counts[i]));
	return object;
}

static bool is_balanced(const struct esf_ledger *ledger)
{
	return esf_ledger_balances(ledger) && ledger->datagrams_handed == ledger->datagrams_taken;
}

/* What a verdict was given for by whoever owns the site: all but what found no room on its way. */
static uint64_t judged(const struct esf_ledger *ledger)
{
	uint64_t sum = 0;

	for (uint32_t i = 0; i < ESF_DATAGRAM_VERDICTS_COUNT; i++)
		if (i != ESF_DATAGRAM_RING_FULL)
			sum += ledger->datagrams[i];
	return sum;
}

/* Records that count, if not one by one: ingestion modes let some stand for others. */
static uint64_t counted(const struct esf_ledger *ledger)
{
	return ledger->records[ESF_RECORD_ACCEPTED] + ledger->records[ESF_RECORD_WITHIN_BAND] +
	       ledger->records[ESF_RECORD_SAMPLED_OUT];
}

static json_t *describe_window(const struct esf_bench *bench)
{
	const struct esf_bench_sample *begin = &bench->begin, *end = &bench->end;
	uint64_t cycles = end->ticks - begin->ticks;

	return json_pack("{s:f, s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "seconds",
	    (double)cycles / (double)rte_get_tsc_hz(), "cycles", (json_int_t)cycles, "stamped",
	    (json_int_t)(end->stamped.datagrams - begin->stamped.datagrams), "stamp_cycles",
	    (json_int_t)(end->stamped.cycles - begin->stamped.cycles), "received",
	    (json_int_t)(end->ledger.datagrams_received - begin->ledger.datagrams_received),
	    "judged", (json_int_t)(judged(&end->ledger) - judged(&begin->ledger)), "accepted",
	    (json_int_t)(end->ledger.datagrams[ESF_DATAGRAM_ACCEPTED] -
	                 begin->ledger.datagrams[ESF_DATAGRAM_ACCEPTED]),
	    "records", (json_int_t)(counted(&end->ledger) - counted(&begin->ledger)));
}

static json_t *describe_total(const struct esf_bench *bench)
{
	const struct esf_ledger *total = &bench->total;

	return json_pack("{s:I, s:I, s:b, s:o, s:o, s:I, s:I}", "received",
	    (json_int_t)total->datagrams_received, "accepted",
	    (json_int_t)total->datagrams[ESF_DATAGRAM_ACCEPTED], "balanced", is_balanced(total),
	    "datagrams",
	    nonzero(total->datagrams, esf_datagram_verdict_names, ESF_DATAGRAM_VERDICTS_COUNT),
	    "records", nonzero(total->records, esf_record_verdict_names, ESF_RECORD_VERDICTS_COUNT),
	    "mbufs_in_use", (json_int_t)bench->mbufs_in_use, "events_dropped",
	    (json_int_t)bench->events_dropped);
}

int esf_bench_report(const struct esf_bench *bench)
{
	json_t *report =
	    json_pack("{s:s, s:i, s:I, s:o, s:o}", "mode", bench->options.drain ? "drain" : "plane",
	        "lcores", (int)bench->plan.shards_count, "tsc_hz", (json_int_t)rte_get_tsc_hz(),
	        "window", describe_window(bench), "total", describe_total(bench));
	int result = report == NULL ? -ENOMEM : json_dumpf(report, stdout, JSON_INDENT(2));

	json_decref(report);
	putchar('\n');
	return result == 0 ? 0 : -EIO;
}

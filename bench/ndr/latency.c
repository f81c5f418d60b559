/* SPDX-License-Identifier: Apache-2.0 */
#include <urcu-qsbr.h>

#include "bench/pipeline/bench.h"

#include <errno.h>
#include <getopt.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <jansson.h>
#include <rte_ethdev.h>

#include "control/commands.h"
#include "probe.h"

/*
 * ndr-latency: the appliance without its API, and a probe on its only queue. A line on stdin, how
 * many datagrams were sent since the start, is answered once so many were received and published,
 * or do not come, by a line of JSON: counts since the start, latencies since the line before. It
 * ends with its stdin, with a last line.
 */

static const char usage[] =
    "usage: ndr-latency --config FILE [--epoch-ms N]\n"
    "  --config FILE   the appliance's, with one port, one queue, one data lcore\n"
    "  --epoch-ms N    in place of rollup.epoch: 1..60000, so below a configuration's 100 too\n";

static const struct option long_options[] = {
	{ "config", required_argument, NULL, 'c' },
	{ "epoch-ms", required_argument, NULL, 'e' },
	{ NULL, 0, NULL, 0 },
};

enum { SETTLE_EPOCHS = 3, SETTLE_MS = 30000 };

static struct esf_probe *probe;

static bool parse(int count, char **arguments, struct esf_bench_options *options, int64_t *epoch_ns)
{
	int option;

	while ((option = getopt_long(count, arguments, "", long_options, NULL)) != -1) {
		if (option == 'c') {
			options->config = optarg;
		} else if (option == 'e') {
			char *end;
			long ms = strtol(optarg, &end, 10);

			if (*end != '\0' || ms < 1 || ms > 60000) {
				fprintf(stderr, "--epoch-ms: got \"%s\", want 1..60000\n", optarg);
				return false;
			}
			*epoch_ns = ms * INT64_C(1000000);
		} else {
			return false;
		}
	}
	return options->config != NULL && optind == count;
}

static int64_t monotonic_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Ticks when an epoch is over, else waits for a line for what is left of it, or just waits. Whether
 * there is something to read. */
static bool wait_tick(
    struct esf_bench *bench, const struct esf_bench_engine *engine, int64_t *next_ms, bool listens)
{
	struct pollfd in = { .fd = STDIN_FILENO, .events = POLLIN };
	int64_t left = *next_ms - monotonic_ms();
	int ready;

	rcu_thread_offline();
	ready = poll(&in, listens ? 1 : 0, left > 0 ? (int)left : 0);
	rcu_thread_online();
	if (monotonic_ms() >= *next_ms) {
		engine->tick(engine->context);
		*next_ms = monotonic_ms() + bench->config->rollup.epoch_ns / 1000000;
	}
	return ready > 0;
}

static json_t *describe_times(const struct esf_histogram *times)
{
	static const struct {
		const char *name;
		double share;
	} shares[] = { { "p50", 0.5 }, { "p90", 0.9 }, { "p99", 0.99 }, { "p99.9", 0.999 } };
	json_t *object = json_pack("{s:I}", "count", (json_int_t)times->count);

	if (times->count == 0)
		return object;
	json_object_set_new(object, "min", json_real((double)times->min / 1e3));
	for (size_t i = 0; i < sizeof(shares) / sizeof(shares[0]); i++)
		json_object_set_new(object, shares[i].name,
		    json_real((double)esf_histogram_at(times, shares[i].share) / 1e3));
	json_object_set_new(object, "max", json_real((double)times->max / 1e3));
	return object;
}

/* All but latencies. */
static json_t *describe_ledger(const struct esf_ledger *ledger, uint64_t mbufs_in_use)
{
	return json_pack("{s:I, s:I, s:b, s:I}", "received", (json_int_t)ledger->datagrams_received,
	    "accepted", (json_int_t)ledger->datagrams[ESF_DATAGRAM_ACCEPTED], "balanced",
	    esf_ledger_balances(ledger), "mbufs_in_use", (json_int_t)mbufs_in_use);
}

static void print_line(json_t *object)
{
	json_dumpf(object, stdout, 0);
	json_decref(object);
	putchar('\n');
	fflush(stdout);
}

static int answer(const struct esf_bench *bench, const struct esf_bench_engine *engine)
{
	const struct esf_probe_counts *counts = esf_probe_take(probe);
	struct esf_mbuf_counts mbufs;
	struct esf_ledger ledger;
	uint64_t received;
	json_t *object;

	if (counts == NULL) {
		fputs("ndr-latency: the lcore does not come round\n", stderr);
		return -ETIMEDOUT;
	}
	engine->ledger(engine->context, &ledger);
	esf_launch_mbufs(engine->launch, &mbufs);
	object = describe_ledger(&ledger, mbufs.in_use);
	json_object_update_new(object,
	    json_pack("{s:f, s:I, s:I, s:I, s:I, s:f, s:o, s:o, s:o}", "epoch_ms",
	        (double)bench->config->rollup.epoch_ns / 1e6, "waiting",
	        (json_int_t)esf_probe_waiting(probe, &received), "datagrams",
	        (json_int_t)counts->datagrams, "unmeasured", (json_int_t)counts->unmeasured,
	        "before_sent", (json_int_t)counts->before_sent, "probe_cycles",
	        counts->datagrams == 0 ? 0.0 : (double)counts->cycles / (double)counts->datagrams,
	        "arrival_us", describe_times(&counts->arrival), "publication_us",
	        describe_times(&counts->publication), "block_us", describe_times(&counts->block)));
	print_line(object);
	return 0;
}

static bool is_done(uint64_t sent)
{
	uint64_t received, waiting = esf_probe_waiting(probe, &received);

	return received >= sent && waiting == 0;
}

static int serve(struct esf_bench *bench, const struct esf_bench_engine *engine)
{
	int64_t epoch_ms = bench->config->rollup.epoch_ns / 1000000;
	int64_t next_ms = monotonic_ms() + epoch_ms;
	char line[32];

	esf_probe_start(probe, engine->plane, esf_launch_clock(engine->launch));
	puts("ready");
	fflush(stdout);
	for (;;) {
		int64_t until;
		uint64_t sent;
		int result;

		if (!wait_tick(bench, engine, &next_ms, true))
			continue;
		if (fgets(line, sizeof(line), stdin) == NULL)
			return 0;
		sent = strtoull(line, NULL, 10);
		until = monotonic_ms() + SETTLE_EPOCHS * epoch_ms + SETTLE_MS;
		while (!is_done(sent) && monotonic_ms() < until)
			(void)wait_tick(bench, engine, &next_ms, false);
		result = answer(bench, engine);
		if (result != 0)
			return result;
	}
}

static int watch(struct esf_bench *bench, const struct esf_plan_port *port, uint16_t queue)
{
	int result;

	if (esf_bench_queues(bench) != 1 || bench->plan.shards_count != 1) {
		fputs("ndr-latency: want one queue and one data lcore\n", stderr);
		return -EINVAL;
	}
	result = esf_probe_create(&probe);
	if (result != 0)
		return result;
	return rte_eth_add_rx_callback(port->id, queue, esf_probe_burst, probe) != NULL ? 0
	                                                                                : -ENOTSUP;
}

static int run(struct esf_bench *bench)
{
	int result = esf_bench_set_up(bench);

	if (result == 0)
		result = esf_bench_watch_queues(bench, watch);
	if (result == 0)
		result = esf_bench_run_plane(bench);
	if (result != 0)
		return result;
	print_line(describe_ledger(&bench->total, bench->mbufs_in_use));
	return esf_ledger_balances(&bench->total) && bench->mbufs_in_use == 0 ? 0 : -EIO;
}

int main(int count, char **arguments)
{
	static struct esf_bench bench = { .program = "ndr-latency", .measure = serve };
	int64_t epoch_ns = 0;
	int result = ESF_EXIT_USAGE;

	if (!parse(count, arguments, &bench.options, &epoch_ns)) {
		fputs(usage, stderr);
		return ESF_EXIT_USAGE;
	}
	bench.config = esf_command_load(bench.options.config, &result);
	if (bench.config == NULL)
		return result;
	if (epoch_ns != 0)
		bench.config->rollup.epoch_ns = epoch_ns;
	rcu_register_thread();
	result = run(&bench);
	esf_bench_clean_up(&bench);
	esf_probe_destroy(probe);
	rcu_unregister_thread();
	return result == 0 ? ESF_EXIT_OK : ESF_EXIT_FAILED;
}

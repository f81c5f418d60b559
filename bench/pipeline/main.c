/* SPDX-License-Identifier: Apache-2.0 */
#include <urcu-qsbr.h>

#include "bench.h"

#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include <rte_ethdev.h>

#include "control/commands.h"

/* pipeline-bench: one measurement of the appliance, or of its stamped ports alone. */

static const char usage[] =
    "usage: pipeline-bench --config FILE --capture FILE [OPTION]...\n"
    "  --config FILE        the appliance's; its ports are net_pcap ones that repeat the capture\n"
    "  --capture FILE       what each of their queues plays, without births\n"
    "  --births FILE        its first datagram is told of each site before anything else\n"
    "  --seconds S          measured (default 5)\n"
    "  --warm-up S          before that (default 1)\n"
    "  --duplicate-every N  of N ETD datagrams one comes again\n"
    "  --drain              receive, stamp and free only\n";

static const struct option long_options[] = {
	{ "config", required_argument, NULL, 'c' },
	{ "capture", required_argument, NULL, 'p' },
	{ "births", required_argument, NULL, 'b' },
	{ "seconds", required_argument, NULL, 's' },
	{ "warm-up", required_argument, NULL, 'w' },
	{ "duplicate-every", required_argument, NULL, 'd' },
	{ "drain", no_argument, NULL, 'x' },
	{ NULL, 0, NULL, 0 },
};

static bool number(const char *text, double min, double max, double *out)
{
	char *end;

	*out = strtod(text, &end);
	if (end != text && *end == '\0' && *out >= min && *out <= max)
		return true;
	fprintf(stderr, "pipeline-bench: got \"%s\", want %g..%g\n", text, min, max);
	return false;
}

static bool take_option(struct esf_bench_options *options, int option)
{
	double every;

	switch (option) {
	case 'c':
		options->config = optarg;
		return true;
	case 'p':
		options->capture = optarg;
		return true;
	case 'b':
		options->births = optarg;
		return true;
	case 's':
		return number(optarg, 0.1, 3600, &options->seconds);
	case 'w':
		return number(optarg, 0, 3600, &options->warm_up_s);
	case 'd':
		if (!number(optarg, 2, 1e6, &every))
			return false;
		options->duplicate_every = (uint32_t)every;
		return true;
	case 'x':
		options->drain = true;
		return true;
	default:
		return false;
	}
}

static bool parse(int count, char **arguments, struct esf_bench_options *options)
{
	bool good = true;
	int option;

	*options = (struct esf_bench_options){ .seconds = 5, .warm_up_s = 1 };
	while (good && (option = getopt_long(count, arguments, "", long_options, NULL)) != -1)
		good = take_option(options, option);
	if (good && optind == count && options->config != NULL && options->capture != NULL)
		return true;
	fputs(usage, stderr);
	return false;
}

/* Stamps find a site's id by its index. */
static int check_sites(const struct esf_config *config)
{
	for (uint32_t i = 0; i < config->sites_count; i++) {
		if (config->sites[i].id == config->sites[0].id + i)
			continue;
		fprintf(stderr, "pipeline-bench: sites: got id %u, want %u: ids in a row\n",
		    config->sites[i].id, config->sites[0].id + i);
		return -EINVAL;
	}
	return config->sites_count > 0 ? 0 : -EINVAL;
}

static int read_captures(struct esf_bench *bench)
{
	const struct esf_bench_options *options = &bench->options;
	int result = check_sites(bench->config);

	if (result == 0)
		result = esf_slots_read(options->capture, bench->config, &bench->slots, stderr);
	if (result == 0 && options->births != NULL)
		result = esf_slots_read(options->births, bench->config, &bench->births, stderr);
	return result;
}

/* The sites are dealt to the queues. */
static int add_stamp(struct esf_bench *bench, const struct esf_plan_port *port, uint16_t queue)
{
	uint32_t index = bench->stamps_count, queues = esf_bench_queues(bench);
	uint64_t sites = bench->config->sites_count;
	struct esf_stamp_options options = {
		.config = bench->config,
		.slots = &bench->slots,
		.births = bench->births.count > 0 ? &bench->births : NULL,
		.clock = &bench->clock,
		.first_site = (uint32_t)(sites * index / queues),
		.duplicate_every = bench->options.duplicate_every,
	};
	int result;

	options.sites_count = (uint32_t)(sites * (index + 1) / queues) - options.first_site;
	if (index == ESF_BENCH_QUEUES_MAX || options.sites_count == 0)
		return -EINVAL;
	result = esf_stamp_create(&options, &bench->stamps[index]);
	if (result != 0)
		return result;
	bench->stamps_count++;
	return rte_eth_add_rx_callback(port->id, queue, esf_stamp_burst, bench->stamps[index]) !=
	               NULL
	           ? 0
	           : -ENOTSUP;
}

static int run(struct esf_bench *bench)
{
	int result = read_captures(bench);

	if (result == 0)
		result = esf_bench_set_up(bench);
	if (result == 0)
		result = esf_bench_watch_queues(bench, add_stamp);
	if (result == 0)
		result =
		    bench->options.drain ? esf_bench_run_drain(bench) : esf_bench_run_plane(bench);
	return result == 0 ? esf_bench_report(bench) : result;
}

static void clean_up(struct esf_bench *bench)
{
	for (uint32_t i = 0; i < bench->stamps_count; i++)
		esf_stamp_destroy(bench->stamps[i]);
	esf_slots_free(&bench->births);
	esf_slots_free(&bench->slots);
	esf_bench_clean_up(bench);
}

int main(int count, char **arguments)
{
	static struct esf_bench bench;
	int result;

	if (!parse(count, arguments, &bench.options))
		return ESF_EXIT_USAGE;
	bench.config = esf_command_load(bench.options.config, &result);
	if (bench.config == NULL)
		return result;
	bench.program = "pipeline-bench";
	bench.measure = esf_bench_measure;
	rcu_register_thread();
	result = run(&bench);
	clean_up(&bench);
	rcu_unregister_thread();
	return result == 0 ? ESF_EXIT_OK : ESF_EXIT_FAILED;
}

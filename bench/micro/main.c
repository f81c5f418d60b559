/* SPDX-License-Identifier: Apache-2.0 */
#include <urcu-qsbr.h>

#include "micro.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* micro-bench: each stage of a datagram's way alone, and the control tick. See bench/README.md. */

static const char usage[] =
    "usage: micro-bench [--only STAGE] [--samples N] [--sample-us N] [--sites N]\n"
    "                   [--cpu N] [--peer-cpu N] [--json]\n";

static const struct option names[] = {
	{ "only", required_argument, NULL, 'o' },
	{ "samples", required_argument, NULL, 'n' },
	{ "sample-us", required_argument, NULL, 'u' },
	{ "sites", required_argument, NULL, 's' },
	{ "cpu", required_argument, NULL, 'c' },
	{ "peer-cpu", required_argument, NULL, 'p' },
	{ "json", no_argument, NULL, 'j' },
	{ NULL, 0, NULL, 0 },
};

static __attribute__((noreturn)) void refuse(void)
{
	fputs(usage, stderr);
	exit(2);
}

static uint32_t number(const char *text, uint32_t from, uint32_t to)
{
	char *end;
	unsigned long value = strtoul(text, &end, 10);

	if (*text < '0' || *text > '9' || *end != 0 || value < from || value > to) {
		fprintf(stderr, "micro-bench: got %s, want %u..%u\n", text, from, to);
		refuse();
	}
	return (uint32_t)value;
}

static void read_option(struct micro_options *options, int option)
{
	uint32_t cpus = (uint32_t)sysconf(_SC_NPROCESSORS_CONF);

	if (option == 'o')
		options->only = optarg;
	else if (option == 'n')
		options->samples = number(optarg, 1, 1000);
	else if (option == 'u')
		options->sample_ns = UINT64_C(1000) * number(optarg, 1, 1000000);
	else if (option == 's')
		options->sites = number(optarg, 1000, 1000000);
	else if (option == 'c')
		options->cpu = (int)number(optarg, 0, cpus - 1);
	else if (option == 'p')
		options->peer_cpu = (int)number(optarg, 0, cpus - 1);
	else if (option == 'j')
		options->json = true;
	else
		refuse();
}

int main(int argc, char **argv)
{
	struct micro_options options = {
		.samples = 101,
		.sample_ns = 1000000,
		.sites = 1000000,
		.cpu = (int)sysconf(_SC_NPROCESSORS_CONF) - 1,
	};
	struct micro *bench;
	int option;

	while ((option = getopt_long(argc, argv, "", names, NULL)) != -1)
		read_option(&options, option);
	if (optind != argc)
		refuse();
	micro_pin(options.cpu);
	rcu_register_thread();
	bench = micro_create(&options);
	micro_decode(bench);
	micro_sites(bench);
	micro_names(bench);
	micro_seal(bench);
	micro_accumulate(bench);
	micro_handover(bench);
	micro_publish(bench);
	micro_tick(bench);
	micro_report(bench);
	micro_destroy(bench);
	rcu_unregister_thread();
	return 0;
}

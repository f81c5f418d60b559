/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "capture.h"
#include "labels.h"
#include "options.h"
#include "scenario.h"
#include "sealing.h"
#include "sender.h"
#include "traffic.h"

/*
 * fleetgen: a fleet of simulated sites, over the network or into a capture file with its labels.
 * Exit codes: 0, 1 when something did not go out, 2 for a wrong command line or scenario.
 */
enum { EXIT_USAGE = 2 };

static volatile atomic_bool stop;

static void on_signal(int number)
{
	(void)number;
	atomic_store_explicit(&stop, true, memory_order_relaxed);
}

static void catch_signals(void)
{
	struct sigaction action = { .sa_handler = on_signal };

	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
}

static double now_s(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

struct summary {
	const char *verb;
	uint64_t datagrams, records, bytes, errors, unsent;
	uint32_t sites;
	double seconds; /* it took */
};

static void summary_print(const struct summary *summary, bool json)
{
	if (json)
		printf("{\"datagrams\":%" PRIu64 ",\"records\":%" PRIu64 ",\"bytes\":%" PRIu64
		       ",\"sites\":%u,\"errors\":%" PRIu64 ",\"unsent\":%" PRIu64
		       ",\"seconds\":%.6f}\n",
		    summary->datagrams, summary->records, summary->bytes, summary->sites,
		    summary->errors, summary->unsent, summary->seconds);
	else
		printf("%s %" PRIu64 " datagrams with %" PRIu64 " records (%" PRIu64
		       " bytes) of %u sites in %.3f s, "
		       "%" PRIu64 " errors, %" PRIu64 " unsent\n",
		    summary->verb, summary->datagrams, summary->records, summary->bytes,
		    summary->sites, summary->seconds, summary->errors, summary->unsent);
}

/* Ends the traffic and says what was wrong with it. */
static int conclude(const struct esf_options *options, const struct esf_scenario *scenario,
    struct esf_traffic *traffic, const char *labels)
{
	esf_traffic_finish(traffic);
	if (esf_traffic_error(traffic)) {
		fprintf(stderr, "fleetgen: %s\n", esf_traffic_error(traffic));
		return EXIT_FAILURE;
	}
	if (labels && esf_labels_write(labels, scenario, &options->traffic, traffic, stderr))
		return EXIT_FAILURE;
	return EXIT_SUCCESS;
}

static int run_send(const struct esf_options *options, const struct esf_scenario *scenario,
    struct esf_traffic *traffic)
{
	struct esf_sender *sender =
	    esf_sender_create(options->to, options->bind, options->traffic.start_ns, stderr);
	struct summary summary = { .verb = "sent", .sites = scenario->sites_count };
	double began_s = now_s(CLOCK_MONOTONIC);
	const struct esf_sender_counts *counts;
	struct esf_traffic_datagram datagram;
	int result;

	if (!sender)
		return EXIT_USAGE;
	while (esf_traffic_next(traffic, &datagram) && esf_sender_send(sender, &datagram, &stop))
		;
	esf_sender_flush(sender);
	counts = esf_sender_totals(sender);
	summary.seconds = now_s(CLOCK_MONOTONIC) - began_s;
	summary.datagrams = counts->datagrams;
	summary.records = counts->records;
	summary.bytes = counts->bytes;
	summary.errors = counts->errors;
	summary.unsent = counts->unsent;
	summary_print(&summary, options->json);
	if (counts->errors)
		fprintf(stderr, "fleetgen: %" PRIu64 " errors, the last: %s\n", counts->errors,
		    strerror(esf_sender_last_error(sender)));
	result = counts->unsent ? EXIT_FAILURE : EXIT_SUCCESS;
	esf_sender_destroy(sender);
	return conclude(options, scenario, traffic, options->labels) ? EXIT_FAILURE : result;
}

/*
 * The addresses of the duplicates' second paths, by fault; NULL (and every wrong one named) when
 * one is not of the destination's kind.
 */
static struct esf_capture_address *paths_parse(
    const struct esf_options *options, const struct esf_scenario *scenario)
{
	struct esf_capture_address *paths =
	    calloc((size_t)scenario->faults_count + 1, sizeof(*paths));
	unsigned wrong = 0;

	for (uint32_t i = 0; paths && i < scenario->faults_count; i++) {
		const char *text = scenario->faults[i].path;

		if (*text && (!esf_capture_address_parse(text, &paths[i]) ||
		                 paths[i].family != options->capture.destination.family)) {
			fprintf(stderr,
			    "faults[%u].path: got \"%s\", want an address of the destination's "
			    "kind\n",
			    i, text);
			wrong++;
		}
	}
	if (!wrong)
		return paths;
	free(paths);
	return NULL;
}

static const struct esf_capture_address *path_of(const struct esf_capture_address *paths,
    const struct esf_scenario *scenario, const struct esf_traffic_datagram *datagram)
{
	for (uint32_t i = 0; datagram->path && i < scenario->faults_count; i++) {
		if (scenario->faults[i].path == datagram->path)
			return &paths[i];
	}
	return NULL;
}

static int write_capture(const struct esf_options *options, const struct esf_scenario *scenario,
    struct esf_traffic *traffic, const struct esf_capture_address *paths)
{
	struct esf_capture *capture = esf_capture_create(&options->capture, stderr);
	struct esf_traffic_datagram datagram;
	int error;

	if (!capture)
		return EXIT_FAILURE;
	while (!atomic_load_explicit(&stop, memory_order_relaxed) &&
	       esf_traffic_next(traffic, &datagram))
		esf_capture_write(capture, datagram.time_ns, scenario->sites[datagram.site].id,
		    path_of(paths, scenario, &datagram), datagram.data, datagram.size);
	error = esf_capture_destroy(capture);
	if (error)
		fprintf(stderr, "%s: %s\n", options->capture.path, strerror(-error));
	return error ? EXIT_FAILURE : EXIT_SUCCESS;
}

static char *labels_path(const struct esf_options *options)
{
	char *path = NULL;

	if (options->labels)
		return strdup(options->labels);
	return asprintf(&path, "%s.labels.json", options->capture.path) < 0 ? NULL : path;
}

static int run_pcap(const struct esf_options *options, const struct esf_scenario *scenario,
    struct esf_traffic *traffic)
{
	const struct esf_traffic_counts *totals = esf_traffic_totals(traffic);
	struct summary summary = { .verb = "wrote", .sites = scenario->sites_count };
	double began_s = now_s(CLOCK_MONOTONIC);
	struct esf_capture_address *paths = paths_parse(options, scenario);
	char *labels = labels_path(options);
	int result = paths && labels ? EXIT_SUCCESS : EXIT_USAGE;

	if (result == EXIT_SUCCESS)
		result = write_capture(options, scenario, traffic, paths);
	if (result == EXIT_SUCCESS)
		result = conclude(options, scenario, traffic, labels);
	free(paths);
	free(labels);
	if (result != EXIT_SUCCESS)
		return result;
	summary.datagrams = totals->datagrams;
	summary.records = totals->records;
	summary.bytes = totals->bytes;
	summary.seconds = now_s(CLOCK_MONOTONIC) - began_s;
	summary_print(&summary, options->json);
	return result;
}

/* What the command line leaves open: the scenario's seed and start; sending starts now. */
static void settle(struct esf_options *options, const struct esf_scenario *scenario)
{
	if (!options->has_seed)
		options->traffic.seed = scenario->seed;
	if (!options->has_start)
		options->traffic.start_ns = options->command == ESF_OPTIONS_SEND
		                                ? (int64_t)(now_s(CLOCK_REALTIME) * 1e9)
		                                : scenario->start_ns;
}

/* False when the keys that were asked for are not to be had. */
static bool sealing_create(struct esf_options *options, const struct esf_scenario *scenario)
{
	if (options->seal)
		options->traffic.sealing =
		    esf_sealing_create(scenario, options->seal, options->key_id, stderr);
	return !options->seal || options->traffic.sealing;
}

static int run(struct esf_options *options)
{
	struct esf_scenario *scenario =
	    esf_scenario_load(options->scenario, options->sites, stderr);
	struct esf_traffic *traffic = NULL;
	bool ready = scenario && sealing_create(options, scenario);
	int result = EXIT_USAGE;

	if (ready) {
		settle(options, scenario);
		traffic = esf_traffic_create(scenario, &options->traffic, stderr);
	}
	if (traffic) {
		catch_signals();
		result = (options->command == ESF_OPTIONS_SEND ? run_send : run_pcap)(
		    options, scenario, traffic);
	}
	esf_traffic_destroy(traffic);
	esf_sealing_destroy(options->traffic.sealing);
	esf_scenario_destroy(scenario);
	return result;
}

int main(int argc, char **argv)
{
	struct esf_options options;

	switch (esf_options_parse(argc, argv, &options, stderr)) {
	case ESF_OPTIONS_RUN:
		return run(&options);
	case ESF_OPTIONS_HELP:
		fputs(esf_options_usage, stdout);
		return EXIT_SUCCESS;
	case ESF_OPTIONS_WRONG:
		break;
	}
	fprintf(stderr, "fleetgen --help says more\n");
	return EXIT_USAGE;
}

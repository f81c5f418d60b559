/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <rte_cycles.h>
#include <rte_eal.h>
#include <rte_ethdev.h>
#include <rte_lcore.h>
#include <rte_mbuf.h>

#include "bench/pipeline/slots.h"
#include "bench/pipeline/stamp.h"
#include "control/commands.h"

/*
 * ndr-generator: sends a capture through DPDK's port 0 at a paced rate, each datagram stamped as
 * new. A trial is a line "RATE COUNT" on stdin; a line of JSON answers it. What the port refuses is
 * not sent again: it is lost, as on a full NIC.
 */
enum {
	BURST_MAX = 32,
	CATCH_UP = 2,          /* times the rate asked, at most, once it is behind, */
	CATCH_UP_PPS = 200000, /* or this, where it is more */
	ROOM_MAX = 64,         /* datagrams that may go at once */
	DESCRIPTORS = 1024,
	MBUFS = 8191,
	MBUF_CACHE = 256,
	LINK_MS_MAX = 10000,
};

struct generator {
	const char *config_path, *capture, *births_path;
	struct esf_config *config;
	struct esf_slots slots, births;
	struct esf_clock clock;
	struct esf_stamp *stamp;
	struct rte_mempool *pool;
	uint32_t slot; /* of the next datagram: the stamp goes round in step */
};

struct trial {
	uint64_t rate, count; /* asked: datagrams a second, datagrams */
	uint64_t offered, refused;
	uint64_t behind_max; /* datagrams due and not yet offered */
	uint64_t ticks;      /* that it took */
};

static const struct option long_options[] = {
	{ "config", required_argument, NULL, 'c' },
	{ "capture", required_argument, NULL, 'p' },
	{ "births", required_argument, NULL, 'b' },
	{ NULL, 0, NULL, 0 },
};

static bool parse(int count, char **arguments, struct generator *generator)
{
	int option;

	while ((option = getopt_long(count, arguments, "", long_options, NULL)) != -1) {
		if (option == 'c')
			generator->config_path = optarg;
		else if (option == 'p')
			generator->capture = optarg;
		else if (option == 'b')
			generator->births_path = optarg;
		else
			return false;
	}
	return generator->config_path != NULL && generator->capture != NULL;
}

static int fail(const char *what, int error)
{
	fprintf(stderr, "ndr-generator: %s: %s\n", what, strerror(-error));
	return error;
}

static int wait_for_link(void)
{
	for (uint32_t i = 0; i < LINK_MS_MAX; i++) {
		struct rte_eth_link link = { 0 };

		if (rte_eth_link_get_nowait(0, &link) == 0 && link.link_status == RTE_ETH_LINK_UP)
			return 0;
		rte_delay_us_sleep(1000);
	}
	return fail("port 0 has no link: does the other side run?", -ETIMEDOUT);
}

static int start_port(struct generator *generator)
{
	const struct rte_eth_conf conf = { 0 };
	int error;

	generator->pool = rte_pktmbuf_pool_create(
	    "ndr-mbufs", MBUFS, MBUF_CACHE, 0, RTE_MBUF_DEFAULT_BUF_SIZE, (int)rte_socket_id());
	if (generator->pool == NULL)
		return fail("mbufs", -ENOMEM);
	if (!rte_eth_dev_is_valid_port(0))
		return fail("port 0 (give a --vdev)", -ENODEV);
	error = rte_eth_dev_configure(0, 1, 1, &conf);
	if (error == 0)
		error = rte_eth_rx_queue_setup(
		    0, 0, DESCRIPTORS, rte_socket_id(), NULL, generator->pool);
	if (error == 0)
		error = rte_eth_tx_queue_setup(0, 0, DESCRIPTORS, rte_socket_id(), NULL);
	if (error == 0)
		error = rte_eth_dev_start(0);
	return error == 0 ? wait_for_link() : fail("port 0 does not start", error);
}

/* The stamps show the system's clock, so that another process can tell how long it is since then.
 */
static void show_time(struct esf_clock *clock)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	esf_clock_init(clock, (double)rte_get_tsc_hz(), rte_rdtsc(),
	    (int64_t)now.tv_sec * 1000000000 + now.tv_nsec);
}

static int start_stamp(struct generator *generator)
{
	struct esf_stamp_options options = { .slots = &generator->slots,
		.clock = &generator->clock };
	int result = 0;

	generator->config = esf_command_load(generator->config_path, &result);
	if (generator->config == NULL)
		return fail("the configuration can't be read", -EINVAL);
	result = esf_slots_read(generator->capture, generator->config, &generator->slots, stderr);
	if (result == 0 && generator->births_path != NULL) {
		result = esf_slots_read(
		    generator->births_path, generator->config, &generator->births, stderr);
		options.births = &generator->births;
	}
	if (result != 0)
		return result;
	options.config = generator->config;
	options.sites_count = generator->config->sites_count;
	if (options.sites_count == 0)
		return fail("the configuration names no sites", -EINVAL);
	show_time(&generator->clock);
	return esf_stamp_create(&options, &generator->stamp);
}

static void copy_frame(struct generator *generator, struct rte_mbuf *mbuf)
{
	const struct esf_slots *slots = &generator->slots;
	uint32_t at = slots->frame_at[generator->slot];
	uint16_t size = (uint16_t)(slots->frame_at[generator->slot + 1] - at);

	if (++generator->slot == slots->count)
		generator->slot = 0;
	memcpy(rte_pktmbuf_mtod(mbuf, uint8_t *), slots->frames + at, size);
	mbuf->data_len = size;
	mbuf->pkt_len = size;
}

static void offer(struct generator *generator, uint16_t count, struct trial *trial)
{
	struct rte_mbuf *mbufs[BURST_MAX];
	uint16_t sent;

	if (rte_pktmbuf_alloc_bulk(generator->pool, mbufs, count) != 0) {
		trial->offered += count;
		trial->refused += count;
		return;
	}
	show_time(&generator->clock);
	for (uint16_t i = 0; i < count; i++)
		copy_frame(generator, mbufs[i]);
	esf_stamp_burst(0, 0, mbufs, count, BURST_MAX, generator->stamp);
	sent = rte_eth_tx_burst(0, 0, mbufs, count);
	if (sent < count)
		rte_pktmbuf_free_bulk(mbufs + sent, count - sent);
	trial->offered += count;
	trial->refused += count - sent;
}

static void take_received(void)
{
	struct rte_mbuf *mbufs[BURST_MAX];

	rte_pktmbuf_free_bulk(mbufs, rte_eth_rx_burst(0, 0, mbufs, BURST_MAX));
}

static void run_trial(struct generator *generator, struct trial *trial)
{
	double per_tick = (double)trial->rate / (double)rte_get_tsc_hz();
	double at_most = (double)RTE_MAX(trial->rate * CATCH_UP, (uint64_t)CATCH_UP_PPS) /
	                 (double)rte_get_tsc_hz();
	uint64_t begin = rte_rdtsc(), last = begin, took = begin;
	double room = BURST_MAX;

	while (trial->offered < trial->count) {
		uint64_t now = rte_rdtsc(), behind;
		uint64_t due = (uint64_t)((double)(now - begin) * per_tick) + 1;

		room = RTE_MIN(room + (double)(now - last) * at_most, (double)ROOM_MAX);
		last = now;
		behind = RTE_MIN(due, trial->count) - trial->offered;
		trial->behind_max = RTE_MAX(trial->behind_max, behind);
		behind = RTE_MIN(behind, (uint64_t)room);
		behind = RTE_MIN(behind, (uint64_t)BURST_MAX);
		if (behind > 0)
			offer(generator, (uint16_t)behind, trial);
		room -= (double)behind;
		if (now - took > rte_get_tsc_hz()) {
			take_received();
			took = now;
		}
	}
	trial->ticks = rte_rdtsc() - begin;
}

static int serve(struct generator *generator)
{
	char line[128];

	puts("ready");
	fflush(stdout);
	while (fgets(line, sizeof(line), stdin) != NULL) {
		struct trial trial = { 0 };

		if (sscanf(line, "%" SCNu64 " %" SCNu64, &trial.rate, &trial.count) != 2 ||
		    trial.rate == 0) {
			fprintf(stderr, "ndr-generator: got \"%.*s\", want RATE COUNT\n",
			    (int)strcspn(line, "\n"), line);
			return -EINVAL;
		}
		run_trial(generator, &trial);
		printf("{\"offered\": %" PRIu64 ", \"sent\": %" PRIu64 ", \"refused\": %" PRIu64
		       ", \"behind_max\": %" PRIu64 ", \"seconds\": %.6f}\n",
		    trial.offered, trial.offered - trial.refused, trial.refused, trial.behind_max,
		    (double)trial.ticks / (double)rte_get_tsc_hz());
		fflush(stdout);
	}
	return 0;
}

int main(int count, char **arguments)
{
	static struct generator generator;
	int eal = rte_eal_init(count, arguments), result;

	if (eal < 0)
		return ESF_EXIT_FAILED;
	if (!parse(count - eal, arguments + eal, &generator)) {
		fputs(
		    "usage: ndr-generator EAL... -- --config FILE --capture FILE [--births FILE]\n",
		    stderr);
		return ESF_EXIT_USAGE;
	}
	result = start_stamp(&generator);
	if (result == 0)
		result = start_port(&generator);
	if (result == 0)
		result = serve(&generator);
	if (rte_eth_dev_is_valid_port(0)) {
		(void)rte_eth_dev_stop(0);
		(void)rte_eth_dev_close(0);
	}
	esf_stamp_destroy(generator.stamp);
	esf_slots_free(&generator.births);
	esf_slots_free(&generator.slots);
	esf_config_free(generator.config);
	rte_eal_cleanup();
	return result == 0 ? ESF_EXIT_OK : ESF_EXIT_FAILED;
}

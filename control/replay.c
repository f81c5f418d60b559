/* SPDX-License-Identifier: Apache-2.0 */
#include <urcu-qsbr.h>

#include "control/commands.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <pcap/pcap.h>

#include "control/api/document.h"
#include "control/fleet/judge.h"
#include "control/fleet/roster.h"
#include "control/incident/event_log.h"
#include "control/policy.h"
#include "dataplane/shard.h"

/*
 * replay: a capture through the dataplane and control code on this one thread. The clock is the
 * packets' timestamps; windows close just before the first packet at or past their closing time.
 * Nothing depends on chance or on the real clock (the tables' hash key is fixed), so the same input
 * gives the same bytes.
 */

enum {
	JSON_FLAGS = JSON_COMPACT | JSON_REAL_PRECISION(17),
	WINDOWS_OUT_MAX = 32768,
};

static const uint8_t replay_hash_key[16] = "estream replay";

struct replay {
	const struct esf_config *config;
	struct esf_plane *plane;
	struct esf_policy *policy;
	struct esf_shard *shard;
	struct esf_roster *roster;
	struct esf_judge *judge;
	struct esf_event_log *events;
	struct esf_frame_addresses ours;
	int64_t now;
	uint32_t windows_out; /* at most, closed and not yet back in their pool */
	/* --speed 1x: packet times are slept up to, from the first one on */
	bool real_time;
	int64_t first_packet;
	struct timespec first_real;
};

static int fail(const char *what, const char *why)
{
	fprintf(stderr, "estream-fleetd: %s: %s\n", what, why);
	return ESF_EXIT_FAILED;
}

/* All ports' addresses: the capture does not say which port it was taken at. */
static int gather_addresses(struct replay *replay)
{
	for (uint32_t i = 0; i < replay->config->ports_count; i++) {
		const struct esf_port_config *port = &replay->config->ports[i];

		for (uint32_t j = 0; j < port->addresses_count; j++) {
			if (replay->ours.count == ESF_PORT_ADDRESSES_MAX)
				return fail("replay",
				    "the ports have more addresses in all than one "
				    "capture can be checked against");
			replay->ours.address[replay->ours.count++] = port->addresses[j].address;
		}
	}
	return ESF_EXIT_OK;
}

static int replay_start(struct replay *replay)
{
	struct esf_plane_options options =
	    esf_policy_plane_options(replay->config, replay_hash_key);

	options.shards_count = 1;
	options.owners = 1;
	options.owner_is_receiver = true;
	if (gather_addresses(replay) != ESF_EXIT_OK)
		return ESF_EXIT_FAILED;
	if (esf_policy_create(replay->config, NULL, 1, replay_hash_key, &replay->policy, stderr) != 0)
		return ESF_EXIT_USAGE;
	if (esf_plane_create(&options, &replay->plane) != 0)
		return fail("replay", "out of memory for the sites' state");
	esf_plane_set_policy(replay->plane, replay->policy);
	replay->shard = esf_plane_shard(replay->plane, 0);
	replay->roster = esf_roster_create(replay->config, options.sites_count);
	if (replay->roster == NULL)
		return fail("replay", "out of memory");
	replay->judge =
	    esf_judge_create(replay->config, 1, replay->roster, replay->plane, INT64_MIN);
	replay->events = esf_event_log_create(replay->config, 1);
	return replay->judge == NULL || replay->events == NULL ? fail("replay", "out of memory")
	                                                       : ESF_EXIT_OK;
}

static void replay_stop(struct replay *replay)
{
	rcu_barrier();
	esf_event_log_destroy(replay->events);
	esf_judge_destroy(replay->judge);
	esf_roster_destroy(replay->roster);
	esf_plane_destroy(replay->plane);
	esf_policy_destroy(replay->policy, NULL);
}

static int print_document(json_t *document)
{
	int result = document == NULL ? -1 : json_dumpf(document, stdout, JSON_FLAGS);

	json_decref(document);
	if (result != 0 || putchar('\n') == EOF)
		return fail("replay", "the output could not be written");
	return ESF_EXIT_OK;
}

/*
 * Publishes all, for sure: what pools lack comes back by RCU callbacks, which run when they run.
 * Waiting for them here and in reclaim keeps the output free of chance.
 */
static void publish(struct replay *replay, int64_t now)
{
	esf_shard_publish(replay->shard);
	while (esf_plane_settled(replay->plane) < now) {
		rcu_barrier();
		esf_shard_publish(replay->shard);
	}
}

/* Before closed windows whose memory is not yet back could be missed by the pools' spare. */
static void reclaim(struct replay *replay)
{
	replay->windows_out += esf_roster_count(replay->roster);
	if (replay->windows_out < WINDOWS_OUT_MAX)
		return;
	rcu_barrier();
	replay->windows_out = 0;
}

/* Prints every window that is closed at `settled`. */
static int print_closed(struct replay *replay, int64_t settled)
{
	struct esf_view *view;
	int result = ESF_EXIT_OK;

	while (result == ESF_EXIT_OK) {
		if (esf_judge_close(replay->judge, settled, &view) != 0)
			return fail("replay", "out of memory");
		if (view == NULL)
			break;
		result = print_document(esf_document_replay_window(view));
		esf_view_free(view);
		rcu_quiescent_state();
		reclaim(replay);
	}
	return result;
}

/* Moves the clock to `until`, stopping at each window's closing time on the way. */
static int advance(struct replay *replay, int64_t until)
{
	int64_t close;

	while ((close = esf_judge_next_close(replay->judge)) <= until) {
		int result;

		esf_shard_begin(replay->shard, close);
		publish(replay, close);
		esf_event_log_drain(replay->events, replay->plane, replay->roster);
		result = print_closed(replay, close);
		if (result != ESF_EXIT_OK)
			return result;
	}
	replay->now = until;
	esf_shard_begin(replay->shard, until);
	return ESF_EXIT_OK;
}

static void wait_real_time(struct replay *replay, int64_t packet_time)
{
	struct timespec until = replay->first_real;
	int64_t since;

	if (replay->first_packet == INT64_MIN) {
		replay->first_packet = packet_time;
		clock_gettime(CLOCK_MONOTONIC, &replay->first_real);
		return;
	}
	since = packet_time - replay->first_packet + until.tv_nsec;
	until.tv_sec += since / 1000000000;
	until.tv_nsec = since % 1000000000;
	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL) == EINTR)
		;
}

static int replay_packet(struct replay *replay, const struct pcap_pkthdr *head, const u_char *data)
{
	/* opened with nanosecond precision: tv_usec holds ns */
	int64_t time = (int64_t)head->ts.tv_sec * 1000000000 + head->ts.tv_usec;
	struct esf_packet packet = {
		.data = data,
		.size = head->caplen,
		.flags = ESF_FRAME_CHECKSUM_UNFINISHED_OK,
	};

	if (time > replay->now) {
		int result;

		if (replay->real_time) {
			fflush(stdout);
			wait_real_time(replay, time);
		}
		result = advance(replay, time);
		if (result != ESF_EXIT_OK)
			return result;
	}
	esf_shard_receive(replay->shard, &replay->ours, &packet, 1);
	return ESF_EXIT_OK;
}

static int replay_end(struct replay *replay)
{
	const struct esf_ledger *ledger = esf_shard_ledger(replay->shard);
	json_t *last;
	int result;

	publish(replay, replay->now);
	esf_shard_finish(replay->shard);
	result = print_closed(replay, INT64_MAX);
	if (result != ESF_EXIT_OK)
		return result;
	last = json_pack(
	    "{s:o, s:[]}", "ledger", esf_document_ledger(ledger, NULL), "incidents");
	result = print_document(last);
	if (result == ESF_EXIT_OK && !esf_ledger_balances(ledger))
		return fail("replay", "the ledger does not balance: a defect, please report it");
	return result;
}

static int replay_capture(struct replay *replay, pcap_t *pcap, const char *path)
{
	struct pcap_pkthdr *head;
	const u_char *data;
	uint64_t packets = 0;
	int result = ESF_EXIT_OK, next;

	while ((next = pcap_next_ex(pcap, &head, &data)) == 1 && result == ESF_EXIT_OK) {
		result = replay_packet(replay, head, data);
		packets++;
	}
	if (result != ESF_EXIT_OK)
		return result;
	result = replay_end(replay);
	if (next == PCAP_ERROR) {
		fprintf(stderr,
		    "estream-fleetd: %s: cut short or damaged behind packet %" PRIu64
		    " (%s); what came before is counted\n",
		    path, packets, pcap_geterr(pcap));
		return ESF_EXIT_FAILED;
	}
	return result;
}

static pcap_t *open_capture(const char *path)
{
	char error[PCAP_ERRBUF_SIZE];
	pcap_t *pcap =
	    pcap_open_offline_with_tstamp_precision(path, PCAP_TSTAMP_PRECISION_NANO, error);

	if (pcap == NULL) {
		/* libpcap's message names the file only where it could not be opened */
		fprintf(stderr, "estream-fleetd: capture %s%s%s\n",
		    strstr(error, path) == NULL ? path : "",
		    strstr(error, path) == NULL ? ": " : "", error);
		return NULL;
	}
	if (pcap_datalink(pcap) != DLT_EN10MB) {
		fprintf(stderr,
		    "estream-fleetd: capture %s: got link type %s, want EN10MB (Ethernet): capture "
		    "on "
		    "an Ethernet interface, not on \"any\"\n",
		    path, pcap_datalink_val_to_name(pcap_datalink(pcap)));
		pcap_close(pcap);
		return NULL;
	}
	return pcap;
}

int esf_command_replay(const char *config_path, const char *capture_path, bool real_time)
{
	struct replay replay = {
		.now = INT64_MIN,
		.real_time = real_time,
		.first_packet = INT64_MIN,
	};
	int result;
	struct esf_config *config = esf_command_load(config_path, &result);
	pcap_t *pcap;

	if (config == NULL)
		return result;
	replay.config = config;
	pcap = open_capture(capture_path);
	if (pcap == NULL) {
		esf_config_free(config);
		return ESF_EXIT_FAILED;
	}
	rcu_register_thread();
	result = replay_start(&replay);
	if (result == ESF_EXIT_OK)
		result = replay_capture(&replay, pcap, capture_path);
	replay_stop(&replay);
	rcu_unregister_thread();
	pcap_close(pcap);
	esf_config_free(config);
	return fflush(stdout) == 0 || result != ESF_EXIT_OK
	           ? result
	           : fail("replay", "the output could not be written");
}

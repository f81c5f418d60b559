/* SPDX-License-Identifier: Apache-2.0 */
#include <urcu-qsbr.h>

#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "control/config/load.h"
#include "control/policy.h"
#include "control/state/parts.h"
#include "dataplane/shard.h"

/*
 * Any bytes as a snapshot: of a first byte below 128 what follows is the file, else the sections
 * that a file with a right checksum would hold. They are refused, or taken up by a plane whose
 * ledger balances then, and which goes on to publish.
 */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char text[] = "domain: custom\n"
                           "rollup: {window: 10s, windows_open: 2, intervals: [30s, 1m]}\n"
                           "clock: {max_skew: 1m}\n"
                           "unknown_sites: learn\n"
                           "regions: [{name: north, match: \"n-*\"}]\n"
                           "sites: [{id: 1, name: n-1}, {id: 2, name: n-2}]\n"
                           "normalise:\n"
                           "  - {match: \"^t.gauge$\", kpi: a}\n"
                           "  - {match: \"^t.count$\", kpi: b, type: counter}\n"
                           "kpis:\n"
                           "  - {name: a, compare: true}\n"
                           "  - {name: b}\n"
                           "  - {name: c, expr: a / b}\n";

enum { NOW_WINDOW = 170000000 };

static struct esf_config *config;

static void load(void)
{
	struct esf_faults faults;

	if (config != NULL)
		return;
	rcu_register_thread();
	/* What it says of each input is of no interest. */
	if (freopen("/dev/null", "w", stdout) == NULL)
		abort();
	assert(esf_config_load_memory("t", text, strlen(text), &config, &faults) == 0);
	esf_faults_free(&faults);
	config->dedup.sequence_window = 64;
}

static void go_on(struct esf_plane *plane, struct esf_judge *judge)
{
	struct esf_shard *shard = esf_plane_shard(plane, 0);
	struct esf_ledger ledger;
	struct esf_view *view;

	esf_shard_begin(shard, (NOW_WINDOW + INT64_C(1)) * config->rollup.window_ns);
	esf_shard_end(shard);
	esf_shard_publish(shard);
	esf_plane_ledger(plane, &ledger);
	assert(esf_ledger_balances(&ledger) && ledger.datagrams_handed == ledger.datagrams_taken);
	for (int i = 0; i < 3; i++) {
		if (esf_judge_close(judge, esf_plane_settled(plane), &view) == 0 && view != NULL)
			esf_view_free(view);
	}
	rcu_quiescent_state();
}

static void take_up(const uint8_t *data, size_t size)
{
	static const uint8_t key[16] = { 1 };
	struct esf_plane_options options = esf_policy_plane_options(config, key);
	struct esf_state *state = esf_state_create(config);
	struct esf_state_subjects subjects = { .config = config };
	struct esf_policy *policy;

	options.sites_count = 16;
	options.listed_count = 2;
	options.lines_remembered = 64;
	options.shards_count = options.owners = 1;
	options.owner_is_receiver = true;
	assert(esf_policy_create(config, NULL, 1, key, &policy, stderr) == 0);
	assert(esf_plane_create(&options, &subjects.plane) == 0);
	esf_plane_set_policy(subjects.plane, policy);
	subjects.roster = esf_roster_create(config, options.sites_count);
	subjects.judge = esf_judge_create(config, 1, subjects.roster, subjects.plane, NOW_WINDOW);
	subjects.intervals = esf_intervals_create(config, options.sites_count);
	subjects.history = esf_history_start();
	esf_history_follow(subjects.history, config, subjects.roster);
	state->image.bytes = malloc(size + 1);
	memcpy(state->image.bytes, data, size);
	state->image.bytes_size = size;
	if (esf_state_recall(state, &subjects))
		go_on(subjects.plane, subjects.judge);
	rcu_barrier();
	esf_history_stop(subjects.history);
	esf_intervals_destroy(subjects.intervals);
	esf_judge_destroy(subjects.judge);
	esf_roster_destroy(subjects.roster);
	esf_plane_destroy(subjects.plane);
	esf_policy_destroy(policy, NULL);
	esf_state_destroy(state);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct esf_state_image image;
	char error[ESF_STATE_ERROR_SIZE] = "";

	load();
	if (size == 0)
		return 0;
	if (data[0] >= 128) {
		take_up(data + 1, size - 1);
		return 0;
	}
	if (esf_state_parse(data + 1, size - 1, &image, error) == ESF_STATE_READ) {
		take_up(image.bytes, image.bytes_size);
		esf_state_image_free(&image);
	} else {
		assert(error[0] != '\0' && strchr(error, '\n') == NULL);
	}
	return 0;
}

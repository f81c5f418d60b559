/* SPDX-License-Identifier: Apache-2.0 */
#include <urcu-qsbr.h>

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "control/config/load.h"
#include "control/policy.h"
#include "control/state/state.h"
#include "dataplane/etd_wire.h"
#include "dataplane/remember.h"
#include "dataplane/shard.h"

/*
 * snapshot-bench SITES FOLDER: what a snapshot of so many sites costs: each of a shard's passes
 * while it tells, the bytes told, written as they are and compressed, and the way back. On one
 * thread, so that no figure has another in it. Sites are learned, with one stream, 6 KPIs and 3
 * open windows each.
 */
enum { KPIS = 6, WINDOWS = 3, PASSES_MAX = 1 << 22, LINE = 1 << 12, SEQUENCE = 1000 };

#define NS_PER_S INT64_C(1000000000)
#define FIRST_WINDOW INT64_C(170000000)
#define WINDOW_NS (10 * NS_PER_S)

static const char format[] =
    "profile: xlarge\ndomain: custom\ningestion: full\nunknown_sites: learn\n"
    "listeners: [{udp: 47700, format: etd}]\n"
    "normalise: [{match: \"^a$\", kpi: a}, {match: \"^b$\", kpi: b}, {match: \"^c$\", kpi: c},"
    " {match: \"^d$\", kpi: d}, {match: \"^e$\", kpi: e}, {match: \"^f$\", kpi: f}]\n"
    "kpis: [{name: a}, {name: b}, {name: c}, {name: d}, {name: e}, {name: f}]\n"
    "sites: []\n"
    "state: {file: \"%s/state\"}\n";

struct appliance {
	struct esf_config *config;
	struct esf_policy *policy;
	struct esf_state_subjects of;
	struct esf_state *state;
};

static int64_t clock_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * NS_PER_S + now.tv_nsec;
}

/* Of this thread on its processor: what others did meanwhile is not a pass's. */
static int64_t cpu_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return now.tv_sec * NS_PER_S + now.tv_nsec;
}

static void must(bool well, const char *what)
{
	if (well)
		return;
	fprintf(stderr, "snapshot-bench: %s\n", what);
	exit(EXIT_FAILURE);
}

static void start(struct appliance *a, const char *folder, uint32_t sites)
{
	struct esf_plane_options options;
	struct esf_faults faults;
	char text[LINE];
	uint8_t key[16];

	snprintf(text, sizeof(text), format, folder);
	must(esf_config_load_memory("bench", text, strlen(text), &a->config, &faults) == 0,
	    faults.count > 0 ? faults.lines[0] : "out of memory");
	esf_faults_free(&faults);
	a->state = esf_state_create(a->config);
	esf_state_hash_key(a->state, key);
	options = esf_policy_plane_options(a->config, key);
	options.sites_count = sites;
	options.shards_count = options.owners = 1;
	options.owner_is_receiver = true;
	must(esf_policy_create(a->config, NULL, 1, key, &a->policy, stderr) == 0, "the policy");
	must(esf_plane_create(&options, &a->of.plane) == 0, "out of memory");
	esf_plane_set_policy(a->of.plane, a->policy);
	a->of.config = a->config;
	a->of.roster = esf_roster_create(a->config, sites);
	a->of.judge = esf_judge_create(a->config, 1, a->of.roster, a->of.plane, FIRST_WINDOW);
	a->of.intervals = esf_intervals_create(a->config, sites);
	a->of.history = esf_history_start();
	must(a->of.roster != NULL && a->of.judge != NULL && a->of.intervals != NULL &&
	         a->of.history != NULL,
	    "out of memory");
	esf_history_follow(a->of.history, a->config, a->of.roster);
}

static void stop(struct appliance *a)
{
	rcu_barrier();
	esf_history_stop(a->of.history);
	esf_intervals_destroy(a->of.intervals);
	esf_judge_destroy(a->of.judge);
	esf_roster_destroy(a->of.roster);
	esf_plane_destroy(a->of.plane);
	esf_policy_destroy(a->policy, NULL);
	esf_state_destroy(a->state);
	esf_config_free(a->config);
	*a = (struct appliance){ 0 };
}

static void put(uint8_t *at, uint64_t value, uint32_t size)
{
	memcpy(at, &value, size);
}

static uint32_t encode(uint8_t *out, uint32_t site, uint32_t seq, int64_t time)
{
	bool birth = seq == 1;
	uint32_t size = ESF_ETD_HEADER_SIZE;

	memset(out, 0, 256);
	put(out, ESF_ETD_MAGIC, 4);
	put(out + ESF_ETD_AT_KIND, birth ? ESF_ETD_BIRTH : ESF_ETD_DATA, 1);
	put(out + ESF_ETD_AT_COUNT, KPIS, 2);
	put(out + ESF_ETD_AT_SITE, site, 4);
	put(out + ESF_ETD_AT_BOOT, 1000000000, 4);
	put(out + ESF_ETD_AT_SEQ, seq, 4);
	put(out + ESF_ETD_AT_TIME, (uint64_t)time, 8);
	for (uint32_t k = 0; k < KPIS; k++) {
		double value = (site * 31 + seq * 7 + k) % 1000 / 8.0;
		uint64_t bits;

		memcpy(&bits, &value, sizeof(bits));
		put(out + size, k, 2);
		if (birth) {
			put(out + size + ESF_ETD_BIRTH_AT_NAME_LENGTH, 1, 1);
			put(out + size + ESF_ETD_BIRTH_SIZE, 'a' + k, 1);
			size += ESF_ETD_BIRTH_SIZE + 1;
		} else {
			put(out + size + ESF_ETD_DATA_AT_VALUE, bits, 8);
			size += ESF_ETD_DATA_SIZE;
		}
	}
	return size;
}

static void pass(struct esf_shard *shard, int64_t now)
{
	esf_shard_begin(shard, now);
	esf_shard_end(shard);
	rcu_quiescent_state();
}

/* Births, then a datagram in each window. */
static void fill(const struct appliance *a, uint32_t sites)
{
	struct esf_shard *shard = esf_plane_shard(a->of.plane, 0);
	uint8_t payload[256];

	for (uint32_t seq = 1; seq <= 1 + WINDOWS; seq++) {
		int64_t now = (FIRST_WINDOW + seq - (seq > 1)) * WINDOW_NS;

		for (uint32_t site = 1; site <= sites; site++) {
			const struct esf_parcel parcel = { .site = ESF_NO_SITE,
				.size = (uint16_t)encode(payload, site, seq, now),
				.arrival = now };

			if (site % 64 == 1)
				pass(shard, now);
			esf_shard_take(shard, &(const struct esf_parcel *){ &parcel },
			    &(const uint8_t *){ payload }, 1);
		}
	}
	for (uint32_t i = 0; i < sites / 16 + 1000; i++)
		pass(shard, (FIRST_WINDOW + WINDOWS) * WINDOW_NS + i);
}

struct telling {
	struct esf_state_writer *writer;
	int raw;
	int64_t passes_ns, longest_ns, packing_ns, raw_ns;
	uint64_t passes, bytes, busy;
};

static void keep(struct telling *t, const uint8_t *bytes, uint32_t size)
{
	int64_t began = clock_ns();

	esf_state_section(t->writer, ESF_STATE_SHARD, bytes, size);
	t->packing_ns += clock_ns() - began;
	began = clock_ns();
	must(write(t->raw, bytes, size) == (ssize_t)size, "the disk is full");
	t->raw_ns += clock_ns() - began;
	t->bytes += size;
}

static void tell(const struct appliance *a, struct telling *t)
{
	const struct esf_remember_wish wish = { SEQUENCE, FIRST_WINDOW, 0 };
	uint32_t ordinal = 0, size;
	bool last = false;

	must(esf_remember_enable(a->of.plane) == 0, "out of memory");
	esf_remember_ask(a->of.plane, &wish);
	for (; t->passes < PASSES_MAX && !last; t->passes++) {
		int64_t began = cpu_ns(), took;
		const uint8_t *bytes;

		pass(
		    esf_plane_shard(a->of.plane, 0), (FIRST_WINDOW + WINDOWS) * WINDOW_NS + 100000);
		took = cpu_ns() - began;
		t->passes_ns += took;
		t->longest_ns = took > t->longest_ns ? took : t->longest_ns;
		t->busy += took > 100000;
		bytes = esf_remember_take(a->of.plane, 0, SEQUENCE, ordinal, &size, &last);
		if (bytes == NULL) {
			last = false;
			continue;
		}
		keep(t, bytes, size);
		esf_remember_give(a->of.plane, 0, &ordinal);
	}
	must(last, "it was not told to the end");
}

static void measure_telling(const struct appliance *a, const char *folder, uint32_t sites)
{
	struct telling t = { 0 };
	char path[LINE];
	uint64_t packed;
	int64_t began;

	snprintf(path, sizeof(path), "%s/told", folder);
	must(esf_state_writer_open(path, &t.writer) == 0, "no file can be made there");
	snprintf(path, sizeof(path), "%s/raw", folder);
	t.raw = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	tell(a, &t);
	began = clock_ns();
	must(esf_state_commit(t.writer, 0, 0, &packed) == 0, "the disk is full");
	printf("passes       %" PRIu64 ", mean %.1f us, longest %.1f us, %" PRIu64
	       " above 100 us; %.2f s of the lcore in all\n",
	    t.passes, (double)t.passes_ns / 1e3 / (double)t.passes, (double)t.longest_ns / 1e3,
	    t.busy, (double)t.passes_ns / 1e9);
	printf("told         %.1f MB, %.0f bytes a site\n", (double)t.bytes / 1e6,
	    (double)t.bytes / sites);
	printf("compressed   %.1f MB in %.2f s, synced in %.2f s\n", (double)packed / 1e6,
	    (double)t.packing_ns / 1e9, (double)(clock_ns() - began) / 1e9);
	began = clock_ns();
	must(fsync(t.raw) == 0, "it can't be synced");
	printf("as it is     %.1f MB in %.2f s, synced in %.2f s\n", (double)t.bytes / 1e6,
	    (double)t.raw_ns / 1e9, (double)(clock_ns() - began) / 1e9);
	close(t.raw);
	unlink(path);
	snprintf(path, sizeof(path), "%s/told", folder);
	unlink(path);
}

int main(int argc, char **argv)
{
	struct appliance a = { 0 };
	struct esf_state_status status;
	uint32_t sites = argc == 3 ? (uint32_t)strtoul(argv[1], NULL, 10) : 0;
	int64_t began;

	if (sites < 1 || sites > ESF_SITES_MAX) {
		fprintf(stderr, "usage: snapshot-bench SITES FOLDER\n");
		return 2;
	}
	rcu_register_thread();
	start(&a, argv[2], sites);
	must(esf_state_recall(a.state, &a.of), "the folder has a snapshot that is refused");
	fill(&a, sites);
	measure_telling(&a, argv[2], sites);
	began = clock_ns();
	esf_state_finish(a.state, &a.of);
	esf_state_status(a.state, &status);
	printf("whole file   %.1f MB in %.2f s%s\n", (double)status.size / 1e6,
	    (double)(clock_ns() - began) / 1e9, status.exact ? "" : ", not exact");
	stop(&a);
	began = clock_ns();
	start(&a, argv[2], sites);
	printf("read         in %.2f s\n", (double)(clock_ns() - began) / 1e9);
	began = clock_ns();
	must(esf_state_recall(a.state, &a.of), "what was written is refused");
	esf_state_status(a.state, &status);
	printf("taken up     in %.2f s: %" PRIu64 " sites, %" PRIu64 " windows\n",
	    (double)(clock_ns() - began) / 1e9, status.sites, status.windows);
	must(status.sites == sites && status.windows == (uint64_t)WINDOWS * sites,
	    "not all came back");
	stop(&a);
	rcu_unregister_thread();
	return 0;
}

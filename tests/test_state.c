/* SPDX-License-Identifier: Apache-2.0 */
#include "control/state/state.h"

#include <errno.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <CUnit/CUnit.h>

#include "control/config/load.h"
#include "control/policy.h"
#include "dataplane/remember.h"
#include "plane_fixture.h"
#include "suites.h"

/*
 * Snapshots of all that an appliance knows: two of them, one after the other, without lcores, with
 * the file between them.
 */
#define FIRST (T0 / WINDOW)

static const char two_sites[] =
    "domain: custom\n"
    "rollup: {window: 10s, windows_open: 2, intervals: [30s, 1m]}\n"
    "clock: {max_skew: 1m}\n"
    "listeners: [{udp: 47700, format: etd}, {udp: 8089, format: influx}]\n"
    "unknown_sites: learn\n"
    "regions: [{name: north, match: \"n-*\"}]\n"
    "sites: [{id: 1, name: n-1}, {id: 2, name: n-2}]\n"
    "normalise:\n"
    "  - {match: \"^t.gauge$\", kpi: a}\n"
    "  - {match: \"^t.count$\", kpi: b, type: counter}\n"
    "kpis:\n"
    "  - {name: a, compare: true, weight: 1, good: [null, 10], warn: [null, 20], crit: [null, "
    "30]}\n"
    "  - {name: b}\n"
    "  - {name: c, expr: a / b}\n";

/* Without n-2, without b, windows as they were. */
static const char one_site[] =
    "domain: custom\n"
    "rollup: {window: 10s, windows_open: 2, intervals: [30s, 1m]}\n"
    "clock: {max_skew: 1m}\n"
    "listeners: [{udp: 47700, format: etd}, {udp: 8089, format: influx}]\n"
    "sites: [{id: 9, name: first}, {id: 1, name: renamed}]\n"
    "normalise: [{match: \"^t.gauge$\", kpi: a}]\n"
    "kpis: [{name: a}]\n";

struct appliance {
	struct fixture lcore; /* its plane, for what plane_fixture.h does */
	struct esf_config *config;
	struct esf_policy *policy;
	struct esf_roster *roster;
	struct esf_judge *judge;
	struct esf_intervals *intervals;
	struct esf_history *history;
	struct esf_state *state;
	struct esf_state_status status;
	double means[8]; /* of a at site 1, by closed window from FIRST on */
	uint64_t samples[8];
};

static char folder[64];

static void set_up(void)
{
	strcpy(folder, "/tmp/esf-state-XXXXXX");
	CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(folder));
}

static void tear_down(void)
{
	char command[128];

	snprintf(command, sizeof(command), "rm -r '%s'", folder);
	CU_ASSERT_EQUAL(system(command), 0);
}

static const char *path_of(const char *name)
{
	static char path[128];

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	return path;
}

static struct esf_state_subjects subjects_of(const struct appliance *a)
{
	return (struct esf_state_subjects){ a->lcore.plane, a->judge, a->intervals, a->history,
		a->roster, a->config };
}

static void load(struct appliance *a, const char *text, const char *file)
{
	struct esf_faults faults;
	char filled[2048];

	snprintf(filled, sizeof(filled), "%sstate: {file: \"%s\"}\n", text, path_of(file));
	CU_ASSERT_EQUAL(
	    esf_config_load_memory("t", filled, strlen(filled), &a->config, &faults), 0);
	for (uint32_t i = 0; i < faults.count; i++)
		fprintf(stderr, "\n%s\n", faults.lines[i]);
	esf_faults_free(&faults);
	CU_ASSERT_PTR_NOT_NULL_FATAL(a->config);
}

/* Whether what was remembered, if anything, was taken up. */
static bool start(struct appliance *a, const char *text, const char *file)
{
	struct esf_plane_options options;
	struct esf_state_subjects subjects;
	uint8_t key[16];
	bool taken;

	memset(a, 0, sizeof(*a));
	rcu_register_thread();
	load(a, text, file);
	a->state = esf_state_create(a->config);
	esf_state_hash_key(a->state, key);
	options = esf_policy_plane_options(a->config, key);
	options.shards_count = 1;
	options.owners = 1;
	options.owner_is_receiver = true;
	CU_ASSERT_EQUAL_FATAL(esf_policy_create(a->config, NULL, 1, key, &a->policy, stderr), 0);
	CU_ASSERT_EQUAL_FATAL(esf_plane_create(&options, &a->lcore.plane), 0);
	esf_plane_set_policy(a->lcore.plane, a->policy);
	a->lcore.shards_count = 1;
	a->roster = esf_roster_create(a->config, options.sites_count);
	a->judge = esf_judge_create(a->config, 1, a->roster, a->lcore.plane, FIRST);
	a->intervals = esf_intervals_create(a->config, options.sites_count);
	a->history = esf_history_start();
	esf_history_follow(a->history, a->config, a->roster);
	subjects = subjects_of(a);
	taken = esf_state_recall(a->state, &subjects);
	esf_state_status(a->state, &a->status);
	return taken;
}

static void close_windows(struct appliance *a, int64_t settled)
{
	struct esf_view *view;

	while (esf_judge_close(a->judge, settled, &view) == 0 && view != NULL) {
		int64_t window = view->start / WINDOW - FIRST;

		if (window >= 0 && window < 8) {
			a->means[window] = view->sites[0].kpis[0].mean;
			a->samples[window] = view->sites[0].kpis[0].samples;
		}
		CU_ASSERT_EQUAL(esf_intervals_take(a->intervals, view), 0);
		esf_view_free(view);
	}
}

/* The last snapshot, as at a clean stop. */
static void stop(struct appliance *a)
{
	struct esf_state_subjects subjects = subjects_of(a);

	esf_state_finish(a->state, &subjects);
	esf_state_status(a->state, &a->status);
	rcu_barrier();
	esf_history_stop(a->history);
	esf_intervals_destroy(a->intervals);
	esf_judge_destroy(a->judge);
	esf_roster_destroy(a->roster);
	esf_plane_destroy(a->lcore.plane);
	esf_policy_destroy(a->policy, NULL);
	esf_state_destroy(a->state);
	esf_config_free(a->config);
	rcu_unregister_thread();
}

/* One gauge and one counter of a site. */
static void send(struct appliance *a, uint32_t site, uint32_t seq, int64_t now, double value)
{
	struct bytes b = etd(2, site, seq, now);

	etd_data(&b, 0, 0, 0, value);
	etd_data(&b, 2, 0, 0, 10 * seq);
	fixture_etd(&a->lcore, 0, now, &b);
}

static void begin_sending(struct appliance *a)
{
	for (uint32_t site = 1; site <= 3; site++) {
		struct bytes b = etd_births(site, 1);

		fixture_etd(&a->lcore, 0, T0, &b);
	}
}

/* Every three seconds from step `from` on, up to step `to`; the third site is learned. */
static void send_steps(struct appliance *a, uint32_t from, uint32_t to)
{
	for (uint32_t step = from; step < to; step++) {
		int64_t now = T0 + step * 3 * SECOND;

		for (uint32_t site = 1; site <= 3; site++)
			send(a, site, step + 2, now, (step * 7 + site) % 11);
		fixture_publish(&a->lcore);
		close_windows(a, now);
	}
}

static char *said(
    const struct appliance *a, size_t *size, void (*write)(const struct appliance *a, FILE *out))
{
	char *text = NULL;
	FILE *out = open_memstream(&text, size);

	CU_ASSERT_PTR_NOT_NULL_FATAL(out);
	write(a, out);
	fclose(out);
	return text;
}

static void say_judge(const struct appliance *a, FILE *out)
{
	esf_judge_write(a->judge, out);
	esf_stream_i64(out, esf_judge_next(a->judge));
	esf_compare_write(esf_judge_compare(a->judge), esf_roster_count(a->roster), out);
	esf_intervals_write(a->intervals, out);
}

static void restored_control_says_the_same(void)
{
	struct appliance a, b;
	size_t size_a, size_b;
	char *text_a, *text_b;

	set_up();
	CU_ASSERT_TRUE(start(&a, two_sites, "s"));
	begin_sending(&a);
	send_steps(&a, 0, 16);
	text_a = said(&a, &size_a, say_judge);
	stop(&a);
	CU_ASSERT_EQUAL(a.status.written, 1);
	CU_ASSERT_TRUE(a.status.exact);
	CU_ASSERT_TRUE(start(&b, two_sites, "s"));
	CU_ASSERT_TRUE(b.status.warm);
	CU_ASSERT_EQUAL(b.status.sites, 3);
	CU_ASSERT_EQUAL(b.status.streams, 3);
	CU_ASSERT_EQUAL(b.status.dropped_sites + b.status.dropped_parts, 0);
	esf_roster_learn(b.roster, esf_plane_learned(b.lcore.plane));
	text_b = said(&b, &size_b, say_judge);
	CU_ASSERT_EQUAL(size_a, size_b);
	CU_ASSERT_EQUAL(memcmp(text_a, text_b, size_a < size_b ? size_a : size_b), 0);
	stop(&b);
	free(text_a);
	free(text_b);
	tear_down();
}

static void restart_amid_windows_changes_no_value(void)
{
	struct appliance whole, a, b;

	set_up();
	CU_ASSERT_TRUE(start(&whole, two_sites, "other"));
	begin_sending(&whole);
	send_steps(&whole, 0, 26);
	stop(&whole);
	CU_ASSERT_TRUE(start(&a, two_sites, "s"));
	begin_sending(&a);
	send_steps(&a, 0, 11); /* amid the fourth window */
	stop(&a);
	CU_ASSERT_TRUE(start(&b, two_sites, "s"));
	send_steps(&b, 11, 26);
	for (int w = 0; w < 6; w++) {
		const struct appliance *closer = w < 2 ? &a : &b; /* 30 s: two have closed */

		CU_ASSERT_TRUE(whole.samples[w] >= 3);
		CU_ASSERT_EQUAL(closer->samples[w], whole.samples[w]);
		CU_ASSERT_EQUAL(closer->means[w], whole.means[w]);
	}
	CU_ASSERT_EQUAL(esf_shard_ledger(esf_plane_shard(b.lcore.plane, 0))->forgotten, 0);
	CU_ASSERT_EQUAL(datagrams(&b.lcore, 0, ESF_DATAGRAM_ACCEPTED), 3 + 3 * 26);
	CU_ASSERT_EQUAL(records(&b.lcore, 0, ESF_RECORD_UNBORN), 0);
	CU_ASSERT_TRUE(esf_ledger_balances(esf_shard_ledger(esf_plane_shard(b.lcore.plane, 0))));
	stop(&b);
	tear_down();
}

static void windows_that_passed_meanwhile_close_with_what_they_have(void)
{
	const int64_t later = T0 + 100 * WINDOW;
	struct appliance a, b;

	set_up();
	CU_ASSERT_TRUE(start(&a, two_sites, "s"));
	begin_sending(&a);
	send_steps(&a, 0, 11);
	stop(&a);
	CU_ASSERT_TRUE(start(&b, two_sites, "s"));
	esf_judge_destroy(b.judge); /* made as if it were later */
	b.judge = esf_judge_create(b.config, 1, b.roster, b.lcore.plane, FIRST + 99);
	esf_judge_recall(b.judge, FIRST + 2, esf_plane_latest_window(b.lcore.plane));
	fixture_begin(&b.lcore, 0, later);
	fixture_end(&b.lcore, 0);
	fixture_publish(&b.lcore);
	close_windows(&b, later);
	CU_ASSERT_EQUAL(b.samples[2], 3);
	CU_ASSERT_EQUAL(b.samples[3], 1);
	CU_ASSERT_EQUAL(b.samples[4], 0);
	CU_ASSERT_EQUAL(esf_judge_next(b.judge), FIRST + 99); /* none of those between */
	stop(&b);
	tear_down();
}

static void what_no_longer_fits_is_dropped_and_counted(void)
{
	const struct esf_card *card;
	struct appliance a, b;

	set_up();
	CU_ASSERT_TRUE(start(&a, two_sites, "s"));
	begin_sending(&a);
	send_steps(&a, 0, 11);
	stop(&a);
	CU_ASSERT_TRUE(start(&b, one_site, "s"));
	CU_ASSERT_TRUE(b.status.warm);
	CU_ASSERT_EQUAL(b.status.sites, 1);
	CU_ASSERT_EQUAL(b.status.dropped_sites, 2); /* n-2, and the one that was learned */
	CU_ASSERT_EQUAL(b.status.dropped_parts, 1); /* b's counter */
	send(&b, 1, 13, T0 + 33 * SECOND, 5);
	fixture_publish(&b.lcore);
	card = esf_plane_card(b.lcore.plane, 1); /* by its id, at another index */
	CU_ASSERT_PTR_NOT_NULL_FATAL(card);
	CU_ASSERT_EQUAL(card->ledger.datagrams_received, 13);
	CU_ASSERT_PTR_NULL(esf_plane_card(b.lcore.plane, 0));
	CU_ASSERT_TRUE(esf_ledger_balances(esf_shard_ledger(esf_plane_shard(b.lcore.plane, 0))));
	stop(&b);
	tear_down();
}

static uint8_t *read_whole(const char *path, size_t *size)
{
	FILE *file = fopen(path, "rb");
	uint8_t *bytes = malloc(1 << 20);

	CU_ASSERT_PTR_NOT_NULL_FATAL(file);
	*size = fread(bytes, 1, 1 << 20, file);
	fclose(file);
	return bytes;
}

static void write_whole(const char *path, const uint8_t *bytes, size_t size)
{
	FILE *file = fopen(path, "wb");

	CU_ASSERT_PTR_NOT_NULL_FATAL(file);
	CU_ASSERT_EQUAL(fwrite(bytes, 1, size, file), size);
	fclose(file);
}

static bool parses(const uint8_t *bytes, size_t size, char error[ESF_STATE_ERROR_SIZE])
{
	uint8_t *copy = malloc(size + (size == 0)); /* exactly so large, for the sanitizer */
	struct esf_state_image image;
	enum esf_state_result result;

	memcpy(copy, bytes, size);
	error[0] = '\0';
	result = esf_state_parse(copy, size, &image, error);
	if (result == ESF_STATE_READ)
		esf_state_image_free(&image);
	free(copy);
	return result == ESF_STATE_READ;
}

static void damaged_file_is_refused(void)
{
	char error[ESF_STATE_ERROR_SIZE];
	struct appliance a;
	uint8_t *bytes;
	struct stat status;
	size_t size;

	set_up();
	CU_ASSERT_TRUE(start(&a, two_sites, "s"));
	begin_sending(&a);
	send_steps(&a, 0, 5);
	stop(&a);
	bytes = read_whole(path_of("s"), &size);
	CU_ASSERT_EQUAL(size, a.status.size);
	CU_ASSERT_EQUAL_FATAL(stat(path_of("s"), &status), 0);
	CU_ASSERT_EQUAL(status.st_mode & 0777, 0600); /* it has a key */
	CU_ASSERT_TRUE(parses(bytes, size, error));
	for (size_t cut = 0; cut < size; cut++)
		CU_ASSERT_TRUE(!parses(bytes, cut, error) && error[0] != '\0');
	for (size_t at = 0; at < size; at++) {
		bytes[at] ^= 0x10;
		CU_ASSERT_TRUE(!parses(bytes, size, error) && error[0] != '\0');
		bytes[at] ^= 0x10;
	}
	free(bytes);
	tear_down();
}

static void foreign_file_is_refused_with_the_reason(void)
{
	static const struct {
		uint32_t at;
		uint8_t bytes[4];
		const char *why;
	} cases[] = {
		{ 0, { 'x', 'S', 'F', 'S' }, "not a snapshot of estream-fleetd" },
		{ 8, { 1, 2, 3, 4 }, "other byte order" },
		{ 8, { 9, 9, 9, 9 }, "mark is damaged" },
		{ 12, { 7, 0, 0, 0 }, "version: got 7, want 1" },
		{ 16, { 1, 1, 1, 1 }, "checksum of the head" },
		{ 100, { 1, 1, 1, 1 }, "checksum: it is damaged" },
	};
	char error[ESF_STATE_ERROR_SIZE];
	struct appliance a;
	uint8_t *bytes;
	size_t size;

	set_up();
	CU_ASSERT_TRUE(start(&a, two_sites, "s"));
	stop(&a);
	bytes = read_whole(path_of("s"), &size);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint8_t former[4];

		memcpy(former, bytes + cases[i].at, 4);
		memcpy(bytes + cases[i].at, cases[i].bytes, 4);
		CU_ASSERT_FALSE(parses(bytes, size, error));
		CU_ASSERT_PTR_NOT_NULL(strstr(error, cases[i].why));
		memcpy(bytes + cases[i].at, former, 4);
	}
	free(bytes);
	tear_down();
}

/* With a checksum that is right. */
static void sound_file_with_wrong_contents_is_set_aside(void)
{
	static const uint8_t nonsense[64] = { 1, 2, 3 };
	struct esf_state_writer *writer;
	struct appliance a;
	uint64_t size;
	char command[200];

	set_up();
	CU_ASSERT_EQUAL_FATAL(esf_state_writer_open(path_of("s"), &writer), 0);
	esf_state_section(writer, ESF_STATE_META, nonsense, sizeof(nonsense));
	CU_ASSERT_EQUAL(esf_state_commit(writer, 1, T0, &size), 0);
	CU_ASSERT_FALSE(start(&a, two_sites, "s"));
	CU_ASSERT_EQUAL(a.status.refused, 1);
	CU_ASSERT_FALSE(a.status.warm);
	CU_ASSERT_NOT_EQUAL(access(path_of("s"), F_OK), 0);
	snprintf(command, sizeof(command), "ls '%s'/s.refused-* >/dev/null", folder);
	CU_ASSERT_EQUAL(system(command), 0);
	stop(&a);
	write_whole(path_of("t"), nonsense, sizeof(nonsense));
	CU_ASSERT_TRUE(start(&a, two_sites, "t")); /* found out before: nothing to take up */
	CU_ASSERT_EQUAL(a.status.refused, 1);
	stop(&a);
	tear_down();
}

static void failed_write_leaves_the_former_file(void)
{
	struct esf_state_writer *writer;
	struct appliance a;
	uint64_t size;

	set_up();
	CU_ASSERT_EQUAL(esf_state_writer_open(path_of("none/s"), &writer), -ENOENT);
	CU_ASSERT_EQUAL_FATAL(esf_state_writer_open(path_of("s"), &writer), 0);
	CU_ASSERT_EQUAL(esf_state_commit(writer, 1, T0, &size), 0);
	CU_ASSERT_EQUAL_FATAL(esf_state_writer_open(path_of("s"), &writer), 0);
	esf_state_abandon(writer);
	CU_ASSERT_EQUAL(access(path_of("s"), F_OK), 0);
	CU_ASSERT_NOT_EQUAL(access(path_of("s.new"), F_OK), 0);
	CU_ASSERT_TRUE(start(&a, two_sites, "none/s"));
	stop(&a);
	CU_ASSERT_EQUAL(a.status.failures, 1);
	CU_ASSERT_FALSE(a.status.well);
	CU_ASSERT_PTR_NOT_NULL(strstr(a.status.error, "No such file"));
	tear_down();
}

void esf_suite_state(void)
{
	CU_pSuite suite = CU_add_suite("state", NULL, NULL);

	CU_ADD_TEST(suite, restored_control_says_the_same);
	CU_ADD_TEST(suite, restart_amid_windows_changes_no_value);
	CU_ADD_TEST(suite, windows_that_passed_meanwhile_close_with_what_they_have);
	CU_ADD_TEST(suite, what_no_longer_fits_is_dropped_and_counted);
	CU_ADD_TEST(suite, damaged_file_is_refused);
	CU_ADD_TEST(suite, foreign_file_is_refused_with_the_reason);
	CU_ADD_TEST(suite, sound_file_with_wrong_contents_is_set_aside);
	CU_ADD_TEST(suite, failed_write_leaves_the_former_file);
}

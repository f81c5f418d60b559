/* SPDX-License-Identifier: Apache-2.0 */
#include "control/history/history.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <CUnit/CUnit.h>

#include "control/config/load.h"
#include "suites.h"

/* From control to the file by the thread between them; what is counted adds up. */
enum { EVENTS = 1024 };

static struct esf_event events[EVENTS];

struct made {
	char folder[64];
	struct esf_config *config;
	struct esf_roster *roster;
	struct esf_history *history;
	struct esf_event_snapshot snapshot;
};

/* file: in the folder made. */
static void set_up(struct made *made, const char *file)
{
	struct esf_faults faults;
	char text[256];

	memset(made, 0, sizeof(*made));
	strcpy(made->folder, "/tmp/esf-history-XXXXXX");
	CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(made->folder));
	snprintf(text, sizeof(text),
	    "domain: custom\nsites: [{id: 7, name: a}, {id: 9, name: b}]\n"
	    "history: {file: \"%s/%s\"}\n",
	    made->folder, file);
	CU_ASSERT_EQUAL_FATAL(
	    esf_config_load_memory("t", text, strlen(text), &made->config, &faults), 0);
	esf_faults_free(&faults);
	made->roster = esf_roster_create(made->config, 2);
	made->history = esf_history_start();
	CU_ASSERT_PTR_NOT_NULL_FATAL(made->history);
	for (uint32_t i = 0; i < EVENTS; i++)
		events[i] = (struct esf_event){ .time = EVENTS - i,
			.site = i % 2,
			.signature = ESF_NO_SIGNATURE,
			.severity = 3,
			.state = ESF_ETD_RAISE,
			.text_length = 3,
			.text = "hot" };
	made->snapshot.events = events;
	made->snapshot.events_count = EVENTS;
}

static void tear_down(struct made *made)
{
	char command[128];

	esf_roster_destroy(made->roster);
	esf_config_free(made->config);
	snprintf(command, sizeof(command), "rm -r '%s'", made->folder);
	CU_ASSERT_EQUAL(system(command), 0);
}

static void hear(struct made *made, uint64_t more)
{
	made->snapshot.taken += more;
	esf_history_hear(made->history, &made->snapshot);
}

static void count(void *context, const struct esf_history_heard *event)
{
	uint32_t *counts = context;

	counts[strcmp(event->scope, "site:7") == 0 ? 0 : 1]++;
}

static void events_go_to_the_file_once(void)
{
	const struct esf_history_query query = { .from = 0, .to = EVENTS + 1 };
	struct esf_history_status status;
	uint32_t counts[2] = { 0 };
	char error[ESF_STORE_ERROR_SIZE], path[128];
	struct made made;

	set_up(&made, "h.db");
	hear(&made, 5); /* no file yet: nobody's */
	esf_history_status(made.history, &status);
	CU_ASSERT_FALSE(status.on);
	CU_ASSERT_EQUAL(status.queued + status.written + status.dropped, 0);
	esf_history_follow(made.history, made.config, made.roster);
	hear(&made, 0);
	hear(&made, 4);
	hear(&made, EVENTS + 6); /* 6 are not remembered */
	esf_history_status(made.history, &status);
	CU_ASSERT(status.on);
	CU_ASSERT_EQUAL(status.queued + status.written, EVENTS + 4);
	CU_ASSERT_EQUAL(status.dropped, 6);
	snprintf(path, sizeof(path), "%s/h.db", made.folder);
	for (int i = 0; i < 1000 && status.queued > 0; i++) {
		usleep(10000);
		esf_history_status(made.history, &status);
	}
	CU_ASSERT_EQUAL(status.written, EVENTS + 4);
	CU_ASSERT(status.well);
	esf_history_stop(made.history);
	CU_ASSERT_EQUAL(
	    esf_store_read_events(path, &query, 9999, count, counts, error), ESF_STORE_OK);
	CU_ASSERT_EQUAL(counts[0], EVENTS / 2 + 2);
	CU_ASSERT_EQUAL(counts[1], EVENTS / 2 + 2);
	tear_down(&made);
}

static void a_full_queue_drops_and_counts(void)
{
	struct esf_history_status status;
	uint64_t told = 0;
	struct made made;

	set_up(&made, "nowhere/h.db");
	esf_history_follow(made.history, made.config, made.roster);
	for (; told < ESF_HISTORY_QUEUE_MAX + 10 * EVENTS; told += EVENTS)
		hear(&made, EVENTS);
	esf_history_status(made.history, &status);
	CU_ASSERT_EQUAL(status.written, 0);
	CU_ASSERT_EQUAL(status.queued, ESF_HISTORY_QUEUE_MAX);
	CU_ASSERT_EQUAL(status.queued + status.dropped, told);
	esf_history_stop(made.history);
	tear_down(&made);
}

void esf_suite_history_queue(void)
{
	CU_pSuite suite = CU_add_suite("history_queue", NULL, NULL);

	CU_ADD_TEST(suite, events_go_to_the_file_once);
	CU_ADD_TEST(suite, a_full_queue_drops_and_counts);
}

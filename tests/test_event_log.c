/* SPDX-License-Identifier: Apache-2.0 */
#include "control/incident/event_log.h"

#include <string.h>

#include <CUnit/CUnit.h>

#include "plane_fixture.h"
#include "suites.h"

static char fault_code[] = "fault", other_code[] = "other";
static struct esf_signature_config meanings[] = { { .code = fault_code }, { .code = other_code },
	{ .code = fault_code } };
static const char *const patterns[] = { "^a", "^b", "^c" };

struct bench {
	struct fixture fixture;
	struct esf_config config;
	struct esf_signatures *set;
	struct esf_event_log *log;
	struct esf_roster *roster; /* NULL: none */
};

static void start(struct bench *b)
{
	struct esf_signature signatures[3] = { 0 };
	char message[128];
	uint32_t bad;

	fixture_start(&b->fixture, 1);
	CU_ASSERT_EQUAL_FATAL(
	    signatures_create(patterns, signatures, 3, 1, &b->set, &bad, message, sizeof(message)),
	    0);
	b->fixture.policy->signatures = b->set;
	b->config = (struct esf_config){ .signatures_count = 3, .signatures = meanings };
	b->log = esf_event_log_create(&b->config, b->fixture.policy->revision);
	b->roster = NULL;
	CU_ASSERT_PTR_NOT_NULL_FATAL(b->log);
}

static void stop(struct bench *b)
{
	esf_event_log_destroy(b->log);
	CU_ASSERT_TRUE(fixture_stop(&b->fixture));
	esf_signatures_destroy(b->set);
}

static void send(struct bench *b, const char *text)
{
	char datagram[64];
	int size = snprintf(datagram, sizeof(datagram), "<9>%s", text);

	fixture_pass(&b->fixture, 0, T0 + SECOND, SYSLOG_PORT, datagram, (uint32_t)size);
}

static const struct esf_event_snapshot *drain(struct bench *b)
{
	esf_event_log_drain(b->log, b->fixture.plane, b->roster);
	return esf_event_log_latest(b->log);
}

static void an_empty_log_has_its_codes(void)
{
	struct bench b;
	const struct esf_event_snapshot *snapshot;

	start(&b);
	snapshot = esf_event_log_latest(b.log);
	CU_ASSERT_EQUAL(snapshot->events_count, 0);
	CU_ASSERT_EQUAL_FATAL(snapshot->codes_count, 2);
	CU_ASSERT_STRING_EQUAL(snapshot->codes[0], "fault");
	CU_ASSERT_STRING_EQUAL(snapshot->codes[1], "other");
	CU_ASSERT_EQUAL(snapshot->matched[0] + snapshot->matched[1], 0);
	CU_ASSERT_PTR_EQUAL(drain(&b), snapshot); /* nothing changed */
	stop(&b);
}

static void events_are_counted_by_code_and_kept_newest_first(void)
{
	struct bench b;
	const struct esf_event_snapshot *snapshot;

	start(&b);
	send(&b, "a1");
	send(&b, "b1");
	send(&b, "x1");
	drain(&b);
	send(&b, "c1");
	snapshot = drain(&b);
	CU_ASSERT_EQUAL(snapshot->matched[0], 2);
	CU_ASSERT_EQUAL(snapshot->matched[1], 1);
	CU_ASSERT_EQUAL(snapshot->unmatched[1], 1);
	CU_ASSERT_EQUAL(snapshot->dropped, 0);
	CU_ASSERT_EQUAL_FATAL(snapshot->events_count, 4);
	for (int i = 0; i < 4; i++)
		CU_ASSERT_EQUAL(snapshot->events[i].text[0], "cxba"[i]);
	CU_ASSERT_STRING_EQUAL(esf_event_code(snapshot, &snapshot->events[0]), "fault");
	CU_ASSERT_PTR_NULL(esf_event_code(snapshot, &snapshot->events[1]));
	CU_ASSERT_STRING_EQUAL(esf_event_code(snapshot, &snapshot->events[2]), "other");
	stop(&b);
}

static void only_the_most_recent_are_kept_and_all_are_counted(void)
{
	enum { SENT = ESF_EVENTS_HELD + 5 };
	struct bench b;
	const struct esf_event_snapshot *snapshot;
	char text[16];

	start(&b);
	for (int i = 0; i < SENT; i++) {
		snprintf(text, sizeof(text), "a%d", i);
		if (i % ESF_SITE_EVENTS_HELD == 0)
			fixture_publish(&b.fixture); /* a site has its share again */
		send(&b, text);
	}
	snapshot = drain(&b);
	CU_ASSERT_EQUAL(snapshot->matched[0], ESF_EVENTS_HELD);
	CU_ASSERT_EQUAL(snapshot->dropped, 5);
	CU_ASSERT_EQUAL_FATAL(snapshot->events_count, ESF_EVENT_LOG_SIZE);
	for (int i = 0; i < ESF_EVENT_LOG_SIZE; i += ESF_EVENT_LOG_SIZE - 1) {
		int length = snprintf(text, sizeof(text), "a%d", ESF_EVENTS_HELD - 1 - i);

		CU_ASSERT_EQUAL(snapshot->events[i].text_length, length);
		CU_ASSERT_EQUAL(memcmp(snapshot->events[i].text, text, (size_t)length), 0);
	}
	stop(&b);
}

/* b becomes the first signature, of a code of its own; the others are gone. */
static void events_mean_what_their_policy_says(void)
{
	static char late_code[] = "late";
	static const char *const after[] = { "^b" };
	static const struct esf_signature signature[1];
	struct esf_signature_config meaning = { .code = late_code };
	const struct esf_config config = { .signatures_count = 1, .signatures = &meaning };
	struct esf_policy *policy = fixture_policy(0, MEASURES_COUNT), *former;
	const struct esf_event_snapshot *snapshot;
	struct esf_signatures *set;
	char message[128];
	uint32_t bad;
	struct bench b;

	CU_ASSERT_EQUAL_FATAL(
	    signatures_create(after, signature, 1, 1, &set, &bad, message, sizeof(message)), 0);
	policy->signatures = set;
	start(&b);
	policy->revision = b.fixture.policy->revision + 1;
	send(&b, "a1");
	send(&b, "b1");
	CU_ASSERT_EQUAL(esf_event_log_prepare(b.log, &config, policy->revision), 0);
	former = esf_plane_set_policy(b.fixture.plane, policy);
	send(&b, "b2");
	send(&b, "a2");
	snapshot = drain(&b);
	esf_event_log_commit(b.log);
	CU_ASSERT_EQUAL_FATAL(snapshot->codes_count, 3);
	CU_ASSERT_STRING_EQUAL(snapshot->codes[2], "late");
	for (int i = 0; i < 3; i++)
		CU_ASSERT_EQUAL(snapshot->matched[i], 1);
	CU_ASSERT_EQUAL_FATAL(snapshot->events_count, 4);
	CU_ASSERT_PTR_NULL(esf_event_code(snapshot, &snapshot->events[0]));
	CU_ASSERT_STRING_EQUAL(esf_event_code(snapshot, &snapshot->events[1]), "late");
	CU_ASSERT_STRING_EQUAL(esf_event_code(snapshot, &snapshot->events[2]), "other");
	CU_ASSERT_STRING_EQUAL(esf_event_code(snapshot, &snapshot->events[3]), "fault");
	send(&b, "b3");
	snapshot = drain(&b);
	CU_ASSERT_EQUAL(snapshot->matched[0], 1);
	CU_ASSERT_EQUAL(snapshot->matched[2], 2);
	b.fixture.policy = policy;
	fixture_policy_free(former);
	stop(&b);
	esf_signatures_destroy(set);
}

/* The revision's bits that an event carries come around. */
static void a_preparation_that_is_not_committed_changes_nothing(void)
{
	static char late_code[] = "late";
	struct esf_signature_config meaning = { .code = late_code };
	const struct esf_config config = { .signatures_count = 1, .signatures = &meaning };
	const struct esf_event_snapshot *snapshot;
	struct bench b;

	start(&b);
	CU_ASSERT_EQUAL(esf_event_log_prepare(b.log, &config, b.fixture.policy->revision + 1), 0);
	send(&b, "a1");
	snapshot = drain(&b);
	CU_ASSERT_EQUAL(snapshot->matched[0], 1);
	CU_ASSERT_STRING_EQUAL(esf_event_code(snapshot, &snapshot->events[0]), "fault");
	CU_ASSERT_EQUAL(
	    esf_event_log_prepare(b.log, &b.config, b.fixture.policy->revision + 256), 0);
	esf_event_log_commit(b.log);
	send(&b, "a2");
	CU_ASSERT_EQUAL(drain(&b)->matched[0], 2);
	stop(&b);
}

/* Each arrives at T0 + 1 s, which is its time; the window ends behind it, then with it. */
static void events_of_a_site_in_maintenance_are_marked_and_counted(void)
{
	static struct esf_maintenance_config window = { .from_ns = T0, .to_ns = T0 + SECOND + 1 };
	static struct esf_maintenance_scope scope = { .kind = ESF_MAINTENANCE_FLEET };
	const struct esf_config config = { .maintenance_count = 1,
		.maintenance = &window,
		.maintenance_scopes_count = 1,
		.maintenance_scopes = &scope };
	const struct esf_event_snapshot *snapshot;
	struct bench b;

	start(&b);
	b.roster = esf_roster_create(&config, SITES_COUNT);
	CU_ASSERT_PTR_NOT_NULL_FATAL(b.roster);
	send(&b, "a1");
	send(&b, "x1");
	drain(&b);
	window.to_ns = T0 + SECOND;
	send(&b, "a2");
	snapshot = drain(&b);
	CU_ASSERT_EQUAL(snapshot->matched[0], 2);
	CU_ASSERT_EQUAL(snapshot->matched_suppressed[0], 1);
	CU_ASSERT_EQUAL_FATAL(snapshot->events_count, 3);
	CU_ASSERT_FALSE(snapshot->suppressed[0]);
	CU_ASSERT_TRUE(snapshot->suppressed[1]);
	CU_ASSERT_TRUE(snapshot->suppressed[2]);
	esf_roster_destroy(b.roster);
	stop(&b);
}

void esf_suite_event_log(void)
{
	CU_pSuite suite = CU_add_suite("event_log", NULL, NULL);

	CU_ADD_TEST(suite, an_empty_log_has_its_codes);
	CU_ADD_TEST(suite, events_are_counted_by_code_and_kept_newest_first);
	CU_ADD_TEST(suite, events_mean_what_their_policy_says);
	CU_ADD_TEST(suite, a_preparation_that_is_not_committed_changes_nothing);
	CU_ADD_TEST(suite, events_of_a_site_in_maintenance_are_marked_and_counted);
	CU_ADD_TEST(suite, only_the_most_recent_are_kept_and_all_are_counted);
}

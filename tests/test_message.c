/* SPDX-License-Identifier: Apache-2.0 */
#include "suites.h"

#include <string.h>

#include <CUnit/CUnit.h>

#include "plane_fixture.h"

/* Syslog datagrams and ETD events through a whole shard: whose they are, what they count as, and
 * what control is told. */

enum { GROUND_FAULT, ANY_FAULT, CLEARED };

static const char *const patterns[] = { "ground fault", "fault", "^cleared" };
static const struct esf_signature meanings[] = {
	[GROUND_FAULT] = { .code = "ground_fault", .severity = 1, .state = ESF_ETD_RAISE },
	[ANY_FAULT] = { .code = "fault",
	    .severity = ESF_SIGNATURE_AS_SENT,
	    .state = ESF_SIGNATURE_AS_SENT },
	[CLEARED] = { .code = "fault", .severity = ESF_SIGNATURE_AS_SENT, .state = ESF_ETD_CLEAR },
};

static void start(struct fixture *f, uint32_t shards_count)
{
	struct esf_signatures *set = NULL;
	char message[128];
	uint32_t bad;

	fixture_start(f, shards_count);
	CU_ASSERT_EQUAL_FATAL(
	    signatures_create(patterns, meanings, 3, 3, &set, &bad, message, sizeof(message)), 0);
	f->policy->signatures = set;
}

static void stop(struct fixture *f)
{
	struct esf_signatures *set = (struct esf_signatures *)f->policy->signatures;

	CU_ASSERT_TRUE(fixture_stop(f));
	esf_signatures_destroy(set);
}

/* Now is T0 + 1 s, 2023-11-14T22:13:21Z. */
static void send_to(struct fixture *f, uint32_t shard, const char *datagram)
{
	fixture_pass(f, shard, T0 + SECOND, SYSLOG_PORT, datagram, (uint32_t)strlen(datagram));
}

static void send(struct fixture *f, const char *datagram)
{
	send_to(f, 0, datagram);
}

static bool take(struct fixture *f, struct esf_event *event)
{
	return esf_plane_take_events(f->plane, 0, event, 1) == 1;
}

static bool says(const struct esf_event *event, const char *text)
{
	return event->text_length == strlen(text) &&
	       memcmp(event->text, text, event->text_length) == 0;
}

static uint64_t site_records(struct fixture *f, uint32_t site)
{
	const struct esf_card *card;

	fixture_publish(f);
	card = esf_plane_card(f->plane, site);
	return card == NULL ? 0 : card->ledger.records[ESF_RECORD_ACCEPTED];
}

static void a_hostname_that_names_a_site_is_its_site(void)
{
	struct fixture f;
	struct esf_event event;

	start(&f, 1);
	send(&f, "<130>1 2023-11-14T22:13:20.5Z n-2 app - - - pump fault");
	CU_ASSERT_EQUAL(site_records(&f, 1), 1);
	CU_ASSERT_EQUAL(site_records(&f, 0), 0);
	CU_ASSERT_TRUE_FATAL(take(&f, &event));
	CU_ASSERT_EQUAL(event.site, 1);
	CU_ASSERT_EQUAL(event.time, T0 + SECOND / 2);
	CU_ASSERT_EQUAL(event.source, ESF_EVENT_SYSLOG);
	CU_ASSERT_TRUE(says(&event, "pump fault"));
	CU_ASSERT_FALSE(take(&f, &event));
	stop(&f);
}

static void any_other_hostname_leaves_it_to_the_source_address(void)
{
	static const char *const datagrams[] = {
		"<11>1 2023-11-14T22:13:20Z gateway app - - - fault",
		"<11>1 2023-11-14T22:13:20Z - app - - - fault",
		"<11>Nov 14 22:13:20 gateway app: fault",
		"<11>fault",
	};

	for (size_t i = 0; i < sizeof(datagrams) / sizeof(datagrams[0]); i++) {
		struct fixture f;
		struct esf_event event;

		start(&f, 1);
		send(&f, datagrams[i]);
		CU_ASSERT_EQUAL(site_records(&f, 0), 1);
		CU_ASSERT_TRUE_FATAL(take(&f, &event));
		CU_ASSERT_EQUAL(event.site, 0);
		/* RFC 3164's time has no year: it arrived when it arrived. */
		CU_ASSERT_EQUAL(event.time, i < 2 ? T0 : T0 + SECOND);
		stop(&f);
	}
}

static void use_sites_without_addresses(struct esf_policy *policy)
{
	static const struct esf_directory_site site = { .id = 1, .name = "n-1" };

	esf_directory_destroy((struct esf_directory *)policy->directory);
	policy->directory = esf_directory_create(&site, 1, fixture_key);
}

static void datagrams_get_these_verdicts(void)
{
	struct fixture f;

	start(&f, 1);
	send(&f, "fault");
	send(&f, "");
	send(&f, "<192>fault");
	CU_ASSERT_EQUAL(datagrams(&f, 0, ESF_DATAGRAM_MALFORMED), 3);
	use_sites_without_addresses(f.policy);
	send(&f, "<11>1 2023-11-14T22:13:20Z gateway app - - - fault");
	send(&f, "<11>fault");
	CU_ASSERT_EQUAL(datagrams(&f, 0, ESF_DATAGRAM_UNKNOWN_SITE), 2);
	CU_ASSERT_EQUAL(esf_shard_ledger(esf_plane_shard(f.plane, 0))->records_received, 0);
	send(&f, "<11>1 2023-11-14T22:13:20Z n-1 app - - - fault");
	CU_ASSERT_EQUAL(datagrams(&f, 0, ESF_DATAGRAM_ACCEPTED), 1);
	stop(&f);
}

static void a_message_out_of_time_tells_control_nothing(void)
{
	static const struct {
		const char *time;
		enum esf_record_verdict verdict;
	} cases[] = {
		{ "2023-11-14T22:14:22Z", ESF_RECORD_FUTURE },
		{ "2023-11-14T22:12:59Z", ESF_RECORD_LATE },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct fixture f;
		struct esf_event event;
		struct esf_events_counts counts;
		char datagram[128];

		start(&f, 1);
		snprintf(datagram, sizeof(datagram), "<11>1 %s n-2 app - - - fault", cases[i].time);
		send(&f, datagram);
		CU_ASSERT_EQUAL(records(&f, 0, cases[i].verdict), 1);
		CU_ASSERT_EQUAL(datagrams(&f, 0, ESF_DATAGRAM_ACCEPTED), 1);
		CU_ASSERT_FALSE(take(&f, &event));
		esf_plane_event_counts(f.plane, &counts);
		CU_ASSERT_EQUAL(counts.unmatched[3], 0);
		stop(&f);
	}
}

static void a_message_counts_as_the_site_reporting(void)
{
	struct fixture f;
	const struct esf_block *block;

	start(&f, 1);
	send(&f, "<15>1 2023-11-14T22:13:20Z n-3 app - - - all is well");
	fixture_publish(&f);
	block = esf_plane_block(f.plane, 2, T0 / WINDOW);
	CU_ASSERT_PTR_NOT_NULL_FATAL(block);
	CU_ASSERT_EQUAL(block->accepted, 1);
	CU_ASSERT_EQUAL(esf_plane_card(f.plane, 2)->last_seen, T0 + SECOND);
	stop(&f);
}

static void the_first_listed_signature_says_what_a_message_means(void)
{
	static const struct {
		const char *datagram;
		uint16_t signature;
		uint8_t severity;
		uint8_t state;
	} cases[] = {
		{ "<11>ground fault", GROUND_FAULT, 1, ESF_ETD_RAISE },
		{ "<15>pump fault", ANY_FAULT, 7, ESF_ETD_MESSAGE },
		{ "<14>cleared: ground fault", GROUND_FAULT, 1, ESF_ETD_RAISE },
		{ "<14>cleared", CLEARED, 6, ESF_ETD_CLEAR },
		{ "<12>not cleared", ESF_NO_SIGNATURE, 4, ESF_ETD_MESSAGE },
	};
	struct fixture f;

	start(&f, 1);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct esf_event event;

		send(&f, cases[i].datagram);
		CU_ASSERT_TRUE_FATAL(take(&f, &event));
		CU_ASSERT_EQUAL(event.signature, cases[i].signature);
		CU_ASSERT_EQUAL(event.severity, cases[i].severity);
		CU_ASSERT_EQUAL(event.state, cases[i].state);
	}
	stop(&f);
}

/* etd_event's are of severity 4, raised. */
static void etd_events_mean_what_their_signature_says_else_what_they_say(void)
{
	static const struct {
		const char *text;
		uint16_t signature;
		uint8_t severity;
		uint8_t state;
	} cases[] = {
		{ "ground fault", GROUND_FAULT, 1, ESF_ETD_RAISE },
		{ "fault", ANY_FAULT, 4, ESF_ETD_RAISE },
		{ "cleared", CLEARED, 4, ESF_ETD_CLEAR },
		{ "hello", ESF_NO_SIGNATURE, 4, ESF_ETD_RAISE },
		{ "", ESF_NO_SIGNATURE, 4, ESF_ETD_RAISE },
	};
	struct bytes b = etd(4, 2, 1, T0);
	struct fixture f;
	struct esf_event event;

	start(&f, 1);
	for (size_t i = 0; i < 5; i++)
		etd_event(&b, (int32_t)i, cases[i].text);
	etd_event(&b, -60 * 1000000, "fault"); /* late */
	fixture_etd(&f, 0, T0 + SECOND, &b);
	CU_ASSERT_EQUAL(records(&f, 0, ESF_RECORD_ACCEPTED), 5);
	CU_ASSERT_EQUAL(records(&f, 0, ESF_RECORD_LATE), 1);
	for (size_t i = 0; i < 5; i++) {
		CU_ASSERT_TRUE_FATAL(take(&f, &event));
		CU_ASSERT_EQUAL(event.site, 1);
		CU_ASSERT_EQUAL(event.time, T0 + (int64_t)i * 1000);
		CU_ASSERT_EQUAL(event.source, ESF_EVENT_ETD);
		CU_ASSERT_EQUAL(event.signature, cases[i].signature);
		CU_ASSERT_EQUAL(event.severity, cases[i].severity);
		CU_ASSERT_EQUAL(event.state, cases[i].state);
		CU_ASSERT_TRUE(says(&event, cases[i].text));
	}
	CU_ASSERT_FALSE(take(&f, &event));
	stop(&f);
}

static void chatter_without_signature_is_only_counted(void)
{
	struct fixture f;
	struct esf_events_counts counts;

	start(&f, 1);
	for (unsigned severity = 0; severity < ESF_SEVERITIES; severity++) {
		char datagram[32];

		snprintf(datagram, sizeof(datagram), "<%u>app: hello", 8 + severity);
		send(&f, datagram);
	}
	esf_plane_event_counts(f.plane, &counts);
	for (unsigned severity = 0; severity < ESF_SEVERITIES; severity++)
		CU_ASSERT_EQUAL(counts.unmatched[severity], 1);
	CU_ASSERT_EQUAL(counts.put, 5); /* emergency to warning */
	CU_ASSERT_EQUAL(records(&f, 0, ESF_RECORD_ACCEPTED), 8);
	stop(&f);
}

static void without_signatures_every_event_is_unmatched(void)
{
	struct fixture f;
	struct esf_event event;

	fixture_start(&f, 1);
	send(&f, "<11>ground fault");
	CU_ASSERT_TRUE_FATAL(take(&f, &event));
	CU_ASSERT_EQUAL(event.signature, ESF_NO_SIGNATURE);
	CU_ASSERT_TRUE(fixture_stop(&f));
}

static void a_full_ring_is_counted_and_costs_no_record(void)
{
	struct fixture f;
	struct esf_events_counts counts;
	struct esf_event event;

	start(&f, 1);
	for (uint32_t i = 0; i < ESF_EVENTS_HELD + 3; i++) {
		if (i % ESF_SITE_EVENTS_HELD == 0)
			fixture_publish(&f); /* a site has its share again */
		send(&f, "<11>fault");
	}
	esf_plane_event_counts(f.plane, &counts);
	CU_ASSERT_EQUAL(counts.put, ESF_EVENTS_HELD);
	CU_ASSERT_EQUAL(counts.dropped, 3);
	CU_ASSERT_EQUAL(records(&f, 0, ESF_RECORD_ACCEPTED), ESF_EVENTS_HELD + 3);
	CU_ASSERT_TRUE(take(&f, &event));
	send(&f, "<11>fault");
	esf_plane_event_counts(f.plane, &counts);
	CU_ASSERT_EQUAL(counts.put, ESF_EVENTS_HELD + 1);
	CU_ASSERT_EQUAL(counts.dropped, 3);
	stop(&f);
}

static void one_site_fills_only_its_share_of_the_ring(void)
{
	struct fixture f;
	struct esf_events_counts counts;

	start(&f, 1);
	send(&f, "<11>1 - n-2 a - - - fault"); /* published, as it is the first pass */
	for (uint32_t i = 0; i < ESF_SITE_EVENTS_HELD + 7; i++)
		send(&f, "<11>fault");
	send(&f, "<11>1 - n-2 a - - - fault");
	esf_plane_event_counts(f.plane, &counts);
	CU_ASSERT_EQUAL(counts.put, ESF_SITE_EVENTS_HELD + 2);
	CU_ASSERT_EQUAL(counts.dropped, 7);
	fixture_publish(&f);
	send(&f, "<11>fault");
	esf_plane_event_counts(f.plane, &counts);
	CU_ASSERT_EQUAL(counts.put, ESF_SITE_EVENTS_HELD + 3);
	CU_ASSERT_EQUAL(counts.dropped, 7);
	CU_ASSERT_EQUAL(records(&f, 0, ESF_RECORD_ACCEPTED), ESF_SITE_EVENTS_HELD + 10);
	stop(&f);
}

static void a_message_for_anothers_site_is_handed_to_its_owner(void)
{
	struct fixture f;
	struct esf_event event;

	start(&f, 2);
	send_to(&f, 1, "<11>1 2023-11-14T22:13:20Z n-2 app - - - fault"); /* shard 1 claims n-2 */
	CU_ASSERT_EQUAL(esf_plane_take_events(f.plane, 1, &event, 1), 1);
	send_to(&f, 0, "<11>1 2023-11-14T22:13:20Z n-2 app - - - ground fault");
	send_to(&f, 0, "<11>1 2023-11-14T22:13:20Z gateway app - - - fault");
	fixture_take(&f, 1, T0 + SECOND);
	CU_ASSERT_EQUAL_FATAL(esf_plane_take_events(f.plane, 1, &event, 1), 1);
	CU_ASSERT_EQUAL(event.signature, GROUND_FAULT);
	CU_ASSERT_EQUAL(event.site, 1);
	CU_ASSERT_TRUE_FATAL(take(&f, &event)); /* its own: the sender's, n-1 */
	CU_ASSERT_EQUAL(event.site, 0);
	CU_ASSERT_EQUAL(records(&f, 1, ESF_RECORD_ACCEPTED), 2);
	stop(&f);
}

void esf_suite_message(void)
{
	CU_pSuite suite = CU_add_suite("message", NULL, NULL);

	CU_ADD_TEST(suite, a_hostname_that_names_a_site_is_its_site);
	CU_ADD_TEST(suite, any_other_hostname_leaves_it_to_the_source_address);
	CU_ADD_TEST(suite, datagrams_get_these_verdicts);
	CU_ADD_TEST(suite, a_message_out_of_time_tells_control_nothing);
	CU_ADD_TEST(suite, a_message_counts_as_the_site_reporting);
	CU_ADD_TEST(suite, the_first_listed_signature_says_what_a_message_means);
	CU_ADD_TEST(suite, etd_events_mean_what_their_signature_says_else_what_they_say);
	CU_ADD_TEST(suite, chatter_without_signature_is_only_counted);
	CU_ADD_TEST(suite, without_signatures_every_event_is_unmatched);
	CU_ADD_TEST(suite, a_full_ring_is_counted_and_costs_no_record);
	CU_ADD_TEST(suite, one_site_fills_only_its_share_of_the_ring);
	CU_ADD_TEST(suite, a_message_for_anothers_site_is_handed_to_its_owner);
}

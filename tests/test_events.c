/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/events.h"

#include <pthread.h>
#include <sched.h>
#include <string.h>

#include <CUnit/CUnit.h>

#include "suites.h"

enum { SIZE = ESF_EVENTS_SIZE_MIN, EVENTS_THREADED = 200000 };

/* The event numbered `number`; all of it follows from the number. */
static struct esf_event numbered(uint32_t number)
{
	struct esf_event event = {
		.time = (int64_t)number * 1000003,
		.site = number,
		.signature = (uint16_t)number,
		.severity = (uint8_t)(number % ESF_SEVERITIES),
		.state = (uint8_t)(number % 3),
		.source = (uint8_t)(number % 2),
		.text_length = (uint16_t)(number % (ESF_EVENT_TEXT_MAX + 1)),
	};

	memset(event.text, (int)(number % 251), sizeof(event.text));
	return event;
}

static bool is_numbered(const struct esf_event *event, uint32_t number)
{
	struct esf_event expected = numbered(number);

	return event->time == expected.time && event->site == expected.site &&
	       event->signature == expected.signature && event->severity == expected.severity &&
	       event->state == expected.state && event->source == expected.source &&
	       event->text_length == expected.text_length &&
	       memcmp(event->text, expected.text, sizeof(expected.text)) == 0;
}

static bool put(struct esf_events *events, uint32_t number)
{
	struct esf_event event = numbered(number);

	return esf_events_put(events, &event);
}

static void events_keep_their_order_across_the_wrap(void)
{
	struct esf_events *events = esf_events_create(SIZE);
	struct esf_event out[SIZE];
	uint32_t in = 0, taken = 0;

	for (uint32_t round = 0; round < 300; round++) {
		uint32_t count = round * 7 % 41;

		for (uint32_t i = 0; i < count; i++)
			CU_ASSERT_TRUE(put(events, in++));
		CU_ASSERT_EQUAL(esf_events_take(events, out, SIZE), count);
		for (uint32_t i = 0; i < count; i++)
			CU_ASSERT_TRUE(is_numbered(&out[i], taken++));
	}
	CU_ASSERT_EQUAL(esf_events_take(events, out, SIZE), 0);
	esf_events_destroy(events);
}

static void full_ring_refuses_counts_and_keeps_what_it_has(void)
{
	struct esf_events *events = esf_events_create(SIZE);
	struct esf_event out[SIZE];
	struct esf_events_counts counts;

	for (uint32_t i = 0; i < SIZE; i++)
		CU_ASSERT_TRUE(put(events, i));
	for (uint32_t i = 0; i < 3; i++)
		CU_ASSERT_FALSE(put(events, 1000));
	CU_ASSERT_EQUAL(esf_events_take(events, out, 1), 1);
	CU_ASSERT_TRUE(is_numbered(&out[0], 0));
	CU_ASSERT_TRUE(put(events, SIZE));
	CU_ASSERT_FALSE(put(events, 1000));
	CU_ASSERT_EQUAL(esf_events_take(events, out, SIZE), SIZE);
	for (uint32_t i = 0; i < SIZE; i++)
		CU_ASSERT_TRUE(is_numbered(&out[i], i + 1));
	esf_events_read_counts(events, &counts);
	CU_ASSERT_EQUAL(counts.put, SIZE + 1);
	CU_ASSERT_EQUAL(counts.dropped, 4);
	esf_events_destroy(events);
}

static void take_stops_at_its_count(void)
{
	struct esf_events *events = esf_events_create(SIZE);
	struct esf_event out[4];

	for (uint32_t i = 0; i < 6; i++)
		put(events, i);
	CU_ASSERT_EQUAL(esf_events_take(events, out, 0), 0);
	CU_ASSERT_EQUAL(esf_events_take(events, out, 4), 4);
	CU_ASSERT_EQUAL(esf_events_take(events, out, 4), 2);
	CU_ASSERT_TRUE(is_numbered(&out[1], 5));
	esf_events_destroy(events);
}

static void unmatched_messages_are_counted_by_severity(void)
{
	struct esf_events *events = esf_events_create(SIZE);
	struct esf_events_counts counts;

	for (uint32_t severity = 0; severity < ESF_SEVERITIES; severity++)
		for (uint32_t i = 0; i < severity; i++)
			esf_events_count_unmatched(events, (uint8_t)severity);
	esf_events_read_counts(events, &counts);
	for (uint32_t severity = 0; severity < ESF_SEVERITIES; severity++)
		CU_ASSERT_EQUAL(counts.unmatched[severity], severity);
	CU_ASSERT_EQUAL(counts.put + counts.dropped, 0);
	esf_events_destroy(events);
}

static void sizes_out_of_bounds_are_refused(void)
{
	static const uint32_t sizes[] = { 0, 1, ESF_EVENTS_SIZE_MIN - 1, ESF_EVENTS_SIZE_MIN / 2,
		ESF_EVENTS_SIZE_MIN + 1, ESF_EVENTS_SIZE_MAX * 2, UINT32_MAX };

	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
		CU_ASSERT_PTR_NULL(esf_events_create(sizes[i]));
}

static void *produce(void *context)
{
	struct esf_events *events = context;

	for (uint32_t i = 0; i < EVENTS_THREADED; i++) {
		esf_events_count_unmatched(events, (uint8_t)(i % ESF_SEVERITIES));
		while (!put(events, i))
			sched_yield();
	}
	return NULL;
}

static void two_threads_lose_and_change_nothing(void)
{
	struct esf_events *events = esf_events_create(SIZE);
	struct esf_events_counts counts;
	struct esf_event out[16];
	uint32_t taken = 0, wrong = 0;
	pthread_t producer;

	CU_ASSERT_EQUAL_FATAL(pthread_create(&producer, NULL, produce, events), 0);
	while (taken < EVENTS_THREADED) {
		uint32_t count = esf_events_take(events, out, 16);

		for (uint32_t i = 0; i < count; i++)
			wrong += !is_numbered(&out[i], taken++);
		esf_events_read_counts(events, &counts);
		if (count == 0)
			sched_yield();
	}
	pthread_join(producer, NULL);
	CU_ASSERT_EQUAL(wrong, 0);
	esf_events_read_counts(events, &counts);
	CU_ASSERT_EQUAL(counts.put, EVENTS_THREADED);
	CU_ASSERT_EQUAL(counts.unmatched[3], EVENTS_THREADED / ESF_SEVERITIES);
	esf_events_destroy(events);
}

static void text_is_kept_as_utf8_that_can_be_shown(void)
{
	static const struct {
		const char *text, *kept;
	} cases[] = {
		{ "", "" },
		{ "ground fault", "ground fault" },
		{ "a\tb\nc\x7f"
		  "d\x1b",
		    "a b c d " },
		{ "W\xc3\xa4rme \xe2\x82\xac \xf0\x9f\x94\xa5",
		    "W\xc3\xa4rme \xe2\x82\xac \xf0\x9f\x94\xa5" },
		{ "W\xe4rme", "W?rme" },
		{ "\xc3", "?" },
		{ "\xe2\x82", "??" },
		{ "\xc0\xaf\xed\xa0\x80", "?????" },
		{ "\xc2\x9b"
		  "31m",
		    "??31m" },
	};
	struct esf_event event;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		esf_event_set_text(&event, cases[i].text, (uint32_t)strlen(cases[i].text));
		CU_ASSERT_EQUAL(event.text_length, strlen(cases[i].kept));
		CU_ASSERT_EQUAL(memcmp(event.text, cases[i].kept, event.text_length), 0);
	}
}

static void long_text_is_cut_between_characters(void)
{
	struct esf_event event;
	char text[ESF_EVENT_TEXT_MAX * 2];

	memset(text, 'x', sizeof(text));
	esf_event_set_text(&event, text, sizeof(text));
	CU_ASSERT_EQUAL(event.text_length, ESF_EVENT_TEXT_MAX);
	memcpy(text + ESF_EVENT_TEXT_MAX - 2, "\xe2\x82\xac", 3);
	esf_event_set_text(&event, text, sizeof(text));
	CU_ASSERT_EQUAL(event.text_length, ESF_EVENT_TEXT_MAX - 2);
	memcpy(text + ESF_EVENT_TEXT_MAX - 3, "\xe2\x82\xac", 3);
	esf_event_set_text(&event, text, sizeof(text));
	CU_ASSERT_EQUAL(event.text_length, ESF_EVENT_TEXT_MAX);
}

void esf_suite_events(void)
{
	CU_pSuite suite = CU_add_suite("events", NULL, NULL);

	CU_ADD_TEST(suite, events_keep_their_order_across_the_wrap);
	CU_ADD_TEST(suite, full_ring_refuses_counts_and_keeps_what_it_has);
	CU_ADD_TEST(suite, take_stops_at_its_count);
	CU_ADD_TEST(suite, unmatched_messages_are_counted_by_severity);
	CU_ADD_TEST(suite, sizes_out_of_bounds_are_refused);
	CU_ADD_TEST(suite, two_threads_lose_and_change_nothing);
	CU_ADD_TEST(suite, text_is_kept_as_utf8_that_can_be_shown);
	CU_ADD_TEST(suite, long_text_is_cut_between_characters);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/syslog.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <CUnit/CUnit.h>

#include "suites.h"

/* Parses a copy of exactly `size` bytes, so that a read past them is seen by the sanitizer. */
static struct esf_syslog parse_bytes(const char *data, uint32_t size, char *copy)
{
	struct esf_syslog out;

	memcpy(copy, data, size);
	esf_syslog_parse(copy, size, &out);
	return out;
}

static bool is_text(struct esf_span span, const char *text)
{
	return span.length == strlen(text) &&
	       (span.length == 0 || memcmp(span.at, text, span.length) == 0);
}

struct message_case {
	const char *datagram;
	const char *hostname;
	const char *app;
	const char *pid;
	const char *message;
};

static void check_messages(const struct message_case *cases, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		uint32_t size = (uint32_t)strlen(cases[i].datagram);
		char *copy = malloc(size);
		struct esf_syslog out = parse_bytes(cases[i].datagram, size, copy);

		CU_ASSERT_FALSE(out.malformed);
		CU_ASSERT_TRUE(is_text(out.hostname, cases[i].hostname));
		CU_ASSERT_TRUE(is_text(out.app, cases[i].app));
		CU_ASSERT_TRUE(is_text(out.pid, cases[i].pid));
		CU_ASSERT_TRUE(is_text(out.message, cases[i].message));
		free(copy);
	}
}

static struct esf_syslog parse(const char *datagram)
{
	struct esf_syslog out;

	esf_syslog_parse(datagram, (uint32_t)strlen(datagram), &out);
	return out;
}

static void priority_gives_facility_and_severity(void)
{
	static const struct {
		const char *datagram;
		uint8_t facility, severity;
	} cases[] = {
		{ "<0>x", 0, 0 },
		{ "<13>x", 1, 5 },
		{ "<165>1 - - - - - -", 20, 5 },
		{ "<191>x", 23, 7 },
		{ "<007>x", 0, 7 },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct esf_syslog out = parse(cases[i].datagram);

		CU_ASSERT_FALSE(out.malformed);
		CU_ASSERT_EQUAL(out.facility, cases[i].facility);
		CU_ASSERT_EQUAL(out.severity, cases[i].severity);
	}
}

static void without_a_valid_priority_it_is_malformed(void)
{
	static const char *const cases[] = { "", "\n", "<", "<>", "<1", "<13", "x<13>y", " <13>x",
		"<192>x", "<999>x", "<0013>x", "<1a>x", "<-1>x", "Oct 11 22:14:15 host su: x",
		"17 <13>1 - - - - - -" };

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		CU_ASSERT_TRUE(parse(cases[i]).malformed);
}

static void rfc5424_examples_are_read(void)
{
	static const struct message_case cases[] = {
		{ "<34>1 2003-10-11T22:14:15.003Z mymachine.example.com su - ID47 - "
		  "\xef\xbb\xbf'su "
		  "root' failed for lonvick on /dev/pts/8",
		    "mymachine.example.com", "su", "",
		    "'su root' failed for lonvick on /dev/pts/8" },
		{ "<165>1 2003-08-24T05:14:15.000003-07:00 192.0.2.1 myproc 8710 - - %% It's time "
		  "to make the do-nuts.",
		    "192.0.2.1", "myproc", "8710", "%% It's time to make the do-nuts." },
		{ "<165>1 2003-10-11T22:14:15.003Z mymachine.example.com evntslog - ID47 "
		  "[exampleSDID@32473 iut=\"3\" eventSource=\"Application\" eventID=\"1011\"] An "
		  "application event log entry...",
		    "mymachine.example.com", "evntslog", "", "An application event log entry..." },
		{ "<165>1 2003-10-11T22:14:15.003Z mymachine.example.com evntslog - ID47 "
		  "[exampleSDID@32473 iut=\"3\"][examplePriority@32473 class=\"high\"]",
		    "mymachine.example.com", "evntslog", "", "" },
		{ "<13>1 - - - - - -", "", "", "", "" },
		{ "<13>1 - h - - - - ", "h", "", "", "" },
		{ "<13>1 - h a - - -  two spaces\r\n", "h", "a", "", " two spaces" },
	};

	check_messages(cases, sizeof(cases) / sizeof(cases[0]));
}

static void structured_data_is_skipped_with_its_escapes(void)
{
	static const struct message_case cases[] = {
		{ "<13>1 - h a 1 m [x y=\"a\\]b\"] text", "h", "a", "1", "text" },
		{ "<13>1 - h a 1 m [x y=\"a]b\"] text", "h", "a", "1", "text" },
		{ "<13>1 - h a 1 m [x y=\"\\\"]\"] text", "h", "a", "1", "text" },
		{ "<13>1 - h a 1 m [x y=\"\\\\\"] text", "h", "a", "1", "text" },
		{ "<13>1 - h a 1 m [x y=\"\\\\\" z=\"] [\"][w] te]xt", "h", "a", "1", "te]xt" },
		{ "<13>1 - h a 1 m [x] [y] text", "h", "a", "1", "[y] text" },
	};

	check_messages(cases, sizeof(cases) / sizeof(cases[0]));
}

static void rfc5424_header_that_breaks_off_is_malformed(void)
{
	static const char *const cases[] = {
		"<13>1 - ",
		"<13>1 - host",
		"<13>1 - host app",
		"<13>1 - host app - -",
		"<13>1 - host app - - ",
		"<13>1 - host  - - - text",
		"<13>1 - host app - - text",
		"<13>1 - host app - - -text",
		"<13>1 - host app - - [x",
		"<13>1 - host app - - [x y=\"]",
		"<13>1 - host app - - [x y=\"\\",
		"<13>1 - host app - - [x]text",
		"<13>1 2003-13-11T22:14:15Z host app - - - text",
		"<13>1 2003-02-29T22:14:15Z host app - - - text",
		"<13>1 2003-10-11T24:00:00Z host app - - - text",
		"<13>1 2003-10-11T22:14:15+2:00 host app - - - text",
		"<13>1 2003-10-11T22:14:15Zhost app - - - text",
		"<13>1 2003-10-11 22:14:15Z host app - - - text",
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		CU_ASSERT_TRUE(parse(cases[i]).malformed);
}

static void rfc3164_and_what_senders_make_of_it_are_read(void)
{
	static const struct message_case cases[] = {
		{ "<34>Oct 11 22:14:15 mymachine su: 'su root' failed", "mymachine", "su", "",
		    "'su root' failed" },
		{ "<13>Feb  5 17:32:18 10.0.0.99 sshd[42]: closed", "10.0.0.99", "sshd", "42",
		    "closed" },
		/* as logger leaves the hostname out */
		{ "<13>Nov  3 09:00:01 root: ground fault", "", "root", "", "ground fault" },
		{ "<13>Nov  3 09:00:01 plc[7]: ground fault", "", "plc", "7", "ground fault" },
		/* no tag: nothing is cut off */
		{ "<13>Nov  3 09:00:01 teg-1 inverter 7 ground fault", "teg-1", "", "",
		    "inverter 7 ground fault" },
		{ "<13>Nov  3 09:00:01 teg-1 see http://a/b now", "teg-1", "", "",
		    "see http://a/b now" },
		{ "<13>Nov  3 09:00:01 teg-1 string[3] overcurrent", "teg-1", "", "",
		    "string[3] overcurrent" },
		{ "<13>Nov  3 09:00:01 teg-1 sshd(pam_unix)[3]:opened", "teg-1", "sshd(pam_unix)",
		    "3", "opened" },
		{ "<13>Nov  3 09:00:01 2001:db8::7 su: x", "2001:db8::7", "su", "", "x" },
		/* days and years as they come */
		{ "<13>Nov 3 09:00:01 h su: x", "h", "su", "", "x" },
		{ "<13>Nov 03 09:00:01 h su: x", "h", "su", "", "x" },
		{ "<13>Nov 03 2024 09:00:01.250 h su: x", "h", "su", "", "x" },
		{ "<189>*Mar  1 18:46:11.123: %SYS-5-CONFIG_I: Configured", "", "%SYS-5-CONFIG_I",
		    "", "Configured" },
		/* without a timestamp there is no hostname */
		{ "<13>host su: x", "", "", "", "host su: x" },
		{ "<13>plc: ground fault", "", "plc", "", "ground fault" },
		{ "<13>inverter 7: ground fault\n", "", "", "", "inverter 7: ground fault" },
		{ "<13>Nov 33 09:00:01 h su: x", "", "", "", "Nov 33 09:00:01 h su: x" },
		{ "<13>Nov  3 09:00:01x h su: x", "", "", "", "Nov  3 09:00:01x h su: x" },
		{ "<13>1 inverter is down", "", "", "", "1 inverter is down" },
		{ "<13>2 - - - - - -", "", "", "", "2 - - - - - -" },
		{ "<13>[alarm] door open", "", "", "", "[alarm] door open" },
		/* nothing behind something */
		{ "<13>", "", "", "", "" },
		{ "<13>Nov  3 09:00:01", "", "", "", "" },
		{ "<13>Nov  3 09:00:01 ", "", "", "", "" },
		{ "<13>Nov  3 09:00:01 fault", "", "", "", "fault" },
		{ "<13>Nov  3 09:00:01 h su:", "h", "su", "", "" },
		{ "<13>:", "", "", "", ":" },
	};

	check_messages(cases, sizeof(cases) / sizeof(cases[0]));
}

static void rsyslogs_forwarding_templates_are_read(void)
{
	static const struct message_case cases[] = {
		/* RSYSLOG_TraditionalForwardFormat */
		{ "<133>Nov 23 20:36:08 n-1 inverter[12]: ground fault", "n-1", "inverter", "12",
		    "ground fault" },
		/* RSYSLOG_ForwardFormat */
		{ "<133>2026-11-23T20:36:08.123456+01:00 n-1 inverter[12]: ground fault", "n-1",
		    "inverter", "12", "ground fault" },
		/* RSYSLOG_SyslogProtocol23Format, whose message keeps its leading space */
		{ "<133>1 2026-11-23T20:36:08.123456+01:00 n-1 inverter 12 - -  ground fault",
		    "n-1", "inverter", "12", " ground fault" },
	};

	check_messages(cases, sizeof(cases) / sizeof(cases[0]));
	CU_ASSERT_FALSE(parse(cases[0].datagram).has_time);
	CU_ASSERT_TRUE(parse(cases[1].datagram).has_time);
	CU_ASSERT_TRUE(parse(cases[2].datagram).has_time);
}

static void times_are_unix_nanoseconds_where_they_are_whole(void)
{
	static const struct {
		const char *datagram;
		bool has_time;
		int64_t time;
	} cases[] = {
		{ "<13>1 2003-10-11T22:14:15.003Z h - - - -", true, 1065910455003000000 },
		{ "<13>1 2003-08-24T05:14:15.000003-07:00 h - - - -", true, 1061727255000003000 },
		{ "<13>2024-02-29T12:00:00+05:30 h a: x", true, 1709188200000000000 },
		{ "<13>2024-02-29T12:00:00+0530 h a: x", true, 1709188200000000000 },
		{ "<13>1 1970-01-01T00:00:00Z h - - - -", true, 0 },
		{ "<13>1 2000-03-01T00:00:00Z h - - - -", true, 951868800000000000 },
		{ "<13>1 2100-03-01T00:00:00Z h - - - -", true, 4107542400000000000 },
		{ "<13>1 2261-12-31T23:59:59.9999999999Z h - - - -", true, 9214646399999999999 },
		{ "<13>1 1969-12-31T23:59:59Z h - - - -", false, 0 },
		{ "<13>1 2262-01-01T00:00:00Z h - - - -", false, 0 },
		{ "<13>1 0000-01-01T00:00:00Z h - - - -", false, 0 },
		{ "<13>1 2003-10-11T22:14:15 h - - - -", false, 0 },
		{ "<13>1 - h - - - -", false, 0 },
		{ "<13>Oct 11 22:14:15 h su: x", false, 0 },
		{ "<13>Oct 11 2003 22:14:15 h su: x", false, 0 },
		{ "<13>no time", false, 0 },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct esf_syslog out = parse(cases[i].datagram);

		CU_ASSERT_FALSE(out.malformed);
		CU_ASSERT_EQUAL(out.has_time, cases[i].has_time);
		CU_ASSERT_EQUAL(out.time, cases[i].time);
	}
}

static void any_cut_is_read_within_its_bounds(void)
{
	static const char *const datagrams[] = {
		"<165>1 2003-10-11T22:14:15.003+01:00 h a 1 m [x y=\"\\]\"] \xef\xbb\xbftext",
		"<133>*Nov  3 2024 20:36:08.5 n-1 inverter[12]: ground fault",
	};

	for (size_t i = 0; i < sizeof(datagrams) / sizeof(datagrams[0]); i++)
		for (uint32_t size = 0; size <= strlen(datagrams[i]); size++) {
			char *copy = malloc(size + (size == 0));
			struct esf_syslog out = parse_bytes(datagrams[i], size, copy);

			CU_ASSERT_EQUAL(out.malformed,
			    i == 0 ? size < 5 || (size >= 12 && size < 55) : size < 5);
			free(copy);
		}
}

static void bytes_of_any_value_and_long_messages_are_kept(void)
{
	static const char head[] = "<13>1 - h a - - - ";
	const uint32_t size = 65507, head_size = sizeof(head) - 1;
	char *data = malloc(size);
	struct esf_syslog out;

	for (uint32_t i = 0; i < size; i++)
		data[i] = (char)(i < head_size ? head[i] : (int)(i * 7 % 255 + 1));
	data[head_size] = '\0';
	data[size - 1] = 'x';
	esf_syslog_parse(data, size, &out);
	CU_ASSERT_FALSE(out.malformed);
	CU_ASSERT_EQUAL(out.message.length, size - head_size);
	CU_ASSERT_PTR_EQUAL(out.message.at, data + head_size);
	memset(data + 8, 'h', size - 8);
	esf_syslog_parse(data, size, &out);
	CU_ASSERT_TRUE(out.malformed);
	free(data);
}

static void hostname_is_bounded(void)
{
	char datagram[512];
	struct esf_syslog out;

	for (int length = 255; length <= 256; length++) {
		int size =
		    snprintf(datagram, sizeof(datagram), "<13>1 - %0*d a - - - x", length, 1);

		esf_syslog_parse(datagram, (uint32_t)size, &out);
		CU_ASSERT_EQUAL(out.malformed, length > 255);
		size = snprintf(
		    datagram, sizeof(datagram), "<13>Nov  3 09:00:01 %0*d a: x", length, 1);
		esf_syslog_parse(datagram, (uint32_t)size, &out);
		CU_ASSERT_FALSE(out.malformed);
		CU_ASSERT_EQUAL(out.hostname.length, length > 255 ? 0 : 255);
	}
}

void esf_suite_syslog(void)
{
	CU_pSuite suite = CU_add_suite("syslog", NULL, NULL);

	CU_ADD_TEST(suite, priority_gives_facility_and_severity);
	CU_ADD_TEST(suite, without_a_valid_priority_it_is_malformed);
	CU_ADD_TEST(suite, rfc5424_examples_are_read);
	CU_ADD_TEST(suite, structured_data_is_skipped_with_its_escapes);
	CU_ADD_TEST(suite, rfc5424_header_that_breaks_off_is_malformed);
	CU_ADD_TEST(suite, rfc3164_and_what_senders_make_of_it_are_read);
	CU_ADD_TEST(suite, rsyslogs_forwarding_templates_are_read);
	CU_ADD_TEST(suite, times_are_unix_nanoseconds_where_they_are_whole);
	CU_ADD_TEST(suite, any_cut_is_read_within_its_bounds);
	CU_ADD_TEST(suite, bytes_of_any_value_and_long_messages_are_kept);
	CU_ADD_TEST(suite, hostname_is_bounded);
}

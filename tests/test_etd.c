/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/etd.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <CUnit/CUnit.h>

#include "suites.h"

enum {
	GOOD = ESF_DATAGRAM_ACCEPTED,
	WRONG = ESF_DATAGRAM_MALFORMED,
	DATAGRAM_MAX = 2048,
};

/* Site 258, stream 7, boot 1000, seq 9, time 2^40 ns: the bytes as CONTRACT 2.1 lays them out. */
#define HEADER(kind, flags, count, key)                                                            \
	0x45, 0x54, 0x44, 0x31, kind, flags, count, 0, 2, 1, 0, 0, 7, 0, key, 0, 0xe8, 3, 0, 0, 9, \
	    0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0

#define TAG 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16

/* One line a record. */
/* clang-format off */
static const int64_t header_time = INT64_C(1) << 40;

static const uint8_t no_data[] = { HEADER(2, 0, 0, 0) };
static const uint8_t no_births[] = { HEADER(1, 0, 0, 0) };
static const uint8_t no_events[] = { HEADER(4, 0, 0, 0) };
static const uint8_t death[] = { HEADER(3, 0, 0, 0) };

static const uint8_t data[] = {
	HEADER(2, 2, 3, 0),
	/* alias 1, good, +1 us, 1.5 */
	1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xf8, 0x3f,
	/* alias 1024, uncertain, -2 us, -2.0 */
	0, 4, 1, 0, 0xfe, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0, 0, 0, 0xc0,
	/* alias 65535, bad, lowest offset, a NaN */
	0xff, 0xff, 2, 0, 0, 0, 0, 0x80, 0, 0, 0, 0, 0, 0, 0xf8, 0x7f,
};

static const uint8_t births[] = {
	HEADER(1, 0, 3, 0),
	/* alias 5, gauge, "temp", degree sign and C */
	5, 0, 0, 4, 3, 0, 't', 'e', 'm', 'p', 0xc2, 0xb0, 'C',
	/* alias 1023, counter, "n", no unit */
	0xff, 3, 1, 1, 0, 0, 'n',
	/* alias 0, gauge, U+20AC, U+1F600 */
	0, 0, 0, 3, 4, 0, 0xe2, 0x82, 0xac, 0xf0, 0x9f, 0x98, 0x80,
};

static const uint8_t events[] = {
	HEADER(4, 0, 3, 0),
	/* +1 s, severity 7, clear, "over" */
	0x40, 0x42, 0x0f, 0, 7, 2, 4, 0, 'o', 'v', 'e', 'r',
	/* -1 us, severity 0, message, no text */
	0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0,
	/* 0, severity 3, raise, U+00FC */
	0, 0, 0, 0, 3, 1, 2, 0, 0xc3, 0xbc,
};
/* clang-format on */

static const uint8_t sealed_empty[] = { HEADER(2, 1, 0, 4), TAG };
static const uint8_t sealed_keyless[] = { HEADER(1, 3, 9, 0), 0xff, TAG };
static const uint8_t sealed_death[] = { HEADER(3, 1, 1, 4), TAG };

/* Offsets of the records above. */
enum {
	DATA_1 = 32,
	DATA_2 = 48,
	DATA_3 = 64,
	BIRTH_1 = 32,
	BIRTH_2 = 45,
	BIRTH_3 = 52,
	EVENT_1 = 32,
	EVENT_2 = 44,
	EVENT_3 = 52,
};

struct datagram {
	const char *name;
	const uint8_t *bytes;
	uint32_t size;
};

/* clang-format off */
#define DATAGRAM(array) { #array, array, sizeof(array) }
/* clang-format on */

static const struct datagram unsealed[] = {
	DATAGRAM(no_data),
	DATAGRAM(no_births),
	DATAGRAM(no_events),
	DATAGRAM(death),
	DATAGRAM(data),
	DATAGRAM(births),
	DATAGRAM(events),
};

static const struct datagram sealed[] = {
	DATAGRAM(sealed_empty),
	DATAGRAM(sealed_keyless),
	DATAGRAM(sealed_death),
};

enum {
	UNSEALED = sizeof(unsealed) / sizeof(unsealed[0]),
	SEALED = sizeof(sealed) / sizeof(sealed[0]),
};

/* Parses an exact heap copy, so that a read past the end is a fault under AddressSanitizer. */
static int parse(const uint8_t *bytes, uint32_t size)
{
	uint8_t *copy = malloc(size);
	struct esf_etd etd;
	int verdict;

	if (size != 0)
		memcpy(copy, bytes, size);
	verdict = esf_etd_parse(copy, size, &etd);
	free(copy);
	return verdict;
}

static void expect(const char *what, uint32_t at, int verdict, int expected)
{
	if (verdict != expected)
		fprintf(stderr, "%s, %u: verdict %d\n", what, at, verdict);
	CU_ASSERT_EQUAL(verdict, expected);
}

static void good_datagrams_are_accepted(void)
{
	for (uint32_t i = 0; i < UNSEALED; i++)
		expect(unsealed[i].name, 0, parse(unsealed[i].bytes, unsealed[i].size), GOOD);
	for (uint32_t i = 0; i < SEALED; i++)
		expect(sealed[i].name, 0, parse(sealed[i].bytes, sealed[i].size), GOOD);
}

static void every_truncation_is_malformed(void)
{
	for (uint32_t i = 0; i < UNSEALED; i++) {
		for (uint32_t size = 0; size < unsealed[i].size; size++)
			expect(unsealed[i].name, size, parse(unsealed[i].bytes, size), WRONG);
	}
}

static void every_trailing_byte_is_malformed(void)
{
	uint8_t longer[DATAGRAM_MAX + 16];

	for (uint32_t i = 0; i < UNSEALED; i++) {
		const uint32_t size = unsealed[i].size;

		for (uint32_t value = 0; value < 256; value++) {
			memset(longer, (int)value, sizeof(longer));
			memcpy(longer, unsealed[i].bytes, size);
			for (uint32_t more = 1; more <= (value == 0 ? 16 : 1); more++)
				expect(unsealed[i].name, value, parse(longer, size + more), WRONG);
		}
	}
}

static void count_must_fit(void)
{
	static const uint8_t others[] = { 1, 2, 4, 5, 255 };
	uint8_t bytes[DATAGRAM_MAX];

	for (uint32_t i = 0; i < UNSEALED; i++) {
		memcpy(bytes, unsealed[i].bytes, unsealed[i].size);
		for (uint32_t j = 0; j < sizeof(others); j++) {
			bytes[6] = others[j];
			expect(unsealed[i].name, others[j], parse(bytes, unsealed[i].size), WRONG);
		}
		bytes[6] = unsealed[i].bytes[6];
		bytes[7] =
		    0x10; /* 4096 records more: 65536 bytes, which must not vanish in 16 bits */
		expect(unsealed[i].name, 4096, parse(bytes, unsealed[i].size), WRONG);
	}
}

struct change {
	struct datagram of;
	uint32_t at;
	uint8_t to;
	int expected;
};

/* One line a change. */
/* clang-format off */
static const struct change changes[] = {
	{ DATAGRAM(data), 0, 0x46, WRONG }, /* magic */
	{ DATAGRAM(data), 3, 0x32, WRONG },
	{ DATAGRAM(no_data), 4, 0, WRONG }, /* kind */
	{ DATAGRAM(no_data), 4, 5, WRONG },
	{ DATAGRAM(no_data), 4, 255, WRONG },
	{ DATAGRAM(data), 5, 0, GOOD }, /* flags */
	{ DATAGRAM(data), 5, 4, WRONG },
	{ DATAGRAM(data), 5, 0x80, WRONG },
	{ DATAGRAM(data), 14, 1, WRONG }, /* key of an unsealed one */
	{ DATAGRAM(data), 15, 1, WRONG },
	{ DATAGRAM(data), 20, 0, WRONG }, /* seq */
	{ DATAGRAM(data), DATA_1 + 2, 2, GOOD }, /* quality */
	{ DATAGRAM(data), DATA_1 + 2, 3, WRONG },
	{ DATAGRAM(data), DATA_2 + 2, 4, WRONG },
	{ DATAGRAM(data), DATA_3 + 2, 255, WRONG },
	{ DATAGRAM(data), DATA_1 + 3, 1, WRONG }, /* reserved */
	{ DATAGRAM(data), DATA_2 + 3, 0x80, WRONG },
	{ DATAGRAM(data), DATA_3 + 3, 255, WRONG },
	{ DATAGRAM(births), BIRTH_2 + 1, 4, WRONG }, /* alias 1279 */
	{ DATAGRAM(births), BIRTH_3 + 1, 4, WRONG }, /* alias 1024 */
	{ DATAGRAM(births), BIRTH_3 + 1, 3, GOOD },
	{ DATAGRAM(births), BIRTH_1 + 2, 1, GOOD }, /* type */
	{ DATAGRAM(births), BIRTH_1 + 2, 2, WRONG },
	{ DATAGRAM(births), BIRTH_3 + 2, 255, WRONG },
	{ DATAGRAM(births), BIRTH_3 + 3, 2, WRONG }, /* lengths */
	{ DATAGRAM(births), BIRTH_3 + 3, 255, WRONG },
	{ DATAGRAM(births), BIRTH_3 + 4, 3, WRONG },
	{ DATAGRAM(births), BIRTH_3 + 4, 255, WRONG },
	{ DATAGRAM(births), BIRTH_1 + 5, 1, WRONG }, /* reserved */
	{ DATAGRAM(births), BIRTH_2 + 5, 0x80, WRONG },
	{ DATAGRAM(births), BIRTH_2 + 6, 0, WRONG }, /* NUL in a name, in a unit */
	{ DATAGRAM(births), BIRTH_1 + 12, 0, WRONG },
	{ DATAGRAM(births), BIRTH_2 + 6, 0x80, WRONG }, /* not UTF-8 */
	{ DATAGRAM(births), BIRTH_1 + 10, 'x', WRONG },
	{ DATAGRAM(events), EVENT_1 + 4, 8, WRONG }, /* severity */
	{ DATAGRAM(events), EVENT_3 + 4, 255, WRONG },
	{ DATAGRAM(events), EVENT_2 + 5, 2, GOOD }, /* state */
	{ DATAGRAM(events), EVENT_2 + 5, 3, WRONG },
	{ DATAGRAM(events), EVENT_3 + 5, 255, WRONG },
	{ DATAGRAM(events), EVENT_3 + 6, 1, WRONG }, /* text length */
	{ DATAGRAM(events), EVENT_3 + 6, 3, WRONG },
	{ DATAGRAM(events), EVENT_3 + 7, 255, WRONG },
	{ DATAGRAM(events), EVENT_1 + 8, 0, WRONG }, /* NUL, not UTF-8 */
	{ DATAGRAM(events), EVENT_3 + 9, 'x', WRONG },
	{ DATAGRAM(death), 6, 1, WRONG }, /* a death has no records */
};
/* clang-format on */

static void each_field_is_bounded(void)
{
	for (uint32_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
		const struct change *change = &changes[i];
		uint8_t bytes[DATAGRAM_MAX];

		memcpy(bytes, change->of.bytes, change->of.size);
		bytes[change->at] = change->to;
		expect(change->of.name, i, parse(bytes, change->of.size), change->expected);
	}
}

static void site_zero_is_malformed(void)
{
	uint8_t bytes[sizeof(data)];

	memcpy(bytes, data, sizeof(data));
	bytes[9] = 0;
	expect("site 2", 0, parse(bytes, sizeof(bytes)), GOOD);
	bytes[8] = 0;
	expect("site 0", 0, parse(bytes, sizeof(bytes)), WRONG);
	bytes[11] = 1;
	expect("site 2^24", 0, parse(bytes, sizeof(bytes)), GOOD);
}

static void birth_without_a_name_is_malformed(void)
{
	static const uint8_t bytes[] = { HEADER(1, 0, 1, 0), 5, 0, 0, 0, 1, 0, 'C' };

	expect("no name", 0, parse(bytes, sizeof(bytes)), WRONG);
}

/* A character whose bytes are the name's last and the unit's first belongs to neither. */
static void character_across_name_and_unit_is_malformed(void)
{
	static const uint8_t bytes[] = { HEADER(1, 0, 1, 0), 5, 0, 0, 1, 1, 0, 0xc2, 0xb0 };

	expect("split", 0, parse(bytes, sizeof(bytes)), WRONG);
}

static void quality_and_reserved_byte_pass_in_three_values_only(void)
{
	uint8_t bytes[80] = { HEADER(2, 0, 3, 0) };
	uint32_t accepted = 0;

	memset(bytes + DATA_2, 0xff, 2); /* an alias whose bits must not matter */
	for (uint32_t value = 0; value < 65536; value++) {
		struct esf_etd etd;

		bytes[DATA_2 + 2] = (uint8_t)value;
		bytes[DATA_2 + 3] = (uint8_t)(value >> 8);
		accepted += esf_etd_parse(bytes, sizeof(bytes), &etd) == ESF_DATAGRAM_ACCEPTED;
		CU_ASSERT_FALSE(value == 2 && accepted != 3);
	}
	CU_ASSERT_EQUAL(accepted, 3);
}

static void full_data_datagram_is_judged_to_its_last_record(void)
{
	enum { COUNT = 84, SIZE = 32 + COUNT * 16 };
	static const uint8_t header[] = { HEADER(2, 0, COUNT, 0) };
	static const uint8_t wrong[][2] = { { 2, 3 }, { 2, 0x80 }, { 3, 1 }, { 3, 255 } };
	uint8_t bytes[SIZE];

	memcpy(bytes, header, sizeof(header));
	/* all bits set but those that are judged */
	memset(bytes + 32, 0xff, SIZE - 32);
	for (uint32_t i = 0; i < COUNT; i++) {
		bytes[32 + 16 * i + 2] = (uint8_t)(i % 3);
		bytes[32 + 16 * i + 3] = 0;
	}
	expect("full", 0, parse(bytes, SIZE), GOOD);
	for (uint32_t i = 0; i < COUNT; i++) {
		for (uint32_t j = 0; j < 4; j++) {
			uint32_t at = 32 + 16 * i + wrong[j][0];
			uint8_t was = bytes[at];

			bytes[at] = wrong[j][1];
			expect("full", at, parse(bytes, SIZE), WRONG);
			bytes[at] = was;
		}
	}
}

static void sealed_datagrams_are_judged_by_their_header(void)
{
	uint8_t bytes[DATAGRAM_MAX] = { HEADER(2, 1, 84, 4) };

	for (uint32_t size = 0; size < 48; size++)
		expect("sealed", size, parse(bytes, size), WRONG);
	for (uint32_t size = 48; size < 1500; size += 11)
		expect("sealed", size, parse(bytes, size), GOOD);
	for (uint32_t kind = 0; kind < 256; kind++) {
		bytes[4] = (uint8_t)kind;
		expect("kind", kind, parse(bytes, 64), kind >= 1 && kind <= 4 ? GOOD : WRONG);
	}
	bytes[4] = 2;
	for (uint32_t flags = 1; flags < 256; flags += 2) {
		bytes[5] = (uint8_t)flags;
		expect("flags", flags, parse(bytes, 64), flags < 4 ? GOOD : WRONG);
	}
}

static void header_is_read_in_full(void)
{
	static const uint8_t bytes[] = { 0x45, 0x54, 0x44, 0x31, 2, 3, 0x34, 0x12, 4, 3, 2, 0x81,
		0xcd, 0xab, 6, 5, 0x44, 0x33, 0x22, 0x91, 8, 7, 6, 0xa5, 1, 2, 3, 4, 5, 6, 7, 8,
		TAG };
	struct esf_etd etd;

	CU_ASSERT_EQUAL_FATAL(esf_etd_parse(bytes, sizeof(bytes), &etd), GOOD);
	CU_ASSERT_EQUAL(etd.kind, ESF_ETD_DATA);
	CU_ASSERT_EQUAL(etd.flags, ESF_ETD_SEALED | ESF_ETD_BACKFILL);
	CU_ASSERT_EQUAL(etd.count, 0x1234);
	CU_ASSERT_EQUAL(etd.site, 0x81020304);
	CU_ASSERT_EQUAL(etd.stream, 0xabcd);
	CU_ASSERT_EQUAL(etd.key, 0x0506);
	CU_ASSERT_EQUAL(etd.boot, 0x91223344);
	CU_ASSERT_EQUAL(etd.seq, 0xa5060708);
	CU_ASSERT_EQUAL(etd.time, 0x0807060504030201);
	CU_ASSERT_PTR_EQUAL(etd.records, bytes + 32);
	CU_ASSERT_EQUAL(etd.records_size, 16);
}

static void data_records_are_read(void)
{
	struct esf_etd_data_record record;
	struct esf_etd etd;

	CU_ASSERT_EQUAL_FATAL(esf_etd_parse(data, sizeof(data), &etd), GOOD);
	CU_ASSERT_EQUAL_FATAL(etd.count, 3);
	esf_etd_data_at(&etd, 0, &record);
	CU_ASSERT_EQUAL(record.alias, 1);
	CU_ASSERT_EQUAL(record.quality, ESF_ETD_GOOD);
	CU_ASSERT_EQUAL(record.time, header_time + 1000);
	CU_ASSERT_EQUAL(record.value, 1.5);
	esf_etd_data_at(&etd, 1, &record);
	CU_ASSERT_EQUAL(record.alias, 1024);
	CU_ASSERT_EQUAL(record.quality, ESF_ETD_UNCERTAIN);
	CU_ASSERT_EQUAL(record.time, header_time - 2000);
	CU_ASSERT_EQUAL(record.value, -2.0);
	esf_etd_data_at(&etd, 2, &record);
	CU_ASSERT_EQUAL(record.alias, 65535);
	CU_ASSERT_EQUAL(record.quality, ESF_ETD_BAD);
	CU_ASSERT_EQUAL(record.time, header_time - INT64_C(2147483648000));
	CU_ASSERT(record.value != record.value);
}

static void births_are_walked_in_order(void)
{
	static const struct {
		uint16_t alias;
		uint8_t type;
		const char *name, *unit;
		uint32_t end;
	} expected[] = {
		{ 5, ESF_ETD_GAUGE, "temp",
		    "\xc2\xb0"
		    "C",
		    13 },
		{ 1023, ESF_ETD_COUNTER, "n", "", 20 },
		{ 0, ESF_ETD_GAUGE, "\xe2\x82\xac", "\xf0\x9f\x98\x80", 33 },
	};
	struct esf_etd_birth_record birth;
	struct esf_etd etd;
	uint32_t at = 0;

	CU_ASSERT_EQUAL_FATAL(esf_etd_parse(births, sizeof(births), &etd), GOOD);
	for (int i = 0; i < 3; i++) {
		CU_ASSERT_TRUE_FATAL(esf_etd_birth_next(&etd, &at, &birth));
		CU_ASSERT_EQUAL(birth.alias, expected[i].alias);
		CU_ASSERT_EQUAL(birth.type, expected[i].type);
		CU_ASSERT_EQUAL_FATAL(birth.name_length, strlen(expected[i].name));
		CU_ASSERT_EQUAL_FATAL(birth.unit_length, strlen(expected[i].unit));
		CU_ASSERT_EQUAL(memcmp(birth.name, expected[i].name, birth.name_length), 0);
		CU_ASSERT_EQUAL(memcmp(birth.unit, expected[i].unit, birth.unit_length), 0);
		CU_ASSERT_EQUAL(at, expected[i].end);
	}
	CU_ASSERT_FALSE(esf_etd_birth_next(&etd, &at, &birth));
	CU_ASSERT_EQUAL(at, etd.records_size);
}

static void events_are_walked_in_order(void)
{
	static const struct {
		int64_t offset;
		uint8_t severity, state;
		const char *text;
		uint32_t end;
	} expected[] = {
		{ 1000000000, 7, ESF_ETD_CLEAR, "over", 12 },
		{ -1000, 0, ESF_ETD_MESSAGE, "", 20 },
		{ 0, 3, ESF_ETD_RAISE, "\xc3\xbc", 30 },
	};
	struct esf_etd_event_record event;
	struct esf_etd etd;
	uint32_t at = 0;

	CU_ASSERT_EQUAL_FATAL(esf_etd_parse(events, sizeof(events), &etd), GOOD);
	for (int i = 0; i < 3; i++) {
		CU_ASSERT_TRUE_FATAL(esf_etd_event_next(&etd, &at, &event));
		CU_ASSERT_EQUAL(event.time, header_time + expected[i].offset);
		CU_ASSERT_EQUAL(event.severity, expected[i].severity);
		CU_ASSERT_EQUAL(event.state, expected[i].state);
		CU_ASSERT_EQUAL_FATAL(event.text_length, strlen(expected[i].text));
		CU_ASSERT_EQUAL(memcmp(event.text, expected[i].text, event.text_length), 0);
		CU_ASSERT_EQUAL(at, expected[i].end);
	}
	CU_ASSERT_FALSE(esf_etd_event_next(&etd, &at, &event));
	CU_ASSERT_EQUAL(at, etd.records_size);
}

static void times_saturate(void)
{
	static const struct {
		uint64_t header;
		int32_t offset_us;
		int64_t time;
	} cases[] = {
		{ 0, 0, 0 },
		{ 0, -1, -1000 },
		{ 0, INT32_MIN, INT64_C(-2147483648000) },
		{ 0, INT32_MAX, INT64_C(2147483647000) },
		{ INT64_MAX, 0, INT64_MAX },
		{ INT64_MAX, 1, INT64_MAX },
		{ INT64_MAX, INT32_MAX, INT64_MAX },
		{ INT64_MAX, -1, INT64_MAX - 1000 },
		{ INT64_MAX - 1000, 1, INT64_MAX },
		{ INT64_MAX - 1001, 1, INT64_MAX - 1 },
		{ (uint64_t)INT64_MAX + 1, 0, INT64_MAX },
		{ UINT64_MAX, -1, INT64_MAX - 1000 },
		{ UINT64_MAX, INT32_MAX, INT64_MAX },
	};

	for (uint32_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint8_t as_data[48] = { HEADER(2, 0, 1, 0) };
		uint8_t as_event[40] = { HEADER(4, 0, 1, 0) };
		struct esf_etd_data_record record;
		struct esf_etd_event_record event;
		struct esf_etd etd;
		uint32_t at = 0;

		memcpy(as_data + 24, &cases[i].header, 8);
		memcpy(as_data + 36, &cases[i].offset_us, 4);
		CU_ASSERT_EQUAL_FATAL(esf_etd_parse(as_data, sizeof(as_data), &etd), GOOD);
		esf_etd_data_at(&etd, 0, &record);
		CU_ASSERT_EQUAL(record.time, cases[i].time);

		memcpy(as_event + 24, &cases[i].header, 8);
		memcpy(as_event + 32, &cases[i].offset_us, 4);
		CU_ASSERT_EQUAL_FATAL(esf_etd_parse(as_event, sizeof(as_event), &etd), GOOD);
		CU_ASSERT_TRUE_FATAL(esf_etd_event_next(&etd, &at, &event));
		CU_ASSERT_EQUAL(event.time, cases[i].time);
	}
}

/* An event with this text, continuation bytes behind it. */
static int parse_text(const uint8_t *text, uint8_t size)
{
	uint8_t bytes[64] = { HEADER(4, 0, 1, 0), 0, 0, 0, 0, 0, 0, size, 0 };
	struct esf_etd etd;

	memset(bytes + 40, 0x80, sizeof(bytes) - 40);
	memcpy(bytes + 40, text, size);
	return esf_etd_parse(bytes, 40u + size, &etd);
}

/* How many texts of size bytes are valid of those that begin with a byte from..to; the third and
 * fourth byte are taken from around the bounds of continuation bytes, of which two are inside. */
static uint32_t count_valid(uint8_t size, uint32_t from, uint32_t to)
{
	static const uint8_t edges[] = { 0x7f, 0x80, 0xbf, 0xc0 };
	uint32_t valid = 0;
	uint8_t text[4];

	for (uint32_t i = from << 12; i < (to + 1) << 12; i++) {
		text[0] = (uint8_t)(i >> 12);
		text[1] = (uint8_t)(i >> 4);
		text[2] = edges[i >> 2 & 3];
		text[3] = edges[i & 3];
		valid += parse_text(text, size) == GOOD;
	}
	return valid;
}

static void texts_are_strict_utf8(void)
{
	/* 127 characters of one byte; each text is met 256 * 16 times */
	CU_ASSERT_EQUAL(count_valid(1, 0, 255), 127 * 4096);
	/* two of one byte, or one of U+0080..U+07FF; each 16 times */
	CU_ASSERT_EQUAL(count_valid(2, 0, 255), (127 * 127 + 0x800 - 0x80) * 16);
	/* U+0800..U+FFFF without 2048 surrogates, 2 of 64 last bytes; each 4 times */
	CU_ASSERT_EQUAL(count_valid(3, 0xe0, 0xef), (0x10000 - 0x800 - 2048) / 64 * 2 * 4);
	/* U+10000..U+10FFFF, 2 of 64 third bytes and of the last */
	CU_ASSERT_EQUAL(count_valid(4, 0xf0, 0xff), (0x110000 - 0x10000) / 4096 * 2 * 2);
}

static void cut_characters_are_malformed(void)
{
	static const char *const cut[] = { "\xc3", "a\xe2\x82", "\xe2", "ab\xf0\x9f\x98",
		"\xf0\x9f", "\xc3\xbc\xf0" };

	/* what follows the text would complete it */
	for (uint32_t i = 0; i < sizeof(cut) / sizeof(cut[0]); i++) {
		uint8_t size = (uint8_t)strlen(cut[i]);

		expect("cut", i, parse_text((const uint8_t *)cut[i], size), WRONG);
	}
}

static void peek_reads_the_site(void)
{
	uint8_t bytes[12];

	memcpy(bytes, data, sizeof(bytes));
	bytes[4] = 0xff; /* not judged */
	CU_ASSERT_EQUAL(esf_etd_peek_site(bytes, sizeof(bytes)), 258);
	for (uint32_t size = 0; size < 12; size++)
		CU_ASSERT_EQUAL(esf_etd_peek_site(bytes, size), 0);
	for (uint32_t i = 0; i < 4; i++) {
		bytes[i] ^= 1;
		CU_ASSERT_EQUAL(esf_etd_peek_site(bytes, sizeof(bytes)), 0);
		bytes[i] ^= 1;
	}
}

void esf_suite_etd(void)
{
	CU_pSuite suite = CU_add_suite("etd", NULL, NULL);

	CU_ADD_TEST(suite, good_datagrams_are_accepted);
	CU_ADD_TEST(suite, every_truncation_is_malformed);
	CU_ADD_TEST(suite, every_trailing_byte_is_malformed);
	CU_ADD_TEST(suite, count_must_fit);
	CU_ADD_TEST(suite, each_field_is_bounded);
	CU_ADD_TEST(suite, site_zero_is_malformed);
	CU_ADD_TEST(suite, birth_without_a_name_is_malformed);
	CU_ADD_TEST(suite, character_across_name_and_unit_is_malformed);
	CU_ADD_TEST(suite, quality_and_reserved_byte_pass_in_three_values_only);
	CU_ADD_TEST(suite, full_data_datagram_is_judged_to_its_last_record);
	CU_ADD_TEST(suite, sealed_datagrams_are_judged_by_their_header);
	CU_ADD_TEST(suite, header_is_read_in_full);
	CU_ADD_TEST(suite, data_records_are_read);
	CU_ADD_TEST(suite, births_are_walked_in_order);
	CU_ADD_TEST(suite, events_are_walked_in_order);
	CU_ADD_TEST(suite, times_saturate);
	CU_ADD_TEST(suite, texts_are_strict_utf8);
	CU_ADD_TEST(suite, cut_characters_are_malformed);
	CU_ADD_TEST(suite, peek_reads_the_site);
}

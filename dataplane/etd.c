/* SPDX-License-Identifier: Apache-2.0 */
#include "etd.h"

#include <assert.h>
#include <string.h>

#include "limits.h"
#include "utf8.h"

static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "ETD is read in the machine's own order");

static uint16_t read_u16(const uint8_t *at)
{
	uint16_t value;

	memcpy(&value, at, sizeof(value));
	return value;
}

static uint32_t read_u32(const uint8_t *at)
{
	uint32_t value;

	memcpy(&value, at, sizeof(value));
	return value;
}

static uint64_t read_u64(const uint8_t *at)
{
	uint64_t value;

	memcpy(&value, at, sizeof(value));
	return value;
}

/* base is never negative and offsets are 32 bits of microseconds: only the upper bound can be met.
 */
static int64_t time_at(int64_t base, const uint8_t *offset_us)
{
	int64_t delta = (int64_t)(int32_t)read_u32(offset_us) * 1000;
	int64_t sum;

	return __builtin_add_overflow(base, delta, &sum) ? INT64_MAX : sum;
}

static bool text_is_valid(const char *text, uint32_t size)
{
	const uint8_t *at = (const uint8_t *)text;
	uint32_t step;

	for (uint32_t i = 0; i < size; i += step) {
		step = at[i] < 0x80 ? at[i] != 0 : esf_utf8_sequence_size(at + i, size - i);
		if (step == 0)
			return false;
	}
	return true;
}

/*
 * Quality and the reserved byte are the upper half h of a record's first word, and good is h <= 2.
 * h | h + 1 stays within two bits exactly for those: 3 and all above carry into the third bit or
 * have a higher one themselves. Ors of all records need no branch, and compilers make vectors of
 * them.
 */
static __attribute__((noinline)) bool all_are_valid(const uint8_t *records, uint32_t count)
{
	static_assert(ESF_ETD_DATA_AT_QUALITY == 2 && ESF_ETD_DATA_AT_RESERVED == 3, "upper half");
	static_assert(ESF_ETD_BAD == 2, "the bound that two bits tell");
	uint32_t bits = 0;

	for (uint32_t i = 0; i < count; i++) {
		uint32_t word = read_u32(records + (size_t)i * ESF_ETD_DATA_SIZE);

		bits |= word | (word + (UINT32_C(1) << 16));
	}
	return bits >> 18 == 0;
}

/* That all are good, which most often they are, is told by the words as they stand. */
static bool all_are_good(const uint8_t *records, uint32_t count)
{
	uint32_t bits = 0;

#pragma GCC unroll 4
	for (uint32_t i = 0; i < count; i++, records += ESF_ETD_DATA_SIZE)
		bits |= read_u32(records);
	return bits >> 16 == 0;
}

static bool data_is_valid(const uint8_t *records, uint32_t size, uint32_t count)
{
	if (size != count * ESF_ETD_DATA_SIZE)
		return false;
	return all_are_good(records, count) || all_are_valid(records, count);
}

bool esf_etd_birth_next(const struct esf_etd *etd, uint32_t *at, struct esf_etd_birth_record *out)
{
	const uint8_t *record = etd->records + *at;
	uint32_t room = etd->records_size - *at;

	if (room < ESF_ETD_BIRTH_SIZE)
		return false;
	out->alias = read_u16(record + ESF_ETD_BIRTH_AT_ALIAS);
	out->type = record[ESF_ETD_BIRTH_AT_TYPE];
	out->name_length = record[ESF_ETD_BIRTH_AT_NAME_LENGTH];
	out->unit_length = record[ESF_ETD_BIRTH_AT_UNIT_LENGTH];
	out->name = (const char *)record + ESF_ETD_BIRTH_SIZE;
	out->unit = out->name + out->name_length;
	if (room - ESF_ETD_BIRTH_SIZE < (uint32_t)out->name_length + out->unit_length)
		return false;
	*at += ESF_ETD_BIRTH_SIZE + (uint32_t)out->name_length + out->unit_length;
	return true;
}

static bool births_are_valid(const struct esf_etd *etd)
{
	struct esf_etd_birth_record birth;
	uint32_t at = 0;

	for (uint32_t i = 0; i < etd->count; i++) {
		uint32_t start = at;

		if (!esf_etd_birth_next(etd, &at, &birth))
			return false;
		if (birth.alias >= ESF_ALIASES_MAX || birth.type > ESF_ETD_COUNTER ||
		    etd->records[start + ESF_ETD_BIRTH_AT_RESERVED] != 0)
			return false;
		if (birth.name_length == 0 || !text_is_valid(birth.name, birth.name_length) ||
		    !text_is_valid(birth.unit, birth.unit_length))
			return false;
	}
	return at == etd->records_size;
}

bool esf_etd_event_next(const struct esf_etd *etd, uint32_t *at, struct esf_etd_event_record *out)
{
	const uint8_t *record = etd->records + *at;
	uint32_t room = etd->records_size - *at;

	if (room < ESF_ETD_EVENT_SIZE)
		return false;
	out->time = time_at(etd->time, record + ESF_ETD_EVENT_AT_OFFSET);
	out->severity = record[ESF_ETD_EVENT_AT_SEVERITY];
	out->state = record[ESF_ETD_EVENT_AT_STATE];
	out->text_length = read_u16(record + ESF_ETD_EVENT_AT_TEXT_LENGTH);
	out->text = (const char *)record + ESF_ETD_EVENT_SIZE;
	if (room - ESF_ETD_EVENT_SIZE < out->text_length)
		return false;
	*at += ESF_ETD_EVENT_SIZE + (uint32_t)out->text_length;
	return true;
}

static bool events_are_valid(const struct esf_etd *etd)
{
	struct esf_etd_event_record event;
	uint32_t at = 0;

	for (uint32_t i = 0; i < etd->count; i++) {
		if (!esf_etd_event_next(etd, &at, &event))
			return false;
		if (event.severity > 7 || event.state > ESF_ETD_CLEAR ||
		    !text_is_valid(event.text, event.text_length))
			return false;
	}
	return at == etd->records_size;
}

static __attribute__((noinline)) bool rarer_records_are_valid(const struct esf_etd *etd)
{
	switch (etd->kind) {
	case ESF_ETD_BIRTH:
		return births_are_valid(etd);
	case ESF_ETD_EVENT:
		return events_are_valid(etd);
	default:
		return etd->count == 0 && etd->records_size == 0;
	}
}

static bool records_are_valid(const struct esf_etd *etd)
{
	return etd->kind == ESF_ETD_DATA
	           ? data_is_valid(etd->records, etd->records_size, etd->count)
	           : rarer_records_are_valid(etd);
}

static void read_header(const uint8_t *data, uint32_t size, struct esf_etd *out)
{
	uint64_t time = read_u64(data + ESF_ETD_AT_TIME);

	out->kind = data[ESF_ETD_AT_KIND];
	out->flags = data[ESF_ETD_AT_FLAGS];
	out->count = read_u16(data + ESF_ETD_AT_COUNT);
	out->site = read_u32(data + ESF_ETD_AT_SITE);
	out->stream = read_u16(data + ESF_ETD_AT_STREAM);
	out->key = read_u16(data + ESF_ETD_AT_KEY);
	out->boot = read_u32(data + ESF_ETD_AT_BOOT);
	out->seq = read_u32(data + ESF_ETD_AT_SEQ);
	out->time = time > INT64_MAX ? INT64_MAX : (int64_t)time;
	out->records = data + ESF_ETD_HEADER_SIZE;
	out->records_size = size - ESF_ETD_HEADER_SIZE;
}

static bool header_is_valid(const struct esf_etd *etd)
{
	if ((etd->flags & ~(ESF_ETD_SEALED | ESF_ETD_BACKFILL)) != 0)
		return false;
	if (etd->kind < ESF_ETD_BIRTH || etd->kind > ESF_ETD_EVENT)
		return false;
	if (etd->site == 0)
		return false;
	return etd->seq != 0;
}

inline enum esf_datagram_verdict esf_etd_parse(
    const uint8_t *data, uint32_t size, struct esf_etd *out)
{
	if (size < ESF_ETD_HEADER_SIZE || read_u32(data + ESF_ETD_AT_MAGIC) != ESF_ETD_MAGIC)
		return ESF_DATAGRAM_MALFORMED;
	read_header(data, size, out);
	if (!header_is_valid(out))
		return ESF_DATAGRAM_MALFORMED;
	if ((out->flags & ESF_ETD_SEALED) != 0)
		return out->records_size >= ESF_ETD_TAG_SIZE ? ESF_DATAGRAM_ACCEPTED
		                                             : ESF_DATAGRAM_MALFORMED;
	if (out->key != 0 || !records_are_valid(out))
		return ESF_DATAGRAM_MALFORMED;
	return ESF_DATAGRAM_ACCEPTED;
}

enum esf_datagram_verdict esf_etd_unseal(struct esf_etd *etd, const uint8_t *plain, uint32_t size)
{
	struct esf_etd opened = *etd;

	opened.records = plain;
	opened.records_size = size;
	if (!records_are_valid(&opened))
		return ESF_DATAGRAM_MALFORMED;
	*etd = opened;
	return ESF_DATAGRAM_ACCEPTED;
}

uint32_t esf_etd_peek_site(const uint8_t *data, uint32_t size)
{
	if (size < ESF_ETD_AT_SITE + sizeof(uint32_t) ||
	    read_u32(data + ESF_ETD_AT_MAGIC) != ESF_ETD_MAGIC)
		return 0;
	return read_u32(data + ESF_ETD_AT_SITE);
}

inline void esf_etd_data_at(
    const struct esf_etd *etd, uint32_t index, struct esf_etd_data_record *out)
{
	const uint8_t *record = etd->records + (size_t)index * ESF_ETD_DATA_SIZE;
	uint64_t bits = read_u64(record + ESF_ETD_DATA_AT_VALUE);

	out->alias = read_u16(record + ESF_ETD_DATA_AT_ALIAS);
	out->quality = record[ESF_ETD_DATA_AT_QUALITY];
	out->time = time_at(etd->time, record + ESF_ETD_DATA_AT_OFFSET);
	memcpy(&out->value, &bits, sizeof(out->value));
}

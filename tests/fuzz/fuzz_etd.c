/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/etd.h"

#include <assert.h>
#include <string.h>

#include "../dedup_model.h"
#include "dataplane/limits.h"

/*
 * The input is one datagram. What the decoder accepts must be whole: the iterators visit count
 * records and end where the records end, all they point at lies inside the input, and every field
 * is in bounds. The bytes behind the header then steer a walk through the sequence window, beside a
 * naive model.
 */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_span(const struct esf_etd *etd, const char *text, uint32_t length)
{
	const uint8_t *at = (const uint8_t *)text;

	assert(at >= etd->records && at + length <= etd->records + etd->records_size);
	assert(length == 0 || memchr(text, 0, length) == NULL);
}

static void check_data(const struct esf_etd *etd)
{
	struct esf_etd_data_record record;

	assert(etd->records_size == etd->count * 16u);
	for (uint32_t i = 0; i < etd->count; i++) {
		esf_etd_data_at(etd, i, &record);
		assert(record.quality <= ESF_ETD_BAD && etd->records[16 * i + 3] == 0);
		assert(record.time >= INT32_MIN * INT64_C(1000));
	}
}

static void check_births(const struct esf_etd *etd)
{
	struct esf_etd_birth_record birth;
	uint32_t at = 0;
	uint32_t count = 0;

	for (; esf_etd_birth_next(etd, &at, &birth); count++) {
		assert(birth.alias < ESF_ALIASES_MAX && birth.type <= ESF_ETD_COUNTER);
		assert(birth.name_length > 0);
		check_span(etd, birth.name, birth.name_length);
		check_span(etd, birth.unit, birth.unit_length);
	}
	assert(count == etd->count && at == etd->records_size);
}

static void check_events(const struct esf_etd *etd)
{
	struct esf_etd_event_record event;
	uint32_t at = 0;
	uint32_t count = 0;

	for (; esf_etd_event_next(etd, &at, &event); count++) {
		assert(event.severity <= 7 && event.state <= ESF_ETD_CLEAR);
		check_span(etd, event.text, event.text_length);
	}
	assert(count == etd->count && at == etd->records_size);
}

static void check_accepted(const struct esf_etd *etd, const uint8_t *data, uint32_t size)
{
	assert(etd->site != 0 && etd->seq != 0 && etd->time >= 0);
	assert(esf_etd_peek_site(data, size) == etd->site);
	assert(etd->records == data + 32 && etd->records_size == size - 32);
	if ((etd->flags & ESF_ETD_SEALED) != 0) {
		assert(etd->records_size >= ESF_ETD_TAG_SIZE);
		return;
	}
	assert(etd->key == 0);
	if (etd->kind == ESF_ETD_DATA)
		check_data(etd);
	else if (etd->kind == ESF_ETD_BIRTH)
		check_births(etd);
	else if (etd->kind == ESF_ETD_EVENT)
		check_events(etd);
	else
		assert(etd->kind == ESF_ETD_DEATH && size == 32 && etd->count == 0);
}

/* Of an unsealed data datagram, told without the decoder. */
static bool is_good_data(const uint8_t *data, uint32_t size)
{
	uint32_t count;

	if (size < 32 || memcmp(data, "ETD1\2", 5) != 0 || (data[5] & ~ESF_ETD_BACKFILL) != 0)
		return false;
	if (memcmp(data + 8, "\0\0\0\0", 4) == 0 || memcmp(data + 20, "\0\0\0\0", 4) == 0 ||
	    memcmp(data + 14, "\0\0", 2) != 0)
		return false;
	count = data[6] + 256u * data[7];
	for (uint32_t i = 0; i < count && 48 + 16 * i <= size; i++) {
		if (data[32 + 16 * i + 2] > 2 || data[32 + 16 * i + 3] != 0)
			return false;
	}
	return size == 32 + 16 * count;
}

/* Four bytes a step: what to do with the boot, where to go from the highest number. */
static void walk_window(uint32_t boot, uint32_t seq, const uint8_t *steps, uint32_t count)
{
	static struct dedup_model model;
	uint64_t bitmap[ESF_SEQUENCE_WINDOW_MAX / 64] = { 0 };
	struct esf_dedup dedup = { 0 };
	uint32_t window = count % 2 == 0 ? 64 : 1024;
	uint32_t boot_limit = boot >= ESF_DEDUP_WAITS - 8 ? ESF_DEDUP_WAITS - 1 : boot + 8;

	model.boot = 0;
	model.count = 0;
	model.lost_before = 0;
	for (uint32_t i = 0; i <= count && i < 256; i++) {
		int verdict = esf_dedup_accept(&dedup, bitmap, window, boot, seq, boot_limit);
		int64_t next;

		assert(verdict == (int)dedup_model_accept(&model, window, boot, seq, boot_limit));
		assert(dedup.lost == dedup_model_lost(&model, window));
		assert(dedup.boot == model.boot && dedup.highest == dedup_model_highest(&model));
		if (i == count)
			break;
		boot = dedup.boot + (steps[4 * i] == 1) - (steps[4 * i] == 2 && dedup.boot != 0);
		next = dedup.highest +
		       (int64_t)(int8_t)steps[4 * i + 1] * (1 << (steps[4 * i + 2] % 26)) +
		       (int8_t)steps[4 * i + 3];
		seq = next < 1 ? 1 : next > UINT32_MAX ? UINT32_MAX : (uint32_t)next;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct esf_etd etd, again;
	enum esf_datagram_verdict verdict;

	if (size > ESF_DATAGRAM_MAX)
		return 0;
	memset(&etd, 0, sizeof(etd));
	memset(&again, 0xff, sizeof(again));
	verdict = esf_etd_parse(data, (uint32_t)size, &etd);
	assert(verdict == esf_etd_parse(data, (uint32_t)size, &again));
	assert(verdict == ESF_DATAGRAM_ACCEPTED || verdict == ESF_DATAGRAM_MALFORMED);
	assert(!is_good_data(data, (uint32_t)size) || verdict == ESF_DATAGRAM_ACCEPTED);
	(void)esf_etd_peek_site(data, (uint32_t)size);
	if (verdict != ESF_DATAGRAM_ACCEPTED)
		return 0;
	check_accepted(&etd, data, (uint32_t)size);
	walk_window(etd.boot, etd.seq, etd.records, etd.records_size / 4);
	return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ESF_ETD_H
#define ESF_ETD_H

#include <assert.h>
#include <stdbool.h>
#include <stdint.h>

#include "etd_wire.h"
#include "verdict.h"

/*
 * Decoder of ETD datagrams. Any thread; pure. Reads unaligned input; every read is inside the size
 * given. Parsing checks the whole datagram before a caller may change state by it: header fields
 * (magic, kind, flags, site and seq not 0, key 0 unless sealed), and for unsealed datagrams every
 * record (sizes, reserved bytes, quality, type, severity, state, UTF-8 of names and texts, alias of
 * births, no empty name, nothing trailing). A data record's alias is not judged here: one that
 * cannot be born is simply never born.
 */
struct esf_etd {
	uint8_t kind;  /* enum esf_etd_kind */
	uint8_t flags; /* enum esf_etd_flags */
	uint16_t count;
	uint32_t site;
	uint16_t stream;
	uint16_t key;
	uint32_t boot; /* Unix seconds */
	uint32_t seq;
	int64_t time; /* Unix ns; a time on the wire beyond INT64_MAX reads as INT64_MAX */
	const uint8_t *records;
	uint32_t records_size; /* bytes; of a sealed datagram: ciphertext and tag */
};

/* ESF_DATAGRAM_ACCEPTED with *out filled, or ESF_DATAGRAM_MALFORMED. */
enum esf_datagram_verdict esf_etd_parse(const uint8_t *data, uint32_t size, struct esf_etd *out);

/*
 * Puts the opened records of a sealed datagram (esf_seal_open) in place of the ciphertext and
 * checks them as those of an unsealed one are. ESF_DATAGRAM_ACCEPTED, or ESF_DATAGRAM_MALFORMED
 * with *etd as it was. flags and key stay, so that a sealed datagram can be told from others.
 */
enum esf_datagram_verdict esf_etd_unseal(struct esf_etd *etd, const uint8_t *plain, uint32_t size);

/* The site id without any check but size >= 12 and the magic; 0 where those fail. For steering. */
uint32_t esf_etd_peek_site(const uint8_t *data, uint32_t size);

struct esf_etd_data_record {
	uint16_t alias;
	uint8_t quality;
	int64_t time; /* Unix ns: header time + offset, saturated */
	double value;
};

/* Record index < etd->count of a parsed data datagram. */
void esf_etd_data_at(const struct esf_etd *etd, uint32_t index, struct esf_etd_data_record *out);

/*
 * The same as it stands on the wire, for who takes many at once. Quality and the reserved byte are
 * above the alias: of good quality it is the alias alone, of any other quality beyond all aliases.
 */
struct esf_etd_raw_record {
	uint32_t alias_and_quality;
	int32_t offset_us; /* from the header's time */
	double value;
};
static_assert(sizeof(struct esf_etd_raw_record) == ESF_ETD_DATA_SIZE, "no more, no less");

struct esf_etd_birth_record {
	uint16_t alias;
	uint8_t type;
	uint8_t name_length;
	uint8_t unit_length;
	const char *name; /* not terminated */
	const char *unit;
};

struct esf_etd_event_record {
	int64_t time; /* Unix ns, saturated */
	uint8_t severity;
	uint8_t state;
	uint16_t text_length;
	const char *text; /* not terminated */
};

/*
 * Walk the records of a parsed birth (event) datagram: *at starts as 0 and is the byte offset of
 * the next record. False when there are no more.
 */
bool esf_etd_birth_next(const struct esf_etd *etd, uint32_t *at, struct esf_etd_birth_record *out);
bool esf_etd_event_next(const struct esf_etd *etd, uint32_t *at, struct esf_etd_event_record *out);

#endif

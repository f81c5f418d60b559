/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ESF_ETD_WIRE_H
#define ESF_ETD_WIRE_H

/*
 * ETD, the eStream Telemetry Datagram, version 1: the layout on the wire, and nothing else, so that
 * decoder and encoders can share it. All integers little-endian; offsets and sizes in bytes.
 */
enum esf_etd_wire {
	ESF_ETD_MAGIC = 0x31445445, /* "ETD1" read as a little-endian u32 */

	ESF_ETD_AT_MAGIC = 0,   /* u32 */
	ESF_ETD_AT_KIND = 4,    /* u8, enum esf_etd_kind */
	ESF_ETD_AT_FLAGS = 5,   /* u8, enum esf_etd_flags; the rest 0 */
	ESF_ETD_AT_COUNT = 6,   /* u16, records that follow */
	ESF_ETD_AT_SITE = 8,    /* u32, 1.. */
	ESF_ETD_AT_STREAM = 12, /* u16 */
	ESF_ETD_AT_KEY = 14,    /* u16, key that sealed it, else 0 */
	ESF_ETD_AT_BOOT = 16,   /* u32, Unix seconds */
	ESF_ETD_AT_SEQ = 20,    /* u32, 1.. within the boot */
	ESF_ETD_AT_TIME = 24,   /* u64, Unix nanoseconds */
	ESF_ETD_HEADER_SIZE = 32,

	/* data record */
	ESF_ETD_DATA_AT_ALIAS = 0,    /* u16 */
	ESF_ETD_DATA_AT_QUALITY = 2,  /* u8, enum esf_etd_quality */
	ESF_ETD_DATA_AT_RESERVED = 3, /* u8, 0 */
	ESF_ETD_DATA_AT_OFFSET = 4,   /* i32, microseconds from the header's time */
	ESF_ETD_DATA_AT_VALUE = 8,    /* f64 */
	ESF_ETD_DATA_SIZE = 16,

	/* birth record: the fixed part, then name, then unit */
	ESF_ETD_BIRTH_AT_ALIAS = 0,       /* u16, below 1024 */
	ESF_ETD_BIRTH_AT_TYPE = 2,        /* u8, enum esf_etd_type */
	ESF_ETD_BIRTH_AT_NAME_LENGTH = 3, /* u8 */
	ESF_ETD_BIRTH_AT_UNIT_LENGTH = 4, /* u8 */
	ESF_ETD_BIRTH_AT_RESERVED = 5,    /* u8, 0 */
	ESF_ETD_BIRTH_SIZE = 6,

	/* event record: the fixed part, then text */
	ESF_ETD_EVENT_AT_OFFSET = 0,      /* i32, microseconds */
	ESF_ETD_EVENT_AT_SEVERITY = 4,    /* u8, 0..7 as in syslog */
	ESF_ETD_EVENT_AT_STATE = 5,       /* u8, enum esf_etd_state */
	ESF_ETD_EVENT_AT_TEXT_LENGTH = 6, /* u16 */
	ESF_ETD_EVENT_SIZE = 8,

	ESF_ETD_TAG_SIZE = 16, /* AES-128-GCM tag at the end of a sealed datagram */
};

enum esf_etd_kind {
	ESF_ETD_BIRTH = 1,
	ESF_ETD_DATA = 2,
	ESF_ETD_DEATH = 3,
	ESF_ETD_EVENT = 4,
};

enum esf_etd_flags {
	ESF_ETD_SEALED = 1 << 0,
	ESF_ETD_BACKFILL = 1 << 1,
};

enum esf_etd_quality { ESF_ETD_GOOD = 0, ESF_ETD_UNCERTAIN = 1, ESF_ETD_BAD = 2 };

enum esf_etd_type { ESF_ETD_GAUGE = 0, ESF_ETD_COUNTER = 1 };

enum esf_etd_state { ESF_ETD_MESSAGE = 0, ESF_ETD_RAISE = 1, ESF_ETD_CLEAR = 2 };

#endif

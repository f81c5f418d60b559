/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ESF_CONFIG_CSV_H
#define ESF_CONFIG_CSV_H

#include <stddef.h>
#include <stdint.h>

/*
 * Comma-separated values as RFC 4180 has them, in place: fields in quotes may hold commas, line
 * ends and doubled quotes; lines end in CRLF or LF, the last one perhaps in nothing. A byte order
 * mark at the start and empty lines are passed over. Fields are UTF-8 without NUL. One thread.
 */
enum {
	ESF_CSV_FIELDS_MAX = 64,
	ESF_CSV_FIELD_SIZE_MAX = 65535,
};

enum esf_csv_step { ESF_CSV_RECORD, ESF_CSV_FAULTY, ESF_CSV_END };

struct esf_csv {
	char *at, *end;
	uint32_t line; /* of at, from 1 */
};

struct esf_csv_record {
	uint32_t line; /* on which it begins; of a faulty one, on which its fault is */
	uint32_t count;
	char *fields[ESF_CSV_FIELDS_MAX]; /* in the bytes given; they live as long */
	const char *fault;                /* of a faulty one: what was got, and what was wanted */
};

/* data has room for one byte more than size, and is changed by the reading. */
struct esf_csv esf_csv_open(char *data, size_t size);

/* The next record; after a faulty one the reading goes on with the line after the fault. */
enum esf_csv_step esf_csv_next(struct esf_csv *csv, struct esf_csv_record *record);

#endif

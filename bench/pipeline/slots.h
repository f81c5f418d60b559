/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ESF_BENCH_SLOTS_H
#define ESF_BENCH_SLOTS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "control/config/config.h"

/*
 * A capture as a port plays it, datagram by datagram, and what is to be stamped in each. Read
 * before the ports start; immutable afterwards, so that any lcore may look.
 */
enum {
	ESF_SLOTS_MAX = 32768,     /* datagrams; what a net_pcap port has mbufs for */
	ESF_SLOT_PAYLOAD_AT = 42,  /* in the frame: behind Ethernet, IPv4 and UDP */
	ESF_SLOT_LINE_DIGITS = 19, /* of an Influx line's nanoseconds */
	ESF_SLOT_DATE_SIZE = 27,   /* of a syslog message's time, microseconds and Z */
};

struct esf_slot {
	uint16_t payload_size;
	uint8_t format; /* enum esf_format */
	bool sealed;
	uint16_t marks_count; /* times in its text */
	uint32_t first_mark;
	uint32_t plain; /* of a sealed one: offset of its records, opened, in `plain` */
};

struct esf_slots {
	uint32_t count;
	struct esf_slot *slots;
	uint16_t *marks; /* offsets in the payload */
	uint8_t *plain;
	uint32_t *frame_at; /* count + 1 offsets in `frames` */
	uint8_t *frames;
	size_t slots_room, marks_room, plain_room, frame_at_room, frames_room; /* bytes */
	uint32_t marks_count, plain_size;
	bool has_lines, has_dates;
};

/*
 * 0, or -errno after one line to errors. The configuration tells which port has which format and
 * where the keys are that open what is sealed.
 */
int esf_slots_read(
    const char *path, const struct esf_config *config, struct esf_slots *slots, FILE *errors);
void esf_slots_free(struct esf_slots *slots);

#endif

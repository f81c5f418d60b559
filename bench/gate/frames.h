/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ESF_GATE_FRAMES_H
#define ESF_GATE_FRAMES_H

#include <stdint.h>

/*
 * Frames as they come from the wire, made ahead: Ethernet, IPv4 and UDP with checksums that hold,
 * each with a time of its own and, in ETD, its site's next sequence number.
 */
enum {
	GATE_SITES = 64,   /* ids 1..64, names n-01..n-64 */
	GATE_MEASURES = 5, /* as many as fleetgen plays */
	GATE_FRAME_MAX = 1514,
	GATE_ETD_PORT = 47700,
	GATE_INFLUX_PORT = 8089,
};

#define GATE_T0 (INT64_C(1700000000) * 1000000000) /* Unix ns: a window's start */

extern const char *const gate_measure_names[GATE_MEASURES];
extern const uint8_t gate_our_ipv4[4];

struct gate_workload {
	const char *name;
	uint32_t datagrams; /* a multiple of a burst's 64 */
	uint32_t records;   /* of each datagram; Influx: lines * fields */
	uint32_t lines;     /* of each datagram; 0: ETD */
};

struct gate_frame {
	uint8_t data[GATE_FRAME_MAX];
	uint32_t size; /* bytes */
};

/* The birth of site 0..GATE_SITES-1, with which its sequence begins. */
void gate_frame_birth(struct gate_frame *frame, uint32_t site);

/* Datagram `index` of the workload; each burst's come from as many sites. */
void gate_frame_make(
    struct gate_frame *frame, const struct gate_workload *workload, uint32_t index);

#endif

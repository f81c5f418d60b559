/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ESF_BENCH_CAPTURE_H
#define ESF_BENCH_CAPTURE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/*
 * Writer of pcap files with nanosecond timestamps: Ethernet II, IPv4 or IPv6 (the destination's
 * kind), UDP, all checksums right. One thread.
 */
enum { ESF_CAPTURE_MAC_SIZE = 6, ESF_CAPTURE_ADDRESS_SIZE = 16 };

struct esf_capture_address {
	int family; /* AF_INET, AF_INET6 */
	uint8_t bytes[ESF_CAPTURE_ADDRESS_SIZE];
};

struct esf_capture_options {
	const char *path;
	uint8_t source_mac[ESF_CAPTURE_MAC_SIZE];
	uint8_t destination_mac[ESF_CAPTURE_MAC_SIZE];
	struct esf_capture_address source; /* the same family as the destination */
	struct esf_capture_address destination;
	uint16_t source_port;
	uint16_t destination_port;
	bool source_per_site; /* the source is 10.64.0.0 + site id, or the source's first 12 bytes
	                         and the id */
};

struct esf_capture;

/* False when text is no numeric address of either kind. */
bool esf_capture_address_parse(const char *text, struct esf_capture_address *out);

/* NULL with the reason printed to errors. */
struct esf_capture *esf_capture_create(const struct esf_capture_options *options, FILE *errors);

/* One datagram. path: source address instead of the usual one, NULL for none; of the destination's
 * family. */
void esf_capture_write(struct esf_capture *capture, int64_t time_ns, uint32_t site_id,
    const struct esf_capture_address *path, const uint8_t *payload, uint32_t size);

/* Flushes and closes. 0 or -errno of the first write that failed. */
int esf_capture_destroy(struct esf_capture *capture);

#endif

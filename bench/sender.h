/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ESF_BENCH_SENDER_H
#define ESF_BENCH_SENDER_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "traffic.h"

/*
 * Sends datagrams over an ordinary UDP socket at their times: each at start + its own offset, so
 * that being late once never shifts the rest. What is due goes out in batches (sendmmsg). Nothing
 * is dropped in silence: each datagram is either handed to the kernel or counted as unsent. One
 * thread.
 */
enum { ESF_SENDER_BATCH_MAX = 64 };

struct esf_sender_counts {
	uint64_t datagrams; /* the kernel took */
	uint64_t records;
	uint64_t bytes;  /* of payload */
	uint64_t errors; /* of the socket; most are overcome by trying again */
	uint64_t unsent; /* given up on */
};

struct esf_sender;

/*
 * Connects a socket to destination ("host:port", "[::1]:port"), from bind (address) unless NULL.
 * start_ns: the Unix time in datagrams' times that is now. NULL with the reason printed to errors.
 */
struct esf_sender *esf_sender_create(
    const char *destination, const char *bind_address, int64_t start_ns, FILE *errors);
void esf_sender_destroy(struct esf_sender *sender);

/*
 * Waits until the datagram is due and sends it, or has it go with the next batch. Returns false
 * once *stop is set (by a signal handler): the datagram is then not taken.
 */
bool esf_sender_send(struct esf_sender *sender, const struct esf_traffic_datagram *datagram,
    const volatile atomic_bool *stop);

/* Sends what waits. */
void esf_sender_flush(struct esf_sender *sender);

const struct esf_sender_counts *esf_sender_totals(const struct esf_sender *sender);

/* The last error's errno, 0 for none. */
int esf_sender_last_error(const struct esf_sender *sender);

#endif

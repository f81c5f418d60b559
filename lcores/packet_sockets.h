/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ESF_LCORES_PACKET_SOCKETS_H
#define ESF_LCORES_PACKET_SOCKETS_H

#include <stdint.h>

/*
 * The AF_PACKET sockets that net_af_packet made for a port: where its rings are full, the kernel
 * drops, and counts by socket (packet(7), PACKET_STATISTICS). DPDK 22.11 does not ask, and
 * /sys/class/net/IFACE/statistics knows nothing of it, since the interface did its part. The
 * sockets are this process's, so we ask them ourselves. Reading a socket's count clears it: nobody
 * else may. Control thread for finding; counting by one thread at a time, while the port is open.
 */
enum { ESF_PACKET_SOCKETS_MAX = 64 }; /* a queue each */

struct esf_packet_sockets {
	uint32_t count;
	int sockets[ESF_PACKET_SOCKETS_MAX]; /* the driver's */
	uint64_t dropped;                    /* as far as read */
};

/* The process's packet sockets that are bound to the interface; what they dropped so far is gone.
 */
void esf_packet_sockets_find(struct esf_packet_sockets *found, uint32_t interface);

/* Packets dropped since then. */
uint64_t esf_packet_sockets_dropped(struct esf_packet_sockets *sockets);

#endif

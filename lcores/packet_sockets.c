/* SPDX-License-Identifier: Apache-2.0 */
#include "packet_sockets.h"

#include <dirent.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <linux/if_packet.h>

static bool is_bound_to(int socket, uint32_t interface)
{
	struct sockaddr_ll address;
	socklen_t size = sizeof(address);

	memset(&address, 0, sizeof(address));
	return getsockname(socket, (struct sockaddr *)&address, &size) == 0 &&
	       address.sll_family == AF_PACKET && address.sll_ifindex == (int)interface;
}

void esf_packet_sockets_find(struct esf_packet_sockets *found, uint32_t interface)
{
	DIR *files = opendir("/proc/self/fd");
	const struct dirent *entry;

	memset(found, 0, sizeof(*found));
	if (files == NULL)
		return;
	while ((entry = readdir(files)) != NULL && found->count < ESF_PACKET_SOCKETS_MAX) {
		int socket = atoi(entry->d_name);

		if (entry->d_name[0] != '.' && is_bound_to(socket, interface))
			found->sockets[found->count++] = socket;
	}
	closedir(files);
	esf_packet_sockets_dropped(found);
	found->dropped = 0;
}

uint64_t esf_packet_sockets_dropped(struct esf_packet_sockets *sockets)
{
	for (uint32_t i = 0; i < sockets->count; i++) {
		struct tpacket_stats since;
		socklen_t size = sizeof(since);

		if (getsockopt(sockets->sockets[i], SOL_PACKET, PACKET_STATISTICS, &since, &size) ==
		    0)
			sockets->dropped += since.tp_drops;
	}
	return sockets->dropped;
}

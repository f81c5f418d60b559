/* SPDX-License-Identifier: Apache-2.0 */
#include "control/api/clients.h"

#include <stddef.h>
#include <sys/socket.h>

struct esf_client *esf_clients_add(struct esf_clients *clients, int fd, int64_t now_s)
{
	for (uint32_t i = 0; i < ESF_CLIENTS_MAX; i++) {
		struct esf_client *client = &clients->slots[i];

		if (client->used)
			continue;
		*client = (struct esf_client){ .used = true, .fd = fd, .since_s = now_s };
		return client;
	}
	return NULL;
}

void esf_clients_remove(struct esf_client *client)
{
	client->used = false;
}

void esf_clients_expire(struct esf_clients *clients, int64_t now_s)
{
	for (uint32_t i = 0; i < ESF_CLIENTS_MAX; i++) {
		const struct esf_client *client = &clients->slots[i];

		if (client->used && now_s - client->since_s > ESF_CLIENT_DEADLINE_S)
			shutdown(client->fd, SHUT_RDWR);
	}
}

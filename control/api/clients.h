/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ESF_CLIENTS_H
#define ESF_CLIENTS_H

#include <stdbool.h>
#include <stdint.h>

/*
 * The connections there are, and since when each has been at its present request. libmicrohttpd
 * ends idle connections only; a client that sends or takes a byte now and then would keep its place
 * for ever. Owner: the HTTP thread.
 */
enum {
	ESF_CLIENTS_MAX = 64,
	ESF_CLIENT_DEADLINE_S = 60, /* for a request and its answer */
};

struct esf_client {
	bool used;
	int fd;
	int64_t since_s; /* on the monotonic clock */
};

struct esf_clients {
	struct esf_client slots[ESF_CLIENTS_MAX];
};

/* NULL when all places are taken. */
struct esf_client *esf_clients_add(struct esf_clients *clients, int fd, int64_t now_s);
void esf_clients_remove(struct esf_client *client);

/* Shuts the sockets down whose request is past its deadline; the server then closes them. */
void esf_clients_expire(struct esf_clients *clients, int64_t now_s);

#endif

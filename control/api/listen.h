/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ESF_LISTEN_H
#define ESF_LISTEN_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/*
 * A listening TCP socket, non-blocking, on a numeric address. Returns it, or -errno after one line
 * to errors that names http.listen and says what to do.
 */
int esf_listen_open(const char *address, uint16_t port, FILE *errors);

/*
 * Whether a request with this Host header (NULL: none) may be one for a listener at the address. A
 * listener on loopback has no business with other names: a page of a foreign site whose DNS name
 * was rebound to 127.0.0.1 sends that name (DNS rebinding). Other listeners take any.
 */
bool esf_listen_takes_host(const char *address, const char *host);

/* Whether an Origin header names this server, as the request's Host does (which may be NULL). */
bool esf_listen_is_same_origin(const char *origin, const char *host);

#endif

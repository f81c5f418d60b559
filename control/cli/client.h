/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ESF_CLIENT_H
#define ESF_CLIENT_H

#include <jansson.h>
#include <stdio.h>

/*
 * Gets the API's documents over HTTP (libcurl). One thread.
 */
struct esf_client;

/* url: "http://HOST:PORT", the scheme may be left out. 0; -EINVAL or -ENOMEM after one line to
 * stderr. */
int esf_client_open(const char *url, struct esf_client **out);
void esf_client_close(struct esf_client *client);

/*
 * GET of a path (with its query). key: what the document must have; a server that answers without
 * is not ours. 0 with a new reference in *out; the HTTP status where the server refuses; -1 where
 * there is no answer that can be read. Else than 0: see esf_client_error.
 */
int esf_client_get(struct esf_client *client, const char *path, const char *key, json_t **out);

/* The same by POST, without a body. A refusal that lists faults gives its document all the same. */
int esf_client_post(struct esf_client *client, const char *path, const char *key, json_t **out);

/* What went wrong last, one line, without a line end. */
const char *esf_client_error(const struct esf_client *client);

/* The name as a part of a path or query, to be freed by esf_client_free_name; NULL when out of
 * memory. */
char *esf_client_name(struct esf_client *client, const char *name);
void esf_client_free_name(char *name);

#endif

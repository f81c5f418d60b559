/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ESF_PUSH_H
#define ESF_PUSH_H

#include <curl/curl.h>

#include "control/export/target.h"

/*
 * One POST of lines at a time, over libcurl's multi interface: nothing here waits for the server.
 * The exports' thread.
 */
enum { ESF_PUSH_ANSWER_SIZE = 2048 };

struct esf_push_result {
	long status;                     /* HTTP's; 0: no answer */
	int64_t retry_after_ns;          /* what the server wants; 0: nothing said */
	char text[ESF_PUSH_ANSWER_SIZE]; /* of the answer, cut; without one, what curl says */
};

struct esf_push;

/* owner: what esf_push_owner tells of the handle. NULL when out of memory. */
struct esf_push *esf_push_create(CURLM *multi, void *owner);
/* NULL is allowed. */
void esf_push_destroy(struct esf_push *push);

void *esf_push_owner(CURL *handle);

/* Where the lines are put, ESF_TARGET_BODY_MAX bytes; theirs until the request is over. */
char *esf_push_body(struct esf_push *push);

/* Begins. 0; -errno with the reason in error: a token that can't be read, or out of memory. */
int esf_push_begin(struct esf_push *push, const struct esf_target_settings *settings, size_t size,
    char error[ESF_TARGET_ERROR_SIZE]);

void esf_push_end(struct esf_push *push, CURLcode code, struct esf_push_result *out);

#endif

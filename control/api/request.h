/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ESF_REQUEST_H
#define ESF_REQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * A request as the routes see it: the path's segments and the query's parameters, percent-decoded
 * (RFC 3986 2.1) after they were split, so that a name may hold any character. Owner: the thread
 * that answers it; nothing is allocated.
 */
enum {
	ESF_REQUEST_SEGMENTS_MAX = 8,
	ESF_REQUEST_PARAMS_MAX = 8,
	ESF_REQUEST_TEXT_MAX = 2048, /* bytes of all decoded parts, terminators included */
};

struct esf_param {
	const char *name;
	const char *value;
};

struct esf_request {
	const char *method;
	uint32_t segments_count; /* "/" has none */
	const char *segments[ESF_REQUEST_SEGMENTS_MAX];
	uint32_t params_count;
	struct esf_param params[ESF_REQUEST_PARAMS_MAX];
	size_t text_used;
	char text[ESF_REQUEST_TEXT_MAX];
	char error[160]; /* after a refusal: why, for the client */
};

void esf_request_start(struct esf_request *request, const char *method);

/*
 * path: as sent, from its first slash, without the query. 0; -EINVAL where an escape is wrong or
 * what it stands for is no UTF-8 text; -E2BIG past one of the bounds.
 */
int esf_request_add_path(struct esf_request *request, const char *path);

/* One parameter as sent; a value of NULL is an empty one. As above, and -EINVAL where the name was
 * given before. */
int esf_request_add_param(struct esf_request *request, const char *name, const char *value);

/* NULL where the parameter was not given. */
const char *esf_request_param(const struct esf_request *request, const char *name);

/* True when the path is pattern, in which a part in capitals stands for any one:
 * "/api/v1/sites/NAME". */
bool esf_request_is(const struct esf_request *request, const char *pattern);

#endif

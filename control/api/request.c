/* SPDX-License-Identifier: Apache-2.0 */
#include "control/api/request.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

void esf_request_start(struct esf_request *request, const char *method)
{
	request->method = method;
	request->segments_count = 0;
	request->params_count = 0;
	request->text_used = 0;
	request->error[0] = '\0';
}

static int refuse(struct esf_request *request, int error, const char *why)
{
	snprintf(request->error, sizeof(request->error), "%s", why);
	return error;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

static int escaped_byte(const char *text, size_t left)
{
	int high, low;

	if (left < 3)
		return -1;
	high = hex_digit(text[1]);
	low = hex_digit(text[2]);
	return high < 0 || low < 0 ? -1 : high * 16 + low;
}

static bool is_utf8(const char *text, size_t size)
{
	json_t *probe = json_stringn(text, size);
	bool valid = probe != NULL;

	json_decref(probe);
	return valid;
}

/* Decodes size bytes into the request's text; *out is terminated. */
static int decode(struct esf_request *request, const char *raw, size_t size, const char **out)
{
	char *start = request->text + request->text_used;
	char *to = start;

	if (size + 1 > sizeof(request->text) - request->text_used)
		return refuse(request, -E2BIG, "the path and query are too long");
	for (size_t i = 0; i < size; i++) {
		int byte = (unsigned char)raw[i];

		if (raw[i] == '%') {
			byte = escaped_byte(raw + i, size - i);
			i += 2;
		}
		if (byte <= 0)
			return refuse(request, -EINVAL,
			    "a bad percent escape: want % and two hex digits, not %00");
		*to++ = (char)byte;
	}
	*to = '\0';
	if (!is_utf8(start, (size_t)(to - start)))
		return refuse(request, -EINVAL, "the path or query is not UTF-8");
	request->text_used += (size_t)(to - start) + 1;
	*out = start;
	return 0;
}

int esf_request_add_path(struct esf_request *request, const char *path)
{
	while (*path == '/') {
		size_t size = strcspn(++path, "/");
		int error;

		if (size == 0 && *path == '\0')
			break; /* a trailing slash means nothing */
		if (request->segments_count == ESF_REQUEST_SEGMENTS_MAX)
			return refuse(request, -E2BIG, "the path has too many parts");
		error = decode(request, path, size, &request->segments[request->segments_count]);
		if (error != 0)
			return error;
		request->segments_count++;
		path += size;
	}
	return 0;
}

int esf_request_add_param(struct esf_request *request, const char *name, const char *value)
{
	struct esf_param param;
	int error;

	if (request->params_count == ESF_REQUEST_PARAMS_MAX)
		return refuse(request, -E2BIG, "the query has too many parameters");
	if (value == NULL)
		value = "";
	error = decode(request, name, strlen(name), &param.name);
	if (error == 0)
		error = decode(request, value, strlen(value), &param.value);
	if (error != 0)
		return error;
	if (esf_request_param(request, param.name) != NULL)
		return refuse(request, -EINVAL, "a query parameter is given twice");
	request->params[request->params_count++] = param;
	return 0;
}

const char *esf_request_param(const struct esf_request *request, const char *name)
{
	for (uint32_t i = 0; i < request->params_count; i++) {
		if (strcmp(request->params[i].name, name) == 0)
			return request->params[i].value;
	}
	return NULL;
}

static bool part_is(const char *part, const char *pattern, size_t size)
{
	if (pattern[0] >= 'A' && pattern[0] <= 'Z')
		return part[0] != '\0';
	return strlen(part) == size && memcmp(part, pattern, size) == 0;
}

bool esf_request_is(const struct esf_request *request, const char *pattern)
{
	for (uint32_t i = 0; i < request->segments_count; i++) {
		size_t size = pattern[0] == '/' ? strcspn(pattern + 1, "/") : 0;

		if (size == 0 || !part_is(request->segments[i], pattern + 1, size))
			return false;
		pattern += size + 1;
	}
	return strcmp(pattern, request->segments_count == 0 ? "/" : "") == 0;
}

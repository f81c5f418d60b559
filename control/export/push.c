/* SPDX-License-Identifier: Apache-2.0 */
#include "control/export/push.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>
#include <zlib.h>

#include "control/keyfile.h"

#define NS_PER_S INT64_C(1000000000)
#define NS_PER_MS INT64_C(1000000)

struct esf_push {
	CURLM *multi;
	CURL *handle;
	void *owner;
	struct curl_slist *headers; /* of the request under way */
	bool busy;
	char *body;
	char *packed; /* by gzip; NULL: not needed yet */
	size_t answer_size;
	char answer[ESF_PUSH_ANSWER_SIZE];
	char error[CURL_ERROR_SIZE];
	char secret[ESF_KEYFILE_LINE_SIZE]; /* of the request under way; "": none */
};

struct esf_push *esf_push_create(CURLM *multi, void *owner)
{
	struct esf_push *push = calloc(1, sizeof(*push));

	if (push == NULL)
		return NULL;
	push->multi = multi;
	push->owner = owner;
	push->handle = curl_easy_init();
	push->body = malloc(ESF_TARGET_BODY_MAX);
	if (push->handle != NULL && push->body != NULL)
		return push;
	esf_push_destroy(push);
	return NULL;
}

static void let_go(struct esf_push *push)
{
	if (push->busy)
		curl_multi_remove_handle(push->multi, push->handle);
	push->busy = false;
	curl_slist_free_all(push->headers);
	push->headers = NULL;
	esf_keyfile_wipe(push->secret);
}

void esf_push_destroy(struct esf_push *push)
{
	if (push == NULL)
		return;
	let_go(push);
	if (push->handle != NULL)
		curl_easy_cleanup(push->handle);
	free(push->body);
	free(push->packed);
	free(push);
}

void *esf_push_owner(CURL *handle)
{
	char *private = NULL;

	curl_easy_getinfo(handle, CURLINFO_PRIVATE, &private);
	return ((struct esf_push *)private)->owner;
}

char *esf_push_body(struct esf_push *push)
{
	return push->body;
}

/* The answer's begin is kept, the rest read and thrown away. */
static size_t keep_answer(char *data, size_t size, size_t count, void *context)
{
	struct esf_push *push = context;
	size_t room = sizeof(push->answer) - 1 - push->answer_size, kept = size * count;

	if (kept > room)
		kept = room;
	memcpy(push->answer + push->answer_size, data, kept);
	push->answer_size += kept;
	return size * count;
}

static bool add_header(struct esf_push *push, const char *header)
{
	struct curl_slist *grown = curl_slist_append(push->headers, header);

	if (grown == NULL)
		return false;
	push->headers = grown;
	return true;
}

/* One word is a bearer's token; what has a blank is all of the header. */
static int add_token(struct esf_push *push, const char *path, char *error)
{
	char header[ESF_KEYFILE_LINE_SIZE + 32];
	int result = esf_keyfile_read_line(path, push->secret, error, ESF_TARGET_ERROR_SIZE);

	if (result != 0)
		return result;
	snprintf(header, sizeof(header), "Authorization: %s%s",
	    strchr(push->secret, ' ') == NULL ? "Bearer " : "", push->secret);
	result = add_header(push, header) ? 0 : -ENOMEM;
	sodium_memzero(header, sizeof(header));
	return result;
}

static void blot_out(char *text, const char *secret)
{
	size_t size = strlen(secret);

	for (char *at = strstr(text, secret); size > 0 && at != NULL; at = strstr(at, secret))
		memset(at, '*', size);
}

/* Servers say what they were sent: vmauth the token that it does not know. */
static void hide_secret(const struct esf_push *push, char *text)
{
	const char *word = strchr(push->secret, ' ');

	blot_out(text, push->secret);
	if (word != NULL)
		blot_out(text, word + 1);
}

/* Its size; 0: out of memory. */
static size_t pack(struct esf_push *push, size_t size)
{
	enum { GZIP = 16, ROOM = ESF_TARGET_BODY_MAX + ESF_TARGET_BODY_MAX / 16 };
	z_stream stream = { .next_in = (Bytef *)push->body, .avail_in = (uInt)size };
	size_t packed = 0;

	if (push->packed == NULL)
		push->packed = malloc(ROOM);
	if (push->packed == NULL ||
	    deflateInit2(&stream, 6, Z_DEFLATED, MAX_WBITS + GZIP, 8, Z_DEFAULT_STRATEGY) != Z_OK)
		return 0;
	stream.next_out = (Bytef *)push->packed;
	stream.avail_out = ROOM;
	if (deflate(&stream, Z_FINISH) == Z_STREAM_END)
		packed = stream.total_out;
	deflateEnd(&stream);
	return packed;
}

static int set_body(struct esf_push *push, const struct esf_target_settings *settings, size_t size)
{
	const char *body = push->body;

	if (settings->gzip) {
		body = push->packed;
		size = pack(push, size);
		body = push->packed;
		if (size == 0 || !add_header(push, "Content-Encoding: gzip"))
			return -ENOMEM;
	}
	curl_easy_setopt(push->handle, CURLOPT_POSTFIELDS, body);
	curl_easy_setopt(push->handle, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)size);
	return 0;
}

/* No redirect is followed: it could lead the token elsewhere. */
static void set_options(struct esf_push *push, const struct esf_target_settings *settings)
{
	CURL *handle = push->handle;
	long timeout_ms = (long)(settings->timeout_ns / NS_PER_MS);

	curl_easy_setopt(handle, CURLOPT_URL, settings->url);
	curl_easy_setopt(handle, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(handle, CURLOPT_PROXY, "");
	curl_easy_setopt(handle, CURLOPT_USERAGENT, "estream-fleetd");
	curl_easy_setopt(handle, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(handle, CURLOPT_TIMEOUT_MS, timeout_ms);
	curl_easy_setopt(handle, CURLOPT_CONNECTTIMEOUT_MS, timeout_ms);
	curl_easy_setopt(handle, CURLOPT_WRITEFUNCTION, keep_answer);
	curl_easy_setopt(handle, CURLOPT_WRITEDATA, push);
	curl_easy_setopt(handle, CURLOPT_ERRORBUFFER, push->error);
	curl_easy_setopt(handle, CURLOPT_PRIVATE, push);
	curl_easy_setopt(handle, CURLOPT_HTTPHEADER, push->headers);
	if (settings->ca_file != NULL)
		curl_easy_setopt(handle, CURLOPT_CAINFO, settings->ca_file);
}

int esf_push_begin(struct esf_push *push, const struct esf_target_settings *settings, size_t size,
    char error[ESF_TARGET_ERROR_SIZE])
{
	int result = 0;

	curl_easy_reset(push->handle);
	push->answer_size = 0;
	push->error[0] = '\0';
	snprintf(error, ESF_TARGET_ERROR_SIZE, "out of memory");
	if (settings->token_file != NULL)
		result = add_token(push, settings->token_file, error);
	if (result == 0 && (!add_header(push, "Content-Type: text/plain; charset=utf-8") ||
	                       !add_header(push, "Expect:")))
		result = -ENOMEM;
	if (result == 0)
		result = set_body(push, settings, size);
	if (result == 0) {
		set_options(push, settings);
		push->busy = true;
		if (curl_multi_add_handle(push->multi, push->handle) == CURLM_OK)
			return 0;
		push->busy = false;
		result = -ENOMEM;
	}
	let_go(push);
	return result;
}

void esf_push_end(struct esf_push *push, CURLcode code, struct esf_push_result *out)
{
	curl_off_t retry_after_s = 0;

	*out = (struct esf_push_result){ 0 };
	push->answer[push->answer_size] = '\0';
	if (code == CURLE_OK) {
		curl_easy_getinfo(push->handle, CURLINFO_RESPONSE_CODE, &out->status);
		curl_easy_getinfo(push->handle, CURLINFO_RETRY_AFTER, &retry_after_s);
		memcpy(out->text, push->answer, push->answer_size + 1);
	} else {
		snprintf(out->text, sizeof(out->text), "%s",
		    push->error[0] != '\0' ? push->error : curl_easy_strerror(code));
	}
	hide_secret(push, out->text);
	if (retry_after_s > 0)
		out->retry_after_ns =
		    (retry_after_s > 300 ? 300 : (int64_t)retry_after_s) * NS_PER_S;
	let_go(push);
}

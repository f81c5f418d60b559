/* SPDX-License-Identifier: Apache-2.0 */
#include "control/cli/client.h"

#include <curl/curl.h>
#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum {
	URL_SIZE = 256,
	ERROR_SIZE = 1024,
	CONNECT_TIMEOUT_S = 5,
	TIMEOUT_S = 30,
	BODY_SIZE_MAX = 256 * 1024 * 1024,
};

struct esf_client {
	CURL *curl;
	char url[URL_SIZE]; /* without a slash at its end */
	char error[ERROR_SIZE];
};

/* An answer's body while it comes in. */
struct body {
	char *text;
	size_t size;
	size_t room;
};

static bool make_room(struct body *body, size_t size)
{
	size_t room = body->room * 2 > size ? body->room * 2 : size;
	char *text;

	if (size <= body->room)
		return true;
	text = realloc(body->text, room);
	if (text == NULL)
		return false;
	body->text = text;
	body->room = room;
	return true;
}

static size_t receive(char *data, size_t unit, size_t count, void *context)
{
	struct body *body = context;
	size_t size = unit * count;

	if (size > BODY_SIZE_MAX - body->size || !make_room(body, body->size + size))
		return 0;
	memcpy(body->text + body->size, data, size);
	body->size += size;
	return size;
}

static int set_url(struct esf_client *client, const char *url)
{
	const char *scheme = strstr(url, "://");
	int size;

	if (scheme != NULL && strncmp(url, "http://", 7) != 0) {
		fprintf(stderr, "fleetctl: --url %s: want http://HOST:PORT\n", url);
		return -EINVAL;
	}
	size = snprintf(client->url, URL_SIZE, "%s%s", scheme == NULL ? "http://" : "", url);
	while (size > 0 && size < URL_SIZE && client->url[size - 1] == '/')
		client->url[--size] = '\0';
	if (size > 7 && size < URL_SIZE && client->url[7] != '/')
		return 0;
	fprintf(stderr, "fleetctl: --url %s: want http://HOST:PORT\n", url);
	return -EINVAL;
}

static void set_options(CURL *curl)
{
	curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http");
	curl_easy_setopt(curl, CURLOPT_PROXY, "");
	curl_easy_setopt(curl, CURLOPT_PATH_AS_IS, 1L); /* a site may be named ".." */
	curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, (long)CONNECT_TIMEOUT_S);
	curl_easy_setopt(curl, CURLOPT_TIMEOUT, (long)TIMEOUT_S);
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(curl, CURLOPT_USERAGENT, "fleetctl");
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, receive);
}

int esf_client_open(const char *url, struct esf_client **out)
{
	struct esf_client *client = calloc(1, sizeof(*client));
	int error = client == NULL ? -ENOMEM : set_url(client, url);

	if (error == 0) {
		client->curl = curl_easy_init();
		error = client->curl == NULL ? -ENOMEM : 0;
	}
	if (error == 0) {
		set_options(client->curl);
		*out = client;
		return 0;
	}
	if (error == -ENOMEM)
		fputs("fleetctl: out of memory\n", stderr);
	free(client);
	return error;
}

void esf_client_close(struct esf_client *client)
{
	curl_easy_cleanup(client->curl);
	free(client);
}

static int fail_transfer(struct esf_client *client, CURLcode code)
{
	const char *why = curl_easy_strerror(code), *advice = "";
	long os_error = 0;

	curl_easy_getinfo(client->curl, CURLINFO_OS_ERRNO, &os_error);
	if (code == CURLE_COULDNT_CONNECT && os_error == ECONNREFUSED) {
		why = "connection refused";
		advice = ": is estream-fleetd running there? give --url";
	} else if (code == CURLE_COULDNT_CONNECT && os_error != 0) {
		why = strerror((int)os_error);
		advice = ": give --url";
	}
	snprintf(client->error, ERROR_SIZE, "%s: %c%s%s", client->url,
	    islower(why[1]) ? tolower(why[0]) : why[0], why + 1, advice);
	return -1;
}

static int fail_http(struct esf_client *client, long status, const json_t *document)
{
	const char *message = json_string_value(json_object_get(document, "error"));

	if (message != NULL && json_object_get(document, "paths") != NULL)
		snprintf(client->error, ERROR_SIZE,
		    "%s: %s: want http://HOST:PORT of an "
		    "estream-fleetd of this version",
		    client->url, message);
	else if (message != NULL)
		snprintf(client->error, ERROR_SIZE, "%s", message);
	else
		snprintf(client->error, ERROR_SIZE,
		    "%s: HTTP status %ld without a message: is it estream-fleetd that answers "
		    "there?",
		    client->url, status);
	return (int)status;
}

static int read_answer(
    struct esf_client *client, const struct body *body, const char *key, json_t **out)
{
	json_t *document = body->size > 0 ? json_loadb(body->text, body->size, 0, NULL) : NULL;
	long status = 0;

	curl_easy_getinfo(client->curl, CURLINFO_RESPONSE_CODE, &status);
	if (status == 200 && json_object_get(document, key) != NULL) {
		*out = document;
		return 0;
	}
	if (status != 200) {
		status = fail_http(client, status, document);
		if (json_object_get(document, "faults") != NULL)
			*out = json_incref(document);
	} else {
		snprintf(client->error, ERROR_SIZE,
		    "%s: not an answer of the API: is it estream-fleetd that answers there?",
		    client->url);
		status = -1;
	}
	json_decref(document);
	return (int)status;
}

int esf_client_get(struct esf_client *client, const char *path, const char *key, json_t **out)
{
	struct body body = { 0 };
	char url[URL_SIZE + 1024];
	CURLcode code;
	int result;

	if (snprintf(url, sizeof(url), "%s%s", client->url, path) >= (int)sizeof(url)) {
		snprintf(client->error, ERROR_SIZE, "the name is too long");
		return 414;
	}
	curl_easy_setopt(client->curl, CURLOPT_URL, url);
	curl_easy_setopt(client->curl, CURLOPT_WRITEDATA, &body);
	code = curl_easy_perform(client->curl);
	if (code != CURLE_OK)
		result = fail_transfer(client, code);
	else
		result = read_answer(client, &body, key, out);
	free(body.text);
	return result;
}

int esf_client_post(struct esf_client *client, const char *path, const char *key, json_t **out)
{
	int result;

	curl_easy_setopt(client->curl, CURLOPT_POSTFIELDS, "");
	result = esf_client_get(client, path, key, out);
	curl_easy_setopt(client->curl, CURLOPT_HTTPGET, 1L);
	return result;
}

const char *esf_client_error(const struct esf_client *client)
{
	return client->error;
}

char *esf_client_name(struct esf_client *client, const char *name)
{
	return curl_easy_escape(client->curl, name, 0);
}

void esf_client_free_name(char *name)
{
	curl_free(name);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "control/api/http.h"

#include <errno.h>
#include <microhttpd.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <urcu-qsbr.h>

#include "control/api/clients.h"
#include "control/api/listen.h"
#include "control/api/routes.h"

enum {
	IDLE_S = 10,                 /* a connection without a byte */
	CONNECTION_SIZE = 32 * 1024, /* bytes: request line and headers */
	POLL_MS = 200,               /* how soon a stop is seen */
};

/* Owner: the HTTP thread, but for stop. */
struct esf_http {
	struct esf_api_sources sources;
	FILE *errors;
	struct MHD_Daemon *daemon;
	pthread_t thread;
	int64_t complained_s;
	struct esf_clients clients;
	/* Set by esf_http_stop with release, pairs with serve's acquire. */
	_Alignas(ESF_CACHE_LINE) atomic_bool stop;
};

/* The server's own mark on a request whose headers it has shown us. */
static char headers_seen;

static int64_t monotonic_s(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec;
}

/* One a second: what clients do must not fill the log. */
static void complain(void *context, const char *format, va_list arguments)
{
	struct esf_http *http = context;
	int64_t now_s = monotonic_s();
	char message[256];
	size_t size;

	if (http->complained_s == now_s)
		return;
	http->complained_s = now_s;
	vsnprintf(message, sizeof(message), format, arguments);
	size = strcspn(message, "\r\n");
	fprintf(http->errors, "estream-fleetd: http: %.*s\n", (int)size, message);
}

/* Decoding is ours: after splitting, and strict. */
static size_t keep_escapes(void *context, struct MHD_Connection *connection, char *text)
{
	(void)context;
	(void)connection;
	return strlen(text);
}

static struct esf_client *client_of(struct MHD_Connection *connection)
{
	const union MHD_ConnectionInfo *info =
	    MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);

	return info != NULL ? info->socket_context : NULL;
}

static void on_connection(void *context, struct MHD_Connection *connection, void **client,
    enum MHD_ConnectionNotificationCode what)
{
	struct esf_http *http = context;
	const union MHD_ConnectionInfo *info;

	if (what == MHD_CONNECTION_NOTIFY_STARTED) {
		info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
		*client = esf_clients_add(&http->clients, info->connect_fd, monotonic_s());
	} else if (*client != NULL) {
		esf_clients_remove(*client);
		*client = NULL;
	}
}

static void on_completed(void *context, struct MHD_Connection *connection, void **state,
    enum MHD_RequestTerminationCode why)
{
	struct esf_client *client = client_of(connection);

	(void)context;
	(void)state;
	(void)why;
	if (client != NULL)
		client->since_s = monotonic_s();
}

static enum MHD_Result send_reply(struct MHD_Connection *connection, struct esf_reply *reply)
{
	static const char *const headers[][2] = {
		{ "Cache-Control", "no-store" },
		{ "X-Content-Type-Options", "nosniff" },
		{ "X-Frame-Options", "DENY" },
		{ "Referrer-Policy", "no-referrer" },
		{ "Cross-Origin-Resource-Policy", "same-origin" },
		{ "Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'" },
	};
	struct MHD_Response *response;
	enum MHD_Result result;

	if (reply->body == NULL)
		return MHD_NO;
	response = MHD_create_response_from_buffer(reply->size, reply->body, MHD_RESPMEM_MUST_FREE);
	if (response == NULL) {
		free(reply->body);
		return MHD_NO;
	}
	for (size_t i = 0; i < sizeof(headers) / sizeof(headers[0]); i++)
		MHD_add_response_header(response, headers[i][0], headers[i][1]);
	MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, reply->type);
	if (reply->allow != NULL)
		MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, reply->allow);
	result = MHD_queue_response(connection, reply->status, response);
	MHD_destroy_response(response);
	return result;
}

/* The first refusal of a query's parameters ends their reading. */
struct query {
	struct esf_request *request;
	int error;
};

static enum MHD_Result add_param(
    void *context, enum MHD_ValueKind kind, const char *name, const char *value)
{
	struct query *query = context;

	(void)kind;
	query->error = esf_request_add_param(query->request, name, value);
	return query->error == 0 ? MHD_YES : MHD_NO;
}

/* A page of another site may make a browser send a POST, but not without saying where from. */
static bool is_cross_origin(struct MHD_Connection *connection, const char *method, const char *host)
{
	const char *origin =
	    MHD_lookup_connection_value(connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_ORIGIN);

	return strcmp(method, "POST") == 0 && origin != NULL &&
	       !esf_listen_is_same_origin(origin, host);
}

static enum MHD_Result answer(
    struct esf_http *http, struct MHD_Connection *connection, const char *path, const char *method)
{
	const char *host =
	    MHD_lookup_connection_value(connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_HOST);
	struct esf_request request;
	struct esf_reply reply = { 0 };
	struct query query = { .request = &request };

	esf_request_start(&request, method);
	query.error = esf_request_add_path(&request, path);
	if (query.error == 0)
		MHD_get_connection_values(connection, MHD_GET_ARGUMENT_KIND, add_param, &query);
	if (!esf_listen_takes_host(http->sources.config->http.address, host))
		esf_reply_error(&reply, 403,
		    "Host: got \"%.100s\", want localhost, 127.0.0.1 or [::1]: this listener is on "
		    "loopback, so a request under another name may be DNS rebinding",
		    host);
	else if (is_cross_origin(connection, method, host))
		esf_reply_error(&reply, 403,
		    "Origin: got one that is not this server's own: a state may only be changed "
		    "from "
		    "here, or by a client that sends no Origin");
	else if (query.error != 0)
		esf_routes_refuse(&request, query.error, &reply);
	else
		esf_routes_answer(&http->sources, &request, &reply);
	return send_reply(connection, &reply);
}

static bool has_body(struct MHD_Connection *connection)
{
	return MHD_lookup_connection_value(
	           connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_CONTENT_LENGTH) != NULL ||
	       MHD_lookup_connection_value(
	           connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_TRANSFER_ENCODING) != NULL;
}

/*
 * Called once the headers are in, and again at the request's end. Answering the first call ends the
 * connection without reading a body: that is what one gets who sends a body.
 */
static enum MHD_Result on_request(void *context, struct MHD_Connection *connection,
    const char *path, const char *method, const char *version, const char *upload,
    size_t *upload_size, void **state)
{
	(void)version;
	(void)upload;
	*upload_size = 0;
	if (*state == NULL && !has_body(connection)) {
		*state = &headers_seen;
		return MHD_YES;
	}
	return answer(context, connection, path, method);
}

static void *serve(void *context)
{
	struct esf_http *http = context;

	pthread_setname_np(pthread_self(), "esf-http");
	rcu_register_thread();
	rcu_thread_offline();
	while (!atomic_load_explicit(&http->stop, memory_order_acquire)) {
		MHD_run_wait(http->daemon, POLL_MS);
		esf_clients_expire(&http->clients, monotonic_s());
	}
	rcu_unregister_thread();
	return NULL;
}

static struct MHD_Daemon *start_daemon(struct esf_http *http, int fd)
{
	return MHD_start_daemon(MHD_USE_EPOLL | MHD_USE_ERROR_LOG, 0, NULL, NULL, on_request, http,
	    MHD_OPTION_EXTERNAL_LOGGER, complain, http, MHD_OPTION_LISTEN_SOCKET, fd,
	    MHD_OPTION_CONNECTION_LIMIT, (unsigned int)ESF_CLIENTS_MAX,
	    MHD_OPTION_CONNECTION_TIMEOUT, (unsigned int)IDLE_S, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
	    (size_t)CONNECTION_SIZE, MHD_OPTION_UNESCAPE_CALLBACK, keep_escapes, NULL,
	    MHD_OPTION_NOTIFY_CONNECTION, on_connection, http, MHD_OPTION_NOTIFY_COMPLETED,
	    on_completed, http, MHD_OPTION_END);
}

/* Signals are the main thread's to take. */
static int start_thread(struct esf_http *http)
{
	sigset_t all, former;
	int error;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &former);
	error = pthread_create(&http->thread, NULL, serve, http);
	pthread_sigmask(SIG_SETMASK, &former, NULL);
	return -error;
}

int esf_http_start(const struct esf_api_sources *sources, struct esf_http **out, FILE *errors)
{
	struct esf_http *http;
	int fd = esf_listen_open(sources->config->http.address, sources->config->http.port, errors);
	int error;

	if (fd < 0)
		return fd;
	http = aligned_alloc(ESF_CACHE_LINE, sizeof(*http));
	if (http == NULL) {
		close(fd);
		fprintf(errors, "estream-fleetd: http: out of memory\n");
		return -ENOMEM;
	}
	memset(http, 0, sizeof(*http));
	http->sources = *sources;
	http->errors = errors;
	atomic_init(&http->stop, false);
	http->daemon = start_daemon(http, fd);
	error = http->daemon != NULL ? start_thread(http) : -EIO;
	if (error == 0) {
		*out = http;
		return 0;
	}
	fprintf(errors, "estream-fleetd: http: the server did not start: %s\n", strerror(-error));
	if (http->daemon != NULL)
		MHD_stop_daemon(http->daemon);
	else
		close(fd);
	free(http);
	return error;
}

void esf_http_stop(struct esf_http *http)
{
	if (http == NULL)
		return;
	atomic_store_explicit(&http->stop, true, memory_order_release);
	pthread_join(http->thread, NULL);
	MHD_stop_daemon(http->daemon);
	free(http);
}

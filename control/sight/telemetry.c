/* SPDX-License-Identifier: Apache-2.0 */
#include "control/sight/telemetry.h"

#include <pthread.h>
#include <stdlib.h>

#include <rte_telemetry.h>
#include <urcu-qsbr.h>

#include "control/api/answers.h"

/*
 * DPDK gives its callbacks no context and never forgets a command, so the sources are a global that
 * can be taken away. The lock makes taking away wait for the callbacks under way; they run in
 * DPDK's threads, off the packet path.
 */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct esf_api_sources sources;
static bool started;

typedef json_t *(*build_fn)(const struct esf_answer *answer);

static struct rte_tel_data *convert(const json_t *document);

static void add_real(struct rte_tel_data *to, const char *key, double value)
{
	char text[32];

	snprintf(text, sizeof(text), "%.10g", value);
	rte_tel_data_add_dict_string(to, key, text);
}

/* DPDK 22.11 writes escapes that JSON does not know for bytes beyond ASCII. */
static void add_text(struct rte_tel_data *to, const char *key, const char *value)
{
	char text[RTE_TEL_MAX_STRING_LEN];
	size_t size = 0;

	for (; value[size] != '\0' && size < sizeof(text) - 1; size++)
		text[size] = value[size] >= ' ' && value[size] <= '~' ? value[size] : '?';
	text[size] = '\0';
	rte_tel_data_add_dict_string(to, key, text);
}

static void add_container(struct rte_tel_data *to, const char *key, const json_t *value)
{
	struct rte_tel_data *inner = convert(value);

	if (inner != NULL && rte_tel_data_add_dict_container(to, key, inner, 0) != 0)
		rte_tel_data_free(inner);
}

/* A list of objects as an object: "0" is its first. Other lists are left out. */
static void add_list(struct rte_tel_data *to, const char *key, const json_t *list)
{
	json_t *object = json_object(), *value;
	size_t i;

	json_array_foreach (list, i, value) {
		char position[24];

		snprintf(position, sizeof(position), "%zu", i);
		if (json_is_object(value))
			json_object_set(object, position, value);
	}
	if (json_object_size(object) == json_array_size(list))
		add_container(to, key, object);
	json_decref(object);
}

static void add(struct rte_tel_data *to, const char *key, const json_t *value)
{
	switch (json_typeof(value)) {
	case JSON_INTEGER:
		rte_tel_data_add_dict_u64(to, key, (uint64_t)json_integer_value(value));
		break;
	case JSON_REAL:
		add_real(to, key, json_real_value(value));
		break;
	case JSON_STRING:
		add_text(to, key, json_string_value(value));
		break;
	case JSON_TRUE:
	case JSON_FALSE:
		rte_tel_data_add_dict_string(to, key, json_is_true(value) ? "true" : "false");
		break;
	case JSON_OBJECT:
		add_container(to, key, value);
		break;
	case JSON_ARRAY:
		add_list(to, key, value);
		break;
	case JSON_NULL:
		break;
	}
}

static void fill(struct rte_tel_data *to, const json_t *document)
{
	const char *key;
	json_t *value;

	rte_tel_data_start_dict(to);
	json_object_foreach ((json_t *)document, key, value)
		add(to, key, value);
}

static struct rte_tel_data *convert(const json_t *document)
{
	struct rte_tel_data *data = rte_tel_data_alloc();

	if (data != NULL)
		fill(data, document);
	return data;
}

static void fill_refusal(struct rte_tel_data *to, const struct esf_reply *reply)
{
	json_t *document = reply->body != NULL ? json_loads(reply->body, 0, NULL) : NULL;

	rte_tel_data_start_dict(to);
	add_text(to, "error",
	    document != NULL ? json_string_value(json_object_get(document, "error"))
	                     : "out of memory");
	json_decref(document);
}

/* The thread is DPDK's: it is a reader for this one document only. */
static json_t *build_document(build_fn build, struct esf_answer *answer)
{
	json_t *document = NULL;

	rcu_register_thread();
	rcu_read_lock();
	answer->view = esf_views_closed(sources.views);
	if (answer->view != NULL || build == esf_answer_ledger || build == esf_answer_pipeline)
		document = build(answer);
	else
		esf_reply_error(answer->reply, 503, "no window has closed yet");
	rcu_read_unlock();
	rcu_unregister_thread();
	return document;
}

static int answer(build_fn build, const struct esf_request *request, struct rte_tel_data *info)
{
	struct esf_reply reply = { 0 };
	struct esf_answer of = { .sources = &sources, .request = request, .reply = &reply };
	json_t *document;

	pthread_mutex_lock(&lock);
	if (started)
		document = build_document(build, &of);
	else
		document = json_pack("{s:s}", "error", "estream-fleetd is stopping");
	pthread_mutex_unlock(&lock);
	if (document != NULL)
		fill(info, document);
	else
		fill_refusal(info, &reply);
	json_decref(document);
	free(reply.body);
	return 0;
}

static bool is_given(const char *params)
{
	return params != NULL && params[0] != '\0';
}

static int answer_ledger(const char *command, const char *params, struct rte_tel_data *info)
{
	struct esf_request request;

	(void)command;
	esf_request_start(&request, "GET");
	if (is_given(params)) {
		request.params[0] = (struct esf_param){ "site", params };
		request.params_count = 1;
	}
	return answer(esf_answer_ledger, &request, info);
}

static int answer_pipeline(const char *command, const char *params, struct rte_tel_data *info)
{
	struct esf_request request;

	(void)command;
	esf_request_start(&request, "GET");
	if (is_given(params)) {
		request.params[0] = (struct esf_param){ "lcore", params };
		request.params_count = 1;
	}
	return answer(esf_answer_pipeline, &request, info);
}

static int answer_fleet(const char *command, const char *params, struct rte_tel_data *info)
{
	struct esf_request request;

	(void)command;
	esf_request_start(&request, "GET");
	if (!is_given(params))
		return answer(esf_answer_fleet, &request, info);
	request.segments[ESF_ANSWER_NAME] = params;
	return answer(esf_answer_region, &request, info);
}

int esf_telemetry_start(const struct esf_api_sources *from)
{
	int error;

	pthread_mutex_lock(&lock);
	sources = *from;
	started = true;
	pthread_mutex_unlock(&lock);
	error = rte_telemetry_register_cmd("/estream/ledger", answer_ledger,
	    "What became of every datagram and record. Parameter: a site's name, for that site's");
	if (error == 0)
		error = rte_telemetry_register_cmd("/estream/pipeline", answer_pipeline,
		    "What the poll loops do, in cycles. Parameter: a data lcore, for that one's");
	if (error == 0)
		error = rte_telemetry_register_cmd("/estream/fleet", answer_fleet,
		    "The fleet in the latest closed window. Parameter: a region's name, for that "
		    "one");
	if (error != 0)
		esf_telemetry_stop();
	return error;
}

void esf_telemetry_stop(void)
{
	pthread_mutex_lock(&lock);
	started = false;
	pthread_mutex_unlock(&lock);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "control/api/answers.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>

#include "control/api/document.h"
#include "dataplane/limits.h"
#include "lcores/launch.h"

/* What the poll loops do, and at which price. */

enum { LCORE_MAX = 127, LCORE_ANY = -1 };

static json_t *count(uint64_t value)
{
	return json_integer((json_int_t)value);
}

static json_t *ratio(uint64_t of, double to)
{
	return to > 0 ? json_real((double)of / to) : json_null();
}

static json_t *nodes_of(const struct esf_nodes_counts *counts)
{
	json_t *nodes = json_array();

	for (uint32_t i = 0; i < ESF_NODES_COUNT; i++)
		json_array_append_new(
		    nodes, json_pack("{s:s, s:o, s:o, s:o}", "node", esf_node_names[i], "in",
		               count(counts->node[i].in), "out", count(counts->node[i].out),
		               "cycles", count(counts->node[i].cycles)));
	return nodes;
}

static json_t *recent_of(const struct esf_lcore_recent *recent)
{
	if (recent->seconds <= 0)
		return json_null();
	return json_pack("{s:f, s:o, s:o, s:o, s:o, s:o, s:o}", "seconds", recent->seconds, "busy",
	    ratio(recent->busy, (double)recent->cycles), "asleep",
	    ratio(recent->asleep, (double)recent->cycles), "items_per_s",
	    ratio(recent->items, recent->seconds), "packets_per_s",
	    ratio(recent->packets, recent->seconds), "cycles_per_item",
	    ratio(recent->busy, (double)recent->items), "fill",
	    ratio(recent->packets, (double)recent->bursts * ESF_BURST_MAX));
}

static json_t *lcore_document(const struct esf_lcore_counts *lcore)
{
	const struct esf_nodes_counts *nodes = &lcore->nodes;

	return json_pack("{s:I, s:b, s:I, s:{s:o, s:o, s:o, s:o}, s:{s:o, s:o}, s:o, s:{s:o, s:o, "
	                 "s:o, s:o}, s:o, s:o}",
	    "lcore", (json_int_t)lcore->lcore, "receive_only", lcore->receive_only, "queues",
	    (json_int_t)lcore->queues_count, "cycles", "total", count(nodes->total), "busy",
	    count(nodes->busy), "idle", count(nodes->idle), "asleep", count(nodes->asleep),
	    "passes", "total", count(nodes->passes), "busy", count(nodes->busy_passes), "sleeps",
	    count(nodes->sleeps), "bursts", "packets", count(lcore->packets), "count",
	    count(lcore->bursts), "full", count(lcore->full_bursts), "fill",
	    ratio(lcore->packets, (double)lcore->bursts * ESF_BURST_MAX), "recent",
	    recent_of(&lcore->recent), "nodes", nodes_of(nodes));
}

json_t *esf_document_pipeline(const struct esf_pipeline *pipeline, int64_t time, int64_t lcore)
{
	json_t *lcores = json_array();

	for (uint32_t i = 0; i < pipeline->lcores_count; i++)
		if (lcore < 0 || pipeline->lcores[i].lcore == lcore)
			json_array_append_new(lcores, lcore_document(&pipeline->lcores[i]));
	return json_pack("{s:I, s:o, s:{s:s, s:I}, s:o}", "time", (json_int_t)time, "hz",
	    count(pipeline->hz), "idle", "policy", esf_idle_names[pipeline->idle], "max_sleep_us",
	    (json_int_t)pipeline->max_sleep_us, "lcores", lcores);
}

/* The number in lcore=, LCORE_ANY without one, or less with the reply set. */
static int64_t asked_lcore(const struct esf_answer *answer)
{
	const char *text = esf_request_param(answer->request, "lcore");
	char *end;
	unsigned long lcore;

	if (text == NULL)
		return LCORE_ANY;
	errno = 0;
	lcore = strtoul(text, &end, 10);
	if (*text >= '0' && *text <= '9' && *end == '\0' && errno == 0 && lcore <= LCORE_MAX)
		return (int64_t)lcore;
	esf_reply_error(answer->reply, 400, "lcore: got \"%.100s\", want 0..%d", text, LCORE_MAX);
	return LCORE_ANY - 1;
}

static bool has_lcore(const struct esf_pipeline *pipeline, int64_t lcore)
{
	for (uint32_t i = 0; i < pipeline->lcores_count; i++)
		if (pipeline->lcores[i].lcore == lcore)
			return true;
	return false;
}

json_t *esf_answer_pipeline(const struct esf_answer *answer)
{
	int64_t lcore = asked_lcore(answer);
	struct esf_pipeline *pipeline;
	struct timespec now;
	json_t *document = NULL;

	if (lcore < LCORE_ANY)
		return NULL;
	pipeline = esf_launch_pipeline(answer->sources->launch);
	if (pipeline == NULL)
		return NULL;
	clock_gettime(CLOCK_REALTIME, &now);
	if (lcore == LCORE_ANY || has_lcore(pipeline, lcore))
		document = esf_document_pipeline(
		    pipeline, (int64_t)now.tv_sec * 1000000000 + now.tv_nsec, lcore);
	else
		esf_reply_error(answer->reply, 404, "no data lcore %ld", (long)lcore);
	free(pipeline);
	return document;
}

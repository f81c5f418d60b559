/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ESF_ANSWERS_H
#define ESF_ANSWERS_H

#include "control/api/http.h"
#include "control/api/reply.h"
#include "control/api/request.h"

/*
 * What the routes answer with. All are called under RCU's read lock and must not block.
 */
enum { ESF_ANSWER_NAME = 3 }; /* index of the path's part that names a region or site */

struct esf_answer {
	const struct esf_api_sources *sources;
	const struct esf_request *request;
	const struct esf_view
	    *view; /* the window asked for; never NULL in a route that needs one */
	struct esf_reply *reply;
};

/* The view that is younger: the provisional one, which is missing only before the first tick. NULL:
 * none yet. */
const struct esf_view *esf_answer_latest_view(const struct esf_api_sources *sources);

/* Each returns a new document; NULL with the reply set: refused; NULL without: out of memory. */
json_t *esf_answer_fleet(const struct esf_answer *answer);
json_t *esf_answer_regions(const struct esf_answer *answer);
json_t *esf_answer_region(const struct esf_answer *answer);
json_t *esf_answer_sites(const struct esf_answer *answer);
json_t *esf_answer_site(const struct esf_answer *answer);
json_t *esf_answer_ledger(const struct esf_answer *answer);
json_t *esf_answer_unmapped(const struct esf_answer *answer); /* names.c */
json_t *esf_answer_names(const struct esf_answer *answer);    /* names.c */
json_t *esf_answer_events(const struct esf_answer *answer);   /* events.c */
json_t *esf_answer_outliers(const struct esf_answer *answer); /* outliers.c */
json_t *esf_answer_pipeline(const struct esf_answer *answer); /* pipeline.c */
json_t *esf_answer_exports(const struct esf_answer *answer);  /* exports.c */
json_t *esf_answer_ranking(const struct esf_answer *answer);  /* ranking.c */
json_t *esf_answer_maintenance(const struct esf_answer *answer); /* maintenance.c */

/* These set the reply themselves. */
void esf_answer_health(const struct esf_answer *answer);
void esf_answer_metrics(const struct esf_answer *answer);

/* Set the reply themselves; offline and not under the lock, as they wait. */
void esf_answer_reload(const struct esf_answer *answer);    /* reload.c */
void esf_answer_intervals(const struct esf_answer *answer);   /* intervals.c */
void esf_answer_history(const struct esf_answer *answer);     /* history.c */
void esf_answer_past_events(const struct esf_answer *answer); /* history.c */

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ESF_TARGET_H
#define ESF_TARGET_H

#include <curl/curl.h>

#include "control/config/config.h"
#include "control/export/line.h"
#include "control/export/status.h"

/*
 * One server that points are pushed to: what waits for it, the one request under way, and what
 * became of all points:
 *
 *   produced + recovered = sent + queued + dropped (no_room + refused + lost), at all times
 *
 * A request that is not answered, or with what may be mended (outcome.h), is made again: after 0.5
 * s, then twice as long each time up to 30 s, or when the server's Retry-After says, at most 300 s.
 * A batch that can't be taken is halved and tried by parts, down to the one point, which is
 * dropped. After 16 such points in a row it may well be no fault of theirs, and one is tried at a
 * time, with waits as above.
 *
 * The exports' thread only. `now` is monotonic, in ns.
 */
enum { ESF_TARGET_BODY_MAX = 4 << 20 };

/* A copy of what the configuration says, that outlives it. */
struct esf_target_settings {
	char *name, *url;
	bool levels[ESF_EXPORT_LEVELS];
	uint32_t kpis_count; /* 0: all */
	char **kpis;
	uint64_t spool_size;
	char *spool_file; /* NULL: in memory */
	uint32_t batch;
	int64_t every_ns, timeout_ns;
	bool gzip;
	char *token_file, *ca_file; /* NULL: none */
};

/* NULL when out of memory. */
struct esf_target_settings *esf_target_settings_create(const struct esf_export_config *config);
/* NULL is allowed. */
void esf_target_settings_free(struct esf_target_settings *settings);

struct esf_target;

/* Takes the settings over, also where it returns NULL: out of memory. */
struct esf_target *esf_target_create(struct esf_target_settings *settings, CURLM *multi);
/* Ends the request. What waits in memory is lost, what waits in a file stays there. */
void esf_target_destroy(struct esf_target *target);

/*
 * Takes other settings over. What waits goes on waiting, unless the spool is another one: a file
 * keeps what it has, and memory's is moved to the new one.
 */
void esf_target_use(struct esf_target *target, struct esf_target_settings *settings);

const struct esf_target_settings *esf_target_settings(const struct esf_target *target);

/* Queues points, and empties lines. */
void esf_target_add(struct esf_target *target, struct esf_lines *lines);

/* Begins the next request, where one is due; when the next one is, or INT64_MAX: hurry: at once. */
int64_t esf_target_work(struct esf_target *target, int64_t now, bool hurry);

/* Of which target a finished request is, and what curl says of it. */
void esf_target_answered(CURL *handle, CURLcode code, int64_t now);

/* Whether nothing waits, or the server does not answer. */
bool esf_target_is_done(const struct esf_target *target);

void esf_target_status(const struct esf_target *target, struct esf_target_status *out);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#include "control/sight/prometheus_export.h"

#include <inttypes.h>
#include <stddef.h>

static void head(FILE *out, const char *name, const char *type, const char *help)
{
	fprintf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

/* A name from the configuration may hold a quote or a backslash, and no line end. */
static void put_target(FILE *out, const char *name, const struct esf_target_status *target)
{
	fprintf(out, "%s{target=\"", name);
	for (const char *c = target->name; *c != '\0'; c++)
		fprintf(out, "%s%c", *c == '\\' || *c == '"' ? "\\" : "", *c);
	fputc('"', out);
}

static void put_counts(FILE *out, const struct esf_exports_status *exports)
{
	static const struct {
		const char *name, *type, *help;
		size_t at;
	} metrics[] = {
		{ "estream_export_produced_total", "counter", "Points made of closed windows.",
		    offsetof(struct esf_target_status, produced) },
		{ "estream_export_recovered_total", "counter",
		    "Points found in a spool's file when it was opened.",
		    offsetof(struct esf_target_status, recovered) },
		{ "estream_export_sent_total", "counter", "Points that the server took.",
		    offsetof(struct esf_target_status, sent) },
		{ "estream_export_queued", "gauge", "Points that wait in the spool.",
		    offsetof(struct esf_target_status, queued) },
		{ "estream_export_requests_total", "counter", "Requests made to the server.",
		    offsetof(struct esf_target_status, requests) },
		{ "estream_export_failures_total", "counter",
		    "Requests that have to be made again.",
		    offsetof(struct esf_target_status, failures) },
		{ "estream_export_spool_used_bytes", "gauge", "Bytes of the spool in use.",
		    offsetof(struct esf_target_status, spool_used) },
		{ "estream_export_spool_size_bytes", "gauge", "Bytes that the spool may use.",
		    offsetof(struct esf_target_status, spool_size) },
	};

	for (size_t m = 0; m < sizeof(metrics) / sizeof(metrics[0]); m++) {
		head(out, metrics[m].name, metrics[m].type, metrics[m].help);
		for (uint32_t t = 0; t < exports->count; t++) {
			const struct esf_target_status *target = &exports->targets[t];

			put_target(out, metrics[m].name, target);
			fprintf(out, "} %" PRIu64 "\n",
			    *(const uint64_t *)((const char *)target + metrics[m].at));
		}
	}
}

static void put_dropped(FILE *out, const struct esf_exports_status *exports)
{
	static const struct {
		const char *reason;
		size_t at;
	} reasons[] = {
		{ "no_room", offsetof(struct esf_target_status, no_room) },
		{ "refused", offsetof(struct esf_target_status, refused) },
		{ "lost", offsetof(struct esf_target_status, lost) },
	};
	static const char name[] = "estream_export_dropped_total";

	head(out, name, "counter",
	    "Points that never reach the server: pushed out of the spool, refused by the server, "
	    "or lost here.");
	for (uint32_t t = 0; t < exports->count; t++) {
		for (size_t r = 0; r < sizeof(reasons) / sizeof(reasons[0]); r++) {
			const struct esf_target_status *target = &exports->targets[t];

			put_target(out, name, target);
			fprintf(out, ",reason=\"%s\"} %" PRIu64 "\n", reasons[r].reason,
			    *(const uint64_t *)((const char *)target + reasons[r].at));
		}
	}
}

static void put_state(FILE *out, const struct esf_exports_status *exports)
{
	head(out, "estream_export_well", "gauge",
	    "1 while the server answered the last request and needs no other try, else 0.");
	for (uint32_t t = 0; t < exports->count; t++) {
		put_target(out, "estream_export_well", &exports->targets[t]);
		fprintf(out, "} %d\n", exports->targets[t].well);
	}
	head(out, "estream_export_sent_timestamp_seconds", "gauge",
	    "When the server took points last, Unix time; 0: not yet.");
	for (uint32_t t = 0; t < exports->count; t++) {
		int64_t last = exports->targets[t].last_sent;

		put_target(out, "estream_export_sent_timestamp_seconds", &exports->targets[t]);
		fprintf(out, "} %" PRId64 ".%09" PRId64 "\n", last / 1000000000, last % 1000000000);
	}
}

void esf_prometheus_put_exports(FILE *out, const struct esf_exports_status *exports)
{
	put_counts(out, exports);
	put_dropped(out, exports);
	put_state(out, exports);
	head(out, "estream_export_windows_total", "counter",
	    "Closed windows of which points were or will be made.");
	fprintf(out, "estream_export_windows_total %" PRIu64 "\n", exports->windows);
	head(out, "estream_export_windows_missed_total", "counter",
	    "Closed windows of which no points were made, as too many waited for it.");
	fprintf(out, "estream_export_windows_missed_total %" PRIu64 "\n", exports->missed);
}

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ESF_COMMANDS_H
#define ESF_COMMANDS_H

#include <stdbool.h>

#include "control/cli/client.h"
#include "control/cli/show.h"

/*
 * fleetctl's commands: fetch documents, show them.
 */
enum esf_exit {
	ESF_EXIT_OK = 0,
	ESF_EXIT_FAILED = 1,    /* no connection, or the server refused */
	ESF_EXIT_USAGE = 2,     /* wrong arguments, by fleetctl's or the server's judgement */
	ESF_EXIT_NOT_BUILT = 3, /* a command of a later release */
};

/* What the command line said; absent text is NULL. */
struct esf_options {
	bool json;
	bool diff; /* reload: only compare */
	bool all;  /* ledger: every verdict; outliers: sites in maintenance too; maintenance: past ones */
	const char *region;
	const char *status;
	const char *sort;
	const char *limit;
	const char *site;
	const char *code;
	const char *kpi; /* outliers */
	const char *odd;
	const char *by; /* ranking: health or a KPI */
	const char *interval; /* history */
	const char *last;
	unsigned int count; /* top: frames; 0: until interrupted */
	const char *name;   /* the command's own argument */
	bool unmapped;      /* site: the signals that no rule takes */
	int words_count;
	char *const *words; /* rule: all its arguments */
};

struct esf_call {
	struct esf_client *client;
	const struct esf_options *options;
	struct esf_screen screen;
};

typedef enum esf_exit (*esf_command_fn)(const struct esf_call *call);

enum esf_exit esf_command_status(const struct esf_call *call);
enum esf_exit esf_command_regions(const struct esf_call *call);
enum esf_exit esf_command_region(const struct esf_call *call);
enum esf_exit esf_command_sites(const struct esf_call *call);
enum esf_exit esf_command_site(const struct esf_call *call);
enum esf_exit esf_command_ledger(const struct esf_call *call);
enum esf_exit esf_command_pipeline(const struct esf_call *call);
enum esf_exit esf_command_events(const struct esf_call *call);
enum esf_exit esf_command_outliers(const struct esf_call *call);
enum esf_exit esf_command_maintenance(const struct esf_call *call);
enum esf_exit esf_command_ranking(const struct esf_call *call);
enum esf_exit esf_command_exports(const struct esf_call *call);
enum esf_exit esf_command_history(const struct esf_call *call); /* history.c */
enum esf_exit esf_command_rule(const struct esf_call *call); /* rule.c */
enum esf_exit esf_command_reload(const struct esf_call *call);
enum esf_exit esf_command_top(const struct esf_call *call); /* top.c */

/*
 * GET of a document of a window: the latest closed one's or, while none has closed, the provisional
 * one's (which says so). Key and results as esf_client_get's.
 */
int esf_command_fetch(struct esf_client *client, const char *path, const char *key, json_t **out);

/* Prints the client's error; the exit code for esf_client_get's result. */
enum esf_exit esf_command_fail(const struct esf_call *call, int result);

#endif

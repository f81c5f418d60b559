/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ESF_BENCH_OPTIONS_H
#define ESF_BENCH_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "capture.h"
#include "traffic.h"

/* fleetgen's command line. */
enum esf_options_command { ESF_OPTIONS_SEND, ESF_OPTIONS_PCAP };

struct esf_options {
	int command;          /* enum esf_options_command */
	const char *to;       /* send */
	const char *bind;     /* send; may be NULL */
	const char *scenario; /* may be NULL */
	const char *labels;   /* NULL: send none, pcap FILE.labels.json */
	const char *seal;     /* key file or folder of them; NULL: not sealed */
	uint16_t key_id;      /* with seal */
	uint32_t sites;       /* 0: the scenario's */
	bool json;
	bool has_seed;
	bool has_start;
	struct esf_traffic_options traffic; /* seed and start as far as given */
	struct esf_capture_options capture; /* pcap */
};

enum esf_options_result { ESF_OPTIONS_RUN, ESF_OPTIONS_HELP, ESF_OPTIONS_WRONG };

/* Fills *out; every fault of the command line goes to errors. The strings are argv's. */
enum esf_options_result esf_options_parse(
    int argc, char **argv, struct esf_options *out, FILE *errors);

extern const char esf_options_usage[];

#endif

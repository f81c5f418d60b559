/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "control/cli/commands.h"
#include "control/cli/text.h"
#include "control/config/nearest.h"

static const char usage[] =
    "usage: fleetctl [--url URL] [--json] COMMAND\n"
    "\n"
    "  status                      the fleet, its regions, the worst sites, the ledger\n"
    "  regions                     all regions\n"
    "  region NAME                 one region's KPIs and worst sites\n"
    "  sites [--region R] [--status good|degraded|bad|unknown]\n"
    "        [--sort health|name|id|coverage] [--limit N]\n"
    "  site NAME                   one site's KPIs\n"
    "  ledger [--site NAME]        what became of every datagram and record\n"
    "  top [--count N | --once]    status every second, until Ctrl-C\n"
    "  help                        this text\n"
    "\n"
    "  not built yet: incidents, incident, ack, reload, pipeline, slots, history\n"
    "\n"
    "  --url URL   of estream-fleetd's API; default $ESTREAM_URL, else http://127.0.0.1:8080\n"
    "  --json      print the API's document\n"
    "\n"
    "exit code: 0 ok, 1 no connection or refused by the server, 2 usage, 3 not built yet\n";

/* Bits of struct command's `takes`. */
enum takes {
	TAKES_NAME = 1,
	TAKES_LISTING = 2, /* --region --status --sort --limit */
	TAKES_SITE = 4,
	TAKES_COUNT = 8,  /* --count --once, and no --json */
	TAKES_LATER = 16, /* --all --note: of commands not built yet */
};

struct command {
	const char *name;
	unsigned int takes;
	esf_command_fn run; /* NULL: not built yet */
};

static const struct command commands[] = {
	{ "status", 0, esf_command_status },
	{ "regions", 0, esf_command_regions },
	{ "region", TAKES_NAME, esf_command_region },
	{ "sites", TAKES_LISTING, esf_command_sites },
	{ "site", TAKES_NAME, esf_command_site },
	{ "ledger", TAKES_SITE, esf_command_ledger },
	{ "top", TAKES_COUNT, esf_command_top },
	{ "incidents", 0, NULL },
	{ "incident", 0, NULL },
	{ "ack", 0, NULL },
	{ "reload", 0, NULL },
	{ "pipeline", 0, NULL },
	{ "slots", 0, NULL },
	{ "history", 0, NULL },
};

enum { COMMANDS_COUNT = sizeof(commands) / sizeof(commands[0]) };

/* What the options that were given belong to. */
struct arguments {
	const char *url;
	struct esf_options options;
	unsigned int given; /* enum takes */
};

enum option_id {
	OPTION_URL = 256,
	OPTION_JSON,
	OPTION_REGION,
	OPTION_STATUS,
	OPTION_SORT,
	OPTION_LIMIT,
	OPTION_SITE,
	OPTION_COUNT,
	OPTION_ONCE,
	OPTION_LATER,
	OPTION_HELP,
};

static const struct option long_options[] = {
	{ "url", required_argument, NULL, OPTION_URL },
	{ "json", no_argument, NULL, OPTION_JSON },
	{ "region", required_argument, NULL, OPTION_REGION },
	{ "status", required_argument, NULL, OPTION_STATUS },
	{ "sort", required_argument, NULL, OPTION_SORT },
	{ "limit", required_argument, NULL, OPTION_LIMIT },
	{ "site", required_argument, NULL, OPTION_SITE },
	{ "count", required_argument, NULL, OPTION_COUNT },
	{ "once", no_argument, NULL, OPTION_ONCE },
	{ "all", no_argument, NULL, OPTION_LATER },
	{ "note", required_argument, NULL, OPTION_LATER },
	{ "help", no_argument, NULL, OPTION_HELP },
	{ NULL, 0, NULL, 0 },
};

static int parse_count(const char *text, unsigned int *out)
{
	char *end;
	unsigned long value;

	errno = 0;
	value = strtoul(text, &end, 10);
	if (text[0] < '0' || text[0] > '9' || *end != '\0' || errno != 0 || value < 1 ||
	    value > 1000000000) {
		fprintf(stderr, "fleetctl: --count: got \"%s\", want 1..1000000000\n", text);
		return -EINVAL;
	}
	*out = (unsigned int)value;
	return 0;
}

static int take_listing_option(struct arguments *arguments, int id, const char *value)
{
	struct esf_options *options = &arguments->options;

	arguments->given |= TAKES_LISTING;
	if (id == OPTION_REGION)
		options->region = value;
	else if (id == OPTION_STATUS)
		options->status = value;
	else if (id == OPTION_SORT)
		options->sort = value;
	else
		options->limit = value;
	return 0;
}

static int take_option(struct arguments *arguments, int id, const char *value)
{
	switch (id) {
	case OPTION_URL:
		arguments->url = value;
		return 0;
	case OPTION_JSON:
		arguments->options.json = true;
		return 0;
	case OPTION_SITE:
		arguments->given |= TAKES_SITE;
		arguments->options.site = value;
		return 0;
	case OPTION_ONCE:
		arguments->given |= TAKES_COUNT;
		arguments->options.count = 1;
		return 0;
	case OPTION_LATER:
		arguments->given |= TAKES_LATER;
		return 0;
	case OPTION_COUNT:
		arguments->given |= TAKES_COUNT;
		return parse_count(value, &arguments->options.count);
	default:
		return take_listing_option(arguments, id, value);
	}
}

static const struct command *find_command(const char *name)
{
	struct esf_nearest nearest;
	char hint[64];

	esf_nearest_start(&nearest, name);
	for (uint32_t i = 0; i < COMMANDS_COUNT; i++) {
		if (strcmp(commands[i].name, name) == 0)
			return &commands[i];
		esf_nearest_offer(&nearest, commands[i].name);
	}
	fprintf(stderr, "fleetctl: no command \"%s\"%s; see fleetctl help\n", name,
	    esf_nearest_hint(&nearest, hint, sizeof(hint)));
	return NULL;
}

/* Whether the arguments left over and the options given are ones that the command takes. */
static bool fits(
    const struct command *command, struct arguments *arguments, int count, char *const *words)
{
	int wanted = (command->takes & TAKES_NAME) != 0;

	if (count != wanted || (wanted && words[0][0] == '\0')) {
		fprintf(stderr, "fleetctl: %s: want %s; see fleetctl help\n", command->name,
		    wanted ? "one NAME" : "no further argument");
		return false;
	}
	if ((arguments->given & ~command->takes) != 0 ||
	    (arguments->options.json && (command->takes & TAKES_COUNT))) {
		fprintf(stderr,
		    "fleetctl: %s does not take one of the options given; see fleetctl "
		    "help\n",
		    command->name);
		return false;
	}
	arguments->options.name = wanted ? words[0] : NULL;
	return true;
}

static enum esf_exit call_command(const struct command *command, const struct arguments *arguments)
{
	const char *no_colour = getenv("NO_COLOR");
	struct esf_call call = {
		.options = &arguments->options,
		.screen = { stdout, isatty(STDOUT_FILENO) && (no_colour == NULL || !*no_colour) },
	};
	enum esf_exit code;

	if (esf_client_open(arguments->url, &call.client) != 0)
		return ESF_EXIT_USAGE;
	code = command->run(&call);
	esf_client_close(call.client);
	if (fflush(stdout) != 0 && code == ESF_EXIT_OK) {
		perror("fleetctl: standard output");
		return ESF_EXIT_FAILED;
	}
	return code;
}

int main(int argc, char **argv)
{
	const char *url = getenv("ESTREAM_URL");
	struct arguments arguments = {
		.url = url != NULL && url[0] != '\0' ? url : "http://127.0.0.1:8080",
	};
	const struct command *command;
	int id;

	esf_text_setup();
	while ((id = getopt_long(argc, argv, "h", long_options, NULL)) != -1) {
		if (id == OPTION_HELP || id == 'h') {
			fputs(usage, stdout);
			return ESF_EXIT_OK;
		}
		if (id == '?' || take_option(&arguments, id, optarg) != 0)
			return ESF_EXIT_USAGE;
	}
	if (optind == argc) {
		fputs(usage, stderr);
		return ESF_EXIT_USAGE;
	}
	if (strcmp(argv[optind], "help") == 0) {
		fputs(usage, stdout);
		return ESF_EXIT_OK;
	}
	command = find_command(argv[optind]);
	if (command == NULL)
		return ESF_EXIT_USAGE;
	if (command->run == NULL) {
		fprintf(stderr, "fleetctl: %s is not built yet\n", command->name);
		return ESF_EXIT_NOT_BUILT;
	}
	if (!fits(command, &arguments, argc - optind - 1, argv + optind + 1))
		return ESF_EXIT_USAGE;
	return (int)call_command(command, &arguments);
}

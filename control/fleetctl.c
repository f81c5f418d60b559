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
    "  status                       the fleet, its regions, the worst sites, the ledger\n"
    "  regions                      all regions\n"
    "  region NAME                  one region's KPIs and worst sites\n"
    "  sites [--region R] [--status good|degraded|bad|unknown]\n"
    "        [--sort health|name|id|coverage] [--limit N]\n"
    "  site NAME [--unmapped]       one site's KPIs; --unmapped: its signals that no rule takes\n"
    "  rule test PATTERN [NAME...]  whether a name rule would take the names; without NAMEs:\n"
    "                               which of those that the appliance has met\n"
    "  ledger [--site NAME] [--all] what became of every datagram and record;\n"
    "                               --all: also the verdicts that did not occur\n"
    "  pipeline                     what the poll loops do, and how many cycles that costs\n"
    "  events [--site NAME] [--code C] [--limit N]\n"
    "                               what the sites said in words, the newest first\n"
    "  outliers [--region R] [--kpi K] [--odd peers|itself|both] [--limit N] [--all]\n"
    "                               who is odd against its peers or against itself;\n"
    "                               --all: also sites in maintenance\n"
    "  maintenance [--all]          the maintenance windows; --all: the past ones too\n"
    "  ranking [--by health|KPI] [--region R] [--limit N]\n"
    "                               the best and the worst sites\n"
    "  history SCOPE KPI [--interval I] [--last 7d] [--limit N]\n"
    "                               what was: SCOPE is fleet, region:NAME or site:NAME;\n"
    "                               KPI may be health\n"
    "  exports                      the servers that windows are pushed to\n"
    "  reload [--diff]              takes up the configuration's file as it stands now;\n"
    "                               --diff: only says what that would change\n"
    "  top [--count N | --once]     status every second, until Ctrl-C\n"
    "  help                         this text\n"
    "\n"
    "  not built yet: incidents, incident, ack, slots\n"
    "\n"
    "  --url URL   of estream-fleetd's API; default $ESTREAM_URL, else http://127.0.0.1:8080\n"
    "  --json      print the API's document (top has none)\n"
    "\n"
    "exit code: 0 ok, 1 no connection or refused by the server, 2 usage, 3 not built yet\n";

/* What a command takes, in bits. */
enum takes {
	TAKES_NAME = 1,
	TAKES_LISTING = 2,
	TAKES_LEDGER = 4,
	TAKES_COUNT = 8,
	TAKES_JSON = 16,
	TAKES_UNMAPPED = 256,
	TAKES_RULE = 512,
	TAKES_EVENTS = 32,
	TAKES_DIFF = 64,
	TAKES_OUTLIERS = 128,
	TAKES_RANKING = 1024,
	TAKES_HISTORY = 2048,
	TAKES_MAINTENANCE = 4096,
};

struct command {
	const char *name;
	unsigned int takes;
	esf_command_fn run; /* NULL: not built yet */
};

static const struct command commands[] = {
	{ "status", TAKES_JSON, esf_command_status },
	{ "regions", TAKES_JSON, esf_command_regions },
	{ "region", TAKES_JSON | TAKES_NAME, esf_command_region },
	{ "sites", TAKES_JSON | TAKES_LISTING, esf_command_sites },
	{ "site", TAKES_JSON | TAKES_NAME | TAKES_UNMAPPED, esf_command_site },
	{ "rule", TAKES_JSON | TAKES_RULE, esf_command_rule },
	{ "ledger", TAKES_JSON | TAKES_LEDGER, esf_command_ledger },
	{ "events", TAKES_JSON | TAKES_EVENTS, esf_command_events },
	{ "outliers", TAKES_JSON | TAKES_OUTLIERS, esf_command_outliers },
	{ "maintenance", TAKES_JSON | TAKES_MAINTENANCE, esf_command_maintenance },
	{ "ranking", TAKES_JSON | TAKES_RANKING, esf_command_ranking },
	{ "top", TAKES_COUNT, esf_command_top },
	{ "incidents", 0, NULL },
	{ "incident", 0, NULL },
	{ "ack", 0, NULL },
	{ "reload", TAKES_JSON | TAKES_DIFF, esf_command_reload },
	{ "pipeline", TAKES_JSON, esf_command_pipeline },
	{ "slots", 0, NULL },
	{ "history", TAKES_JSON | TAKES_HISTORY, esf_command_history },
	{ "exports", TAKES_JSON, esf_command_exports },
};

enum { COMMANDS_COUNT = sizeof(commands) / sizeof(commands[0]) };

/* In the order of long_options. */
enum option_id {
	OPTION_URL = 256,
	OPTION_JSON,
	OPTION_REGION,
	OPTION_STATUS,
	OPTION_SORT,
	OPTION_LIMIT,
	OPTION_SITE,
	OPTION_CODE,
	OPTION_KPI,
	OPTION_ODD,
	OPTION_BY,
	OPTION_INTERVAL,
	OPTION_LAST,
	OPTION_ALL,
	OPTION_UNMAPPED,
	OPTION_DIFF,
	OPTION_COUNT,
	OPTION_ONCE,
	OPTION_NOTE,
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
	{ "code", required_argument, NULL, OPTION_CODE },
	{ "kpi", required_argument, NULL, OPTION_KPI },
	{ "odd", required_argument, NULL, OPTION_ODD },
	{ "by", required_argument, NULL, OPTION_BY },
	{ "interval", required_argument, NULL, OPTION_INTERVAL },
	{ "last", required_argument, NULL, OPTION_LAST },
	{ "all", no_argument, NULL, OPTION_ALL },
	{ "unmapped", no_argument, NULL, OPTION_UNMAPPED },
	{ "diff", no_argument, NULL, OPTION_DIFF },
	{ "count", required_argument, NULL, OPTION_COUNT },
	{ "once", no_argument, NULL, OPTION_ONCE },
	{ "note", required_argument, NULL, OPTION_NOTE }, /* ack's */
	{ "help", no_argument, NULL, OPTION_HELP },
	{ NULL, 0, NULL, 0 },
};

enum { OPTIONS_COUNT = sizeof(long_options) / sizeof(long_options[0]) - 1 };

/* Which commands take it, by place in long_options; 0: none that is built yet. */
static const unsigned int option_takes[OPTIONS_COUNT] = {
	[OPTION_URL - OPTION_URL] = ~0u,
	[OPTION_JSON - OPTION_URL] = TAKES_JSON,
	[OPTION_REGION - OPTION_URL] = TAKES_LISTING | TAKES_OUTLIERS | TAKES_RANKING,
	[OPTION_STATUS - OPTION_URL] = TAKES_LISTING,
	[OPTION_SORT - OPTION_URL] = TAKES_LISTING,
	[OPTION_LIMIT - OPTION_URL] = TAKES_LISTING | TAKES_EVENTS | TAKES_OUTLIERS | TAKES_RANKING |
	                               TAKES_HISTORY,
	[OPTION_SITE - OPTION_URL] = TAKES_LEDGER | TAKES_EVENTS,
	[OPTION_CODE - OPTION_URL] = TAKES_EVENTS,
	[OPTION_KPI - OPTION_URL] = TAKES_OUTLIERS,
	[OPTION_ODD - OPTION_URL] = TAKES_OUTLIERS,
	[OPTION_BY - OPTION_URL] = TAKES_RANKING,
	[OPTION_INTERVAL - OPTION_URL] = TAKES_HISTORY,
	[OPTION_LAST - OPTION_URL] = TAKES_HISTORY,
	[OPTION_ALL - OPTION_URL] = TAKES_LEDGER | TAKES_OUTLIERS | TAKES_MAINTENANCE,
	[OPTION_UNMAPPED - OPTION_URL] = TAKES_UNMAPPED,
	[OPTION_DIFF - OPTION_URL] = TAKES_DIFF,
	[OPTION_COUNT - OPTION_URL] = TAKES_COUNT,
	[OPTION_ONCE - OPTION_URL] = TAKES_COUNT,
	[OPTION_HELP - OPTION_URL] = ~0u,
};

struct arguments {
	const char *url;
	struct esf_options options;
	bool given[OPTIONS_COUNT]; /* by place in long_options */
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

static int take_option(struct arguments *arguments, int id, const char *value)
{
	struct esf_options *options = &arguments->options;

	switch (id) {
	case OPTION_URL:
		arguments->url = value;
		return 0;
	case OPTION_JSON:
		options->json = true;
		return 0;
	case OPTION_REGION:
		options->region = value;
		return 0;
	case OPTION_STATUS:
		options->status = value;
		return 0;
	case OPTION_SORT:
		options->sort = value;
		return 0;
	case OPTION_LIMIT:
		options->limit = value;
		return 0;
	case OPTION_SITE:
		options->site = value;
		return 0;
	case OPTION_CODE:
		options->code = value;
		return 0;
	case OPTION_KPI:
		options->kpi = value;
		return 0;
	case OPTION_ODD:
		options->odd = value;
		return 0;
	case OPTION_BY:
		options->by = value;
		return 0;
	case OPTION_INTERVAL:
		options->interval = value;
		return 0;
	case OPTION_LAST:
		options->last = value;
		return 0;
	case OPTION_ALL:
		options->all = true;
		return 0;
	case OPTION_UNMAPPED:
		options->unmapped = true;
		return 0;
	case OPTION_DIFF:
		options->diff = true;
		return 0;
	case OPTION_ONCE:
		options->count = 1;
		return 0;
	case OPTION_COUNT:
		return parse_count(value, &options->count);
	default:
		return 0;
	}
}

/* What getopt stumbled over: the word is none of the options, or lacks or has a value. */
static void refuse_option(int result, const char *word)
{
	size_t size = strcspn(word, "=");
	char name[64], hint[64] = "";
	struct esf_nearest nearest;

	if (result == ':') {
		fprintf(stderr, "fleetctl: %s: want a value after it; see fleetctl help\n", word);
		return;
	}
	snprintf(name, sizeof(name), "%.*s", (int)size, word);
	esf_nearest_start(&nearest, name + strspn(name, "-"));
	for (uint32_t i = 0; i < OPTIONS_COUNT; i++) {
		if (strcmp(long_options[i].name, name + strspn(name, "-")) == 0) {
			fprintf(stderr, "fleetctl: %s: takes no value\n", name);
			return;
		}
		esf_nearest_offer(&nearest, long_options[i].name);
	}
	if (nearest.name != NULL)
		snprintf(hint, sizeof(hint), ", did you mean --%s?", nearest.name);
	fprintf(stderr, "fleetctl: no option \"%s\"%s; see fleetctl help\n", name, hint);
}

/* 0; -EINVAL after saying why; 1 when help was asked for. */
static int read_options(int argc, char **argv, struct arguments *arguments)
{
	int id, place = -1;

	opterr = 0;
	while ((id = getopt_long(argc, argv, ":h", long_options, &place)) != -1) {
		if (id == OPTION_HELP || id == 'h')
			return 1;
		if (id == '?' || id == ':') {
			refuse_option(id, argv[optind - 1]);
			return -EINVAL;
		}
		arguments->given[place] = true;
		if (take_option(arguments, id, optarg) != 0)
			return -EINVAL;
	}
	return 0;
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

/* Whether the command takes the options given. */
static bool takes_options(const struct command *command, const struct arguments *arguments)
{
	for (uint32_t i = 0; i < OPTIONS_COUNT; i++) {
		if (!arguments->given[i] || option_takes[i] == ~0u ||
		    (option_takes[i] & command->takes) != 0)
			continue;
		fprintf(stderr, "fleetctl: %s: does not take --%s; see fleetctl help\n",
		    command->name, long_options[i].name);
		return false;
	}
	return true;
}

/* Whether the command takes the words left over. */
static bool takes_words(const struct command *command, int count, char *const *words)
{
	int wanted = (command->takes & TAKES_NAME) != 0;

	if (command->takes & TAKES_RULE) {
		if (count >= 2 && strcmp(words[0], "test") == 0)
			return true;
		fprintf(stderr,
		    "fleetctl: %s: want test PATTERN [NAME...]; see fleetctl help\n",
		    command->name);
		return false;
	}
	if (command->takes & TAKES_HISTORY) {
		if (count == 2)
			return true;
		fprintf(stderr,
		    "fleetctl: %s: want SCOPE KPI, e.g. fleet health; see fleetctl help\n",
		    command->name);
		return false;
	}
	if (count > wanted) {
		fprintf(stderr, "fleetctl: %s: got \"%s\", want %s; see fleetctl help\n",
		    command->name, words[wanted], wanted ? "one NAME only" : "no argument");
		return false;
	}
	if (count < wanted || (wanted && words[0][0] == '\0')) {
		fprintf(stderr, "fleetctl: %s: want a NAME; see fleetctl help\n", command->name);
		return false;
	}
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
	int result;

	esf_text_setup();
	result = read_options(argc, argv, &arguments);
	if (result < 0)
		return ESF_EXIT_USAGE;
	if (result > 0) {
		fputs(usage, stdout);
		return ESF_EXIT_OK;
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
	if (!takes_options(command, &arguments) ||
	    !takes_words(command, argc - optind - 1, argv + optind + 1))
		return ESF_EXIT_USAGE;
	arguments.options.name = argv[optind + 1];
	arguments.options.words_count = argc - optind - 1;
	arguments.options.words = argv + optind + 1;
	return (int)call_command(command, &arguments);
}

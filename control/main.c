/* SPDX-License-Identifier: Apache-2.0 */
#include "control/commands.h"

#include <string.h>

#include <sodium.h>

static const char usage_text[] =
    "usage: estream-fleetd [EAL ARGUMENTS --] COMMAND\n"
    "  run --config FILE                       the appliance, in the foreground\n"
    "  check FILE                              every fault of a configuration, with its line\n"
    "  replay --config FILE CAPTURE [--speed max|1x]\n"
    "                                          a pcap or pcapng through the same code, as NDJSON\n"
    "run ends cleanly on SIGTERM and Ctrl-C. Exit codes: 0 done, 1 failed, 2 bad usage or "
    "configuration.\n";

static int usage_error(const char *what, const char *got)
{
	fprintf(stderr, "estream-fleetd: %s%s%s%s\n%s", what, got == NULL ? "" : " \"",
	    got == NULL ? "" : got, got == NULL ? "" : "\"", usage_text);
	return ESF_EXIT_USAGE;
}

/* Options after the command: --config, --speed, and at most one plain argument. */
struct arguments {
	const char *config;
	const char *speed;
	const char *plain;
};

static int parse_arguments(int argc, char **argv, struct arguments *out)
{
	for (int i = 0; i < argc; i++) {
		const char **value = strcmp(argv[i], "--config") == 0  ? &out->config
		                     : strcmp(argv[i], "--speed") == 0 ? &out->speed
		                                                       : NULL;

		if (value != NULL && i + 1 == argc)
			return usage_error("no value behind", argv[i]);
		if (value != NULL)
			*value = argv[++i];
		else if (argv[i][0] == '-' && argv[i][1] != '\0')
			return usage_error("unknown option", argv[i]);
		else if (out->plain != NULL)
			return usage_error("one argument too many:", argv[i]);
		else
			out->plain = argv[i];
	}
	return ESF_EXIT_OK;
}

static int run(const struct arguments *arguments, uint32_t eal_count, char *const *eal)
{
	if (arguments->config == NULL)
		return usage_error("run wants --config FILE", NULL);
	if (arguments->plain != NULL)
		return usage_error("run takes no argument, got", arguments->plain);
	if (arguments->speed != NULL)
		return usage_error("--speed is for replay", NULL);
	return esf_command_run(arguments->config, eal_count, eal);
}

static int check(const struct arguments *arguments)
{
	const char *path = arguments->plain != NULL ? arguments->plain : arguments->config;

	if (path == NULL)
		return usage_error("check wants a FILE", NULL);
	return esf_command_check(path);
}

static int replay(const struct arguments *arguments)
{
	bool real_time = arguments->speed != NULL && strcmp(arguments->speed, "1x") == 0;

	if (arguments->config == NULL || arguments->plain == NULL)
		return usage_error("replay wants --config FILE and a CAPTURE", NULL);
	if (arguments->speed != NULL && !real_time && strcmp(arguments->speed, "max") != 0)
		return usage_error("--speed wants max or 1x, got", arguments->speed);
	return esf_command_replay(arguments->config, arguments->plain, real_time);
}

int main(int argc, char **argv)
{
	struct arguments arguments = { 0 };
	uint32_t eal_count = 0;
	char **eal = argv + 1;
	int at = 1, result;

	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--") != 0)
			continue;
		eal_count = (uint32_t)(i - 1);
		at = i + 1;
		break;
	}
	if (at >= argc)
		return usage_error("no command", NULL);
	if (strcmp(argv[at], "--help") == 0 || strcmp(argv[at], "-h") == 0 ||
	    strcmp(argv[at], "help") == 0) {
		fputs(usage_text, stdout);
		return ESF_EXIT_OK;
	}
	if (sodium_init() < 0) {
		fputs("estream-fleetd: libsodium finds no source of randomness\n", stderr);
		return ESF_EXIT_FAILED;
	}
	result = parse_arguments(argc - at - 1, argv + at + 1, &arguments);
	if (result != ESF_EXIT_OK)
		return result;
	if (strcmp(argv[at], "run") == 0)
		return run(&arguments, eal_count, eal);
	if (strcmp(argv[at], "check") == 0)
		return check(&arguments);
	if (strcmp(argv[at], "replay") == 0)
		return replay(&arguments);
	if (strcmp(argv[at], "doctor") == 0) {
		fputs(
		    "estream-fleetd: doctor is not built yet; run names what this machine lacks\n",
		    stderr);
		return ESF_EXIT_USAGE;
	}
	return usage_error("unknown command", argv[at]);
}

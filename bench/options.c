/* SPDX-License-Identifier: Apache-2.0 */
#include "options.h"

#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum option_id {
	O_TO = 1,
	O_FORMAT,
	O_SCENARIO,
	O_SITES,
	O_RATE,
	O_SECONDS,
	O_COUNT,
	O_SEED,
	O_START,
	O_RECORDS,
	O_LINES,
	O_NO_TAGS,
	O_SEAL,
	O_KEY_ID,
	O_LABELS,
	O_JSON,
	O_BIND,
	O_OUT,
	O_SOURCES,
	O_FRAME_SRC,
	O_FRAME_SRC_PORT,
	O_FRAME_SRC_MAC,
	O_FRAME_DST_MAC,
	O_HELP,
};

static const struct option long_options[] = {
	{ "to", required_argument, NULL, O_TO },
	{ "format", required_argument, NULL, O_FORMAT },
	{ "scenario", required_argument, NULL, O_SCENARIO },
	{ "sites", required_argument, NULL, O_SITES },
	{ "rate", required_argument, NULL, O_RATE },
	{ "seconds", required_argument, NULL, O_SECONDS },
	{ "count", required_argument, NULL, O_COUNT },
	{ "seed", required_argument, NULL, O_SEED },
	{ "start", required_argument, NULL, O_START },
	{ "records", required_argument, NULL, O_RECORDS },
	{ "lines", required_argument, NULL, O_LINES },
	{ "no-tags", no_argument, NULL, O_NO_TAGS },
	{ "seal", required_argument, NULL, O_SEAL },
	{ "key-id", required_argument, NULL, O_KEY_ID },
	{ "labels", required_argument, NULL, O_LABELS },
	{ "json", no_argument, NULL, O_JSON },
	{ "bind", required_argument, NULL, O_BIND },
	{ "out", required_argument, NULL, O_OUT },
	{ "sources", required_argument, NULL, O_SOURCES },
	{ "frame-src", required_argument, NULL, O_FRAME_SRC },
	{ "frame-src-port", required_argument, NULL, O_FRAME_SRC_PORT },
	{ "frame-src-mac", required_argument, NULL, O_FRAME_SRC_MAC },
	{ "frame-dst-mac", required_argument, NULL, O_FRAME_DST_MAC },
	{ "help", no_argument, NULL, O_HELP },
	{ NULL, 0, NULL, 0 },
};

/* What is being parsed, and what has been found wrong with it. */
struct parse {
	struct esf_options *options;
	FILE *errors;
	unsigned faults_count;
	const char *name; /* of the option at hand, without the dashes */
	const char *format, *sources, *frame_source;
	uint32_t seen; /* bit by enum option_id */
};

static void fault(struct parse *parse, const char *got, const char *want)
{
	parse->faults_count++;
	fprintf(parse->errors, "fleetgen: --%s: got \"%s\", want %s\n", parse->name, got, want);
}

static uint64_t whole(struct parse *parse, const char *text, uint64_t min, uint64_t max)
{
	char *end = NULL;
	unsigned long long value = 0;
	char want[80];

	errno = 0;
	if (*text >= '0' && *text <= '9')
		value = strtoull(text, &end, 10);
	if (end && *end == '\0' && errno == 0 && value >= min && value <= max)
		return value;
	snprintf(want, sizeof(want), "a whole number of %llu..%llu", (unsigned long long)min,
	    (unsigned long long)max);
	fault(parse, text, want);
	return min;
}

static int64_t seconds(struct parse *parse, const char *text)
{
	const double max_s = 1e9, ns_per_s = 1e9;
	char *end;
	double value = strtod(text, &end);

	if (end != text && *end == '\0' && value > 0 && value <= max_s)
		return llround(value * ns_per_s);
	fault(parse, text, "seconds above 0, up to 1e9");
	return 0;
}

static void mac(struct parse *parse, const char *text, uint8_t *out)
{
	unsigned bytes[ESF_CAPTURE_MAC_SIZE];
	int used = 0;

	if (sscanf(text, "%2x:%2x:%2x:%2x:%2x:%2x%n", &bytes[0], &bytes[1], &bytes[2], &bytes[3],
	        &bytes[4], &bytes[5], &used) != ESF_CAPTURE_MAC_SIZE ||
	    text[used] != '\0') {
		fault(parse, text, "an Ethernet address such as 02:00:00:00:00:01");
		return;
	}
	for (unsigned i = 0; i < ESF_CAPTURE_MAC_SIZE; i++)
		out[i] = (uint8_t)bytes[i];
}

static void take_traffic_option(struct parse *parse, int id, const char *value)
{
	struct esf_options *options = parse->options;
	struct esf_traffic_options *traffic = &options->traffic;

	switch (id) {
	case O_RATE:
		traffic->rate = whole(parse, value, 1, ESF_TRAFFIC_RATE_MAX);
		break;
	case O_SECONDS:
		traffic->duration_ns = seconds(parse, value);
		break;
	case O_COUNT:
		traffic->count = whole(parse, value, 1, UINT64_C(1000000000000));
		break;
	case O_SEED:
		traffic->seed = whole(parse, value, 0, INT64_MAX);
		options->has_seed = true;
		break;
	case O_START:
		traffic->start_ns =
		    (int64_t)whole(parse, value, 1, UINT32_MAX) * INT64_C(1000000000);
		options->has_start = true;
		break;
	case O_RECORDS:
		traffic->records = (uint32_t)whole(parse, value, 1, ESF_TRAFFIC_RECORDS_MAX);
		break;
	case O_LINES:
		traffic->lines = (uint32_t)whole(parse, value, 1, ESF_TRAFFIC_LINES_MAX);
		break;
	case O_NO_TAGS:
		traffic->untagged = true;
		break;
	default:
		break;
	}
}

static void take_option(struct parse *parse, int id, const char *value)
{
	struct esf_options *options = parse->options;

	switch (id) {
	case O_TO:
		options->to = value;
		break;
	case O_FORMAT:
		parse->format = value;
		break;
	case O_SCENARIO:
		options->scenario = value;
		break;
	case O_SITES:
		options->sites = (uint32_t)whole(parse, value, 1, ESF_SCENARIO_SITES_MAX);
		break;
	case O_LABELS:
		options->labels = value;
		break;
	case O_SEAL:
		options->seal = value;
		break;
	case O_KEY_ID:
		options->key_id = (uint16_t)whole(parse, value, 1, UINT16_MAX);
		break;
	case O_JSON:
		options->json = true;
		break;
	case O_BIND:
		options->bind = value;
		break;
	case O_OUT:
		options->capture.path = value;
		break;
	case O_SOURCES:
		parse->sources = value;
		break;
	case O_FRAME_SRC:
		parse->frame_source = value;
		break;
	case O_FRAME_SRC_PORT:
		options->capture.source_port = (uint16_t)whole(parse, value, 1, UINT16_MAX);
		break;
	case O_FRAME_SRC_MAC:
		mac(parse, value, options->capture.source_mac);
		break;
	case O_FRAME_DST_MAC:
		mac(parse, value, options->capture.destination_mac);
		break;
	default:
		take_traffic_option(parse, id, value);
		break;
	}
}

static void check_format(struct parse *parse)
{
	const char *got = parse->format ? parse->format : "nothing";

	parse->name = "format";
	for (int format = 0; format < ESF_TRAFFIC_FORMATS_COUNT; format++) {
		if (strcmp(got, esf_traffic_formats[format].name) == 0) {
			parse->options->traffic.format = format;
			return;
		}
	}
	fault(parse, got, "etd | influx | statsd | syslog");
}

/* An option that one format alone has. */
static void check_format_option(
    struct parse *parse, enum option_id id, const char *name, enum esf_traffic_format format)
{
	char want[40];

	if (!(parse->seen & 1u << id) || parse->options->traffic.format == (int)format)
		return;
	parse->name = name;
	snprintf(want, sizeof(want), "--format %s with it", esf_traffic_formats[format].name);
	fault(parse, parse->format ? parse->format : "nothing", want);
}

/* Options that the other command has, or the other format. */
static void check_fit(struct parse *parse)
{
	static const uint32_t pcap_only = 1u << O_OUT | 1u << O_SOURCES | 1u << O_FRAME_SRC |
	                                  1u << O_FRAME_SRC_PORT | 1u << O_FRAME_SRC_MAC |
	                                  1u << O_FRAME_DST_MAC;
	const struct esf_options *options = parse->options;
	bool is_send = options->command == ESF_OPTIONS_SEND;
	uint32_t strange = is_send ? pcap_only : 1u << O_BIND;

	for (const struct option *option = long_options; option->name; option++) {
		parse->name = option->name;
		if (parse->seen & strange & 1u << option->val)
			fault(parse, is_send ? "send" : "pcap",
			    is_send ? "pcap with it" : "send with it");
	}
	check_format_option(parse, O_LINES, "lines", ESF_TRAFFIC_INFLUX);
	check_format_option(parse, O_NO_TAGS, "no-tags", ESF_TRAFFIC_STATSD);
	check_format_option(parse, O_RECORDS, "records", ESF_TRAFFIC_ETD);
}

/* What only sealed datagrams have, and how much fits them. */
static void check_seal(struct parse *parse)
{
	const struct esf_options *options = parse->options;

	parse->name = "seal";
	if (options->seal && options->traffic.format != ESF_TRAFFIC_ETD)
		fault(parse, parse->format, "--format etd with it");
	parse->name = "key-id";
	if (!options->seal && parse->seen & 1u << O_KEY_ID)
		fault(parse, "no --seal", "--seal with it");
	parse->name = "records";
	if (options->seal && options->traffic.records > ESF_TRAFFIC_SEALED_RECORDS_MAX)
		fault(parse, "85", "at most 84 with --seal");
}

/* "10.9.0.2:47700" or "[fd00:9::2]:47700" into the capture's destination. */
static bool split_destination(struct parse *parse, const char *text)
{
	struct esf_capture_options *capture = &parse->options->capture;
	const char *colon = strrchr(text, ':');
	bool bracketed = text[0] == '[' && colon > text && colon[-1] == ']';
	const char *host = bracketed ? text + 1 : text;
	char address[64];
	size_t size;

	if (!colon)
		return false;
	size = (size_t)(colon - host) - bracketed;
	if (size >= sizeof(address))
		return false;
	memcpy(address, host, size);
	address[size] = '\0';
	if (!esf_capture_address_parse(address, &capture->destination) ||
	    (capture->destination.family == AF_INET6) != bracketed)
		return false;
	capture->destination_port = (uint16_t)whole(parse, colon + 1, 1, UINT16_MAX);
	return true;
}

static void check_frames(struct parse *parse)
{
	struct esf_options *options = parse->options;
	struct esf_capture_options *capture = &options->capture;
	const char *source = parse->frame_source, *to = options->to;
	char usual[32];

	parse->name = "out";
	if (!capture->path)
		fault(parse, "nothing", "the file to write");
	parse->name = "to";
	snprintf(
	    usual, sizeof(usual), "10.9.0.2:%u", esf_traffic_formats[options->traffic.format].port);
	if (!split_destination(parse, to ? to : usual))
		fault(parse, to, "ADDRESS:PORT or [IPV6]:PORT, in numbers");
	if (!source)
		source = capture->destination.family == AF_INET6 ? "fd00:9::1" : "10.9.0.1";
	parse->name = "frame-src";
	if (!esf_capture_address_parse(source, &capture->source) ||
	    capture->source.family != capture->destination.family)
		fault(parse, source, "an address of the destination's kind");
	parse->name = "sources";
	capture->source_per_site = parse->sources && strcmp(parse->sources, "per-site") == 0;
	if (parse->sources && !capture->source_per_site && strcmp(parse->sources, "one") != 0)
		fault(parse, parse->sources, "one | per-site");
}

static void set_defaults(struct esf_options *options)
{
	*options = (struct esf_options){
		.key_id = 1,
		.traffic = { .lines = 1 },
		.capture = {
		    .source_mac = { 2, 0, 0, 0, 0, 1 },
		    .destination_mac = { 2, 0, 0, 0, 0, 2 },
		    .source_port = 40000,
		},
	};
}

static void check_all(struct parse *parse)
{
	struct esf_options *options = parse->options;

	check_format(parse);
	check_fit(parse);
	check_seal(parse);
	if (options->command == ESF_OPTIONS_PCAP) {
		check_frames(parse);
		if (!options->traffic.duration_ns && !options->traffic.count)
			options->traffic.duration_ns = 60 * INT64_C(1000000000);
	} else if (!options->to) {
		parse->name = "to";
		fault(parse, "nothing", "HOST:PORT or [IPV6]:PORT");
	}
}

static int option_name(int id)
{
	int i = 0;

	while (long_options[i].val != id)
		i++;
	return i;
}

enum esf_options_result esf_options_parse(
    int argc, char **argv, struct esf_options *out, FILE *errors)
{
	struct parse parse = { .options = out, .errors = errors };
	int id;

	set_defaults(out);
	if (argc > 1 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0))
		return ESF_OPTIONS_HELP;
	if (argc < 2 || (strcmp(argv[1], "send") != 0 && strcmp(argv[1], "pcap") != 0)) {
		fprintf(errors, "fleetgen: got \"%s\", want send | pcap\n",
		    argc < 2 ? "nothing" : argv[1]);
		return ESF_OPTIONS_WRONG;
	}
	out->command = strcmp(argv[1], "send") == 0 ? ESF_OPTIONS_SEND : ESF_OPTIONS_PCAP;
	while ((id = getopt_long(argc - 1, argv + 1, "", long_options, NULL)) != -1) {
		if (id == O_HELP)
			return ESF_OPTIONS_HELP;
		if (id == '?') {
			parse.faults_count++; /* getopt has said what */
			continue;
		}
		parse.name = long_options[option_name(id)].name;
		parse.seen |= 1u << id;
		take_option(&parse, id, optarg);
	}
	for (int i = optind + 1; i < argc; i++, parse.faults_count++)
		fprintf(errors, "fleetgen: got \"%s\", want options only\n", argv[i]);
	check_all(&parse);
	return parse.faults_count ? ESF_OPTIONS_WRONG : ESF_OPTIONS_RUN;
}

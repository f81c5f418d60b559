/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/syslog.h"

#include <stdlib.h>
#include <string.h>

#include "dataplane/limits.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What must hold for any bytes; a breach aborts. */
static void require(bool holds)
{
	if (!holds)
		abort();
}

/* Inside the datagram and behind `behind`; returns where it ends. */
static const char *check_span(struct esf_span span, const char *behind, const char *end)
{
	if (span.length == 0)
		return behind;
	require(span.at >= behind && span.at <= end);
	require(span.length <= (size_t)(end - span.at));
	return span.at + span.length;
}

static void check(const struct esf_syslog *out, const char *data, const char *end)
{
	const char *at = data + 3; /* the shortest PRI */

	require(out->severity <= 7 && out->facility <= 23);
	require(out->has_time || out->time == 0);
	require(out->hostname.length <= ESF_SYSLOG_HOSTNAME_MAX);
	require(data[0] == '<' && memchr(data, '>', (size_t)(end - data)) != NULL);
	at = check_span(out->hostname, at, end);
	at = check_span(out->app, at, end);
	at = check_span(out->pid, at, end);
	at = check_span(out->message, at, end);
	if (out->message.length > 0)
		for (; at < end; at++)
			require(*at == '\n' || *at == '\r' || *at == '\0');
}

/* Ends that are not part of a message change nothing. */
static void check_with_end(const struct esf_syslog *out, const uint8_t *data, size_t size)
{
	char *copy = malloc(size + 2);
	struct esf_syslog again;

	require(copy != NULL);
	memcpy(copy, data, size);
	copy[size] = '\n';
	copy[size + 1] = '\0';
	esf_syslog_parse(copy, (uint32_t)size + 2, &again);
	require(again.malformed == out->malformed);
	require(out->malformed || again.message.length == out->message.length);
	free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct esf_syslog out;

	if (size + 2 > ESF_DATAGRAM_MAX)
		return 0;
	esf_syslog_parse((const char *)data, (uint32_t)size, &out);
	if (!out.malformed)
		check(&out, (const char *)data, (const char *)data + size);
	check_with_end(&out, data, size);
	return 0;
}

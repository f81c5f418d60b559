/* SPDX-License-Identifier: Apache-2.0 */
#include "syslog.h"

#include <stddef.h>
#include <string.h>

#include "syslog_time.h"

enum {
	SEVERITIES = 8,
	PRI_DIGITS_MAX = 3,
};

static bool is_digit(char byte)
{
	return byte >= '0' && byte <= '9';
}

static struct esf_span span(const char *at, const char *end)
{
	return (struct esf_span){ .at = at, .length = (uint32_t)(end - at) };
}

static const char *find(const char *at, const char *end, char byte)
{
	const char *found = at < end ? memchr(at, byte, (size_t)(end - at)) : NULL;

	return found != NULL ? found : end;
}

static const char *skip_spaces(const char *at, const char *end)
{
	while (at < end && *at == ' ')
		at++;
	return at;
}

static const char *without_end(const char *at, const char *end)
{
	while (end > at && (end[-1] == '\n' || end[-1] == '\r' || end[-1] == '\0'))
		end--;
	return end;
}

/* Behind the PRI, or NULL. */
static const char *parse_pri(const char *at, const char *end, struct esf_syslog *out)
{
	unsigned pri = 0;
	int digits = 0;

	if (at == end || *at != '<')
		return NULL;
	for (at++; at < end && digits < PRI_DIGITS_MAX && is_digit(*at); at++, digits++)
		pri = pri * 10 + (unsigned)(*at - '0');
	if (digits == 0 || pri > ESF_SYSLOG_PRI_MAX || at == end || *at != '>')
		return NULL;
	out->severity = (uint8_t)(pri % SEVERITIES);
	out->facility = (uint8_t)(pri / SEVERITIES);
	return at + 1;
}

static void take_message(const char *at, const char *end, struct esf_syslog *out)
{
	static const char byte_order_mark[] = "\xef\xbb\xbf";
	const size_t size = sizeof(byte_order_mark) - 1;

	if ((size_t)(end - at) >= size && memcmp(at, byte_order_mark, size) == 0)
		at += size;
	out->message = span(at, end);
}

/* A field of RFC 5424's header and the space behind it; "-" is none. NULL where there is no such.
 */
static const char *read_field(const char *at, const char *end, struct esf_span *out)
{
	const char *behind = find(at, end, ' ');

	if (behind == at || behind == end)
		return NULL;
	*out = span(at, behind);
	if (out->length == 1 && *at == '-')
		out->length = 0;
	return behind + 1;
}

/* Behind the bracket that closes the element at `at`; NULL where none does. */
static const char *skip_element(const char *at, const char *end)
{
	bool quoted = false;

	for (at++; at < end; at++) {
		if (quoted && *at == '\\' && at + 1 < end)
			at++;
		else if (*at == '"')
			quoted = !quoted;
		else if (!quoted && *at == ']')
			return at + 1;
	}
	return NULL;
}

static const char *skip_structured_data(const char *at, const char *end)
{
	if (at < end && *at == '-')
		return at + 1;
	if (at == end || *at != '[')
		return NULL;
	while (at != NULL && at < end && *at == '[')
		at = skip_element(at, end);
	return at;
}

static bool is_rfc5424(const char *at, const char *end)
{
	if (end - at < 4 || at[0] != '1' || at[1] != ' ')
		return false;
	if (at[2] == '-' && at[3] == ' ')
		return true;
	return end - at >= 7 && is_digit(at[2]) && is_digit(at[3]) && is_digit(at[4]) &&
	       is_digit(at[5]) && at[6] == '-';
}

static const char *parse_rfc5424_time(const char *at, const char *end, struct esf_syslog *out)
{
	struct esf_syslog_time time = { .has_time = false };

	at = *at == '-' ? at + 1 : esf_syslog_iso(at, end, &time);
	out->has_time = time.has_time;
	out->time = time.time;
	return at != NULL && at < end && *at == ' ' ? at + 1 : NULL;
}

static bool parse_rfc5424(const char *at, const char *end, struct esf_syslog *out)
{
	struct esf_span msgid;

	at = parse_rfc5424_time(at + 2, end, out);
	at = at == NULL ? NULL : read_field(at, end, &out->hostname);
	at = at == NULL ? NULL : read_field(at, end, &out->app);
	at = at == NULL ? NULL : read_field(at, end, &out->pid);
	at = at == NULL ? NULL : read_field(at, end, &msgid);
	at = at == NULL ? NULL : skip_structured_data(at, end);
	if (at == NULL || out->hostname.length > ESF_SYSLOG_HOSTNAME_MAX)
		return false;
	if (at < end && *at != ' ')
		return false;
	take_message(at < end ? at + 1 : at, end, out);
	return true;
}

static bool is_hostname_byte(char byte)
{
	char lower = byte | 0x20;

	return (lower >= 'a' && lower <= 'z') || is_digit(byte) || byte == '.' || byte == '-' ||
	       byte == '_' || byte == ':';
}

static bool is_hostname(const char *at, const char *end)
{
	if (end == at || end - at > ESF_SYSLOG_HOSTNAME_MAX || end[-1] == ':')
		return false;
	while (at < end && is_hostname_byte(*at))
		at++;
	return at == end;
}

/* Behind the timestamp, or NULL; *cisco where a colon ends it, which no hostname follows. */
static const char *parse_rfc3164_time(
    const char *at, const char *end, bool *cisco, struct esf_syslog *out)
{
	struct esf_syslog_time time = { .has_time = false };
	const char *behind = esf_syslog_bsd(at, end);

	if (behind == NULL)
		behind = esf_syslog_iso(at, end, &time);
	if (behind == NULL)
		return NULL;
	*cisco = behind < end && *behind == ':';
	behind += *cisco;
	if (behind < end && *behind != ' ')
		return NULL;
	out->has_time = time.has_time;
	out->time = time.time;
	return behind;
}

static const char *parse_rfc3164_header(const char *at, const char *end, struct esf_syslog *out)
{
	bool cisco = false;
	const char *behind = parse_rfc3164_time(at, end, &cisco, out);
	const char *word_end;

	if (behind == NULL)
		return at;
	at = skip_spaces(behind, end);
	word_end = find(at, end, ' ');
	if (cisco || word_end == end || !is_hostname(at, word_end))
		return at;
	out->hostname = span(at, word_end);
	return skip_spaces(word_end, end);
}

/* Behind "NAME[PID]:" or "NAME:", else `at`. */
static const char *parse_tag(const char *at, const char *end, struct esf_syslog *out)
{
	const char *word_end = find(at, end, ' ');
	const char *open = find(at, word_end, '[');
	const char *close = find(open, word_end, ']');

	if (open > at && word_end - close >= 2 && close[1] == ':') {
		out->app = span(at, open);
		out->pid = span(open + 1, close);
		return close + 2;
	}
	if (word_end - at >= 2 && word_end[-1] == ':') {
		out->app = span(at, word_end - 1);
		return word_end;
	}
	return at;
}

static void parse_rfc3164(const char *at, const char *end, struct esf_syslog *out)
{
	at = parse_rfc3164_header(at, end, out);
	at = parse_tag(at, end, out);
	take_message(skip_spaces(at, end), end, out);
}

void esf_syslog_parse(const char *data, uint32_t size, struct esf_syslog *out)
{
	const char *end = without_end(data, data + size);
	const char *at;

	memset(out, 0, sizeof(*out));
	at = parse_pri(data, end, out);
	if (at == NULL)
		out->malformed = true;
	else if (is_rfc5424(at, end))
		out->malformed = !parse_rfc5424(at, end, out);
	else
		parse_rfc3164(at, end, out);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "value.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const struct {
	const char *name;
	int64_t ns;
} units[] = {
	{ "ms", 1000000 },
	{ "s", 1000000000 },
	{ "m", 60 * 1000000000ll },
	{ "h", 3600 * 1000000000ll },
	{ "d", 86400 * 1000000000ll },
};

enum { UNITS_COUNT = sizeof(units) / sizeof(units[0]) };

bool esf_value_boolean(const char *text, bool *out)
{
	bool yes = strcmp(text, "true") == 0;

	if (!yes && strcmp(text, "false") != 0)
		return false;
	*out = yes;
	return true;
}

/* Reads digits up to the first other byte; false without any, with a leading zero or past 64 bits.
 */
static bool digits(const char **text, uint64_t *out)
{
	const char *at = *text;
	uint64_t sum = 0;

	if (!isdigit((unsigned char)at[0]) || (at[0] == '0' && isdigit((unsigned char)at[1])))
		return false;
	for (; isdigit((unsigned char)*at); at++) {
		if (__builtin_mul_overflow(sum, 10, &sum) ||
		    __builtin_add_overflow(sum, (uint64_t)(*at - '0'), &sum))
			return false;
	}
	*text = at;
	*out = sum;
	return true;
}

bool esf_value_integer(const char *text, uint64_t *out)
{
	uint64_t read;

	if (!digits(&text, &read) || *text != '\0')
		return false;
	*out = read;
	return true;
}

bool esf_value_number(const char *text, double *out)
{
	char *end;
	double read;

	/* strtod alone would take hexadecimal, "inf", "nan" and leading blanks */
	if (text[0] == '\0' || text[strspn(text, "+-.0123456789eE")] != '\0')
		return false;
	read = strtod(text, &end);
	if (*end != '\0' || end == text || !isfinite(read))
		return false;
	*out = read;
	return true;
}

bool esf_value_duration(const char *text, int64_t *out_ns)
{
	uint64_t count;
	int64_t ns;

	if (!digits(&text, &count) || count > INT64_MAX)
		return false;
	for (int i = 0; i < UNITS_COUNT; i++) {
		if (strcmp(text, units[i].name) != 0)
			continue;
		if (__builtin_mul_overflow((int64_t)count, units[i].ns, &ns))
			return false;
		*out_ns = ns;
		return true;
	}
	return false;
}

const char *esf_value_duration_text(int64_t ns, char buffer[ESF_DURATION_TEXT_SIZE])
{
	int unit = UNITS_COUNT - 1;

	if (ns == 0)
		unit = 1;
	while (unit > 0 && ns % units[unit].ns != 0)
		unit--;
	snprintf(buffer, ESF_DURATION_TEXT_SIZE, "%lld%s", (long long)(ns / units[unit].ns),
	    units[unit].name);
	return buffer;
}

static bool is_unicast(const struct esf_address *address)
{
	static const struct esf_address none;
	const uint8_t *ipv4 = address->bytes + 12;

	if (esf_address_is_ipv4(address))
		return ipv4[0] != 0 && ipv4[0] < 224;
	return address->bytes[0] != 0xff && !esf_address_equal(address, &none);
}

bool esf_value_address(const char *text, struct esf_address *out)
{
	struct esf_address read;
	uint8_t ipv4[4];

	if (inet_pton(AF_INET, text, ipv4) == 1)
		read = esf_address_from_ipv4(ipv4);
	else if (inet_pton(AF_INET6, text, read.bytes) != 1)
		return false;
	if (!is_unicast(&read))
		return false;
	*out = read;
	return true;
}

bool esf_value_port_address(const char *text, struct esf_port_address *out)
{
	const char *slash = strchr(text, '/');
	char address[INET6_ADDRSTRLEN];
	struct esf_port_address read;
	uint64_t bits;

	if (slash == NULL || (size_t)(slash - text) >= sizeof(address))
		return false;
	memcpy(address, text, slash - text);
	address[slash - text] = '\0';
	if (!esf_value_address(address, &read.address) || !esf_value_integer(slash + 1, &bits))
		return false;
	/* ::ffff:10.0.0.1/120: bits of which family? Better written as IPv4. */
	if (esf_address_is_ipv4(&read.address) && strchr(address, ':') != NULL)
		return false;
	if (bits < 1 || bits > (esf_address_is_ipv4(&read.address) ? 32 : 128))
		return false;
	read.prefix_bits = (uint8_t)bits;
	*out = read;
	return true;
}

/* Splits HOST:PORT or [HOST]:PORT; host gets at most size - 1 bytes. */
static bool split_listen(const char *text, char *host, size_t size, const char **port)
{
	bool bracketed = text[0] == '[';
	const char *start = text + bracketed;
	const char *end = bracketed ? strchr(text, ']') : strrchr(text, ':');

	if (end == NULL || (bracketed && end[1] != ':') || (size_t)(end - start) >= size)
		return false;
	memcpy(host, start, end - start);
	host[end - start] = '\0';
	*port = end + 1 + bracketed;
	return bracketed == (strchr(host, ':') != NULL);
}

bool esf_value_listen(const char *text, char address[ESF_LISTEN_ADDRESS_SIZE], uint16_t *port)
{
	char host[ESF_LISTEN_ADDRESS_SIZE];
	const char *port_text;
	uint8_t numeric[16];
	uint64_t read;

	if (!split_listen(text, host, sizeof(host), &port_text))
		return false;
	if (strcmp(host, "localhost") == 0)
		strcpy(host, "127.0.0.1");
	if (inet_pton(AF_INET, host, numeric) != 1 && inet_pton(AF_INET6, host, numeric) != 1)
		return false;
	if (!esf_value_integer(port_text, &read) || read < 1 || read > UINT16_MAX)
		return false;
	strcpy(address, host);
	*port = (uint16_t)read;
	return true;
}

bool esf_value_is_loopback(const char *address)
{
	uint8_t numeric[16];

	if (inet_pton(AF_INET, address, numeric) == 1)
		return numeric[0] == 127;
	return inet_pton(AF_INET6, address, numeric) == 1 &&
	       memcmp(numeric, &in6addr_loopback, sizeof(numeric)) == 0;
}

/* Whether text begins as shape does, where 'd' stands for any digit. */
static bool is_shaped(const char *text, const char *shape)
{
	for (size_t i = 0; shape[i] != '\0'; i++) {
		if (shape[i] == 'd' ? !isdigit((unsigned char)text[i]) : text[i] != shape[i])
			return false;
	}
	return true;
}

/* Z or +HH:MM, to the end -> what it is ahead of UTC. */
static bool read_zone(const char *text, int64_t *out_s)
{
	unsigned hours, minutes;

	*out_s = 0;
	if (strcmp(text, "Z") == 0 || strcmp(text, "z") == 0)
		return true;
	if ((text[0] != '+' && text[0] != '-') || !is_shaped(text + 1, "dd:dd") || text[6] != '\0')
		return false;
	sscanf(text + 1, "%2u:%2u", &hours, &minutes);
	*out_s = (text[0] == '-' ? -1 : 1) * (int64_t)(hours * 3600 + minutes * 60);
	return hours < 24 && minutes < 60;
}

static unsigned days_of(unsigned year, unsigned month)
{
	static const uint8_t days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

	return days[month - 1] + (month == 2 && leap);
}

/* Digits behind the point; what is finer than a nanosecond is cut off. */
static const char *read_fraction(const char *text, int64_t *out_ns)
{
	int64_t unit = 100000000;

	*out_ns = 0;
	if (text[0] != '.' || !isdigit((unsigned char)text[1]))
		return text;
	for (text++; isdigit((unsigned char)*text); text++, unit /= 10)
		*out_ns += unit * (*text - '0');
	return text;
}

bool esf_value_time(const char *text, int64_t *out_ns)
{
	static const char shape[] = "dddd-dd-dd", clock[] = "dd:dd:dd";
	unsigned year, month, day, hour, minute, second;
	int64_t zone_s, fraction_ns;
	struct tm fields;

	if (!is_shaped(text, shape) || (text[10] != 'T' && text[10] != 't') ||
	    !is_shaped(text + 11, clock))
		return false;
	sscanf(text, "%4u-%2u-%2u", &year, &month, &day);
	sscanf(text + 11, "%2u:%2u:%2u", &hour, &minute, &second);
	if (year < 1970 || year > 2261 || month < 1 || month > 12 || day < 1 ||
	    day > days_of(year, month) || hour > 23 || minute > 59 || second > 60)
		return false;
	if (!read_zone(read_fraction(text + 19, &fraction_ns), &zone_s))
		return false;
	fields = (struct tm){
		.tm_year = (int)year - 1900,
		.tm_mon = (int)month - 1,
		.tm_mday = (int)day,
		.tm_hour = (int)hour,
		.tm_min = (int)minute,
		.tm_sec = (int)second,
	};
	*out_ns = ((int64_t)timegm(&fields) - zone_s) * 1000000000 + fraction_ns;
	return true;
}

const char *esf_value_time_text(int64_t ns, char buffer[ESF_TIME_TEXT_SIZE])
{
	int64_t fraction = (ns % 1000000000 + 1000000000) % 1000000000;
	time_t seconds = (time_t)((ns - fraction) / 1000000000);
	int digits = fraction == 0 ? 0 : 9;
	struct tm fields;
	size_t size;

	gmtime_r(&seconds, &fields);
	size = strftime(buffer, ESF_TIME_TEXT_SIZE, "%Y-%m-%dT%H:%M:%S", &fields);
	for (; digits > 0 && fraction % 10 == 0; digits--)
		fraction /= 10;
	if (digits > 0)
		size += (size_t)snprintf(buffer + size, ESF_TIME_TEXT_SIZE - size, ".%0*lld",
		    digits, (long long)fraction);
	snprintf(buffer + size, ESF_TIME_TEXT_SIZE - size, "Z");
	return buffer;
}

/* C1 controls and the spaces and line ends beyond ASCII: U+0080..U+00A0, U+2028, U+2029, U+3000,
 * U+FEFF. */
static bool is_blank_beyond_ascii(const unsigned char *at)
{
	if (at[0] == 0xc2)
		return at[1] <= 0xa0;
	return memcmp(at, "\xe2\x80\xa8", 3) == 0 || memcmp(at, "\xe2\x80\xa9", 3) == 0 ||
	       memcmp(at, "\xe3\x80\x80", 3) == 0 || memcmp(at, "\xef\xbb\xbf", 3) == 0;
}

bool esf_value_is_name(const char *text)
{
	size_t size = strlen(text);
	unsigned char padded[ESF_SITE_NAME_MAX + 3] = { 0 };

	if (size < 1 || size > ESF_SITE_NAME_MAX || strcmp(text, ".") == 0 ||
	    strcmp(text, "..") == 0)
		return false;
	memcpy(padded, text, size);
	for (size_t i = 0; i < size; i++) {
		if (padded[i] <= ' ' || padded[i] == 0x7f || padded[i] == '/' ||
		    is_blank_beyond_ascii(padded + i))
			return false;
	}
	return true;
}

bool esf_value_is_kpi_name(const char *text)
{
	size_t size = strlen(text);

	return size <= ESF_KPI_NAME_MAX && text[0] >= 'a' && text[0] <= 'z' &&
	       strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789_") == size;
}

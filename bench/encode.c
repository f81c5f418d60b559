/* SPDX-License-Identifier: Apache-2.0 */
#include "encode.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "dataplane/etd_wire.h"

static void put_u16(uint8_t *at, uint16_t value)
{
	at[0] = (uint8_t)value;
	at[1] = (uint8_t)(value >> 8);
}

static void put_u32(uint8_t *at, uint32_t value)
{
	put_u16(at, (uint16_t)value);
	put_u16(at + 2, (uint16_t)(value >> 16));
}

static void put_u64(uint8_t *at, uint64_t value)
{
	put_u32(at, (uint32_t)value);
	put_u32(at + 4, (uint32_t)(value >> 32));
}

/* Room for size bytes, zeroed; NULL when there is none. */
static uint8_t *take(struct esf_encode *out, size_t size)
{
	uint8_t *at = out->data + out->size;

	if (size > out->capacity - out->size)
		return NULL;
	memset(at, 0, size);
	out->size += (uint32_t)size;
	return at;
}

static uint8_t *take_record(struct esf_encode *out, size_t size)
{
	uint8_t *count_at = out->data + ESF_ETD_AT_COUNT;
	unsigned count = count_at[0] | (unsigned)count_at[1] << 8;
	uint8_t *at = count < UINT16_MAX ? take(out, size) : NULL;

	if (at)
		put_u16(count_at, (uint16_t)(count + 1));
	return at;
}

void esf_encode_etd(struct esf_encode *out, const struct esf_encode_header *header)
{
	uint8_t *at = out->data;

	out->size = ESF_ETD_HEADER_SIZE;
	put_u32(at + ESF_ETD_AT_MAGIC, ESF_ETD_MAGIC);
	at[ESF_ETD_AT_KIND] = header->kind;
	at[ESF_ETD_AT_FLAGS] = header->flags;
	put_u16(at + ESF_ETD_AT_COUNT, 0);
	put_u32(at + ESF_ETD_AT_SITE, header->site);
	put_u16(at + ESF_ETD_AT_STREAM, header->stream);
	put_u16(at + ESF_ETD_AT_KEY, 0);
	put_u32(at + ESF_ETD_AT_BOOT, header->boot);
	put_u32(at + ESF_ETD_AT_SEQ, header->seq);
	put_u64(at + ESF_ETD_AT_TIME, (uint64_t)header->time_ns);
}

bool esf_encode_etd_data(
    struct esf_encode *out, uint16_t alias, uint8_t quality, int32_t offset_us, double value)
{
	uint8_t *at = take_record(out, ESF_ETD_DATA_SIZE);
	uint64_t bits;

	if (!at)
		return false;
	memcpy(&bits, &value, sizeof(bits));
	put_u16(at + ESF_ETD_DATA_AT_ALIAS, alias);
	at[ESF_ETD_DATA_AT_QUALITY] = quality;
	put_u32(at + ESF_ETD_DATA_AT_OFFSET, (uint32_t)offset_us);
	put_u64(at + ESF_ETD_DATA_AT_VALUE, bits);
	return true;
}

bool esf_encode_etd_birth(
    struct esf_encode *out, uint16_t alias, uint8_t type, const char *name, const char *unit)
{
	size_t name_size = strlen(name), unit_size = strlen(unit);
	uint8_t *at = NULL;

	if (name_size <= UINT8_MAX && unit_size <= UINT8_MAX)
		at = take_record(out, ESF_ETD_BIRTH_SIZE + name_size + unit_size);
	if (!at)
		return false;
	put_u16(at + ESF_ETD_BIRTH_AT_ALIAS, alias);
	at[ESF_ETD_BIRTH_AT_TYPE] = type;
	at[ESF_ETD_BIRTH_AT_NAME_LENGTH] = (uint8_t)name_size;
	at[ESF_ETD_BIRTH_AT_UNIT_LENGTH] = (uint8_t)unit_size;
	memcpy(at + ESF_ETD_BIRTH_SIZE, name, name_size);
	memcpy(at + ESF_ETD_BIRTH_SIZE + name_size, unit, unit_size);
	return true;
}

bool esf_encode_etd_event(
    struct esf_encode *out, int32_t offset_us, uint8_t severity, uint8_t state, const char *text)
{
	size_t text_size = strlen(text);
	uint8_t *at =
	    text_size <= UINT16_MAX ? take_record(out, ESF_ETD_EVENT_SIZE + text_size) : NULL;

	if (!at)
		return false;
	put_u32(at + ESF_ETD_EVENT_AT_OFFSET, (uint32_t)offset_us);
	at[ESF_ETD_EVENT_AT_SEVERITY] = severity;
	at[ESF_ETD_EVENT_AT_STATE] = state;
	put_u16(at + ESF_ETD_EVENT_AT_TEXT_LENGTH, (uint16_t)text_size);
	memcpy(at + ESF_ETD_EVENT_SIZE, text, text_size);
	return true;
}

static bool put_bytes(struct esf_encode *out, const char *bytes, size_t size)
{
	uint8_t *at = take(out, size);

	if (at)
		memcpy(at, bytes, size);
	return at != NULL;
}

/* Text with a backslash before each of the special bytes. */
static bool put_escaped(struct esf_encode *out, const char *text, const char *special)
{
	uint32_t before = out->size;

	for (; *text; text++) {
		bool escape = strchr(special, *text) != NULL;

		if ((escape && !put_bytes(out, "\\", 1)) || !put_bytes(out, text, 1)) {
			out->size = before;
			return false;
		}
	}
	return true;
}

bool esf_encode_influx(struct esf_encode *out, const char *measurement, const char *site)
{
	uint32_t before = out->size;

	if (put_escaped(out, measurement, ", ") && put_bytes(out, ",site=", 6) &&
	    put_escaped(out, site, ",= ") && put_bytes(out, " ", 1))
		return true;
	out->size = before;
	return false;
}

bool esf_encode_influx_field(struct esf_encode *out, bool first, const char *name, double value)
{
	uint32_t before = out->size;
	char number[ESF_ENCODE_NUMBER_MAX + 1];
	uint32_t size = esf_encode_number(number, value);

	if ((first || put_bytes(out, ",", 1)) && put_escaped(out, name, ",= ") &&
	    put_bytes(out, "=", 1) && put_bytes(out, number, size))
		return true;
	out->size = before;
	return false;
}

bool esf_encode_influx_end(struct esf_encode *out, int64_t time_ns)
{
	char text[32];
	int size = snprintf(text, sizeof(text), " %lld\n", (long long)time_ns);

	return put_bytes(out, text, (size_t)size);
}

/* Whether the text is of 1 byte or more, none of them a control character or one of these. */
static bool is_free_of(const char *text, const char *bytes)
{
	if (*text == '\0')
		return false;
	for (; *text; text++) {
		if ((uint8_t)*text < ' ' || strchr(bytes, *text))
			return false;
	}
	return true;
}

bool esf_encode_statsd_can_name(const char *name)
{
	static const char event[] = "_e{";

	return is_free_of(name, ":|") && strncmp(name, event, sizeof(event) - 1) != 0;
}

bool esf_encode_statsd_can_site(const char *site)
{
	return is_free_of(site, ",|");
}

static bool put_text(struct esf_encode *out, const char *text)
{
	return put_bytes(out, text, strlen(text));
}

static bool put_statsd(
    struct esf_encode *out, const char *name, double value, const char *type, const char *site)
{
	uint32_t before = out->size;
	char number[ESF_ENCODE_NUMBER_MAX + 1];
	uint32_t size = esf_encode_number(number, value);

	if (esf_encode_statsd_can_name(name) &&
	    (site == NULL || esf_encode_statsd_can_site(site)) && put_text(out, name) &&
	    put_text(out, ":") && put_bytes(out, number, size) && put_text(out, type) &&
	    (site == NULL || (put_text(out, "|#site:") && put_text(out, site))) &&
	    put_text(out, "\n"))
		return true;
	out->size = before;
	return false;
}

bool esf_encode_statsd_gauge(
    struct esf_encode *out, const char *name, double level, const char *site)
{
	return put_statsd(out, name, level, level < 0 ? "|h" : "|g", site);
}

bool esf_encode_statsd_counter(
    struct esf_encode *out, const char *name, double increase, const char *site)
{
	return put_statsd(out, name, increase, "|c", site);
}

bool esf_encode_syslog_can_host(const char *host)
{
	enum { HOST_MAX = 255 };
	size_t size = strspn(host, "!\"#$%&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	                           "[\\]^_`abcdefghijklmnopqrstuvwxyz{|}~");

	/* A dash alone stands for no host. */
	return size > 0 && size <= HOST_MAX && host[size] == '\0' && strcmp(host, "-") != 0;
}

bool esf_encode_syslog(struct esf_encode *out, const struct esf_encode_message *message)
{
	enum { LOCAL0 = 16, SEVERITIES = 8 };
	const int64_t ns_per_s = 1000000000, ns_per_us = 1000;
	int64_t below_s = message->time_ns % ns_per_s;
	int64_t fraction_ns = below_s < 0 ? below_s + ns_per_s : below_s;
	time_t seconds = (message->time_ns - fraction_ns) / ns_per_s;
	uint32_t before = out->size;
	char head[64], middle[32];
	struct tm utc;

	gmtime_r(&seconds, &utc);
	snprintf(head, sizeof(head), "<%d>1 %04d-%02d-%02dT%02d:%02d:%02d.%06dZ ",
	    LOCAL0 * SEVERITIES + message->severity, utc.tm_year + 1900, utc.tm_mon + 1,
	    utc.tm_mday, utc.tm_hour, utc.tm_min, utc.tm_sec, (int)(fraction_ns / ns_per_us));
	snprintf(middle, sizeof(middle), " %u ", message->process);
	if (esf_encode_syslog_can_host(message->host) && put_text(out, head) &&
	    put_text(out, message->host) && put_text(out, " ") && put_text(out, message->app) &&
	    put_text(out, middle) && put_text(out, message->id) && put_text(out, " - ") &&
	    put_text(out, message->text))
		return true;
	out->size = before;
	return false;
}

static uint32_t number_of_millionths(char *out, uint64_t millionths, bool negative)
{
	char digits[24];
	uint32_t size = 0, at = sizeof(digits);
	uint64_t fraction = millionths % 1000000, whole = millionths / 1000000;

	for (int place = 0; place < 6; place++, fraction /= 10) {
		if (at < sizeof(digits) || fraction % 10)
			digits[--at] = (char)('0' + fraction % 10);
	}
	if (at < sizeof(digits))
		digits[--at] = '.';
	do {
		digits[--at] = (char)('0' + whole % 10);
		whole /= 10;
	} while (whole);
	if (negative)
		out[size++] = '-';
	memcpy(out + size, digits + at, sizeof(digits) - at);
	return size + (uint32_t)sizeof(digits) - at;
}

uint32_t esf_encode_number(char *out, double value)
{
	double millionths = round(value * 1e6);

	/* At most 15 digits: such a decimal names one double, which n / 1e6, correctly rounded, is.
	 */
	if (fabs(millionths) < 1e15 && millionths / 1e6 == value)
		return number_of_millionths(out, (uint64_t)fabs(millionths), millionths < 0);
	return (uint32_t)snprintf(out, ESF_ENCODE_NUMBER_MAX + 1, "%.17g", value);
}

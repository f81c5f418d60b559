/* SPDX-License-Identifier: Apache-2.0 */
#include "syslog_time.h"

#include <stddef.h>
#include <string.h>

enum {
	FRACTION_DIGITS = 9,
	DAY_SECONDS = 86400,
	YEAR_MIN = 1970,
	YEAR_MAX = 2261, /* whose last second fits into 64 bits of nanoseconds, in any zone */
};

struct clock_time {
	unsigned hour;
	unsigned minute;
	unsigned second;
	unsigned nanosecond;
};

static bool is_digit(char byte)
{
	return byte >= '0' && byte <= '9';
}

/* Exactly count digits; NULL in, NULL out, so that the pieces of a timestamp can be chained. */
static const char *read_digits(const char *at, const char *end, int count, unsigned *out)
{
	unsigned value = 0;

	if (at == NULL || end - at < count)
		return NULL;
	for (int i = 0; i < count; i++) {
		if (!is_digit(at[i]))
			return NULL;
		value = value * 10 + (unsigned)(at[i] - '0');
	}
	*out = value;
	return at + count;
}

static const char *read_byte(const char *at, const char *end, char byte)
{
	return at != NULL && at < end && *at == byte ? at + 1 : NULL;
}

static const char *read_fraction(const char *at, const char *end, unsigned *nanosecond)
{
	int digits = 0;

	*nanosecond = 0;
	if (at == NULL || end - at < 2 || *at != '.' || !is_digit(at[1]))
		return at;
	for (at++; at < end && is_digit(*at); at++, digits++)
		if (digits < FRACTION_DIGITS)
			*nanosecond = *nanosecond * 10 + (unsigned)(*at - '0');
	for (; digits < FRACTION_DIGITS; digits++)
		*nanosecond *= 10;
	return at;
}

/* hh:mm:ss[.fraction] */
static const char *read_clock(const char *at, const char *end, struct clock_time *out)
{
	at = read_digits(at, end, 2, &out->hour);
	at = read_byte(at, end, ':');
	at = read_digits(at, end, 2, &out->minute);
	at = read_byte(at, end, ':');
	at = read_digits(at, end, 2, &out->second);
	at = read_fraction(at, end, &out->nanosecond);
	if (at == NULL || out->hour > 23 || out->minute > 59 || out->second > 59)
		return NULL;
	return at;
}

/* Where there is none, *present is false and nothing is read; NULL where it is cut short. */
static const char *read_zone(const char *at, const char *end, bool *present, int *offset_seconds)
{
	unsigned hours, minutes;
	bool west;

	*offset_seconds = 0;
	*present = at < end && (*at == 'Z' || *at == '+' || *at == '-');
	if (!*present)
		return at;
	if (*at == 'Z')
		return at + 1;
	west = *at == '-';
	at = read_digits(at + 1, end, 2, &hours);
	if (at != NULL && at < end && *at == ':')
		at++;
	at = read_digits(at, end, 2, &minutes);
	if (at == NULL || hours > 23 || minutes > 59)
		return NULL;
	*offset_seconds = (int)(hours * 3600 + minutes * 60) * (west ? -1 : 1);
	return at;
}

static bool is_leap(unsigned year)
{
	return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

static bool is_date(unsigned year, unsigned month, unsigned day)
{
	static const uint8_t days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };

	if (month < 1 || month > 12 || day < 1)
		return false;
	return day <= days[month - 1] + (unsigned)(month == 2 && is_leap(year));
}

/* Days since 1970-01-01 in the Gregorian calendar; years are counted from March. */
static int64_t days_since_epoch(unsigned year, unsigned month, unsigned day)
{
	int64_t y = (int64_t)year - (month <= 2);
	int64_t days_of_months = (153 * ((month + 9) % 12) + 2) / 5;

	return 365 * y + y / 4 - y / 100 + y / 400 + days_of_months + (int64_t)day - 1 - 719468;
}

const char *esf_syslog_iso(const char *at, const char *end, struct esf_syslog_time *out)
{
	unsigned year = 0, month = 0, day = 0;
	struct clock_time clock;
	int offset_seconds;
	int64_t seconds;

	at = read_digits(at, end, 4, &year);
	at = read_byte(at, end, '-');
	at = read_digits(at, end, 2, &month);
	at = read_byte(at, end, '-');
	at = read_digits(at, end, 2, &day);
	at = read_byte(at, end, 'T');
	at = read_clock(at, end, &clock);
	if (at == NULL || !is_date(year, month, day))
		return NULL;
	at = read_zone(at, end, &out->has_time, &offset_seconds);
	out->has_time &= year >= YEAR_MIN && year <= YEAR_MAX;
	out->time = 0;
	if (at == NULL || !out->has_time)
		return at;
	seconds = days_since_epoch(year, month, day) * DAY_SECONDS + clock.hour * 3600 +
	          clock.minute * 60 + clock.second - offset_seconds;
	out->time = seconds * 1000000000 + clock.nanosecond;
	return at;
}

static const char *read_month(const char *at, const char *end)
{
	static const char months[][4] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug",
		"Sep", "Oct", "Nov", "Dec" };

	if (end - at < 4 || at[3] != ' ')
		return NULL;
	for (size_t i = 0; i < sizeof(months) / sizeof(months[0]); i++)
		if (memcmp(at, months[i], 3) == 0)
			return at + 4;
	return NULL;
}

/* " 1", "01", "1", "11", and the space behind it. */
static const char *read_day(const char *at, const char *end)
{
	unsigned day;

	if (at == NULL)
		return NULL;
	if (at < end && *at == ' ')
		at++;
	if (end - at >= 2 && at[1] == ' ')
		at = read_digits(at, end, 1, &day);
	else
		at = read_digits(at, end, 2, &day);
	if (at == NULL || day < 1 || day > 31)
		return NULL;
	return read_byte(at, end, ' ');
}

const char *esf_syslog_bsd(const char *at, const char *end)
{
	struct clock_time clock;
	const char *behind_year;
	unsigned year;

	if (at < end && (*at == '*' || *at == '.'))
		at++;
	at = read_day(read_month(at, end), end);
	behind_year = read_byte(read_digits(at, end, 4, &year), end, ' ');
	return read_clock(behind_year != NULL ? behind_year : at, end, &clock);
}

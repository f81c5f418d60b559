/* SPDX-License-Identifier: Apache-2.0 */
#include "control/cli/text.h"

#include <inttypes.h>
#include <limits.h>
#include <locale.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <wchar.h>

#define NS_PER_S INT64_C(1000000000)

/* One character: how many bytes, how many columns, and what to show for it. */
struct glyph {
	size_t size;
	int width;
	const char *shown; /* NULL: its own bytes */
};

void esf_text_setup(void)
{
	/* Widths need a UTF-8 locale; numbers stay as they are in C. */
	if (setlocale(LC_CTYPE, "") == NULL || MB_CUR_MAX == 1)
		setlocale(LC_CTYPE, "C.UTF-8");
}

static struct glyph next_glyph(const char *text)
{
	mbstate_t state = { 0 };
	wchar_t character;
	size_t size = mbrtowc(&character, text, strlen(text), &state);
	int width;

	if (size == 0 || size > MB_LEN_MAX)
		return (struct glyph){ 1, 1, "?" };
	width = wcwidth(character);
	if (width < 0)
		return (struct glyph){ size, 1, "?" };
	return (struct glyph){ size, width, NULL };
}

int esf_text_width(const char *text)
{
	int width = 0;

	while (*text != '\0') {
		struct glyph glyph = next_glyph(text);

		width += glyph.width;
		text += glyph.size;
	}
	return width;
}

int esf_text_put(FILE *out, const char *text, int max)
{
	int left = esf_text_width(text) <= max ? max : max - 1, width = 0;

	while (*text != '\0') {
		struct glyph glyph = next_glyph(text);

		if (width + glyph.width > left) {
			fputs("…", out);
			return width + 1;
		}
		if (glyph.shown != NULL)
			fputs(glyph.shown, out);
		else
			fwrite(text, 1, glyph.size, out);
		width += glyph.width;
		text += glyph.size;
	}
	return width;
}

const char *esf_text_count(uint64_t count, char *buffer)
{
	char digits[ESF_TEXT_NUMBER_SIZE];
	int size = snprintf(digits, sizeof(digits), "%" PRIu64, count);
	char *to = buffer;

	for (int i = 0; i < size; i++) {
		if (i > 0 && (size - i) % 3 == 0)
			*to++ = ',';
		*to++ = digits[i];
	}
	*to = '\0';
	return buffer;
}

/* 1.5e+07 -> 1.5e7, 2e-05 -> 2e-5. */
static void shorten_exponent(char *text)
{
	char *to = strchr(text, 'e'), *from;

	if (to == NULL)
		return;
	from = ++to;
	if (*from == '-')
		to++;
	from++;
	from += strspn(from, "0");
	memmove(to, from, strlen(from) + 1);
}

const char *esf_text_value(double value, char *buffer)
{
	if (isnan(value))
		return strcpy(buffer, "-");
	if (fabs(value) >= 99999.5 && fabs(value) < 9999999.5)
		snprintf(buffer, ESF_TEXT_NUMBER_SIZE, "%.0f", value);
	else
		snprintf(buffer, ESF_TEXT_NUMBER_SIZE, "%.5g", value);
	shorten_exponent(buffer);
	return buffer;
}

const char *esf_text_points(double value, char *buffer)
{
	if (isnan(value))
		return strcpy(buffer, "-");
	snprintf(buffer, ESF_TEXT_NUMBER_SIZE, "%.1f", value);
	return buffer;
}

const char *esf_text_age(int64_t age_ns, char *buffer)
{
	int64_t s = age_ns < 0 ? 0 : age_ns / NS_PER_S;

	if (s < 120)
		snprintf(buffer, ESF_TEXT_NUMBER_SIZE, "%" PRId64 "s", s);
	else if (s < 2 * 3600)
		snprintf(buffer, ESF_TEXT_NUMBER_SIZE, "%" PRId64 "m", s / 60);
	else if (s < 2 * 86400)
		snprintf(buffer, ESF_TEXT_NUMBER_SIZE, "%" PRId64 "h", s / 3600);
	else
		snprintf(buffer, ESF_TEXT_NUMBER_SIZE, "%" PRId64 "d", s / 86400);
	return buffer;
}

const char *esf_text_time(int64_t unix_ns, char *buffer)
{
	time_t seconds = unix_ns / NS_PER_S;
	struct tm utc;

	if (gmtime_r(&seconds, &utc) == NULL ||
	    strftime(buffer, ESF_TEXT_NUMBER_SIZE, "%Y-%m-%d %H:%M:%S", &utc) == 0)
		return strcpy(buffer, "-");
	return buffer;
}

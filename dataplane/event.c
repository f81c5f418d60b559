/* SPDX-License-Identifier: Apache-2.0 */
#include "event.h"

/*
 * Size of the UTF-8 sequence of two to four bytes at the start, 0 where there is none: the
 * well-formed ones of Unicode's table 3-7. U+0080..U+009F, which are control characters, count as
 * none.
 */
static uint32_t sequence_size(const uint8_t *at, uint32_t room)
{
	uint8_t lead = at[0];
	uint32_t size = lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
	uint8_t low = lead == 0xc2 ? 0xa0 : lead == 0xe0 ? 0xa0 : lead == 0xf0 ? 0x90 : 0x80;
	uint8_t high = lead == 0xed ? 0x9f : lead == 0xf4 ? 0x8f : 0xbf;

	if (lead < 0xc2 || lead > 0xf4 || size > room || at[1] < low || at[1] > high)
		return 0;
	for (uint32_t i = 2; i < size; i++)
		if ((at[i] & 0xc0) != 0x80)
			return 0;
	return size;
}

static char shown(uint8_t byte)
{
	if (byte < 0x20 || byte == 0x7f)
		return ' ';
	return byte < 0x80 ? (char)byte : '?';
}

void esf_event_set_text(struct esf_event *event, const char *text, uint32_t length)
{
	const uint8_t *from = (const uint8_t *)text;
	uint32_t i = 0, kept = 0;

	while (i < length && kept < ESF_EVENT_TEXT_MAX) {
		uint32_t size = from[i] < 0x80 ? 0 : sequence_size(from + i, length - i);

		if (kept + size > ESF_EVENT_TEXT_MAX)
			break;
		if (size == 0)
			event->text[kept++] = shown(from[i++]);
		for (; size > 0; size--)
			event->text[kept++] = (char)from[i++];
	}
	event->text_length = (uint16_t)kept;
}

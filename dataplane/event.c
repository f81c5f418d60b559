/* SPDX-License-Identifier: Apache-2.0 */
#include "event.h"

#include "utf8.h"

/* U+0080..U+009F are control characters, and count as no sequence. */
static uint32_t sequence_size(const uint8_t *at, uint32_t room)
{
	uint32_t size = esf_utf8_sequence_size(at, room);

	return size == 2 && at[0] == 0xc2 && at[1] < 0xa0 ? 0 : size;
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

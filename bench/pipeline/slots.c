/* SPDX-License-Identifier: Apache-2.0 */
#include "slots.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <pcap/pcap.h>

#include "dataplane/etd_wire.h"
#include "dataplane/frame.h"
#include "reseal.h"

struct reading {
	const struct esf_config *config;
	struct esf_reseal *reseal; /* NULL until something sealed comes */
	struct esf_slots *slots;
	const char *why; /* it cannot be played */
};

/* Room for `size` bytes in all; what is there stays. array: address of a pointer of any type. */
static bool grow(void *array, size_t *room, size_t size)
{
	size_t wanted = *room == 0 ? 4096 : *room;
	void *former, *grown;

	if (size <= *room)
		return true;
	while (wanted < size)
		wanted *= 2;
	memcpy(&former, array, sizeof(former));
	grown = realloc(former, wanted);
	if (grown == NULL)
		return false;
	memcpy(array, &grown, sizeof(grown));
	*room = wanted;
	return true;
}

static bool add_mark(struct esf_slots *slots, struct esf_slot *slot, size_t at)
{
	size_t size = (slots->marks_count + (size_t)1) * sizeof(*slots->marks);

	if (!grow(&slots->marks, &slots->marks_room, size))
		return false;
	slots->marks[slots->marks_count++] = (uint16_t)at;
	slot->marks_count++;
	return true;
}

static bool is_line_time(const char *text, size_t size)
{
	enum { NEEDED = ESF_SLOT_LINE_DIGITS + 1 };

	return size > NEEDED && text[size - NEEDED] == ' ' &&
	       strspn(text + size - ESF_SLOT_LINE_DIGITS, "0123456789") >= ESF_SLOT_LINE_DIGITS;
}

/* Each line ends with its time. */
static const char *mark_lines(
    struct reading *reading, struct esf_slot *slot, const char *text, size_t size)
{
	const char *line = text, *end;

	while ((end = memchr(line, '\n', size - (size_t)(line - text))) != NULL) {
		if (!is_line_time(line, (size_t)(end - line)))
			return "an Influx line without a time of 19 digits";
		if (!add_mark(reading->slots, slot, (size_t)(end - text) - ESF_SLOT_LINE_DIGITS))
			return "out of memory";
		line = end + 1;
	}
	reading->slots->has_lines = true;
	return line == text + size ? NULL : "an Influx line without an end";
}

/* <PRI>1 YYYY-MM-DDThh:mm:ss.uuuuuuZ */
static const char *mark_date(
    struct reading *reading, struct esf_slot *slot, const char *text, size_t size)
{
	const char *blank = memchr(text, ' ', size);
	size_t at = blank == NULL ? size : (size_t)(blank - text) + 1;

	if (at + ESF_SLOT_DATE_SIZE > size || text[at + ESF_SLOT_DATE_SIZE - 1] != 'Z')
		return "a syslog message whose time is not in microseconds";
	reading->slots->has_dates = true;
	return add_mark(reading->slots, slot, at) ? NULL : "out of memory";
}

static const char *open_sealed(
    struct reading *reading, struct esf_slot *slot, const uint8_t *datagram, size_t size)
{
	struct esf_slots *slots = reading->slots;

	if (reading->reseal == NULL && esf_reseal_create(reading->config, &reading->reseal) != 0)
		return "sealed, and the keys cannot be read";
	if (!grow(&slots->plain, &slots->plain_room, slots->plain_size + size))
		return "out of memory";
	slot->sealed = true;
	slot->plain = slots->plain_size;
	if (!esf_reseal_open(
	        reading->reseal, datagram, (uint32_t)size, slots->plain + slots->plain_size))
		return "sealed with a key that the configuration does not have";
	slots->plain_size += (uint32_t)size - ESF_ETD_HEADER_SIZE - ESF_ETD_TAG_SIZE;
	return NULL;
}

static const char *mark_payload(
    struct reading *reading, struct esf_slot *slot, const uint8_t *payload, size_t size)
{
	switch (slot->format) {
	case ESF_FORMAT_ETD:
		if (size < ESF_ETD_HEADER_SIZE)
			return "an ETD datagram cut short";
		if ((payload[ESF_ETD_AT_FLAGS] & ESF_ETD_SEALED) == 0)
			return NULL;
		return open_sealed(reading, slot, payload, size);
	case ESF_FORMAT_INFLUX:
		return mark_lines(reading, slot, (const char *)payload, size);
	case ESF_FORMAT_SYSLOG:
		return mark_date(reading, slot, (const char *)payload, size);
	default:
		return NULL;
	}
}

static const struct esf_listener_config *find_listener(
    const struct esf_config *config, uint16_t udp)
{
	for (uint32_t i = 0; i < config->listeners_count; i++)
		if (config->listeners[i].udp == udp)
			return &config->listeners[i];
	return NULL;
}

static bool keep_frame(struct esf_slots *slots, const uint8_t *data, uint32_t size)
{
	uint32_t at = slots->count == 0 ? 0 : slots->frame_at[slots->count];
	size_t next = slots->count + (size_t)1;

	if (!grow(&slots->slots, &slots->slots_room, next * sizeof(*slots->slots)) ||
	    !grow(&slots->frame_at, &slots->frame_at_room, (next + 1) * sizeof(uint32_t)) ||
	    !grow(&slots->frames, &slots->frames_room, (size_t)at + size))
		return false;
	memcpy(slots->frames + at, data, size);
	slots->frame_at[slots->count] = at;
	slots->frame_at[slots->count + 1] = at + size;
	return true;
}

static const char *add_frame(struct reading *reading, const uint8_t *data, uint32_t size)
{
	static const struct esf_frame_addresses any = { .count = 0 };
	struct esf_slots *slots = reading->slots;
	const struct esf_listener_config *listener;
	struct esf_frame frame;
	const char *why;

	if (slots->count == ESF_SLOTS_MAX)
		return "more datagrams than the port has mbufs for";
	if (esf_frame_parse(data, size, 0, &any, &frame) != ESF_DATAGRAM_ACCEPTED ||
	    frame.payload - data != ESF_SLOT_PAYLOAD_AT)
		return "not UDP right behind IPv4 without options";
	listener = find_listener(reading->config, esf_frame_destination_port(&frame));
	if (listener == NULL)
		return "for a port without a listener";
	if (!keep_frame(slots, data, size))
		return "out of memory";
	slots->slots[slots->count] = (struct esf_slot){
		.payload_size = (uint16_t)frame.payload_size,
		.format = (uint8_t)listener->format,
		.first_mark = slots->marks_count,
	};
	why = mark_payload(reading, &slots->slots[slots->count], frame.payload, frame.payload_size);
	slots->count++;
	return why;
}

int esf_slots_read(
    const char *path, const struct esf_config *config, struct esf_slots *slots, FILE *errors)
{
	struct reading reading = { .config = config, .slots = slots };
	char message[PCAP_ERRBUF_SIZE];
	pcap_t *capture = pcap_open_offline(path, message);
	struct pcap_pkthdr *head;
	const u_char *data;
	int result = 0;

	*slots = (struct esf_slots){ 0 };
	if (capture == NULL) {
		fprintf(errors, "%s\n", message);
		return -EINVAL;
	}
	while (reading.why == NULL && (result = pcap_next_ex(capture, &head, &data)) == 1)
		reading.why = add_frame(&reading, data, head->caplen);
	if (reading.why == NULL && result == PCAP_ERROR)
		reading.why = "cut short";
	pcap_close(capture);
	esf_reseal_destroy(reading.reseal);
	if (reading.why == NULL && slots->count == 0)
		reading.why = "empty";
	if (reading.why == NULL)
		return 0;
	fprintf(errors, "%s: datagram %u: got one that is %s\n", path, slots->count, reading.why);
	esf_slots_free(slots);
	return -EINVAL;
}

void esf_slots_free(struct esf_slots *slots)
{
	free(slots->slots);
	free(slots->marks);
	free(slots->plain);
	free(slots->frame_at);
	free(slots->frames);
	*slots = (struct esf_slots){ 0 };
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "micro.h"

#include <stdio.h>
#include <stdlib.h>

#include "bench/gate/frames.h"
#include "dataplane/dedup.h"
#include "dataplane/etd.h"
#include "dataplane/frame.h"

/* Frames, ETD and its sequence numbers. */

enum { AT_PAYLOAD = 42, MANY_FRAMES = 4096, SEQUENCE_WINDOW = 1024, BITMAP_WORDS = 64 };

struct frames {
	struct gate_frame *frames;
	uint32_t count, flags;
	struct esf_frame_addresses ours;
};

static void run_frame(void *context, uint64_t rounds)
{
	const struct frames *f = context;
	uint32_t at = 0;

	for (uint64_t i = 0; i < rounds; i++) {
		const struct gate_frame *frame = micro_hide(&f->frames[at]);
		struct esf_frame out;

		if (esf_frame_parse(frame->data, frame->size, f->flags, &f->ours, &out) !=
		    ESF_DATAGRAM_ACCEPTED)
			micro_fail("a frame was refused");
		micro_use((uintptr_t)out.payload + out.payload_size);
		at = at + 1 == f->count ? 0 : at + 1;
	}
}

static void parse_etd(const struct gate_frame *frame, struct esf_etd *etd)
{
	if (esf_etd_parse(frame->data + AT_PAYLOAD, frame->size - AT_PAYLOAD, etd) !=
	    ESF_DATAGRAM_ACCEPTED)
		micro_fail("a datagram was refused");
}

static void run_etd(void *context, uint64_t rounds)
{
	const struct frames *f = context;
	uint32_t at = 0;

	for (uint64_t i = 0; i < rounds; i++) {
		struct esf_etd etd;

		parse_etd(micro_hide(&f->frames[at]), &etd);
		for (uint32_t r = 0; r < etd.count; r++) {
			struct esf_etd_data_record record;

			esf_etd_data_at(&etd, r, &record);
			micro_use((uint64_t)record.time + record.alias + (uint64_t)record.value);
		}
		at = at + 1 == f->count ? 0 : at + 1;
	}
}

static void decode_rows(struct micro *bench, uint32_t records, uint32_t count)
{
	const struct gate_workload workload = { .datagrams = count, .records = records };
	struct frames f = { .count = count, .ours = { .count = 1 } };
	struct micro_case ours = { .operations = 1, .context = &f };
	struct micro_copy copy;
	struct micro_case floor = {
		.name = "memcpy", .operations = 1, .run = micro_copy_run, .context = &copy
	};
	static uint8_t to[GATE_FRAME_MAX];
	char name[48];

	f.ours.address[0] = esf_address_from_ipv4(gate_our_ipv4);
	f.frames = micro_allocate(count, sizeof(*f.frames));
	for (uint32_t i = 0; i < count; i++)
		gate_frame_make(&f.frames[i], &workload, i);
	ours.state = (size_t)count * f.frames[0].size;
	copy = (struct micro_copy){ to, f.frames[0].data, f.frames[0].size };
	ours.name = name;
	ours.run = run_frame;
	snprintf(
	    name, sizeof(name), "%u record%s, %u in turn", records, records == 1 ? "" : "s", count);
	if (micro_wants(bench, "frame"))
		micro_row(bench, "frame", &ours, &floor, NULL);
	snprintf(name, sizeof(name), "%u record%s, %u, NIC's checksums", records,
	    records == 1 ? "" : "s", count);
	f.flags = ESF_FRAME_IP_CHECKSUM_GOOD | ESF_FRAME_UDP_CHECKSUM_GOOD;
	if (micro_wants(bench, "frame"))
		micro_row(bench, "frame", &ours, NULL, NULL);
	snprintf(
	    name, sizeof(name), "%u record%s, %u in turn", records, records == 1 ? "" : "s", count);
	ours.run = run_etd;
	copy.size -= AT_PAYLOAD;
	if (micro_wants(bench, "etd"))
		micro_row(bench, "etd", &ours, &floor, NULL);
	free(f.frames);
}

struct stream {
	struct esf_dedup dedup;
	uint64_t bitmap[BITMAP_WORDS];
};

struct streams {
	struct stream *streams;
	uint32_t *order;
	uint32_t count, at, seq;
	uint32_t swap; /* 1: each two numbers come in the wrong order */
};

static void run_dedup(void *context, uint64_t rounds)
{
	struct streams *s = context;

	for (uint64_t i = 0; i < rounds; i++) {
		struct stream *stream = &s->streams[s->order[s->at]];

		if (esf_dedup_accept(&stream->dedup, stream->bitmap, SEQUENCE_WINDOW, 1,
		        (s->seq ^ s->swap) + 2, 1) != ESF_DATAGRAM_ACCEPTED)
			micro_fail("a sequence number was refused");
		if (++s->at == s->count) {
			s->at = 0;
			s->seq++;
		}
	}
}

static void dedup_row(struct micro *bench, const char *name, uint32_t count, uint32_t swap)
{
	struct streams s = { .count = count, .swap = swap };
	struct micro_touch touch = { .count = count, .stride = sizeof(struct stream) };
	const struct micro_case ours = { .name = name,
		.operations = 1,
		.state = count * sizeof(struct stream),
		.run = run_dedup,
		.context = &s };
	const struct micro_case floor = {
		.name = "a line read", .operations = 1, .run = micro_touch_run, .context = &touch
	};

	if (esf_dedup_words(SEQUENCE_WINDOW) > BITMAP_WORDS)
		micro_fail("the window needs a longer bitmap");
	s.streams = micro_allocate(count, sizeof(*s.streams));
	s.order = micro_shuffle(count);
	touch.memory = (const uint8_t *)s.streams;
	touch.order = s.order;
	micro_row(bench, "dedup", &ours, &floor, NULL);
	free(s.streams);
	free(s.order);
}

void micro_decode(struct micro *bench)
{
	if (micro_wants(bench, "frame") || micro_wants(bench, "etd")) {
		decode_rows(bench, 1, 1);
		decode_rows(bench, 84, 1);
		decode_rows(bench, 84, MANY_FRAMES);
	}
	if (!micro_wants(bench, "dedup"))
		return;
	dedup_row(bench, "next seq, 1 stream", 1, 0);
	dedup_row(bench, "each two swapped, 1 stream", 1, 1);
	dedup_row(bench, "next seq, 100000 streams", 100000, 0);
}

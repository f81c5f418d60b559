/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ESF_STATE_STREAM_H
#define ESF_STATE_STREAM_H

#include <stdio.h>

#include "dataplane/directory.h"
#include "dataplane/image.h"

/*
 * What control says of itself in a snapshot is written to a stream in memory, which ferror() asks
 * of once, and read by dataplane/image.h.
 */
enum { ESF_STREAM_TEXT_MAX = 255, ESF_STREAM_TEXT_SIZE = ESF_STREAM_TEXT_MAX + 1 };

static inline void esf_stream_put(FILE *out, const void *bytes, size_t size)
{
	(void)fwrite_unlocked(bytes, 1, size, out);
}

static inline void esf_stream_u8(FILE *out, uint8_t value)
{
	esf_stream_put(out, &value, sizeof(value));
}

static inline void esf_stream_u32(FILE *out, uint32_t value)
{
	esf_stream_put(out, &value, sizeof(value));
}

static inline void esf_stream_u64(FILE *out, uint64_t value)
{
	esf_stream_put(out, &value, sizeof(value));
}

static inline void esf_stream_i64(FILE *out, int64_t value)
{
	esf_stream_put(out, &value, sizeof(value));
}

/* At most ESF_STREAM_TEXT_MAX bytes of it. */
static inline void esf_stream_text(FILE *out, const char *text)
{
	size_t length = strnlen(text, ESF_STREAM_TEXT_MAX);

	esf_stream_u8(out, (uint8_t)length);
	esf_stream_put(out, text, length);
}

static inline void esf_stream_read_text(struct esf_image_reader *in, char out[ESF_STREAM_TEXT_SIZE])
{
	uint32_t length = esf_image_u8(in);

	esf_image_get(in, out, length);
	out[in->bad ? 0 : length] = '\0';
}

/* Where the sites of then are now. */
struct esf_site_indexes {
	uint32_t count;
	const uint32_t *now; /* by index then; ESF_NO_SITE: nowhere */
};

static inline uint32_t esf_site_index_now(const struct esf_site_indexes *indexes, uint32_t then)
{
	return then < indexes->count ? indexes->now[then] : ESF_NO_SITE;
}

#endif

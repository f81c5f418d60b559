/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ESF_IMAGE_H
#define ESF_IMAGE_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/*
 * Bytes of a snapshot, written and read one after the other. A writer without room left and a
 * reader behind the end go on with nothing, and say so in the end: whoever uses them asks once. The
 * order of bytes is the machine's, which the file's head says (control/state/file.h).
 */
struct esf_image_writer {
	uint8_t *at;
	uint8_t *end;
	bool full; /* something had no room */
};

struct esf_image_reader {
	const uint8_t *at;
	const uint8_t *end;
	bool bad; /* something was asked for that is not there, or can't be */
};

static inline struct esf_image_reader esf_image_reader(const void *bytes, uint64_t size)
{
	const uint8_t *at = bytes;

	return (struct esf_image_reader){ at, at == NULL ? NULL : at + size, false };
}

static inline void esf_image_put(struct esf_image_writer *out, const void *bytes, uint64_t size)
{
	if (out->full || size > (uint64_t)(out->end - out->at)) {
		out->full = true;
		return;
	}
	if (size == 0)
		return;
	memcpy(out->at, bytes, size);
	out->at += size;
}

/* A value of a plain type. */
#define ESF_IMAGE_PUT(out, type, value) esf_image_put((out), &(type){ (value) }, sizeof(type))

/* The next size bytes; NULL: there are none. */
static inline const uint8_t *esf_image_take(struct esf_image_reader *in, uint64_t size)
{
	const uint8_t *at = in->at;

	if (in->bad || size > (uint64_t)(in->end - in->at)) {
		in->bad = true;
		return NULL;
	}
	in->at += size;
	return at;
}

/* Zero where there is nothing. */
static inline void esf_image_get(struct esf_image_reader *in, void *out, uint64_t size)
{
	const uint8_t *at = esf_image_take(in, size);

	if (at == NULL)
		memset(out, 0, size);
	else if (size > 0)
		memcpy(out, at, size);
}

#define ESF_IMAGE_GETTER(name, type)                         \
	static inline type name(struct esf_image_reader *in) \
	{                                                    \
		type value;                                  \
                                                             \
		esf_image_get(in, &value, sizeof(value));    \
		return value;                                \
	}
ESF_IMAGE_GETTER(esf_image_u8, uint8_t)
ESF_IMAGE_GETTER(esf_image_u16, uint16_t)
ESF_IMAGE_GETTER(esf_image_u32, uint32_t)
ESF_IMAGE_GETTER(esf_image_u64, uint64_t)
ESF_IMAGE_GETTER(esf_image_i64, int64_t)
ESF_IMAGE_GETTER(esf_image_f64, double)

/* A count that more than limit of is a fault. */
static inline uint32_t esf_image_count(struct esf_image_reader *in, uint32_t limit)
{
	uint32_t count = esf_image_u32(in);

	if (count > limit)
		in->bad = true;
	return in->bad ? 0 : count;
}

#endif

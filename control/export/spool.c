/* SPDX-License-Identifier: Apache-2.0 */
#include "control/export/spool.h"

#include <assert.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <zlib.h>

#include "control/export/spool_file.h"

/* Where a record lies, and how much of it was sent already. */
struct record {
	uint64_t at; /* offset in the ring of its header */
	uint32_t size;
	uint32_t points;
	uint32_t sent_size;
	uint32_t sent_points;
};

struct esf_spool {
	uint64_t capacity;
	uint64_t tail; /* where the next record goes, if it fits there */
	uint64_t used;
	uint64_t points;
	uint64_t first_number; /* of the oldest record */

	uint32_t count, room, head; /* records, a ring of its own */
	struct record *records;

	uint64_t taken; /* points taken that are still in the ring */
	uint64_t ghost; /* and that were pushed out of it */

	char *memory;               /* NULL: in the file */
	struct esf_spool_file file; /* fd -1: in memory */
	char scratch[sizeof(struct esf_spool_record) + ESF_SPOOL_RECORD_MAX];
};

static struct record *oldest(struct esf_spool *spool)
{
	return &spool->records[spool->head];
}

static uint64_t footprint(const struct record *record)
{
	return sizeof(struct esf_spool_record) + record->size;
}

static int store(struct esf_spool *spool, uint64_t at, const void *from, size_t size)
{
	if (spool->memory == NULL)
		return esf_spool_file_write(&spool->file, at, from, size);
	memcpy(spool->memory + at, from, size);
	return 0;
}

static int fetch(struct esf_spool *spool, uint64_t at, void *into, size_t size)
{
	if (spool->memory == NULL)
		return esf_spool_file_read(&spool->file, at, into, size);
	memcpy(into, spool->memory + at, size);
	return 0;
}

/* Says in the file where the ring begins. */
static int note_begin(struct esf_spool *spool)
{
	struct esf_spool_begin begin = { .at = spool->tail, .number = spool->first_number };

	if (spool->memory != NULL)
		return 0;
	if (spool->count > 0) {
		begin.at = oldest(spool)->at;
		begin.sent_size = oldest(spool)->sent_size;
		begin.sent_points = oldest(spool)->sent_points;
	}
	return esf_spool_file_begin(&spool->file, &begin);
}

static bool has_slot(struct esf_spool *spool)
{
	uint32_t room = spool->room == 0 ? 64 : 2 * spool->room;
	struct record *grown;

	if (spool->count < spool->room)
		return true;
	grown = malloc(room * sizeof(*grown));
	if (grown == NULL)
		return false;
	for (uint32_t i = 0; i < spool->count; i++)
		grown[i] = spool->records[(spool->head + i) % spool->room];
	free(spool->records);
	spool->records = grown;
	spool->head = 0;
	spool->room = room;
	return true;
}

static void append(struct esf_spool *spool, const struct record *record)
{
	spool->records[(spool->head + spool->count) % spool->room] = *record;
	spool->count++;
	spool->used += footprint(record);
	spool->points += record->points - record->sent_points;
	spool->tail = record->at + footprint(record);
}

static void drop_oldest(struct esf_spool *spool)
{
	struct record *record = oldest(spool);

	spool->used -= footprint(record);
	spool->points -= record->points - record->sent_points;
	spool->head = (spool->head + 1) % spool->room;
	spool->count--;
	spool->first_number++;
}

/* Makes room by the oldest record. Returns the points of it that were not taken. */
static uint64_t push_out(struct esf_spool *spool)
{
	uint64_t points = oldest(spool)->points - oldest(spool)->sent_points;
	uint64_t taken = points < spool->taken ? points : spool->taken;

	drop_oldest(spool);
	spool->taken -= taken;
	spool->ghost += taken;
	return points - taken;
}

/* Where so many bytes fit behind the newest record, or -1. */
static int64_t find_place(const struct esf_spool *spool, uint64_t need)
{
	uint64_t begin = spool->count == 0 ? 0 : spool->records[spool->head].at;

	if (spool->count == 0)
		return need <= spool->capacity ? 0 : -1;
	if (spool->tail > begin) {
		if (need <= spool->capacity - spool->tail)
			return (int64_t)spool->tail;
		return need <= begin ? 0 : -1;
	}
	return need <= begin - spool->tail ? (int64_t)spool->tail : -1;
}

int esf_spool_add(
    struct esf_spool *spool, const char *lines, uint32_t size, uint32_t points, uint64_t *pushed)
{
	struct record record = { .size = size, .points = points };
	struct esf_spool_record *header = (struct esf_spool_record *)spool->scratch;
	uint64_t need = footprint(&record);
	bool moved = false;
	int64_t place;
	int error = 0;

	assert(size > 0 && size <= ESF_SPOOL_RECORD_MAX && points > 0);
	*pushed = 0;
	if (!has_slot(spool))
		return -ENOMEM;
	for (place = find_place(spool, need); place < 0; place = find_place(spool, need)) {
		*pushed += push_out(spool);
		moved = true;
	}
	record.at = (uint64_t)place;
	*header = (struct esf_spool_record){ .magic = ESF_SPOOL_RECORD_MAGIC,
		.size = size,
		.points = points,
		.number = spool->first_number + spool->count };
	header->checksum = esf_spool_record_checksum(header, lines);
	memcpy(header + 1, lines, size);
	if (spool->count == 0)
		spool->tail = 0; /* where it begins is said before anything is there */
	if (moved || spool->count == 0)
		error = note_begin(spool);
	if (error == 0)
		error = store(spool, record.at, header, need);
	if (error == 0)
		append(spool, &record);
	return error;
}

/* Bytes of the text's first so many lines. */
static size_t lines_size(const char *text, size_t size, uint32_t lines)
{
	size_t at = 0;

	for (; lines > 0 && at < size; lines--) {
		const char *end = memchr(text + at, '\n', size - at);

		at = end == NULL ? size : (size_t)(end - text) + 1;
	}
	return at;
}

/* What is left of a record, into spool->scratch. */
static int fetch_rest(struct esf_spool *spool, const struct record *record)
{
	return fetch(spool, record->at + sizeof(struct esf_spool_record) + record->sent_size,
	    spool->scratch, record->size - record->sent_size);
}

int64_t esf_spool_take(struct esf_spool *spool, uint32_t points_max, char *into, size_t room,
    size_t *size, uint64_t *lost)
{
	uint64_t points = 0;

	assert(spool->taken == 0 && spool->ghost == 0);
	*size = 0;
	*lost = 0;
	for (uint32_t i = 0; i < spool->count && points < points_max; i++) {
		struct record *record = &spool->records[(spool->head + i) % spool->room];
		size_t rest = record->size - record->sent_size;
		uint32_t rest_points = record->points - record->sent_points;
		int error;

		if (rest > room - *size)
			break;
		error = fetch_rest(spool, record);
		if (error != 0 && i > 0)
			break;
		if (error != 0) {
			*lost = rest_points;
			drop_oldest(spool);
			return error;
		}
		if (rest_points > points_max - points) {
			rest_points = (uint32_t)(points_max - points);
			rest = lines_size(spool->scratch, rest, rest_points);
		}
		memcpy(into + *size, spool->scratch, rest);
		*size += rest;
		points += rest_points;
	}
	spool->taken = points;
	return (int64_t)points;
}

void esf_spool_done(struct esf_spool *spool)
{
	while (spool->taken > 0) {
		struct record *record = oldest(spool);
		uint32_t rest = record->points - record->sent_points;

		if (spool->taken >= rest) {
			spool->taken -= rest;
			drop_oldest(spool);
			continue;
		}
		if (fetch_rest(spool, record) == 0) { /* else all of it is sent again */
			record->sent_size += (uint32_t)lines_size(spool->scratch,
			    record->size - record->sent_size, (uint32_t)spool->taken);
			record->sent_points += (uint32_t)spool->taken;
			spool->points -= spool->taken;
		}
		spool->taken = 0;
	}
	spool->ghost = 0;
	note_begin(spool); /* where it fails, what was sent is sent again after a restart */
}

uint64_t esf_spool_undo(struct esf_spool *spool)
{
	uint64_t ghost = spool->ghost;

	spool->taken = 0;
	spool->ghost = 0;
	return ghost;
}

uint64_t esf_spool_points(const struct esf_spool *spool)
{
	return spool->points + spool->ghost;
}

uint64_t esf_spool_used(const struct esf_spool *spool)
{
	return spool->used;
}

/* Takes up what the file holds. */
static int recover(struct esf_spool *spool)
{
	struct esf_spool_walk walk = { .begin = spool->file.begin };
	struct esf_spool_found found;

	spool->first_number = walk.begin.number;
	spool->tail = walk.begin.at;
	while (esf_spool_file_next(&spool->file, &walk, spool->scratch, &found)) {
		struct record record = {
			.at = found.at, .size = found.size, .points = found.points
		};

		if (!has_slot(spool))
			return -ENOMEM;
		if (spool->count == 0 && walk.begin.sent_size < found.size &&
		    walk.begin.sent_points < found.points) {
			record.sent_size = walk.begin.sent_size;
			record.sent_points = walk.begin.sent_points;
		}
		append(spool, &record);
	}
	return 0;
}

/* All of one spool into another, the oldest first. */
static int move_all(struct esf_spool *from, struct esf_spool *to)
{
	uint64_t pushed;
	int error = 0;

	for (; from->count > 0 && error == 0; drop_oldest(from)) {
		const struct record *record = oldest(from);

		error = fetch_rest(from, record);
		if (error == 0)
			error = esf_spool_add(to, from->scratch, record->size - record->sent_size,
			    record->points - record->sent_points, &pushed);
	}
	return error;
}

static int fail(const char *file, int error, char *text)
{
	const char *why = strerror(-error);

	if (error == -EBADMSG)
		why = "got something else, want a spool: move it away";
	else if (error == -EWOULDBLOCK)
		why = "another program has it open";
	snprintf(text, ESF_SPOOL_ERROR_SIZE, "%.180s: %s", file, why);
	return error;
}

static struct esf_spool *create(uint64_t capacity)
{
	struct esf_spool *spool = calloc(1, sizeof(*spool));

	if (spool == NULL)
		return NULL;
	spool->capacity = capacity;
	spool->file.fd = -1;
	return spool;
}

static int open_file(struct esf_spool *spool, const char *file)
{
	int error = esf_spool_file_open(&spool->file, file, spool->capacity);

	spool->capacity = spool->file.capacity;
	return error != 0 ? error : recover(spool);
}

/* The file anew with another capacity, and what it held. */
static int resize(struct esf_spool **spool, uint64_t capacity, const char *file)
{
	struct esf_spool *other = create(capacity);
	char path[4096 + 8];
	int error;

	if (other == NULL)
		return -ENOMEM;
	snprintf(path, sizeof(path), "%s.new", file);
	remove(path);
	error = open_file(other, path);
	if (error == 0)
		error = move_all(*spool, other);
	if (error == 0 && rename(path, file) != 0)
		error = -errno;
	if (error != 0) {
		esf_spool_close(other);
		remove(path);
		return error;
	}
	esf_spool_close(*spool);
	*spool = other;
	return 0;
}

int esf_spool_open(uint64_t capacity, const char *file, struct esf_spool **out, char *error_text)
{
	struct esf_spool *spool = create(capacity);
	int error = 0;

	*out = NULL;
	if (spool == NULL)
		return -ENOMEM;
	if (file == NULL) {
		spool->memory = malloc(capacity);
		error = spool->memory == NULL ? -ENOMEM : 0;
	} else {
		error = open_file(spool, file);
		if (error == 0 && spool->capacity != capacity)
			error = resize(&spool, capacity, file);
	}
	if (error == 0) {
		*out = spool;
		return 0;
	}
	esf_spool_close(spool);
	return fail(file == NULL ? "spool" : file, error, error_text);
}

void esf_spool_close(struct esf_spool *spool)
{
	if (spool == NULL)
		return;
	esf_spool_file_close(&spool->file);
	free(spool->memory);
	free(spool->records);
	free(spool);
}

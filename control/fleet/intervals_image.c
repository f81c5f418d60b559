/* SPDX-License-Identifier: Apache-2.0 */
#include "control/fleet/intervals_parts.h"

#include <stddef.h>
#include <string.h>

/*
 * The running intervals in a snapshot: which columns and regions there are, then of each interval
 * its span and the rows that have data.
 */
enum { NO_MORE = UINT32_MAX };

static uint32_t counts_size(const struct esf_intervals *intervals)
{
	return intervals->layout.row_size -
	       (uint32_t)offsetof(struct esf_interval_row, maintenance);
}

static void write_rows(const struct esf_intervals *intervals, const struct track *track, char *rows,
    uint32_t count, FILE *out)
{
	for (uint32_t place = 0; place < count && track->generation != 0; place++) {
		const struct esf_interval_row *row = esf_intervals_row(intervals, rows, place);

		if (row->generation != track->generation)
			continue;
		esf_stream_u32(out, place);
		esf_stream_put(out, &row->maintenance, counts_size(intervals));
	}
	esf_stream_u32(out, NO_MORE);
}

static void write_track(const struct esf_intervals *intervals, const struct track *track, FILE *out)
{
	uint32_t sites = intervals->sites_seen < intervals->sites_max ? intervals->sites_seen
	                                                              : intervals->sites_max;

	esf_stream_i64(out, track->span.length);
	esf_stream_i64(out, track->span.start);
	esf_stream_u32(out, track->span.windows);
	esf_stream_u32(out, track->span.revision);
	esf_stream_u8(out, track->generation != 0);
	esf_stream_u8(out, track->span.final);
	write_rows(intervals, track, track->sites, sites, out);
	write_rows(intervals, track, track->scopes, intervals->regions_count + 2, out);
}

void esf_intervals_write(struct esf_intervals *intervals, FILE *out)
{
	esf_stream_u64(out, intervals->piece);
	esf_stream_u32(out, intervals->layout.row_size);
	esf_stream_u32(out, intervals->layout.columns_count);
	for (uint32_t c = 0; c < intervals->layout.columns_count; c++) {
		esf_stream_text(out, intervals->layout.columns[c].name);
		esf_stream_u32(out, intervals->layout.columns[c].expression == NULL
		                        ? 0
		                        : intervals->layout.columns[c].extra + 1);
	}
	esf_stream_u32(out, intervals->regions_count);
	for (uint32_t r = 0; r < intervals->regions_count; r++)
		esf_stream_text(out, intervals->regions[r]);
	esf_stream_u32(out, intervals->count);
	for (uint32_t i = 0; i < intervals->count; i++)
		write_track(intervals, &intervals->tracks[i], out);
}

/* Whether rows of then are rows of now. */
static bool read_columns(
    const struct esf_intervals *intervals, struct esf_image_reader *in, uint32_t row_size)
{
	const struct esf_interval_layout *layout = &intervals->layout;
	uint32_t count = esf_image_count(in, ESF_INTERVAL_COLUMNS_MAX);
	bool same = row_size == layout->row_size && count == layout->columns_count;

	for (uint32_t c = 0; c < count && !in->bad; c++) {
		char name[ESF_STREAM_TEXT_SIZE];
		uint32_t extra;

		esf_stream_read_text(in, name);
		extra = esf_image_u32(in);
		same =
		    same && strcmp(name, layout->columns[c].name) == 0 &&
		    extra ==
		        (layout->columns[c].expression == NULL ? 0 : layout->columns[c].extra + 1);
	}
	return same;
}

/* By then's places: now's, NO_MORE: none. "unassigned" and the fleet stand behind the regions. */
static uint32_t read_regions(const struct esf_intervals *intervals, struct esf_image_reader *in,
    uint32_t places[ESF_REGIONS_MAX + 2])
{
	uint32_t count = esf_image_count(in, ESF_REGIONS_MAX);

	for (uint32_t i = 0; i < count && !in->bad; i++) {
		char name[ESF_STREAM_TEXT_SIZE];

		esf_stream_read_text(in, name);
		places[i] = NO_MORE;
		for (uint32_t r = 0; r < intervals->regions_count; r++)
			if (strcmp(intervals->regions[r], name) == 0)
				places[i] = r;
	}
	places[count] = intervals->regions_count;
	places[count + 1] = intervals->regions_count + 1;
	return count + 2;
}

/* track NULL: read and left. */
static void read_rows(struct esf_image_reader *in, uint32_t size,
    const struct esf_intervals *intervals, const struct track *track, char *rows,
    const struct esf_site_indexes *places, uint32_t count)
{
	for (uint32_t then = esf_image_u32(in); then != NO_MORE && !in->bad;
	     then = esf_image_u32(in)) {
		const uint8_t *counts = esf_image_take(in, size);
		uint32_t now = esf_site_index_now(places, then);
		struct esf_interval_row *row;

		if (counts == NULL || track == NULL || now >= count)
			continue;
		row = esf_intervals_row(intervals, rows, now);
		row->generation = track->generation;
		memcpy(&row->maintenance, counts, size);
	}
}

static struct track *track_of(struct esf_intervals *intervals, int64_t length)
{
	for (uint32_t i = 0; i < intervals->count; i++)
		if (intervals->tracks[i].span.length == length)
			return &intervals->tracks[i];
	return NULL;
}

static void set_span(struct track *track, int64_t start, const struct esf_interval_span *span)
{
	track->generation++;
	track->span.start = start;
	track->span.end = start + track->span.length;
	track->span.windows = span->windows;
	track->span.revision = span->revision;
	track->span.final = span->final;
}

/* Whether the interval went on. */
static bool read_track(struct esf_intervals *intervals, struct esf_image_reader *in, bool same,
    uint32_t row_size, const struct esf_site_indexes *sites, const struct esf_site_indexes *scopes)
{
	struct track *track = track_of(intervals, esf_image_i64(in));
	struct esf_interval_span span = { .start = esf_image_i64(in) };
	uint32_t size = row_size - (uint32_t)offsetof(struct esf_interval_row, maintenance);
	bool runs;

	span.windows = esf_image_u32(in);
	span.revision = esf_image_u32(in);
	runs = esf_image_u8(in) != 0;
	span.final = esf_image_u8(in) != 0;
	if (!same || !runs || in->bad || span.start > INT64_MAX / 2 || span.start < 0 ||
	    (track != NULL && track->generation != 0))
		track = NULL;
	if (track != NULL)
		set_span(track, span.start, &span);
	read_rows(in, size, intervals, track, track == NULL ? NULL : track->sites, sites,
	    intervals->sites_max);
	read_rows(in, size, intervals, track, track == NULL ? NULL : track->scopes, scopes,
	    intervals->regions_count + 2);
	return track != NULL;
}

int esf_intervals_read(struct esf_intervals *intervals, struct esf_image_reader *in,
    const struct esf_site_indexes *indexes)
{
	uint64_t piece = esf_image_u64(in);
	uint32_t row_size = esf_image_u32(in), places[ESF_REGIONS_MAX + 2], count;
	bool same = read_columns(intervals, in, row_size);
	struct esf_site_indexes scopes = { read_regions(intervals, in, places), places };
	int went_on = 0;

	if (row_size < sizeof(struct esf_interval_row))
		in->bad = true;
	count = esf_image_count(in, ESF_INTERVALS_MAX);
	for (uint32_t i = 0; i < count && !in->bad; i++)
		went_on += read_track(intervals, in, same, row_size, indexes, &scopes);
	/* Until the next window says how many there are. */
	for (uint32_t i = 0; i < indexes->count; i++)
		if (indexes->now[i] != ESF_NO_SITE && indexes->now[i] >= intervals->sites_seen)
			intervals->sites_seen = indexes->now[i] + 1;
	if (same && !in->bad)
		intervals->piece = piece;
	return in->bad ? -1 : went_on;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "control/fleet/baseline.h"

#include <assert.h>
#include <errno.h>
#include <math.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "control/fleet/pages.h"

#define NS_PER_HOUR INT64_C(3600000000000)

enum {
	SURE_AFTER = 4, /* values before far ones are held back */
	REACH = 4,      /* spreads */
	DOUBTS_MAX = 3, /* hours */
	VISITS_MAX = 3,
};

struct cell {
	double level;
	float spread;
	uint16_t count;     /* values learned, at most hours * windows an hour */
	uint8_t stamp;      /* the latest hour with a value */
	uint8_t visits : 2; /* hours with a value, counted up to 3 */
	uint8_t doubts : 2; /* the latest of them in a row that had no value within reach */
	uint8_t within : 1; /* in the latest, a value was */
};

static const double LARGEST = 1e30; /* value learned, so that a float holds every spread */

static_assert(sizeof(struct cell) == 16, "the size that baseline.h states");

/*
 * A slot's cells as they were when its hour began. Never written afterwards; freed by whoever lets
 * go last: the decrement with acquire and release pairs with the other holders' decrements.
 */
struct esf_usual {
	_Atomic uint32_t holders;
	struct cell cells[];
};

struct esf_baseline {
	uint32_t sites;
	uint32_t slots;
	uint16_t count_max;
	int64_t hour;     /* since 1970; INT64_MIN: none yet */
	uint8_t stamp;    /* of the hour */
	struct cell *now; /* the hour's slot; NULL: no memory */
	struct esf_usual *usual;
	struct cell *slot[ESF_BASELINE_WEEK]; /* sites each; NULL: its hour never came */
};

struct esf_baseline *esf_baseline_create(uint32_t sites, uint32_t slots, int64_t window_ns)
{
	struct esf_baseline *baseline = calloc(1, sizeof(*baseline));

	if (baseline == NULL)
		return NULL;
	baseline->sites = sites;
	baseline->slots = slots;
	baseline->count_max =
	    (uint16_t)(ESF_BASELINE_HOURS * ((NS_PER_HOUR + window_ns - 1) / window_ns));
	baseline->hour = INT64_MIN;
	return baseline;
}

void esf_baseline_destroy(struct esf_baseline *baseline)
{
	if (baseline == NULL)
		return;
	esf_usual_let_go(baseline->usual);
	for (uint32_t s = 0; s < baseline->slots; s++)
		free(baseline->slot[s]);
	free(baseline);
}

uint64_t esf_baseline_site_size(uint32_t slots)
{
	return (uint64_t)(slots + 1) * sizeof(struct cell);
}

static int64_t floor_div(int64_t a, int64_t b)
{
	return a / b - (a % b < 0);
}

static bool is_known(const struct cell *cell)
{
	return cell->visits >= ESF_BASELINE_VISITS;
}

static int keep_usual(struct esf_baseline *baseline)
{
	size_t size = baseline->sites * sizeof(struct cell);
	uint32_t first = 0;

	while (first < baseline->sites && !is_known(&baseline->now[first]))
		first++;
	if (first == baseline->sites)
		return 0;
	baseline->usual = esf_pages_alloc(sizeof(*baseline->usual) + size);
	if (baseline->usual == NULL)
		return -ENOMEM;
	atomic_init(&baseline->usual->holders, 1);
	memcpy(baseline->usual->cells, baseline->now, size);
	return 0;
}

/* 1970 began on a Thursday, weeks do on Mondays. */
static uint32_t slot_of(const struct esf_baseline *baseline, int64_t hour)
{
	int64_t since = hour + 3 * 24;

	return (uint32_t)(since - floor_div(since, baseline->slots) * baseline->slots);
}

int esf_baseline_enter(struct esf_baseline *baseline, int64_t start)
{
	int64_t hour = floor_div(start, NS_PER_HOUR);
	uint32_t slot = slot_of(baseline, hour);

	if (hour == baseline->hour && baseline->now != NULL)
		return 0;
	esf_usual_let_go(baseline->usual);
	baseline->usual = NULL;
	baseline->hour = hour;
	baseline->stamp = (uint8_t)floor_div(hour + 3 * 24, baseline->slots);
	if (baseline->slot[slot] == NULL)
		baseline->slot[slot] =
		    esf_pages_zeroed((baseline->sites + (size_t)1) * sizeof(struct cell));
	baseline->now = baseline->slot[slot];
	return baseline->now == NULL ? -ENOMEM : keep_usual(baseline);
}

/* What a first value in an hour says of the ones before. */
static void visit(const struct esf_baseline *baseline, struct cell *cell)
{
	if (cell->count > 0 && cell->stamp == baseline->stamp)
		return;
	if (cell->count > 0 && !cell->within && cell->doubts + 1 == DOUBTS_MAX)
		*cell = (struct cell){ 0 };
	else
		cell->doubts = cell->count == 0 || cell->within ? 0 : cell->doubts + 1;
	cell->within = false;
	cell->visits += cell->visits < VISITS_MAX;
	cell->stamp = baseline->stamp;
}

static void learn(struct cell *cell, double x, uint16_t count_max)
{
	double distance = x - cell->level, reach = REACH * (double)cell->spread;

	if (cell->count < SURE_AFTER || !(reach > 0))
		reach = INFINITY;
	if (fabs(distance) <= reach)
		cell->within = true;
	else
		distance = distance > 0 ? reach : -reach;
	cell->count += cell->count < count_max;
	cell->level += distance / cell->count;
	cell->spread =
	    (float)(cell->spread + (fabs(distance) - (double)cell->spread) / cell->count);
}

void esf_baseline_learn(struct esf_baseline *baseline, uint32_t site, double x)
{
	struct cell *cell;

	if (baseline->now == NULL || !(fabs(x) <= LARGEST))
		return;
	cell = &baseline->now[site];
	visit(baseline, cell);
	if (cell->count == 0)
		cell->level = x;
	learn(cell, x, baseline->count_max);
}

struct esf_usual *esf_baseline_usual(struct esf_baseline *baseline)
{
	if (baseline->usual != NULL)
		atomic_fetch_add_explicit(&baseline->usual->holders, 1, memory_order_relaxed);
	return baseline->usual;
}

void esf_usual_let_go(struct esf_usual *usual)
{
	if (usual != NULL &&
	    atomic_fetch_sub_explicit(&usual->holders, 1, memory_order_acq_rel) == 1)
		free(usual);
}

double esf_usual_level(const struct esf_usual *usual, uint32_t site)
{
	return is_known(&usual->cells[site]) ? usual->cells[site].level : NAN;
}

double esf_usual_score(const struct esf_usual *usual, uint32_t site, double x)
{
	const struct cell *cell = &usual->cells[site];

	if (!is_known(cell))
		return NAN;
	return cell->spread > 0 ? (x - cell->level) / (1.253314 * (double)cell->spread) : 0;
}

uint64_t esf_baseline_written_size(const struct esf_baseline *baseline, uint32_t sites)
{
	uint64_t slots = baseline->usual != NULL;

	for (uint32_t s = 0; s < baseline->slots; s++)
		slots += baseline->slot[s] != NULL;
	return slots * sites * (sizeof(struct cell) + sizeof(uint32_t)) + 1024;
}

enum { NO_MORE = UINT32_MAX, USUAL = ESF_BASELINE_WEEK };

static void write_cells(const struct cell *cells, uint32_t sites, FILE *out)
{
	for (uint32_t s = 0; s < sites; s++) {
		if (cells[s].count == 0)
			continue;
		esf_stream_u32(out, s);
		esf_stream_put(out, &cells[s], sizeof(cells[s]));
	}
	esf_stream_u32(out, NO_MORE);
}

/* Slots by number; the hour's, as it was before the hour, as one behind all of them. */
void esf_baseline_write(const struct esf_baseline *baseline, uint32_t sites, FILE *out)
{
	sites = sites < baseline->sites ? sites : baseline->sites;
	esf_stream_u32(out, baseline->slots);
	esf_stream_i64(out, baseline->hour);
	for (uint32_t s = 0; s < baseline->slots; s++) {
		if (baseline->slot[s] == NULL)
			continue;
		esf_stream_u32(out, s);
		write_cells(baseline->slot[s], sites, out);
	}
	if (baseline->usual != NULL) {
		esf_stream_u32(out, USUAL);
		write_cells(baseline->usual->cells, sites, out);
	}
	esf_stream_u32(out, NO_MORE);
}

/* cells NULL: read and left. */
static void read_cells(struct esf_image_reader *in, const struct esf_site_indexes *indexes,
    struct cell *cells, uint32_t sites, uint16_t count_max)
{
	for (uint32_t then = esf_image_u32(in); then != NO_MORE && !in->bad;
	     then = esf_image_u32(in)) {
		uint32_t now = esf_site_index_now(indexes, then);
		struct cell cell;

		esf_image_get(in, &cell, sizeof(cell));
		cell.count = cell.count < count_max ? cell.count : count_max;
		if (cells != NULL && now < sites && isfinite(cell.level) && !in->bad)
			cells[now] = cell;
	}
}

/* Where a slot's cells go; NULL: nowhere. */
static struct cell *place_of(struct esf_baseline *baseline, uint32_t slot)
{
	size_t size = (baseline->sites + (size_t)1) * sizeof(struct cell);

	if (slot == USUAL) {
		if (baseline->usual != NULL)
			return baseline->usual->cells;
		baseline->usual = esf_pages_zeroed(sizeof(*baseline->usual) + size);
		if (baseline->usual == NULL)
			return NULL;
		atomic_init(&baseline->usual->holders, 1);
		return baseline->usual->cells;
	}
	if (slot >= baseline->slots)
		return NULL;
	if (baseline->slot[slot] == NULL)
		baseline->slot[slot] = esf_pages_zeroed(size);
	return baseline->slot[slot];
}

bool esf_baseline_read(struct esf_baseline *baseline, struct esf_image_reader *in,
    const struct esf_site_indexes *indexes)
{
	uint32_t slots = esf_image_u32(in);
	int64_t hour = esf_image_i64(in);
	bool fits = baseline != NULL && baseline->slots == slots && hour > -(INT64_C(1) << 40) &&
	            hour < INT64_C(1) << 40;

	if (slots != ESF_BASELINE_DAY && slots != ESF_BASELINE_WEEK)
		in->bad = true;
	for (uint32_t slot = esf_image_u32(in); slot != NO_MORE && !in->bad;
	     slot = esf_image_u32(in))
		read_cells(in, indexes, fits ? place_of(baseline, slot) : NULL,
		    fits ? baseline->sites : 0, fits ? baseline->count_max : 0);
	if (!fits || in->bad)
		return !in->bad;
	baseline->hour = hour;
	baseline->stamp = (uint8_t)floor_div(hour + 3 * 24, baseline->slots);
	baseline->now = baseline->slot[slot_of(baseline, hour)];
	return true;
}

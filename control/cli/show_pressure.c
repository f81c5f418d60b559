/* SPDX-License-Identifier: Apache-2.0 */
#include "control/cli/show.h"

#include "control/cli/field.h"
#include "control/cli/table.h"
#include "control/cli/text.h"

enum { LINES_MAX = 8 };

/* Lines on what found no room: the first ones are printed, all are counted. */
struct lines {
	const struct esf_screen *screen;
	uint32_t count;
};

static void put_line(struct lines *lines, const char *text)
{
	const struct esf_screen *screen = lines->screen;

	if (lines->count++ >= LINES_MAX)
		return;
	fputs(lines->count == 1 ? "pressure    " : "            ", screen->out);
	esf_style_begin(screen->out, screen->colour, ESF_RED);
	esf_text_put(screen->out, text, ESF_TEXT_COLUMNS - 12);
	esf_style_end(screen->out, screen->colour, ESF_RED);
	fputc('\n', screen->out);
}

static const char *count_of(const json_t *object, const char *key, char *number)
{
	return esf_text_count((uint64_t)esf_field_count(object, key), number);
}

static void put_queues(struct lines *lines, const json_t *port)
{
	char line[ESF_CELL_SIZE], a[ESF_TEXT_NUMBER_SIZE], b[ESF_TEXT_NUMBER_SIZE];
	const json_t *queue;
	size_t i;

	json_array_foreach (json_object_get(port, "queues"), i, queue) {
		if (esf_field_count(queue, "unbuffered") == 0 &&
		    esf_field_count(queue, "unsent") == 0)
			continue;
		snprintf(line, sizeof(line),
		    "port %jd queue %zu: %s answers without a buffer, %s not sent",
		    (intmax_t)esf_field_count(port, "port"), i, count_of(queue, "unbuffered", a),
		    count_of(queue, "unsent", b));
		put_line(lines, line);
	}
}

static void put_ports(struct lines *lines, const json_t *ports)
{
	char line[ESF_CELL_SIZE], a[ESF_TEXT_NUMBER_SIZE], b[ESF_TEXT_NUMBER_SIZE],
	    c[ESF_TEXT_NUMBER_SIZE];
	const json_t *port;
	size_t i;

	json_array_foreach (ports, i, port) {
		if (esf_field_count(port, "missed") != 0 ||
		    esf_field_count(port, "no_buffer") != 0 ||
		    esf_field_count(port, "errors") != 0) {
			snprintf(line, sizeof(line),
			    "port %jd (%.24s): %s missed, %s without a buffer, %s errors",
			    (intmax_t)esf_field_count(port, "port"), esf_field_text(port, "name"),
			    count_of(port, "missed", a), count_of(port, "no_buffer", b),
			    count_of(port, "errors", c));
			put_line(lines, line);
		}
		put_queues(lines, port);
	}
}

/* Returns how full the fullest ring was, in percent. */
static double put_rings(struct lines *lines, const json_t *rings)
{
	char line[ESF_CELL_SIZE], a[ESF_TEXT_NUMBER_SIZE], b[ESF_TEXT_NUMBER_SIZE],
	    c[ESF_TEXT_NUMBER_SIZE];
	double fullest = 0;
	const json_t *ring;
	size_t i;

	json_array_foreach (rings, i, ring) {
		double capacity = (double)esf_field_count(ring, "capacity");
		double filled = 100 * (double)esf_field_count(ring, "high_water") /
		                (capacity > 0 ? capacity : 1);

		fullest = filled > fullest ? filled : fullest;
		if (esf_field_count(ring, "refused") == 0)
			continue;
		snprintf(line, sizeof(line),
		    "ring lcore %jd to %jd: %s refused, at most %s of %s cells full",
		    (intmax_t)esf_field_count(ring, "from"), (intmax_t)esf_field_count(ring, "to"),
		    count_of(ring, "refused", a), count_of(ring, "high_water", b),
		    count_of(ring, "capacity", c));
		put_line(lines, line);
	}
	return fullest;
}

/* Returns how few mbufs were free in the emptiest pool, in percent. */
static double put_pools(struct lines *lines, const json_t *pools)
{
	char line[ESF_CELL_SIZE], a[ESF_TEXT_NUMBER_SIZE], b[ESF_TEXT_NUMBER_SIZE];
	double emptiest = 100;
	const json_t *pool;
	size_t i;

	json_array_foreach (pools, i, pool) {
		double size = (double)esf_field_count(pool, "size");
		int64_t low = esf_field_count(pool, "low_water");
		double left = size > 0 ? 100 * (double)low / size : 100;

		emptiest = left < emptiest ? left : emptiest;
		if (esf_field_count(pool, "failed") == 0 && low != 0)
			continue;
		snprintf(line, sizeof(line), "mempool %.24s: %s times empty, at least %s free",
		    esf_field_text(pool, "name"), count_of(pool, "failed", a),
		    count_of(pool, "low_water", b));
		put_line(lines, line);
	}
	return emptiest;
}

void esf_show_pressure(const struct esf_screen *screen, const json_t *ledger)
{
	const json_t *rings = json_object_get(ledger, "rings");
	struct lines lines = { .screen = screen };
	double fullest, emptiest;

	if (rings == NULL)
		return;
	put_ports(&lines, json_object_get(json_object_get(ledger, "nic"), "ports"));
	fullest = put_rings(&lines, rings);
	emptiest = put_pools(&lines, json_object_get(ledger, "mempools"));
	if (lines.count > LINES_MAX)
		fprintf(screen->out, "            and %u more: --json has all\n",
		    lines.count - LINES_MAX);
	else if (lines.count == 0)
		fprintf(screen->out,
		    "pressure    none: rings at most %.0f%% full, at least %.0f%% of the mbufs "
		    "free\n",
		    fullest, emptiest);
}
